//! A slow and obvious reader of a peer's frames: all bytes at once, one rule after the other.

use onslaught::protocol::Failure;
use onslaught::protocol::ws::Role;

use super::feed::Came;

/// What a stream and its end come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) came: Vec<Came>,
    /// The class of a failure, and the number of the close code that tells of it.
    pub(crate) failure: Option<(Failure, u16)>,
}

const PROTOCOL: Option<(Failure, u16)> = Some((Failure::Protocol, 1002));
const INVALID: Option<(Failure, u16)> = Some((Failure::Protocol, 1007));
const TOO_BIG: Option<(Failure, u16)> = Some((Failure::Limit, 1009));
const CUT: Option<(Failure, u16)> = Some((Failure::Truncated, 1006));

struct Frame {
    fin: bool,
    op_code: u8,
    /// Bytes that its header announces.
    announced: u64,
    /// Bytes that are there, unmasked.
    payload: Vec<u8>,
}

/// Reads a stream that ends with its last byte.
pub(crate) fn read(role: Role, message_bytes_max: u64, stream: &[u8]) -> Verdict {
    let mut came = Vec::new();
    let mut message: Option<(bool, Vec<u8>)> = None;
    let mut rest = stream;
    let failure = loop {
        let frame = match next(role, &mut rest) {
            Ok(Some(frame)) => frame,
            Ok(None) => break CUT,
            Err(()) => break PROTOCOL,
        };
        let whole = frame.payload.len() as u64 == frame.announced;
        if frame.op_code >= 8 {
            match (frame.op_code, whole) {
                (_, false) => break CUT,
                (9, true) => came.push(Came::Ping(frame.payload)),
                (10, true) => came.push(Came::Pong(frame.payload)),
                _ => break close(&frame.payload, &mut came),
            }
            continue;
        }
        match (frame.op_code, &message) {
            (0, None) | (1 | 2, Some(_)) => break PROTOCOL,
            (1 | 2, None) => message = Some((frame.op_code == 1, Vec::new())),
            _ => {}
        }
        let (is_text, mut bytes) = message.take().unwrap();
        if u128::from(frame.announced) + bytes.len() as u128 > u128::from(message_bytes_max) {
            break TOO_BIG;
        }
        bytes.extend(frame.payload);
        let ended = whole && frame.fin;
        if is_text && !is_text_so_far(&bytes, ended) {
            break INVALID;
        }
        match (whole, frame.fin) {
            (false, _) => break CUT,
            (true, false) => message = Some((is_text, bytes)),
            (true, true) if is_text => came.push(Came::Text(String::from_utf8(bytes).unwrap())),
            (true, true) => came.push(Came::Binary(bytes)),
        }
    };
    Verdict { came, failure }
}

/// Takes the next frame from the front, as much of it as is there; none if its header is not.
fn next(role: Role, rest: &mut &[u8]) -> Result<Option<Frame>, ()> {
    let Some(&[first, second]) = rest.first_chunk() else { return Ok(None) };
    let (fin, op_code) = (first >= 0x80, first % 16);
    let masked = second >= 0x80;
    if first & 0x70 != 0 || ![0, 1, 2, 8, 9, 10].contains(&op_code) {
        return Err(());
    }
    if masked != (role == Role::Server) {
        return Err(());
    }
    let short = second % 128;
    if op_code >= 8 && (!fin || short > 125) {
        return Err(());
    }
    let extra = [0, 2, 8][usize::from(short.saturating_sub(125))];
    if rest.len() < 2 + extra {
        return Ok(None);
    }
    let mut announced = u64::from(short);
    if extra > 0 {
        announced = rest[2..2 + extra].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        if announced >= 1 << 63 || announced < [0, 0, 126, 0, 0, 0, 0, 0, 65_536][extra] {
            return Err(());
        }
    }
    let head = 2 + extra + if masked { 4 } else { 0 };
    if rest.len() < head {
        return Ok(None);
    }
    let key = &rest[2 + extra..head];
    let len = usize::try_from(announced).unwrap().min(rest.len() - head);
    let mut payload = rest[head..head + len].to_vec();
    *rest = &rest[head + len..];
    if masked {
        for at in 0..payload.len() {
            payload[at] ^= key[at % 4];
        }
    }
    Ok(Some(Frame { fin, op_code, announced, payload }))
}

fn close(payload: &[u8], came: &mut Vec<Came>) -> Option<(Failure, u16)> {
    let (code, reason) = match payload {
        [] => (None, &[][..]),
        [_] => return PROTOCOL,
        [high, low, reason @ ..] => (Some(u16::from(*high) * 256 + u16::from(*low)), reason),
    };
    if let Some(code) = code {
        let registered = (1000..1015).contains(&code) && ![1004, 1005, 1006].contains(&code);
        if !registered && !(3000..5000).contains(&code) {
            return PROTOCOL;
        }
    }
    let Ok(reason) = std::str::from_utf8(reason) else { return INVALID };
    came.push(Came::Close(code, reason.to_owned()));
    None
}

/// Whether bytes are text, or may become text if they have not ended.
fn is_text_so_far(bytes: &[u8], ended: bool) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => !ended && error.error_len().is_none(),
    }
}
