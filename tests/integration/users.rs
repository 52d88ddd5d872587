//! One user is slow, another is refused: the report names these two, with the target's own counts.

use crate::kit::{Onslaught, Report, api, shards, status, target, trial};
use serde_json::Value;

/// The third of five users waits 50 ms longer, the fifth gets a 403 whatever it asks for.
const LIES: &str = "--misbehave slow-user:trial3@example.com:50ms,deny-user:trial5@example.com";
const SLOW: &str = "trial3@example.com";
const REFUSED: &str = "trial5@example.com";
/// A sketch's quantiles are off by so much at most.
const ERROR: f64 = 0.087;

#[track_caller]
fn row<'a>(report: &'a Report, name: &str) -> &'a Value {
    let rows = report.at("/by/user/worst").as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == name);
    row.unwrap_or_else(|| panic!("{name} is not told of: {rows:#?}"))
}

#[track_caller]
fn count(row: &Value, pointer: &str) -> u64 {
    row.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}: {row:#}"))
}

/// Each of five sessions is a user; each user gives its token back at the end, which is one more
/// request that the target's lies are about.
#[test]
fn the_slow_and_the_refused_are_named_with_exact_counts() {
    shards([1, 2], |shards| {
        let server = target(LIES);
        let load = Onslaught::scenario(trial(&format!("workloads:{}", api(LOAD))));
        let load = load.set("BASE_URL", server.url("")).set("STATUS_URL", server.ws_url(""));
        let run = load.line("--allow-untrusted").shards(shards).run().exits([0]);
        let (report, told) = (run.report(), server.told());
        for key in ["users", "active", "kept_apart"] {
            assert_eq!(report.count(&format!("/by/user/{key}")), 5, "{key}{run}");
        }
        let slow = report.at("/by/user/worst/0");
        assert_eq!((&slow["name"], &slow["user"]), (&SLOW.into(), &2.into()), "{slow:#}");
        assert!(slow["med"].as_f64() >= Some(50.0 * (1.0 - ERROR)), "{slow:#}");
        assert_eq!(count(slow, "/failed"), 0);
        let lies = count(&told, "/lies/slow-user");
        assert_eq!(count(slow, "/operations"), lies - 1, "{told:#}{run}");
        let refused = row(report, REFUSED);
        let lies = count(&told, "/lies/deny-user") - 1;
        for key in ["/operations", "/failed", "/statuses/403"] {
            assert_eq!(count(refused, key), lies, "{key}: {refused:#}{run}");
        }
        assert_eq!(report.failed("status"), lies, "nobody else was refused{run}");
        let rows = report.at("/by/user/worst").as_array().expect("rows");
        let sum: u64 = rows.iter().map(|row| count(row, "/operations")).sum();
        assert_eq!(sum, report.ok() + report.all_failed(), "{rows:#?}");
        for line in [format!("slowest     {SLOW}: "), format!("failing     {REFUSED}: ")] {
            assert!(run.stdout.contains(&line), "{line}{run}");
        }
    });
}

const LOAD: &str = "connections: 5, for: 2s";

/// Upgrades and messages of a fleet are operations of its users, too.
#[test]
fn a_user_whose_web_sockets_are_refused_is_named() {
    shards([1, 2], |shards| {
        let server = target(LIES);
        // How long an answer takes on this host is another test's business.
        let sessions = status(LOAD).replace("time: 150ms", "time: 5s");
        let load = Onslaught::scenario(trial(&format!("workloads:{sessions}")));
        let load = load.set("BASE_URL", server.url("")).set("STATUS_URL", server.ws_url(""));
        let run = load.line("--allow-untrusted").shards(shards).run().exits([0]);
        let report = run.report();
        let refused = row(report, REFUSED);
        for (key, expected) in [("/operations", 1), ("/failed", 1), ("/statuses/403", 1)] {
            assert_eq!(count(refused, key), expected, "{key}: {refused:#}{run}");
        }
        let open = row(report, "trial1@example.com");
        assert_eq!(count(open, "/failed"), 0, "{open:#}");
        let operations = count(open, "/operations");
        assert!((2..=11).contains(&operations), "1 upgrade, up to 10 messages in 2 s: {open:#}");
    });
}

/// Three of four iterations are of the heavy group, on any number of shards. A run has no more
/// shards than the smallest group has users.
#[test]
fn groups_of_users_are_drawn_by_weight() {
    const SCENARIO: &str = "\
name: weighted
target: ${BASE_URL}
users:
  - {name: heavy, count: 2, prefix: heavy, weight: 3}
  - {name: light, count: '${LIGHT}', prefix: light}
workloads:
  w:
    user: weighted
    load: {connections: 8, for: 1s}
    steps:
      - get: /health
";
    for (shards, light, used) in [(1, 2, 1), (2, 2, 2), (2, 1, 1)] {
        let server = target("");
        let load = Onslaught::scenario(SCENARIO).set("BASE_URL", server.url(""));
        let load = load.set("LIGHT", light).line("--allow-untrusted");
        let run = load.shards(shards).run().exits([0]);
        let report = run.report();
        assert_eq!(report.count("/run/shards"), used, "{run}");
        let rows = report.at("/by/user/worst").as_array().expect("rows");
        let of = |group: &str| -> u64 {
            let of_group = rows.iter().filter(|row| row["group"] == group);
            of_group.map(|row| count(row, "/operations")).sum()
        };
        let (heavy, light) = (of("heavy"), of("light"));
        let all = heavy + light;
        assert_eq!(all, report.ok(), "{run}");
        // Five standard deviations of a binomial count, sqrt(n x 3/4 x 1/4): 4 x off against 5 x
        // sqrt(3 n), each side squared.
        let off = (4 * heavy).abs_diff(3 * all);
        assert!(off * off <= 75 * all, "{heavy} and {light}{run}");
        assert!(all > 1_000, "too few to tell{run}");
    }
}
