//! Scenario files run: journeys with exact numbers, checks, thresholds, refusals.

use std::io::ErrorKind;
use std::net::TcpListener;

use crate::kit::{Counts, Onslaught, Report, Server, TempDir, api, gateway, shards, trial};

/// 5 iterations a second for 4 s, each of which needs less than the 200 ms until the next: so the
/// last one ends within the run, too. What is asked of odd and even users has their number in it.
const JOURNEY: &str = r#"
workloads:
  shop:
    user: round-robin
    load: {rate: 5/s, max: 10, for: 4s}
    steps:
      - group: order
        steps:
          - post: /tasks
            name: create
            json: {type: resize-image, note: "${random_string(12)}"}
            expect: {status: 201, time: 1s}
            save: {task: $.taskId}
          - think: 10ms..30ms
          - repeat: 3
            steps:
              - get: /tasks/${task}
                name: read
                expect: {status: 200, json: {$.taskId: "${task}", $.owner: "${user.email}"}}
      - {get: "/even/${user.n}", name: even, when: user.n % 2 == 0, expect: {status: 404}}
      - {get: "/odd/${user.n}", name: odd, when: user.n % 2 == 1, expect: {status: 404}}
      - chance: 50%
        get: /health
        name: sometimes
      - one_of:
          - {weight: 30, get: /metrics, name: left}
          - {weight: 70, get: /metrics, name: right}
      - get: /tasks/${task}
        name: wrong
        expect: {json: {$.type: compress-video}}
      - get: /nowhere
        name: nowhere
        expect: {status: 404}
"#;

const ITERATIONS: u64 = 20;

fn load(server: &Server, rest: &str, count: u32) -> Onslaught {
    let load = Onslaught::scenario(trial(rest)).set("BASE_URL", server.url(""));
    load.set("STATUS_URL", server.ws_url("")).line("--allow-untrusted").shards(count)
}

fn requests(report: &Report, name: &str) -> u64 {
    report.metric_by("request", name, "http_reqs")
}

#[test]
fn a_journey_does_exactly_what_it_says() {
    shards([1, 2], |count| {
        let server = gateway().start();
        let run = load(&server, JOURNEY, count).run().exits([0]);
        let (report, counts) = (run.report(), server.count());
        assert_eq!(report.metric("iterations", "count"), ITERATIONS, "{run}");
        assert_eq!(report.metric("iteration_duration", "count"), ITERATIONS, "{run}");
        assert_eq!(report.metric("group_duration", "count"), ITERATIONS, "{run}");
        assert!(report.ms("iteration_duration", "min") >= 10.0, "nobody thought{run}");
        for (name, expected) in [
            ("create", ITERATIONS),
            ("read", 3 * ITERATIONS),
            ("wrong", ITERATIONS),
            ("nowhere", ITERATIONS),
        ] {
            assert_eq!(requests(report, name), expected, "{name}{run}");
        }
        let [left, right, sometimes] =
            ["left", "right", "sometimes"].map(|name| requests(report, name));
        assert_eq!(left + right, ITERATIONS, "{run}");
        // All of 20, or none, is once in 500,000 runs.
        assert!((1..=19).contains(&sometimes), "{sometimes} of {ITERATIONS} at 50 %{run}");
        assert_eq!(report.metric_by("group", "order", "http_reqs"), 4 * ITERATIONS, "{run}");
        assert_eq!(counts.replies("/tasks", 201), ITERATIONS, "{counts}");
        assert_eq!(counts.replies("/tasks/:id", 200), 4 * ITERATIONS, "{counts}");
        assert_eq!(counts.replies_below("/tasks"), 5 * ITERATIONS, "{counts}");
        assert_eq!(counts.replies("/health", 200), sometimes, "{counts}");
        assert_eq!(counts.replies("/metrics", 200), ITERATIONS, "{counts}");
        assert_eq!(counts.replies("/nowhere", 404), ITERATIONS, "{counts}");
        assert_checks(report);
        assert_conditions(report, &counts);
    });
}

