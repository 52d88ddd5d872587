//! Writing a reply: its head, and a large body piece by piece.

use super::limits::{PIECE, PIECES};
use super::payloads::{Canned, Payloads, write_chunk};

/// How the end of the body is announced (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announce {
    /// Not at all: the status allows no body.
    Nothing,
    Length(u64),
    Chunked,
}

/// What is said about the connection beyond what the version says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    Implied,
    KeepAlive,
    Close,
}

/// Which status line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusLine {
    True,
    /// Neither name nor status is one (RFC 9112 section 4), so that no client may believe it.
    Garbage,
}

/// The status line of a lie.
pub(super) const GARBAGE: &str = "H?TP/one.one 2oo 0K";

/// A reply's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) line: StatusLine,
    pub(super) status: u16,
    pub(super) media: &'static str,
    pub(super) announce: Announce,
    pub(super) persistence: Persistence,
    pub(super) hint: Hint,
}

/// What else some statuses have to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    Nothing,
    /// The methods that would have been right, with a 405 (RFC 9110 section 15.5.6).
    Allow(&'static str),
    /// Who may come in, with a 401 (RFC 9110 section 15.5.2).
    Bearer,
}

impl Head {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut add = |bytes: &str| out.extend_from_slice(bytes.as_bytes());
        match self.line {
            StatusLine::True => {
                let status = http::StatusCode::from_u16(self.status).unwrap_or_default();
                add("HTTP/1.1 ");
                add(status.as_str());
                add(" ");
                add(status.canonical_reason().unwrap_or("Unassigned"));
            }
            StatusLine::Garbage => add(GARBAGE),
        }
        if self.announce != Announce::Nothing {
            add("\r\nContent-Type: ");
            add(self.media);
        }
        match self.announce {
            Announce::Nothing => {}
            Announce::Length(length) => {
                add("\r\nContent-Length: ");
                decimal(length, &mut add);
            }
            Announce::Chunked => add("\r\nTransfer-Encoding: chunked\r\nTrailer: X-Bytes"),
        }
        match self.persistence {
            Persistence::Implied => {}
            Persistence::KeepAlive => add("\r\nConnection: keep-alive"),
            Persistence::Close => add("\r\nConnection: close"),
        }
        match self.hint {
            Hint::Nothing => {}
            Hint::Allow(methods) => {
                add("\r\nAllow: ");
                add(methods);
            }
            Hint::Bearer => add("\r\nWWW-Authenticate: Bearer"),
        }
        add("\r\n\r\n");
    }
}

/// Digits, without the machinery of formatting: lengths are in most replies.
fn decimal(mut value: u64, add: &mut impl FnMut(&str)) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        // Below 10, so it fits.
        digits[first] += (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    add(std::str::from_utf8(&digits[first..]).unwrap_or_default());
}

/// How the pieces of a large body are wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Coding {
    #[default]
    Plain,
    /// In chunks, ended by a trailer that says how many bytes there were.
    Chunked { total: u64 },
    /// In chunks that never end.
    Unended,
}

/// A large body on its way out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stream {
    /// Bytes of the body not yet queued.
    pub(super) left: u64,
    pub(super) coding: Coding,
    /// Whether the connection is closed behind it.
    pub(super) last: bool,
}

/// Whether a body is queued to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

impl Stream {
    /// Adds the next piece, or what is left and the end.
    pub(super) fn fill(&mut self, payloads: &Payloads, out: &mut Vec<u8>) -> Progress {
        let pattern = payloads.bytes(Canned::Piece);
        let len = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        let piece = &pattern[..len];
        self.left -= len as u64;
        match self.coding {
            Coding::Plain => out.extend_from_slice(piece),
            Coding::Chunked { .. } | Coding::Unended if len > 0 => write_chunk(piece, out),
            Coding::Chunked { .. } | Coding::Unended => {}
        }
        if self.left > 0 {
            return Progress::More;
        }
        if let Coding::Chunked { total } = self.coding {
            out.extend_from_slice(format!("0\r\nX-Bytes: {total}\r\n\r\n").as_bytes());
        }
        Progress::Done
    }

    /// The next pieces as a shared payload, as long as more than they remain.
    pub(super) fn canned(&mut self) -> Option<Canned> {
        let plain = self.coding == Coding::Plain;
        let (pieces, which) = if self.left > (PIECE * PIECES) as u64 {
            (PIECES, if plain { Canned::Pieces } else { Canned::Chunks })
        } else if self.left > PIECE as u64 {
            (1, if plain { Canned::Piece } else { Canned::Chunk })
        } else {
            return None;
        };
        self.left -= (PIECE * pieces) as u64;
        Some(which)
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals() {
        let text = |value| {
            let mut text = String::new();
            decimal(value, &mut |digits: &str| text.push_str(digits));
            text
        };
        for value in [0, 9, 10, 15, 1_000_000, u64::MAX] {
            assert_eq!(text(value), value.to_string());
        }
    }
}
