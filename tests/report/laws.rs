//! Laws that the numbers keep, whatever was measured.

use base64_free::decode;
use hdrhistogram::Histogram as Hdr;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use onslaught::engine::outcome::Ended;
use onslaught::metrics::{Delta, Histogram, Tally, Trend};
use onslaught::plan::{Load, Phase};
use onslaught::protocol::Failure;
use onslaught::report::document::Verdict;
use onslaught::report::fingerprint::plan_hash;
use onslaught::report::metric::{Quantile, TrendFigures};
use onslaught::report::{Colour, ExitCode, Latency, csv, hlog, json, text};
use onslaught::stdx::Nanos;
use onslaught::stdx::rng::Rng;
use serde_json::Value;

use crate::fixture::{self, Fixture};

/// A histogram of up to 2,000 times between 0 and 17 s, of any shape.
fn any_histogram(seed: u64) -> Histogram {
    let mut rng = Rng::stream(seed, 1);
    let mut histogram = Histogram::new();
    for _ in 0..rng.below(2_000) {
        let bits = rng.below(35);
        histogram.record(Nanos(rng.below(1 << bits)));
    }
    histogram
}

/// Counters of connections, of the whole run.
const ODDITIES: [&str; 4] =
    ["connects_failed", "unasked_receives", "receives_without_buffer", "queue_overflows"];

#[test]
fn a_trend_is_in_order() {
    for seed in 0..300 {
        let trend = TrendFigures::of(&any_histogram(seed));
        let TrendFigures { min, med, p90, p95, p99, p99_9, max, avg, .. } = trend;
        let ascending = [min, med, p90, p95, p99, p99_9, max];
        assert!(ascending.is_sorted(), "seed {seed}: {ascending:?}");
        assert!(min <= avg && avg <= max, "seed {seed}: {min} {avg} {max}");
    }
}

#[test]
fn ten_slower_ones_make_a_quantile() {
    for (name, enough) in
        [("med", 20), ("p90", 100), ("p95", 200), ("p99", 1_000), ("p99.9", 10_000)]
    {
        let mut histogram = Histogram::new();
        let thin = |histogram: &Histogram| TrendFigures::of(histogram).thin;
        (1..enough).for_each(|us| histogram.record(Nanos::from_micros(us)));
        assert!(thin(&histogram).iter().any(|thin| thin == name), "{name}: one too few");
        histogram.record(Nanos::ZERO);
        assert!(!thin(&histogram).iter().any(|thin| thin == name), "{name}: just enough");
    }
    assert_eq!(TrendFigures::of(&Histogram::new()).thin.len(), Quantile::SUMMARY.len());
}

#[test]
fn totals_are_of_the_load_alone_and_views_add_up() {
    let fixture = Fixture::mixed();
    let document = fixture.report().document;
    let replies = |metrics: &onslaught::report::metric::Metrics| metrics.counter("http_reqs").count;
    assert_eq!(replies(&document.metrics), 3_996 + 996, "500 of the warm-up are outside");
    let requests = document.by.request.iter().map(|(_, metrics)| replies(metrics)).sum::<u64>();
    assert_eq!(requests, replies(&document.metrics));
    // The run has counters of its connections besides, which belong to no operation.
    let run: Vec<_> =
        document.metrics.iter().filter(|(name, _)| !ODDITIES.contains(name)).collect();
    assert_eq!(run.len() + ODDITIES.len(), document.metrics.iter().count());
    let workload = document.by.workload.get("http").unwrap();
    assert_eq!(workload.iter().collect::<Vec<_>>(), run);
    assert_eq!(document.phases.len(), 2);
    assert_eq!(replies(&document.phases[0].metrics), 500);
    assert_eq!(document.phases[1].metrics.iter().collect::<Vec<_>>(), run);
    assert_eq!(document.accounting.by_kind.get("http"), Some(&document.accounting.total));
    let scheduled = document.accounting.total.scheduled;
    assert_eq!(scheduled, 3_996 + 996 + 3 + 1 + 4);
}

