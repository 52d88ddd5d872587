//! `histograms.hlog`: every histogram of the run, lossless: what `merge` adds up.
//!
//! Version 1.3 of the interval log of the HdrHistogram project: one line for each metric of each
//! request in each phase, its tag `metric{name=...;phase=...}`. Times are in whole microseconds,
//! `Interval_Max` is in milliseconds. Tools in Java, Go, Python and JavaScript read it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriter, IntervalLogWriterBuilder, Tag};

use super::build::Report;
use crate::engine::outcome::PhaseSpan;
use crate::metrics::catalog::names;
use crate::metrics::{Histogram, Leaf, Trend};
use crate::plan::{Phase, Timed};
use crate::verdict::measured::{Role, added, role};

const LEGEND: &str = "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\
                      \"Interval_Compressed_Histogram\"";

type Writer<'a> = IntervalLogWriter<'a, 'a, Vec<u8>, V2DeflateSerializer>;

/// The log of a run. Histograms without a time in them are left out: they add nothing.
///
/// # Errors
/// Never in practice: the histograms have fixed bounds, and it is written to memory.
pub fn log(report: &Report<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut heading, mut serializer) = (V2DeflateSerializer::new(), V2DeflateSerializer::new());
    let _header = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("[onslaught: times in microseconds]")
        .with_start_time(report.outcome.started_at)
        .begin_log_with(&mut bytes, &mut heading)?;
    writeln!(bytes, "{LEGEND}")?;
    let mut writer = IntervalLogWriterBuilder::new()
        .with_max_value_divisor(1e3)
        .begin_log_with(&mut bytes, &mut serializer)?;
    let plan = report.plan;
    for span in &report.outcome.phases {
        for (index, name) in (0..).zip(&plan.leaves) {
            let ids = plan.ids(span.phase, index);
            let leaves: Vec<&Leaf> = ids.filter_map(|id| report.outcome.total.get(id)).collect();
            for trend in Trend::ALL {
                if let Some(metric) = metric(role(plan, index), trend) {
                    let tag = tag(metric, &name.name, plan.phase_name(span.phase));
                    let times = leaves.iter().map(|leaf| leaf.trend(trend));
                    line(&mut writer, span, &tag, &added(times))?;
                }
            }
        }
        if span.phase == Phase::Load {
            beside(&mut writer, span, report)?;
        }
    }
    Ok(bytes)
}

/// Times beside operations; those of groups and of iterations are in no leaf.
fn beside(writer: &mut Writer<'_>, span: &PhaseSpan, report: &Report<'_>) -> io::Result<()> {
    let (plan, total) = (report.plan, &report.outcome.total);
    let phase = plan.phase_name(span.phase);
    let fixed = [
        (Timed::AUTH, names::AUTH_DURATION),
        (Timed::ITERATION, names::ITERATION_DURATION),
        (Timed::WS_SESSION, names::WS_SESSION_DURATION),
    ];
    let fixed = fixed.map(|(index, name)| (index, format!("{name}{{phase={phase}}}")));
    let groups = plan.groups.iter().enumerate().map(|(index, name)| {
        let tag = format!("{}{{group={};phase={phase}}}", names::GROUP_DURATION, escaped(name));
        (plan.timed().group(index), tag)
    });
    let measures = plan.measures.iter().enumerate().map(|(index, measure)| {
        (plan.timed().measure(index), format!("{}{{phase={phase}}}", escaped(&measure.name)))
    });
    for (index, tag) in fixed.into_iter().chain(groups).chain(measures) {
        if let Some(times) = total.timed.get(index) {
            line(writer, span, &tag, times)?;
        }
    }
    Ok(())
}

/// The metric that a trend of a leaf belongs to, if it is one.
fn metric(role: Role, trend: Trend) -> Option<&'static str> {
    match (role, trend) {
        (Role::Request, _) | (_, Trend::Lag) => Some(trend.name()),
        (Role::Open, Trend::Duration) => Some(names::WS_CONNECTING),
        (Role::Answered, Trend::Duration) => Some(names::WS_MSG_LATENCY),
        (Role::Ping, Trend::Duration) => Some(names::WS_PING),
        _ => None,
    }
}

/// The line of one histogram.
fn line(
    writer: &mut Writer<'_>,
    span: &PhaseSpan,
    tag: &str,
    histogram: &Histogram,
) -> io::Result<()> {
    let (from, length) = (Duration::from(span.from), Duration::from(span.to.since(span.from)));
    if histogram.out_of_range() > 0 {
        writer.write_comment(&format!("[OutOfRange: {} {tag}]", histogram.out_of_range()))?;
    }
    if histogram.count() > 0 {
        writer
            .write_histogram(histogram.hdr(), from, length, Tag::new(tag))
            .map_err(io::Error::other)?;
    }
    Ok(())
}

/// `metric{name=...;phase=...}`.
#[must_use]
pub fn tag(metric: &str, name: &str, phase: &str) -> String {
    format!("{metric}{{name={};phase={phase}}}", escaped(name))
}

/// Percent-encoded, but for what no reader of the log gives a meaning.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'%' | b',' | b';' | b'=' | b'{' | b'}' | b'"' | ..=b' ' | 0x7f.. => {
                // Writing to a string cannot fail.
                let _never = write!(text, "%{byte:02X}");
            }
            plain => text.push(char::from(plain)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Tag, Trend, tag};

    #[test]
    fn any_name_makes_a_legal_tag() {
        let text = tag(Trend::Lag.name(), "GET /a,b=\u{e9}{;}%\r\n", "load");
        assert_eq!(text, "schedule_lag{name=GET%20/a%2Cb%3D%C3%A9%7B%3B%7D%25%0D%0A;phase=load}");
        assert!(Tag::new(&text).is_some());
    }
}
