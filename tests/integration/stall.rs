//! The stall oracle: a target stands still for one second under a constant arrival rate.
//!
//! Arrivals come evenly, so those of the standstill wait for what is left of it: anything between
//! all of it and nothing, evenly again. Of a run of T seconds with a standstill of S seconds, a
//! share p of all operations therefore waits longer than S − pT, for as long as pT < S.

use std::time::Duration;

use crate::kit::{Nginx, Onslaught, Report, Stopwatch, established, pause, shards, until};

/// A load of 1000/s for so many seconds, and what it measured; the exact standstill in seconds.
fn stalled_run(seconds: u32, shards: u32) -> (Report, f64) {
    // Its log costs nginx time that would lengthen the backlog after the standstill.
    let server = Nginx::start("  access_log off;\n  keepalive_requests 1000000;\n");
    let duration = format!("{seconds}s");
    // Whether the generator was punctual enough is another test's subject.
    let load = Onslaught::http(server.url()).line("-R 1000 -c 16 --allow-untrusted");
    let load = load.args(["-d", &duration]);
    let load = load.within(Duration::from_secs(90)).shards(shards).start();
    until("the load to begin", Duration::from_secs(5), || established(server.port) > 0);
    pause(Duration::from_secs(u64::from(seconds) / 3));
    server.freeze();
    let watch = Stopwatch::start();
    pause(Duration::from_secs(1));
    server.thaw();
    let standstill = watch.elapsed().as_secs_f64();
    let report = load.finish().exits([0]).into_report();
    report.assert_clean();
    assert_eq!(report.sent(), u64::from(seconds) * 1000, "the schedule never moves");
    (report, standstill)
}

/// Holds a percentile of the response time, in milliseconds, to seconds ± 1 %.
#[track_caller]
fn assert_near(report: &Report, percentile: &str, seconds: f64) {
    let found = report.ms("http_req_duration", percentile) / 1000.0;
    let near = (found - seconds).abs() <= 0.01 * seconds;
    assert!(near, "{percentile} is {found:.4} s instead of {seconds:.4} s ± 1 %");
}

/// What the target itself took is no different from a run without a standstill, but for the few
/// requests that were under way: one a connection.
#[track_caller]
fn assert_service_untouched(report: &Report) {
    let service = report.ms("http_req_service", "p99");
    assert!(service < 20.0, "service time shows the standstill: p99 is {service} ms");
    let blocked = report.ms("http_req_blocked", "max");
    assert!(blocked > 900.0, "waiting for a connection shows it: at most {blocked} ms");
}

#[test]
fn one_second_in_ten() {
    shards([1, 2], |count| {
        let (report, standstill) = stalled_run(10, count);
        assert_near(&report, "p99", standstill - 0.10);
        assert_near(&report, "p99.9", standstill - 0.01);
        assert!(report.ms("http_req_duration", "med") < 20.0, "half of the run is unaffected");
        assert_service_untouched(&report);
    });
}

#[test]
#[ignore = "a minute: tests/run --long"]
fn one_second_in_thirty() {
    shards([1, 2], |count| {
        let (report, standstill) = stalled_run(30, count);
        assert_near(&report, "p99", standstill - 0.30);
        assert_near(&report, "p99.9", standstill - 0.03);
        assert!(report.ms("http_req_duration", "p90") < 20.0, "nine tenths are unaffected");
        assert_service_untouched(&report);
    });
}