#[test]
fn rates_are_counts_over_the_measured_duration() {
    let fixture = Fixture::mixed();
    let document = fixture.report().document;
    let replies = document.metrics.counter("http_reqs");
    assert!((replies.rate * document.run.duration_s - replies.count as f64).abs() < 1e-4);
    let pacing = &document.run.pacing;
    assert_eq!(pacing.asked_per_s, Some(500.0));
    let sent = document.accounting.total.sent as f64;
    assert_eq!(pacing.loaded_s, Some(10.0), "the drain of 4 ms is not in it");
    assert!((pacing.achieved_per_s * 10.0 - sent).abs() < 1e-4);
    let short = &document.series[2];
    assert!((short.replies_per_s - short.replies as f64 / 0.25).abs() < 1e-9, "a short row");
}

#[test]
fn our_own_failures_are_not_the_targets() {
    let fixture = Fixture::mixed();
    let document = fixture.report().document;
    let failed = document.metrics.rate("http_req_failed");
    let counts = &document.accounting.total;
    let all = counts.failed.iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!(failed.passes, all - 1, "local_ports is ours");
    assert_eq!(failed.fails, counts.ok);
    assert_eq!(counts.failed.0.len(), Failure::ALL.len(), "every class has its key");
}

#[test]
fn every_key_of_the_schema_is_there() {
    let fixture = Fixture::plain();
    let bytes = json::summary(&fixture.report().document).expect("in memory");
    let document: Value = serde_json::from_slice(&bytes).expect("JSON");
    for path in [
        "/schema /tool/name /tool/version /name /verdict /exit_code /trust/verdict /trust/reasons",
        "/run/started_at /run/duration_s /run/shards /run/seed /run/slice /run/scale",
        "/run/plan_hash /run/host/os /run/host/kernel /run/host/cpu /run/host/cores",
        "/run/host/memory_bytes /run/pacing /accounting/scheduled /accounting/sent",
        "/accounting/ok /accounting/failed/dns /accounting/failed/local_memory",
        "/accounting/aborted /accounting/dropped /accounting/shed /accounting/by_kind/http/shed",
        "/metrics/http_reqs/unit /metrics/http_req_duration/p99.9 /metrics/http_req_duration/thin",
        "/metrics/status_codes/200 /metrics/http_req_failed/rate /metrics/vus/value",
        "/metrics/data_sent/count /metrics/data_received/count /metrics/iterations/count",
        "/metrics/dropped_iterations/count /metrics/checks/passes /by/request /by/workload/http",
        "/by/group /by/user/worst /thresholds /phases /series /events /errors /tags /levels",
        "/search /delivery /faults /monitor /slices /generator/cpu_user_s /generator/cpu_sys_s",
        "/generator/rss_peak_bytes /generator/rings /generator/connections_peak",
    ]
    .iter()
    .flat_map(|paths| paths.split(' '))
    {
        assert!(document.pointer(path).is_some(), "{path} is missing");
    }
    for trend in Trend::ALL {
        let unit = document.pointer(&format!("/metrics/{}/unit", trend.name()));
        assert_eq!(unit, Some(&Value::from("ms")), "{}", trend.name());
    }
    assert_eq!(document.pointer("/metrics/checks/rate"), Some(&Value::from(1.0)));
    assert_eq!(document.pointer("/search"), Some(&Value::Null));
}

#[test]
fn columns_of_the_series_are_its_keys() {
    let fixture = Fixture::mixed();
    let row = serde_json::to_string(&fixture.report().document.series[0]).expect("in memory");
    let keys = row.split('"').skip(1).step_by(2).collect::<Vec<_>>();
    assert_eq!(keys.join(","), csv::COLUMNS);
}

#[test]
fn a_lost_operation_fails_the_run_and_is_told() {
    let mut fixture = Fixture::mixed();
    let leaf = fixture.plan.leaf(Phase::Load, 1);
    fixture.outcome.total.leaf(leaf).tally.sent += 1;
    let report = fixture.report();
    assert_eq!((report.exit, report.document.verdict), (ExitCode::Failed, Verdict::Failed));
    let error = report.error.clone().expect("a reason");
    assert!(error.contains("create-task in phase load: scheduled"), "{error}");
    let shown = text::summary(&report, Latency::Brief, Colour::Plain);
    assert!(shown.contains("FAILED") && shown.contains("create-task in phase"), "{shown}");
}

