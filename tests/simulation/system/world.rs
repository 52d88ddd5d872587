//! The second world: all sockets of all shards, and the system behind them.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use onslaught::net::{Completion, Completions, Errno, Handle, Payload, Submissions};
use onslaught::protocol::ws::{
    Asked, CloseCode, Connection, Control, Event, Kind, Role, Scratch, Settings, encode,
};
use onslaught::stdx::Nanos;

use super::super::agenda::{Agenda, Due, Happened, Id, Scene};
use super::super::dice::Dice;
use super::super::reply::cut;
use super::super::scenario::Scenario;
use super::super::socket::Armed;
use super::super::world::Log;
use super::heard::Heard;
use super::line::{Line, Mark};
use super::manners::Manners;
use super::service::{Service, What};
use super::told::Told;

/// All but the shards.
pub(super) struct World {
    pub(super) scenario: Rc<Scenario>,
    pub(super) manners: Manners,
    pub(super) agenda: Agenda,
    plays: BTreeMap<(Nanos, u64), (Id, Play)>,
    written: u64,
    pub(super) log: Log,
    pub(super) told: Told,
    pub(super) service: Service,
    dice: Dice,
    pub(super) sides: Vec<Side>,
    /// The run was told to end at once.
    pub(super) aborted: bool,
    /// Paths of requests, by shard and slot.
    pub(super) asked: BTreeMap<(usize, u32), Vec<String>>,
}

/// What belongs to one shard.
pub(super) struct Side {
    slots: Vec<Slot>,
    inbox: VecDeque<(Id, Happened)>,
    pub(super) submitted: u64,
    pub(super) told: u64,
}

/// A place for one socket after the other.
#[derive(Default)]
struct Slot {
    generation: u32,
    line: Option<Line>,
    /// When it was opened since it last did any good.
    connects: VecDeque<Nanos>,
}

/// What the system does on a line, when it is time.
enum Play {
    /// Bytes, with what is known behind them.
    Bytes(Vec<u8>, Option<Mark>),
    /// A message on an open WebSocket.
    Says(String),
    Ping,
    Pong(Vec<u8>),
    Close(Option<u16>),
    Babble,
    End,
    Reset,
}

/// Attempts of one slot within a second that did no good: the pauses between them are at least
/// half of 10, 20, 40 … 640 ms and 1 s, and the first failure may have none.
const CONNECTS_A_SECOND: usize = 12;
const SECOND: Nanos = Nanos::from_secs(1);

impl World {
    pub(super) fn new(scenario: Rc<Scenario>, manners: Manners) -> Self {
        let plan = &scenario.plan;
        let side = |shard: u32| {
            let slots = 0..plan.sockets_of(shard);
            Side {
                slots: slots.map(|_| Slot::default()).collect(),
                inbox: VecDeque::new(),
                submitted: 0,
                told: 0,
            }
        };
        Self {
            sides: (0..plan.shards).map(side).collect(),
            dice: Dice::new(scenario.seed, 11),
            manners,
            agenda: Agenda::default(),
            plays: BTreeMap::new(),
            written: 0,
            log: Log::default(),
            told: Told::default(),
            service: Service::default(),
            aborted: false,
            asked: BTreeMap::new(),
            scenario,
        }
    }

    pub(super) fn next_at(&self) -> Option<Nanos> {
        let play = self.plays.first_key_value().map(|((at, _), _)| *at);
        [play, self.agenda.next_at()].into_iter().flatten().min()
    }

    /// Does what is due now.
    pub(super) fn act(&mut self) {
        let now = self.agenda.now;
        loop {
            if let Some(due) = self.agenda.take() {
                self.due(due);
            } else if let Some(entry) = self.plays.first_entry()
                && entry.key().0 <= now
            {
                let (id, play) = entry.remove();
                self.play(id, play);
            } else {
                return;
            }
        }
    }

