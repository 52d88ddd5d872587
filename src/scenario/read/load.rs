//! Loads: closed or open, constant or in stages.

use super::{Fields, Reader};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::keys::{LOAD, STAGES, Shape as Form};
use crate::scenario::model::{Amount, Arrivals, Length, Load, Shape, Stage};
use crate::scenario::place::Spanned;
use crate::scenario::tree::Node;

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
        let max = self.count(&fields, "max");
        let patience = self.duration(&fields, "patience");
        let pace = self.pace(&fields, "open");
        let level = closed.or(open)?;
        self.some_load(&level, shape.as_ref()?);
        Some(Load {
            arrivals: match arrivals {
                Some(word) if word.value == "poisson" => Spanned::new(Arrivals::Poisson, word.span),
                Some(word) if word.value == "batched" => Spanned::new(Arrivals::Batched, word.span),
                Some(word) => Spanned::new(Arrivals::Even, word.span),
                None => Spanned::new(Arrivals::Even, level.span),
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
        constant.or_else(|| stages.map(Shape::Stages))
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
        let Shape::Stages(stages) = shape else {
            if nothing {
                let help = "say how many: connections: 10, or rate: 50/s";
                let diagnostic = Diagnostic::new(level.span, "a load of nothing", "more than 0");
                self.add(diagnostic.help(help));
            }
            return;
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
}
