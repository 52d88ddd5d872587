//! Times: the parts of a request side by side, one quantile a line.

use super::page::{Ink, LABEL, Page};
use crate::metrics::catalog::names;
use crate::metrics::{Histogram, Leaf, Trend};
use crate::plan::Kind;
use crate::report::document::Document;
use crate::report::figures::{thousands, time};
use crate::report::metric::{Quantile, TrendFigures, ms};

/// Columns of one time: as wide as `n too small` and a space.
const CELL: usize = 13;

const THIN: &str = "n too small";

/// A trend's heading.
const fn heading(trend: Trend) -> &'static str {
    match trend {
        Trend::Duration => "response",
        Trend::Service => "service",
        Trend::Waiting => "first byte",
        Trend::Blocked => "blocked",
        Trend::Connecting => "connecting",
        Trend::Lag => "our lag",
    }
}

/// A reader of one statistic, with the key under which it can be thin.
type Statistic = (&'static str, fn(&TrendFigures) -> f64);

const STATISTICS: [Statistic; 8] = [
    ("avg", |trend| trend.avg),
    ("min", |trend| trend.min),
    ("med", |trend| trend.med),
    ("p90", |trend| trend.p90),
    ("p95", |trend| trend.p95),
    ("p99", |trend| trend.p99),
    ("p99.9", |trend| trend.p99_9),
    ("max", |trend| trend.max),
];

/// All trends, statistic by statistic. Connecting is in it if connections were opened meanwhile.
pub(super) fn table(page: &mut Page, document: &Document) {
    if document.metrics.get(names::HTTP_REQS).is_none() {
        return;
    }
    let columns = [Trend::Duration, Trend::Service, Trend::Waiting, Trend::Blocked, Trend::Lag];
    let columns = columns.map(|trend| (heading(trend), document.metrics.trend(trend)));
    let replies = columns[0].1.count;
    if replies == 0 {
        page.heading("TIMES", "");
        return page.line("  no reply came, so there are no times");
    }
    let names = columns.iter().map(|(name, _)| format!("{name:>CELL$}")).collect::<String>();
    page.heading("TIMES", &names);
    for (name, read) in STATISTICS {
        let cell = |trend: &TrendFigures| quantile(trend, name, read(trend));
        let cells = columns.iter().map(|(_, trend)| format!("{:>CELL$}", cell(trend)));
        page.row(name, &cells.collect::<String>());
    }
    connecting(page, &document.metrics.trend(Trend::Connecting));
    without(page, document, replies);
    explanation(page);
}

/// Who has no place in the table: a time without an end is not invented.
fn without(page: &mut Page, document: &Document, replies: u64) {
    let Some(counts) = document.accounting.by_kind.get(Kind::Http.key()) else { return };
    let failed = counts.failed.iter().map(|(_, count)| count).sum::<u64>();
    let lost = (counts.ok + failed).saturating_sub(replies);
    let (lost, have) = match lost {
        0 => return,
        1 => ("the 1 failure without a reply".to_owned(), "has"),
        lost => (format!("the {} failures without a reply", thousands(lost)), "have"),
    };
    let replies = match replies {
        1 => "1 reply".to_owned(),
        replies => format!("{} replies", thousands(replies)),
    };
    page.row("", &format!("{replies}; {lost} {have} no times"));
}

/// A statistic that was read, unless it rests on too little.
pub(super) fn quantile(trend: &TrendFigures, key: &str, value: f64) -> String {
    if trend.thin.iter().any(|thin| thin == key) { THIN.to_owned() } else { time(value) }
}

/// Few requests open a connection, so this is a line, not a column.
fn connecting(page: &mut Page, trend: &TrendFigures) {
    if trend.count > 0 {
        let (avg, max) = (time(trend.avg), time(trend.max));
        let opened = thousands(trend.count);
        let text = format!("   {opened} of these opened a connection: avg {avg}, max {max}");
        page.row("connecting", &text);
    }
}

fn explanation(page: &mut Page) {
    let rows = [
        ("response", "what the user waits for", "due -> reply ended"),
        ("service", "what the target itself took", "first byte sent -> reply ended"),
        ("first byte", "until the target answers", "first byte sent -> first received"),
        ("blocked", "no connection was free", "due -> connection free"),
        ("our lag", "this generator came too late", "free -> sent, connecting apart"),
    ];
    for (name, meaning, span) in rows {
        let text = format!("  {name:<12}{meaning:<31}{span}");
        let text = page.paint(Ink::Dim, &text);
        page.line(&text);
    }
}

/// Response and service time to the last digit that the number of requests allows.
pub(super) fn spectrum(page: &mut Page, load: &Leaf) {
    let columns = [load.trend(Trend::Duration), load.trend(Trend::Service)];
    let count = columns[0].count();
    if count == 0 {
        return;
    }
    let names = format!("{:>CELL$}{:>CELL$}{:>CELL$}", "response", "service", "slower ones");
    page.heading("SPECTRUM", &names);
    for quantile in Quantile::SPECTRUM {
        let cell = |histogram: &Histogram| match quantile.thin(histogram.count()) {
            true => THIN.to_owned(),
            false => time(ms(histogram.micros_at(quantile.share()))),
        };
        let cells = columns.map(|histogram| format!("{:>CELL$}", cell(histogram))).concat();
        let beyond = thousands(quantile.beyond(count));
        page.row(quantile.name, &format!("{cells}{beyond:>CELL$}"));
    }
    let cells = columns.map(|histogram| format!("{:>CELL$}", time(ms(histogram.min_mean_max().2))));
    page.row("max", &cells.concat());
}

// Five times beside their label fill the page exactly.
const _: () = assert!(LABEL + 5 * CELL <= super::page::WIDTH);
