//! A run like TaskForge's: a mix of requests, a fleet of WebSockets, a journey, users with tokens.

use onslaught::metrics::recorder::End;
use onslaught::metrics::{CheckCount, Counter, Delta, Leaf, Tails};
use onslaught::plan::socket::Sent;
use onslaught::plan::{
    Answer, Auth, Call, Expect, Fleet, Group, Instruction, Kind, LeafName, Load, Measure, Message,
    Opening, Pacing, People, Phase, Plan, Pool, Program, Request, Socket, Spacing, Strategy,
    Target, Text, Threshold, Timed, Until, Workload,
};
use onslaught::protocol::{Failure, Timing};
use onslaught::scenario::{Source, Statuses, read};
use onslaught::stdx::Nanos;

use crate::fixture::{self, Fixture};

/// Leaves of the plan, in its order.
pub(crate) const OPEN: u16 = 2;
pub(crate) const SUBSCRIBE: u16 = 3;
pub(crate) const PING: u16 = 4;
pub(crate) const ME: u16 = 5;

/// Users that stand out.
pub(crate) const SLOW: u32 = 6;
pub(crate) const FAILING: u32 = 13;

/// What must hold of it, as a scenario says it.
pub(crate) const THRESHOLDS: [&str; 6] = [
    "http_req_duration{workload:api} p(95) < 500ms",
    "http_req_failed{name:create-task} rate < 0.1%",
    "ws_connecting p(99) < 1s",
    "auth_failures count < 1 allow_empty",
    "checks rate > 99%",
    "task_completion avg < 2 * ws_msg_latency avg",
];

/// Thresholds as a scenario reads them.
pub(crate) fn thresholds(texts: &[&str]) -> Vec<Threshold> {
    let list: String = texts.iter().map(|text| format!("  - \"{text}\"\n")).collect();
    let text = format!(
        "name: a\ntarget: http://127.0.0.1\nworkloads:\n  w:\n    load: {{connections: 1, for: \
         1s}}\n    steps:\n      - get: /\nthresholds:\n{list}"
    );
    let scenario = read(&Source { name: "a.yaml", text: &text }, &|_| None, None);
    let scenario = scenario.expect("legal thresholds");
    scenario.thresholds.into_iter().map(|threshold| threshold.value).collect()
}

/// 50 connections of a mix, 20 WebSockets, a journey of 5 users, for 10 s after 1 s.
pub(crate) fn forge() -> Fixture {
    let mut fixture = Fixture::mixed();
    let plan = &mut fixture.plan;
    plan.name = "taskforge".into();
    plan.targets.push(Target {
        name: "status".into(),
        url: "ws://10.0.0.8:8081".into(),
        host: "10.0.0.8".into(),
        port: 8081,
        addresses: Vec::new(),
    });
    let api = plan.only_mut();
    (api.name, api.load, api.sessions) = ("api".into(), Load::Closed, 50);
    api.users = 0..20;
    sockets(plan);
    journey(plan);
    people(plan);
    plan.checks = ["status of create-task", "id of create-task", "never"].map(String::from).into();
    plan.thresholds = thresholds(&THRESHOLDS);
    plan.tags = vec![("system".into(), "taskforge".into())];
    record(&fixture.plan, &mut fixture.outcome.total);
    fixture.outcome.tails = tails(&fixture.plan, &fixture.outcome.total);
    fixture
}

fn leaf(name: &str, kind: Kind, workload: u16, group: Option<u16>) -> LeafName {
    LeafName { name: name.into(), kind, workload, group }
}

