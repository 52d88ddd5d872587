//! `summary.json`, typed, and the identities that every one of them keeps.

use std::path::Path;

use onslaught::protocol::Failure;
use serde_json::{Map, Value};

/// A summary that adds up: reading one asserts it.
#[derive(Debug)]
pub(crate) struct Report(Value);

/// The parts of `accounting` that its parts in `by_kind` add up to.
const COUNTS: [&str; 6] = ["scheduled", "sent", "ok", "aborted", "dropped", "shed"];

/// A trend's values, smallest first.
const ORDER: [&str; 7] = ["min", "med", "p90", "p95", "p99", "p99.9", "max"];

impl Report {
    /// Reads the file, if there is one that holds anything, and holds it to the identities.
    #[track_caller]
    pub(crate) fn read(path: &Path, exit: i32) -> Option<Self> {
        let text =
            path.is_file().then(|| std::fs::read_to_string(path).expect("read a summary"))?;
        Some(Self::parse(&text, exit))
    }

    /// The same from text.
    #[track_caller]
    pub(crate) fn parse(text: &str, exit: i32) -> Self {
        let report = Self(serde_json::from_str(text).expect("a summary in JSON"));
        report.assert_accounting();
        assert_eq!(report.number("/exit_code"), f64::from(exit), "exit_code is the exit code");
        report
    }

