//! What stands between the data of a chunked body (RFC 9112 section 7.1), byte by byte.
//!
//! | awaits         | and gets           | then                                      |
//! |----------------|--------------------|-------------------------------------------|
//! | `FirstDigit`   | hex digit          | `Digits`                                  |
//! | `Digits`       | hex digit          | `Digits`, up to 2^64 − 1                  |
//! |                | blank              | `Padding`                                 |
//! |                | `;`                | `Extension`                               |
//! |                | CR                 | `SizeLf`                                  |
//! | `Padding`      | blank              | `Padding`                                 |
//! |                | `;` or CR          | as `Digits`                               |
//! | `Extension`    | text               | `Extension`                               |
//! |                | CR                 | `SizeLf`                                  |
//! | `SizeLf`       | LF                 | data; `Trailer` if the size is 0          |
//! | *(data)*       | its last byte      | `DataCr`                                  |
//! | `DataCr`       | CR                 | `DataLf`                                  |
//! | `DataLf`       | LF                 | `FirstDigit`                              |
//! | `Trailer`      | token character    | `TrailerName`                             |
//! |                | blank, not first   | `TrailerValue`: a folded line             |
//! |                | CR                 | `LastLf`                                  |
//! | `TrailerName`  | token character    | `TrailerName`                             |
//! |                | `:`                | `TrailerValue`                            |
//! | `TrailerValue` | text               | `TrailerValue`                            |
//! |                | CR                 | `TrailerLf`                               |
//! | `TrailerLf`    | LF                 | `Trailer`                                 |
//! | `LastLf`       | LF                 | the end                                   |
//!
//! Anything else is an error. A lone LF ends no line here: section 2.2 allows that for heads
//! alone. Blanks between size and CR are allowed, because section 7.1.1 has recipients parse them
//! before an extension and old servers pad the size with them.

use super::ExchangeError;
use super::limits::{CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX};

/// What is awaited. `line` and `seen` count bytes towards their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    FirstDigit,
    Digits { size: u64, line: u16 },
    Padding { size: u64, line: u16 },
    Extension { size: u64, line: u16 },
    SizeLf { size: u64 },
    DataCr,
    DataLf,
    Trailer { seen: u16 },
    TrailerName { seen: u16 },
    TrailerValue { seen: u16 },
    TrailerLf { seen: u16 },
    LastLf,
}

/// What comes next in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Line(Line),
    /// So many bytes of data, never zero.
    Data {
        left: u64,
    },
    /// Nothing: the body is complete.
    End,
}

impl Line {
    /// Takes bytes up to the next data, to the end, or as many as there are.
    pub(super) fn receive(self, input: &mut &[u8]) -> Result<Next, ExchangeError> {
        let mut line = self;
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            match line.step(*byte)? {
                Next::Line(next) => line = next,
                next @ (Next::Data { .. } | Next::End) => return Ok(next),
            }
        }
        Ok(Next::Line(line))
    }

    fn step(self, found: u8) -> Result<Next, ExchangeError> {
        let next = match self {
            Self::FirstDigit => match hex(found) {
                Some(size) => Self::Digits { size, line: 1 },
                None => return Err(ExchangeError::ChunkSize { found }),
            },
            Self::Digits { size, line } => match hex(found) {
                Some(digit) => Self::Digits { size: append(size, digit)?, line: longer(line)? },
                None => Self::after_size(size, line, found)?,
            },
            Self::Padding { size, line } => Self::after_size(size, line, found)?,
            Self::Extension { size, line } => match found {
                b'\r' => Self::SizeLf { size },
                b'\n' => return Err(ExchangeError::ChunkLineEnd { found }),
                _ if is_text(found) => Self::Extension { size, line: longer(line)? },
                _ => return Err(ExchangeError::ChunkExtension { found }),
            },
            Self::SizeLf { size } => match (found, size) {
                (b'\n', 0) => Self::Trailer { seen: 0 },
                (b'\n', left) => return Ok(Next::Data { left }),
                _ => return Err(ExchangeError::ChunkLineEnd { found }),
            },
            Self::DataCr if found == b'\r' => Self::DataLf,
            Self::DataLf if found == b'\n' => Self::FirstDigit,
            Self::DataCr | Self::DataLf => return Err(ExchangeError::ChunkEnd { found }),
            Self::Trailer { .. } if found == b'\r' => Self::LastLf,
            Self::LastLf if found == b'\n' => return Ok(Next::End),
            Self::LastLf => return Err(ExchangeError::Trailer { found }),
            Self::Trailer { seen }
            | Self::TrailerName { seen }
            | Self::TrailerValue { seen }
            | Self::TrailerLf { seen } => self.in_trailer(trailing(seen)?, found)?,
        };
        Ok(Next::Line(next))
    }

    /// After the digits and blanks of a chunk's size.
    fn after_size(size: u64, line: u16, found: u8) -> Result<Self, ExchangeError> {
        Ok(match found {
            b'\r' => Self::SizeLf { size },
            b';' => Self::Extension { size, line: longer(line)? },
            b' ' | b'\t' => Self::Padding { size, line: longer(line)? },
            b'\n' => return Err(ExchangeError::ChunkLineEnd { found }),
            _ => return Err(ExchangeError::ChunkSize { found }),
        })
    }

    /// Within a trailer, of which `seen` counts the bytes with this one.
    const fn in_trailer(self, seen: u16, found: u8) -> Result<Self, ExchangeError> {
        match (self, found) {
            (Self::Trailer { seen: 1.. }, b' ' | b'\t') => Ok(Self::TrailerValue { seen }),
            (Self::TrailerName { .. }, b':') => Ok(Self::TrailerValue { seen }),
            (Self::Trailer { .. } | Self::TrailerName { .. }, _) if is_token(found) => {
                Ok(Self::TrailerName { seen })
            }
            (Self::TrailerValue { .. }, b'\r') => Ok(Self::TrailerLf { seen }),
            (Self::TrailerValue { .. }, _) if is_text(found) => Ok(Self::TrailerValue { seen }),
            (Self::TrailerLf { .. }, b'\n') => Ok(Self::Trailer { seen }),
            _ => Err(ExchangeError::Trailer { found }),
        }
    }
}

