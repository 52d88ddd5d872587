//! Budget: what the target's server allocates, and what an idle WebSocket costs.
//!
//! A counting allocator under the real server; a kernel of a few lines that sends at once and
//! brings the same bytes again and again. Runs as a test, because a budget is one.
#![expect(clippy::unwrap_used, reason = "a test binary")]

mod counting;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use counting::{blocks, bytes};
use onslaught::net::{Completion, Completions, Event, Handle, More, Payload, Submissions};
use onslaught::protocol::ws::{Key, Kind, encode};
use onslaught::stdx::Nanos;
use onslaught::target::{Did, Misbehaviour, Realm, Server, Share, Terms};

/// What one turn is told.
#[derive(Default)]
struct Told<'a> {
    accepted: Option<u32>,
    sent: Option<(Handle, u32, Option<Vec<u8>>)>,
    received: Option<(u32, &'a [u8])>,
}

impl Completions for Told<'_> {
    fn next(&mut self) -> Option<Completion<'_>> {
        let handle = |slot| Handle { slot, generation: 0 };
        if let Some(slot) = self.accepted.take() {
            let event = Event::Accepted(Ok(()), More::Armed);
            return Some(Completion { handle: handle(slot), event });
        }
        if let Some((handle, count, buffer)) = self.sent.take() {
            return Some(Completion { handle, event: Event::Sent(Ok(count), buffer) });
        }
        let (slot, bytes) = self.received.take()?;
        Some(Completion { handle: handle(slot), event: Event::Received(bytes, More::Armed) })
    }
}

/// What it asks for: at most one send.
#[derive(Default)]
struct Asked {
    send: Option<(Handle, Payload)>,
}

impl Submissions for Asked {
    fn accept(&mut self, _: u32) {}

    fn connect(&mut self, _: Handle, _: SocketAddr, _: Option<IpAddr>) {}

    fn receive(&mut self, _: Handle) {}

    fn receive_once(&mut self, _: Handle) {}

    fn stop_receiving(&mut self, _: Handle) {}

    fn discard(&mut self, _: Handle, _: u32) {}

    fn send(&mut self, handle: Handle, payload: Payload) {
        assert!(self.send.replace((handle, payload)).is_none(), "one send a turn here");
    }

    fn close(&mut self, handle: Handle) {
        panic!("nothing here ends: {handle:?}");
    }
}

struct World {
    server: Server,
    share: Share,
    now: Nanos,
}

impl World {
    fn new() -> Self {
        let realm = Arc::new(Realm::new(Terms::default(), &[7; 32], Nanos::from_secs(1)));
        let share = Share::among(1).remove(0);
        let lies = Misbehaviour::default();
        let server = Server::new(0, lies, share.clone(), realm, Nanos::ZERO);
        Self { server, share, now: Nanos::ZERO }
    }

    fn accept(&mut self, slot: u32) {
        let mut told = Told { accepted: Some(slot), ..Told::default() };
        self.server.turn(self.now, &mut told, &mut Asked::default());
    }

    /// Brings bytes, looks at what is sent, and has it sent.
    fn feed(&mut self, slot: u32, bytes: &[u8], look: &mut dyn FnMut(&[u8])) {
        self.now += Nanos::from_micros(50);
        let mut told = Told { received: Some((slot, bytes)), ..Told::default() };
        let mut asked = Asked::default();
        self.server.turn(self.now, &mut told, &mut asked);
        let Some((handle, payload)) = asked.send.take() else { return };
        look(payload.bytes());
        let count = u32::try_from(payload.bytes().len()).unwrap();
        let buffer = match payload {
            Payload::Owned(bytes) => Some(bytes),
            Payload::Shared(_) => None,
        };
        told.sent = Some((handle, count, buffer));
        self.server.turn(self.now, &mut told, &mut asked);
        assert!(asked.send.is_none(), "all was sent");
    }

    fn reply(&mut self, request: &str) -> String {
        let mut reply = String::new();
        let mut look = |bytes: &[u8]| reply.push_str(std::str::from_utf8(bytes).unwrap());
        self.feed(0, request.as_bytes(), &mut look);
        reply
    }

    fn did(&self, what: Did) -> u64 {
        self.share.totals().did(what)
    }
}

fn post(path: &str, token: &str, body: &str) -> String {
    let len = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {len}\r\n\r\n{body}"
    )
}

const CREDENTIALS: &str = "{\"email\":\"loadtest1@example.com\",\"password\":\"testpassword123\"}";

