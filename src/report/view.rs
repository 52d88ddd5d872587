//! The metrics of a view: the run, a phase, a workload, a group, a request.

use super::keyed::Keyed;
use super::metric::{
    self, CounterFigures, GaugeFigures, Metric, Metrics, RateFigures, TrendFigures,
};
use crate::metrics::catalog::names;
use crate::metrics::{Leaf, Trend};
use crate::plan::Phase;
use crate::verdict::measured::{Origin, Part, Recorded, Role, origins, role};
use crate::verdict::threshold::Samples;

/// All metrics of a part of what was recorded.
pub(super) fn metrics<'a>(recorded: &Recorded<'a>, part: Part<'a>) -> Metrics {
    let mut pairs = Vec::new();
    for (name, origin) in origins(recorded.plan, part) {
        let Some(samples) = recorded.of(origin, part) else { continue };
        let is_failed = origin == Origin::RequestsFailed;
        let figures = match figures(&samples, origin) {
            Metric::Trend(times) if is_headline(origin, part) => {
                Metric::Trend(times.with_intervals(&recorded.delta.blocks))
            }
            figures => figures,
        };
        pairs.push((name, figures));
        if is_failed {
            let table = requests(recorded, part);
            let codes = table.statuses().map(|(code, count)| (code.to_string(), count));
            pairs.push((names::STATUS_CODES.to_owned(), Metric::Statuses(codes.collect())));
        }
    }
    Keyed(pairs)
}

/// The leaves of requests in a part, added up.
pub(super) fn requests<'a>(recorded: &Recorded<'a>, part: Part<'a>) -> Leaf {
    let Recorded { plan, delta, .. } = *recorded;
    let mut total = Leaf::default();
    let requests = part.leaves(plan).filter(|leaf| role(plan, *leaf) == Role::Request);
    let ids = requests.flat_map(|leaf| plan.ids(part.phase, leaf));
    let leaves = ids.filter_map(|id| delta.get(id));
    leaves.for_each(|leaf| total.add(leaf));
    total
}

/// Whether it is the response time of all requests of the load, which is kept by the second.
fn is_headline(origin: Origin, part: Part<'_>) -> bool {
    let times = Origin::Times(Role::Request, Trend::Duration);
    origin == times && part.is_whole() && part.phase == Phase::Load
}

fn figures(samples: &Samples<'_>, origin: Origin) -> Metric {
    match samples {
        Samples::Times(times) => Metric::Trend(TrendFigures::of(times)),
        Samples::Count(count, span) => {
            let (unit, rate) = (unit(origin).to_owned(), metric::per_second(*count, *span));
            Metric::Counter(CounterFigures { unit, count: *count, rate })
        }
        Samples::Share(passes, fails) => {
            let (passes, fails) = (*passes, *fails);
            let share = match passes + fails {
                // Nothing was checked: nothing is missing.
                0 if origin == Origin::Checks => 1.0,
                0 => 0.0,
                all => metric::round6(passes as f64 / all as f64),
            };
            Metric::Rate(RateFigures { passes, fails, rate: share })
        }
        Samples::Level([min, max, value]) => Metric::Gauge(GaugeFigures {
            unit: "sessions".to_owned(),
            value: *value,
            min: *min,
            max: *max,
        }),
    }
}

/// Of what a counter counts, in the plural.
const fn unit(origin: Origin) -> &'static str {
    match origin {
        Origin::Replies => "requests",
        Origin::Received | Origin::Sent => "bytes",
        Origin::Counter(counter) => counter.unit(),
        Origin::Errors(_) => "errors",
        // Nothing else is counted.
        _ => "iterations",
    }
}
