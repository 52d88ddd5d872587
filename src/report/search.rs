//! A search for a capacity, as the document tells of it.

use super::document::{LawSection, SearchSection, TrialSection};
use super::metric::{round6, seconds};
use crate::engine::outcome::{Searched, TrialRow};
use crate::verdict::interval::Outcome as Held;
use crate::verdict::search::{Ceiling, Step, Unit};
use crate::verdict::usl::Fit;

/// Whether it found that nothing holds what is asked for. Where this generator was at its limit in
/// every trial, nothing is known of the target: that is for the verdict on ourselves to say.
pub(super) fn is_doomed(searched: &Searched) -> bool {
    matches!(searched.step, Step::Doomed(_)) && !searched.rows.iter().all(|row| row.saturated)
}

pub(super) fn section(searched: &Searched) -> SearchSection {
    let unit = searched.unit;
    let level = |level: u64| match unit {
        Unit::Connections => level as f64,
        Unit::MilliPerSecond => round6(level as f64 / 1e3),
    };
    let mut section = SearchSection {
        unit: match unit {
            Unit::Connections => "connections".to_owned(),
            Unit::MilliPerSecond => "per_second".to_owned(),
        },
        end: "cut".to_owned(),
        holds: None,
        achieved: None,
        breaks: None,
        ceiling: None,
        confirmed: false,
        notes: Vec::new(),
        trials: searched.rows.iter().map(|row| trial(row, &level)).collect(),
        law: None,
    };
    match &searched.step {
        Step::Converged(found) => {
            section.end = "found".to_owned();
            section.holds = Some(level(found.holds));
            section.achieved = Some(level(found.achieved));
            section.breaks = found.above.map(level);
            section.ceiling = Some(ceiling(found.ceiling).to_owned());
            section.confirmed = found.confirmed;
            section.notes.clone_from(&found.notes);
        }
        Step::Doomed(why) => {
            section.end = "doomed".to_owned();
            section.notes.push(why.clone());
        }
        Step::Try { .. } => {}
    }
    match &searched.law {
        Ok(fit) => section.law = Some(law(fit)),
        Err(why) => section.notes.push(why.clone()),
    }
    section
}

const fn ceiling(ceiling: Ceiling) -> &'static str {
    match ceiling {
        Ceiling::Broken => "target",
        Ceiling::Generator => "generator",
        Ceiling::Unclear => "unclear",
        Ceiling::None => "none",
    }
}

fn trial(row: &TrialRow, level: &impl Fn(u64) -> f64) -> TrialSection {
    TrialSection {
        level: level(row.level),
        from_s: seconds(row.from),
        span_s: seconds(row.span),
        throughput_per_s: round6(row.throughput),
        concurrency: round6(row.concurrency),
        verdict: match (row.saturated, row.held) {
            (true, _) => "generator_saturated",
            (false, Held::Holds) => "holds",
            (false, Held::Broken) => "broken",
            (false, Held::Unclear) => "unclear",
        }
        .to_owned(),
        samples: row.samples,
        values: row.values.iter().map(|(value, _)| value.map(round6)).collect(),
    }
}

fn law(fit: &Fit) -> LawSection {
    LawSection {
        gain: fit.law.gain,
        contention: fit.law.contention,
        coherency: fit.law.coherency,
        peak: fit.peak.map(round6),
        peak_range: fit.peak_range.map(|range| [Some(range.low), range.high]),
        best_per_s: fit.best.map(round6),
        extrapolated: fit.extrapolated,
        explained: round6(fit.explained),
    }
}
