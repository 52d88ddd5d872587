//! A starved generator says so; a healthy one does not.

use std::time::Duration;

use crate::kit::{Onslaught, bystander, cores, hogs, shards, target, undisturbed};

/// Run-queue delay and lateness in an open model: the core belongs to others.
#[test]
fn a_starved_generator_is_not_to_be_trusted() {
    let [ours, theirs, ..] = cores()[..] else { unreachable!("two cores, or cores() fails") };
    let server = target(&format!("--cores {theirs}"));
    let _hogs = hogs(4, ours);
    let load = Onslaught::http(server.url("/health")).line("-c 16 -R 2000 -d 6s -t 1");
    let run = load.args(["--cores", &ours.to_string()]).run().exits([111]);
    let report = run.report();
    assert_eq!(report.text("/trust/verdict"), "generator_saturated");
    let reasons = report.at("/trust/reasons").as_array().expect("reasons");
    assert!(!reasons.is_empty(), "a verdict needs its reasons{run}");
    assert_eq!(report.all_failed(), 0, "starving is no fault of the target{run}");
    assert!(run.stdout.contains("generator_saturated"), "{run}");
    let load = Onslaught::http(server.url("/health")).line("-c 16 -R 2000 -d 3s -t 1");
    let load = load.args(["--allow-untrusted", "--cores", &ours.to_string()]);
    let run = load.run().exits([0]);
    assert!(run.stdout.contains("--allow-untrusted says; otherwise"), "no reason{run}");
}

/// A healthy run is valid.
///
/// On a host that others load a run may be spoilt in truth, and then says so rightly. Therefore an
/// independent thread on the same core is asked whether it, too, was woken late: a run that is
/// found untrustworthy while that thread was punctual is a false alarm.
#[test]
fn a_healthy_generator_is_valid() {
    let [ours, theirs, ..] = cores()[..] else { unreachable!("two cores, or cores() fails") };
    let server = target(&format!("--cores {theirs}"));
    let healthy = |attempt| {
        let load = Onslaught::http(server.url("/health")).line("-c 16 -R 500 -d 6s -t 1");
        let observer = bystander(ours);
        let run = load.args(["--cores", &ours.to_string()]).run();
        let late = observer.late_seconds(HALF_THE_LAG_ALLOWED);
        let run = run.exits([0, 111]).uses_at_most(Duration::from_secs(2));
        eprintln!("run {attempt}: a bystander was late in {late} seconds{run}");
        run.report().assert_clean();
        let expected = if run.exit == 0 { "valid" } else { "generator_saturated" };
        assert_eq!(run.report().text("/trust/verdict"), expected, "verdict and exit code");
        assert!(run.exit == 0 || late > 0, "a false alarm: the host was punctual{run}");
        run.exit == 0
    };
    // One healthy run is enough; otherwise the host was shown to be loaded three times.
    (1..=3).any(healthy);
}

/// Half of the millisecond of lag, in nanoseconds, that a run may show.
const HALF_THE_LAG_ALLOWED: i64 = 500_000;

/// A closed loop keeps its core busy on purpose: that alone is no reason for distrust.
#[test]
fn full_speed_is_no_saturation() {
    let server = target("");
    let load = Onslaught::http(server.url("/health")).line("-c 64 -d 6s -t 1");
    let run = load.run().exits([0]);
    let reasons = run.report().at("/trust/reasons").to_string();
    match run.report().text("/trust/verdict") {
        "valid" => assert!(reasons.contains("are not judged"), "{run}"),
        // Others want the core: then that is said, and nothing else is in doubt.
        "inconclusive" => assert!(reasons.contains("waited more than 10 % of the time"), "{run}"),
        other => panic!("{other}{run}"),
    }
}

#[test]
fn a_short_run_is_inconclusive() {
    let server = target("");
    let load = Onslaught::http(server.url("/health")).line("-c 4 -R 200 -d 2s -t 1");
    let run = load.run().exits([0, 111]);
    if run.exit == 0 {
        let reasons = run.report().at("/trust/reasons").to_string();
        assert_eq!(run.report().text("/trust/verdict"), "inconclusive", "{run}");
        assert!(reasons.contains("2 seconds were measured; a verdict needs 5"), "{run}");
    }
}

/// Two connections to a target that takes 50 ms carry 40 requests a second, and 400 are asked for.
#[test]
fn a_target_at_its_limit_is_told() {
    shards([1, 2], |count| {
        let server = target("--misbehave delay:1:50ms");
        let line = "-c 2 -R 400 -d 6s --timeout 2s";
        let load = || Onslaught::http(server.url("/health")).line(line).shards(count);
        let run = undisturbed(|| load().run()).exits([0]);
        let report = run.report();
        assert_eq!(report.text("/trust/verdict"), "target_saturated", "{run}");
        let reasons = report.at("/trust/reasons").to_string();
        assert!(reasons.contains("arrivals waited longer for a connection"), "{run}");
        assert!(reasons.contains("arrivals were dropped"), "{run}");
        assert!(report.count("/accounting/dropped") > 500, "{run}");
        assert!(run.stdout.contains("target_saturated: the target was at its limit"), "{run}");
    });
}

/// A run of a scenario in which arrivals wait for connections: 0 with a warning, 111 if strict.
#[test]
fn strict_takes_any_doubt_for_distrust() {
    let server = target("");
    let text = "name: doubt\ntarget: ${URL}\nworkloads:\n  one:\n    \
                load: {rate: 200/s, max: 1, patience: 1s, for: 5s}\n    \
                mix: [{get: /delay/50ms}]\n";
    let load = |flags: &str| Onslaught::scenario(text).set("URL", server.url("")).line(flags);
    for (flags, exit, verdict) in [("", 0, "passed"), ("--strict", 111, "invalid")] {
        let run = undisturbed(|| load(flags).run()).exits([exit]);
        assert_eq!(run.report().text("/trust/verdict"), "target_saturated", "{run}");
        assert_eq!(run.report().text("/verdict"), verdict, "{run}");
        assert!(run.stdout.contains("target_saturated: the target was at its limit"), "{run}");
    }
    load("--strict --allow-untrusted").run().exits([2]).says(["cannot be used with"]);
}
