//! Quantities as people write them: `250ms`, `5k`, `64KiB`. One table per family.

use super::Nanos;

/// What is wrong with a written quantity; the caller adds where it stood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// No digits where a number must be.
    #[error("'{0}' does not start with a number; expected {1}")]
    NoNumber(String, &'static str),
    /// A unit that the family does not have.
    #[error("'{0}' has an unknown unit '{1}'; expected {2}")]
    UnknownUnit(String, String, &'static str),
    /// More than 64 bits hold.
    #[error("'{0}' is too large; the largest is {1}")]
    TooLarge(String, &'static str),
}

/// One family of units: what a bare number means, and each suffix with its size.
struct Family {
    expected: &'static str,
    largest: &'static str,
    suffixes: &'static [(&'static str, u64)],
}

const DURATION: Family = Family {
    expected: "a duration such as 500us, 250ms, 10s, 5m or 1h",
    largest: "584 years",
    suffixes: &[
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("", 1_000_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ],
};

const COUNT: Family = Family {
    expected: "a number such as 500, 10k or 2M",
    largest: "18446744073709551615",
    suffixes: &[("", 1), ("k", 1_000), ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)],
};

const RATE: Family = Family {
    expected: "a rate per second such as 500, 5k, 5k/s or 300/m",
    largest: "18446744073709551 a second",
    // In thousandths of a request per second, so that 1/m is still 16 of them.
    suffixes: &[
        ("", 1_000),
        ("/s", 1_000),
        ("k", 1_000_000),
        ("K", 1_000_000),
        ("k/s", 1_000_000),
        ("M", 1_000_000_000),
        ("M/s", 1_000_000_000),
    ],
};

const BYTES: Family = Family {
    expected: "a size such as 512, 4KiB, 64k or 1MB",
    largest: "16 EiB",
    suffixes: &[
        ("", 1),
        ("B", 1),
        ("k", 1_024),
        ("K", 1_024),
        ("KiB", 1_024),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MiB", 1 << 20),
        ("MB", 1_000_000),
        ("GiB", 1 << 30),
        ("GB", 1_000_000_000),
    ],
};

/// A duration: a bare number means seconds.
///
/// # Errors
/// When it is no number, has an unknown unit, or does not fit.
pub fn duration(text: &str) -> Result<Nanos, UnitError> {
    parse(text, &DURATION).map(Nanos)
}

/// A plain count.
///
/// # Errors
/// When it is no number, has an unknown unit, or does not fit.
pub fn count(text: &str) -> Result<u64, UnitError> {
    parse(text, &COUNT)
}

/// A size in bytes.
///
/// # Errors
/// When it is no number, has an unknown unit, or does not fit.
pub fn bytes(text: &str) -> Result<u64, UnitError> {
    parse(text, &BYTES)
}

/// Arrivals per second, exact to a thousandth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// Thousandths of an arrival per second.
    pub milli_per_s: u64,
}

impl Rate {
    /// As a float, for people and for reports.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "rates beyond 2^53 thousandths do not exist")]
    pub fn per_second(self) -> f64 {
        self.milli_per_s as f64 / 1e3
    }
}

/// A rate: a bare number means per second; `/m` is per minute.
///
/// # Errors
/// When it is no number, has an unknown unit, or does not fit.
pub fn rate(text: &str) -> Result<Rate, UnitError> {
    if let Some(per_minute) = text.trim().strip_suffix("/m") {
        let milli = parse(per_minute, &RATE)?;
        return Ok(Rate { milli_per_s: milli / 60 });
    }
    parse(text, &RATE).map(|milli_per_s| Rate { milli_per_s })
}

/// A decimal number of at most nine places, times the size of its unit, rounded down.
fn parse(text: &str, family: &Family) -> Result<u64, UnitError> {
    let text = text.trim();
    let number = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(number);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || fraction.len() > 9 {
        return Err(UnitError::NoNumber(text.to_owned(), family.expected));
    }
    let unit = unit.trim();
    let Some((_, size)) = family.suffixes.iter().find(|(name, _)| *name == unit) else {
        return Err(UnitError::UnknownUnit(text.to_owned(), unit.to_owned(), family.expected));
    };
    let too_large = || UnitError::TooLarge(text.to_owned(), family.largest);
    let scaled = |digits: &str| match digits {
        "" => Some(0),
        digits => digits.parse::<u128>().ok()?.checked_mul(u128::from(*size)),
    };
    let whole = scaled(whole).ok_or_else(too_large)?;
    let places = u32::try_from(fraction.len()).unwrap_or(0);
    let fraction = scaled(fraction).ok_or_else(too_large)? / 10_u128.pow(places);
    whole.checked_add(fraction).and_then(|sum| u64::try_from(sum).ok()).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Rate, bytes, count, duration, rate};

    #[test]
    fn durations() {
        assert_eq!(duration("10s"), Ok(Nanos::from_secs(10)));
        assert_eq!(duration("10"), Ok(Nanos::from_secs(10)));
        assert_eq!(duration("1.5s"), Ok(Nanos::from_millis(1_500)));
        assert_eq!(duration("250ms"), Ok(Nanos::from_millis(250)));
        assert_eq!(duration(".5ms"), Ok(Nanos::from_micros(500)));
        for wrong in ["", "s", "-1s", "1.2.3s", "10 parsecs", "1e9s", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong} must not parse");
        }
        assert!(duration("20000000000s").is_err(), "2e19 ns do not fit 64 bits");
    }

    #[test]
    fn rates_counts_sizes() {
        assert_eq!(rate("5k"), Ok(Rate { milli_per_s: 5_000_000 }));
        assert_eq!(rate("0.5/s"), Ok(Rate { milli_per_s: 500 }));
        assert_eq!(rate("300/m"), Ok(Rate { milli_per_s: 5_000 }));
        assert_eq!(count("10k"), Ok(10_000));
        assert_eq!(bytes("64KiB"), Ok(65_536));
        assert!(count("10x").is_err());
    }
}
