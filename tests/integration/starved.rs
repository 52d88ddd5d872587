//! A generator that others keep from its core, or that stood still, says that it was that; one
//! whose target is starved does not.

use std::time::Duration;

use rustix::process::Signal;

use crate::kit::{
    Onslaught, Run, Stopwatch, Target, bystander, cores, established, hogs, pause, target, until,
};

const LIMIT: Duration = Duration::from_secs(5);

/// 1000 a second for eight seconds from one core.
fn load(server: &Target, core: usize) -> Onslaught {
    let load = Onslaught::http(server.url("/health")).line("-c 16 -R 1000 -d 8s -t 1");
    load.args(["--cores", &core.to_string()])
}

fn begun(server: &Target) {
    until("the load to begin", LIMIT, || established(server.port) >= 16);
    pause(Duration::from_secs(2));
}

/// Saturated, with reasons; nothing of it is charged to the target, and no arrival is lost.
#[track_caller]
fn assert_own_fault(run: &Run) {
    let report = run.report();
    assert_eq!(report.text("/trust/verdict"), "generator_saturated", "{run}");
    let reasons = report.at("/trust/reasons").as_array().expect("reasons");
    assert!(!reasons.is_empty(), "a verdict needs its reasons{run}");
    assert_eq!(report.all_failed(), 0, "starving is no fault of the target{run}");
    assert_eq!(report.sent(), 8_000, "the schedule never moves{run}");
}

/// Three of eight seconds are enough to spoil a run.
#[test]
fn hogs_for_a_few_seconds() {
    let [ours, theirs, ..] = cores()[..] else { unreachable!("two cores, or cores() fails") };
    let server = target(&format!("--cores {theirs}"));
    let load = load(&server, ours).start();
    begun(&server);
    let hogs = hogs(6, ours);
    pause(Duration::from_secs(3));
    drop(hogs);
    let run = load.finish().exits([111]);
    assert_own_fault(&run);
}

/// Who is stopped sees nothing of it, but for the clock: what was due meanwhile left late, and is
/// charged to us, not to the service of the target, which saw one request a connection at most.
#[test]
fn stopped_for_a_second_and_a_half() {
    let [ours, theirs, ..] = cores()[..] else { unreachable!("two cores, or cores() fails") };
    let server = target(&format!("--cores {theirs}"));
    let load = load(&server, ours).start();
    begun(&server);
    load.signal(Signal::STOP);
    let watch = Stopwatch::start();
    pause(Duration::from_millis(1_500));
    load.signal(Signal::CONT);
    let stopped = watch.elapsed().as_secs_f64() * 1e3;
    let run = load.finish().exits([111]);
    assert_own_fault(&run);
    let report = run.report();
    let lag = report.ms("schedule_lag", "max");
    // The oldest of those that were due had fallen due within a millisecond, and what is late
    // goes out 16 at a time.
    let near = (0.9 * stopped..1.1 * stopped + 100.0).contains(&lag);
    assert!(near, "lag of {lag} ms, stopped for {stopped} ms{run}");
    let events = report.at("/events").to_string();
    assert!(events.contains("stood still"), "the timeline says so: {events}");
}

/// The target's core belongs to others, ours does not: that is slow, and no fault of ours. On a
/// host that others load, a thread on our core tells whether ours was loaded, too.
#[test]
fn a_starved_target_is_not_our_fault() {
    let [ours, theirs, ..] = cores()[..] else { unreachable!("two cores, or cores() fails") };
    let server = target(&format!("--cores {theirs}"));
    let attempt = |_| {
        let observer = bystander(ours);
        let load = load(&server, ours).line("--patience 60s").start();
        begun(&server);
        let hogs = hogs(3, theirs);
        pause(Duration::from_secs(3));
        drop(hogs);
        let run = load.finish();
        let late = observer.late_seconds(500_000);
        let ours = run.report().text("/trust/verdict") == "generator_saturated";
        assert!(!ours || late > 0, "a false alarm: our core was free{run}");
        !ours
    };
    // One of three is enough; otherwise the host was shown to be loaded each time.
    (1..=3).any(attempt);
}
