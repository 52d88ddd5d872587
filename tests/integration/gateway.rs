//! Tokens that expire, are renewed, are refused; what one user may know of another.

use crate::kit::{Onslaught, Server, api, gateway, shards, target, trial};

const USERS: u64 = 5;

fn load(server: &Server, workloads: &str, count: u32) -> Onslaught {
    let load = Onslaught::scenario(trial(workloads)).set("BASE_URL", server.url(""));
    load.set("STATUS_URL", server.ws_url("")).line("--allow-untrusted").shards(count)
}

fn tasks(load: &str) -> String {
    format!("workloads:{}", api(load))
}

/// Every third refresh is refused: whoever is refused logs in again, and no request suffers.
#[test]
fn a_refused_refresh_becomes_a_login() {
    shards([1, 2], |count| {
        let server = gateway().with("TOKEN_TTL", 2).with("REFRESH_FAILS", 3).start();
        let workloads = tasks("connections: 10, for: 6s");
        let run = load(&server, &workloads, count).run().exits([0]);
        let (report, counts) = (run.report(), server.count());
        report.assert_clean();
        let refused = counts.of("refresh_failures");
        assert!(refused > 0, "no refresh was refused: {counts}");
        assert_eq!(counts.of("logins"), USERS + refused, "one login for each: {counts}");
        assert_eq!(counts.of("unauthorized"), 0, "{counts}");
        assert_eq!(counts.of("login_failures"), 0, "{counts}");
        counts.assert_same(
            report,
            [
                ("logins", "logins"),
                ("token_refreshes", "refreshes"),
                ("token_refreshes_failed", "refresh_failures"),
                ("tasks_created", "tasks_created"),
                ("logouts", "logouts"),
            ],
        );
    });
}

/// Every fifth token is refused after a tenth of its life, 1 s: the request gets a new token and
/// one more try.
#[test]
fn an_early_end_of_a_token_costs_one_retry() {
    shards([1, 2], |count| {
        let server = target("--token-ttl 10s --misbehave token-early:5");
        let text = trial(&format!(
            "workloads:{}thresholds: [http_req_failed rate < 1%]\n",
            api("connections: 10, for: 4s")
        ));
        let load = Onslaught::scenario(text).set("BASE_URL", server.url(""));
        let load = load.set("STATUS_URL", server.ws_url("")).line("--allow-untrusted");
        let run = load.shards(count).run().exits([0]);
        let (report, counts) = (run.report(), server.count());
        let retries = report.metric("http_retries_unauthorized", "count");
        assert!(retries >= 1, "no token ended early: {counts}");
        assert_eq!(report.count("/metrics/status_codes/401"), counts.of("unauthorized"));
        assert!(retries <= counts.of("unauthorized"), "a retry without a 401: {counts}");
        assert_eq!(counts.of("unauthorized"), counts.of("tokens_rejected_early"), "{counts}");
        // A retry is one more reply of the same operation.
        let replies = report.metric("http_reqs", "count");
        assert_eq!(replies, report.of_kind("http", "sent") + retries, "{counts}");
        assert_eq!(report.metric("tasks_created", "count"), counts.of("tasks_created"));
    });
}

/// A user who is there already is no failure, and the same run again makes nobody new.
#[test]
fn users_who_exist_are_used_again() {
    shards([1, 2], |count| {
        let server = gateway().start();
        let workloads = tasks("rate: 20/s, for: 1s");
        let first = load(&server, &workloads, count).run().exits([0]);
        assert_eq!(first.report().metric("users_created", "count"), USERS);
        let second = load(&server, &workloads, count).run().exits([0]);
        assert_eq!(second.report().metric("users_created", "count"), 0);
        assert_eq!(second.report().metric("auth_failures", "count"), 0);
        let counts = server.count();
        assert_eq!(counts.of("users_existing"), USERS, "{counts}");
        assert_eq!(counts.of("tasks_created"), 40, "{counts}");
        assert_eq!(counts.of("logouts"), 2 * USERS, "{counts}");
    });
}

/// A task of somebody else is asked for, and not given.
#[test]
fn users_do_not_see_each_other() {
    shards([1, 2], |count| {
        let server = gateway().start();
        let foreign = r"
      - get: /tasks/${tasks.foreign || uuid()}
        name: foreign
        target: api
        expect: {status: [403, 404]}
      - get: /tasks/${tasks.last || uuid()}
        name: own
        target: api
        expect: {status: [200, 404]}
";
        let workloads = format!("{}{foreign}", tasks("rate: 200/s, for: 2s").trim_end());
        let run = load(&server, &workloads, count).run().exits([0]);
        let (report, counts) = (run.report(), server.count());
        report.assert_clean();
        let by_status = |status| counts.replies("/tasks/:id", status);
        assert!(by_status(403) > 0, "no task of another user was asked for: {counts}");
        assert!(by_status(200) > 0, "no task of one's own was asked for: {counts}");
        let asked = ["foreign", "own"].map(|name| report.metric_by("request", name, "http_reqs"));
        let answered = [200, 403, 404].map(by_status);
        assert_eq!(asked.iter().sum::<u64>(), answered.iter().sum::<u64>(), "{counts}");
        // Whoever asks for a task of their own gets no 403, and never the other way round.
        assert!(asked[0] >= by_status(403) && asked[1] >= by_status(200), "{counts}");
    });
}
