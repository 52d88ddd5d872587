//! Was it us? Whether the load generator was the bottleneck.
//!
//! Judged on windows of one second: a run is spoilt when a tenth of them is. One window of several
//! is an accident, not a verdict.

use crate::plan::{Load, Plan};
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// The verdict on ourselves, with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The verdict.
    pub verdict: Verdict,
    /// Each reason, one sentence with its numbers.
    pub reasons: Vec<String>,
}

/// What can be said of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are the target's.
    Valid,
    /// They are partly ours.
    GeneratorSaturated,
    /// The target was at its limit.
    TargetSaturated,
    /// Not enough is known.
    Inconclusive,
}

impl Verdict {
    /// The key in the results.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::GeneratorSaturated => "generator_saturated",
            Self::TargetSaturated => "target_saturated",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What one window of a second shows about ourselves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// 99th percentile of the schedule lag.
    pub lag_p99: Nanos,
    /// 99th percentile of the response time.
    pub response_p99: Nanos,
    /// Largest share of the window that a shard's thread was on its core, 0 to 1.
    pub busy: f64,
    /// Largest share that a shard's thread was ready and had to wait for its core, 0 to 1.
    pub delayed: f64,
    /// Share that the hypervisor took from the shards' cores, 0 to 1.
    pub stolen: f64,
    /// Begun over due, when connections were free; else 1.
    pub achieved: f64,
}

/// What the whole run shows about ourselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Replies on the wire.
    pub replies: u64,
    /// Receives that found no buffer.
    pub no_buffers: u64,
    /// Completions that had to wait in the kernel: how often.
    pub overflows: u64,
    /// Failures by our own fault: ports, descriptors, memory.
    pub local_failures: u64,
    /// The longest time that a shard was neither at work nor meant to wait.
    pub longest_stall: Nanos,
}

/// The least lag that can matter.
const LAG_FLOOR: Nanos = Nanos::from_millis(1);
/// A shard busier than this has no time to be punctual.
const BUSY: f64 = 0.95;
/// More waiting for a core than this is felt in every percentile.
const DELAYED: f64 = 0.10;
/// Less of the asked rate than this is another experiment.
const ACHIEVED: f64 = 0.99;

/// A shard that stood still for so long has spoilt every high percentile of a run of minutes.
const STALL: Nanos = Nanos::from_millis(250);

/// The load that a plan of any workloads is judged as. One closed loop without a fleet drives its
/// core to the limit on purpose, whatever runs beside it; a fleet speaks by the clock, as arrivals
/// come.
#[must_use]
pub fn load_of(plan: &Plan) -> Load {
    let workloads = || plan.workloads.iter();
    if workloads().any(|it| it.fleet.is_none() && it.load == Load::Closed) {
        return Load::Closed;
    }
    let open = workloads().map(|it| it.load).find(|load| *load != Load::Closed);
    let by_clock = Load::Open { rate: Rate { milli_per_s: 0 }, patience: Nanos::ZERO };
    open.unwrap_or(by_clock)
}

/// Judges a run.
#[must_use]
pub fn judge(load: &Load, windows: &[Window], totals: &Totals) -> Trust {
    let mut ours = totals.reasons();
    let mut doubts = Vec::new();
    let delayed = spoilt(windows, |window| {
        (window.delayed + window.stolen > DELAYED).then_some(window.delayed + window.stolen)
    })
    .map(|(count, worst)| {
        format!(
            "in {count} of {} seconds a shard waited more than 10 % of the time for its core \
             (worst {:.0} %): something else ran on it, or the hypervisor did",
            windows.len(),
            worst * 100.0
        )
    });
    match load {
        // A closed loop drives its core to the limit on purpose: lateness cannot be told from
        // load there, so a neighbour on the core is a doubt and no proof.
        Load::Closed => doubts.extend(delayed),
        Load::Open { .. } => {
            ours.extend(delayed);
            ours.extend(open_reasons(windows));
            ours.extend(totals.stall_reason());
        }
    }
    if !ours.is_empty() {
        return Trust { verdict: Verdict::GeneratorSaturated, reasons: ours };
    }
    doubts.push("whether the target was at its limit is not judged yet".to_owned());
    Trust { verdict: Verdict::Inconclusive, reasons: doubts }
}

