//! The levels of a sequence, each with what became of it.

use super::document::{LevelRow, PhaseSection, ThresholdRow};
use super::metric::seconds;
use crate::engine::outcome::Outcome;
use crate::metrics::Tally;
use crate::plan::{Level, Plan};

/// One row a level of the plan, also those that the run did not come to.
pub(super) fn rows(
    outcome: &Outcome,
    plan: &Plan,
    thresholds: &[ThresholdRow],
    phases: &[PhaseSection],
) -> Vec<LevelRow> {
    let row = |level: &Level| {
        let name = plan.phase_name(level.phase);
        let mut tally = Tally::default();
        for (_, id) in plan.leaves(level.phase) {
            if let Some(leaf) = outcome.total.get(id) {
                tally.add(&leaf.tally);
            }
        }
        let section = phases.iter().find(|phase| phase.name == name);
        let own = level.thresholds.iter().filter_map(|at| thresholds.get(usize::from(*at)));
        let own: Vec<ThresholdRow> = own.cloned().collect();
        LevelRow {
            name: name.to_owned(),
            asked: level.asked.clone(),
            from_s: seconds(level.from),
            to_s: seconds(level.to),
            cooldown_s: seconds(level.cooldown),
            reached: section.is_some(),
            passed: section.is_some() && own.iter().all(|threshold| threshold.passed),
            thresholds: own,
            scheduled: tally.scheduled,
            ok: tally.ok,
            failed: tally.failures(),
            dropped: tally.dropped,
        }
    };
    plan.levels.iter().map(row).collect()
}
