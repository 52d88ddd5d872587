//! A kernel that does what a test tells it to, and checks the contract of the queue meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use onslaught::net::{Completion, Completions, Errno, Event, Handle, More, Payload, Submissions};
use onslaught::stdx::Nanos;
use onslaught::target::{Misbehaviour, Realm, Server, Share, Terms, Totals};

/// A completion that owns its bytes.
#[derive(Debug)]
pub(crate) enum Happened {
    Accepted(Result<(), Errno>, More),
    Received(Vec<u8>, More),
    ReceiveFailed(Errno, More),
    Sent(Result<u32, Errno>, Option<Vec<u8>>),
    Closed,
}

/// What was asked for, in order.
#[derive(Debug)]
pub(crate) enum Asked {
    Accept(u32),
    Receive(Handle),
    StopReceiving(Handle),
    Send(Handle, Payload),
    Close(Handle),
}

#[derive(Default)]
struct Inbox {
    queue: VecDeque<(Handle, Happened)>,
    bytes: Vec<u8>,
}

impl Completions for Inbox {
    fn next(&mut self) -> Option<Completion<'_>> {
        let (handle, happened) = self.queue.pop_front()?;
        let event = match happened {
            Happened::Accepted(result, more) => Event::Accepted(result, more),
            Happened::Received(bytes, more) => {
                self.bytes = bytes;
                Event::Received(&self.bytes, more)
            }
            Happened::ReceiveFailed(errno, more) => Event::ReceiveFailed(errno, more),
            Happened::Sent(result, buffer) => Event::Sent(result, buffer),
            Happened::Closed => Event::Closed,
        };
        Some(Completion { handle, event })
    }
}

#[derive(Default)]
struct Outbox {
    asked: Vec<Asked>,
}

impl Submissions for Outbox {
    fn connect(&mut self, _: Handle, _: std::net::SocketAddr, _: Option<std::net::IpAddr>) {
        panic!("a server never connects");
    }

    fn accept(&mut self, listener: u32) {
        self.asked.push(Asked::Accept(listener));
    }

    fn receive(&mut self, handle: Handle) {
        self.asked.push(Asked::Receive(handle));
    }

    fn receive_once(&mut self, _: Handle) {
        panic!("the target does not discard");
    }

    fn stop_receiving(&mut self, handle: Handle) {
        self.asked.push(Asked::StopReceiving(handle));
    }

    fn discard(&mut self, _: Handle, _: u32) {
        panic!("the target does not discard");
    }

    fn send(&mut self, handle: Handle, payload: Payload) {
        self.asked.push(Asked::Send(handle, payload));
    }

    fn close(&mut self, handle: Handle) {
        self.asked.push(Asked::Close(handle));
    }
}

/// One socket, as the client and the kernel see it.
#[derive(Default)]
pub(crate) struct Socket {
    pub(crate) handle: Option<Handle>,
    armed: bool,
    sending: Option<Payload>,
    /// What the client has sent and the server not yet received.
    unread: VecDeque<Vec<u8>>,
    /// What the client got.
    pub(crate) got: Vec<u8>,
    pub(crate) closed: bool,
    /// The longest send so far.
    pub(crate) longest: usize,
    /// Sends so far.
    pub(crate) sends: usize,
    /// Sends so far that needed no buffer of their own.
    pub(crate) shared: usize,
}

/// The server, and the kernel around it.
pub(crate) struct World {
    pub(crate) server: Server,
    inbox: Inbox,
    outbox: Outbox,
    pub(crate) now: Nanos,
    pub(crate) sockets: BTreeMap<u32, Socket>,
    pub(crate) accepts: usize,
    pub(crate) stops: usize,
    pub(crate) wake_at: Option<Nanos>,
    /// The kernel takes no more than so many bytes of a send.
    pub(crate) most: usize,
    /// The client reads nothing: sends stay in flight.
    pub(crate) stuck: bool,
    counters: Share,
}

pub(crate) const LISTENER: u32 = 9;

impl World {
    /// An honest server.
    pub(crate) fn new() -> Self {
        Self::lying("")
    }

    /// A server that tells these lies.
    #[track_caller]
    pub(crate) fn lying(lies: &str) -> Self {
        Self::sharing(lies, Share::among(1).remove(0), realm(Terms::default()))
    }