fn sockets(plan: &mut Plan) {
    plan.leaves.extend([
        leaf("open status", Kind::WsOpen, 1, None),
        leaf("subscribe", Kind::WsMessage, 1, None),
        leaf("ping", Kind::WsMessage, 1, None),
    ]);
    plan.sockets.push(Socket {
        name: "open status".into(),
        leaf: OPEN,
        target: 1,
        channel: 0,
        head: Text::fixed("GET /ws HTTP/1.1\r\n"),
        timeout: Nanos::from_secs(10),
    });
    let message = |name: &str, leaf, content| Message {
        name: name.into(),
        leaf,
        content: Some(content),
        answer: Answer::Next,
        expect: Expect::default(),
        saves: Vec::new(),
        timeout: Nanos::from_secs(5),
        subscribes: leaf == SUBSCRIBE,
    };
    plan.messages = vec![
        message("subscribe", SUBSCRIBE, Sent::Text(Text::fixed("{}"))),
        message("ping", PING, Sent::Ping),
    ];
    let fleet = Fleet { socket: 0, message: Some(0), every: Nanos::from_secs(2), sample: None };
    let opening = Opening::Paced { count: 10, every: Nanos::from_millis(100) };
    plan.workloads.push(workload("status", 20, opening, Some(fleet), Program::default()));
    plan.pools = vec![Pool { name: "tasks".into(), keep: 100 }];
    plan.measures = vec![Measure {
        name: "task_completion".into(),
        pool: 0,
        from: vec![1],
        workload: 1,
        by: Vec::new(),
        until: Vec::new(),
    }];
}

fn journey(plan: &mut Plan) {
    plan.leaves.push(leaf("GET /me", Kind::Http, 2, Some(0)));
    plan.groups = vec!["profile".into()];
    plan.requests[1].creates = true;
    let request = Request { name: "GET /me".into(), leaf: ME, ..plan.requests[0].clone() };
    plan.requests.push(request);
    let instructions =
        vec![Instruction::Enter(0), Instruction::Http(2), Instruction::Leave(0), Instruction::End];
    let mut journey = workload("visit", 5, Opening::Ahead, None, Program { instructions });
    journey.start = Nanos::from_secs(3);
    plan.workloads.push(journey);
}

fn workload(
    name: &str,
    sessions: u32,
    opening: Opening,
    fleet: Option<Fleet>,
    program: Program,
) -> Workload {
    Workload {
        name: name.into(),
        load: Load::Closed,
        sessions,
        levels: None,
        spacing: Spacing::default(),
        pacing: Pacing::default(),
        stages: Vec::new(),
        steer: None,
        until: Until::Elapsed(Nanos::from_secs(8)),
        start: Nanos::ZERO,
        opening,
        channels: vec![1],
        program,
        fleet,
        strategy: Strategy::RoundRobin,
        users: 0..20,
    }
}

fn people(plan: &mut Plan) {
    let login = Call {
        request: plan.requests[0].clone(),
        accept: vec![Statuses { from: 200, to: 299 }],
        token: None,
        refresh_token: None,
        expires: None,
    };
    plan.people = Some(People {
        groups: vec![Group {
            name: String::new(),
            role: String::new(),
            count: 20,
            first: 1,
            weight: 1,
            email: ("loadtest".into(), "@example.com".into()),
            password: Text::fixed("secret"),
            sources: Vec::new(),
        }],
        auth: Some(Auth {
            register: Some(login.clone()),
            refresh: Some(login.clone()),
            logout: Some(login.clone()),
            login,
            expires_in: Nanos::from_secs(840),
            parallel: 10,
            ahead: 10,
            register_ahead: 10,
        }),
    });
}

/// `count` answers of 1 ms and a step of 1 us each.
fn answered(leaf: &mut Leaf, count: u64, status: u16) {
    for turn in 0..count {
        let at = |us: u64| Nanos::from_micros(1_000_000 + us);
        let done = at(1_000 + turn);
        leaf.reply(
            &Timing {
                intended: at(0),
                free: at(0),
                connect: Nanos::ZERO,
                sent: at(2),
                first_byte: done,
                done,
            },
            status,
        );
    }
    leaf.tally.scheduled += count;
    leaf.tally.sent += count;
    leaf.tally.ok += count;
    (leaf.bytes_sent, leaf.bytes_received) = (count * 40, count * 60);
}