/// Users 2 and 4 are even, 1, 3 and 5 are odd.
#[track_caller]
fn assert_conditions(report: &Report, counts: &Counts) {
    let [even, odd] = ["even", "odd"].map(|name| requests(report, name));
    assert_eq!(even + odd, ITERATIONS, "{counts}");
    let seen = |name: &str, users: &[u64]| -> u64 {
        users.iter().map(|n| counts.replies(&format!("/{name}/{n}"), 404)).sum()
    };
    assert_eq!((seen("even", &[2, 4]), seen("odd", &[1, 3, 5])), (even, odd), "{counts}");
    assert_eq!(counts.replies_below("/even") + counts.replies_below("/odd"), even + odd);
}

/// What does not come as expected fails its operation, as a check and nothing else.
#[track_caller]
fn assert_checks(report: &Report) {
    assert_eq!(report.failed("check"), ITERATIONS, "{:#}", report.at("/accounting"));
    assert_eq!(report.all_failed(), ITERATIONS, "{:#}", report.at("/accounting"));
    let list = report.at("/checks").as_array().expect("a list of checks");
    let sum = |key: &str| -> u64 { list.iter().filter_map(|check| check[key].as_u64()).sum() };
    assert_eq!(sum("fails"), ITERATIONS, "{list:#?}");
    for key in ["passes", "fails"] {
        assert_eq!(sum(key), report.count(&format!("/metrics/checks/{key}")), "{list:#?}");
    }
    for check in list {
        assert!(check["name"].as_str().is_some_and(|name| !name.is_empty()), "{check}");
    }
    // Of create: status and time; of read, three times: status and two parts of the JSON; of
    // even or odd, and of nowhere: status.
    assert_eq!(sum("passes"), ITERATIONS * (2 + 3 * 3 + 1 + 1), "{list:#?}");
}

/// The same seed makes the same choices, for one shard and for two.
#[test]
fn choices_follow_from_the_seed() {
    let chosen = |count, seed: &str| {
        let server = gateway().start();
        let run = load(&server, JOURNEY, count).args(["--seed", seed]).run().exits([0]);
        ["left", "right", "sometimes"].map(|name| requests(run.report(), name))
    };
    assert_eq!(chosen(1, "7"), chosen(2, "7"));
}

#[test]
fn a_failed_threshold_is_named() {
    shards([1, 2], |count| {
        let server = gateway().start();
        let thresholds = "thresholds: [http_req_duration p(50) < 1us, http_req_failed rate < 1%]\n";
        let rest = format!("workloads:{}{thresholds}", api("rate: 50/s, for: 1s"));
        let run = load(&server, &rest, count).run().exits([99]);
        let report = run.report();
        report.assert_clean();
        assert_eq!(report.text("/verdict"), "failed");
        let told = |at: &str| report.at(&format!("/thresholds/{at}"));
        assert_eq!(told("0/text"), "http_req_duration p(50) < 1us");
        assert_eq!((told("0/passed"), told("1/passed")), (&false.into(), &true.into()));
        assert_eq!(told("0/samples"), 50);
        assert!(told("0/value").as_f64().is_some_and(|ms| ms > 0.001), "{}", told("0"));
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("http_req_duration p(50) < 1us"), "which one?{run}");
        assert_eq!(server.count().of("logouts"), 5, "whoever fails cleans up as well");
    });
}

#[test]
fn a_threshold_that_holds_passes() {
    shards([1, 2], |count| {
        let server = gateway().start();
        let thresholds = "thresholds: [http_req_failed rate < 1%, tasks_created count == 50]\n";
        let rest = format!("workloads:{}{thresholds}", api("rate: 50/s, for: 1s"));
        let run = load(&server, &rest, count).run().exits([0]);
        let report = run.report();
        assert_eq!(report.text("/verdict"), "passed");
        assert_eq!(report.at("/thresholds/0/passed"), true);
        assert_eq!(report.at("/thresholds/1/passed"), true);
        assert_eq!(report.number("/thresholds/1/value"), 50.0);
        assert_eq!(server.count().of("tasks_created"), 50);
    });
}

