//! A secret goes to the target and nowhere else: no result, no message, no process title has it.

use std::time::Duration;

use crate::kit::{Onslaught, Run, Server, api, gateway, shards, status, trial, until};

const PASSWORD: &str = "canary-7Qm2-password";

const KEY: &str = "canary-X9w4-key-of-an-api-0123456789";

/// How every JWT begins; no whole token can be anywhere without it.
const JWT: &str = "eyJhbGci";

/// Tasks with a secret header, and status connections with the token in their URL.
fn scenario() -> String {
    let with_header = api("rate: 100/s, for: 2s").replace(
        "        json:",
        "        headers: {X-Api-Key: \"${secret:API_KEY}\"}\n        json:",
    );
    let trial = trial(&format!("workloads:{with_header}{}", status("connections: 5, for: 2s")));
    trial.replace("${secret:PASSWORD:-testpassword123}", "${secret:PASSWORD}")
}

fn load(server: &Server, count: u32) -> Onslaught {
    let load = Onslaught::scenario(scenario()).set("BASE_URL", server.url(""));
    let load = load.set("STATUS_URL", server.ws_url("")).line("--allow-untrusted").shards(count);
    load.env("PASSWORD", PASSWORD).env("API_KEY", KEY)
}

/// Runs it; looks at the process's title when its users are there.
fn watched(server: &Server, count: u32) -> (Run, Vec<u8>) {
    let load = load(server, count).start();
    until("users", Duration::from_secs(10), || server.count().of("users_created") > 0);
    let title = load.command_line();
    (load.finish(), title)
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

/// Nothing that was left, and nothing that could be seen, has a secret or a part of one.
#[track_caller]
fn assert_kept(run: &Run, title: Vec<u8>, server: &Server) {
    let issued = server.secrets();
    assert!(issued.iter().any(|secret| secret.starts_with(JWT)), "no token was issued");
    let mut secrets: Vec<&str> = issued.iter().map(String::as_str).collect();
    secrets.extend([PASSWORD, KEY, &PASSWORD[..12], &KEY[..12], JWT]);
    let mut seen = run.files();
    assert!(seen.iter().any(|(path, _)| path.ends_with("summary.json")), "no results{run}");
    seen.push(("the process's title".into(), title));
    for (path, bytes) in &seen {
        let text = String::from_utf8_lossy(bytes);
        for secret in &secrets {
            assert!(!text.contains(secret), "{} has {secret}", path.display());
        }
    }
}

#[test]
fn secrets_are_kept_when_all_goes_well() {
    shards([1, 2], |count| {
        let server = gateway().with("TOKEN_TTL", 2).start();
        let (run, title) = watched(&server, count);
        let run = run.exits([0]);
        run.report().assert_clean();
        assert!(server.secrets().iter().any(|secret| secret == KEY), "the key was not sent");
        assert_kept(&run, title, &server);
    });
}

/// Errors are told with what they are about, and a URL may have a token in it.
#[test]
fn secrets_are_kept_when_all_goes_wrong() {
    shards([1, 2], |count| {
        let server = gateway().with("SILENT_WS", 1).with("ALWAYS_401", 1).start();
        let (run, title) = watched(&server, count);
        let run = run.exits([1]);
        assert!(run.report().all_failed() > 0, "{run}");
        assert_kept(&run, title, &server);
    });
}

/// A wrong password is told by whom it was used, never by itself.
#[test]
fn a_refused_password_is_not_told() {
    shards([1, 2], |count| {
        let server = gateway().start();
        load(&server, count).run().exits([0]);
        let other = "canary-5Tr8-other-password";
        let run = load(&server, count).env("PASSWORD", other).run().exits([113]);
        assert!(server.count().of("login_failures") >= 5, "{}", server.count());
        assert!(!contains(run.stderr.as_bytes(), &other[..12]), "{run}");
        for (path, bytes) in run.files() {
            assert!(!contains(&bytes, &other[..12]), "{} has the password", path.display());
        }
    });
}

/// A variable that is not there is named; what stands in its place is not.
#[test]
fn a_missing_secret_is_named() {
    let run = Onslaught::scenario(scenario()).set("BASE_URL", "http://127.0.0.1:9");
    let run = run.set("STATUS_URL", "ws://127.0.0.1:9").env("PASSWORD", PASSWORD).run();
    let run = run.exits([104]).says(["API_KEY"]);
    assert!(!run.stderr.contains(&PASSWORD[..12]), "{run}");
}
