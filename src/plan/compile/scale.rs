//! Scales and bounds of numbers: what a trial makes smaller, and what no run can hold.

use super::Compiler;
use crate::metrics::histogram::LONGEST;
use crate::plan::think::{THINK_MAX, Think, Times};
use crate::scenario::{self, Amount, Diagnostic, Span, Spanned, ThinkTimes};
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// Longest run, pause or interval: a year.
const RUN_MAX: Nanos = Nanos::from_secs(366 * 86_400);
/// Most arrivals a second: beyond what any machine makes.
const RATE_MAX: Rate = Rate { milli_per_s: 10_000_000_000 };
/// Phases are not scaled below this.
const PHASE_MIN: Nanos = Nanos::from_secs(1);
/// Shortest load and interval: a tick of the timing wheel.
const SHORTEST: Nanos = Nanos::from_millis(1);

impl Compiler<'_> {
    /// So many, on this scale; at least one.
    pub(super) fn count(&self, count: u64) -> u32 {
        let scaled = scaled(count, self.options.scale_load).max(u64::from(count > 0));
        u32::try_from(scaled).unwrap_or(u32::MAX)
    }

    /// So many a second, on this scale.
    pub(super) fn rate(&mut self, rate: &Spanned<Rate>) -> Rate {
        if rate.value > RATE_MAX {
            let what = format!("{}/s is too fast", rate.value.per_second());
            self.add(Diagnostic::new(rate.span, what, "at most 10M/s"));
        }
        Rate { milli_per_s: scaled(rate.value.milli_per_s, self.options.scale_load).max(1) }
    }

    /// The length of a phase: not below a second, where it was not shorter before.
    pub(super) fn phase(&mut self, span: Nanos, place: Span) -> Nanos {
        self.bounded(span, RUN_MAX, place);
        if span < SHORTEST {
            let what = format!("{span} is too short to measure anything");
            self.add(Diagnostic::new(place, what, format!("at least {SHORTEST}")));
        }
        self.time(span).max(span.min(PHASE_MIN))
    }

    /// How long until something happens again.
    pub(super) fn interval(&mut self, span: Nanos, place: Span) -> Nanos {
        self.bounded(span, RUN_MAX, place);
        self.time(span).max(span.min(SHORTEST))
    }

    /// A pause, which may be nothing.
    pub(super) fn pause(&mut self, span: Nanos, place: Span) -> Nanos {
        self.bounded(span, RUN_MAX, place);
        self.time(span)
    }

    /// How long pauses are: each length of the distribution on the scale of time.
    pub(super) fn think(&mut self, think: &scenario::Think, place: Span) -> Think {
        let drawn = |compiler: &mut Self, span: &Spanned<Nanos>| {
            compiler.bounded(span.value, THINK_MAX, span.span);
            compiler.time(span.value)
        };
        let most = think.max.as_ref().map_or(THINK_MAX, |max| drawn(self, max));
        let times = match &think.times {
            ThinkTimes::Even { least, most } => {
                return Think::even(self.pause(*least, place), self.pause(*most, place));
            }
            ThinkTimes::Exponential(mean) => Times::Exponential { mean: drawn(self, mean) },
            ThinkTimes::Lognormal { median, sigma } => {
                Times::Lognormal { median: drawn(self, median), sigma: *sigma }
            }
            ThinkTimes::Quantiles(points) => {
                Times::Quantiles(points.iter().map(|point| drawn(self, point)).collect())
            }
        };
        Think { times, most }
    }

    /// In the open model a pause behind the only request of an arrival spaces nothing: the next
    /// one is due by the clock.
    pub(super) fn thinks_between(&mut self, workload: &scenario::Workload) {
        let level = workload.load.as_ref().map(|load| &load.level);
        if let (Some(think), Some(Spanned { value: Amount::Rate(_), span })) =
            (&workload.think, level)
        {
            let what = "a pause behind each request, where the clock says when the next one is due";
            let help = "remove 'think', or say how many users there are: connections: 50";
            let diagnostic = Diagnostic::new(think.span, what, "only beside 'connections'");
            self.add(diagnostic.also(*span, "the clock").help(help));
        }
    }

    /// The life of a token: on no scale.
    pub(super) fn life(&mut self, life: &Spanned<Nanos>) -> Nanos {
        self.bounded(life.value, RUN_MAX, life.span);
        life.value
    }

    fn time(&self, span: Nanos) -> Nanos {
        Nanos(scaled(span.0, self.options.scale_time))
    }

    /// A timeout: on no scale, and within what histograms hold.
    pub(super) fn within_timeouts(&mut self, timeout: &Spanned<Nanos>) -> Nanos {
        self.bounded(timeout.value, LONGEST, timeout.span);
        if timeout.value < SHORTEST {
            let what = format!("{} is too short for any reply", timeout.value);
            self.add(Diagnostic::new(timeout.span, what, format!("at least {SHORTEST}")));
        }
        timeout.value
    }

    /// The timeout of all requests that say nothing else.
    pub(super) fn timeout_of_all(&mut self) -> Nanos {
        const DEFAULT: Nanos = Nanos::from_secs(30);
        let written = self.scenario.timeout.as_ref();
        let written = written.map_or(DEFAULT, |timeout| self.within_timeouts(timeout));
        self.options.timeout.unwrap_or(written)
    }

    /// A span that was worked out: no longer than a run may be.
    pub(super) fn bounded_run(&mut self, span: Nanos, place: Span) {
        self.bounded(span, RUN_MAX, place);
    }

    fn bounded(&mut self, span: Nanos, most: Nanos, place: Span) {
        if span > most {
            let what = format!("{span} is too long");
            self.add(Diagnostic::new(place, what, format!("at most {most}")));
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a scaled number is rounded; scales are more than 0, and the cast saturates"
)]
fn scaled(number: u64, scale: f64) -> u64 {
    if (scale - 1.0).abs() < f64::EPSILON { number } else { (number as f64 * scale).round() as u64 }
}