    /// A server with such tokens and tasks.
    #[track_caller]
    pub(crate) fn on_terms(terms: Terms, lies: &str) -> Self {
        Self::sharing(lies, Share::among(1).remove(0), realm(terms))
    }

    #[track_caller]
    pub(crate) fn sharing(lies: &str, counters: Share, realm: Arc<Realm>) -> Self {
        let lies = match lies {
            "" => Misbehaviour::default(),
            lies => Misbehaviour::parse(lies).expect("a list of lies"),
        };
        let now = Nanos::from_secs(1);
        let mut world = Self {
            server: Server::new(LISTENER, lies, counters.clone(), realm, now),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            now,
            sockets: BTreeMap::new(),
            accepts: 0,
            stops: 0,
            wake_at: None,
            most: usize::MAX,
            stuck: false,
            counters,
        };
        world.run();
        world
    }

    /// A client connects and is given this slot.
    #[track_caller]
    pub(crate) fn connect(&mut self, slot: u32) {
        self.accept(slot);
        self.run();
        assert!(self.sockets[&slot].armed, "an accepted connection is received from");
    }

    /// As `connect`, without a turn.
    pub(crate) fn accept(&mut self, slot: u32) {
        self.sockets.insert(slot, Socket::default());
        let handle = Handle { slot, generation: 0 };
        self.happen(handle, Happened::Accepted(Ok(()), More::Armed));
    }

    /// The client sends, and the server does all it can.
    #[track_caller]
    pub(crate) fn feed(&mut self, slot: u32, bytes: impl AsRef<[u8]>) {
        let socket = self.sockets.get_mut(&slot).expect("a socket");
        socket.unread.push_back(bytes.as_ref().to_vec());
        self.run();
    }

    /// The client ends its side.
    #[track_caller]
    pub(crate) fn end(&mut self, slot: u32) {
        self.feed(slot, b"");
    }

    /// Puts a completion into the queue.
    pub(crate) fn happen(&mut self, handle: Handle, happened: Happened) {
        if let Happened::Received(_, More::Ended) | Happened::ReceiveFailed(_, More::Ended) =
            &happened
            && let Some(socket) = self.sockets.get_mut(&handle.slot)
            && socket.handle == Some(handle)
        {
            socket.armed = false;
        }
        self.inbox.queue.push_back((handle, happened));
    }

    #[track_caller]
    pub(crate) fn handle(&self, slot: u32) -> Handle {
        self.sockets[&slot].handle.expect("a handle was used")
    }

    /// Time passes, and the server is woken when it wants to be.
    #[track_caller]
    pub(crate) fn pass(&mut self, span: Nanos) {
        let end = self.now + span;
        while let Some(at) = self.wake_at.filter(|&at| at <= end) {
            self.now = at.max(self.now);
            self.run();
        }
        self.now = end;
        self.run();
    }

    /// Turns until nothing happens any more.
    #[track_caller]
    pub(crate) fn run(&mut self) {
        loop {
            self.turn();
            let asked = std::mem::take(&mut self.outbox.asked);
            let quiet = asked.is_empty();
            for asked in asked {
                self.perform(asked);
            }
            if !self.stuck {
                self.finish_sends();
            }
            self.deliver();
            if quiet && self.inbox.queue.is_empty() {
                return;
            }
        }
    }

    /// One turn, without a kernel behind it.
    pub(crate) fn turn(&mut self) -> &mut Vec<Asked> {
        let next = self.server.turn(self.now, &mut self.inbox, &mut self.outbox);
        self.wake_at = next.wake_at;
        &mut self.outbox.asked
    }

