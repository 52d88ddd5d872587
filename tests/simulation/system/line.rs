//! One socket: the contract that its shard keeps, and the system's end of it.

use std::collections::VecDeque;

use onslaught::net::{Errno, More, Payload};
use onslaught::protocol::ws::{Connection, Event, Role, Scratch, Settings};
use onslaught::stdx::Nanos;

use super::super::agenda::{Arrived, Due, Happened, Id, Scene};
use super::super::socket::{Armed, Socket};
use super::heard::Heard;
use super::service::Answer;

/// From the connect until nothing of it is outstanding.
pub(super) struct Line {
    pub(super) id: Id,
    connecting: bool,
    receiving: bool,
    sending: bool,
    closed: bool,
    pub(super) closing: bool,
    /// The shard was told that it stands.
    pub(super) connected: bool,
    stopping: bool,
    pub(super) socket: Socket,
    /// The send under way, how much of it the kernel took, and what is to be sent before all else.
    current: Vec<u8>,
    taken: usize,
    rest: Vec<u8>,
    /// On its way to the system.
    transit: VecDeque<u8>,
    reaches_at: Nanos,
    /// Requests sent so far.
    pub(super) requests: u64,
    /// The call that is under way on it.
    pub(super) call: Option<String>,
    /// What the shard says on the open WebSocket.
    said: Connection,
    pub(super) close_said: bool,
    /// The shard was the first to close.
    pub(super) parts: bool,
    /// The shard was told that the WebSocket is open.
    pub(super) open: bool,
    /// Why the shard may close an open WebSocket without a word.
    pub(super) excused: Option<&'static str>,
    /// The system's close frame was told.
    pub(super) peer_closed: bool,
    position: u64,
    written: u64,
    marks: VecDeque<(u64, Mark)>,
    pub(super) end: End,
}

/// The system's end.
pub(super) struct End {
    pub(super) inbox: Vec<u8>,
    /// Once upgraded.
    pub(super) frames: Option<Connection>,
    pub(super) close_sent: bool,
    /// It says no more.
    pub(super) ended: bool,
    /// When what it said last is on its way.
    pub(super) busy_until: Nanos,
}

/// What comes to be known at a place in the stream.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    Reply(Answer),
    /// 101.
    Opened,
    /// An upgrade is refused with 401 for this token.
    Refused(String),
    Message,
    Pong,
    Closed,
    /// Nothing behind it is heard.
    Fault,
}

impl Line {
    pub(super) fn new(id: Id) -> Self {
        Self {
            id,
            connecting: true,
            receiving: false,
            sending: false,
            closed: false,
            closing: false,
            connected: false,
            stopping: false,
            socket: Socket::new(id),
            current: Vec::new(),
            taken: 0,
            rest: Vec::new(),
            transit: VecDeque::new(),
            reaches_at: Nanos::ZERO,
            requests: 0,
            call: None,
            said: Connection::new(Settings::new(Role::Server)),
            close_said: false,
            parts: false,
            open: false,
            excused: None,
            peer_closed: false,
            position: 0,
            written: 0,
            marks: VecDeque::new(),
            end: End {
                inbox: Vec::new(),
                frames: None,
                close_sent: false,
                ended: false,
                busy_until: Nanos::ZERO,
            },
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.closed && !self.connecting && !self.receiving && !self.sending
    }

    /// Whether something is being sent that has not gone yet.
    pub(super) const fn is_stuck(&self) -> bool {
        self.sending || !self.rest.is_empty()
    }

    pub(super) fn receive(&mut self, armed: Armed, scene: &mut Scene<'_>) {
        assert!(self.connected, "{:?}: receives before it stands", self.id);
        assert!(!self.receiving, "{:?}: two receives on one socket", self.id);
        assert_ne!(armed, Armed::Discard(0), "{:?}: discards nothing", self.id);
        self.receiving = true;
        self.socket.arm(armed, scene);
    }

    pub(super) fn stop_receiving(&mut self, scene: &mut Scene<'_>) {
        assert!(self.receiving, "{:?}: stops what is not armed", self.id);
        self.stopping = true;
        self.socket.stop(scene);
    }

    /// The shard sends: the request, if this is one.
    pub(super) fn send(&mut self, payload: Payload, scene: &mut Scene<'_>) -> Option<Heard> {
        assert!(self.connected, "{:?}: sends before it stands", self.id);
        assert!(!self.sending, "{:?}: two sends on one socket", self.id);
        assert!(!payload.bytes().is_empty(), "{:?}: sends nothing", self.id);
        self.sending = true;
        let bytes = payload.bytes().to_vec();
        let is_rest = !self.rest.is_empty();
        if is_rest {
            assert_eq!(bytes, self.rest, "{:?}: not the rest of what was sent", self.id);
            self.rest.clear();
        }
        let heard = if is_rest || self.open {
            None
        } else {
            let (heard, length) = Heard::read(&bytes).expect("a request is sent in whole");
            assert_eq!(length, bytes.len(), "{:?}: bytes behind a request", self.id);
            self.requests += 1;
            Some(heard)
        };
        if self.open && !is_rest {
            self.say(&bytes);
        }
        (self.current, self.taken) = (bytes, 0);
        self.socket.send(payload, scene);
        heard
    }

    /// Frames that the shard sends are in order, and nothing follows a close frame.
    fn say(&mut self, bytes: &[u8]) {
        let (mut input, mut scratch) = (bytes, Scratch::default());
        while !input.is_empty() {
            match self.said.receive(&mut input, &mut scratch) {
                Ok(Some(Event::Close(_))) if !self.close_said => {
                    self.close_said = true;
                    self.parts = !self.peer_closed && self.excused.is_none();
                    // What comes behind it would be thrown away unseen.
                    self.said = Connection::new(Settings::new(Role::Server));
                }
                // A ping that came meanwhile is answered (RFC 6455 section 5.5.2).
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(event)) if self.close_said => {
                    panic!("{:?}: says {event:?} behind its close frame", self.id)
                }
                Ok(Some(_)) => {}
                Ok(None) => panic!("{:?}: half a frame is sent", self.id),
                Err(error) => panic!("{:?}: breaks the protocol: {error}", self.id),
            }
        }
    }

