//! Numbers as people read them, in ASCII.

/// `1234567` as `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate with one place below a million and, where that says too little, two.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are not negative and fit 64 bits by far"
)]
pub fn per_second(rate: f64) -> String {
    let places = if rate < 10.0 { 100.0 } else { 10.0 };
    let scaled = (rate * places).round();
    let (whole, part) = ((scaled / places) as u64, scaled % places);
    match (part, places) {
        (0.0, _) => format!("{}/s", thousands(whole)),
        (part, 10.0) => format!("{}.{part:.0}/s", thousands(whole)),
        (part, _) => format!("{}.{part:02.0}/s", thousands(whole)),
    }
}

/// A time given in milliseconds: three digits and the unit that fits them.
#[must_use]
pub fn time(ms: f64) -> String {
    let us = ms * 1e3;
    match us {
        us if us < 9.95 && (us - us.round()).abs() >= 0.05 => format!("{us:.1} us"),
        us if us < 999.5 => format!("{us:.0} us"),
        _ if ms < 9.995 => format!("{ms:.2} ms"),
        _ if ms < 99.95 => format!("{ms:.1} ms"),
        _ if ms < 999.5 => format!("{ms:.0} ms"),
        _ if ms < 9_995.0 => format!("{:.2} s", ms / 1e3),
        _ if ms < 99_950.0 => format!("{:.1} s", ms / 1e3),
        _ => format!("{:.0} s", ms / 1e3),
    }
}

/// A duration given in seconds: no more digits than it has.
#[must_use]
pub fn span(seconds: f64) -> String {
    let hundredths = (seconds * 100.0).round();
    if seconds > 0.0 && seconds < 1.0 {
        time(seconds * 1e3)
    } else if hundredths % 100.0 == 0.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{seconds:.2} s")
    }
}

/// Bytes in units of 1000, three digits.
#[must_use]
pub fn bytes(count: f64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut amount = count;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1e3;
        unit += 1;
    }
    let name = UNITS[unit];
    match amount {
        _ if unit == 0 => format!("{amount:.0} {name}"),
        amount if amount < 9.995 => format!("{amount:.2} {name}"),
        amount if amount < 99.95 => format!("{amount:.1} {name}"),
        amount => format!("{amount:.0} {name}"),
    }
}

/// A share of 1 as per cent. What is neither none nor all never reads as such.
#[must_use]
pub fn percent(share: f64) -> String {
    match share {
        share if share > 0.0 && share < 0.000_05 => "<0.01 %".into(),
        share if share < 1.0 && share > 0.999_95 => ">99.99 %".into(),
        share => format!("{:.2} %", share * 100.0),
    }
}

/// `count` of a thing, with an `s` where there is not one of it.
#[must_use]
pub fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(count))
}

/// Text that cannot do anything to a terminal, at most `room` characters of it.
#[must_use]
pub fn harmless(text: &str, room: usize) -> String {
    let clean = |c: char| if c.is_control() { '?' } else { c };
    if text.chars().count() <= room {
        return text.chars().map(clean).collect();
    }
    text.chars().take(room.saturating_sub(3)).map(clean).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::{bytes, harmless, per_second, percent, plural, span, thousands, time};

    #[test]
    fn counts_and_rates() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(per_second(123_456.78), "123,456.8/s");
        assert_eq!(per_second(5_000.0), "5,000/s");
        assert_eq!(per_second(999.96), "1,000/s");
        assert_eq!(per_second(0.5), "0.50/s");
        assert_eq!(per_second(9.996), "10/s");
        assert_eq!(plural(1, "shard"), "1 shard");
    }

    #[test]
    fn times_fit_in_seven_characters() {
        for (ms, text) in [
            (0.0, "0 us"),
            (0.000_42, "0.4 us"),
            (0.004, "4 us"),
            (0.999, "999 us"),
            (0.999_6, "1.00 ms"),
            (1.234, "1.23 ms"),
            (12.34, "12.3 ms"),
            (999.4, "999 ms"),
            (999.6, "1.00 s"),
            (61_234.0, "61.2 s"),
            (3_600_000.0, "3600 s"),
        ] {
            assert_eq!(time(ms), text);
            assert!(text.len() <= 7);
        }
        assert_eq!((span(10.0).as_str(), span(0.25).as_str()), ("10 s", "250 ms"));
        assert_eq!(span(10.004_2), "10 s");
        assert_eq!(span(10.25), "10.25 s");
    }

    #[test]
    fn sizes_and_shares() {
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(999_600.0), "1.00 MB");
        assert_eq!(bytes(12_345_678.0), "12.3 MB");
        assert_eq!(percent(0.0), "0.00 %");
        assert_eq!(percent(1e-9), "<0.01 %");
        assert_eq!(percent(1.0 - 1e-9), ">99.99 %");
        assert_eq!(percent(0.012_3), "1.23 %");
    }

    #[test]
    fn a_peer_cannot_paint_the_terminal() {
        assert_eq!(harmless("a\x1b[31mb\n", 80), "a?[31mb?");
        assert_eq!(harmless("abcdefgh", 6), "abc...");
    }
}
