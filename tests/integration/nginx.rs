//! nginx: 256 connections, kept and not, killed and restarted.

use std::time::Duration;

use crate::kit::{Nginx, Onslaught, established, nginx, pause, shards, until};

/// Every reply that nginx has logged is one of ours, and the other way round.
fn assert_log_agrees(server: Nginx, ok: u64) {
    let statuses = server.quit();
    let fine = statuses.iter().filter(|&&status| status == 200).count();
    assert_eq!(fine, statuses.len(), "nginx logged something else than 200");
    assert_eq!(u64::try_from(fine).expect("a count"), ok, "nginx's log and the report differ");
}

#[test]
fn kept_connections_lose_nothing() {
    shards([1, 2], |count| {
        let server = nginx();
        let load = Onslaught::http(server.url()).line("-c 256 -d 2s").shards(count);
        let run = load.run().exits([0]);
        run.report().assert_clean();
        assert_eq!(run.report().count("/metrics/status_codes/200"), run.report().ok());
        assert_log_agrees(server, run.report().ok());
    });
}

#[test]
fn a_connection_for_each_request_loses_nothing() {
    shards([1, 2], |count| {
        let server = Nginx::start("  keepalive_timeout 0;\n");
        let load = Onslaught::http(server.url()).line("-c 256 -n 8000 -d 30s").shards(count);
        let run = load.run().exits([0]);
        run.report().assert_clean();
        assert_eq!(run.report().ok(), 8000);
        assert_log_agrees(server, 8000);
    });
}

#[test]
fn a_client_that_asks_for_closing_loses_nothing() {
    shards([1, 2], |count| {
        let server = nginx();
        let load = Onslaught::http(server.url()).line("-c 256 -n 4000 -d 30s").shards(count);
        let run = load.args(["-H", "Connection: close"]).run().exits([0]);
        run.report().assert_clean();
        assert_eq!(run.report().ok(), 4000);
        assert_log_agrees(server, 4000);
    });
}

#[test]
fn killed_and_restarted_in_mid_run() {
    shards([1, 2], |count| {
        let mut server = nginx();
        let load = Onslaught::http(server.url()).line("-c 32 -d 6s").shards(count).start();
        let connected = || established(server.port) > 0;
        until("the load to begin", Duration::from_secs(5), connected);
        pause(Duration::from_millis(500));
        server.kill();
        let before = load.cpu();
        // How long the target is gone; all that time nothing can be done, so nothing may spin.
        pause(Duration::from_secs(2));
        let spent = load.cpu().saturating_sub(before);
        assert!(spent < Duration::from_millis(600), "spent {spent:?} of CPU on a dead target");
        server.restart();
        let run = load.finish().exits([0]);
        let report = run.report();
        assert!(report.all_failed() >= 1, "nobody noticed: {:#}", report.at("/accounting"));
        for local in ["local_ports", "local_fds", "local_memory"] {
            assert_eq!(report.failed(local), 0, "the target's death is no fault of ours");
        }
        // What nginx logged of its second life came after all the failures.
        assert!(report.ok() > 1000, "the load did not come back: {:#}", report.at("/accounting"));
        assert_recovered(server, report.ok());
    });
}

/// Each reply that counts as a success stands in the log, but for the one that its worker may have
/// been killed over, between sending it and logging it; and the killed worker may have sent and
/// logged one more to each connection than was read.
fn assert_recovered(server: Nginx, ok: u64) {
    let logged = u64::try_from(server.quit().len()).expect("a count");
    assert!(logged + 1 >= ok && logged <= ok + 32, "nginx logged {logged}, the report says {ok}");
}