    /// The kernel takes bytes of the send, and they go to the system.
    pub(super) fn takes(&mut self, scene: &mut Scene<'_>) {
        let count = self.socket.take(scene);
        if count > 0 {
            self.transit.extend(&self.current[self.taken..self.taken + count]);
            self.taken += count;
            self.reaches_at = self.reaches_at.max(scene.now() + scene.way());
            scene.agenda.at(self.reaches_at, Due::Reaches(self.id, count));
        }
    }

    /// Bytes are with the system.
    pub(super) fn reaches(&mut self, count: usize) {
        let bytes = self.transit.drain(..count);
        if self.end.ended {
            drop(bytes);
        } else {
            self.end.inbox.extend(bytes);
        }
    }

    /// The system has said something.
    pub(super) fn says(&mut self, bytes: Vec<u8>, mark: Option<Mark>, scene: &mut Scene<'_>) {
        if self.end.ended {
            return;
        }
        self.written += bytes.len() as u64;
        if let Some(mark) = mark {
            self.marks.push_back((self.written, mark));
        }
        self.socket.arrive(Arrived::Bytes(bytes), scene);
    }

    pub(super) fn ends(&mut self, reset: bool, scene: &mut Scene<'_>) {
        if !std::mem::replace(&mut self.end.ended, true) {
            self.socket.arrive(if reset { Arrived::Reset } else { Arrived::End }, scene);
        }
    }

    /// The shard is told what happened: what it now knows.
    pub(super) fn tell(&mut self, happened: &Happened) -> Vec<Mark> {
        let heeded = !self.closing;
        match happened {
            Happened::Connected(result) => {
                self.connecting = false;
                self.connected = result.is_ok() && heeded;
            }
            Happened::Received(bytes, more) => {
                self.received(*more);
                return self.hears(bytes.len() as u64, heeded);
            }
            Happened::ReceiveFailed(errno, more) => {
                let stopped = self.stopping && *errno == Errno::CANCELED;
                self.received(*more);
                if *errno != Errno::NO_BUFFERS && !stopped {
                    self.excused = Some("it broke");
                }
            }
            Happened::Discarded(result) => {
                self.received(More::Ended);
                match result {
                    Ok(count) => return self.hears(u64::from(*count), heeded),
                    Err(_) => self.excused = Some("it broke"),
                }
            }
            Happened::Sent(result, _) => {
                self.sending = false;
                match result {
                    Ok(count) => {
                        let count = usize::try_from(*count).expect("32 bits");
                        self.rest = self.current.split_off(count);
                    }
                    Err(_) => {
                        self.excused = Some("a send failed");
                        self.end.ended = true;
                    }
                }
            }
            Happened::Closed => self.closed = true,
        }
        Vec::new()
    }

    /// So many bytes came, none at the end of the stream.
    fn hears(&mut self, count: u64, heeded: bool) -> Vec<Mark> {
        if count == 0 {
            self.excused = Some("the peer has ended it");
        }
        self.position += count;
        let mut known = Vec::new();
        while heeded
            && self.marks.front().is_some_and(|(at, _)| *at <= self.position)
            && let Some((_, mark)) = self.marks.pop_front()
        {
            match mark {
                Mark::Opened => self.open = true,
                Mark::Closed => self.peer_closed = true,
                Mark::Fault => {
                    self.excused = Some("the peer is at fault");
                    self.marks.clear();
                }
                _ => {}
            }
            known.push(mark);
        }
        known
    }

    fn received(&mut self, more: More) {
        assert!(self.receiving, "the world itself: a completion of no receive");
        self.receiving = more == More::Armed;
        self.stopping &= self.receiving;
    }

    /// What the shard has left undone at the end of a turn.
    pub(super) fn neglected(&self) -> Option<&'static str> {
        if self.closing || !self.connected {
            return None;
        }
        if !self.receiving {
            return Some("receives nothing");
        }
        let cut = !self.rest.is_empty() && !self.sending && self.excused.is_none();
        cut.then_some("has sent by half")
    }
}
