//! Was it us? Whether the numbers are the target's, ours, or nobody's.
//!
//! Judged on windows of one second after the warm-up. A sign counts when a tenth of the windows
//! shows it, and two of them: one bad second is an accident. The first that applies:
//!
//! | verdict               | when                                                                |
//! |-----------------------|---------------------------------------------------------------------|
//! | `generator_saturated` | local failures, buffers or the completion queue short; by the clock |
//! |                       | also: lag, busy shards, waiting for a core, throttling, fewer begun |
//! |                       | than due although connections were free, a shard that stood still   |
//! | `target_saturated`    | by the clock: arrivals waited longer for a connection than for its  |
//! |                       | reply, or were dropped; or response times grow at a constant rate   |
//! | `inconclusive`        | fewer than [`ENOUGH`] windows, no reply, a neighbour on the core of |
//! |                       | a closed loop, sums or Little's law that do not hold, a broken run  |
//! | `valid`               | none of these; the reasons say what was judged                      |
//!
//! A closed loop without think time keeps its core busy on purpose and loads the target as fast as
//! it answers: neither lateness nor a limit of the target can be told from that, so it is judged on
//! the rest, and the reasons name what was not. Little's law (L = λW; Little 1961) is taken over
//! all that was ever in flight, from nothing to nothing: there it holds without a steady state, so
//! that what is off by more than [`LITTLE`] is our accounting.

use super::growth::{Growth, growth};
use crate::metrics::{Delta, Trend};
use crate::plan::{Instruction, Load, Plan, Workload};
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
    /// All of them: the closed list of keys.
    pub const ALL: [Self; 4] =
        [Self::Valid, Self::GeneratorSaturated, Self::TargetSaturated, Self::Inconclusive];

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

/// What one window of a second shows about ourselves and about the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// 99th percentile of the schedule lag.
    pub lag_p99: Nanos,
    /// Median of the response time.
    pub response_p50: Nanos,
    /// 99th percentile of the response time.
    pub response_p99: Nanos,
    /// 99th percentile of the time that arrivals waited for a connection.
    pub blocked_p99: Nanos,
    /// 99th percentile of the service time.
    pub service_p99: Nanos,
    /// Largest share of the window that a shard's thread was at work on its core, 0 to 1. Time that
    /// it spun on purpose is not in it.
    pub busy: f64,
    /// Largest share that a shard's thread was ready and had to wait for its core, 0 to 1.
    pub delayed: f64,
    /// Share that the hypervisor took from the shards' cores, 0 to 1.
    pub stolen: f64,
    /// Share that the control group's CPU quota kept the shards from their cores, 0 to 1.
    pub throttled: f64,
    /// Begun over due, when connections were free; else 1.
    pub achieved: f64,
    /// Arrivals that were due, per second; none where operations are no arrivals.
    pub asked: Option<f64>,
    /// Whether a due arrival found no connection free.
    pub starved: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            lag_p99: Nanos::ZERO,
            response_p50: Nanos::ZERO,
            response_p99: Nanos::ZERO,
            blocked_p99: Nanos::ZERO,
            service_p99: Nanos::ZERO,
            busy: 0.0,
            delayed: 0.0,
            stolen: 0.0,
            throttled: 0.0,
            achieved: 1.0,
            asked: None,
            starved: false,
        }
    }
}

/// What the whole run shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Replies on the wire.
    pub replies: u64,
    /// Operations that fell due.
    pub scheduled: u64,
    /// Of them, those that found nothing free within their patience.
    pub dropped: u64,
    /// Receives that found no buffer.
    pub no_buffers: u64,
    /// Completions that had to wait in the kernel: how often.
    pub overflows: u64,
    /// Failures by our own fault: ports, descriptors, memory.
    pub local_failures: u64,
    /// The longest time that a shard was neither at work nor meant to wait.
    pub longest_stall: Nanos,
    /// Both sides of Little's law, warm-up included.
    pub little: Little,
    /// The first identity of the accounting that does not hold.
    pub unreconciled: Option<String>,
    /// What of ours failed, if so.
    pub broke: Option<String>,
}

