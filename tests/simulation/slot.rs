//! One slot of a shard: one socket after the other, each held to the contract of the queue.

use onslaught::net::{Errno, Event, Handle, More, Payload};
use onslaught::stdx::{Nanos, rng};

use super::account::{Account, Ended, Sends};
use super::agenda::{Arrived, Due, Happened, Id, Scene};
use super::reply::Asked;
use super::server::{Habit, Server};
use super::socket::{Armed, Socket};
use super::truth::{Place, Truth};

/// A slot, and what lives in it.
#[derive(Default)]
pub(crate) struct Slot {
    /// Of the life that is there, or of the next one.
    generation: u32,
    pub(crate) life: Option<Life>,
    /// Operations that failed since the last reply.
    failures: u32,
    /// Not to be opened again before.
    pause_until: Nanos,
    /// Whether it waits for that.
    pausing: bool,
    /// When its last operation ended, or the pause behind that.
    due: Option<Nanos>,
    /// Since when it can take an operation.
    free_since: Nanos,
}

/// One socket from its connect until nothing of it is outstanding.
pub(crate) struct Life {
    id: Id,
    /// What the shard has asked for and not been told the end of.
    connecting: bool,
    receiving: bool,
    sending: bool,
    closing: bool,
    closed: bool,
    /// The shard was told that it stands.
    pub(crate) connected: bool,
    stopping: bool,
    /// When the last bytes of requests reach the server.
    reaches_at: Nanos,
    pub(crate) socket: Socket,
    pub(crate) server: Server,
    account: Account,
}

/// The shortest and the longest full pause; each pause is between half of the full one and all.
const PAUSES: (Nanos, Nanos) = (Nanos::from_millis(10), Nanos::from_secs(1));

impl Slot {
    /// The life that a submission means.
    pub(crate) fn submitted(&mut self, handle: Handle) -> &mut Life {
        assert_eq!(handle.generation, self.generation, "{handle:?}: another life of the slot");
        let life = self.life.as_mut();
        let life = life.unwrap_or_else(|| panic!("{handle:?}: no socket was opened"));
        assert!(!life.closing, "{handle:?}: asked for after its close");
        life
    }

    /// The life that something which happened belongs to, if it is still there.
    pub(crate) fn meant(&mut self, handle: Handle) -> Option<&mut Life> {
        let current = self.generation == handle.generation;
        self.life.as_mut().filter(|_| current)
    }

    /// A socket is opened, for an operation if the load has begun.
    pub(crate) fn connect(
        &mut self,
        id: Id,
        habit: Habit,
        scene: &mut Scene<'_>,
        truth: &mut Truth,
    ) -> &mut Life {
        let now = scene.now();
        assert_eq!(id.handle.generation, self.generation, "{id:?}: not the next life of the slot");
        assert!(self.life.is_none(), "{id:?}: connects while something is outstanding");
        assert!(!self.pausing, "{id:?}: connects at {now}, to pause until {}", self.pause_until);
        let timeout = scene.scenario.plan.timeout;
        let mut account = Account::new(id, now, now + timeout);
        if truth.start.is_some() {
            account.begin(truth.begin(self.place(id, truth), now), timeout);
        }
        truth.connects.push(now);
        let mut socket = Socket::new(id);
        let server = Server::new(id, habit);
        socket.deaf = server.is_deaf();
        self.life.insert(Life {
            id,
            connecting: true,
            receiving: false,
            sending: false,
            closing: false,
            closed: false,
            connected: false,
            stopping: false,
            reaches_at: Nanos::ZERO,
            socket,
            server,
            account,
        })
    }

    /// Tells the life what happened. Completions of other lives concern nobody.
    pub(crate) fn tell(
        &mut self,
        handle: Handle,
        happened: &Happened,
        now: Nanos,
        truth: &mut Truth,
    ) {
        let Some(life) = self.meant(handle) else { return };
        let was_free = life.is_free();
        life.tell(happened, now, truth);
        let ended = life.account.ended.take();
        let (free, over) = (life.is_free(), life.is_over());
        if let Some(ended) = ended {
            self.ends(handle.slot, ended, now, truth);
        }
        if over {
            self.life = None;
            self.generation = (self.generation + 1) % (1 << 24);
            self.pausing = self.pause_until > now;
        }
        if (free && !was_free) || over {
            self.free_since = now;
        }
    }

