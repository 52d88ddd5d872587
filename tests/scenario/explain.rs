//! What `plan` says, byte for byte, and files as they were understood.

use std::path::Path;

use onslaught::plan::{Budget, Host, Options, Plan, compile, explain};
use onslaught::scenario::{Source, effective, examples, read};

use crate::files::{environment, files, with_steps, yaml};

fn plan(text: &str, options: &Options) -> Plan {
    let scenario = read(&Source { name: "load.yaml", text }, &environment, None).unwrap();
    compile(&scenario, options).unwrap().plan
}

fn assert_golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/plan").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).expect("a writable golden file");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "UPDATE_GOLDEN=1 if that is meant");
}

#[test]
fn taskforge_is_explained() {
    let text = examples::text("taskforge").unwrap();
    let text = text.replace("max < 1s", "p(95) < 1s");
    let mut plan = plan(&text, &Options::default());
    plan.shards = 2;
    let host = Host { files: Some(100), ports: Some(28_232) };
    assert_golden("taskforge.txt", &explain(&plan, host));
}

#[test]
fn a_journey_is_explained_with_what_cannot_be() {
    let text = examples::text("journey").unwrap();
    let text = text.replace("max: 1000", "max: 400").replace("for: 2m", "for: 20s");
    let more = "  - http_req_duration{group:order} p(99.9) < 1s\n  - http_reqs rate > 1000/s\n";
    let options = Options { scale_time: 0.5, ..Options::default() };
    let plan = plan(&(text + more), &options);
    assert_golden("journey.txt", &explain(&plan, Host::default()));
}

#[test]
fn groups_drawn_by_weight_are_explained() {
    let text = "\
name: x
target: http://127.0.0.1
users:
  - {name: members, count: 20, weight: 3}
  - {count: 2}
  - {name: guests, count: 1, weight: 0}
workloads:
  w:
    user: weighted
    load: {connections: 6, for: 1s}
    steps:
      - get: /
";
    let mut plan = plan(text, &Options::default());
    assert_eq!(plan.shards_by_weight(), Some(2), "weight nothing needs no user anywhere");
    let shares = "  23 users, a group by weight, then any of it, for each iteration: 0.26 sessions \
                  a user\n   75.00 %  members: 20 users\n   25.00 %  group 2: 2 users\n    0.00 %  \
                  guests: 1 user\n";
    let shown = explain(&plan, Host::default());
    assert!(shown.contains(shares), "{shown}");
    assert!(!shown.contains("each needs a user"), "{shown}");
    plan.shards = 3;
    let shown = explain(&plan, Host::default());
    assert!(shown.contains("  runs on 2 shards: each needs a user of each group\n"), "{shown}");
}

/// The parts are counted from the plan, so their sum is what it says.
#[test]
fn needs_are_counted() {
    let budget = Budget::of(&plan(examples::text("taskforge").unwrap(), &Options::default()));
    // 50 + 50 + 1 sessions, and a connection for the token of each of the 20 users.
    assert_eq!((budget.sockets, budget.ports.as_slice()), (121, &[71, 50][..]));
    let sum: u64 = budget.memory.iter().map(|part| part.count * part.each).sum();
    assert_eq!(budget.bytes(), sum);
    assert_eq!(budget.files(), 121 + 64);
}

#[test]
fn a_file_as_it_was_understood_is_the_same_scenario() {
    let mut all: Vec<(String, String)> = files("valid", &["yaml", "json", "toml"])
        .into_iter()
        .map(|file| (file.name, file.text))
        .collect();
    all.extend(examples::ALL.map(|(name, text)| (format!("{name}.yaml"), text.to_owned())));
    for (name, text) in all {
        // A masked secret is another text, on purpose.
        let text = text.replace("secret:", "");
        let source = Source { name: &name, text: &text };
        let scenario = read(&source, &environment, None).unwrap();
        let again = effective(&source, &environment, None).unwrap();
        assert_eq!(yaml(&again).as_ref(), Ok(&scenario), "{name}:\n{again}");
    }
}

#[test]
fn a_profile_is_laid_over_and_secrets_are_masked() {
    let head = with_steps("      - get: /a${SET}\n        name: \"$${x} # \\\"\\\\\"\n");
    let text = format!(
        "{head}        headers: {{A: \"b${{secret:SET}}c\"}}\ntags: {{a: '007', b: \"${{SET}}\"}}\n\
         profiles:\n  p: {{name: y}}\n"
    );
    let source = Source { name: "load.yaml", text: &text };
    let shown = effective(&source, &environment, Some("p")).unwrap();
    assert!(shown.starts_with("name: y\n") && !shown.contains("profiles"), "{shown}");
    assert!(shown.contains("A: \"b***c\"") && shown.contains("a: \"007\""), "{shown}");
    assert!(shown.contains("get: /acanary-0123456789abc"), "{shown}");
    let (of, again) = (read(&source, &environment, Some("p")).unwrap(), yaml(&shown).unwrap());
    let name = |scenario: &onslaught::scenario::Scenario| match &scenario.workloads[0].value.work {
        onslaught::scenario::Work::Journey(steps) => steps[0].name.clone(),
        _ => None,
    };
    assert_eq!(name(&of), name(&again));
    assert_eq!(effective(&source, &environment, Some("q")), None);
}