fn open_reasons(windows: &[Window]) -> Vec<String> {
    let seconds = windows.len();
    let lag = spoilt(windows, |window| {
        let limit = LAG_FLOOR.max(Nanos(window.response_p99.0 / 10));
        (window.lag_p99 > limit).then(|| window.lag_p99.as_secs_f64())
    })
    .map(|(count, worst)| {
        format!(
            "in {count} of {seconds} seconds the schedule lag's p99 was above 1 ms and above 10 % \
             of the response time's (worst {:.1} ms): requests left late",
            worst * 1e3
        )
    });
    let busy = spoilt(windows, |window| (window.busy >= BUSY).then_some(window.busy));
    let busy = busy.map(|(count, worst)| {
        format!(
            "in {count} of {seconds} seconds a shard was busy 95 % of the time or more (worst \
             {:.0} %): use more shards (-t)",
            worst * 100.0
        )
    });
    let short = spoilt(windows, |window| {
        (window.achieved < ACHIEVED).then_some(1.0 - window.achieved)
    })
    .map(|(count, worst)| {
        format!(
            "in {count} of {seconds} seconds fewer than 99 % of the due requests were begun \
             although connections were free (worst {:.1} % missing)",
            worst * 100.0
        )
    });
    [lag, busy, short].into_iter().flatten().collect()
}

/// How many windows a sign spoils and the worst of them, if that is a tenth of them, and more than
/// one unless there is only one.
fn spoilt(windows: &[Window], sign: impl Fn(&Window) -> Option<f64>) -> Option<(usize, f64)> {
    let signs: Vec<f64> = windows.iter().filter_map(sign).collect();
    let worst = signs.iter().copied().fold(0.0, f64::max);
    let enough = signs.len() >= windows.len().clamp(1, 2) && signs.len() * 10 >= windows.len();
    enough.then_some((signs.len(), worst))
}

impl Totals {
    fn stall_reason(&self) -> Option<String> {
        (self.longest_stall >= STALL).then(|| {
            format!(
                "a shard stood still for {}: this process or its host was stopped, and what was \
                 due meanwhile left late",
                self.longest_stall
            )
        })
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.local_failures > 0 {
            reasons.push(format!(
                "{} operations failed by this host's own limits (ports, descriptors, memory)",
                self.local_failures
            ));
        }
        if self.no_buffers * 100 > self.replies && self.no_buffers > 100 {
            reasons.push(format!(
                "{} receives found no buffer free, more than 1 % of {} replies",
                self.no_buffers, self.replies
            ));
        }
        if self.overflows > 100 && self.overflows * 1_000 > self.replies {
            reasons.push(format!("the completion queue overflowed {} times", self.overflows));
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::{Load, Nanos, Totals, Verdict, Window, judge};
    use crate::stdx::units::Rate;

    const OPEN: Load =
        Load::Open { rate: Rate { milli_per_s: 1_000_000 }, patience: Nanos::from_secs(30) };

    fn healthy() -> Window {
        Window {
            lag_p99: Nanos::from_micros(90),
            response_p99: Nanos::from_micros(700),
            busy: 0.3,
            delayed: 0.01,
            stolen: 0.01,
            achieved: 1.0,
        }
    }

    fn verdict(load: &Load, bad: Window, of_twenty: usize) -> Verdict {
        let windows: Vec<Window> =
            (0..20).map(|n| if n < of_twenty { bad } else { healthy() }).collect();
        judge(load, &windows, &Totals { replies: 20_000, ..Totals::default() }).verdict
    }

    #[test]
    fn a_tenth_of_the_windows_spoils_an_open_run() {
        let late = Window { lag_p99: Nanos::from_millis(2), ..healthy() };
        let busy = Window { busy: 0.96, ..healthy() };
        let delayed = Window { delayed: 0.06, stolen: 0.06, ..healthy() };
        let short = Window { achieved: 0.98, ..healthy() };
        for bad in [late, busy, delayed, short] {
            assert_eq!(verdict(&OPEN, bad, 1), Verdict::Inconclusive, "{bad:?}");
            assert_eq!(verdict(&OPEN, bad, 2), Verdict::GeneratorSaturated, "{bad:?}");
        }
        assert_eq!(verdict(&OPEN, healthy(), 20), Verdict::Inconclusive);
    }

    #[test]
    fn lag_is_judged_against_the_response_time() {
        let slow = Window {
            lag_p99: Nanos::from_millis(2),
            response_p99: Nanos::from_millis(30),
            ..healthy()
        };
        assert_eq!(verdict(&OPEN, slow, 20), Verdict::Inconclusive);
    }

    #[test]
    fn a_closed_loop_may_be_busy() {
        let busy = Window { busy: 1.0, lag_p99: Nanos::from_millis(9), ..healthy() };
        assert_eq!(verdict(&Load::Closed, busy, 20), Verdict::Inconclusive);
        let totals = Totals { replies: 10, local_failures: 1, ..Totals::default() };
        let trust = judge(&Load::Closed, &[healthy()], &totals);
        assert_eq!(trust.verdict, Verdict::GeneratorSaturated);
    }
}
