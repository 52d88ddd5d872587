//! Loads: closed or open; constant, in stages, in search of a capacity, or as the target bears it.

use super::{Fields, Reader};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::keys::{ADAPT, LOAD, SEARCH, STAGES, Shape as Form};
use crate::scenario::model::{
    Adapt, Amount, Arrivals, Bound, Comparison, Goal, Length, Load, Pacing, Quantity, Scenario,
    Search, Shape, Stage, Threshold,
};
use crate::scenario::place::{Span, Spanned};
use crate::scenario::tree::Node;
use crate::stdx::Nanos;

/// What a search and an adaptive load do, when the file does not say.
const TRIAL: Nanos = Nanos::from_secs(10);
const SETTLE: Nanos = Nanos::from_secs(2);
const RESOLUTION: f64 = 0.05;
const TRIALS: u64 = 30;
const EVERY: Nanos = Nanos::from_secs(5);
const STOP_ABOVE: f64 = 0.02;

/// The coarsest resolution of a search: beyond it the figure says nothing.
const RESOLUTION_MAX: f64 = 0.5;

impl Reader<'_> {
    pub(super) fn load(&mut self, node: &Node) -> Option<Load> {
        let fields = self.fields(node, &LOAD)?;
        let connections = self.count(&fields, "connections");
        let closed = connections.map(|it| Spanned::new(Amount::Connections(it.value), it.span));
        let rate = self.rate(&fields, "rate");
        let open = rate.map(|it| Spanned::new(Amount::Rate(it.value), it.span));
        let like = fields.get("rate").map_or(Amount::Connections(0), |_| {
            Amount::Rate(crate::stdx::units::Rate { milli_per_s: 0 })
        });
        let shape = self.shape(&fields, like);
        let arrivals = self.word_at(&fields, "arrivals");
        let pacing = self.word_at(&fields, "pacing");
        let max = self.count(&fields, "max");
        let patience = self.duration(&fields, "patience");
        let pace = self.pace(&fields, "open");
        let level = closed.or(open)?;
        self.some_load(&level, shape.as_ref()?);
        Some(Load {
            arrivals: match arrivals {
                Some(word) if word.value == "poisson" => Spanned::new(Arrivals::Poisson, word.span),
                Some(word) => Spanned::new(Arrivals::Even, word.span),
                None => Spanned::new(Arrivals::Even, level.span),
            },
            pacing: match pacing.as_ref().map(|word| word.value) {
                Some("precise") => Pacing::Precise,
                Some("efficient") => Pacing::Efficient,
                _ => Pacing::Timed,
            },
            level,
            shape: shape?,
            max,
            patience,
            open: pace,
        })
    }

    fn shape(&mut self, fields: &Fields<'_>, like: Amount) -> Option<Shape> {
        let constant = self.lasting(fields, "for").map(Shape::Constant);
        let stages = fields.get("stages").and_then(|node| {
            self.items(node, fields.shape("stages"), |reader, node| reader.stage(node, like))
        });
        let search = fields.get("search").and_then(|node| self.search(node, like));
        let adapt = fields.get("adapt").and_then(|node| self.adapt(node, like));
        constant
            .or_else(|| stages.map(Shape::Stages))
            .or_else(|| search.map(|search| Shape::Search(Box::new(search))))
            .or_else(|| adapt.map(|adapt| Shape::Adapt(Box::new(adapt))))
    }

    fn search(&mut self, node: &Node, like: Amount) -> Option<Search> {
        let fields = self.fields(node, &SEARCH)?;
        let slo = fields.get("slo").and_then(|node| {
            self.items(node, fields.shape("slo"), |reader, node| reader.of_a_whole(node))
        });
        let to = self.amount(&fields, "to", like);
        let trial = self.lasting_or(&fields, "trial", TRIAL);
        let settle = match fields.get("settle") {
            Some(_) => self.duration(&fields, "settle").map(|it| it.value),
            None => Some(SETTLE),
        };
        let resolution = self.share_within(&fields, "resolution", RESOLUTION, RESOLUTION_MAX);
        let max_trials = match fields.get("max_trials") {
            Some(_) => self.count(&fields, "max_trials").map(|it| it.value),
            None => Some(TRIALS),
        };
        Some(Search {
            slo: slo?,
            to: to?,
            trial: trial?,
            settle: settle?,
            resolution: resolution?,
            max_trials: max_trials?,
        })
    }

    fn adapt(&mut self, node: &Node, like: Amount) -> Option<Adapt> {
        let fields = self.fields(node, &ADAPT)?;
        let keep = fields.get("keep").and_then(|node| self.response_time(node));
        let slow_above = self.lasting(&fields, "slow_above");
        let stop_above = self.share_within(&fields, "stop_above", STOP_ABOVE, 1.0);
        let step = self.amount(&fields, "step", like);
        let to = self.amount(&fields, "to", like);
        let length = self.lasting(&fields, "for");
        let every = self.lasting_or(&fields, "every", EVERY.min(length.as_ref()?.value));
        if let Some(step) = step.as_ref().filter(|step| step.value.is_nothing()) {
            let help = "say how much is added at a time: step: 10";
            self.add(Diagnostic::new(step.span, "a step of nothing", "more than 0").help(help));
            return None;
        }
        let length = length?;
        let every = every?;
        if every > length.value {
            let what = format!("the level is never thought over: every {every}");
            let expected = format!("more than {every}, or a shorter 'every'");
            self.add(Diagnostic::new(length.span, what, expected));
            return None;
        }
        let goal = match (keep, slow_above) {
            (Some(keep), _) => Goal::Keep(Box::new(keep)),
            (None, Some(slow_above)) => Goal::Ramp { slow_above, stop_above: stop_above? },
            (None, None) => return None,
        };
        Some(Adapt { goal, step: step?, to: to?, length, every })
    }

    /// A duration that is more than none, or what stands for one that is left out.
    fn lasting_or(&mut self, fields: &Fields<'_>, name: &str, default: Nanos) -> Option<Nanos> {
        match fields.get(name) {
            Some(_) => self.lasting(fields, name).map(|it| it.value),
            None => Some(default),
        }
    }

    /// A share above 0, or what stands for one that is left out.
    fn share_within(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        default: f64,
        most: f64,
    ) -> Option<f64> {
        let Some(node) = fields.get(name) else { return Some(default) };
        let share = self.share(fields, name)?;
        if share > 0.0 && share <= most {
            return Some(share);
        }
        let what = format!("{name}: {} is out of range", node.described());
        let expected = format!("above 0, at most {}%", most * 100.0);
        self.add(Diagnostic::new(node.span, what, expected));
        None
    }

    /// A threshold on all of a trial: one with windows or an end of its own is none.
    fn of_a_whole(&mut self, node: &Node) -> Option<Spanned<Threshold>> {
        let threshold = self.threshold(node)?;
        let Threshold { over, lasting, abort, .. } = &threshold.value;
        if over.is_some() || lasting.is_some() || *abort {
            let what = "'over', 'for' or 'abort' where the load itself is judged";
            let expected = "the metric, the comparison and the bound";
            let help = "put it under 'thresholds', where the run is judged";
            self.add(Diagnostic::new(threshold.span, what, expected).help(help));
            return None;
        }
        Some(threshold)
    }

    /// A threshold that a level can be steered by: a time below a fixed one.
    fn response_time(&mut self, node: &Node) -> Option<Spanned<Threshold>> {
        let threshold = self.of_a_whole(node)?;
        let Threshold { comparison, bound, .. } = &threshold.value;
        let below = matches!(comparison, Comparison::Less | Comparison::AtMost);
        let fixed = matches!(bound, Bound::Fixed(Quantity::Time(time)) if *time > Nanos::ZERO);
        if !(below && fixed) {
            let what = "a level cannot be steered by this";
            let expected = "a time below a fixed one: http_req_duration p(95) < 200ms";
            self.add(Diagnostic::new(threshold.span, what, expected));
            return None;
        }
        Some(threshold)
    }

    /// At most one load of a scenario searches: what two find depends on each other.
    pub(super) fn one_search(&mut self, scenario: &Scenario) {
        let loads = scenario.workloads.iter().filter_map(|each| each.value.load.as_ref());
        let levels = scenario.sequence.iter().map(|level| &level.load);
        let mut searches = loads.chain(levels).filter_map(|load| match &load.shape {
            Shape::Search(search) => Some(search.to.span),
            Shape::Constant(_) | Shape::Stages(_) | Shape::Adapt(_) => None,
        });
        let Some(first) = searches.next() else { return };
        let others: Vec<Span> = searches.collect();
        for other in others {
            let what = "a second search: what each finds would depend on the other";
            let help = "search with one load; give the others a level: for: 60s";
            let diagnostic = Diagnostic::new(other, what, "one search in a scenario");
            self.add(diagnostic.also(first, "the first one").help(help));
        }
    }

    fn stage(&mut self, node: &Node, like: Amount) -> Option<Stage> {
        let (kind, fields) = self.variant(node, &STAGES)?;
        let name = self.text(&fields, "name");
        let length: fn(_) -> _ = match kind {
            "linear" => Length::Linear,
            "exponential" => Length::Doubling,
            _ => Length::Held,
        };
        let to = (kind != "hold").then(|| self.amount(&fields, kind, like));
        let time = match kind {
            "exponential" => "double",
            "hold" => "hold",
            _ => "for",
        };
        let length = self.lasting(&fields, time).map(length);
        // A level that is wrong is no level that is left out.
        let to = to.map_or(Some(None), |to| to.map(Some))?;
        Some(Stage { name, to, length: length? })
    }

    /// A load that is nothing from beginning to end, or that cannot double.
    fn some_load(&mut self, level: &Spanned<Amount>, shape: &Shape) {
        let nothing = level.value.is_nothing();
        let stages = match shape {
            Shape::Stages(stages) => stages,
            Shape::Search(search) => return self.some_way(level, &search.to),
            Shape::Adapt(adapt) => return self.some_way(level, &adapt.to),
            Shape::Constant(_) => return self.some_level(level),
        };
        let mut before = level.value;
        for stage in stages {
            if let (Length::Doubling(_), Some(to)) = (&stage.length, &stage.to)
                && before.is_nothing()
            {
                let help = "begin with 1, or put a 'step' stage before it";
                let what = "nothing does not become more by doubling";
                self.add(Diagnostic::new(to.span, what, "a level before that is not 0").help(help));
            }
            before = stage.to.as_ref().map_or(before, |to| to.value);
        }
        let levels = stages.iter().filter_map(|stage| stage.to.as_ref());
        if nothing && levels.clone().all(|to| to.value.is_nothing()) {
            let help = "let one of the stages reach a level";
            let diagnostic =
                Diagnostic::new(level.span, "a load of nothing", Form::Amount.expected());
            self.add(diagnostic.help(help));
        }
    }

    fn some_level(&mut self, level: &Spanned<Amount>) {
        if level.value.is_nothing() {
            let help = "say how many: connections: 10, or rate: 50/s";
            let diagnostic = Diagnostic::new(level.span, "a load of nothing", "more than 0");
            self.add(diagnostic.help(help));
        }
    }

    /// What goes up from a level needs one, and a way up.
    fn some_way(&mut self, level: &Spanned<Amount>, to: &Spanned<Amount>) {
        if level.value.is_nothing() {
            let help = "the level of the load is the lowest one; begin with a small one";
            let what = "a search or an adaptive load that begins with nothing";
            self.add(Diagnostic::new(level.span, what, "more than 0").help(help));
        } else if to.value.number() <= level.value.number() {
            let what = "the highest level is not above the lowest";
            let diagnostic = Diagnostic::new(to.span, what, "more than the load's own level");
            self.add(diagnostic.also(level.span, "the lowest level"));
        }
    }
}
