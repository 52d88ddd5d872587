//! One line of an access log.
//!
//! ```text
//!  [1700000000.123 ] 10.0.0.7 - alice [10/Oct/2025:13:55:36 +0000] "GET /a?b HTTP/1.1" 200 512
//!       "referer" "agent" [1700000000.123] [0.017]
//! ```
//! What is accepted: the common and the combined format; in front of it, or in the brackets, also
//! seconds since 1970 with a fraction (`$msec`) or an ISO 8601 time (`$time_iso8601`); in the
//! brackets of the common form a fraction of the second (`%{msec_frac}t`). Behind it, in any order:
//! a number with a point from 10^9 on is `$msec`; a smaller one is `$request_time` in seconds; one
//! without a point is `%D` of Apache in microseconds. nginx writes a line when a request has ended,
//! Apache says when it began: the unit of the duration tells which of them it was.

use std::hash::{DefaultHasher, Hasher as _};
use std::time::Duration;

use crate::stdx::Nanos;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// When, since 1970.
    pub at: Nanos,
    /// Whether that is more exact than a second.
    pub is_fine: bool,
    /// How long the request took, and whether `at` is its end.
    pub took: Option<(Nanos, bool)>,
    /// A hash of the address and the agent.
    pub client: u64,
    /// In capitals.
    pub method: &'l str,
    /// From `/` on, with the query.
    pub path: &'l str,
    /// From 100 to 599.
    pub status: u16,
}

/// Why a line could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// More bytes than any request has.
    #[error("longer than 64 KiB")]
    TooLong,
    /// Bytes that are no text.
    #[error("no UTF-8")]
    NoText,
    /// No `[…]` behind three words.
    #[error("no time in brackets behind address, identity and user")]
    NoTime,
    /// The time is none.
    #[error("no time that is known: 10/Oct/2025:13:55:36 +0000, ISO 8601, or seconds since 1970")]
    WrongTime,
    /// No `"METHOD /path HTTP/1.1"`.
    #[error("no request in quotes, such as \"GET /a HTTP/1.1\"")]
    NoRequest,
    /// No status behind the request.
    #[error("no status behind the request")]
    NoStatus,
}

impl<'l> Line<'l> {
    /// Reads a line without its end.
    ///
    /// # Errors
    /// With the first reason why it is none.
    pub fn parse(bytes: &'l [u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NoText)?;
        let mut words = Words { rest: text };
        let mut address = words.plain().ok_or(Unreadable::NoTime)?;
        let leading = moment(address);
        if leading.is_some() {
            address = words.plain().ok_or(Unreadable::NoTime)?;
        }
        let time = words.bracketed().ok_or(Unreadable::NoTime)?;
        let written = moment(time).ok_or(Unreadable::WrongTime)?;
        let request = words.quoted().ok_or(Unreadable::NoRequest)?;
        let (method, path) = requested(request).ok_or(Unreadable::NoRequest)?;
        let status = words.plain().and_then(|word| word.parse::<u16>().ok());
        let status = status.filter(|it| (100..600).contains(it)).ok_or(Unreadable::NoStatus)?;
        // The bytes of the body; nobody needs them here.
        words.plain();
        let (_, agent) = (words.quoted(), words.quoted().unwrap_or_default());
        let mut client = DefaultHasher::new();
        client.write(address.as_bytes());
        client.write_u8(0);
        client.write(agent.as_bytes());
        let mut line = Line {
            at: written.0,
            is_fine: written.1,
            took: None,
            client: client.finish(),
            method,
            path,
            status,
        };
        if let Some((at, true)) = leading {
            (line.at, line.is_fine) = (at, true);
        }
        line.behind(words);
        Ok(line)
    }

    /// What stands behind the agent.
    fn behind(&mut self, mut words: Words<'_>) {
        const WORDS: usize = 16;
        for _ in 0..WORDS {
            if words.quoted().is_some() {
                continue;
            }
            let Some(word) = words.plain() else { return };
            match seconds(word) {
                Some((at, true)) if at >= EPOCH_LEAST => (self.at, self.is_fine) = (at, true),
                Some((took, true)) => self.took = Some((took, true)),
                Some((Nanos(micros), false)) => {
                    self.took = Some((Nanos::from_micros(micros / 1_000_000_000), false));
                }
                None => {}
            }
        }
    }

    /// When the request began, as far as the line says.
    #[must_use]
    pub const fn begun(&self) -> Nanos {
        match self.took {
            Some((took, true)) => self.at.since(took),
            Some((_, false)) | None => self.at,
        }
    }

    /// When it ended, as far as the line says.
    #[must_use]
    pub fn ended(&self) -> Nanos {
        match self.took {
            Some((took, false)) => self.at + took,
            Some((_, true)) | None => self.at,
        }
    }
}

/// 2001: what is smaller is a duration.
const EPOCH_LEAST: Nanos = Nanos::from_secs(1_000_000_000);

/// What is left of a line.
struct Words<'l> {
    rest: &'l str,
}

impl<'l> Words<'l> {
    /// A word up to the next space.
    fn plain(&mut self) -> Option<&'l str> {
        let text = self.rest.trim_start_matches(' ');
        let end = text.find(' ').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// A text in quotes, if one is next; a backslash takes the next character with it.
    fn quoted(&mut self) -> Option<&'l str> {
        let text = self.rest.trim_start_matches(' ').strip_prefix('"')?;
        let mut escaped = false;
        let end = text.bytes().position(|byte| {
            let is_end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            is_end
        })?;
        self.rest = text.get(end + 1..)?;
        text.get(..end)
    }

    /// What stands in brackets behind the identity and the user, who may have spaces in his name.
    fn bracketed(&mut self) -> Option<&'l str> {
        let before_request = self.rest.find('"').unwrap_or(self.rest.len());
        let start = self.rest.get(..before_request)?.rfind('[')?;
        let inside = self.rest.get(start + 1..)?;
        let end = inside.find(']')?;
        self.rest = inside.get(end + 1..)?;
        inside.get(..end)
    }
}

