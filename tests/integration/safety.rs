//! Only loopback and private addresses are loaded unasked.

use std::time::Duration;

use crate::kit::{Onslaught, Run, TempDir, forbidding, shards, target};

/// Refused by a process that could not have opened a socket: so no packet was sent.
fn assert_refused(url: &str, flags: &str) {
    eprintln!("http {url} {flags}");
    let load = Onslaught::http(url).line("-c 4 -d 1s").line(flags).within(Duration::from_secs(5));
    let run = load.under(forbidding(&["socket", "io_uring_setup"])).run().exits([113]);
    run.says(["--allow-remote"]);
}

#[test]
fn public_addresses_are_refused() {
    for url in ["http://93.184.216.34/", "http://8.8.8.8:8080/", "http://[2606:2800:220:1::1]/"] {
        assert_refused(url, "");
    }
}

/// As numbers, as IPv4 in IPv6: one address has many spellings.
#[test]
fn public_addresses_in_disguise_are_refused() {
    for url in [
        "http://134744072/",
        "http://0x08080808/",
        "http://010.010.010.010/",
        "http://8.526344/",
        "http://[::ffff:8.8.8.8]/",
        "http://[::ffff:808:808]/",
    ] {
        assert_refused(url, "");
    }
}

/// What leads to this host may be written as oddly as one likes.
#[test]
fn loopback_in_disguise_is_loaded() {
    shards([1, 2], |count| {
        let server = target("");
        for host in ["2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"] {
            let load = Onslaught::http(format!("http://{host}:{}/health", server.port));
            let run = load.line("-c 2 -n 10").shards(count).run().exits([0]);
            assert_eq!(run.report().ok(), 10, "{run}");
        }
    });
}

#[test]
fn websockets_are_refused_alike() {
    for url in ["ws://8.8.8.8/", "ws://[::ffff:8.8.8.8]/", "ws://169.254.169.254/"] {
        let load = Onslaught::ws(url).line("-c 1 -d 1s").within(Duration::from_secs(5));
        load.under(forbidding(&["socket", "io_uring_setup"])).run().exits([113]).says(["allow"]);
    }
}

/// A scenario of one request, with what stands before its workload.
fn scenario(head: &str) -> Onslaught {
    scenario_of(head, "{get: /health}")
}

fn scenario_of(head: &str, step: &str) -> Onslaught {
    let rest =
        format!("workloads:\n  one:\n    load: {{connections: 1, for: 1s}}\n    mix: [{step}]");
    let load = Onslaught::scenario(format!("name: safety\n{head}\n{rest}\n"));
    load.within(Duration::from_secs(20))
}

fn refused(head: &str) -> Run {
    eprintln!("{head}");
    scenario(head).under(forbidding(&["socket", "io_uring_setup"])).run().exits([113])
}

/// One of several targets is far away, or only users log in there: nothing is loaded at all.
#[test]
fn one_target_far_away_refuses_them_all() {
    let near = "api: http://127.0.0.1:1";
    refused(&format!("targets: {{{near}, other: http://8.8.8.8}}")).says(["8.8.8.8 (8.8.8.8)"]);
    let users = "users: {count: 1, password: secret-password}";
    let login = "auth: {login: {post: /login, json: {}, token: $.token}}";
    // Users log in at the first target, and everything else is near.
    let head = format!("targets: {{there: http://134744072, {near}}}\n{users}\n{login}");
    let load = scenario_of(&head, "{get: /health, target: api}");
    let run = load.under(forbidding(&["socket", "io_uring_setup"])).run().exits([113]);
    run.says(["8.8.8.8 (134744072)", "--allow-remote"]);
}

/// The list names others, or a name: what is far away or special stays refused.
#[test]
fn a_list_allows_nothing_else() {
    refused("target: http://8.8.8.8\nallow: [203.0.113.0/24, staging.example]").says(["'allow'"]);
    refused("target: http://0.0.0.0\nallow: [8.8.8.8, localhost]").says(["unspecified"]);
    refused("target: http://169.254.169.254\nallow: [169.254.0.0/17]").says(["link-local"]);
}

/// The unspecified address is this host: with the list it is loaded, and only with the list.
#[test]
fn a_list_allows_what_it_names() {
    shards([1, 2], |count| {
        let server = target("");
        let url = format!("target: http://0.0.0.0:{}", server.port);
        let load = |list: &str| scenario(&format!("{url}{list}")).line("--allow-untrusted");
        let run = load("\nallow: [0.0.0.0/32]").shards(count).run().exits([0]);
        assert!(run.report().ok() > 0, "{run}");
        assert_eq!(server.told()["requests"], run.report().sent());
        load("").line("--allow-remote").shards(count).run().exits([113]).says(["unspecified"]);
        assert_eq!(server.told()["requests"], run.report().sent(), "nothing was sent");
    });
}

#[test]
fn what_is_no_address_is_an_invalid_scenario() {
    for wrong in ["203.0.113.0/33", "http://8.8.8.8", "8.8.8.8:80", "0x8.8", "a b", "10.0.0"] {
        let run = scenario(&format!("target: http://127.0.0.1:1\nallow: [\"{wrong}\"]")).run();
        run.exits([104]).says(["is no host, address or network"]);
    }
}

/// A service behind the targets is asked nothing if it is far away.
#[test]
fn probes_go_nowhere_else() {
    let server = target("");
    let head = format!(
        "target: {}\nprobes: [{{name: far, tcp: \"8.8.8.8:53\"}}, {{name: web, http: \
         \"http://134744072/\"}}]",
        server.url("")
    );
    let run = scenario(&head).line("--allow-untrusted").run().exits([0]);
    assert_eq!(run.stderr.matches("is not there: 8.8.8.8 (").count(), 4, "{run}");
}

/// A name is judged by where it leads: in a network of its own, in which no packet gets anywhere.
/// That needs root; see `tests/run` for hosts that give no namespaces.
#[test]
fn a_name_that_leads_far_away_is_refused_isolated() {
    let dir = TempDir::new();
    let hosts = dir.write("hosts", "203.0.113.9 public.example\n169.254.169.254 meta.example\n");
    let mount = format!("mount --bind {} /etc/hosts; exec \"$@\"", hosts.display());
    let under = ["unshare", "--mount", "--net", "bash", "-c", &mount, "bash"];
    let run = |head: &str, flags: &str| scenario(head).line(flags).under(under).run().exits([113]);
    let public = "target: http://public.example";
    run(public, "").says(["203.0.113.9 (public.example)", "--allow-remote"]);
    run(&format!("{public}\nallow: [other.example]"), "").says(["203.0.113.9 (public.example)"]);
    // Allowed, it is asked, and nothing answers there.
    let asked = run(&format!("{public}\nallow: [Public.Example]"), "");
    assert!(!asked.stderr.contains("--allow-remote"), "{asked}");
    let meta = "target: http://meta.example\nallow: [meta.example]";
    run(meta, "--allow-remote").says(["169.254.169.254 (meta.example) is link-local"]);
}

/// The cloud's metadata service and its like, multicast, and no address at all.
#[test]
fn special_addresses_are_refused() {
    let special = ["169.254.169.254", "224.0.0.1", "0.0.0.0", "[fe80::1]", "[ff02::1]", "[::]"];
    for address in special {
        let load = Onslaught::http(format!("http://{address}/")).line("-c 4 -d 1s --allow-remote");
        let load = load.within(Duration::from_secs(5));
        load.under(forbidding(&["socket", "io_uring_setup"])).run().exits([113]).says(["allow"]);
    }
}
