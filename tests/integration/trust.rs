//! A starved generator says so; a healthy one does not.

use crate::kit::{Onslaught, cores, hogs, target};

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
    assert!(
        run.stdout.contains("generator_saturated") || run.stdout.contains("saturated"),
        "{run}"
    );
}

/// This release does not know enough to say "valid".
///
/// On a host that others load, a run may be spoilt in truth, and then says so rightly: of three
/// runs one has to be healthy. A generator that distrusts itself without cause fails all three.
#[test]
fn a_healthy_generator_is_inconclusive() {
    let [ours, theirs, ..] = cores()[..] else { unreachable!("two cores, or cores() fails") };
    let server = target(&format!("--cores {theirs}"));
    let ours = ours.to_string();
    let healthy = |attempt| {
        let load = Onslaught::http(server.url("/health")).line("-c 16 -R 500 -d 6s -t 1");
        let run = load.args(["--cores", &ours]).run().exits([0, 111]);
        eprintln!("run {attempt}: {run}");
        run.report().assert_clean();
        let expected = if run.exit == 0 { "inconclusive" } else { "generator_saturated" };
        assert_eq!(run.report().text("/trust/verdict"), expected, "verdict and exit code");
        run.exit == 0
    };
    assert!((1..=3).any(healthy), "three runs in a row were not to be trusted");
}

/// A closed loop keeps its core busy on purpose: that alone is no reason for distrust.
#[test]
fn full_speed_is_no_saturation() {
    let server = target("");
    let load = Onslaught::http(server.url("/health")).line("-c 64 -d 3s -t 1");
    let run = load.run().exits([0]);
    assert_eq!(run.report().text("/trust/verdict"), "inconclusive", "{run}");
}
