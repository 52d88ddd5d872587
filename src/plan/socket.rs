//! WebSockets of the plan, and what is said on them.

use super::{Expect, Place, Save, Text};
use crate::protocol::ws::Upgrade;
use crate::stdx::Nanos;

/// A WebSocket to open.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Its name in results.
    pub name: String,
    /// What opening it is recorded under: an index into the plan's leaves.
    pub leaf: u16,
    /// Which of the plan's targets it goes to.
    pub target: u16,
    /// Which of its session's connections it is.
    pub channel: u8,
    /// Request line and headers, without those of the handshake: `Connection`, `Upgrade`,
    /// `Sec-WebSocket-*`, and without the empty line at the end.
    pub head: Text,
    /// From the beginning of the attempt until it is open.
    pub timeout: Nanos,
}

impl Socket {
    /// The lines of an upgrade that are not the handshake's, each with its end: for `head`.
    #[must_use]
    pub fn head_of(upgrade: &Upgrade) -> Vec<u8> {
        const OURS: [&str; 4] =
            ["Connection: ", "Upgrade: ", "Sec-WebSocket-Version: ", "Sec-WebSocket-Key: "];
        let mut bytes = Vec::new();
        drop(upgrade.encode([0; 16], &mut bytes));
        let mut head = Vec::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ours = OURS.iter().any(|ours| line.starts_with(ours.as_bytes()));
            if !ours && line != b"\r\n" {
                head.extend_from_slice(line);
            }
        }
        head
    }

    /// Whether it can be opened only for a user who has a token.
    #[must_use]
    pub fn needs_token(&self) -> bool {
        super::request::needs_token(&self.head)
    }
}

/// A message to send, or to await.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its name in results.
    pub name: String,
    /// What it is recorded under: an index into the plan's leaves.
    pub leaf: u16,
    /// What is sent; none for one that is only awaited.
    pub content: Option<Sent>,
    /// What answers it.
    pub answer: Answer,
    /// What must be true of the answer, or what tells the awaited message from others.
    pub expect: Expect,
    /// What is kept of it.
    pub saves: Vec<Save>,
    /// How long the answer is awaited.
    pub timeout: Nanos,
    /// Whether it is a subscription, which is counted (`subscriptions`).
    pub subscribes: bool,
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Sent {
    /// A text message.
    Text(Text),
    /// A ping (RFC 6455 section 5.5.2), with 8 bytes that tell it from others.
    Ping,
}

/// What answers a message.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nothing: it is over when it was sent.
    None,
    /// The next message, or the next pong of a ping.
    Next,
    /// The next message that has the same value there.
    Same(Place),
    /// The next message of which all of `expect.json` is true.
    Matching,
}

/// WebSocket sessions that stay open, and speak now and then.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The socket.
    pub socket: u16,
    /// What is sent, if anything is.
    pub message: Option<u16>,
    /// How often. Each session has its own phase, unless only a sample speaks.
    pub every: Nanos,
    /// So many of all sessions speak each time, drawn anew; none is all of them.
    pub sample: Option<u32>,
}

/// The time from the end of a step to a message that tells of what the step made.
#[derive(Clone, Debug)]
pub struct Measure {
    /// The metric.
    pub name: String,
    /// The pool that the step saves into.
    pub pool: u16,
    /// The requests whose ids count, by index.
    pub from: Vec<u16>,
    /// The workload whose messages are looked at.
    pub workload: u16,
    /// Where the id stands in a message: the first that leads somewhere.
    pub by: Vec<Place>,
    /// What tells the message from others.
    pub until: Vec<super::JsonCheck>,
}
