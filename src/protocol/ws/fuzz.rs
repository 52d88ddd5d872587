//! Entries for the fuzzer: what must hold of every stream of bytes, however it is cut.
//!
//! The targets in `tests/fuzz` are one line each; an ordinary test replays their corpus here.

use super::handshake::Opened;
use super::{
    Asked, CloseCode, Connection, Event, HandshakeError, Keep, Key, Kind, Opening, Role, Scratch,
    Settings, Upgrade, WsError, encode,
};

/// Any bytes as a peer's frames. The first byte chooses the side and the limit, the next two the
/// cut.
pub fn ws_frames(data: &[u8]) {
    let Some(((choice, cut), stream)) = choices(data) else { return };
    let role = if choice & 1 == 0 { Role::Client } else { Role::Server };
    let message_bytes_max = if choice & 2 == 0 { 200 } else { 1 << 20 };
    let settings = Settings { message_bytes_max, ..Settings::new(role) };
    let whole = events(settings, [stream]);
    let (left, right) = stream.split_at_checked(cut).unwrap_or((stream, &[]));
    assert_eq!(events(settings, [left, right]), whole, "cut at {cut}");
    assert_eq!(events(settings, stream.chunks(1)), whole, "byte by byte");
    let counting = events(Settings { keep: Keep::Count, ..settings }, stream.chunks(7));
    assert_eq!(counting, (whole.0.iter().map(Came::counted).collect(), whole.1), "counting");
    let bytes: u64 = whole.0.iter().map(Came::len).sum();
    let fed = u64::try_from(stream.len()).unwrap_or(u64::MAX);
    assert!(bytes <= fed, "{bytes} bytes of payload in {fed}");
    same_when_sent_again(settings, whole.0);
}

/// Any bytes as a server's reply to a fixed request, or as a client's request. The first byte
/// chooses, the next two are the cut.
pub fn ws_handshake(data: &[u8]) {
    let Some(((choice, cut), stream)) = choices(data) else { return };
    match Upgrade::builder("/", "localhost").subprotocol("a").subprotocol("b").build() {
        Ok(upgrade) if choice & 1 == 0 => reply(&upgrade, stream, cut),
        Ok(upgrade) => request(&upgrade, stream),
        Err(error) => unreachable!("{error}"),
    }
}

fn choices(data: &[u8]) -> Option<((u8, usize), &[u8])> {
    let (&[choice, high, low], stream) = data.split_first_chunk()?;
    Some(((choice, usize::from(u16::from_be_bytes([high, low]))), stream))
}

/// An event that owns what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Came {
    Message { kind: Kind, bytes: Vec<u8> },
    Counted { kind: Kind, len: u64 },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseCode>, String),
}

impl Came {
    fn new(event: Event<'_>) -> Self {
        match event {
            Event::Message { kind, bytes } => Self::Message { kind, bytes: bytes.to_vec() },
            Event::Counted { kind, len } => Self::Counted { kind, len },
            Event::Ping(payload) => Self::Ping(payload.bytes().to_vec()),
            Event::Pong(payload) => Self::Pong(payload.bytes().to_vec()),
            Event::Close(close) => Self::Close(close.code, close.reason.to_owned()),
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Message { bytes, .. } | Self::Ping(bytes) | Self::Pong(bytes) => {
                u64::try_from(bytes.len()).unwrap_or(u64::MAX)
            }
            Self::Counted { len, .. } => *len,
            Self::Close(..) => 0,
        }
    }

    /// The same, of a connection that only counts.
    fn counted(&self) -> Self {
        match self {
            Self::Message { kind, .. } => Self::Counted { kind: *kind, len: self.len() },
            Self::Counted { .. } | Self::Ping(_) | Self::Pong(_) | Self::Close(..) => self.clone(),
        }
    }
}

