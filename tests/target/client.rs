//! A client of the target, as far as the scripted kernel is one.

use onslaught::protocol::ws::{
    self, CloseCode, Connection, Control, Event, Key, Kind, Role, Scratch, Settings, encode,
};
use serde_json::Value;

use crate::kit::{World, split};

/// A POST of JSON.
pub(crate) fn post(path: &str, token: Option<&str>, body: &str) -> String {
    let len = body.len();
    let authorization = token.map_or_else(String::new, bearer);
    format!(
        "POST {path} HTTP/1.1\r\nHost: t\r\n{authorization}Content-Type: application/json\r\n\
         Content-Length: {len}\r\n\r\n{body}"
    )
}

/// A GET with a token.
pub(crate) fn get_as(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: t\r\n{}\r\n", bearer(token))
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Status and JSON of the reply to one request; null where there is no body.
#[track_caller]
pub(crate) fn ask(world: &mut World, request: &str) -> (u16, Value) {
    if !world.sockets.contains_key(&0) || world.is_closed(0) {
        world.connect(0);
    }
    world.feed(0, request);
    read(&world.text(0))
}

#[track_caller]
fn read(reply: &str) -> (u16, Value) {
    let (head, body) = split(reply.as_bytes());
    let status = head[9..12].parse().expect("a status");
    assert_eq!(head.contains("\r\nWWW-Authenticate: Bearer\r\n"), status == 401, "{head}");
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap() };
    if status >= 400 {
        assert_eq!(body["status"], status, "{body}");
    }
    (status, body)
}

/// Tokens of one login.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    #[track_caller]
    pub(crate) fn of(reply: (u16, Value)) -> Self {
        let (status, body) = reply;
        assert_eq!(status, 200, "{body}");
        let text = |key: &str| body[key].as_str().expect("a token").to_owned();
        Self { access: text("accessToken"), refresh: text("refreshToken") }
    }
}

pub(crate) fn credentials(email: &str) -> String {
    serde_json::json!({"email": email, "password": "secret"}).to_string()
}

#[track_caller]
pub(crate) fn register(world: &mut World, email: &str) {
    let (status, body) = ask(world, &post("/auth/register", None, &credentials(email)));
    assert_eq!((status, &body["email"]), (201, &Value::from(email)));
}

#[track_caller]
pub(crate) fn login(world: &mut World, email: &str) -> Tokens {
    Tokens::of(ask(world, &post("/auth/login", None, &credentials(email))))
}

/// An account and its tokens.
#[track_caller]
pub(crate) fn user(world: &mut World, email: &str) -> Tokens {
    register(world, email);
    login(world, email)
}

#[track_caller]
pub(crate) fn task(world: &mut World, token: &str) -> String {
    let (status, body) = ask(world, &post("/tasks", Some(token), "{\"type\":\"generate-pdf\"}"));
    assert_eq!((status, &body["status"]), (201, &Value::from("queued")));
    body["taskId"].as_str().expect("an id").to_owned()
}

/// The request for a WebSocket.
pub(crate) fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// The 101 for it: the example of RFC 6455, section 1.3.
pub(crate) const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What came of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
}

/// One WebSocket's client.
pub(crate) struct Peer {
    slot: u32,
    connection: Connection,
    scratch: Scratch,
}

impl Peer {
    #[track_caller]
    pub(crate) fn open(world: &mut World, slot: u32, path: &str) -> Self {
        world.connect(slot);
        world.feed(slot, upgrade(path));
        assert_eq!(world.text(slot), SWITCHED);
        Self::opened(slot)
    }

    /// On a slot whose 101 was read.
    pub(crate) fn opened(slot: u32) -> Self {
        let connection = Connection::new(Settings::new(Role::Client));
        Self { slot, connection, scratch: Scratch::default() }
    }

    #[track_caller]
    pub(crate) fn say(&self, world: &mut World, text: &str) {
        world.feed(self.slot, message(Kind::Text, text.as_bytes()));
    }

    /// What has come since the last call; it is held to the protocol.
    #[track_caller]
    pub(crate) fn heard(&mut self, world: &mut World) -> Vec<Came> {
        let bytes = world.got(self.slot);
        let mut input = bytes.as_slice();
        let mut came = Vec::new();
        loop {
            let event = self.connection.receive(&mut input, &mut self.scratch);
            let Some(event) = event.expect("frames in order") else { break };
            came.push(match event {
                Event::Message { kind: Kind::Text, bytes } => {
                    Came::Text(String::from_utf8(bytes.to_vec()).unwrap())
                }
                Event::Message { kind: Kind::Binary, bytes } => Came::Binary(bytes.to_vec()),
                Event::Pong(payload) => Came::Pong(payload.bytes().to_vec()),
                Event::Close(close) => Came::Close(close.code.map(CloseCode::number)),
                other => panic!("unexpected: {other:?}"),
            });
        }
        came
    }

    /// As `heard`, where all of it is JSON.
    #[track_caller]
    pub(crate) fn heard_json(&mut self, world: &mut World) -> Vec<Value> {
        let json = |came| match came {
            Came::Text(text) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("unexpected: {other:?}"),
        };
        self.heard(world).into_iter().map(json).collect()
    }

    /// Says something and gives the one answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, world: &mut World, text: &str) -> Value {
        self.say(world, text);
        let [answer] = <[Value; 1]>::try_from(self.heard_json(world)).expect("one answer");
        answer
    }
}

const KEY: Option<Key> = Some(Key([1, 2, 3, 4]));

/// A client's message, as bytes.
pub(crate) fn message(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::message(&mut out, kind, payload, KEY);
    out
}

/// The same in fragments, with a ping behind each of them but the last.
pub(crate) fn fragmented(kind: Kind, pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let last = pieces.len() - 1;
    for (at, piece) in pieces.iter().enumerate() {
        let place = match at {
            0 => ws::Fragment::First(kind),
            at if at == last => ws::Fragment::Last,
            _ => ws::Fragment::Middle,
        };
        encode::fragment(&mut out, place, piece, KEY);
        if at < last {
            out.extend(ping(piece));
        }
    }
    out
}

pub(crate) fn ping(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::ping(&mut out, Control::new(payload).unwrap(), KEY);
    out
}

/// A client's close frame.
pub(crate) fn close(code: Option<u16>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut connection = Connection::new(Settings::new(Role::Client));
    connection.close(code.and_then(CloseCode::new), "", KEY, &mut out);
    out
}
