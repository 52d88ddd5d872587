//! What a plan may have beyond requests: WebSockets, users with tokens, times of its own.

use super::page::{Ink, LABEL, Page, WIDTH};
use super::sections::counted;
use super::times::quantile;
use crate::metrics::Counter;
use crate::metrics::catalog::names;
use crate::report::build::Report;
use crate::report::document::Document;
use crate::report::figures::{harmless, per_second, thousands, time};
use crate::report::metric::{Metric, TrendFigures};
use crate::verdict::measured::Errors;

/// Columns of one time: as wide as `n too small` and a space.
const CELL: usize = 12;

/// Columns of the name of a time.
const NAME: usize = WIDTH - 10 - 4 * CELL;

/// A counter of the run, if it has that one.
fn counter(document: &Document, counter: Counter) -> Option<(u64, f64)> {
    match document.metrics.get(counter.name()) {
        Some(Metric::Counter(figures)) => Some((figures.count, figures.rate)),
        _ => None,
    }
}

/// Rows of counters, those that this run cannot have left out.
fn counters(page: &mut Page, document: &Document, rows: &[(&str, Counter, &str)]) {
    for (label, which, what) in rows {
        let Some((count, rate)) = counter(document, *which) else { continue };
        let rest = if what.is_empty() { per_second(rate) } else { (*what).to_owned() };
        page.row(label, &counted(count, &rest));
    }
}

/// A table of times: how many, the middle, what is slow.
fn times(page: &mut Page, rows: &[(&str, TrendFigures)]) {
    let titles = ["med", "p95", "p99", "max"].map(|title| format!("{title:>CELL$}")).concat();
    let before = " ".repeat(NAME - LABEL);
    let columns = page.paint(Ink::Dim, &format!("{before}{:>10}{titles}", "times"));
    page.row("", &columns);
    for (name, trend) in rows {
        let cells = [("med", trend.med), ("p95", trend.p95), ("p99", trend.p99)];
        let cells = cells.map(|(key, value)| format!("{:>CELL$}", quantile(trend, key, value)));
        let longest = quantile(trend, "max", trend.max);
        let (name, width) = (harmless(name, NAME - 3), NAME - 2);
        let count = thousands(trend.count);
        page.line(&format!("  {name:<width$}{count:>10}{}{longest:>CELL$}", cells.concat()));
    }
}

/// The trends of those names that the run has.
fn trends<'a>(document: &Document, wanted: &[(&'a str, &str)]) -> Vec<(&'a str, TrendFigures)> {
    let has = wanted.iter().filter(|(_, name)| document.metrics.get(name).is_some());
    has.map(|(label, name)| (*label, document.metrics.times(name))).collect()
}

pub(super) fn websocket(page: &mut Page, document: &Document) {
    if counter(document, Counter::WsSessions).is_none() {
        return;
    }
    page.heading("WEBSOCKET", "");
    let rows = [
        ("sessions", Counter::WsSessions, "opened"),
        ("reconnects", Counter::WsReconnects, "of sessions that had lost their own"),
        ("errors", Counter::WsErrors, "could not be opened, or broke"),
        ("sent", Counter::WsMsgsSent, ""),
        ("received", Counter::WsMsgsReceived, ""),
        ("skipped", Counter::WsMsgsSkipped, "messages due on a socket that was not open"),
        ("unasked", Counter::WsMsgsUnasked, "messages received that answered nothing"),
        ("subscribed", Counter::Subscriptions, "subscriptions sent"),
    ];
    counters(page, document, &rows);
    let wanted = [
        ("connecting", names::WS_CONNECTING),
        ("message -> answer", names::WS_MSG_LATENCY),
        ("ping -> pong", names::WS_PING),
        ("open -> closed", names::WS_SESSION_DURATION),
    ];
    let mut rows = trends(document, &wanted);
    rows.extend(by_message(document));
    times(page, &rows);
}

/// Messages with an answer, each by its name, where there are several.
fn by_message(document: &Document) -> Vec<(&str, TrendFigures)> {
    let answered = document.by.request.iter();
    let answered = answered.filter(|(_, it)| it.get(names::WS_MSG_LATENCY).is_some());
    let rows: Vec<_> =
        answered.map(|(name, metrics)| (name, metrics.times(names::WS_MSG_LATENCY))).collect();
    if rows.len() > 1 { rows } else { Vec::new() }
}

