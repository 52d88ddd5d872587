//! `requests.jtl`: a line for every single operation, in the columns of JMeter's CSV and ours.
//!
//! JMeter's own (its manual, "Listeners", "CSV Log format"):
//!
//! | column                | what                                                               |
//! |-----------------------|--------------------------------------------------------------------|
//! | timeStamp             | when it was due, ms since 1970                                     |
//! | elapsed               | response time, ms, rounded: from when it was due to its end        |
//! | label                 | the step's name                                                    |
//! | responseCode          | the status; without one the class of failure, or `aborted`         |
//! | responseMessage       | empty                                                              |
//! | threadName            | the workload                                                       |
//! | dataType              | empty                                                              |
//! | success               | `true` or `false`                                                  |
//! | failureMessage        | the class of failure, `aborted`, or empty                          |
//! | bytes, sentBytes      | of the reply and the request; of messages only their answer's text |
//! | grpThreads, allThreads| sessions of the workload, and of all, as planned                   |
//! | Latency               | from when it was due to the first byte of the reply, ms, rounded   |
//! | IdleTime              | 0                                                                  |
//! | Connect               | what opening its connection took, ms, rounded                      |
//!
//! Ours: `id`, its number (`sequence()` in a scenario), and the five instants `intended_ns`,
//! `free_ns`, `sent_ns`, `first_byte_ns`, `done_ns` in nanoseconds of CLOCK_MONOTONIC, empty where
//! an operation did not get so far. Those of the warm-up are left out, as they are in no total.

use std::io::Write as _;

use crate::metrics::recorder::End;
use crate::metrics::{LeafId, Record};
use crate::plan::{Phase, Plan};
use crate::stdx::{Clock, Nanos};

/// The columns.
pub const COLUMNS: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,\
                           dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,\
                           Latency,IdleTime,Connect,\
                           id,intended_ns,free_ns,sent_ns,first_byte_ns,done_ns";

/// Writes records as lines.
#[derive(Debug)]
pub struct Jtl {
    /// By leaf; none for those of the warm-up.
    labels: Vec<Option<Label>>,
    sessions: u64,
    /// What the calendar said when the clock stood at 0, in milliseconds since 1970.
    wall_at_zero: u64,
    /// What CLOCK_MONOTONIC said then.
    monotonic_at_zero: Nanos,
}

#[derive(Clone, Debug)]
struct Label {
    /// As fields of CSV.
    name: String,
    workload: String,
    sessions: u32,
}

impl Jtl {
    /// For a plan whose operations are timed by this clock.
    #[must_use]
    pub fn new(plan: &Plan, clock: Clock) -> Self {
        Self::at(plan, clock.wall_at_zero(), clock.monotonic_at_zero())
    }

    /// The same, of a clock that stood at 0 at these moments.
    #[must_use]
    pub fn at(plan: &Plan, wall_at_zero: u64, monotonic_at_zero: Nanos) -> Self {
        let mut labels = vec![None; plan.leaves.len() * plan.phases().count()];
        for (leaf, LeafId(id)) in plan.leaves(Phase::Load) {
            let workload = plan.workloads.get(usize::from(leaf.workload));
            let label = Label {
                name: field(&leaf.name),
                workload: field(workload.map_or("", |workload| &workload.name)),
                sessions: workload.map_or(0, |workload| workload.sessions),
            };
            if let Some(place) = labels.get_mut(usize::from(id)) {
                *place = Some(label);
            }
        }
        let sessions = plan.workloads.iter().map(|workload| u64::from(workload.sessions)).sum();
        Self { labels, sessions, wall_at_zero, monotonic_at_zero }
    }

    /// Appends the lines of some records; gives their number.
    pub fn lines(&self, records: &[Record], text: &mut Vec<u8>) -> u64 {
        let mut count = 0;
        for record in records {
            let label = self.labels.get(usize::from(record.leaf.0));
            if let Some(Some(label)) = label {
                self.line(record, label, text);
                count += 1;
            }
        }
        count
    }

    fn line(&self, record: &Record, label: &Label, text: &mut Vec<u8>) {
        let Record { timing, .. } = record;
        let stamp = self.wall_at_zero + timing.intended.0 / 1_000_000;
        let class = match record.end {
            End::Ok => "",
            End::Failed(failure) => failure.key(),
            End::Aborted => "aborted",
        };
        let code = match record.status {
            0 => class.to_owned(),
            status => status.to_string(),
        };
        let (response, latency) = (ms(timing.response()), timing.first_byte.since(timing.intended));
        let Label { name, workload, sessions } = label;
        let success = class.is_empty();
        let (received, sent, all) = (record.bytes_received, record.bytes_sent, self.sessions);
        let (latency, connect) = (ms(latency), ms(timing.connect));
        // Writing to memory does not fail.
        let _written = write!(
            text,
            "{stamp},{response},{name},{code},,{workload},,{success},{class},{received},{sent},\
             {sessions},{all},{latency},0,{connect},{}",
            record.number,
        );
        let instants = [timing.intended, timing.free, timing.sent, timing.first_byte, timing.done];
        for instant in instants {
            if instant == Nanos::ZERO {
                text.push(b',');
            } else {
                let _written = write!(text, ",{}", (self.monotonic_at_zero + instant).0);
            }
        }
        text.push(b'\n');
    }
}

/// Whole milliseconds, rounded.
const fn ms(span: Nanos) -> u64 {
    (span.0 + 500_000) / 1_000_000
}

/// A field of CSV: in quotes where it has to be (RFC 4180 section 2).
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{field, ms};
    use crate::stdx::Nanos;

    #[test]
    fn fields_and_milliseconds() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!((ms(Nanos(499_999)), ms(Nanos(500_000))), (0, 1));
    }
}