/// Both sides of Little's law, times the span they are taken over, in operation-nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Little {
    /// L·T: the integral of operations in flight, counted by the shards.
    pub in_flight: u128,
    /// λ·W·T: the sum of the times in flight (connect + lag + service) that histograms hold, and of
    /// those that none holds.
    pub times: u128,
    /// T: what both are taken over.
    pub span: Nanos,
    /// How far the rounding of histograms may put the sum off: 1 us for each of its parts.
    pub rounding: u128,
}

/// Fewer windows than this are an impression.
pub const ENOUGH: usize = 5;
/// The least lag that can matter.
const LAG_FLOOR: Nanos = Nanos::from_millis(1);
/// A shard busier than this has no time to be punctual.
const BUSY: f64 = 0.95;
/// More waiting for a core than this is felt in every percentile.
const DELAYED: f64 = 0.10;
/// Less of the asked rate than this is another experiment.
const ACHIEVED: f64 = 0.99;
/// More dropped arrivals than this share are no accident.
const DROPPED: f64 = 0.01;
/// Both sides of Little's law agree within this share.
pub const LITTLE: f64 = 0.02;

/// A shard that stood still for so long has spoilt every high percentile of a run of minutes.
const STALL: Nanos = Nanos::from_millis(250);

/// The load that a plan of any workloads is judged as. One closed loop without think time and
/// without a fleet drives its core to the limit on purpose, whatever runs beside it; a fleet speaks
/// by the clock, as arrivals come, and so does, in effect, who thinks.
#[must_use]
pub fn load_of(plan: &Plan) -> Load {
    let thinks = |instruction: &Instruction| matches!(instruction, Instruction::Think { .. });
    let restless = |workload: &Workload| {
        workload.fleet.is_none()
            && workload.load == Load::Closed
            && !workload.program.instructions.iter().any(thinks)
    };
    if plan.workloads.iter().any(restless) {
        return Load::Closed;
    }
    let open = plan.workloads.iter().map(|it| it.load).find(|load| *load != Load::Closed);
    let by_clock = Load::Open { rate: Rate { milli_per_s: 0 }, patience: Nanos::ZERO };
    open.unwrap_or(by_clock)
}

/// Judges a run.
#[must_use]
pub fn judge(load: &Load, windows: &[Window], totals: &Totals) -> Trust {
    let mut ours = totals.reasons();
    let mut doubts = totals.doubts(windows.len());
    let kept_away: Vec<String> =
        [delayed_reason(windows), throttled_reason(windows)].into_iter().flatten().collect();
    let by_clock = *load != Load::Closed;
    if by_clock {
        ours.extend(kept_away);
        ours.extend(clock_reasons(windows));
        ours.extend(totals.stall_reason());
    } else {
        // Lateness cannot be told from load there, so a neighbour on the core is no proof.
        doubts.extend(kept_away);
    }
    if !ours.is_empty() {
        return Trust { verdict: Verdict::GeneratorSaturated, reasons: ours };
    }
    let theirs = if by_clock { target_reasons(windows, totals) } else { Vec::new() };
    if !theirs.is_empty() {
        return Trust { verdict: Verdict::TargetSaturated, reasons: theirs };
    }
    if !doubts.is_empty() {
        return Trust { verdict: Verdict::Inconclusive, reasons: doubts };
    }
    Trust { verdict: Verdict::Valid, reasons: vec![judged(by_clock, windows, totals)] }
}

