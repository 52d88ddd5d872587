//! Named parts of the load: stages, and the levels of a sequence.

use super::page::{Ink, LABEL, Page};
use super::times::quantile;
use crate::metrics::Trend;
use crate::metrics::catalog::names;
use crate::report::document::{Document, PhaseSection};
use crate::report::figures::{harmless, percent, span, thousands};
use crate::report::metric::Metric;

/// Columns of a name, indentation included.
const NAME: usize = 17;

/// The phases that every run has are told by the whole.
const WHOLE: [&str; 2] = ["warmup", "load"];

/// A line for each, if there are any.
pub(super) fn table(page: &mut Page, document: &Document) {
    let named: Vec<&PhaseSection> =
        document.phases.iter().filter(|phase| !WHOLE.contains(&phase.name.as_str())).collect();
    if named.is_empty() && document.levels.is_empty() {
        return;
    }
    let titles =
        format!("{:>17}{:>11}{:>9}{:>12}{:>12}", "from .. to", "ended", "failed", "med", "p99");
    page.heading("PHASES", &format!("{}{titles}", " ".repeat(NAME - LABEL)));
    for phase in &named {
        let name = harmless(&phase.name, NAME - 3);
        let when = format!("{} .. {}", span(phase.from_s), span(phase.to_s));
        page.line(&format!("  {name:<width$}{when:>17}{}", figures(phase), width = NAME - 2));
    }
    let missed = document.levels.iter().filter(|level| !level.passed);
    for level in missed {
        let why = if level.reached { "missed its thresholds" } else { "was not reached" };
        let text = format!("level {} ({}) {why}", level.name, level.asked);
        page.wrapped("", &text, Ink::Red);
    }
}

/// Of requests where there are any, of WebSockets that were opened elsewhere, of messages else.
fn figures(phase: &PhaseSection) -> String {
    let metrics = &phase.metrics;
    let requests = metrics.get(names::HTTP_REQS).is_some();
    let times =
        [Trend::Duration.name(), names::WS_MSG_LATENCY, names::WS_PING, names::WS_CONNECTING];
    let times = times.iter().find_map(|name| match metrics.get(name) {
        Some(Metric::Trend(trend)) if trend.count > 0 => Some(trend),
        _ => None,
    });
    let Some(trend) = times else { return format!("{:>11}", 0) };
    let failed =
        if requests { percent(metrics.rate(names::HTTP_REQ_FAILED).rate) } else { "".into() };
    let (med, p99) = (quantile(trend, "med", trend.med), quantile(trend, "p99", trend.p99));
    format!("{:>11}{failed:>9}{med:>12}{p99:>12}", thousands(trend.count))
}
