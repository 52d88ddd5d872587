//! Laws of plans with more than requests: kinds add up, views agree, nothing is lost unseen.

use onslaught::metrics::{CheckCount, Counter};
use onslaught::plan::{Kind, Phase};
use onslaught::report::fingerprint::plan_hash;
use onslaught::report::{Colour, ExitCode, Latency, json, text};
use onslaught::stdx::Nanos;
use serde_json::Value;

use crate::fixture::Fixture;
use crate::forge::{OPEN, PING, SUBSCRIBE, forge};

/// The whole document.
fn document(fixture: &Fixture) -> Value {
    let bytes = json::summary(&fixture.report().document).expect("in memory");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn kinds_add_up_to_the_total() {
    let document = document(&forge());
    let kinds = document.pointer("/accounting/by_kind").and_then(Value::as_object).expect("kinds");
    assert_eq!(kinds.keys().collect::<Vec<_>>(), ["http", "ws_message", "ws_open"]);
    for key in ["scheduled", "sent", "ok", "aborted", "dropped", "shed"] {
        let sum = kinds.values().map(|kind| kind[key].as_u64().expect("a count")).sum::<u64>();
        assert_eq!(document["accounting"][key], Value::from(sum), "{key}");
    }
    assert_eq!(document["accounting"]["by_kind"]["ws_message"]["sent"], 2_040);
}

#[test]
fn every_key_that_the_plan_can_move_is_there() {
    let mut fixture = forge();
    fixture.outcome.total.counters = [0; Counter::ALL.len()];
    let document = document(&fixture);
    for counter in Counter::ALL {
        let pointer = format!("/metrics/{}/unit", counter.name());
        assert_eq!(document.pointer(&pointer), Some(&Value::from(counter.unit())), "{pointer}");
    }
    for path in [
        "/metrics/ws_connecting/med /metrics/ws_msg_latency/p95 /metrics/ws_ping/count",
        "/metrics/auth_duration/avg /metrics/ws_session_duration/max /metrics/group_duration/min",
        "/metrics/task_completion/count /metrics/iteration_duration/count /metrics/vus/value",
        "/metrics/checks/rate /metrics/errors_total/count /by/group/profile/group_duration/count",
        "/by/workload/api/http_reqs/count /by/workload/status/ws_connecting/count",
        "/by/request/subscribe/ws_msg_latency/count /checks/0/name /thresholds/0/value",
        "/run/pacing/workloads/2/start_s /run/targets/1/url /run/scale_time",
    ]
    .iter()
    .flat_map(|paths| paths.split(' '))
    {
        assert!(document.pointer(path).is_some(), "{path} is missing");
    }
    let plain = Fixture::plain().report().document;
    let strays = plain.metrics.iter().filter(|(name, _)| {
        name.starts_with("ws_") || name.starts_with("errors_") || name.contains("token")
    });
    assert_eq!(strays.count(), 0, "a plan of requests has none of it");
}

#[test]
fn views_add_up() {
    let document = forge().report().document;
    let sum = |name: &str| {
        let workloads = document.by.workload.iter();
        workloads.map(|(_, metrics)| metrics.counter(name).count).sum::<u64>()
    };
    for name in ["http_reqs", "data_received", "data_sent", "dropped_iterations"] {
        assert_eq!(sum(name), document.metrics.counter(name).count, "{name}");
    }
    let requests = document.by.request.iter();
    let replies = requests.map(|(_, metrics)| metrics.counter("http_reqs").count).sum::<u64>();
    assert_eq!(replies, document.metrics.counter("http_reqs").count);
    let group = document.by.group.get("profile").expect("a group");
    assert_eq!(group.times("group_duration"), document.metrics.times("group_duration"));
    assert_eq!(group.counter("http_reqs").count, 200);
}

#[test]
fn replies_are_times_and_those_sent_again() {
    let document = forge().report().document;
    let replies = document.metrics.counter("http_reqs").count;
    assert_eq!(replies, document.metrics.times("http_req_duration").count + 3);
    let statuses = document.metrics.statuses().map(|(_, count)| count).sum::<u64>();
    assert_eq!(replies, statuses);
}

/// The error of a run in which that was changed.
fn error(change: impl FnOnce(&mut Fixture)) -> String {
    let mut fixture = forge();
    change(&mut fixture);
    let report = fixture.report();
    assert_eq!(report.exit, ExitCode::Failed);
    let error = report.error.clone().expect("a reason");
    let shown = text::summary(&report, Latency::Brief, Colour::Plain);
    assert!(shown.contains("the numbers do not add up"), "{shown}");
    error
}

#[test]
fn what_is_lost_fails_the_run_and_is_told() {
    let message = error(|fixture| {
        let leaf = fixture.plan.leaf(Phase::Load, SUBSCRIBE);
        fixture.outcome.total.leaf(leaf).tally.ok -= 1;
    });
    assert!(message.contains("subscribe in phase load: sent 2000 != ok 1999"), "{message}");
    let unsent = error(|fixture| {
        fixture.outcome.total.counters[Counter::WsMsgsSent as usize] -= 1;
    });
    assert!(unsent.contains("messages begun 2000 != sent 1999"), "{unsent}");
    let answer = error(|fixture| {
        let leaf = fixture.plan.leaf(Phase::Load, PING);
        fixture.outcome.total.leaf(leaf).replies += 1;
    });
    assert!(answer.contains("replies 41 != times 40"), "{answer}");
    let again = error(|fixture| {
        let leaf = fixture.plan.leaf(Phase::Load, 1);
        fixture.outcome.total.leaf(leaf).retried -= 1;
    });
    assert!(again.contains("replies 999 - retried 2 != times 996"), "{again}");
    let check = error(|fixture| {
        *fixture.outcome.total.check(3) = CheckCount { passes: 1, fails: 0 };
    });
    assert!(check.contains("4 checks were recorded, 3 exist"), "{check}");
    let stray = error(|fixture| {
        let plan = &fixture.plan;
        let mut leaf = plan.leaf(Phase::Load, OPEN);
        leaf.0 += u16::try_from(plan.leaves.len()).expect("few");
        fixture.outcome.total.leaf(leaf).tally.scheduled += 1;
    });
    assert!(stray.contains("leaf 14 of 12 was recorded"), "{stray}");
}

#[test]
fn a_scaled_run_says_so() {
    let mut fixture = forge();
    let shown = |fixture: &Fixture| {
        text::summary(&fixture.report(), Latency::Brief, Colour::Plain).contains("  scaled ")
    };
    assert!(!shown(&fixture));
    fixture.plan.scale_time = 0.5;
    assert!(shown(&fixture));
    assert_eq!(document(&fixture)["run"]["scale_time"], 0.5);
}

#[test]
fn the_hash_is_of_users_and_messages_too() {
    let plan = forge().plan;
    let changes: [fn(&mut onslaught::plan::Plan); 4] = [
        |plan| plan.messages[0].timeout = Nanos::ZERO,
        |plan| plan.workloads[2].start = Nanos::ZERO,
        |plan| plan.people = None,
        |plan| plan.pools[0].keep = 1,
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut other = plan.clone();
        change(&mut other);
        assert_ne!(plan_hash(&other), plan_hash(&plan), "change {at}");
    }
    assert!(plan.leaves.iter().any(|leaf| leaf.kind == Kind::WsOpen));
}
