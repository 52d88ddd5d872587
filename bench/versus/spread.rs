//! A few values as what can be said of them: the middle and the ends.

use std::fmt;

/// Median and range.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spread {
    /// All values, in the order in which they were measured.
    pub(crate) values: Vec<f64>,
    /// The middle one; of an even number, the mean of the two.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let (below, above) = ((sorted.len() - 1) / 2, sorted.len() / 2);
        let median = f64::midpoint(sorted[below], sorted[above]);
        Self { values, median, min: sorted[0], max: sorted[sorted.len() - 1] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = out.precision().unwrap_or(1);
        let Self { median, min, max, .. } = self;
        write!(out, "{median:.digits$} [{min:.digits$}..{max:.digits$}]")
    }
}
