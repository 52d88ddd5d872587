//! Generated replies for the oracle, and random cuts of them.

use onslaught::stdx::rng::Rng;

/// A reply, more or less right: pieces that are mostly good, then a few bytes spoilt.
pub(crate) fn reply(rng: &mut Rng) -> Vec<u8> {
    let mut stream = interim_replies(rng);
    stream.extend(pick(rng, &["HTTP/1.1 ", "HTTP/1.1 ", "HTTP/1.1 ", "HTTP/1.0 "]).bytes());
    stream.extend(pick(rng, &STATUSES).bytes());
    let mut body = b"0123456789abcdef\r\nHTTP/1.1 200 OK\r\n\r\n"[..below(rng, 37)].to_vec();
    let eol = pick(rng, &["\r\n", "\r\n", "\r\n", "\r\n", "\n"]);
    stream.extend(eol.bytes());
    for _ in 0..rng.below(4) {
        stream.extend(format!("{}{eol}", pick(rng, &HEADERS)).bytes());
    }
    let framing = rng.below(10);
    if framing < 4 {
        stream.extend(content_length(rng, body.len() as u64, eol).bytes());
    }
    if (3..8).contains(&framing) {
        let some = if rng.below(3) == 0 { CODINGS.len() } else { 4 };
        let coding = pick(rng, &CODINGS[..some]);
        stream.extend(format!("Transfer-Encoding: {coding}{eol}").bytes());
        body = chunks(rng, &body);
    }
    stream.extend(eol.bytes());
    stream.extend(body);
    spoil(rng, &mut stream);
    stream
}

const STATUSES: [&str; 9] =
    ["200 OK", "200", "200 ", "204 No", "304 Same", "404 Not found", "503 \u{e9}", "999", "101 S"];

const HEADERS: [&str; 8] = [
    "Date: now",
    "X:",
    "A:  b \t",
    "X: y\r\n folded",
    "Connection: close",
    "connection: Keep-Alive",
    "Connection: a, CLOSE",
    "Content-Type: text/plain",
];

/// The first four are right.
const CODINGS: [&str; 9] = [
    "chunked",
    "chunked",
    "Chunked ",
    ",chunked",
    "gzip, chunked",
    "chunked, gzip",
    "chunked,chunked",
    "identity",
    "",
];

fn interim_replies(rng: &mut Rng) -> Vec<u8> {
    let near_the_limit = rng.below(30) == 0;
    let count = if near_the_limit { 15 + rng.below(4) } else { rng.below(7).saturating_sub(4) };
    let mut stream = Vec::new();
    for _ in 0..count {
        let status = pick(rng, &["100 C", "102", "103 E", "199 N"]);
        let headers = pick(rng, &["\r\n\r\n", "\r\nLink: <a>\r\n\r\n"]);
        stream.extend(format!("HTTP/1.1 {status}{headers}").bytes());
    }
    stream
}

/// Mostly the length of the body; sometimes another one, or something else.
fn content_length(rng: &mut Rng, len: u64, eol: &str) -> String {
    let name = pick(rng, &["Content-Length:", "content-length: ", "CONTENT-LENGTH:\t"]);
    let value = match rng.below(16) {
        0 => format!("{len}, {len}"),
        1 => format!("{len}{eol}{name}0{len}"),
        2 => format!("{len},{}", len + 1),
        3 => pick(rng, &["+5", "-1", "", "5,", "99999999999999999999", "0x1"]).to_owned(),
        4 => (len + 1).to_string(),
        5 => len.saturating_sub(1).to_string(),
        _ => len.to_string(),
    };
    format!("{name}{value}{eol}")
}

fn chunks(rng: &mut Rng, body: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (data, behind) = rest.split_at(1 + below(rng, rest.len()));
        let size = match rng.below(6) {
            0 => format!("{:X}", data.len()),
            1 => format!("000{:x}", data.len()),
            2 => format!("{:x}  ", data.len()),
            3 => format!("{:x};name=\"va;lue\"", data.len()),
            _ => format!("{:x}", data.len()),
        };
        encoded.extend_from_slice(size.as_bytes());
        encoded.extend_from_slice(b"\r\n");
        encoded.extend_from_slice(data);
        encoded.extend_from_slice(b"\r\n");
        rest = behind;
    }
    let ends = [
        "0\r\n\r\n",
        "0\r\n\r\n",
        "000;x\r\n\r\n",
        "0\r\nA: b\r\nC:\r\n\r\n",
        "0\r\nA: b\r\n folded\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\n",
    ];
    encoded.extend_from_slice(pick(rng, &ends).as_bytes());
    encoded
}

/// Half of the streams stay as they are; of the others a few bytes are changed, or the end is cut.
fn spoil(rng: &mut Rng, stream: &mut Vec<u8>) {
    const BYTES: &[u8] = b"\r\n \t\0:;,0123456789aFgGHT/\x7f\x80\xff";
    let changes = [0, 0, 0, 1, 1, 2][below(rng, 6)];
    for _ in 0..changes {
        let at = below(rng, stream.len());
        let byte = BYTES[below(rng, BYTES.len())];
        match rng.below(5) {
            0 => stream.truncate(at),
            1 => stream.push(byte),
            2 => stream.insert(at, byte),
            3 if !stream.is_empty() => drop(stream.remove(at)),
            _ if !stream.is_empty() => stream[at] = byte,
            _ => {}
        }
    }
}

fn pick<'a>(rng: &mut Rng, choices: &[&'a str]) -> &'a str {
    choices[below(rng, choices.len())]
}

pub(crate) fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).unwrap()
}

/// Pieces of random sizes.
pub(crate) fn cuts<'a>(rng: &mut Rng, stream: &'a [u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let longest = 1 + below(rng, 40);
        let (piece, behind) = rest.split_at((1 + below(rng, longest)).min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}
