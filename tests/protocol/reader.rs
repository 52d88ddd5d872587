//! A slow and obvious reader of whole conversations.
//!
//! It has the whole stream before it, splits it into lines and looks at them as often as it likes.
//! Whether something that is cut off could still become right is answered by trying it: it is
//! malformed if none of a few completions makes it right.

use onslaught::protocol::Failure;
use onslaught::protocol::http::limits::{HEADERS_MAX, INTERIM_REPLIES_MAX};
use onslaught::protocol::http::{AwaitingPhase, Reply, ReplyTo, Reuse};

use crate::feed::Then;

/// An outcome without the very error: the class alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Reply(Reply),
    Fails(Failure),
    Awaits(AwaitingPhase),
}

const MALFORMED: Verdict = Verdict::Fails(Failure::Protocol);

/// The reader: one head after the other, then the body.
pub(crate) fn read(reply_to: ReplyTo, stream: &[u8], then: Then) -> Verdict {
    let mut rest = stream;
    let mut interim = 0;
    loop {
        let started = interim > 0 || !rest.is_empty();
        let phase = if started { AwaitingPhase::Head } else { AwaitingPhase::FirstByte };
        if rest.iter().zip(b"HTTP/").any(|(found, expected)| found != expected) {
            return MALFORMED;
        }
        let ends =
            |len: &usize| rest[..*len].ends_with(b"\n\n") || rest[..*len].ends_with(b"\n\r\n");
        let Some(len) = (0..=rest.len()).find(ends) else {
            return match then {
                Then::Waits => Verdict::Awaits(phase),
                Then::Ends
                    if rest.is_empty() || completes(rest, HEAD, |head| fields(head).is_ok()) =>
                {
                    Verdict::Fails(Failure::Truncated)
                }
                Then::Ends => Verdict::Fails(fields(rest).err().unwrap_or(Failure::Protocol)),
            };
        };
        let head = match fields(&rest[..len]) {
            Ok(head) => head,
            Err(failure) => return Verdict::Fails(failure),
        };
        rest = &rest[len..];
        let Some(body) = framing(reply_to, &head) else { return MALFORMED };
        match head.status {
            101 => return MALFORMED,
            100..=199 if interim == INTERIM_REPLIES_MAX => return Verdict::Fails(Failure::Limit),
            100..=199 => interim += 1,
            _ => return read_body(&head, body, rest, then),
        }
    }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n";

/// Whether an end of `template` behind `begun` makes it right.
fn completes(begun: &[u8], template: &[u8], right: impl Fn(&[u8]) -> bool) -> bool {
    (0..=template.len()).any(|from| right(&[begun, &template[from..]].concat()))
}

struct Fields {
    minor: u8,
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
}

/// A whole head, to the empty line.
fn fields(head: &[u8]) -> Result<Fields, Failure> {
    const BAD: Failure = Failure::Protocol;
    let lines = lines(head).ok_or(BAD)?;
    let (status_line, rest) = lines.split_first().ok_or(BAD)?;
    let minor = match status_line.get(..8) {
        Some(b"HTTP/1.0") => 0,
        Some(b"HTTP/1.1") => 1,
        _ => return Err(BAD),
    };
    let code = status_line.get(9..12).ok_or(BAD)?;
    let blanks = [status_line.get(8), status_line.get(12)];
    if !code.iter().all(u8::is_ascii_digit) || !blanks.iter().flatten().all(|byte| **byte == b' ') {
        return Err(BAD);
    }
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    let (end, rest) = rest.split_last().ok_or(BAD)?;
    if !end.is_empty() || rest.iter().any(Vec::is_empty) {
        return Err(BAD);
    }
    for line in rest {
        if let (b' ' | b'\t', Some((_, value))) = (line[0], headers.last_mut()) {
            value.push(b' ');
            value.extend_from_slice(line);
            continue;
        }
        if headers.len() == HEADERS_MAX {
            return Err(Failure::Limit);
        }
        headers.push(field(line).ok_or(BAD)?);
    }
    let status = str::from_utf8(code).unwrap().parse().unwrap();
    Ok(Fields { minor, status, headers })
}

/// Lines ended by LF or CRLF, none of which holds control characters.
fn lines(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let text = text.strip_suffix(b"\n")?;
    let lines =
        text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.map(|line| line.iter().all(|byte| is_text(*byte)).then(|| line.to_vec())).collect()
}

fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let valid = !name.is_empty() && name.iter().all(token);
    valid.then(|| (String::from_utf8_lossy(name).to_lowercase(), value[1..].to_vec()))
}

const fn is_text(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    Nothing,
    Length(u64),
    Chunked,
    UntilClose,
}

