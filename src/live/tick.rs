//! What is known of a run, second by second.

use crate::report::figures::{thousands, time};
use crate::stdx::Nanos;

/// A run at one moment, all shards together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tick<'a> {
    /// Since the start of the load.
    pub elapsed: Nanos,
    /// When it is to end, warm-up included, if that is known.
    pub planned: Option<Nanos>,
    /// Operations that have ended and that are to, if their number was asked for.
    pub operations: Option<(u64, u64)>,
    /// Replies in the last second, a second.
    pub replies_per_s: f64,
    /// What they reply to, in short: `req`.
    pub noun: &'a str,
    /// 99th percentile of the response time in the last second, if there were replies.
    pub p99: Option<Nanos>,
    /// Operations that have failed so far.
    pub failed: u64,
    /// Operations in flight.
    pub in_flight: u64,
    /// Connections open.
    pub connections: u64,
    /// The phase, when it is not the load itself: `warmup`, `draining`; else empty.
    pub phase: &'a str,
    /// What the user ordered, where the load is not as planned: `paused`, `level 120 %`; else
    /// empty.
    pub order: &'a str,
    /// Instead of the load: what is done before or after it, and how far that is.
    pub stage: Option<Stage<'a>>,
}

/// Something with a known end that is no load: `logging in 7/10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage<'a> {
    /// What is done, in a word or two.
    pub what: &'a str,
    /// How many are done.
    pub done: u64,
    /// How many there are.
    pub all: u64,
}

impl Tick<'_> {
    /// How much of the run is over, in thousandths; nothing if its end is not known.
    #[must_use]
    pub fn progress(&self) -> Option<u64> {
        let part = |done: u64, all: u64| {
            let thousandths = u128::from(done) * 1_000 / u128::from(all.max(1));
            u64::try_from(thousandths.min(1_000)).unwrap_or(1_000)
        };
        if let Some(Stage { done, all, .. }) = self.stage {
            return Some(part(done, all));
        }
        let by_time = self.planned.map(|planned| part(self.elapsed.0, planned.0));
        let by_count = self.operations.map(|(done, all)| part(done, all));
        // Whichever comes first ends the run.
        by_time.max(by_count)
    }

    /// Whole seconds since the start of the load.
    #[must_use]
    pub const fn seconds(&self) -> u64 {
        self.elapsed.as_micros() / 1_000_000
    }

    /// `12,345 req/s  p99 1.23 ms  0 failed  64 open`; a time that there is none of is a dash. Of a
    /// stage: `logging in 7/10`.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is not negative and fits 64 bits by far"
    )]
    pub fn figures(&self) -> String {
        if let Some(Stage { what, done, all }) = self.stage {
            return format!("{what} {}/{}", thousands(done), thousands(all));
        }
        let rate = thousands(self.replies_per_s.round() as u64);
        let p99 = self.p99.map_or_else(|| "-".into(), |p99| time(p99.as_micros() as f64 / 1e3));
        let (failed, open) = (thousands(self.failed), thousands(self.connections));
        let gap = if self.phase.is_empty() { "" } else { "  " };
        let (phase, noun, order) = (self.phase, self.noun, self.order);
        // First, so that a narrow terminal shows it, too.
        let behind = if order.is_empty() { "" } else { "  " };
        let load = format!("{rate} {noun}/s  p99 {p99}  {failed} failed  {open} open");
        format!("{order}{behind}{load}{gap}{phase}")
    }
}
