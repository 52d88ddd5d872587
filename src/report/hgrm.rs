//! `latency.hgrm`: the percentile spectrum as text, in milliseconds, for the plotters of the
//! HdrHistogram project.

use std::io::Write as _;

use crate::metrics::Histogram;

/// Lines for each halving of the distance to 100 %, as in the Java original.
const TICKS_PER_HALF_DISTANCE: u32 = 5;

/// Sub-buckets of a histogram with three significant digits.
const SUB_BUCKETS: u32 = 2_048;

/// The spectrum of one histogram.
///
/// # Errors
/// Never in practice: it is written to memory.
pub fn spectrum(histogram: &Histogram) -> std::io::Result<Vec<u8>> {
    let hdr = histogram.hdr();
    let mut bytes = Vec::new();
    writeln!(bytes, "       Value     Percentile TotalCount 1/(1-Percentile)\n")?;
    let mut below = 0;
    for step in hdr.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        below += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / 1e3;
        let quantile = step.quantile_iterated_to();
        write!(bytes, "{value:12.3} {quantile:14.12} {below:10}")?;
        if quantile < 1.0 {
            write!(bytes, " {:14.2}", 1.0 / (1.0 - quantile))?;
        }
        writeln!(bytes)?;
    }
    let (mean, deviation) = (hdr.mean() / 1e3, hdr.stdev() / 1e3);
    writeln!(bytes, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]")?;
    let (max, count) = (hdr.max() as f64 / 1e3, hdr.len());
    writeln!(bytes, "#[Max     = {max:12.3}, Total count    = {count:12}]")?;
    let buckets = hdr.buckets();
    writeln!(bytes, "#[Buckets = {buckets:12}, SubBuckets     = {SUB_BUCKETS:12}]")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Histogram, SUB_BUCKETS};

    #[test]
    fn the_trailer_names_the_real_buckets() {
        let histogram = Histogram::new();
        // The first bucket has all its sub-buckets, each further one the upper half.
        let distinct = (u32::from(histogram.hdr().buckets()) + 1) * SUB_BUCKETS / 2;
        assert_eq!(histogram.hdr().distinct_values(), distinct as usize);
    }
}
