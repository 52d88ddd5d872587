//! Replies as bytes, well-formed and not, with what a client must make of them.

use onslaught::protocol::Failure;

use super::dice::Dice;

/// Where in the stream of a connection something is to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The end of it, in bytes from the beginning of the stream.
    pub(crate) at: u64,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A reply is complete.
    Reply { status: u16, last: bool },
    /// The head of a reply whose body ends with the connection.
    OpenEnded { status: u16 },
    /// These bytes are at fault, from their first one to here.
    Fault(Failure),
}

/// A reply: its bytes, and where each mark lies in them.
pub(crate) struct Script {
    pub(crate) bytes: Vec<u8>,
    pub(crate) marks: Vec<Mark>,
    /// The connection ends behind it.
    pub(crate) ends: bool,
}

/// How bodies are delimited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length,
    Chunked,
    UntilClose,
}

/// What the reply is to.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    /// By HEAD: the reply has no body.
    pub(crate) head: bool,
    /// The request asks for the connection to be closed.
    pub(crate) close: bool,
}

const SURPLUS: &[u8] = b"\0surplus";
const TWIN: &[u8] = b"HTTP/1.1 200 Again\r\nContent-Length: 0\r\n\r\n";

impl Script {
    /// A well-formed reply with a body of up to `body` bytes.
    pub(crate) fn honest(asked: Asked, body: usize, dice: &mut Dice) -> Self {
        let status = match dice.between(0, 19) {
            0 => 204,
            1 => 304,
            2 => dice.pick(&[201, 206, 301, 302, 399]),
            _ => 200,
        };
        Self::with_status(status, asked, body, dice)
    }

    /// A well-formed reply that says failure.
    pub(crate) fn failing(asked: Asked, body: usize, dice: &mut Dice) -> Self {
        let status = dice.pick(&[400, 401, 404, 429, 500, 503, 599]);
        Self::with_status(status, asked, body, dice)
    }

    /// Always the same reply, in one piece.
    pub(crate) fn plain(asked: Asked, body: usize) -> Self {
        let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {body}\r\n\r\n").into_bytes();
        bytes.resize(bytes.len() + if asked.head { 0 } else { body }, b'p');
        let what = What::Reply { status: 200, last: false };
        let marks = vec![Mark { at: bytes.len() as u64, what }];
        Self { bytes, marks, ends: false }
    }

    fn with_status(status: u16, asked: Asked, body: usize, dice: &mut Dice) -> Self {
        let framing = match dice.between(0, 9) {
            0..=5 => Framing::Length,
            6..=8 => Framing::Chunked,
            _ => Framing::UntilClose,
        };
        let body = dice.size(0, body);
        let has_body = !asked.head && status != 204 && status != 304;
        let closes = dice.chance(100) || (asked.close && dice.chance(700));
        let old = framing == Framing::Length && dice.chance(50);
        let kept = old && dice.chance(500);
        let last = closes || (old && !kept);
        let mut bytes = interim(dice);
        let version = if old { "1.0" } else { "1.1" };
        bytes.extend(format!("HTTP/{version} {status} Said\r\nServer: world\r\n").bytes());
        bytes.extend_from_slice(match (closes, kept) {
            (true, _) => b"Connection: close\r\n",
            (false, true) => b"connection: Keep-Alive\r\n",
            (false, false) => b"",
        });
        bytes.extend(match framing {
            Framing::Length => format!("Content-Length: {body}\r\n\r\n").into_bytes(),
            Framing::Chunked => b"Transfer-Encoding: chunked\r\n\r\n".to_vec(),
            Framing::UntilClose => b"\r\n".to_vec(),
        });
        let open_ended = has_body && framing == Framing::UntilClose;
        let head_end = bytes.len() as u64;
        match (has_body, framing) {
            (false, _) => {}
            (true, Framing::Chunked) => chunks(body, &mut bytes, dice),
            (true, _) => bytes.resize(bytes.len() + body, b'b'),
        }
        let mark = if open_ended {
            Mark { at: head_end, what: What::OpenEnded { status } }
        } else {
            Mark { at: bytes.len() as u64, what: What::Reply { status, last } }
        };
        let ends = open_ended || ((last || asked.close) && dice.chance(700));
        Self { bytes, marks: vec![mark], ends }
    }