/// What the pieces and the end of the stream come to.
fn events<'a>(
    settings: Settings,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Came>, Result<(), WsError>) {
    let (mut connection, mut scratch) = (Connection::new(settings), Scratch::default());
    let mut came = Vec::new();
    for mut piece in pieces {
        loop {
            match connection.receive(&mut piece, &mut scratch) {
                Ok(Some(event)) => came.push(Came::new(event)),
                Ok(None) => break assert!(piece.is_empty(), "all is taken"),
                Err(error) => return (came, Err(error)),
            }
        }
    }
    let end = connection.end_of_stream();
    (came, end)
}

/// What was read once, encoded by the other side, is read the same again.
fn same_when_sent_again(settings: Settings, came: Vec<Came>) {
    let key = (settings.role == Role::Server).then_some(Key([0x5a, 1, 0xff, 0]));
    let peer = match settings.role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    };
    let (mut sender, mut stream) = (Connection::new(Settings::new(peer)), Vec::new());
    for event in &came {
        let payload = |bytes| super::Control::new(bytes).unwrap_or_default();
        match event {
            Came::Message { kind, bytes } => {
                let size = bytes.len() / 3;
                encode::fragments(&mut stream, *kind, bytes, size, || key);
            }
            Came::Counted { .. } => {}
            Came::Ping(bytes) => encode::ping(&mut stream, payload(bytes), key),
            Came::Pong(bytes) => encode::pong(&mut stream, payload(bytes), key),
            Came::Close(code, reason) => sender.close(*code, reason, key, &mut stream),
        }
    }
    assert_eq!(events(settings, stream.chunks(5)).0, came, "sent again");
}

/// A reply in two pieces and byte by byte comes to what it comes to as a whole.
fn reply(upgrade: &Upgrade, stream: &[u8], cut: usize) {
    let whole = opened(upgrade, [stream]);
    let (left, right) = stream.split_at_checked(cut).unwrap_or((stream, &[]));
    assert_eq!(opened(upgrade, [left, right]), whole, "cut at {cut}");
    assert_eq!(opened(upgrade, stream.chunks(1)), whole, "byte by byte");
}

/// The status and the subprotocol, with the bytes that are left for frames.
type Answer = Result<(u16, Option<usize>, usize), HandshakeError>;

fn opened<'a>(upgrade: &Upgrade, pieces: impl IntoIterator<Item = &'a [u8]>) -> Answer {
    let mut opening: Result<Opening, (u16, Option<usize>, usize)> =
        Ok(upgrade.encode([0; 16], &mut Vec::new()));
    for mut piece in pieces {
        opening = match opening {
            Ok(opening) => match opening.receive(upgrade, &mut piece)? {
                Opened::More(opening) => Ok(opening),
                Opened::Accepted { subprotocol } => Err((101, subprotocol, piece.len())),
                Opened::Refused { status } => Err((status, None, piece.len())),
            },
            Err((status, subprotocol, left)) => Err((status, subprotocol, left + piece.len())),
        };
    }
    match opening {
        Ok(opening) => Err(opening.end_of_stream()),
        Err(answer) => Ok(answer),
    }
}

/// A request that is in order is so as soon as it is whole, and its 101 holds for our client.
fn request(upgrade: &Upgrade, stream: &[u8]) {
    let Ok(Some((asked, len))) = Asked::read(stream) else { return };
    let head = stream.get(..len).unwrap_or_default();
    assert_eq!(Asked::read(head), Ok(Some((asked.clone(), len))), "without what is behind");
    let cut = head.get(..len.saturating_sub(1)).unwrap_or_default();
    assert_eq!(Asked::read(cut), Ok(None), "without its last byte");
    let mut answer = Vec::new();
    asked.accept(None, &mut answer);
    match opened(upgrade, [&answer[..]]) {
        // The key is the client's; that of the fixed request is accepted.
        Ok(found) => assert_eq!(found, (101, None, 0)),
        Err(error) => assert_eq!(error, HandshakeError::Accept),
    }
}