    #[track_caller]
    fn perform(&mut self, asked: Asked) {
        let handle = match asked {
            Asked::Accept(listener) => {
                assert_eq!(listener, LISTENER);
                self.accepts += 1;
                return;
            }
            Asked::Receive(handle)
            | Asked::StopReceiving(handle)
            | Asked::Send(handle, _)
            | Asked::Close(handle) => handle,
        };
        let socket = self.sockets.get_mut(&handle.slot).expect("a socket that was accepted");
        assert!(!socket.closed, "nothing is asked of a closed connection");
        assert_eq!(*socket.handle.get_or_insert(handle), handle, "one life, one handle");
        match asked {
            Asked::Accept(_) => {}
            Asked::Receive(_) => {
                assert!(!socket.armed, "one receive is armed");
                socket.armed = true;
            }
            Asked::StopReceiving(_) => {
                self.stops += 1;
                if socket.armed {
                    self.happen(handle, Happened::ReceiveFailed(Errno::CANCELED, More::Ended));
                }
            }
            Asked::Send(_, payload) => {
                assert!(socket.sending.is_none(), "one send is in flight");
                assert!(!payload.bytes().is_empty(), "an empty send says nothing");
                socket.longest = socket.longest.max(payload.bytes().len());
                socket.sends += 1;
                socket.shared += usize::from(matches!(payload, Payload::Shared(_)));
                socket.sending = Some(payload);
            }
            Asked::Close(_) => {
                socket.closed = true;
                socket.unread.clear();
                let armed = std::mem::take(&mut socket.armed);
                let sending = socket.sending.take();
                self.happen(handle, Happened::Closed);
                if armed {
                    self.happen(handle, Happened::Received(Vec::new(), More::Ended));
                }
                if let Some(payload) = sending {
                    let sent = Happened::Sent(Err(Errno::CANCELED), owned(payload));
                    self.happen(handle, sent);
                }
            }
        }
    }

    fn finish_sends(&mut self) {
        let mut ended = Vec::new();
        for socket in self.sockets.values_mut() {
            let (Some(handle), Some(payload)) = (socket.handle, socket.sending.take()) else {
                continue;
            };
            let taken = payload.bytes().len().min(self.most);
            socket.got.extend_from_slice(&payload.bytes()[..taken]);
            let count = u32::try_from(taken).unwrap();
            ended.push((handle, Happened::Sent(Ok(count), owned(payload))));
        }
        for (handle, happened) in ended {
            self.happen(handle, happened);
        }
    }

    fn deliver(&mut self) {
        for (&slot, socket) in &mut self.sockets {
            if !socket.armed {
                continue;
            }
            let Some(bytes) = socket.unread.pop_front() else { continue };
            let more = if bytes.is_empty() { More::Ended } else { More::Armed };
            socket.armed = more == More::Armed;
            let handle = socket.handle.unwrap_or(Handle { slot, generation: 0 });
            self.inbox.queue.push_back((handle, Happened::Received(bytes, more)));
        }
    }

    /// What the client got since the last call.
    #[track_caller]
    pub(crate) fn got(&mut self, slot: u32) -> Vec<u8> {
        std::mem::take(&mut self.sockets.get_mut(&slot).expect("a socket").got)
    }

    /// As text.
    #[track_caller]
    pub(crate) fn text(&mut self, slot: u32) -> String {
        String::from_utf8(self.got(slot)).expect("replies are text here")
    }

    pub(crate) fn is_closed(&self, slot: u32) -> bool {
        self.sockets[&slot].closed
    }

    pub(crate) fn totals(&self) -> Totals {
        self.counters.totals()
    }
}

fn owned(payload: Payload) -> Option<Vec<u8>> {
    match payload {
        Payload::Shared(_) => None,
        Payload::Owned(bytes) => Some(bytes),
    }
}

/// When `now` is zero, in unix seconds.
pub(crate) const EPOCH: u64 = 1_700_000_000;

/// What servers share.
pub(crate) fn realm(terms: Terms) -> Arc<Realm> {
    Arc::new(Realm::new(terms, &[7; 32], Nanos::from_secs(EPOCH)))
}

/// A GET of this path.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: target\r\n\r\n")
}

/// The reply to GET /health.
pub(crate) const HEALTH: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
    Content-Length: 15\r\n\r\n{\"status\":\"ok\"}";

/// Splits a reply into head and body.
#[track_caller]
pub(crate) fn split(reply: &[u8]) -> (&str, &[u8]) {
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head") + 4;
    (std::str::from_utf8(&reply[..end]).expect("a head is text"), &reply[end..])
}

/// Byte i of a generated body.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    let letters = ('0'..='9').chain('A'..='Z').chain('a'..='z').chain(['-', '_']);
    letters.cycle().take(len).map(|letter| u8::try_from(letter).unwrap()).collect()
}