/// What a valid verdict rests on.
fn judged(by_clock: bool, windows: &[Window], totals: &Totals) -> String {
    let most = |of: fn(&Window) -> f64| windows.iter().map(of).fold(0.0, f64::max);
    let busy = most(|window| window.busy) * 100.0;
    let away = most(|window| window.delayed + window.stolen) * 100.0;
    let lag = most(|window| window.lag_p99.as_secs_f64()) * 1e3;
    let seconds = windows.len();
    let off = totals.little.off() * 100.0;
    if by_clock {
        return format!(
            "{seconds} seconds were judged: the schedule lag's p99 was {lag:.1} ms at most, a \
             shard was busy {busy:.0} % of a second at most and waited {away:.0} % for its core; \
             operations in flight and response times agree within {off:.2} %"
        );
    }
    format!(
        "{seconds} seconds were judged on limits of this host, the completion queue, buffers, \
         accounting, and operations in flight against response times (they agree within \
         {off:.2} %); a closed loop without think time is as fast as its replies, so its lag, its \
         busy shards ({busy:.0} %) and whether the target was at its limit are not judged"
    )
}

fn delayed_reason(windows: &[Window]) -> Option<String> {
    let delayed = spoilt(windows, |window| {
        (window.delayed + window.stolen > DELAYED).then_some(window.delayed + window.stolen)
    });
    delayed.map(|(count, worst)| {
        format!(
            "in {count} of {} seconds a shard waited more than 10 % of the time for its core \
             (worst {:.0} %): something else ran on it, or the hypervisor did",
            windows.len(),
            worst * 100.0
        )
    })
}

fn throttled_reason(windows: &[Window]) -> Option<String> {
    let throttled =
        spoilt(windows, |window| (window.throttled > DELAYED).then_some(window.throttled));
    throttled.map(|(count, worst)| {
        format!(
            "in {count} of {} seconds the control group's CPU quota kept the shards from their \
             cores for more than 10 % of the time (worst {:.0} %): raise its cpu.max",
            windows.len(),
            worst * 100.0
        )
    })
}