/// RFC 9112 section 6.3, none where the framing is faulty.
fn framing(reply_to: ReplyTo, head: &Fields) -> Option<Body> {
    let elements = |name: &str| -> Vec<String> {
        let values = head.headers.iter().filter(|(found, _)| found == name);
        let elements = values.flat_map(|(_, value)| {
            String::from_utf8_lossy(value).split(',').map(str::to_owned).collect::<Vec<_>>()
        });
        elements.map(|element| element.trim_matches([' ', '\t']).to_lowercase()).collect()
    };
    let lengths: Option<Vec<u64>> = elements("content-length")
        .iter()
        .map(|digits| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?)
        .collect();
    let lengths = lengths?;
    let codings = elements("transfer-encoding");
    let empty_header = |(name, value): &(String, Vec<u8>)| {
        name == "transfer-encoding" && value.iter().all(|byte| b" \t,".contains(byte))
    };
    let given: Vec<_> = codings.iter().filter(|coding| !coding.is_empty()).collect();
    let chunked = !codings.is_empty();
    let faulty = lengths.iter().any(|length| *length != lengths[0])
        || chunked && (given != ["chunked"] || !lengths.is_empty() || head.minor == 0)
        || head.headers.iter().any(empty_header)
        || head.status < 100;
    if faulty {
        return None;
    }
    Some(match (reply_to, head.status, lengths.first()) {
        (ReplyTo::Head, ..) | (_, 100..=199 | 204 | 304, _) => Body::Nothing,
        (_, _, Some(length)) => Body::Length(*length),
        _ if chunked => Body::Chunked,
        _ => Body::UntilClose,
    })
}

fn read_body(head: &Fields, body: Body, rest: &[u8], then: Then) -> Verdict {
    let options: Vec<String> = head
        .headers
        .iter()
        .filter(|(name, _)| name == "connection")
        .flat_map(|(_, value)| {
            String::from_utf8_lossy(value)
                .split(',')
                .map(|o| o.trim().to_lowercase())
                .collect::<Vec<_>>()
        })
        .collect();
    let has = |option: &str| options.iter().any(|found| found == option);
    let keep = !has("close") && (head.minor == 1 || has("keep-alive")) && body != Body::UntilClose;
    let reuse = if keep { Reuse::Keep } else { Reuse::Close };
    let here = rest.len() as u64;
    let (len, body_bytes) = match body {
        Body::Nothing => (0, 0),
        Body::Length(length) if length > here => return unfinished(then),
        Body::Length(length) => (usize::try_from(length).unwrap(), length),
        Body::UntilClose if then == Then::Waits => return unfinished(then),
        Body::UntilClose => (rest.len(), here),
        Body::Chunked => match read_chunks(rest) {
            Chunks::Complete { len, data } => (len, data),
            Chunks::Cut => return unfinished(then),
            Chunks::Malformed => return MALFORMED,
        },
    };
    if rest.len() > len {
        return Verdict::Fails(Failure::Desync);
    }
    Verdict::Reply(Reply { status: head.status, body_bytes, reuse })
}

const fn unfinished(then: Then) -> Verdict {
    match then {
        Then::Ends => Verdict::Fails(Failure::Truncated),
        Then::Waits => Verdict::Awaits(AwaitingPhase::Body),
    }
}

enum Chunks {
    Complete { len: usize, data: u64 },
    Cut,
    Malformed,
}

fn read_chunks(body: &[u8]) -> Chunks {
    let mut at = 0;
    let mut data = 0;
    loop {
        let line = match line_at(body, at, b"0\r\n", |line| chunk_size(line).is_some()) {
            Ok(line) => line,
            Err(chunks) => return chunks,
        };
        at += line.len();
        match chunk_size(line).expect("a line that is right") {
            0 => break,
            size if size > (body.len() - at) as u64 => return Chunks::Cut,
            size => {
                data += size;
                at += usize::try_from(size).unwrap();
            }
        }
        match &body[at..] {
            [b'\r', b'\n', ..] => at += 2,
            [] | [b'\r'] => return Chunks::Cut,
            _ => return Chunks::Malformed,
        }
    }
    let first = at;
    loop {
        let right = |line: &[u8]| trailer(line, at == first);
        match line_at(body, at, b"A: b\r\n", right) {
            Ok(b"\r\n") => return Chunks::Complete { len: at + 2, data },
            Ok(line) => at += line.len(),
            Err(chunks) => return chunks,
        }
    }
}

/// The line that begins there, with its LF.
fn line_at<'a>(
    body: &'a [u8],
    at: usize,
    template: &[u8],
    right: impl Fn(&[u8]) -> bool,
) -> Result<&'a [u8], Chunks> {
    let rest = &body[at..];
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(lf) if right(&rest[..=lf]) => Ok(&rest[..=lf]),
        Some(_) => Err(Chunks::Malformed),
        None if completes(rest, template, right) => Err(Chunks::Cut),
        None => Err(Chunks::Malformed),
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\r\n")?;
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, rest) = line.split_at(digits);
    let blanks = rest.iter().take_while(|byte| b" \t".contains(byte)).count();
    let extension = &rest[blanks..];
    let text = extension.iter().all(|byte| is_text(*byte));
    if !text || !(extension.is_empty() || extension[0] == b';') {
        return None;
    }
    u64::from_str_radix(str::from_utf8(digits).unwrap(), 16).ok()
}

fn trailer(line: &[u8], first: bool) -> bool {
    let Some(line) = line.strip_suffix(b"\r\n") else { return false };
    let text = line.iter().all(|byte| is_text(*byte));
    let folded = !first && line.first().is_some_and(|byte| b" \t".contains(byte));
    text && (line.is_empty() || folded || field(line).is_some())
}