/// The method and the path of a request line.
fn requested(request: &str) -> Option<(&str, &str)> {
    const METHOD_MOST: usize = 16;
    let (method, rest) = request.split_once(' ')?;
    let target = rest.rsplit_once(' ').map_or(rest, |(target, _)| target);
    let is_method = (1..=METHOD_MOST).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.get(rest.find('/')?..)?,
        _ => target,
    };
    let is_path = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
    (is_method && is_path).then_some((method, path))
}

/// A moment since 1970, and whether it has a fraction of a second.
fn moment(text: &str) -> Option<(Nanos, bool)> {
    if let Some((at, is_fine)) = seconds(text) {
        return (at >= EPOCH_LEAST).then_some((at, is_fine));
    }
    let common = jiff::Timestamp::strptime("%d/%b/%Y:%H:%M:%S%.f %z", text).ok();
    let stamp = common.or_else(|| text.parse().ok())?;
    let ns = u64::try_from(stamp.as_nanosecond()).ok()?;
    Some((Nanos(ns), text.contains(['.', ','])))
}

/// A number of seconds, and whether it is written with a point.
fn seconds(text: &str) -> Option<(Nanos, bool)> {
    const DIGITS: usize = 12;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.len() <= DIGITS && part.bytes().all(|it| it.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = Nanos::from_secs(whole.parse().ok()?);
    let fraction = format!("0.{fraction}0").parse().ok()?;
    let fraction = Nanos::from(Duration::try_from_secs_f64(fraction).ok()?);
    Some((whole + fraction, text.contains('.')))
}

#[cfg(test)]
mod tests {
    use super::{Line, Nanos, Unreadable};

    /// 2023-11-14 22:13:20 UTC.
    const AT: Nanos = Nanos::from_secs(1_700_000_000);
    const COMBINED: &str = "10.0.0.7 - - [14/Nov/2023:22:13:20 +0000] \
        \"GET /orders/7?a=b HTTP/1.1\" 200 512 \"-\" \"curl/8 (x \\\"y\\\")\"";

    fn parse(text: &str) -> Line<'_> {
        Line::parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why}: {text}"))
    }

    #[test]
    fn combined_and_common() {
        let line = parse(COMBINED);
        assert_eq!((line.method, line.path, line.status), ("GET", "/orders/7?a=b", 200));
        assert_eq!((line.at, line.is_fine, line.took), (AT, false, None));
        let common = COMBINED.split(" \"-\"").next().unwrap();
        let common = parse(common);
        assert_eq!(common.path, line.path);
        assert_ne!(common.client, line.client, "another agent is another client");
    }

    #[test]
    fn milliseconds_wherever_they_stand() {
        let fine = AT + Nanos::from_millis(123);
        let common = |time: &str| COMBINED.replace("14/Nov/2023:22:13:20 +0000", time);
        for text in [
            format!("1700000000.123 {COMBINED}"),
            format!("2023-11-14T22:13:20.123+00:00 {COMBINED}"),
            common("1700000000.123"),
            common("2023-11-14T23:13:20.123+01:00"),
            common("14/Nov/2023:17:13:20.123 -0500"),
            format!("{COMBINED} 1700000000.123"),
            format!("{COMBINED} \"-\" 1700000000.123 -"),
        ] {
            let line = parse(&text);
            assert_eq!((line.at, line.is_fine), (fine, true), "{text}");
        }
        assert_eq!(parse(&common("2023-11-14T22:13:20+00:00")).at, AT);
    }

    #[test]
    fn the_unit_of_a_duration_tells_what_the_time_is() {
        let (took, later) = (Nanos::from_millis(250), AT + Nanos::from_millis(250));
        let text = format!("{COMBINED} 0.250");
        let nginx = parse(&text);
        assert_eq!((nginx.took, nginx.ended()), (Some((took, true)), AT));
        assert_eq!(nginx.begun() + took, AT);
        let text = format!("{COMBINED} 250000");
        let apache = parse(&text);
        assert_eq!((apache.begun(), apache.ended()), (AT, later));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cut = |from: &str, to: &str| COMBINED.replace(from, to);
        for (text, why) in [
            ("".to_owned(), Unreadable::NoTime),
            ("hello".to_owned(), Unreadable::NoTime),
            (cut("14/Nov", "14/Foo"), Unreadable::WrongTime),
            (cut("14/Nov/2023", "31/Nov/2023"), Unreadable::WrongTime),
            (cut("[", "("), Unreadable::NoTime),
            (cut("GET /orders/7?a=b HTTP/1.1", "-"), Unreadable::NoRequest),
            (cut("GET ", "get "), Unreadable::NoRequest),
            (cut("/orders", "\\x16\\x03"), Unreadable::NoRequest),
            (cut(" 200 ", " 2000 "), Unreadable::NoStatus),
            (cut(" 200 512", ""), Unreadable::NoStatus),
        ] {
            assert_eq!(Line::parse(text.as_bytes()), Err(why), "{text}");
        }
        assert_eq!(Line::parse(b"\xff \xfe"), Err(Unreadable::NoText));
    }
}
