//! Exit codes: stable numbers, part of the command line's contract.

/// How the process ends. Where several apply to a run, the first of 105, 108, 1, 99, 111 wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The run took place, and nothing that was asked of it was missed.
    Passed = 0,
    /// Something of ours failed, results could not be written, or not one operation succeeded.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// A threshold was missed, or had no data.
    ThresholdsFailed = 99,
    /// The scenario is invalid; nothing was loaded.
    InvalidScenario = 104,
    /// A signal ended the run early; what was measured until then is reported.
    Interrupted = 105,
    /// A threshold ended the run early.
    Aborted = 108,
    /// The load generator was the bottleneck: the numbers are not the target's.
    NotTrustworthy = 111,
    /// `compare` found a regression.
    Regression = 112,
    /// The target could not be reached or may not be loaded, or this host is not able to.
    Unreachable = 113,
}

impl ExitCode {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}
