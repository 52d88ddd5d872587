//! A chunked body as a request brings it (RFC 9112 section 7.1).
//!
//! ```text
//!  1a3f;name=value CRLF  data… CRLF   0 CRLF  Field: value CRLF  CRLF
//!  Size Extension  Line  Data  Seam   Size…   Trailer            Last
//! ```

use super::{EXTENSION_MAX, Fault, TRAILERS_MAX};

/// Where in the body the next byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunked {
    /// In the digits of a size.
    Size { size: u64, digits: u8 },
    /// In an extension, which is skipped (section 7.1.1).
    Extension { size: u64, skipped: u16 },
    /// Behind the CR of the size's line.
    Line { size: u64 },
    /// In the data.
    Data { left: u64 },
    /// Behind the data, before its CR.
    SeamCr,
    /// Behind the data's CR.
    SeamLf,
    /// At the start of a trailer, or of the empty line that ends them.
    Trailers { seen: u16 },
    /// Within a trailer, which is skipped (section 7.1.2).
    Trailer { seen: u16 },
    /// Behind the CR of a trailer.
    TrailerLf { seen: u16 },
    /// Behind the CR of the last, empty line.
    Last,
}

/// What the bytes made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress<'a> {
    /// All were taken, and more are needed.
    More,
    /// Data; more may follow in the input.
    Data(&'a [u8]),
    /// The body has ended; what follows in the input is not part of it.
    Done,
}

/// 15 hex digits hold 2^60 bytes; a size can then never overflow.
const DIGITS_MAX: u8 = 15;

impl Chunked {
    /// Before the first size.
    pub(super) const START: Self = Self::Size { size: 0, digits: 0 };

    /// Takes bytes until there is data or the end. Also says how many were taken.
    pub(super) fn receive<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Progress<'a>), Fault> {
        let mut rest = input;
        loop {
            if rest.is_empty() {
                return Ok((input.len(), Progress::More));
            }
            if let Self::Data { left } = *self {
                let fits = usize::try_from(left).unwrap_or(usize::MAX);
                let (data, after) = rest.split_at_checked(fits).unwrap_or((rest, &[]));
                *self = match left.saturating_sub(data.len() as u64) {
                    0 => Self::SeamCr,
                    left => Self::Data { left },
                };
                return Ok((input.len() - after.len(), Progress::Data(data)));
            }
            let Some((&byte, after)) = rest.split_first() else { continue };
            rest = after;
            match self.next(byte)? {
                Some(next) => *self = next,
                None => return Ok((input.len() - rest.len(), Progress::Done)),
            }
        }
    }

    /// The state behind one byte that is no data; none when it was the last of the body.
    fn next(self, byte: u8) -> Result<Option<Self>, Fault> {
        let next = match (self, byte) {
            (Self::Size { size, digits }, byte) => Self::in_size(size, digits, byte)?,
            (Self::Extension { size, .. }, b'\r') => Self::Line { size },
            (Self::Extension { size, skipped }, byte)
                if skipped < EXTENSION_MAX && byte != b'\n' =>
            {
                Self::Extension { size, skipped: skipped + 1 }
            }
            (Self::Line { size: 0 }, b'\n') => Self::Trailers { seen: 0 },
            (Self::Line { size }, b'\n') => Self::Data { left: size },
            (Self::SeamCr, b'\r') => Self::SeamLf,
            (Self::SeamLf, b'\n') => Self::START,
            (Self::Trailers { .. }, b'\r') => Self::Last,
            (Self::Trailer { seen }, b'\r') => Self::TrailerLf { seen },
            (Self::Trailers { seen } | Self::Trailer { seen }, byte) if byte != b'\n' => {
                if seen == TRAILERS_MAX {
                    return Err(Fault::TrailersTooLarge);
                }
                Self::Trailer { seen: seen + 1 }
            }
            (Self::TrailerLf { seen }, b'\n') => Self::Trailers { seen },
            (Self::Last, b'\n') => return Ok(None),
            (
                Self::Extension { .. }
                | Self::Line { .. }
                | Self::Data { .. }
                | Self::SeamCr
                | Self::SeamLf
                | Self::Trailers { .. }
                | Self::Trailer { .. }
                | Self::TrailerLf { .. }
                | Self::Last,
                _,
            ) => return Err(Fault::Chunk),
        };
        Ok(Some(next))
    }

    fn in_size(size: u64, digits: u8, byte: u8) -> Result<Self, Fault> {
        match (char::from(byte).to_digit(16), byte) {
            (Some(digit), _) if digits < DIGITS_MAX => {
                Ok(Self::Size { size: size * 16 + u64::from(digit), digits: digits + 1 })
            }
            (None, b'\r') if digits > 0 => Ok(Self::Line { size }),
            (None, b';') if digits > 0 => Ok(Self::Extension { size, skipped: 0 }),
            (Some(_) | None, _) => Err(Fault::Chunk),
        }
    }
}
