//! What must hold for a run to pass.

use crate::scenario::place::Spanned;
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// A threshold: a measured number, a comparison, a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As it was written.
    pub text: String,
    /// What is measured.
    pub measured: Measured,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub bound: Bound,
    /// Over windows of this length; none means the whole run.
    pub over: Option<Nanos>,
    /// Missed only when missed for so long.
    pub lasting: Option<Nanos>,
    /// Ends the run when it is missed.
    pub abort: bool,
    /// Judged only with so many samples.
    pub min_samples: Option<u64>,
    /// Whether no data at all is fine.
    pub allow_empty: bool,
}

/// A number out of the measurements.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The metric; which ones exist is not this room's business.
    pub metric: Spanned<String>,
    /// Only what has these labels.
    pub labels: Vec<(Spanned<String>, Spanned<String>)>,
    /// What is made of its samples.
    pub aggregate: Aggregate,
}

/// What is made of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregate {
    /// The share of those that are true, or so many a second.
    Rate,
    /// How many.
    Count,
    /// The mean.
    Avg,
    /// The least.
    Min,
    /// The median.
    Med,
    /// The greatest.
    Max,
    /// A percentile, from 0 to 100.
    Percentile(f64),
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// What a measured number is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number of the user's.
    Fixed(Quantity),
    /// Another measured number, times a factor.
    Relative {
        /// The factor.
        factor: f64,
        /// The number, of another phase for example.
        measured: Measured,
    },
}

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// A span of time.
    Time(Nanos),
    /// A share: `1%` is 0.01.
    Share(f64),
    /// So many a second.
    Rate(Rate),
    /// A number without a unit.
    Number(f64),
}