/// All operations of the load, by 20 users in turn: 1 ms to 2 ms each, 50 times that for one of
/// them, and all failures are another's.
fn tails(plan: &Plan, total: &Delta) -> Vec<Tails> {
    let (mut ended, mut failed) = (0, 0);
    for leaf in plan.leaves(Phase::Load).filter_map(|(_, leaf)| total.get(leaf)) {
        ended += leaf.tally.ok + leaf.tally.failures();
        failed += leaf.tally.failures();
    }
    let mut tails: Vec<_> = (0..plan.shards).map(|_| Tails::new(10, plan.shards, 100)).collect();
    for turn in 0..ended {
        let user = u32::try_from(turn % 20).expect("below 20");
        let took = Nanos::from_micros(1_000 + turn / 20 * 3);
        let tails = &mut tails[(user % plan.shards) as usize];
        let (end, status, took) = match user {
            SLOW => (End::Ok, 200, Nanos(took.0 * 50)),
            FAILING if failed > 0 => {
                failed -= 1;
                (End::Failed(Failure::Status), 403, took)
            }
            _ => (End::Ok, 200, took),
        };
        tails.ended(user, end, Some((status, took)));
    }
    assert_eq!(failed, 0, "as many as one user has operations");
    tails
}

/// On top of what the mix recorded.
fn record(plan: &Plan, total: &mut Delta) {
    // Leaves of the load moved when the plan got more of them.
    let mut fresh = Delta::default();
    fixture::fill(fresh.leaf(plan.leaf(Phase::Warmup, 0)), 500, 1);
    fixture::fill(fresh.leaf(plan.leaf(Phase::Load, 0)), 3_996, 2);
    fixture::fill(fresh.leaf(plan.leaf(Phase::Load, 1)), 996, 3);
    fixture::fill(fresh.leaf(plan.leaf(Phase::Load, ME)), 200, 4);
    let tasks = fresh.leaf(plan.leaf(Phase::Load, 1));
    (0..3).for_each(|_| tasks.retry(401));
    tasks.tally.scheduled += 2;
    tasks.tally.sent += 2;
    tasks.tally.failed[Failure::TimeoutFirstByte as usize] += 2;
    answered(fresh.leaf(plan.leaf(Phase::Load, OPEN)), 20, 101);
    answered(fresh.leaf(plan.leaf(Phase::Load, SUBSCRIBE)), 2_000, 0);
    answered(fresh.leaf(plan.leaf(Phase::Load, PING)), 40, 0);
    let counts = [
        (Counter::UsersCreated, 18),
        (Counter::Logins, 20),
        (Counter::TokenRefreshes, 4),
        (Counter::RetriesUnauthorized, 3),
        (Counter::TasksCreated, 990),
        (Counter::Subscriptions, 2_000),
        (Counter::WsSessions, 20),
        (Counter::WsErrors, 1),
        (Counter::WsMsgsSent, 2_000),
        (Counter::WsMsgsReceived, 2_500),
        (Counter::WsMsgsSkipped, 7),
        (Counter::WsMsgsUnasked, 500),
        (Counter::Iterations, 5_194),
    ];
    for (counter, count) in counts {
        fresh.counters[counter as usize] = count;
    }
    let timed = plan.timed();
    let spans = [
        (Timed::AUTH, 24, 30),
        (Timed::ITERATION, 5_194, 1),
        (Timed::WS_SESSION, 20, 8_000),
        (timed.group(0), 200, 2),
        (timed.measure(0), 900, 50),
    ];
    for (index, count, ms) in spans {
        (0..count).for_each(|turn| {
            fresh.timed(index).record(Nanos(Nanos::from_millis(ms).0 + turn * 1_000));
        });
    }
    *fresh.check(0) = CheckCount { passes: 990, fails: 6 };
    *fresh.check(1) = CheckCount { passes: 996, fails: 0 };
    fresh.errors = total.errors.clone();
    fresh.counts = total.counts;
    *total = fresh;
}