    /// Where an operation begins.
    fn place(&self, id: Id, truth: &Truth) -> Place {
        let Id { shard, handle: Handle { slot, .. } } = id;
        // What was free when the load began is free from its start.
        let first = truth.first_turns[shard].filter(|first| self.free_since <= *first);
        let free = first.and(truth.start).map_or(self.free_since, |at| at.min(self.free_since));
        Place { shard, slot, due: self.due, free }
    }

    /// A turn begins; a pause may be over.
    pub(crate) fn turns(&mut self, now: Nanos) {
        if self.pausing && self.pause_until <= now {
            self.pausing = false;
            self.free_since = now;
            self.due = Some(now);
        }
    }

    /// After a failure the slot pauses: not at all after the first one, unless it was of
    /// connecting, then ever longer, for half of the full pause and a part of the other half.
    fn ends(&mut self, slot: u32, ended: Ended, now: Nanos, truth: &Truth) {
        self.failures = if ended == Ended::Replied { 0 } else { self.failures + 1 };
        self.due = Some(now);
        let doublings = match (self.failures, ended) {
            (0, _) | (1, Ended::Failed) => return,
            (failures, Ended::Failed) => failures - 2,
            (failures, _) => failures - 1,
        };
        let (shortest, longest) = PAUSES;
        let half = longest.0.min(shortest.0 << doublings.min(7)) / 2;
        let part = rng::choice(truth.plan.seed, u64::from(slot), now.0, half);
        self.pause_until = now + Nanos(half + part);
    }

    pub(crate) fn closes(&mut self, handle: Handle, scene: &mut Scene<'_>, truth: &mut Truth) {
        let now = scene.now();
        let life = self.submitted(handle);
        life.account.closes(life.connected, now, truth);
        life.closing = true;
        life.socket.close(scene);
        if let Some(ended) = life.account.ended.take() {
            self.ends(handle.slot, ended, now, truth);
        }
    }

    /// Whether it could take an operation without a connection, and since when.
    pub(crate) fn vacant_since(&self) -> Option<Nanos> {
        (self.life.is_none() && !self.pausing).then_some(self.free_since)
    }

    /// Whether it could take an operation on its connection, and since when.
    pub(crate) fn idle_since(&self) -> Option<Nanos> {
        self.life.as_ref().filter(|life| life.is_free()).map(|_| self.free_since)
    }

    /// Sends on the connection; what is no part of a request under way begins an operation.
    pub(crate) fn send(
        &mut self,
        handle: Handle,
        payload: Payload,
        scene: &mut Scene<'_>,
        truth: &mut Truth,
    ) {
        let now = scene.now();
        let life = self.submitted(handle);
        let (id, begins) = (life.id, life.is_free());
        if begins {
            let operation = truth.begin(self.place(id, truth), now);
            let timeout = scene.scenario.plan.timeout;
            self.submitted(handle).account.begin(operation, timeout);
        }
        self.submitted(handle).send(payload, scene, truth);
    }
}

impl Life {
    /// Whether nothing of it is outstanding.
    const fn is_over(&self) -> bool {
        self.closed && !self.connecting && !self.receiving && !self.sending
    }

    /// Whether it stands and could carry an operation.
    pub(crate) const fn is_free(&self) -> bool {
        self.connected && !self.closing && self.account.is_free()
    }

    pub(crate) const fn is_closing(&self) -> bool {
        self.closing
    }

    pub(crate) const fn is_awaiting(&self) -> bool {
        self.account.is_awaiting()
    }

    pub(crate) fn receive(&mut self, armed: Armed, scene: &mut Scene<'_>) {
        assert!(self.connected, "{:?}: receives before it stands", self.id);
        assert!(!self.receiving, "{:?}: two receives on one socket", self.id);
        assert_ne!(armed, Armed::Discard(0), "{:?}: discards nothing", self.id);
        self.receiving = true;
        self.socket.arm(armed, scene);
    }

    pub(crate) fn stop_receiving(&mut self, scene: &mut Scene<'_>) {
        assert!(self.receiving, "{:?}: stops what is not armed", self.id);
        self.stopping = true;
        self.socket.stop(scene);
    }

    fn send(&mut self, payload: Payload, scene: &mut Scene<'_>, truth: &mut Truth) {
        let now = scene.now();
        assert!(self.connected, "{:?}: sends before it stands", self.id);
        assert!(!self.sending, "{:?}: two sends on one socket", self.id);
        self.sending = true;
        if let Sends::Request(index) = self.account.sends(payload.bytes(), now, truth) {
            let request = &truth.plan.requests[usize::from(index)];
            let asked = Asked {
                head: request.reply_to == onslaught::protocol::http::ReplyTo::Head,
                close: request.reuse == onslaught::protocol::http::Reuse::Close,
            };
            self.server.expect(asked, payload.bytes().len(), scene);
        }
        self.socket.send(payload, scene);
    }

