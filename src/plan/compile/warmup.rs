//! The warm-up: for loads whose level stays, because what changes is never steady.

use super::Compiler;
use crate::scenario::{Diagnostic, Shape, Warmup};
use crate::stdx::Nanos;

impl Compiler<'_> {
    /// How long it lasts at most, and whether it ends when the load is steady.
    pub(super) fn warmup(&mut self) {
        let Some(written) = &self.scenario.warmup else { return };
        let (Warmup::Fixed(span) | Warmup::Auto(span)) = written.value;
        let span = self.pause(span, written.span);
        self.plan.warmup = span;
        if let Warmup::Auto(_) = written.value {
            self.plan.warmup_bound = Some(span.max(SHORTEST));
            self.plan.warmup = span.max(SHORTEST);
        }
        let scenario = self.scenario;
        let stays = |shape: &Shape| matches!(shape, Shape::Constant(_));
        let changing = scenario
            .workloads
            .iter()
            .find(|workload| workload.value.load.as_ref().is_none_or(|load| !stays(&load.shape)));
        let Some(workload) = changing else { return };
        let what = "a warm-up before a load whose level changes";
        let expected = "only beside loads with a 'for'";
        let help = "leave 'warmup' out, give the first stage or level a name, and hold thresholds \
                    to the others: {phase: NAME}";
        let diagnostic = Diagnostic::new(written.span, what, expected);
        self.add(diagnostic.also(workload.name.span, "its level changes").help(help));
    }
}

/// A bound that a scale has made less than that is none.
const SHORTEST: Nanos = Nanos::from_millis(1);
