//! What moves a load while it is on: steering, the end of a warm-up, the user.

use std::sync::Arc;

use super::super::control::{Command, Level, To};
use super::super::limits::{LEVEL_LEAD, LEVELS};
use super::super::outcome::Ended;
use super::super::steering::Action;
use super::{Collector, SECOND};
use crate::plan::Plan;
use crate::stdx::Nanos;
use crate::verdict::steady::RULE as STEADY;

impl Collector<'_> {
    /// What a load that is steered does next.
    pub(super) fn steer(&mut self, action: Action) {
        if self.ended != Ended::Finished {
            return;
        }
        let over = match action {
            Action::Level { workload, level, what } => {
                let changed = self.change_level(Some(workload), To::Held(level));
                self.note(&what);
                // What stays at its level without knowing it would be measured as another.
                (!changed).then(|| format!("the level was changed {LEVELS} times: that is enough"))
            }
            Action::End(why) => Some(why),
        };
        if let Some(why) = over {
            self.note(&why);
            self.stopped = Some(self.elapsed());
            self.drain(Ended::Finished);
        }
    }

    /// Ends a warm-up that is over when the load is steady, or says that it did not become so.
    pub(super) fn warm(&mut self, closed: usize) {
        let Some(mut warming) = self.warming.take() else { return };
        let Some(series) = &mut self.series else { return };
        let (now, bound) = (self.run.clock.now().since(self.start), self.plan.warmup);
        let rows = series.rows.get(series.rows.len() - closed..).unwrap_or_default();
        let steady = rows.iter().any(|row| {
            let per_second = row.replies as f64 / row.span.as_secs_f64().max(f64::MIN_POSITIVE);
            warming.second(per_second, row.response.p50)
        });
        // Whole seconds, as all rows are; every shard has to hear of it before.
        let at = Nanos((now + LEVEL_LEAD).0.div_ceil(SECOND.0) * SECOND.0);
        if at >= bound {
            let bound = bound.as_secs_f64();
            self.note(&format!("the warm-up ends at its bound of {bound} s: not steady before"));
        } else if steady && self.ended == Ended::Finished {
            let mut plan = Plan::clone(&self.plan);
            plan.warmup = at;
            let plan = Arc::new(plan);
            series.end_warmup(&plan);
            for shard in &self.shards {
                // A shard that has ended needs none.
                let _ended = shard.plans.send(plan.clone());
            }
            self.plan = plan;
            self.wake_all();
            self.note(&format!("the warm-up ends after {} s: {STEADY}", at.as_secs_f64()));
        } else {
            self.warming = Some(warming);
        }
    }

    /// What the user orders: as long as the run goes on as planned.
    pub(super) fn heed_commands(&mut self) {
        while let Some(command) = (self.run.commands)() {
            if self.ended != Ended::Finished {
                continue;
            }
            let share = match command {
                Command::Pause => 0,
                Command::Resume => self.share,
                Command::Level(thousandths) => {
                    self.share = thousandths;
                    thousandths
                }
            };
            let told = match command {
                Command::Pause => "paused".to_owned(),
                _ => format!("the level is {} % of the plan's from here on", share as f64 / 10.0),
            };
            if self.change_level(None, To::Share(share)) {
                self.note(&told);
                self.pulse(0);
            }
        }
    }

    /// Changes the level for all shards at one moment; false if that was done too often.
    fn change_level(&mut self, workload: Option<usize>, to: To) -> bool {
        if self.levels >= LEVELS {
            return false;
        }
        self.levels += 1;
        let level = Level { workload, at: self.run.clock.now() + LEVEL_LEAD, to };
        for shard in &self.shards {
            // A shard that has ended needs none.
            let _ended = shard.levels.send(level);
        }
        if let Some(series) = &mut self.series {
            series.change_level(&level);
        }
        self.wake_all();
        true
    }
}
