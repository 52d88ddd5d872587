//! What a server counted by itself, to hold a report against.

use serde_json::Value;

use super::report::Report;

/// A server's own counters.
#[derive(Debug)]
pub(crate) struct Counts(Value);

impl Counts {
    #[track_caller]
    pub(super) fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("counts in JSON"))
    }

    /// A counter, which must be there.
    #[track_caller]
    pub(crate) fn of(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_else(|| panic!("no counter {name} in {self}"))
    }

    /// Replies on a path with a status; none when there was no such reply.
    #[track_caller]
    pub(crate) fn replies(&self, path: &str, status: u16) -> u64 {
        assert!(self.0["paths"].is_object(), "replies are not counted by path in {self}");
        self.part("paths", path)[status.to_string()].as_u64().unwrap_or(0)
    }

    /// Replies on paths that begin so.
    #[track_caller]
    pub(crate) fn replies_below(&self, prefix: &str) -> u64 {
        let paths = self.0["paths"].as_object().expect("replies by path");
        let below = paths.iter().filter(|(path, _)| path.starts_with(prefix));
        below.map(|(_, statuses)| sum(statuses)).sum()
    }

    /// All counts of a kind, by key: how often WebSockets were closed with which code.
    #[track_caller]
    pub(crate) fn all(&self, kind: &str) -> Vec<(&str, u64)> {
        let counts = self.0[kind].as_object().unwrap_or_else(|| panic!("no {kind} in {self}"));
        let count = |count: &Value| count.as_u64().expect("a count");
        counts.iter().map(|(key, value)| (key.as_str(), count(value))).collect()
    }

    /// Holds metrics of the report to the counters of these names.
    #[track_caller]
    pub(crate) fn assert_same<const N: usize>(&self, report: &Report, pairs: [(&str, &str); N]) {
        for (metric, counter) in pairs {
            let (ours, theirs) = (report.metric(metric, "count"), self.of(counter));
            assert_eq!(ours, theirs, "{metric} is not the server's {counter}: {self}");
        }
    }

    fn part(&self, kind: &str, key: &str) -> &Value {
        &self.0[kind][key]
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:#}", self.0)
    }
}

fn sum(counts: &Value) -> u64 {
    let counts = counts.as_object().expect("counts by key");
    counts.values().map(|count| count.as_u64().expect("a count")).sum()
}