    /// The kernel takes bytes, and they go to the server.
    pub(crate) fn takes(&mut self, scene: &mut Scene<'_>) {
        let count = self.socket.take(scene);
        if count > 0 {
            self.reaches_at = self.reaches_at.max(scene.now() + scene.way());
            scene.agenda.at(self.reaches_at, Due::Reaches(self.id, count));
        }
    }

    pub(crate) fn reaches(&mut self, count: usize, scene: &mut Scene<'_>) {
        let (marks, deaf) = self.server.reaches(count, scene);
        self.account.mark(marks);
        self.socket.deaf |= deaf;
    }

    /// The target goes away.
    pub(crate) fn killed(&mut self, scene: &mut Scene<'_>) {
        if !self.closing && !self.server.killed {
            (self.server.ended, self.server.killed) = (true, true);
            self.socket.killed(scene);
        }
    }

    pub(crate) fn arrives(&mut self, what: Arrived, scene: &mut Scene<'_>) {
        if !self.server.killed {
            self.socket.arrive(what, scene);
        }
    }

    pub(crate) fn abort(&mut self, now: Nanos, truth: &mut Truth) {
        if !self.closing {
            self.account.abort(now, truth);
        }
    }

    fn tell(&mut self, happened: &Happened, now: Nanos, truth: &mut Truth) {
        if let (Some(left), false) = (self.neglected_before_more(), self.closing) {
            panic!("{:?}: {left}", self.id);
        }
        let heeded = !self.closing;
        match happened {
            Happened::Connected(result) => {
                self.connecting = false;
                self.connected = result.is_ok() && heeded;
                if heeded {
                    self.account.connected(*result, now, truth);
                }
            }
            Happened::Received(bytes, more) => {
                self.received(*more);
                match bytes.len() as u64 {
                    _ if !heeded => {}
                    0 => self.account.peer_ended(now, truth),
                    count => self.account.bytes(count, now, truth),
                }
            }
            Happened::ReceiveFailed(errno, more) => {
                let stopped = self.stopping && *errno == Errno::CANCELED;
                self.received(*more);
                if *errno == Errno::NO_BUFFERS {
                    truth.counts.no_buffers += 1;
                } else if heeded && !stopped {
                    self.account.broke(*errno, now, truth);
                }
            }
            Happened::Discarded(result) => {
                self.received(More::Ended);
                truth.discards += 1;
                match result {
                    _ if !heeded => {}
                    Ok(0) => self.account.peer_ended(now, truth),
                    Ok(count) => self.account.bytes(u64::from(*count), now, truth),
                    Err(errno) => self.account.broke(*errno, now, truth),
                }
            }
            Happened::Sent(result, _) => {
                self.sending = false;
                if heeded {
                    self.account.sent(*result, now, truth);
                }
            }
            Happened::Closed => self.closed = true,
        }
    }

    fn received(&mut self, more: More) {
        assert!(self.receiving, "the world itself: a completion of no receive");
        self.receiving = more == More::Armed;
        self.stopping &= self.receiving;
    }

    /// What should have been done before this life is told any more.
    fn neglected_before_more(&self) -> Option<&'static str> {
        self.account.is_to_close().then_some("is told more although it was to be closed")
    }

    /// What the shard has left undone at the end of a turn.
    pub(crate) fn neglected(&self, now: Nanos) -> Option<String> {
        if self.closing {
            return None;
        }
        let deaf = self.connected && !self.receiving;
        let left = self.account.neglected(self.connected, self.sending, now);
        let left = left.or_else(|| deaf.then(|| "receives nothing".to_owned()));
        left.map(|left| format!("{:?} {left}", self.id))
    }
}

impl Happened {
    /// The same as the shard sees it, with its bytes in a place of their own.
    pub(crate) fn into_event(self, place: &mut Vec<u8>) -> Event<'_> {
        match self {
            Self::Connected(result) => Event::Connected(result),
            Self::Received(bytes, more) => {
                *place = bytes;
                Event::Received(place, more)
            }
            Self::ReceiveFailed(errno, more) => Event::ReceiveFailed(errno, more),
            Self::Discarded(result) => Event::Discarded(result),
            Self::Sent(result, buffer) => Event::Sent(result, buffer),
            Self::Closed => Event::Closed,
        }
    }
}