/// A token of a new account; slot 0 is open afterwards.
fn token(world: &mut World) -> String {
    world.accept(0);
    world.reply(&post("/auth/register", "", CREDENTIALS));
    let reply = world.reply(&post("/auth/login", "", CREDENTIALS));
    reply.split('"').find(|text| text.starts_with("eyJ")).unwrap().to_owned()
}

const UPGRADE: &str = "HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A client's frames: so many of the same message.
fn frames(text: &str, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    encode::message(&mut out, Kind::Text, text.as_bytes(), Some(Key([1, 2, 3, 4])));
    out.repeat(count)
}

#[test]
fn a_million_tasks_are_held_in_no_memory() {
    let mut world = World::new();
    let token = token(&mut world);
    let request = post("/tasks", &token, "{\"type\":\"generate-pdf\",\"payload\":{\"url\":\"x\"}}");
    // As many as one receive of 16 KiB brings.
    let batch = request.repeat(16 * 1024 / request.len());
    let each = u64::try_from(batch.len() / request.len()).unwrap();
    let mut first = String::new();
    let note = |bytes: &[u8], ids: &mut String| {
        let text = std::str::from_utf8(bytes).unwrap();
        ids.push_str(text.split('"').nth(3).unwrap());
    };
    world.feed(0, batch.as_bytes(), &mut |bytes| note(bytes, &mut first));
    // Bodies and replies take turns with the spare buffers, until both fit into either.
    for _ in 0..3 {
        world.feed(0, batch.as_bytes(), &mut |_| {});
    }
    let (held, allocated) = (bytes(), blocks());
    let mut made = world.did(Did::TasksCreated);
    while made < 1_000_000 {
        world.feed(0, batch.as_bytes(), &mut |_| {});
        made += each;
    }
    assert_eq!(world.did(Did::TasksCreated), made);
    assert_eq!(bytes(), held, "a million tasks, and not a byte");
    assert_eq!(blocks(), allocated, "nor a block on the way");
    world.now += Terms::default().task_time;
    let path = format!("GET /tasks/{first} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {token}");
    let reply = world.reply(&format!("{path}\r\n\r\n"));
    assert!(reply.ends_with("\"status\":\"completed\",\"progress\":100}"), "{reply}");
}

#[test]
fn an_echo_allocates_nothing() {
    let mut world = World::new();
    world.accept(0);
    world.reply(&format!("GET /echo {UPGRADE}"));
    for text in ["", "small", &"x".repeat(4_000)] {
        let input = frames(text, 3);
        let mut echoed = 0;
        world.feed(0, &input, &mut |_| {});
        let before = blocks();
        for _ in 0..1_000 {
            world.feed(0, &input, &mut |bytes| echoed += bytes.len());
        }
        assert_eq!(blocks() - before, 0, "{} bytes", text.len());
        // Without the key of four bytes.
        assert_eq!(echoed, 1_000 * (input.len() - 3 * 4));
    }
}

#[test]
fn a_gateway_allocates_nothing_for_a_ping() {
    let mut world = World::new();
    let token = token(&mut world);
    world.reply(&format!("GET /ws?token={token} {UPGRADE}"));
    let input = frames("{\"type\":\"ping\",\"id\":12345}", 3);
    world.feed(0, &input, &mut |_| {});
    let before = blocks();
    for _ in 0..1_000 {
        world.feed(0, &input, &mut |_| {});
    }
    assert_eq!(blocks() - before, 0);
    assert_eq!(world.did(Did::WsMessagesOut), 3 * 1_001);
}

#[test]
fn an_idle_websocket_is_cheap() {
    const COUNT: u32 = 8_192;
    let mut world = World::new();
    let token = token(&mut world);
    let upgrade = format!("GET /ws?token={token} {UPGRADE}");
    // The last slot first, so that the table is as long as it gets.
    world.accept(COUNT);
    world.feed(COUNT, upgrade.as_bytes(), &mut |_| {});
    let before = bytes();
    for slot in 1..COUNT {
        world.accept(slot);
        // In two pieces, so that the head has to be gathered.
        let (front, back) = upgrade.as_bytes().split_at(100);
        world.feed(slot, front, &mut |_| {});
        world.feed(slot, back, &mut |_| {});
    }
    let boxed = (bytes() - before) / u64::from(COUNT - 1);
    assert_eq!(world.did(Did::WsOpened), u64::from(COUNT));
    // With 128 in the table of connections; the kernel's socket takes more than this.
    // The timer of the slow head is among them, until it fires into nothing.
    assert!(boxed <= 240, "{boxed} bytes beside the table for an idle WebSocket");
}
