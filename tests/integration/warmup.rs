//! A warm-up that the load itself ends: what was slow is in no total.

use std::sync::OnceLock;
use std::time::Duration;

use crate::kit::{Onslaught, Reply, Stopwatch, liar, pause, shards};

fn scenario(url: &str, warmup: &str, rest: &str) -> String {
    format!(
        "name: warm\ntarget: {url}\nwarmup: {warmup}\nworkloads:\n  a:\n    load: {{{rest}}}\n    \
         mix: [{{get: /}}]\n"
    )
}

/// A server that takes four times as long in its first seconds.
fn cold(slow: Duration) -> impl Fn(u64) -> Reply + Send + Sync {
    let first = OnceLock::new();
    move |_| {
        let since = first.get_or_init(Stopwatch::start).elapsed();
        pause(Duration::from_millis(if since < slow { 80 } else { 20 }));
        Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec())
    }
}

#[test]
fn it_ends_when_the_load_is_steady() {
    shards([1, 2], |count| {
        let server = liar(cold(Duration::from_secs(4)));
        let text = scenario(server.url().trim_end_matches('/'), "auto", "connections: 4, for: 3s");
        let load = Onslaught::scenario(text).line("--allow-untrusted").shards(count);
        let run = load.within(Duration::from_secs(80)).run().exits([0]);
        let report = run.report();
        let found = report.number("/run/pacing/warmup_s");
        // A window of 10 s in which the step is in one half has halves that differ: it has at most
        // two slow seconds (of ten, at most two of the five early ones), and the rule held thrice.
        assert!((12.0..59.0).contains(&found), "{found}{run}");
        assert_eq!(report.number("/run/pacing/warmup_bound_s"), 60.0, "{run}");
        let events = report.at("/events").to_string();
        assert!(events.contains(&format!("the warm-up ends after {found} s")), "{events}{run}");
        assert!(report.ms("http_req_duration", "p99") < 80.0, "something slow was measured{run}");
        let duration = report.number("/run/duration_s");
        assert!((3.0..3.5).contains(&duration), "{duration}{run}");
        let (warm, load) = ("/phases/0", "/phases/1");
        assert_eq!(report.number(&format!("{load}/from_s")), found, "{run}");
        assert_eq!(report.number(&format!("{warm}/to_s")), found, "{run}");
        assert!(report.number(&format!("{warm}/metrics/http_req_duration/max")) >= 80.0, "{run}");
        let measured = report.metric("http_reqs", "count");
        let warmed = report.count(&format!("{warm}/metrics/http_reqs/count"));
        assert_eq!(measured + warmed, server.requests(), "{run}");
        // Four connections, 20 ms each: 600 in 3 s, and no more.
        assert!((300..=604).contains(&measured), "{measured}{run}");
        assert!(run.stdout.contains("that counts nowhere: then"), "{run}");
    });
}

#[test]
fn it_ends_at_its_bound_at_the_latest() {
    shards([1, 2], |count| {
        let server = liar(cold(Duration::ZERO));
        let url = server.url();
        let url = url.trim_end_matches('/');
        let text = scenario(url, "{auto: 2s}", "rate: 20/s, for: 2s, max: 8");
        let load = Onslaught::scenario(text).line("--allow-untrusted").shards(count);
        let run = load.run().exits([0]);
        let report = run.report();
        assert_eq!(report.number("/run/pacing/warmup_s"), 2.0, "{run}");
        assert_eq!(report.metric("http_reqs", "count"), 40, "{run}");
        let events = report.at("/events").to_string();
        assert!(events.contains("at its bound of 2 s"), "{events}{run}");
        assert!(run.stdout.contains("that counts nowhere: its"), "{run}");
    });
}

#[test]
fn a_length_is_kept_to() {
    shards([1, 2], |count| {
        let server = liar(cold(Duration::ZERO));
        let url = server.url();
        let text = scenario(url.trim_end_matches('/'), "1s", "rate: 20/s, for: 2s, max: 8");
        let load = Onslaught::scenario(text).line("--allow-untrusted").shards(count);
        let run = load.run().exits([0]);
        let report = run.report();
        assert_eq!(report.metric("http_reqs", "count"), 40, "{run}");
        assert_eq!(report.count("/phases/0/metrics/http_reqs/count"), 20, "{run}");
        assert!(report.at("/run/pacing").get("warmup_bound_s").is_none(), "{run}");
        assert_eq!(server.requests(), 60, "{run}");
    });
}
