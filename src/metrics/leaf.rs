//! The smallest thing that is recorded: one request of the mix in one phase of the run.

use super::catalog::Trend;
use super::histogram::Histogram;
use crate::protocol::{Failure, Timing};

/// Which leaf: phase × request, counted up by the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeafId(pub u16);

/// How operations ended. Every due operation ends in exactly one of `ok`, `failed`, `aborted`,
/// `dropped` and `shed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Fell due.
    pub scheduled: u64,
    /// Attempts begun.
    pub sent: u64,
    /// Ended well.
    pub ok: u64,
    /// Failed, by [`Failure`].
    pub failed: [u64; Failure::ALL.len()],
    /// Begun, and cut off by the end of the run.
    pub aborted: u64,
    /// Found nothing free within their patience.
    pub dropped: u64,
    /// Would have started too late, so were not started.
    pub shed: u64,
}

impl Tally {
    /// All failures.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.iter().sum()
    }

    /// Failures of one class.
    #[must_use]
    pub fn failed_by(&self, failure: Failure) -> u64 {
        self.failed.get(failure as usize).copied().unwrap_or(0)
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.ok += other.ok;
        for (sum, more) in self.failed.iter_mut().zip(&other.failed) {
            *sum += more;
        }
        self.aborted += other.aborted;
        self.dropped += other.dropped;
        self.shed += other.shed;
    }

    /// Whether nothing was lost: scheduled = sent + shed + dropped, sent = ok + failed + aborted.
    ///
    /// # Errors
    /// With the identity that does not hold, in numbers.
    pub fn reconcile(&self) -> Result<(), String> {
        let Self { scheduled, sent, ok, aborted, dropped, shed, .. } = self;
        let failed = self.failures();
        if *scheduled != sent + shed + dropped {
            return Err(format!(
                "scheduled {scheduled} != sent {sent} + shed {shed} + dropped {dropped}"
            ));
        }
        if *sent != ok + failed + aborted {
            return Err(format!("sent {sent} != ok {ok} + failed {failed} + aborted {aborted}"));
        }
        Ok(())
    }
}

/// Lowest and highest status code that a reply can carry (RFC 9110 section 15).
const STATUSES: std::ops::RangeInclusive<u16> = 100..=999;

/// What one leaf holds.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// How operations ended.
    pub tally: Tally,
    /// One histogram a [`Trend`].
    pub trends: [Histogram; Trend::ALL.len()],
    /// Replies on the wire; for messages, answers.
    pub replies: u64,
    /// Replies among them that ended no operation, because the request was sent again.
    pub retried: u64,
    /// Bytes of requests handed to the kernel.
    pub bytes_sent: u64,
    /// Bytes of replies, heads and framing included.
    pub bytes_received: u64,
    statuses: Vec<u64>,
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            tally: Tally::default(),
            trends: std::array::from_fn(|_| Histogram::new()),
            replies: 0,
            retried: 0,
            bytes_sent: 0,
            bytes_received: 0,
            statuses: vec![0; usize::from(STATUSES.end() - STATUSES.start() + 1)],
        }
    }
}

impl Leaf {
    /// Records a reply: its times and its status. Whether it was a success is said apart.
    pub fn reply(&mut self, timing: &Timing, status: u16) {
        let [duration, service, waiting, blocked, connecting, lag] = &mut self.trends;
        duration.record(timing.response());
        service.record(timing.service());
        waiting.record(timing.waiting());
        blocked.record(timing.blocked());
        lag.record(timing.lag());
        if timing.connect.0 > 0 {
            connecting.record(timing.connect);
        }
        self.count(status);
    }

    /// Records a reply that ends no operation, because the request is sent again.
    pub fn retry(&mut self, status: u16) {
        self.retried += 1;
        self.count(status);
    }

    fn count(&mut self, status: u16) {
        self.replies += 1;
        if let Some(count) = self.statuses.get_mut(usize::from(status.wrapping_sub(100))) {
            *count += 1;
        }
    }

    /// The histogram of a trend.
    #[must_use]
    pub fn trend(&self, trend: Trend) -> &Histogram {
        let [duration, service, waiting, blocked, connecting, lag] = &self.trends;
        match trend {
            Trend::Duration => duration,
            Trend::Service => service,
            Trend::Waiting => waiting,
            Trend::Blocked => blocked,
            Trend::Connecting => connecting,
            Trend::Lag => lag,
        }
    }

    /// Status codes that occurred, with how often.
    pub fn statuses(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        STATUSES.zip(self.statuses.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.tally.add(&other.tally);
        for (sum, more) in self.trends.iter_mut().zip(&other.trends) {
            sum.add(more);
        }
        self.replies += other.replies;
        self.retried += other.retried;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        for (sum, more) in self.statuses.iter_mut().zip(&other.statuses) {
            *sum += more;
        }
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.tally = Tally::default();
        self.trends.iter_mut().for_each(Histogram::clear);
        self.statuses.fill(0);
        (self.replies, self.retried) = (0, 0);
        (self.bytes_sent, self.bytes_received) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Leaf, Tally, Timing, Trend};
    use crate::stdx::Nanos;

    #[test]
    fn a_lost_operation_does_not_reconcile() {
        let mut tally = Tally { scheduled: 3, sent: 2, ok: 1, dropped: 1, ..Tally::default() };
        assert!(tally.reconcile().is_err(), "one was sent and never ended");
        tally.failed[Failure::Reset as usize] = 1;
        assert_eq!(tally.reconcile(), Ok(()));
        assert_eq!(tally.failed_by(Failure::Reset), 1);
    }

    #[test]
    fn each_trend_gets_its_own_part() {
        let timing = Timing {
            intended: Nanos::from_micros(100),
            free: Nanos::from_micros(150),
            connect: Nanos::from_micros(30),
            sent: Nanos::from_micros(187),
            first_byte: Nanos::from_micros(300),
            done: Nanos::from_micros(310),
        };
        let mut leaf = Leaf::default();
        leaf.reply(&timing, 204);
        let read = Trend::ALL.map(|trend| leaf.trend(trend).micros_at(0.5));
        assert_eq!(read, [210, 123, 113, 50, 30, 7]);
        assert_eq!(leaf.statuses().collect::<Vec<_>>(), [(204, 1)]);
        leaf.clear();
        assert_eq!((leaf.replies, leaf.trend(Trend::Duration).count()), (0, 0));
    }
}
