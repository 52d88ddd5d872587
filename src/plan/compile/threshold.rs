//! Thresholds: that there is such a metric, such a number of it, and such a label.

use super::Compiler;
use crate::metrics::catalog::{Counter, Trend, names};
use crate::plan::Workload;
use crate::scenario::{
    Aggregate, Bound, Diagnostic, Measured, Quantity, Span, Spanned, Threshold, nearest,
};
use crate::stdx::Nanos;

/// What is judged while the run is on is judged once a second.
const SECOND: Nanos = Nanos::from_secs(1);

/// What a metric is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// Times.
    Trend,
    /// So many.
    Counter,
    /// The share of those that are true.
    Rate,
}

/// The unit of a measured number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Time,
    Number,
    PerSecond,
    Share,
}

/// Times that are no [`Trend`] of requests.
const TIMES: [&str; 7] = [
    "ws_connecting",
    "ws_msg_latency",
    "ws_session_duration",
    "ws_ping",
    "auth_duration",
    names::ITERATION_DURATION,
    "group_duration",
];
const COUNTERS: [&str; 5] = [
    names::HTTP_REQS,
    names::DATA_SENT,
    names::DATA_RECEIVED,
    names::DROPPED_ITERATIONS,
    names::CONNECTS_FAILED,
];
const RATES: [&str; 2] = [names::HTTP_REQ_FAILED, names::CHECKS];
const LABELS: [&str; 4] = ["workload", "name", "group", "phase"];

/// The nature of a metric that every plan has.
pub(super) fn known(name: &str) -> Option<Nature> {
    let trend = Trend::ALL.iter().any(|trend| trend.name() == name) || TIMES.contains(&name);
    let counter =
        Counter::ALL.iter().any(|counter| counter.name() == name) || COUNTERS.contains(&name);
    match () {
        () if trend => Some(Nature::Trend),
        () if counter => Some(Nature::Counter),
        () if RATES.contains(&name) => Some(Nature::Rate),
        () => None,
    }
}