    fn due(&mut self, due: Due) {
        match due {
            Due::Connects(id) => self.with(id, |line, scene| {
                if line.socket.is_connecting() {
                    line.socket.connects(Ok(()), scene);
                }
            }),
            Due::Takes(id) => self.with(id, |line, scene| line.takes(scene)),
            Due::Reaches(id, count) => {
                self.with(id, |line, _| line.reaches(count));
                self.read(id);
            }
            Due::LetsGo(id) => self.with(id, |line, scene| line.socket.let_go(scene)),
            Due::Posts(id, happened) => self.sides[id.shard].inbox.push_back((id, happened)),
            Due::Arrives(..) | Due::Outage => unreachable!("of the other world"),
        }
    }

    fn line(&mut self, id: Id) -> Option<&mut Line> {
        let slot = &mut self.sides[id.shard].slots[id.handle.slot as usize];
        let current = slot.generation == id.handle.generation;
        slot.line.as_mut().filter(|_| current)
    }

    fn with(&mut self, id: Id, act: impl FnOnce(&mut Line, &mut Scene<'_>)) {
        let Self { agenda, dice, scenario, sides, .. } = self;
        let slot = &mut sides[id.shard].slots[id.handle.slot as usize];
        let current = slot.generation == id.handle.generation;
        if let Some(line) = slot.line.as_mut().filter(|_| current) {
            act(line, &mut Scene { agenda, dice, scenario });
        }
    }

    fn later(&mut self, at: Nanos, id: Id, play: Play) {
        self.written += 1;
        self.plays.insert((at.max(self.agenda.now), self.written), (id, play));
    }

    fn work(&mut self) -> Nanos {
        let (from, to) = self.scenario.target.work;
        self.dice.span(from, to)
    }

    /// The system reads what has come.
    fn read(&mut self, id: Id) {
        let Some(line) = self.line(id) else { return };
        if line.end.ended {
            return;
        }
        if line.end.frames.is_some() {
            return self.read_frames(id);
        }
        let Some((heard, length)) = Heard::read(&line.end.inbox) else { return };
        if heard.upgrade {
            return self.upgrade(id, &heard);
        }
        line.end.inbox.drain(..length);
        assert!(line.end.inbox.is_empty(), "{id:?}: bytes behind a request");
        self.serve(id, &heard);
    }

    fn serve(&mut self, id: Id, heard: &Heard) {
        let now = self.agenda.now;
        let Self { service, manners, dice, .. } = self;
        let answer = service.answer(heard, now, manners, dice);
        let manners = self.manners.clone();
        if self.dice.chance(manners.silent) {
            return;
        }
        let mut at = now + self.work();
        if self.dice.chance(manners.slow) {
            at += self.scenario.plan.timeout;
        }
        let leaves = self.dice.chance(manners.leaves);
        let says = leaves && self.dice.chance(500);
        let close = if says { "Connection: close\r\n" } else { "" };
        let body = if answer.status == 204 { "" } else { &*answer.body };
        let length = match answer.status {
            204 => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let status = answer.status;
        let bytes = format!("HTTP/1.1 {status} Said\r\n{close}{length}\r\n{body}").into_bytes();
        let broken = self.dice.chance(manners.breaks);
        let upto = if broken { self.dice.size(0, bytes.len() - 1) } else { bytes.len() };
        let pieces = cut(&bytes[..upto], &mut self.dice);
        let count = pieces.len();
        for (index, piece) in pieces.into_iter().enumerate() {
            let last = index + 1 == count && !broken;
            let mark = last.then(|| Mark::Reply(answer.clone()));
            self.later(at, id, Play::Bytes(piece, mark));
            at += self.dice.up_to(Nanos::from_micros(300));
        }
        if broken || leaves {
            let reset = !says && self.dice.chance(500);
            self.later(at, id, if reset { Play::Reset } else { Play::End });
        }
    }

    fn upgrade(&mut self, id: Id, heard: &Heard) {
        let now = self.agenda.now;
        let mut at = now + self.work();
        let manners = self.manners.clone();
        let token = heard.token.clone();
        let takes = token
            .as_ref()
            .is_none_or(|token| self.service.takes(token, now, &manners, &mut self.dice));
        let odd = self.dice.chance(manners.no_upgrade);
        let kind = self.dice.between(0, 3);
        let line = self.line(id).expect("it was read from");
        let inbox = std::mem::take(&mut line.end.inbox);
        let (asked, length) = Asked::read(&inbox)
            .unwrap_or_else(|why| panic!("{id:?}: {why:?}"))
            .expect("the whole request");
        assert_eq!(length, inbox.len(), "{id:?}: speaks before it is open");
        let mut out = Vec::new();
        let refused = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".as_bytes();
        let mark = match (takes, odd, kind, token) {
            (false, _, _, Some(token)) | (true, true, 0, Some(token)) => {
                out.extend_from_slice(refused);
                Mark::Refused(token)
            }
            (true, true, 0 | 1, _) => {
                out.extend_from_slice(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
                Mark::Fault
            }
            (true, true, 2, _) => {
                out.extend_from_slice(b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n");
                Mark::Fault
            }
            (_, true, ..) => return,
            _ => {
                asked.accept(None, &mut out);
                line.end.frames = Some(Connection::new(Settings::new(Role::Server)));
                Mark::Opened
            }
        };
        let is_open = matches!(mark, Mark::Opened);
        let pieces = cut(&out, &mut self.dice);
        let count = pieces.len();
        let mut mark = Some(mark);
        for (index, piece) in pieces.into_iter().enumerate() {
            let mark = if index + 1 == count { mark.take() } else { None };
            self.later(at, id, Play::Bytes(piece, mark));
            at += self.dice.up_to(Nanos::from_micros(300));
        }
        if is_open {
            self.line(id).expect("it was read from").end.busy_until = at;
            if self.dice.chance(manners.chatty) {
                self.later(at, id, Play::Says("{\"type\":\"hello\"}".to_owned()));
            }
            self.whims(id, at);
        }
    }

    fn read_frames(&mut self, id: Id) {
        let Some(line) = self.line(id) else { return };
        let Some(mut frames) = line.end.frames.take() else { return };
        let inbox = std::mem::take(&mut line.end.inbox);
        let (mut input, mut scratch) = (&inbox[..], Scratch::default());
        loop {
            match frames.receive(&mut input, &mut scratch) {
                Ok(None) => break,
                Ok(Some(event)) => self.hears(id, &event),
                Err(error) => panic!("{id:?}: breaks the protocol: {error}"),
            }
        }
        if let Some(line) = self.line(id) {
            line.end.frames = Some(frames);
        }
    }

    fn hears(&mut self, id: Id, event: &Event<'_>) {
        let now = self.agenda.now;
        let busy = self.line(id).map_or(now, |line| line.end.busy_until);
        let at = (now + self.work()).max(busy);
        match event {
            Event::Message { bytes, .. } => {
                self.told.seen.heard += 1;
                let message: serde_json::Value =
                    serde_json::from_slice(bytes).expect("messages are JSON");
                self.told.seen.subscribed += u64::from(message["type"] == "subscribe");
                let answer = serde_json::json!({
                    "type": "status", "taskId": message["taskId"], "status": "completed",
                });
                self.reply(id, &answer.to_string(), at);
            }
            Event::Ping(payload) => {
                self.later(at, id, Play::Pong(payload.bytes().to_vec()));
            }
            Event::Close(close) => {
                self.told.seen.closes += 1;
                let code = close.code.map(CloseCode::number);
                self.later(at, id, Play::Close(code));
                let end = at + self.work();
                self.later(end, id, Play::End);
            }
            Event::Pong(_) | Event::Counted { .. } => {}
        }
    }

    fn reply(&mut self, id: Id, answer: &str, at: Nanos) {
        let manners = self.manners.clone();
        if self.dice.chance(manners.lost) {
            return;
        }
        let mut at = at;
        if self.dice.chance(manners.late) {
            at += self.dice.up_to(Nanos::from_millis(900));
        }
        let times = 1 + u64::from(self.dice.chance(manners.twice));
        for _ in 0..times {
            self.later(at, id, Play::Says(answer.to_owned()));
        }
        if self.dice.chance(manners.chatty) {
            self.later(at, id, Play::Ping);
            self.later(at, id, Play::Says("{\"type\":\"news\"}".to_owned()));
        }
        self.whims(id, at);
    }

    /// What may happen to an open WebSocket behind anything.
    fn whims(&mut self, id: Id, at: Nanos) {
        let Manners { cuts, closes, babbles, .. } = self.manners;
        let at = at + self.dice.up_to(Nanos::from_millis(30));
        if self.dice.chance(cuts) {
            let reset = self.dice.chance(500);
            self.later(at, id, if reset { Play::Reset } else { Play::End });
        }
        if self.dice.chance(closes) {
            let code = self.dice.pick(&[None, Some(1_000), Some(1_001), Some(1_008), Some(4_000)]);
            self.later(at, id, Play::Close(code));
        }
        if self.dice.chance(babbles) {
            self.later(at, id, Play::Babble);
        }
    }

    fn play(&mut self, id: Id, play: Play) {
        let now = self.agenda.now;
        let bad = [&b"\x83\x00"[..], b"\x81\x81\0\0\0\0a", b"\x81\x01\xff", b"\x80\x00"];
        let babble = self.dice.pick(&bad);
        self.with(id, |line, scene| {
            let closed = line.end.close_sent;
            let open = line.end.frames.is_some() && !closed && now >= line.end.busy_until;
            let mut out = Vec::new();
            match play {
                Play::Bytes(bytes, mark) => line.says(bytes, mark, scene),
                Play::End => line.ends(false, scene),
                Play::Reset => line.ends(true, scene),
                _ if !open => {}
                Play::Says(text) => {
                    encode::message(&mut out, Kind::Text, text.as_bytes(), None);
                    line.says(out, Some(Mark::Message), scene);
                }
                Play::Ping => {
                    encode::ping(&mut out, Control::new(b"there?").expect("short"), None);
                    line.says(out, None, scene);
                }
                Play::Pong(payload) => {
                    encode::pong(&mut out, Control::new(&payload).expect("short"), None);
                    line.says(out, Some(Mark::Pong), scene);
                }
                Play::Close(code) => {
                    line.end.close_sent = true;
                    let mut frame = vec![0x88, if code.is_some() { 2 } else { 0 }];
                    frame.extend(code.into_iter().flat_map(u16::to_be_bytes));
                    line.says(frame, Some(Mark::Closed), scene);
                }
                Play::Babble => {
                    line.end.close_sent = true;
                    line.says(babble.to_vec(), Some(Mark::Fault), scene);
                }
            }
        });
    }

    /// Whether the shard has something to look at.
    pub(super) fn has_news(&self, shard: usize) -> bool {
        !self.sides[shard].inbox.is_empty()
    }

    /// The next completion, with all that the shard learns by it.
    fn tell(&mut self, shard: usize) -> Option<(Handle, Happened)> {
        let now = self.agenda.now;
        let side = &mut self.sides[shard];
        let (id, happened) = side.inbox.pop_front()?;
        side.told += 1;
        let Handle { slot: number, generation } = id.handle;
        self.log.note(now, format_args!("{shard}/{number}.{generation} <- {happened:?}"));
        let slot = &mut side.slots[number as usize];
        if slot.generation != generation {
            return Some((id.handle, happened));
        }
        let Some(line) = &mut slot.line else { return Some((id.handle, happened)) };
        if let (Happened::Connected(result), false) = (&happened, line.closing) {
            match result {
                Ok(()) => self.told.seen.connects += 1,
                Err(_) => self.told.seen.connect_failures += 1,
            }
        }
        for mark in line.tell(&happened) {
            self.log.note(now, format_args!("{shard}/{number} knows {mark:?}"));
            match mark {
                Mark::Reply(answer) => {
                    slot.connects.clear();
                    if let Some(user) = line.call.take() {
                        self.told.call_ended(&user);
                    }
                    self.told.replied(&answer, &self.manners, now);
                    let is_refusal = matches!(answer.what, What::Refused(_));
                    assert!(!is_refusal || answer.status == 401, "the world itself");
                }
                Mark::Opened => self.told.seen.opened += 1,
                Mark::Refused(token) => self.told.refuses(&token),
                Mark::Message => self.told.seen.messages += 1,
                Mark::Pong => self.told.seen.pongs += 1,
                Mark::Closed | Mark::Fault => {}
            }
        }
        if line.is_over() {
            slot.line = None;
            slot.generation = (slot.generation + 1) % (1 << 24);
        }
        Some((id.handle, happened))
    }

    fn connect(&mut self, id: Id, to: SocketAddr) {
        self.submitted(id, "connect", to.to_string().as_bytes());
        let now = self.agenda.now;
        self.stale(id);
        let refuses = self.dice.chance(self.manners.refuses);
        let never = refuses && self.dice.chance(100);
        let Self { agenda, dice, scenario, sides, .. } = self;
        let slot = &mut sides[id.shard].slots[id.handle.slot as usize];
        assert_eq!(id.handle.generation, slot.generation, "{id:?}: not the next life of the slot");
        assert!(slot.line.is_none(), "{id:?}: connects while something is outstanding");
        slot.connects.retain(|at| now.since(*at) < SECOND);
        slot.connects.push_back(now);
        let often = slot.connects.len();
        assert!(often <= CONNECTS_A_SECOND, "{id:?} at {now}: {often} connects to no good");
        let line = slot.line.insert(Line::new(id));
        let scene = &mut Scene { agenda, dice, scenario };
        if scene.dice.chance(scenario.kernel.short_of) {
            let errno = scene.dice.pick(&[libc::EMFILE, libc::EADDRNOTAVAIL, libc::ENOMEM]);
            line.socket.connects(Err(Errno(errno)), scene);
        } else if never {
        } else if refuses {
            let errno = scene.dice.pick(&[libc::ECONNREFUSED, libc::ECONNRESET]);
            line.socket.connects(Err(Errno(errno)), scene);
        } else {
            let there_and_back = scene.way() + scene.way();
            scene.agenda.after(there_and_back, Due::Connects(id));
        }
    }

    /// Completions of the slot's earlier life come in this one's time.
    fn stale(&mut self, id: Id) {
        let Handle { slot, generation } = id.handle;
        if generation == 0 || !self.dice.chance(self.scenario.kernel.stale) {
            return;
        }
        let handle = Handle { slot, generation: generation - 1 };
        let happened = Happened::stale(&mut self.dice);
        let delay = self.dice.up_to(Nanos::from_millis(20));
        self.agenda.after(delay, Due::Posts(Id { handle, ..id }, happened));
    }

    /// The line that a submission means.
    fn meant(&mut self, id: Id) -> &mut Line {
        let now = self.agenda.now;
        let line = self.line(id).unwrap_or_else(|| panic!("{id:?} at {now}: no such socket"));
        assert!(!line.closing, "{id:?} at {now}: asked for after its close");
        line
    }

    fn send(&mut self, id: Id, payload: Payload) {
        self.submitted(id, "send", payload.bytes());
        self.meant(id);
        let now = self.agenda.now;
        let mut heard = None;
        self.with(id, |line, scene| heard = line.send(payload, scene));
        let Some(heard) = heard else { return };
        self.log.note(now, format_args!("   {} {} {:?}", heard.method, heard.path, heard.token));
        let slots = self.asked.entry((id.shard, id.handle.slot)).or_default();
        slots.push(format!("{} {}?{}", heard.method, heard.path, heard.query));
        let Self { told, service, .. } = self;
        let call = told.asks(id, &heard, now, service);
        self.meant(id).call = call;
    }

    fn close(&mut self, id: Id) {
        self.submitted(id, "close", &[]);
        let now = self.agenda.now;
        let aborted = self.aborted;
        let line = self.meant(id);
        if line.open && !aborted {
            // A kernel that takes nothing of what is being sent lets nobody say farewell.
            let parted = line.close_said || line.excused.is_some() || line.is_stuck();
            assert!(parted, "{id:?} at {now}: closes an open WebSocket without a word");
        }
        line.closing = true;
        let good = line.parts;
        let call = line.call.take();
        if let Some(user) = call {
            self.told.seen.broken_calls += 1;
            self.told.call_ended(&user);
        }
        if good {
            self.sides[id.shard].slots[id.handle.slot as usize].connects.clear();
        }
        self.with(id, |line, scene| line.socket.close(scene));
    }

    fn submitted(&mut self, id: Id, what: &str, bytes: &[u8]) {
        self.sides[id.shard].submitted += 1;
        self.log.write(self.agenda.now, id, what, bytes);
    }

    /// A turn has ended: nothing that had to be done may be left.
    pub(super) fn turned(&self, shard: usize) {
        let now = self.agenda.now;
        for line in self.lines(shard) {
            if let Some(neglected) = line.neglected() {
                panic!("{:?} at {now}: {neglected}", line.id);
            }
        }
    }

    pub(super) fn lines(&self, shard: usize) -> impl Iterator<Item = &Line> {
        self.sides[shard].slots.iter().filter_map(|slot| slot.line.as_ref())
    }

    /// Connections that stand.
    pub(super) fn standing(&self, shard: usize) -> u64 {
        self.lines(shard).filter(|line| line.connected && !line.closing).count() as u64
    }
}

/// Both ends of the completion queue of one shard.
pub(super) struct Inbox<'a> {
    pub(super) world: &'a RefCell<World>,
    pub(super) shard: usize,
    pub(super) lent: Vec<u8>,
}

/// See [`Inbox`].
pub(super) struct Outbox<'a> {
    pub(super) world: &'a RefCell<World>,
    pub(super) shard: usize,
}

impl Completions for Inbox<'_> {
    fn next(&mut self) -> Option<Completion<'_>> {
        let (handle, happened) = self.world.borrow_mut().tell(self.shard)?;
        Some(Completion { handle, event: happened.into_event(&mut self.lent) })
    }
}