    /// A reply that breaks the rules.
    pub(crate) fn garbage(asked: Asked, dice: &mut Dice) -> Self {
        let rules = Failure::Protocol;
        let (bytes, failure) = match dice.between(0, if asked.head { 7 } else { 9 }) {
            0 => (b"SSH-2.0-world\r\n".to_vec(), rules),
            1 => (b"HTTP/1.1 2x0 Said\r\n\r\n".to_vec(), rules),
            2 => (b"HTTP/3.0 200 Said\r\n\r\n".to_vec(), rules),
            3 => (
                b"HTTP/1.1 200 Said\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n".into(),
                rules,
            ),
            4 => (b"HTTP/1.1 101 Switching\r\n\r\n".to_vec(), rules),
            5 => (b"HTTP/1.1 200 Said\r\nA: b\0\r\n\r\n".to_vec(), rules),
            6 => (b"HTTP/1.1 100 Continue\r\n\r\n".repeat(17), Failure::Limit),
            7 if dice.chance(100) => {
                (format!("HTTP/1.1 200 Said\r\nA: {}", "a".repeat(70_000)).into(), Failure::Limit)
            }
            7 => (b"HTTP/1.1 099 Low\r\n\r\n".to_vec(), rules),
            8 => (b"HTTP/1.1 200 Said\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".into(), rules),
            _ => (b"HTTP/1.1 200 Said\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc".into(), rules),
        };
        let marks = vec![Mark { at: bytes.len() as u64, what: What::Fault(failure) }];
        Self { bytes, marks, ends: false }
    }

    /// A reply with bytes behind it that nobody asked for: a whole reply, or none at all.
    pub(crate) fn surplus(asked: Asked, body: usize, dice: &mut Dice) -> Self {
        let mut script = Self::honest(asked, body, dice);
        if script.marks.iter().any(|mark| matches!(mark.what, What::OpenEnded { .. })) {
            return script;
        }
        let twin = dice.chance(500);
        // Answers behind a twin would each be taken for those of the next request.
        script.ends = twin;
        script.bytes.extend_from_slice(if twin { TWIN } else { SURPLUS });
        let what = match twin {
            true => What::Reply { status: 200, last: false },
            false => What::Fault(Failure::Protocol),
        };
        script.marks.push(Mark { at: script.bytes.len() as u64, what });
        script
    }

    /// Where the reply proper ends.
    pub(crate) fn reply_end(&self) -> usize {
        let end = match self.marks.first() {
            Some(Mark { at, what: What::Reply { .. } }) => *at,
            _ => self.bytes.len() as u64,
        };
        usize::try_from(end).expect("a reply in memory")
    }
}

/// Interim replies, mostly none.
fn interim(dice: &mut Dice) -> Vec<u8> {
    if !dice.chance(80) {
        return Vec::new();
    }
    let one = dice.pick(&[
        &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\nContent-Length: 7\r\n\r\n",
    ]);
    one.repeat(dice.size(1, 3))
}

/// A chunked body with extensions and trailers here and there.
fn chunks(mut left: usize, bytes: &mut Vec<u8>, dice: &mut Dice) {
    while left > 0 {
        let size = dice.size(1, left);
        let extension = if dice.chance(200) { ";name=\"va;lue\"" } else { "" };
        bytes.extend(format!("{size:x}{extension}\r\n").bytes());
        bytes.resize(bytes.len() + size, b'c');
        bytes.extend_from_slice(b"\r\n");
        left -= size;
    }
    bytes.extend_from_slice(b"0\r\n");
    if dice.chance(300) {
        bytes.extend_from_slice(b"Checksum: 7f\r\nX-Empty:\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
}

/// Cuts bytes at random places, into single bytes, or not at all.
pub(crate) fn cut(bytes: &[u8], dice: &mut Dice) -> Vec<Vec<u8>> {
    let pieces = match dice.between(0, 9) {
        0..=5 => return vec![bytes.to_vec()],
        6 if bytes.len() <= 300 => return bytes.iter().map(|&byte| vec![byte]).collect(),
        _ => dice.size(2, 5),
    };
    let mut places: Vec<usize> = (1..pieces).map(|_| dice.size(0, bytes.len())).collect();
    places.push(bytes.len());
    places.sort_unstable();
    let mut from = 0;
    let parts = places.into_iter().map(|to| bytes[std::mem::replace(&mut from, to)..to].to_vec());
    parts.filter(|part| !part.is_empty()).collect()
}