    /// Any value, by its JSON pointer.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {:#}", self.0))
    }

    /// A count.
    #[track_caller]
    pub(crate) fn count(&self, pointer: &str) -> u64 {
        let value = self.at(pointer);
        value.as_u64().unwrap_or_else(|| panic!("{pointer} is no count: {value}"))
    }

    /// A number.
    #[track_caller]
    pub(crate) fn number(&self, pointer: &str) -> f64 {
        let value = self.at(pointer);
        value.as_f64().unwrap_or_else(|| panic!("{pointer} is no number: {value}"))
    }

    /// A text.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> &str {
        let value = self.at(pointer);
        value.as_str().unwrap_or_else(|| panic!("{pointer} is no text: {value}"))
    }

    /// Attempts begun.
    #[track_caller]
    pub(crate) fn sent(&self) -> u64 {
        self.count("/accounting/sent")
    }

    /// Operations that ended well.
    #[track_caller]
    pub(crate) fn ok(&self) -> u64 {
        self.count("/accounting/ok")
    }

    /// Operations of one class of failure.
    #[track_caller]
    pub(crate) fn failed(&self, class: &str) -> u64 {
        self.count(&format!("/accounting/failed/{class}"))
    }

    /// Operations that failed, of all classes.
    #[track_caller]
    pub(crate) fn all_failed(&self) -> u64 {
        classes(self.at("/accounting/failed"))
    }

    /// A whole number of a metric: `metric("ws_sessions", "count")`.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str, value: &str) -> u64 {
        self.count(&format!("/metrics/{name}/{value}"))
    }

    /// The same of a view: of a request, a workload or a group, by its name.
    #[track_caller]
    pub(crate) fn metric_by(&self, view: &str, name: &str, metric: &str) -> u64 {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        self.count(&format!("/by/{view}/{escaped}/{metric}/count"))
    }

    /// A count of one kind of operation: `of_kind("ws_open", "failed/protocol")`.
    #[track_caller]
    pub(crate) fn of_kind(&self, kind: &str, count: &str) -> u64 {
        self.count(&format!("/accounting/by_kind/{kind}/{count}"))
    }

    /// Failures of one kind of operation, of all classes.
    #[track_caller]
    pub(crate) fn failed_of_kind(&self, kind: &str) -> u64 {
        classes(self.at(&format!("/accounting/by_kind/{kind}/failed")))
    }

    /// Milliseconds of a trend.
    #[track_caller]
    pub(crate) fn ms(&self, trend: &str, value: &str) -> f64 {
        self.number(&format!("/metrics/{trend}/{value}"))
    }

    /// Occurrences of a class in the list of errors.
    #[track_caller]
    pub(crate) fn errors(&self, class: &str) -> u64 {
        let errors = self.at("/errors").as_array().expect("a list of errors");
        let named = errors.iter().filter(|error| error["class"] == class);
        named.map(|error| error["count"].as_u64().expect("a count of errors")).sum()
    }

    /// Holds the report to nothing having failed, been dropped, shed or cut.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        let sent = self.sent();
        assert!(sent > 0, "nothing was sent: {:#}", self.at("/accounting"));
        assert_eq!(
            self.ok(),
            sent,
            "something failed: {:#}\n{:#}",
            self.at("/accounting"),
            self.at("/errors")
        );
        assert_eq!(self.count("/accounting/scheduled"), sent, "{:#}", self.at("/accounting"));
    }

    /// Holds the report to what is true of any run, whatever happened in it.
    #[track_caller]
    pub(crate) fn assert_accounting(&self) {
        assert_eq!(self.count("/schema"), 1);
        let accounting = self.at("/accounting");
        self.assert_sums("/accounting");
        let kinds = self.at("/accounting/by_kind").as_object().expect("an object by kind");
        for kind in kinds.keys() {
            self.assert_sums(&format!("/accounting/by_kind/{kind}"));
        }
        for class in Failure::ALL.map(Failure::key) {
            let sum: u64 =
                kinds.values().map(|kind| kind["failed"][class].as_u64().unwrap_or(0)).sum();
            assert_eq!(sum, accounting["failed"][class], "{class} by kind: {accounting:#}");
        }
        for count in COUNTS {
            let sum: u64 = kinds.values().map(|kind| kind[count].as_u64().unwrap_or(0)).sum();
            assert_eq!(sum, accounting[count], "{count} by kind: {accounting:#}");
        }
        if kinds.contains_key("http") {
            self.assert_replies(kinds, accounting);
        } else {
            assert!(self.0.pointer("/metrics/http_reqs").is_none(), "of no request: {:#}", self.0);
        }
        for (name, metric) in self.at("/metrics").as_object().expect("metrics") {
            if metric["type"] == "trend" {
                assert_trend(name, metric);
            }
        }
        for error in self.at("/errors").as_array().expect("a list of errors") {
            let class = error["class"].as_str().expect("an error's class");
            assert!(Failure::ALL.iter().any(|known| known.key() == class), "unknown: {error}");
            let first = error["first"].as_array().expect("samples of errors");
            assert!(!first.is_empty() && first.len() <= 10, "the first ten: {error}");
        }
    }

    /// What is true of replies: they are as many in every view.
    #[track_caller]
    fn assert_replies(&self, kinds: &Map<String, Value>, accounting: &Value) {
        let replies = self.count("/metrics/http_reqs/count");
        let statuses = self.at("/metrics/status_codes").as_object().expect("counts by status");
        assert_eq!(sum(statuses), replies, "replies by status: {statuses:?}");
        let ok = kinds.get("http").map_or(0, |http| http["ok"].as_u64().unwrap_or(0));
        assert!(replies >= ok, "{replies} replies, but more went well: {accounting:#}");
        self.assert_rate(replies);
        for view in ["request", "workload"] {
            let parts = self.at(&format!("/by/{view}")).as_object().expect("an object by name");
            let replies_of = |part: &Value| part["http_reqs"]["count"].as_u64().unwrap_or(0);
            let sum: u64 = parts.values().map(replies_of).sum();
            assert_eq!(sum, replies, "replies by {view}: {parts:#?}");
        }
    }

    /// scheduled = sent + shed + dropped; sent = ok + failed + aborted; every class is there.
    #[track_caller]
    fn assert_sums(&self, pointer: &str) {
        let part = self.at(pointer);
        let [scheduled, sent, ok, aborted, dropped, shed] =
            COUNTS.map(|count| self.count(&format!("{pointer}/{count}")));
        let failed = classes(&part["failed"]);
        assert_eq!(scheduled, sent + shed + dropped, "{pointer}: {part:#}");
        assert_eq!(sent, ok + failed + aborted, "{pointer}: {part:#}");
        for class in Failure::ALL {
            assert!(part["failed"][class.key()].is_u64(), "{pointer}: no {}", class.key());
        }
    }

    /// A rate is a count over the measured duration.
    #[track_caller]
    fn assert_rate(&self, replies: u64) {
        let duration = self.number("/run/duration_s");
        let rate = self.number("/metrics/http_reqs/rate");
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let expected = if duration > 0.0 { replies as f64 / duration } else { 0.0 };
        let near = (rate - expected).abs() <= 0.01 * expected + 0.01;
        assert!(near, "{replies} replies in {duration} s are {expected}/s, not {rate}/s");
    }
}

/// The sum of failures by class.
fn classes(failed: &Value) -> u64 {
    sum(failed.as_object().expect("failures by class"))
}

fn sum(counts: &Map<String, Value>) -> u64 {
    counts.values().map(|count| count.as_u64().expect("an integer count")).sum()
}

/// No percentile above the maximum, no average below the minimum.
#[track_caller]
fn assert_trend(name: &str, trend: &Value) {
    let value = |key: &str| trend[key].as_f64().unwrap_or_else(|| panic!("{name}: no {key}"));
    assert!(trend["count"].is_u64(), "{name}: no count");
    assert!(trend["thin"].is_array(), "{name}: no list of thin values");
    assert_eq!(trend["unit"], "ms", "{name}");
    let values = ORDER.map(value);
    assert!(values.is_sorted(), "{name}: {trend:#}");
    assert!(values[0] <= value("avg") && value("avg") <= values[6], "{name}: {trend:#}");
}
