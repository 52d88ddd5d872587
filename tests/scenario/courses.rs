//! Loads whose level changes: what becomes of stages, sequences and searches, and of what is to
//! hold on them.

use onslaught::plan::{Opening, Options, Pacing, Plan, compile};
use onslaught::scenario::{Ink, Source, read};
use onslaught::stdx::Nanos;

const HEAD: &str = "name: x\ntarget: http://127.0.0.1\n";
const MIX: &str = "workloads:\n  a:\n    mix: [{get: /a}]\n";
const JOURNEY: &str = "workloads:\n  a:\n    steps:\n      - {get: /a, expect: {status: 200}}\n";

fn compiled(text: &str, options: &Options) -> Result<Plan, String> {
    let text = format!("{HEAD}{text}");
    let source = Source { name: "load.yaml", text: &text };
    let plan = read(&source, &|_| None, None).and_then(|scenario| compile(&scenario, options));
    plan.map(|it| it.plan).map_err(|problems| problems.render(&source, Ink::Plain))
}

#[track_caller]
fn plan(text: &str) -> Plan {
    compiled(text, &Options::default()).unwrap_or_else(|shown| panic!("{shown}"))
}

#[track_caller]
fn assert_refused(text: &str, with: &str) {
    let shown = compiled(text, &Options::default()).expect_err("it is to be refused");
    assert!(shown.contains(with), "{shown}");
}

const TWO: &str = "sequence:\n  - {name: one, load: {connections: 100, for: 100s, \
                   open: 10 per 1s}}\n  - {name: two, load: {connections: 200, for: 100s, \
                   open: 10 per 1s}}\n";

#[test]
fn a_level_rises_from_the_one_before_it() {
    let plan = plan(&format!("{MIX}{TWO}"));
    let curve = plan.workloads[0].curve();
    let at = |seconds: u64| curve.sessions_at(Nanos::from_secs(seconds));
    assert_eq!([0, 5, 10, 99, 100, 105, 110, 199].map(at), [0, 50, 100, 100, 100, 150, 200, 200]);
}

#[test]
fn paces_and_levels_are_on_the_scale() {
    let options = Options { scale_load: 0.1, scale_time: 0.1, ..Options::default() };
    let plan = compiled(&format!("{MIX}{TWO}"), &options).unwrap();
    let curve = plan.workloads[0].curve();
    let at = |millis: u64| curve.sessions_at(Nanos::from_millis(millis));
    assert_eq!([0, 500, 1_000, 10_000, 10_500, 11_000].map(at), [0, 5, 10, 10, 15, 20]);
    let asked: Vec<_> = plan.levels.iter().map(|level| level.asked.as_str()).collect();
    assert_eq!(asked, ["10 connections", "20 connections"]);
}

#[test]
fn levels_begin_when_those_who_follow_them_do() {
    let plan = plan(&format!("{MIX}    start: 7s\n{TWO}"));
    let spans: Vec<_> = plan.levels.iter().map(|level| (level.from, level.to)).collect();
    let windows = plan.levels.iter().filter_map(|level| plan.window(level.phase));
    assert_eq!(spans, windows.collect::<Vec<_>>());
    assert_eq!(spans[0].0, Nanos::from_secs(7));
}

#[test]
fn what_one_level_says_is_meant_for_all() {
    let sequence = "sequence:\n  - {name: one, load: {rate: 100/s, for: 10s, open: 5 per 1s}}\n  \
                    - {name: two, load: {rate: 200/s, for: 10s, pacing: efficient}}\n";
    let plan = plan(&format!("{MIX}{sequence}"));
    let workload = &plan.workloads[0];
    assert_eq!(workload.pacing, Pacing::Efficient);
    let every = Nanos::from_secs(1);
    assert_eq!(workload.opening, Opening::Paced { count: 5, every });
    assert_eq!(workload.curve().level(Nanos::ZERO), 100_000, "arrivals are at no such pace");
}

#[test]
fn the_pace_of_a_search_is_heeded() {
    let search = "workloads:\n  a:\n    mix: [{get: /a}]\n    load:\n      connections: 10\n      \
                  open: 2 per 1s\n      search: {to: 100, slo: [\"http_req_failed rate < 1%\"]}\n";
    let every = Nanos::from_secs(1);
    assert_eq!(plan(search).workloads[0].opening, Opening::Paced { count: 2, every });
}

#[test]
fn a_search_may_name_what_it_loads() {
    let search = |name: &str| {
        format!(
            "workloads:\n  a:\n    mix: [{{get: /a}}]\n    load:\n      rate: 10/s\n      \
             search: {{to: 100/s, slo: [\"http_req_duration{{name:{name}}} p(95) < 1s\"]}}\n"
        )
    };
    plan(&search("GET /a"));
    assert_refused(&search("GET /b"), "there is no step or message 'GET /b'");
}

fn with_level(workload: &str, threshold: &str) -> String {
    format!(
        "{workload}sequence:\n  - name: peak\n    load: {{connections: 1, for: 1s}}\n    \
         thresholds: ['{threshold}']\n"
    )
}

/// Else the run would fail at its end, for want of data that nobody records.
#[test]
fn what_is_not_told_apart_by_phase_is_refused() {
    for told in ["http_req_duration p(95) < 1s", "http_reqs rate > 1/s", "iterations count > 1"] {
        plan(&with_level(MIX, told));
    }
    for threshold in
        ["checks rate == 1", "iteration_duration p(95) < 1s", "connects_failed count < 1"]
    {
        assert_refused(&with_level(JOURNEY, threshold), "is not told apart by phase");
        plan(&format!(
            "{JOURNEY}    load: {{connections: 1, for: 1s}}\n\
                       thresholds: ['{threshold}']\n"
        ));
    }
}

#[test]
fn checks_are_named_by_themselves() {
    let whole = |name: &str| {
        format!(
            "{JOURNEY}    load: {{connections: 1, for: 1s}}\n\
             thresholds: ['checks{{name:{name}}} rate == 1']\n"
        )
    };
    let check = plan(&whole("GET /a: status")).checks[0].clone();
    assert_eq!(check, "GET /a: status");
    assert_refused(&whole("GET /a"), "there is no check 'GET /a'");
}