impl Compiler<'_> {
    pub(super) fn thresholds(&mut self) {
        for threshold in &self.scenario.thresholds {
            self.take_threshold(threshold);
        }
    }

    /// Checks a threshold, and puts it behind those that the plan has.
    pub(super) fn take_threshold(&mut self, threshold: &Spanned<Threshold>) {
        self.check_threshold(threshold);
        let Threshold { over, lasting, .. } = threshold.value;
        let over = over.map(|over| self.window(over, threshold.span));
        let lasting = lasting.map(|lasting| self.window(lasting, threshold.span));
        self.plan.thresholds.push(Threshold { over, lasting, ..threshold.value.clone() });
    }

    /// A window shrinks with the run. What is longer than the run as it is written is told; what
    /// is longer than a trial alone is not judged, and the report says so.
    fn window(&mut self, written: Nanos, place: Span) -> Nanos {
        let window = self.interval(written, place).max(written.min(SECOND));
        let run = self.plan.span();
        if self.options.scale_time >= 1.0 && window > run {
            let what = format!("{window} is longer than the run of {run}: this is not judged");
            let expected = "a window or a time within the run";
            self.warnings.add(Diagnostic::new(place, what, expected).warning());
        }
        window
    }

    pub(super) fn check_threshold(&mut self, threshold: &Spanned<Threshold>) {
        let Spanned { value, span } = threshold;
        let left = self.measured(&value.measured);
        match &value.bound {
            Bound::Fixed(quantity) => {
                if let Some(left) = left.filter(|left| !fits(*left, *quantity)) {
                    let what =
                        format!("{} is compared with {}", said(left), quantity_said(quantity));
                    self.add(Diagnostic::new(*span, what, example(left)));
                }
            }
            Bound::Relative { measured, .. } => {
                let right = self.measured(measured);
                if let (Some(left), Some(right)) = (left, right)
                    && left != right
                {
                    let what = format!("{} is compared with {}", said(left), said(right));
                    let place = measured.metric.span;
                    self.add(Diagnostic::new(place, what, format!("{}, too", said(left))));
                }
            }
        }
    }

    /// The unit of a measured number, if there is such a number.
    fn measured(&mut self, measured: &Measured) -> Option<Unit> {
        let nature = self.nature(&measured.metric);
        for (key, value) in &measured.labels {
            self.label(&measured.metric.value, key, value);
        }
        let nature = nature?;
        let unit = match (nature, measured.aggregate) {
            (
                Nature::Trend,
                Aggregate::Avg
                | Aggregate::Min
                | Aggregate::Med
                | Aggregate::Max
                | Aggregate::Percentile(_),
            ) => Some(Unit::Time),
            (Nature::Trend | Nature::Counter, Aggregate::Count) => Some(Unit::Number),
            (Nature::Counter, Aggregate::Rate) => Some(Unit::PerSecond),
            (Nature::Rate, Aggregate::Rate) => Some(Unit::Share),
            (_, _) => None,
        };
        if unit.is_none() {
            let what = format!("'{}' {} no such number", measured.metric.value, has(nature));
            let diagnostic = Diagnostic::new(measured.metric.span, what, numbers(nature));
            self.add(diagnostic);
        }
        unit
    }

    fn nature(&mut self, metric: &Spanned<String>) -> Option<Nature> {
        let name = metric.value.as_str();
        let measured = self.plan.measures.iter().any(|measure| measure.name == name);
        let nature = known(name).or_else(|| measured.then_some(Nature::Trend));
        if nature.is_none() {
            let own: Vec<String> =
                self.plan.measures.iter().map(|measure| measure.name.clone()).collect();
            let all = Trend::ALL.iter().map(|trend| trend.name());
            let all = all.chain(Counter::ALL.iter().map(|counter| counter.name()));
            let all = all.chain(TIMES).chain(COUNTERS).chain(RATES);
            let near = nearest(name, all.chain(own.iter().map(String::as_str)));
            let what = format!("there is no metric '{name}'");
            let expected = "a metric such as http_req_duration, checks or ws_connecting";
            self.add(Diagnostic::new(metric.span, what, expected).did_you_mean(near));
        }
        nature
    }

    /// Whether it is recorded which part of a run a metric's samples belong to.
    fn is_told_apart(&self, metric: &str, key: &str, value: &str) -> bool {
        let workloads = &self.plan.workloads;
        if metric == names::CHECKS {
            return key == "name";
        }
        // The whole has all labels that there is one value of.
        if key == "phase" && value == "load" || key == "workload" && workloads.len() < 2 {
            return true;
        }
        let iterations = Counter::Iterations.name();
        let counted = Counter::ALL.iter().any(|counter| counter.name() == metric);
        match metric {
            "group_duration" => key == "group",
            "auth_duration" | "ws_session_duration" | names::CONNECTS_FAILED => false,
            _ if metric == iterations || metric == names::ITERATION_DURATION => {
                // Where each is one request, they are told apart as requests are.
                let single = |it: &Workload| it.fleet.is_none() && it.program.as_mix().is_some();
                key != "phase" || workloads.iter().all(single)
            }
            _ if counted => false,
            _ => self.plan.measures.iter().all(|measure| measure.name != metric),
        }
    }

    fn label(&mut self, metric: &str, key: &Spanned<String>, value: &Spanned<String>) {
        let scenario = self.scenario;
        if LABELS.contains(&key.value.as_str())
            && known(metric).is_some()
            && !self.is_told_apart(metric, &key.value, &value.value)
        {
            let what = format!("{metric} is not told apart by {}", key.value);
            let help = "leave the label out, or measure requests, whose metrics begin with http_";
            let diagnostic = Diagnostic::new(key.span, what, "a metric of requests or messages");
            self.add(diagnostic.help(help));
            return;
        }
        let known: Vec<&str> = match key.value.as_str() {
            "workload" => scenario.workloads.iter().map(|each| each.name.value.as_str()).collect(),
            "name" if metric == names::CHECKS => {
                self.plan.checks.iter().map(String::as_str).collect()
            }
            "name" => self.plan.leaves.iter().map(|leaf| leaf.name.as_str()).collect(),
            "group" => self.plan.groups.iter().map(String::as_str).collect(),
            "phase" => self.plan.phases().map(|phase| self.plan.phase_name(phase)).collect(),
            other => {
                let what = format!("there is no label '{other}'");
                let expected = format!("one of {}", LABELS.join(", "));
                let near = nearest(other, LABELS);
                self.problems.add(Diagnostic::new(key.span, what, expected).did_you_mean(near));
                return;
            }
        };
        if known.contains(&value.value.as_str()) {
            return;
        }
        let noun = noun(metric, &key.value);
        let what = format!("there is no {noun} '{}'", value.value);
        let shown: Vec<&str> = known.iter().copied().take(20).collect();
        let expected = match shown.as_slice() {
            [] => format!("a {noun}; there is none"),
            shown => format!("one of {}", shown.join(", ")),
        };
        let near = nearest(&value.value, known.iter().copied());
        self.problems.add(Diagnostic::new(value.span, what, expected).did_you_mean(near));
    }
}

fn noun<'a>(metric: &str, label: &'a str) -> &'a str {
    match label {
        "name" if metric == names::CHECKS => "check",
        "name" => "step or message",
        label => label,
    }
}

const fn has(nature: Nature) -> &'static str {
    match nature {
        Nature::Trend => "is a time and has",
        Nature::Counter => "counts things and has",
        Nature::Rate => "is a share and has",
    }
}

const fn numbers(nature: Nature) -> &'static str {
    match nature {
        Nature::Trend => "one of avg, min, med, max, p(N), count",
        Nature::Counter => "one of count, rate",
        Nature::Rate => "rate",
    }
}

const fn fits(unit: Unit, bound: Quantity) -> bool {
    matches!(
        (unit, bound),
        (Unit::Time, Quantity::Time(_))
            | (Unit::Number, Quantity::Number(_))
            | (Unit::PerSecond, Quantity::Rate(_) | Quantity::Number(_))
            | (Unit::Share, Quantity::Share(_) | Quantity::Number(_))
    )
}

const fn said(unit: Unit) -> &'static str {
    match unit {
        Unit::Time => "a time",
        Unit::Number => "a number",
        Unit::PerSecond => "a number a second",
        Unit::Share => "a share",
    }
}

const fn quantity_said(bound: &Quantity) -> &'static str {
    match bound {
        Quantity::Time(_) => "a time",
        Quantity::Share(_) => "a share",
        Quantity::Rate(_) => "a number a second",
        Quantity::Number(_) => "a number without a unit",
    }
}

const fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Time => "a time such as 500ms",
        Unit::Number => "a number such as 100",
        Unit::PerSecond => "a number a second such as 500/s",
        Unit::Share => "a share such as 1% or 0.01",
    }
}