pub(super) fn users(page: &mut Page, report: &Report<'_>) {
    let document = &report.document;
    let Some(people) = &report.plan.people else { return };
    page.heading("USERS", "");
    page.row("users", &counted(people.count().into(), "in the plan"));
    let rows = [
        ("created", Counter::UsersCreated, "registered by this run"),
        ("not created", Counter::RegistrationsFailed, "registrations failed"),
        ("logins", Counter::Logins, "gave a token"),
        ("failed", Counter::AuthFailures, "logins gave none"),
        ("renewals", Counter::TokenRefreshes, "of tokens"),
        ("not renewed", Counter::TokenRefreshesFailed, "renewals failed, a login followed"),
        ("logouts", Counter::Logouts, "tokens given back"),
        ("retries", Counter::RetriesUnauthorized, "requests sent again after a 401"),
        ("waits", Counter::TokenWaits, "operations waited for a token"),
    ];
    counters(page, document, &rows);
    let auth = trends(document, &[("calls for tokens", names::AUTH_DURATION)]);
    if !auth.is_empty() {
        times(page, &auth);
    }
    apart(page, document);
}

/// Whether one user fares otherwise than the others: a line for the spread of their times, and one
/// for a user that failed more than all others that are told.
fn apart(page: &mut Page, document: &Document) {
    let by = &document.by.user;
    if let ([row, _, ..], Some(median)) = (&by.worst[..], by.median_p95_ms) {
        let quantiles = [("p99", row.p99), ("p95", row.p95), ("med", row.med)];
        let is_told = |(key, _): &(&str, f64)| row.thin.iter().all(|thin| thin != key);
        if let Some((key, slow)) = quantiles.into_iter().find(is_told) {
            let (slow, median) = (time(slow), time(median));
            let name = harmless(&row.name, NAME_OF_USER);
            let text = format!("{name}: {key} {slow}; p95 of the median user {median}");
            page.wrapped("slowest", &text, Ink::Plain);
        }
    }
    let failed: u64 = by.worst.iter().map(|row| row.failed).sum();
    if let Some(row) = by.worst.iter().max_by_key(|row| row.failed)
        && row.failed >= FAILED_LEAST
        && row.failed * 2 > failed
    {
        let (count, all) = (thousands(row.failed), thousands(row.operations));
        let name = harmless(&row.name, NAME_OF_USER);
        let text = format!("{name}: {count} of {all} operations failed");
        page.wrapped("failing", &text, Ink::Yellow);
    }
}

/// Columns of a user's name.
const NAME_OF_USER: usize = 30;

/// Fewer failures of one user are an accident.
const FAILED_LEAST: u64 = 10;

/// Times between steps, and of groups of steps.
pub(super) fn spans(page: &mut Page, report: &Report<'_>) {
    let document = &report.document;
    let measures = report.plan.measures.iter();
    let measures =
        measures.map(|measure| (measure.name.as_str(), document.metrics.times(&measure.name)));
    let groups = document.by.group.iter();
    let groups = groups.map(|(name, metrics)| (name, metrics.times(names::GROUP_DURATION)));
    let rows: Vec<_> = measures.chain(groups).collect();
    if !rows.is_empty() {
        page.heading("MEASURES", "");
        times(page, &rows);
    }
}

/// Errors of every sort, and their sum.
pub(super) fn errors(page: &mut Page, document: &Document) {
    if document.metrics.get(Errors::Total.name()).is_none() {
        return;
    }
    page.heading("ERRORS IN ALL", "");
    let none = document.metrics.counter(Errors::Total.name()).count == 0;
    if none {
        return page.row("sum", &counted(0, "of transport, status, WebSocket and auth"));
    }
    for sort in Errors::ALL {
        let (label, what) = match sort {
            Errors::Transport => ("transport", "requests without a whole reply"),
            Errors::Status => ("status", "replies of a status that is not expected"),
            Errors::Ws => ("WebSocket", "could not be opened, or broke"),
            Errors::Auth => ("auth", "logins that gave no token"),
            Errors::Total => ("sum", "of all of these"),
        };
        page.row(label, &counted(document.metrics.counter(sort.name()).count, what));
    }
}
