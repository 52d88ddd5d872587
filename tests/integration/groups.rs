//! Groups of users: roles, loads of their own, and users who come into being under load.

use std::time::Duration;

use crate::kit::{Onslaught, shards, target, until};

/// Buyers and sellers of the example: registered before the load.
const KNOWN: u64 = 85;

#[test]
fn each_group_does_its_own_and_newcomers_register_under_load() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::preset("groups").set("BASE_URL", server.url(""));
        let load = load.line("--scale-time 0.2 --allow-untrusted").shards(count).start();
        // Under load both grow, one beside the other: users, and the tasks of those who are known.
        let both = || {
            let counts = server.count();
            (counts.of("users_created"), counts.of("tasks_created"))
        };
        let mut seen = Vec::new();
        for least in [KNOWN + 10, KNOWN + 30] {
            until("newcomers", Duration::from_secs(30), || both().0 >= least);
            seen.push(both());
        }
        let run = load.finish().exits([0]);
        assert!(seen[0].1 > 0 && seen[1].1 > seen[0].1, "{seen:?}{run}");

        let (report, counts) = (run.report(), server.count());
        let arrivals = report.metric_by("request", "first-order", "http_reqs");
        let created = report.metric("users_created", "count");
        // Who still waits to be registered when the load ends is dropped, and counted.
        let dropped = report.metric("dropped_iterations", "count");
        assert_eq!(arrivals + dropped, 60, "10 a second for 6 s{run}");
        assert!((KNOWN + arrivals..=KNOWN + 60).contains(&created), "others each time{run}");
        assert_eq!(counts.of("users_created"), created, "{counts}");
        assert_eq!(counts.of("logins"), report.metric("logins", "count"), "{counts}");
        for metric in ["auth_failures", "registrations_failed", "http_retries_unauthorized"] {
            assert_eq!(report.metric(metric, "count"), 0, "{metric}{run}");
        }
        // By workload, and each only its own: the role of sellers is checked in their replies.
        let by = |workload: &str| report.metric_by("workload", workload, "http_reqs");
        let named = |name: &str| report.metric_by("request", name, "http_reqs");
        assert_eq!(by("arriving"), arrivals + named("first-look"), "{run}");
        assert_eq!(by("buying"), named("order") + named("look"), "{run}");
        assert!(by("selling") >= named("offer") && named("offer") > 0, "{run}");
        assert_eq!(report.count("/metrics/checks/fails"), 0, "{run}");
        assert_eq!(counts.of("tasks_created"), named("order") + named("first-order"), "{counts}");
    });
}
