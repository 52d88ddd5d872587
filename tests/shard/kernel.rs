//! A kernel and a server in virtual time: everything is done at once, unless the test says when.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use onslaught::engine::shard::Next;
use onslaught::engine::{Level, Shard, To};
use onslaught::metrics::{Delta, Trend};
use onslaught::net::{Completion, Completions, Errno, Event, Handle, More, Payload, Submissions};
use onslaught::plan::Plan;
use onslaught::protocol::ws::Asked;
use onslaught::stdx::Nanos;

/// What the server says to a request, and after what time; nothing is never.
pub(crate) type Serve = Box<dyn FnMut(Nanos, &str) -> Option<(Nanos, String)>>;

enum Done {
    Connected,
    Sent(u32, Option<Vec<u8>>),
    Bytes(Vec<u8>),
    NoMoreBytes,
    Closed,
}

/// The kernel, and whom it connects to.
struct Kernel {
    now: Nanos,
    /// What happens when, in this order at equal times.
    agenda: BTreeMap<(Nanos, u64), (Handle, Done)>,
    number: u64,
    connect: Nanos,
    serve: Serve,
    /// Slots that are WebSockets.
    upgraded: BTreeSet<u32>,
    /// After what time messages on them come back, if they do.
    echo: Option<Nanos>,
}

struct Batch(VecDeque<(Handle, Done)>, Vec<u8>);

impl Completions for Batch {
    fn next(&mut self) -> Option<Completion<'_>> {
        let (handle, done) = self.0.pop_front()?;
        let event = match done {
            Done::Connected => Event::Connected(Ok(())),
            Done::Sent(count, buffer) => Event::Sent(Ok(count), buffer),
            Done::Bytes(bytes) => {
                self.1 = bytes;
                Event::Received(&self.1, More::Armed)
            }
            Done::NoMoreBytes => Event::ReceiveFailed(Errno(libc::ECANCELED), More::Ended),
            Done::Closed => Event::Closed,
        };
        Some(Completion { handle, event })
    }
}

impl Kernel {
    fn after(&mut self, delay: Nanos, handle: Handle, done: Done) {
        self.number += 1;
        self.agenda.insert((self.now + delay, self.number), (handle, done));
    }

    /// What the server makes of bytes on a WebSocket: it answers a close frame, and leaves.
    /// Messages it sends back, if it is to.
    fn hears(&mut self, handle: Handle, bytes: &[u8]) {
        const MASK: usize = 4;
        let mut rest = bytes;
        while let [first, second, behind @ ..] = rest {
            let length = usize::from(second & 0x7f);
            assert!(length < 126, "tests send short messages");
            if first & 0x0f == 8 {
                self.after(Nanos::ZERO, handle, Done::Bytes(vec![0x88, 0]));
                self.after(Nanos::ZERO, handle, Done::Bytes(Vec::new()));
            }
            if let (1, Some(delay)) = (first & 0x0f, self.echo) {
                let (mask, text) = behind[..MASK + length].split_at(MASK);
                let text = text.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
                let frame = [0x81, second & 0x7f].into_iter().chain(text);
                self.after(delay, handle, Done::Bytes(frame.collect()));
            }
            rest = &behind[MASK + length..];
        }
    }
}

impl Submissions for Kernel {
    fn accept(&mut self, _: u32) {}

    fn connect(&mut self, handle: Handle, _: SocketAddr, _: Option<IpAddr>) {
        self.upgraded.remove(&handle.slot);
        self.after(self.connect, handle, Done::Connected);
    }

    fn receive(&mut self, _: Handle) {}

    fn receive_once(&mut self, _: Handle) {}

    fn stop_receiving(&mut self, _: Handle) {}

    fn discard(&mut self, _: Handle, _: u32) {}

    fn send(&mut self, handle: Handle, payload: Payload) {
        let bytes = payload.bytes().to_vec();
        let count = u32::try_from(bytes.len()).unwrap();
        let buffer = match payload {
            Payload::Owned(buffer) => Some(buffer),
            Payload::Shared(_) => None,
        };
        self.after(Nanos::ZERO, handle, Done::Sent(count, buffer));
        if self.upgraded.contains(&handle.slot) {
            return self.hears(handle, &bytes);
        }
        if let Ok(Some((asked, _))) = Asked::read(&bytes) {
            let mut reply = Vec::new();
            asked.accept(None, &mut reply);
            self.upgraded.insert(handle.slot);
            return self.after(Nanos::ZERO, handle, Done::Bytes(reply));
        }
        let request = String::from_utf8(bytes).unwrap();
        if let Some((delay, reply)) = (self.serve)(self.now, &request) {
            self.after(delay, handle, Done::Bytes(reply.into_bytes()));
        }
    }