#[test]
fn a_target_that_was_not_reached_has_a_short_report() {
    let mut fixture = Fixture::plain();
    fixture.outcome.ended = Ended::Unreachable("10.0.0.7:8080 refuses connections".into());
    fixture.outcome.total = Delta::default();
    fixture.outcome.phases.clear();
    let report = fixture.report();
    assert_eq!(report.exit.code(), 113);
    let shown = text::summary(&report, Latency::Brief, Colour::Plain);
    assert_eq!(shown.lines().count(), 2, "{shown}");
    assert_eq!(report.document.metrics.counter("http_reqs").rate, 0.0);
}

#[test]
fn nothing_ended_well() {
    let mut fixture = Fixture::plain();
    let leaf = fixture.plan.leaf(Phase::Load, 0);
    let mut total = Delta::default();
    let tally = &mut total.leaf(leaf).tally;
    *tally = Tally { scheduled: 2_000, sent: 2_000, ..Tally::default() };
    tally.failed[Failure::Refused as usize] = 2_000;
    fixture.outcome.total = total;
    let report = fixture.report();
    assert_eq!(report.exit, ExitCode::Failed);
    let error = report.error.as_deref();
    assert_eq!(error, Some("not one of 2,000 operations succeeded: refused 2,000"));
}

#[test]
fn the_hash_is_of_what_defines_the_load() {
    let plan = fixture::plan();
    let hash = plan_hash(&plan);
    assert_eq!(hash.len(), 16);
    let mut same = plan.clone();
    same.name = "another".into();
    same.shards = 9;
    same.targets[0].addresses.clear();
    assert_eq!(plan_hash(&same), hash);
    let changes: [fn(&mut onslaught::plan::Plan); 7] = [
        |plan| plan.seed += 1,
        |plan| plan.only_mut().sessions += 1,
        |plan| plan.only_mut().load = Load::Closed,
        |plan| plan.only_mut().until = fixture::until(5),
        |plan| plan.requests[1].name.push('x'),
        |plan| plan.targets[0].url.push('x'),
        |plan| plan.requests[0].content = fixture::other_request(),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut other = plan.clone();
        change(&mut other);
        assert_ne!(plan_hash(&other), hash, "change {at}");
    }
}

#[test]
fn the_log_is_read_back_equal() {
    let fixture = Fixture::mixed();
    let log = hlog::log(&fixture.report()).expect("in memory");
    let mut found = 0;
    for entry in IntervalLogIterator::new(&log) {
        let LogEntry::Interval(line) = entry.expect("a legal log") else { continue };
        let bytes = decode(line.encoded_histogram());
        let read: Hdr<u64> = Deserializer::new().deserialize(&mut &bytes[..]).expect("V2");
        let tag = line.tag().expect("a tag").as_str();
        let expected = leaf_of(&fixture, tag);
        assert_eq!(&read, expected.hdr(), "{tag}");
        assert!((line.max() - read.max() as f64 / 1e3).abs() < 1e-3, "in milliseconds");
        found += 1;
    }
    assert_eq!(found, 3 * Trend::ALL.len(), "three leaves were hit");
}

/// The histogram that a tag stands for.
fn leaf_of<'a>(fixture: &'a Fixture, tag: &str) -> &'a Histogram {
    for phase in Phase::ALWAYS {
        for (index, named) in (0..).zip(&fixture.plan.requests) {
            for trend in Trend::ALL {
                if hlog::tag(trend.name(), &named.name, fixture.plan.phase_name(phase)) == tag {
                    let leaf = fixture.plan.leaf(phase, index);
                    return fixture.outcome.total.get(leaf).expect("a leaf").trend(trend);
                }
            }
        }
    }
    panic!("{tag} stands for nothing");
}

/// Base64 (RFC 4648 section 4), since nothing else here needs a package for it.
mod base64_free {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub(super) fn decode(text: &str) -> Vec<u8> {
        let digits = text.bytes().filter(|byte| *byte != b'=').map(|byte| {
            let at = ALPHABET.iter().position(|digit| *digit == byte);
            u32::try_from(at.expect("a digit of base64")).expect("below 64")
        });
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
        for digit in digits {
            bits = bits << 6 | digit;
            held += 6;
            if held >= 8 {
                held -= 8;
                bytes.push(bits.checked_shr(held).unwrap_or(0).to_le_bytes()[0]);
                bits &= (1 << held) - 1;
            }
        }
        bytes
    }
}