impl Outbox<'_> {
    const fn id(&self, handle: Handle) -> Id {
        Id { shard: self.shard, handle }
    }

    fn receive_as(&self, handle: Handle, armed: Armed) {
        let (id, mut world) = (self.id(handle), self.world.borrow_mut());
        world.submitted(id, &format!("{armed:?}"), &[]);
        world.meant(id);
        world.with(id, |line, scene| line.receive(armed, scene));
    }
}

impl Submissions for Outbox<'_> {
    fn accept(&mut self, _: u32) {
        panic!("a client never listens");
    }

    fn connect(&mut self, handle: Handle, to: SocketAddr, _: Option<IpAddr>) {
        self.world.borrow_mut().connect(self.id(handle), to);
    }

    fn receive(&mut self, handle: Handle) {
        self.receive_as(handle, Armed::Stream);
    }

    fn receive_once(&mut self, handle: Handle) {
        self.receive_as(handle, Armed::Once);
    }

    fn stop_receiving(&mut self, handle: Handle) {
        let (id, mut world) = (self.id(handle), self.world.borrow_mut());
        world.submitted(id, "stop", &[]);
        world.meant(id);
        world.with(id, |line, scene| line.stop_receiving(scene));
    }

    fn discard(&mut self, handle: Handle, len: u32) {
        self.receive_as(handle, Armed::Discard(len));
    }

    fn send(&mut self, handle: Handle, payload: Payload) {
        self.world.borrow_mut().send(self.id(handle), payload);
    }

    fn close(&mut self, handle: Handle) {
        self.world.borrow_mut().close(self.id(handle));
    }
}