/// One hexadecimal digit more.
fn append(size: u64, digit: u64) -> Result<u64, ExchangeError> {
    size.checked_mul(16).map(|size| size | digit).ok_or(ExchangeError::ChunkSizeOverflow)
}

/// One byte more on a chunk-size line.
const fn longer(line: u16) -> Result<u16, ExchangeError> {
    if line < CHUNK_LINE_BYTES_MAX { Ok(line + 1) } else { Err(ExchangeError::ChunkLineTooLong) }
}

/// One byte more of trailers.
const fn trailing(seen: u16) -> Result<u16, ExchangeError> {
    if seen < TRAILER_BYTES_MAX { Ok(seen + 1) } else { Err(ExchangeError::TrailersTooLong) }
}

fn hex(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

/// What a header's value may hold (RFC 9110 section 5.5).
const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// What a header's name is made of (RFC 9110 section 5.6.2).
const fn is_token(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'!' | b'#'..=b'\'' | b'*' | b'+'
        | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::{ExchangeError, Line, Next, is_token};

    #[test]
    fn sizes() {
        let size = |mut line: &[u8]| Line::FirstDigit.receive(&mut line);
        assert_eq!(size(b"0005\r\n"), Ok(Next::Data { left: 5 }));
        assert_eq!(size(b"aF\t \r\n"), Ok(Next::Data { left: 0xaf }));
        assert_eq!(size(b"1f;a=\"b;c\";d\r\n"), Ok(Next::Data { left: 0x1f }));
        assert_eq!(size(b"ffffffffffffffff\r\n"), Ok(Next::Data { left: u64::MAX }));
        assert_eq!(size(b"10000000000000000\r\n"), Err(ExchangeError::ChunkSizeOverflow));
        assert_eq!(size(b"\r\n"), Err(ExchangeError::ChunkSize { found: b'\r' }));
        assert_eq!(size(b"-5\r\n"), Err(ExchangeError::ChunkSize { found: b'-' }));
        assert_eq!(size(b"0x5\r\n"), Err(ExchangeError::ChunkSize { found: b'x' }));
        assert_eq!(size(b"5 5\r\n"), Err(ExchangeError::ChunkSize { found: b'5' }));
        assert_eq!(size(b"5\n"), Err(ExchangeError::ChunkLineEnd { found: b'\n' }));
        assert_eq!(size(b"5\rx"), Err(ExchangeError::ChunkLineEnd { found: b'x' }));
        assert_eq!(size(b"5;a\0"), Err(ExchangeError::ChunkExtension { found: 0 }));
    }

    #[test]
    fn trailers() {
        let trailer = |mut lines: &[u8]| Line::Trailer { seen: 0 }.receive(&mut lines);
        assert_eq!(trailer(b"\r\n"), Ok(Next::End));
        assert_eq!(trailer(b"A: b\r\nC:\r\n\r\n"), Ok(Next::End));
        assert_eq!(trailer(b"A: b\r\n folded\r\n\r\n"), Ok(Next::End));
        for (lines, found) in
            [(" A: b", b' '), ("A b", b' '), (":", b':'), ("A: b\n", b'\n'), ("A: b\rx", b'x')]
        {
            assert_eq!(trailer(lines.as_bytes()), Err(ExchangeError::Trailer { found }), "{lines}");
        }
    }

    #[test]
    fn tokens_are_those_of_rfc_9110() {
        for byte in 0..=u8::MAX {
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(byte), token, "{byte:#x}");
        }
    }
}
