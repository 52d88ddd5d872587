//! What was asked for: thresholds and checks.

use super::page::{Ink, LABEL, Page, WIDTH};
use super::sections::counted;
use crate::metrics::catalog::names;
use crate::report::document::{Document, ThresholdRow};
use crate::report::figures::{harmless, per_second, percent, plural, thousands, time};

/// Checks that are shown; all of them are in `summary.json`.
const CHECKS_SHOWN: usize = 20;

/// Columns of a check's name, indentation included.
const NAME: usize = WIDTH - 2 * 13 - 12;

pub(super) fn thresholds(page: &mut Page, document: &Document) {
    if document.thresholds.is_empty() {
        return;
    }
    page.heading("THRESHOLDS", "");
    for row in &document.thresholds {
        let (ink, word) = if row.passed { (Ink::Plain, "ok") } else { (Ink::Red, "FAILED") };
        let (text, found) = (&row.text, found(row));
        let together = format!("{text}: {found}");
        if together.chars().count() <= WIDTH - LABEL {
            page.wrapped(word, &together, ink);
        } else {
            page.wrapped(word, text, ink);
            page.wrapped("", &found, ink);
        }
    }
}

/// What was measured, on how much; or why nothing was.
fn found(row: &ThresholdRow) -> String {
    let samples = plural(row.samples, "sample");
    let number = |value: f64| match row.unit.as_str() {
        "ms" => time(value),
        "share" => percent(value),
        "/s" => per_second(value),
        _ => format!("{value}"),
    };
    let value = row.value.map(|value| match row.unit.as_str() {
        "ms" => format!("{} on {samples}", number(value)),
        "share" => format!("{} of {samples}", number(value)),
        _ => number(value),
    });
    let limit = row.limit.map(|limit| format!("compared with {}", number(limit)));
    let parts: Vec<String> = value.into_iter().chain(limit).chain(row.reason.clone()).collect();
    parts.join("; ")
}

pub(super) fn checks(page: &mut Page, document: &Document) {
    let checks = document.metrics.rate(names::CHECKS);
    if checks.passes + checks.fails == 0 && document.checks.is_empty() {
        return;
    }
    page.heading("CHECKS", "");
    page.row("held", &counted(checks.passes, &percent(checks.rate)));
    page.row("failed", &counted(checks.fails, &percent(1.0 - checks.rate)));
    for row in document.checks.iter().take(CHECKS_SHOWN) {
        let all = row.passes + row.fails;
        let share = match all {
            0 => "never came to it".to_owned(),
            all => format!("{} of {}", percent(row.passes as f64 / all as f64), thousands(all)),
        };
        let (name, width) = (harmless(&row.name, NAME - 3), NAME - 2);
        page.line(&format!("  {name:<width$}{share:>24}"));
    }
    let more = document.checks.len().saturating_sub(CHECKS_SHOWN) as u64;
    if more > 0 {
        page.row("", &format!("and {} in the JSON", plural(more, "more check")));
    }
}