fn clock_reasons(windows: &[Window]) -> Vec<String> {
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

/// Signs that the target was at its limit, where ours was not reached.
#[expect(clippy::cast_precision_loss, reason = "a share, shown with one digit")]
fn target_reasons(windows: &[Window], totals: &Totals) -> Vec<String> {
    let seconds = windows.len();
    let waited = spoilt(windows, |window| {
        let limit = LAG_FLOOR.max(window.service_p99);
        (window.starved && window.blocked_p99 > limit).then(|| window.blocked_p99.as_secs_f64())
    })
    .map(|(count, worst)| {
        format!(
            "in {count} of {seconds} seconds arrivals waited longer for a connection than for \
             their reply (p99, worst {:.1} ms): at this rate the target needs more time, or more \
             connections, than it was given",
            worst * 1e3
        )
    });
    let dropped = totals.dropped as f64 / totals.scheduled.max(1) as f64;
    let dropped = (dropped >= DROPPED).then(|| {
        format!(
            "{} of {} arrivals were dropped ({:.1} %): no connection became free within their \
             patience",
            totals.dropped,
            totals.scheduled,
            dropped * 100.0
        )
    });
    let grows = growth(windows).map(|Growth { from, to }| {
        format!(
            "at a constant rate the response time's median grew over {seconds} seconds from {from} \
             to {to}: the target takes on more than it ends"
        )
    });
    [waited, dropped, grows].into_iter().flatten().collect()
}

/// How many windows a sign spoils and the worst of them, if that is a tenth of them, and more than
/// one unless there is only one.
fn spoilt(windows: &[Window], sign: impl Fn(&Window) -> Option<f64>) -> Option<(usize, f64)> {
    let signs: Vec<f64> = windows.iter().filter_map(sign).collect();
    let worst = signs.iter().copied().fold(0.0, f64::max);
    let enough = signs.len() >= windows.len().clamp(1, 2) && signs.len() * 10 >= windows.len();
    enough.then_some((signs.len(), worst))
}

impl Little {
    /// Of all that was recorded since `start`, when nothing is in flight any more.
    #[must_use]
    pub fn of(total: &Delta, start: Nanos) -> Self {
        let mut times = total.unanswered_ns;
        let mut rounding = 0;
        for (_, leaf) in total.leaves() {
            for part in [Trend::Connecting, Trend::Lag, Trend::Service] {
                let part = leaf.trend(part);
                times += part.sum_ns();
                rounding += u128::from(part.count()) * 1_000;
            }
        }
        Self { in_flight: total.in_flight_ns, times, span: total.last_end.since(start), rounding }
    }

    /// By which share the two sides differ, rounding apart.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of a share")]
    pub fn off(&self) -> f64 {
        let apart = self.in_flight.abs_diff(self.times).saturating_sub(self.rounding);
        apart as f64 / self.in_flight.max(self.times).max(1) as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    fn doubt(&self) -> Option<String> {
        let mean = |sum: u128| sum as f64 / self.span.0.max(1) as f64;
        (self.off() > LITTLE).then(|| {
            format!(
                "Little's law does not hold: {:.2} operations were in flight on average, but rate \
                 times time in flight is {:.2} ({:.1} % apart, 2 % are allowed)",
                mean(self.in_flight),
                mean(self.times),
                self.off() * 100.0
            )
        })
    }
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

    fn doubts(&self, windows: usize) -> Vec<String> {
        let short = (windows < ENOUGH)
            .then(|| format!("{windows} seconds were measured; a verdict needs {ENOUGH}"));
        let silent = (self.replies == 0).then(|| "no reply came, so there are no times".to_owned());
        let broke = self.broke.as_ref().map(|what| format!("a part of the run is missing: {what}"));
        let sums = self.unreconciled.as_ref();
        let sums = sums.map(|what| format!("the accounting does not add up: {what}"));
        [short, silent, broke, sums, self.little.doubt()].into_iter().flatten().collect()
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
    use super::{ENOUGH, Little, Load, Nanos, Totals, Verdict, Window, judge};
    use crate::stdx::units::Rate;

    const OPEN: Load =
        Load::Open { rate: Rate { milli_per_s: 1_000_000 }, patience: Nanos::from_secs(30) };

    fn healthy() -> Window {
        Window {
            lag_p99: Nanos::from_micros(90),
            response_p50: Nanos::from_micros(500),
            response_p99: Nanos::from_micros(700),
            service_p99: Nanos::from_micros(650),
            busy: 0.3,
            delayed: 0.01,
            stolen: 0.01,
            asked: Some(1_000.0),
            ..Window::default()
        }
    }

    fn totals() -> Totals {
        Totals { replies: 20_000, scheduled: 20_000, ..Totals::default() }
    }

    fn verdict(load: &Load, bad: Window, of_twenty: usize) -> Verdict {
        let windows: Vec<Window> =
            (0..20).map(|n| if n < of_twenty { bad } else { healthy() }).collect();
        let trust = judge(load, &windows, &totals());
        assert!(!trust.reasons.is_empty(), "a verdict has its reasons: {bad:?}");
        trust.verdict
    }

    fn of_totals(load: &Load, totals: &Totals) -> Verdict {
        judge(load, &[healthy(); 20], totals).verdict
    }

    #[test]
    fn a_tenth_of_the_windows_spoils_an_open_run() {
        let late = Window { lag_p99: Nanos::from_millis(2), ..healthy() };
        let busy = Window { busy: 0.96, ..healthy() };
        let delayed = Window { delayed: 0.06, stolen: 0.06, ..healthy() };
        let throttled = Window { throttled: 0.11, ..healthy() };
        let short = Window { achieved: 0.98, ..healthy() };
        for bad in [late, busy, delayed, throttled, short] {
            assert_eq!(verdict(&OPEN, bad, 1), Verdict::Valid, "{bad:?}");
            assert_eq!(verdict(&OPEN, bad, 2), Verdict::GeneratorSaturated, "{bad:?}");
        }
        assert_eq!(verdict(&OPEN, healthy(), 20), Verdict::Valid);
    }

    #[test]
    fn lag_is_judged_against_the_response_time() {
        let slow = Window {
            lag_p99: Nanos::from_millis(2),
            response_p99: Nanos::from_millis(30),
            ..healthy()
        };
        assert_eq!(verdict(&OPEN, slow, 20), Verdict::Valid);
    }

    #[test]
    fn who_waits_for_connections_meets_a_saturated_target() {
        let waited = Window { starved: true, blocked_p99: Nanos::from_millis(40), ..healthy() };
        assert_eq!(verdict(&OPEN, waited, 1), Verdict::Valid, "a stall of one second");
        assert_eq!(verdict(&OPEN, waited, 2), Verdict::TargetSaturated);
        let shorter = Window { blocked_p99: Nanos::from_micros(600), ..waited };
        assert_eq!(verdict(&OPEN, shorter, 20), Verdict::Valid, "shorter than the service");
        let ours = Window { busy: 0.99, ..waited };
        assert_eq!(verdict(&OPEN, ours, 20), Verdict::GeneratorSaturated, "ours comes first");
        assert_eq!(verdict(&Load::Closed, waited, 20), Verdict::Valid, "none arrives there");
        assert_eq!(
            of_totals(&OPEN, &Totals { dropped: 200, ..totals() }),
            Verdict::TargetSaturated
        );
        assert_eq!(of_totals(&OPEN, &Totals { dropped: 199, ..totals() }), Verdict::Valid);
    }

    #[test]
    fn a_closed_loop_may_be_busy() {
        let busy = Window { busy: 1.0, lag_p99: Nanos::from_millis(9), ..healthy() };
        assert_eq!(verdict(&Load::Closed, busy, 20), Verdict::Valid);
        let beside = Window { delayed: 0.2, ..busy };
        assert_eq!(verdict(&Load::Closed, beside, 20), Verdict::Inconclusive);
        let reasons = judge(&Load::Closed, &[busy; 9], &totals()).reasons;
        assert!(reasons[0].contains("not judged"), "{reasons:?}");
    }

    #[test]
    fn own_limits_spoil_any_load() {
        let local = Totals { local_failures: 1, ..totals() };
        let buffers = Totals { no_buffers: 201, ..totals() };
        let queue = Totals { overflows: 101, ..totals() };
        for spoilt in [local, buffers, queue] {
            for load in [OPEN, Load::Closed] {
                assert_eq!(of_totals(&load, &spoilt), Verdict::GeneratorSaturated, "{spoilt:?}");
            }
        }
        let stood = Totals { longest_stall: Nanos::from_millis(250), ..totals() };
        assert_eq!(of_totals(&OPEN, &stood), Verdict::GeneratorSaturated);
    }

    #[test]
    fn doubts_are_no_verdict_on_anybody() {
        let apart =
            Little { in_flight: 1_000_000, times: 1_031_000, span: Nanos(1_000), rounding: 1_000 };
        let within = Little { times: 1_020_000, ..apart };
        assert_eq!(of_totals(&OPEN, &Totals { little: within, ..totals() }), Verdict::Valid);
        let doubtful = [
            Totals { little: apart, ..totals() },
            Totals { replies: 0, ..totals() },
            Totals { unreconciled: Some("1 != 2".into()), ..totals() },
            Totals { broke: Some("shard 0 is gone".into()), ..totals() },
        ];
        for totals in doubtful {
            assert_eq!(of_totals(&OPEN, &totals), Verdict::Inconclusive, "{totals:?}");
        }
        for (seconds, verdict) in [(ENOUGH - 1, Verdict::Inconclusive), (ENOUGH, Verdict::Valid)] {
            let windows = vec![healthy(); seconds];
            assert_eq!(judge(&OPEN, &windows, &totals()).verdict, verdict, "{seconds} s");
        }
    }
}
