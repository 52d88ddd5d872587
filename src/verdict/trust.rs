//! Was it us? Whether the load generator was the bottleneck.

/// The verdict on ourselves, with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The verdict.
    pub verdict: Verdict,
    /// Each reason, one sentence with its numbers.
    pub reasons: Vec<String>,
}

/// What can be said of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are the target's.
    Valid,
    /// They are partly ours.
    GeneratorSaturated,
    /// The target was at its limit.
    TargetSaturated,
    /// Not enough is known.
    Inconclusive,
}

impl Verdict {
    /// The key in the results.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::GeneratorSaturated => "generator_saturated",
            Self::TargetSaturated => "target_saturated",
            Self::Inconclusive => "inconclusive",
        }
    }
}