#[test]
fn a_scenario_with_errors_starts_nothing() {
    shards([1, 2], |count| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind port 0");
        let address = listener.local_addr().expect("the bound address");
        let rest = format!("workloads:{}thresholts: []\n", api("conections: 10, for: 2s"));
        let load = Onslaught::scenario(trial(&rest)).set("BASE_URL", format!("http://{address}"));
        let load = load.set("STATUS_URL", format!("ws://{address}")).shards(count);
        let run = load.run().exits([104]).says(["connections", "thresholds", "did you mean"]);
        assert!(!run.has_report(), "there was no run{run}");
        listener.set_nonblocking(true).expect("make a listener non-blocking");
        let seen = listener.accept().expect_err("nobody was to connect");
        assert_eq!(seen.kind(), ErrorKind::WouldBlock);
    });
}

/// Half of the requests fail: the first window of two seconds misses, and so do those that follow.
#[test]
fn a_window_that_misses_for_long_ends_the_run() {
    const BAD: &str = r#"
workloads:
  bad:
    load: {rate: 50/s, for: 60s}
    mix:
      - get: /health
      - get: /status/500
thresholds:
  - http_req_failed rate < 10% over 2s for 1s abort
  - http_req_failed rate < 10% over 50s
"#;
    shards([1, 2], |count| {
        let server = gateway().start();
        let run = load(&server, BAD, count).run().exits([108]);
        let report = run.report();
        assert_eq!(report.text("/verdict"), "aborted", "{run}");
        assert!(report.number("/run/duration_s") < 30.0, "it went on{run}");
        assert!(run.stdout.contains("a threshold ended the run"), "{run}");
        assert!(run.stdout.contains("not judged: the run was shorter"), "{run}");
    });
}

/// Standard output is the document and nothing else; people read standard error.
#[test]
fn a_summary_on_standard_output_stands_alone() {
    let server = gateway().start();
    let rest = format!("workloads:{}", api("connections: 5, for: 1s"));
    let run = load(&server, &rest, 1).line("--json -").run().exits([0]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON alone");
    assert_eq!(document["verdict"], "passed", "{run}");
    assert!(run.stderr.contains("results in "), "{run}");
}

/// The default address would be loaded instead.
#[test]
fn a_variable_that_nothing_asks_for_is_refused() {
    let run = Onslaught::preset("minimal").set("BASEURL", "http://127.0.0.1:9").run().exits([2]);
    run.says(["-e BASEURL", "did you mean 'BASE_URL'?"]);
}

#[test]
fn a_preset_that_does_not_exist_is_named_with_its_neighbour() {
    let run = Onslaught::preset("taskforg").run().exits([2]).says(["taskforg", "taskforge"]);
    assert!(!run.has_report(), "there was no run{run}");
}

#[test]
fn presets_are_listed_and_printed() {
    let list = Onslaught::command("presets").run().exits([0]);
    assert!(list.stdout.contains("taskforge"), "{list}");
    let example = Onslaught::command("example").args(["taskforge"]).run().exits([0]);
    assert!(example.stdout.contains("name: taskforge"), "{example}");
}

/// `plan` explains, and touches nothing: no server is there.
#[test]
fn a_plan_is_explained_without_a_target() {
    let dir = TempDir::new();
    let rest = format!("workloads:{}", api("connections: 10, for: 2s"));
    let file = dir.write("trial.yaml", &trial(&rest)).display().to_string();
    let plan = Onslaught::command("plan").args([file]);
    let plan = plan.set("BASE_URL", "http://127.0.0.1:9").set("STATUS_URL", "ws://127.0.0.1:9");
    let run = plan.run().exits([0]);
    for word in ["api", "5 users", "10 connections"] {
        assert!(run.stdout.contains(word), "no '{word}'{run}");
    }
}