/// Steps of one workload, of which each pass has 9.3 requests and 2 s of thinking.
const JOURNEY: &str = "    steps:
      - repeat: 9
        steps:
          - get: /items
      - chance: 30%
        get: /orders
      - think: 2s
";

fn explained(load: &str, steps: &str, thresholds: &str) -> String {
    let text = format!(
        "name: reach\ntarget: http://127.0.0.1:8080\nworkloads:\n  api:\n    load: {load}\n{steps}\
         thresholds:\n{thresholds}"
    );
    explain(&plan(&text, &Options::default()), Host::default())
}

/// 205 users who each make 9.3 requests and then think for 2 s cannot make 1000 requests a second:
/// 205 * 9.3 / 2 s = 953.25/s.
#[test]
fn a_rate_that_a_closed_load_cannot_make_is_explained() {
    let thresholds = "  - http_reqs rate > 1000/s
  - http_reqs rate > 953/s
  - http_reqs rate < 9000/s
  - iterations rate > 103/s
  - http_reqs{name:GET /orders} rate > 900/s
";
    let shown = explained("{connections: 205, for: 60s}", JOURNEY, thresholds);
    assert_golden("reach-closed.txt", &shown);
}

/// The same as arrivals: 1000 requests a second are 107.5 passes, each of which takes 2 s and more.
#[test]
fn a_rate_that_the_sessions_cannot_carry_is_explained() {
    let thresholds = "  - http_reqs rate > 1000/s\n";
    let shown = explained("{rate: 108/s, max: 205, for: 60s}", JOURNEY, thresholds);
    assert_golden("reach-open.txt", &shown);
    let enough = explained("{rate: 108/s, max: 400, for: 60s}", JOURNEY, thresholds);
    assert!(!enough.contains("warning") && !enough.contains("out of reach"), "{enough}");
    let few = explained("{rate: 100/s, max: 400, for: 60s}", JOURNEY, thresholds);
    assert!(few.contains("out of reach: 100/s * 9.30 requests = 930/s at most"), "{few}");
}

#[test]
fn loads_whose_level_is_found_out_are_explained() {
    let plain = "    mix:\n      - get: /health\n";
    let searched = "{rate: 100/s, max: 50, search: {slo: [http_req_duration p(99) < 40ms, \
                    http_req_failed rate < 1%], to: 3000/s, trial: 10s}}";
    let closed = "{connections: 2, adapt: {keep: http_req_duration p(95) < 100ms, step: 5, to: \
                  200, for: 10m}}";
    let ramp = "{rate: 20/s, max: 50, adapt: {slow_above: 200ms, stop_above: 2%, step: 10/s, to: \
                500/s, for: 10m}}";
    let shown = [searched, closed, ramp]
        .map(|load| explained(load, plain, "  - dropped_iterations count == 0\n"))
        .join("\n");
    assert_golden("steered.txt", &shown);
}

/// Levels and steps go with the load's scale, trials and their settling with that of time; no trial
/// is shorter than a second.
#[test]
fn a_search_and_an_adaptive_load_are_scaled() {
    let shown = |load: &str, (scale_load, scale_time): (f64, f64)| {
        let text = format!(
            "name: x\ntarget: http://127.0.0.1\nworkloads:\n  w:\n    load: {load}\n    \
             mix:\n      - get: /\n"
        );
        let options = Options { scale_load, scale_time, ..Options::default() };
        explain(&plan(&text, &options), Host::default())
    };
    let searched = "{rate: 100/s, max: 50, search: {slo: [http_req_duration avg < 40ms], to: \
                    3000/s, trial: 10s, settle: 2s, max_trials: 10}}";
    let half = shown(searched, (0.5, 0.5));
    assert!(half.contains("from 50/s to 1500/s"), "{half}");
    // Each of at most 10 trials settles for 1 s, lasts four times 5 s, and may be a second late.
    assert!(half.contains("trials of 5s after 1s") && half.contains("220s at most"), "{half}");
    let short = shown(searched, (1.0, 0.01));
    assert!(short.contains("trials of 1s after"), "{short}");
    let kept = "{connections: 20, adapt: {keep: http_req_duration avg < 40ms, step: 10, \
                to: 200, for: 100s, every: 10s}}";
    let half = shown(kept, (0.5, 0.2));
    assert!(half.contains("from 10 sessions to 100 sessions"), "{half}");
    assert!(half.contains("each 2s: 5 sessions more"), "{half}");
    assert!(half.contains("from 0s to 20s"), "{half}");
}
