//! The capacity that a search found.

use super::page::{Ink, Page};
use crate::report::document::{Document, SearchSection};
use crate::report::figures::{span, thousands};

/// The figure first, then what it rests on.
pub(super) fn section(page: &mut Page, document: &Document) {
    let Some(search) = &document.search else { return };
    let titles = format!("{:>14}{:>14}{:>14}", "a second", "in flight", "measured");
    page.heading("CAPACITY", "");
    let (ink, text) = conclusion(search);
    page.wrapped("", &text, ink);
    page.row("level", &titles);
    for trial in &search.trials {
        let level = amount(trial.level, &search.unit);
        let figures = format!(
            "{:>14}{:>14}{:>14}   {}",
            format!("{:.1}", trial.throughput_per_s),
            format!("{:.2}", trial.concurrency),
            span(trial.span_s),
            trial.verdict
        );
        page.row(&level, &figures);
    }
    if let Some(law) = &search.law
        && let (Some(peak), Some(best)) = (law.peak, law.best_per_s)
    {
        let mark = if law.extrapolated { " (extrapolated)" } else { "" };
        let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |end| format!("{end:.1}"));
        let range = law
            .peak_range
            .map_or_else(String::new, |[low, high]| format!(" [{} .. {}]", end(low), end(high)));
        let text = format!(
            "by the Universal Scalability Law throughput peaks at {best:.0}/s with \
             {peak:.1}{range} \
             operations in flight{mark}; contention {:.4}, coherency {:.6}",
            law.contention, law.coherency
        );
        page.wrapped("law", &text, Ink::Plain);
    }
    for note in &search.notes {
        page.wrapped("", &format!("- {note}"), Ink::Plain);
    }
}

fn conclusion(search: &SearchSection) -> (Ink, String) {
    let unit = &search.unit;
    match (search.end.as_str(), search.holds) {
        ("found", Some(holds)) => {
            let least = if search.ceiling.as_deref() == Some("none") { "at least " } else { "" };
            let holds = amount(holds, unit);
            let breaks = search
                .breaks
                .map_or_else(String::new, |level| format!(", {} did not", amount(level, unit)));
            let sure = if search.confirmed { "" } else { " (seen only once)" };
            (Ink::Bold, format!("{least}{holds} held what was asked for{breaks}{sure}"))
        }
        ("doomed", _) => (Ink::Red, "no level held what was asked for".to_owned()),
        _ => (Ink::Yellow, "the run ended before the search did".to_owned()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "connections are whole and not negative"
)]
fn amount(level: f64, unit: &str) -> String {
    if unit == "connections" { thousands(level as u64) } else { format!("{level}/s") }
}
