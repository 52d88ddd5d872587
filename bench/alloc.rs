//! Budget: a shard allocates nothing per request, and a connection takes so many bytes.
//!
//! A counting allocator under the real shard, the recorder and the HTTP client; a kernel of three
//! lines answers every request at once. Runs as a test, because a budget is one.
#![expect(clippy::unwrap_used, reason = "a test binary")]

mod counting;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::sync::Arc;

use counting::{blocks, bytes};
use http::Method;
use onslaught::engine::Shard;
use onslaught::net::{Completion, Completions, Event, Handle, More, Payload, Submissions};
use onslaught::plan::{Group, NamedRequest, People, Plan, Strategy, Target, Text, Until};
use onslaught::protocol::http::Request;
use onslaught::stdx::Nanos;

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

enum Done {
    Connected,
    Sent(u32),
    Reply,
}

/// A kernel that does everything at once, and a target that answers everything alike.
#[derive(Default)]
struct Instant {
    done: VecDeque<(Handle, Done)>,
}

/// One turn's completions; what the turn asks for is done before the next.
struct Batch(VecDeque<(Handle, Done)>);

impl Completions for Batch {
    fn next(&mut self) -> Option<Completion<'_>> {
        let (handle, done) = self.0.pop_front()?;
        let event = match done {
            Done::Connected => Event::Connected(Ok(())),
            Done::Sent(length) => Event::Sent(Ok(length), None),
            Done::Reply => Event::Received(REPLY, More::Armed),
        };
        Some(Completion { handle, event })
    }
}

impl Submissions for Instant {
    fn accept(&mut self, _: u32) {}

    fn connect(&mut self, handle: Handle, _: SocketAddr, _: Option<IpAddr>) {
        self.done.push_back((handle, Done::Connected));
    }

    fn receive(&mut self, _: Handle) {}

    fn receive_once(&mut self, _: Handle) {}

    fn stop_receiving(&mut self, _: Handle) {}

    fn discard(&mut self, _: Handle, _: u32) {}

    fn send(&mut self, handle: Handle, payload: Payload) {
        let length = u32::try_from(payload.bytes().len()).unwrap();
        self.done.push_back((handle, Done::Sent(length)));
        self.done.push_back((handle, Done::Reply));
    }

    fn close(&mut self, _: Handle) {}
}

fn plan(connections: u32) -> Plan {
    let request = Request::builder(Method::GET, "/", "127.0.0.1").build().unwrap();
    let target = Target {
        name: "default".to_owned(),
        url: "http://127.0.0.1/".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 80,
        addresses: vec!["127.0.0.1:80".parse().unwrap()],
    };
    let named = NamedRequest { name: "/".to_owned(), request };
    let mut plan = Plan::of_requests("alloc", target, vec![(1, named)]);
    plan.only_mut().sessions = connections;
    plan.only_mut().until = Until::Operations(NonZeroU64::MAX, Nanos::MAX);
    plan
}

/// The same for 5,000 users in two groups, drawn anew for each request.
fn with_users(strategy: Strategy) -> Plan {
    let mut plan = plan(64);
    let group = |weight| Group {
        name: String::new(),
        role: String::new(),
        count: 2_500,
        first: 1,
        weight,
        email: (String::new(), String::new()),
        password: Text::default(),
        sources: Vec::new(),
    };
    plan.people = Some(People { groups: vec![group(3), group(1)], auth: None });
    (plan.only_mut().users, plan.only_mut().strategy) = (0..5_000, strategy);
    plan
}

/// Runs so many turns, 50 us apart.
fn turns(shard: &mut Shard, kernel: &mut Instant, now: &mut Nanos, count: u32) {
    let mut spare = VecDeque::with_capacity(1_024);
    for _ in 0..count {
        *now += Nanos::from_micros(50);
        std::mem::swap(&mut kernel.done, &mut spare);
        let mut batch = Batch(spare);
        shard.turn(*now, &mut batch, kernel);
        spare = batch.0;
    }
}

/// A shard that has begun allocates nothing; users whom it has not seen before come all the time.
fn allocates_nothing(plan: Plan) -> Shard {
    let (mut now, mut kernel) = (Nanos::ZERO, Instant::default());
    kernel.done.reserve(1_024);
    let mut shard = Shard::new(Arc::new(plan), 0, now);
    turns(&mut shard, &mut kernel, &mut now, 10);
    shard.begin(now);
    turns(&mut shard, &mut kernel, &mut now, 100);
    let replies = replies(&mut shard);
    let before = blocks();
    turns(&mut shard, &mut kernel, &mut now, 2_000);
    // The spare queue of `turns` itself is one block.
    let allocated = blocks() - before - 1;
    let answered = self::replies(&mut shard) - replies;
    assert!(answered > 100_000, "only {answered} replies");
    assert_eq!(allocated, 0, "{allocated} allocations for {answered} requests");
    shard
}

#[test]
fn budgets() {
    drop(allocates_nothing(plan(64)));
    for strategy in [Strategy::Random, Strategy::Weighted] {
        let tails = allocates_nothing(with_users(strategy)).take_tails();
        assert_eq!(tails.kept().count(), 5_000, "each user was drawn: {strategy:?}");
        let operations: u64 = tails.kept().map(|(_, tail)| tail.operations()).sum();
        assert!(operations > 100_000, "{operations}: {strategy:?}");
    }

    let before = bytes();
    let many = Shard::new(Arc::new(plan(10_000)), 0, Nanos::ZERO);
    // What others allocated and this thread freed may have brought the count below nothing.
    let each = bytes().wrapping_sub(before) / 10_000;
    assert!(each <= 340, "{each} bytes of state for an idle session and its connection");
    drop(many);
}

fn replies(shard: &mut Shard) -> u64 {
    let (recorder, gauges) = shard.recorder();
    let delta = recorder.hand_over(Box::default(), Nanos::ZERO, gauges);
    let count = delta.leaves().map(|(_, leaf)| leaf.replies).sum();
    // Its memory goes back, as the collector does it, so that going on costs nothing.
    let mut delta = delta;
    delta.clear();
    drop(recorder.hand_over(delta, Nanos::ZERO, gauges));
    count
}