    fn close(&mut self, handle: Handle) {
        self.agenda.retain(|_, (other, _)| *other != handle);
        self.after(Nanos::ZERO, handle, Done::NoMoreBytes);
        self.after(Nanos::ZERO, handle, Done::Closed);
    }
}

/// One shard under load, from 0 s on.
pub(crate) struct World {
    shard: Shard,
    kernel: Kernel,
    pub(crate) now: Nanos,
    next: Next,
    /// What was recorded and handed over so far.
    handed: Delta,
    plan: Arc<Plan>,
}

impl World {
    /// Sets everything up, and begins the load.
    pub(crate) fn begin(plan: Plan, connect: Nanos, serve: Serve) -> Self {
        let kernel = Kernel {
            now: Nanos::ZERO,
            agenda: BTreeMap::new(),
            number: 0,
            connect,
            serve,
            upgraded: BTreeSet::new(),
            echo: None,
        };
        let plan = Arc::new(plan);
        let shard = Shard::new(plan.clone(), 0, Nanos::ZERO);
        let next = Next { wake_at: None, ready: false, finished: false, precise: false };
        let handed = Delta::default();
        let mut world = Self { shard, kernel, now: Nanos::ZERO, next, handed, plan };
        world.turn(Nanos::ZERO);
        while !world.next.ready {
            assert!(world.step(Nanos::MAX), "the set-up hangs");
        }
        world.shard.begin(world.now);
        world.turn(world.now);
        world
    }

    fn turn(&mut self, now: Nanos) {
        (self.now, self.kernel.now) = (now, now);
        let later = self.kernel.agenda.split_off(&(now + Nanos(1), 0));
        let due = std::mem::replace(&mut self.kernel.agenda, later);
        let mut batch = Batch(due.into_values().collect(), Vec::new());
        self.next = self.shard.turn(now, &mut batch, &mut self.kernel);
    }

    /// One turn, a microsecond after the last one at the earliest: false if none is due by then.
    fn step(&mut self, until: Nanos) -> bool {
        let event = self.kernel.agenda.keys().next().map(|(at, _)| *at);
        let at = event.into_iter().chain(self.next.wake_at).min();
        let at = at.map(|at| at.max(self.now + Nanos::from_micros(1)));
        match at.filter(|at| *at <= until && !self.next.finished) {
            Some(at) => {
                self.turn(at);
                true
            }
            None => false,
        }
    }

    /// Goes on until then, or until it is finished; gives the number of turns.
    pub(crate) fn run(&mut self, until: Nanos) -> u64 {
        let mut turns = 0;
        while self.step(until) {
            turns += 1;
        }
        turns
    }

    /// From now on messages on WebSockets come back after so long.
    pub(crate) const fn echo(&mut self, delay: Nanos) {
        self.kernel.echo = Some(delay);
    }

    /// Goes on until then; from then on the level of all workloads is another.
    pub(crate) fn order(&mut self, at: Nanos, to: To) {
        self.run(at);
        self.turn(at);
        let level = Level { workload: None, at, to };
        self.shard.change_level(&level, self.now, &mut self.kernel);
        self.turn(self.now);
    }

    /// Connections that stand.
    pub(crate) fn connections(&mut self) -> u64 {
        self.shard.recorder().1.connections
    }

    pub(crate) fn stop(&mut self) {
        self.shard.stop(self.now, &mut self.kernel);
        self.turn(self.now);
    }

    /// The warm-up ends at a moment that was found.
    pub(crate) fn end_warmup(&mut self, at: Nanos) {
        let plan = Plan { warmup: at, ..Plan::clone(&self.plan) };
        self.shard.end_warmup(Arc::new(plan), self.now);
        self.turn(self.now);
    }

    /// What was recorded since the last time.
    pub(crate) fn hand_over(&mut self) -> Box<Delta> {
        let (recorder, gauges) = self.shard.recorder();
        let delta = recorder.hand_over(Box::default(), self.now, gauges);
        self.handed.add(&delta);
        delta
    }

    /// What was recorded by a shard that has finished.
    #[track_caller]
    pub(crate) fn finished(&mut self) -> Box<Delta> {
        assert!(self.next.finished, "not finished at {}", self.now);
        let (recorder, gauges) = self.shard.recorder();
        assert_eq!(gauges.in_flight, 0);
        let delta = recorder.hand_over(Box::default(), self.now, gauges);
        self.handed.add(&delta);
        for (_, leaf) in self.handed.leaves() {
            assert_eq!(leaf.tally.reconcile(), Ok(()));
        }
        delta
    }
}

/// The longest of a trend, over all leaves.
pub(crate) fn longest(delta: &Delta, trend: Trend) -> Nanos {
    delta.leaves().map(|(_, leaf)| leaf.trend(trend).at(1.0)).max().unwrap_or(Nanos::ZERO)
}
