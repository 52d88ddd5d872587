//! Loads: sessions, arrivals, how long, how connections are opened.

use super::{Compiler, not_yet};
use crate::plan::{Load, Opening, Until};
use crate::scenario::{self, Amount, Arrivals, Diagnostic, Length, Shape, Span, Spanned};
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// Sessions of an open load that says nothing of them, at most: more must be asked for.
const SESSIONS_MAX: u64 = 10_000;

/// A load as the plan has it.
pub(super) struct Compiled {
    pub(super) load: Load,
    pub(super) sessions: u32,
    pub(super) until: Until,
    pub(super) opening: Option<Opening>,
    /// Where the number of sessions stands.
    pub(super) place: Span,
}

impl Compiler<'_> {
    pub(super) fn load(&mut self, load: &scenario::Load) -> Option<Compiled> {
        if load.arrivals.value == Arrivals::Poisson {
            let diagnostic = not_yet("'arrivals: poisson'", load.arrivals.span, "even");
            self.add(diagnostic.help("leave it out: arrivals at equal distances"));
        }
        let until = self.until(&load.shape);
        let opening = load.open.map(|pace| Opening::Paced {
            count: self.count(pace.count),
            every: self.interval(pace.every, load.level.span),
        });
        let max = load.max.as_ref();
        let (kind, sessions) = match load.level.value {
            Amount::Connections(count) => {
                let wanted = Spanned::new(count, load.level.span);
                (Load::Closed, self.cut(&wanted, max))
            }
            Amount::Rate(rate) => self.open(&Spanned::new(rate, load.level.span), load),
        };
        let place = max.map_or(load.level.span, |max| max.span);
        Some(Compiled { load: kind, sessions, until: until?, opening, place })
    }

    fn until(&mut self, shape: &Shape) -> Option<Until> {
        match shape {
            Shape::Constant(span) => Some(Until::Elapsed(self.phase(span.value, span.span))),
            Shape::Stages(stages) => {
                let place = stages.first().map(|stage| match &stage.length {
                    Length::Linear(time) | Length::Doubling(time) | Length::Held(time) => time.span,
                });
                let help = "give a level that stays: for: 60s; or run the stages one by one";
                self.add(
                    not_yet("'stages'", place.unwrap_or_default(), "'for' instead of 'stages'")
                        .help(help),
                );
                None
            }
            Shape::Search(search) => {
                let help = "try the levels one by one: for: 60s";
                let place = search.to.span;
                self.add(not_yet("'search'", place, "'for' instead of 'search'").help(help));
                None
            }
            Shape::Adapt(adapt) => {
                let help = "give a level that stays: for: 60s";
                let place = adapt.to.span;
                self.add(not_yet("'adapt'", place, "'for' instead of 'adapt'").help(help));
                None
            }
        }
    }

    /// Connections, cut to the most that the file allows.
    fn cut(&mut self, wanted: &Spanned<u64>, max: Option<&Spanned<u64>>) -> u32 {
        let Some(max) = max.filter(|max| wanted.value > max.value) else {
            return self.count(wanted.value);
        };
        let what = format!("{} connections are cut to {}", wanted.value, max.value);
        let expected = format!("at most {} by 'max'", max.value);
        let help = format!("raise it to have them all: max: {}", wanted.value);
        let warning = Diagnostic::new(wanted.span, what, expected).also(max.span, "the limit");
        self.warnings.add(warning.help(help).warning());
        self.count(max.value)
    }

    /// Arrivals, and the sessions that carry them out: by Little's law there are rate × timeout
    /// of them at once at most, when each takes as long as it may.
    fn open(&mut self, rate: &Spanned<Rate>, load: &scenario::Load) -> (Load, u32) {
        let rate = self.rate(rate);
        let patience = load.patience.as_ref().map(|it| self.within_timeouts(it));
        let patience = self.options.patience.or(patience).unwrap_or(self.plan.timeout);
        let sessions = match &load.max {
            Some(max) => self.count(max.value),
            None => little(rate, self.plan.timeout),
        };
        (Load::Open { rate, patience }, sessions)
    }
}

fn little(rate: Rate, time: Nanos) -> u32 {
    let at_once = u128::from(rate.milli_per_s) * u128::from(time.0) / 1_000_000_000_000;
    u32::try_from(at_once.clamp(1, u128::from(SESSIONS_MAX))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Rate, little};

    #[test]
    fn sessions_by_littles_law() {
        let thirty = Nanos::from_secs(30);
        assert_eq!(little(Rate { milli_per_s: 10_000 }, thirty), 300);
        assert_eq!(little(Rate { milli_per_s: 1 }, thirty), 1);
        assert_eq!(little(Rate { milli_per_s: 5_000_000 }, thirty), 10_000);
    }
}
