//! A run with a bit of everything, the same on any host.

use std::num::NonZeroU64;
use std::time::{Duration, SystemTime};

use onslaught::engine::outcome::{
    Ended, Generator, Outcome, PhaseSpan, Quantiles, Row, TimelineEvent,
};
use onslaught::metrics::{Delta, Leaf};
use onslaught::plan::{Content, Load, NamedRequest, Phase, Plan, Target, Until};
use onslaught::protocol::http::Request;
use onslaught::protocol::{Failure, Timing};
use onslaught::report::{Context, Host, Report, build};
use onslaught::stdx::Nanos;
use onslaught::stdx::rng::Rng;
use onslaught::stdx::units::Rate;
use onslaught::verdict::trust::{Trust, Verdict};

/// A plan and its outcome.
pub(crate) struct Fixture {
    pub(crate) plan: Plan,
    pub(crate) outcome: Outcome,
}

impl Fixture {
    /// Two requests at 500/s for 10 s after 1 s of warm-up; some fail, one by our fault.
    pub(crate) fn mixed() -> Self {
        let plan = plan();
        let mut total = Delta::default();
        fill(total.leaf(plan.leaf(Phase::Warmup, 0)), 500, 1);
        fill(total.leaf(plan.leaf(Phase::Load, 0)), 3_996, 2);
        fill(total.leaf(plan.leaf(Phase::Load, 1)), 996, 3);
        let tasks = total.leaf(plan.leaf(Phase::Load, 1));
        fail(tasks, Failure::TimeoutFirstByte, 3);
        fail(tasks, Failure::LocalPorts, 1);
        tasks.tally.scheduled += 4;
        tasks.tally.dropped += 4;
        let timeout = "no byte of the reply from 10.0.0.7:8080 within 500ms";
        total.errors[Failure::TimeoutFirstByte as usize].first = vec![timeout.into(); 3];
        total.errors[Failure::LocalPorts as usize].first =
            vec!["connect to 10.0.0.7:8080: Cannot assign requested address (os error 99)".into()];
        total.counts.no_buffers = 12;
        Self { outcome: outcome(total), plan }
    }

    /// A closed loop of one request, all of it well: what `onslaught http URL` shows.
    pub(crate) fn plain() -> Self {
        let mut fixture = Self::mixed();
        let plan = &mut fixture.plan;
        plan.name = "http".into();
        plan.requests.truncate(1);
        plan.leaves.truncate(1);
        plan.only_mut().load = Load::Closed;
        plan.warmup = Nanos::ZERO;
        plan.targets[0].url = "http://127.0.0.1:8080/health".into();
        let mut total = Delta::default();
        fill(total.leaf(plan.leaf(Phase::Load, 0)), 100_000, 2);
        fixture.outcome = outcome(total);
        fixture.outcome.phases.remove(0);
        fixture.outcome.trust = Trust { verdict: Verdict::Valid, reasons: Vec::new() };
        fixture.outcome.events.clear();
        fixture
    }

    pub(crate) fn report(&self) -> Report<'_> {
        let tags = [("build".to_owned(), "1234".to_owned())];
        let mut report = build(
            &self.outcome,
            &self.plan,
            Context { tags: tags.into(), host: host(), ..Context::default() },
        );
        // What a request's bytes are is no part of the report's form.
        report.document.run.plan_hash = "0123456789abcdef".into();
        report
    }
}

pub(crate) fn plan() -> Plan {
    let named = |name: &str| NamedRequest { name: name.into(), request: request() };
    let target = Target {
        name: "default".into(),
        url: "http://tester:secret@10.0.0.7:8080/".into(),
        host: "10.0.0.7".into(),
        port: 8080,
        addresses: vec!["10.0.0.7:8080".parse().expect("an address")],
    };
    let mix = vec![(80, named("GET /health")), (20, named("create-task"))];
    let mut plan = Plan::of_requests("tasks", target, mix);
    plan.set_timeout(Nanos::from_millis(500));
    (plan.warmup, plan.seed, plan.shards) = (Nanos::from_secs(1), 7, 2);
    let workload = plan.only_mut();
    workload.load =
        Load::Open { rate: Rate { milli_per_s: 500_000 }, patience: Nanos::from_secs(1) };
    workload.sessions = 64;
    workload.until = Until::Elapsed(Nanos::from_secs(10));
    plan
}

/// The same, ended by a number of operations.
pub(crate) fn until(operations: u64) -> Until {
    let operations = NonZeroU64::new(operations).expect("not zero");
    Until::Operations(operations, Nanos::from_secs(60))
}

/// Another one, of the same length.
pub(crate) fn other_request() -> Content {
    let request = Request::builder(http::Method::PUT, "/", "10.0.0.7:8080").build();
    Content::Fixed(request.expect("a legal request").bytes().clone())
}

/// Any request: the report shows its name alone.
fn request() -> Request {
    Request::builder(http::Method::GET, "/", "10.0.0.7:8080").build().expect("a legal request")
}

/// `count` operations that ended well, of 200 us to 100 ms, most of them fast.
pub(crate) fn fill(leaf: &mut Leaf, count: u64, seed: u64) {
    let mut rng = Rng::stream(seed, 0);
    for turn in 0..count {
        let service = 200 + rng.below(300) + if turn % 100 == 0 { rng.below(100_000) } else { 0 };
        let (blocked, lag) = (rng.below(50) / 49 * 900, rng.below(20));
        let connect = if turn < 16 { 150 + rng.below(50) } else { 0 };
        let at = |us: u64| Nanos::from_micros(1_000_000 + us);
        let sent = blocked + connect + lag;
        let timing = Timing {
            intended: at(0),
            free: at(blocked),
            connect: Nanos::from_micros(connect),
            sent: at(sent),
            first_byte: at(sent + service - 20),
            done: at(sent + service),
        };
        assert!(timing.adds_up());
        leaf.reply(&timing, if turn % 250 == 249 { 404 } else { 200 });
        leaf.bytes_sent += 78;
        leaf.bytes_received += 160 + rng.below(8);
    }
    let not_found = count / 250;
    leaf.tally.scheduled += count;
    leaf.tally.sent += count;
    leaf.tally.ok += count - not_found;
    leaf.tally.failed[Failure::Status as usize] += not_found;
}

/// `count` operations without a reply.
fn fail(leaf: &mut Leaf, failure: Failure, count: u64) {
    leaf.tally.scheduled += count;
    leaf.tally.sent += count;
    leaf.tally.failed[failure as usize] += count;
}

fn outcome(total: Delta) -> Outcome {
    let span = |phase, from, to| PhaseSpan {
        phase,
        from: Nanos::from_millis(from),
        to: Nanos::from_millis(to),
    };
    let reason = "p99 lag 1.4ms > 1ms in 1 of 11 s";
    Outcome {
        started_at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_123),
        ended: Ended::Finished,
        duration: Nanos::from_millis(10_004),
        phases: vec![span(Phase::Warmup, 0, 1_000), span(Phase::Load, 1_000, 11_004)],
        total,
        tails: Vec::new(),
        series: (1..=3).map(row).collect(),
        windows: Vec::new(),
        searched: None,
        stopped: None,
        level_changes: 0,
        events: vec![TimelineEvent { at: Nanos::from_secs(1), what: "warm-up over".into() }],
        trust: Trust { verdict: Verdict::Inconclusive, reasons: vec![reason.into()] },
        generator: Generator {
            cpu_user: Nanos::from_millis(820),
            cpu_sys: Nanos::from_millis(1_410),
            rss_peak_bytes: 45_678_592,
            rings: 2,
            connections_peak: 64,
            cores: vec![2, 3],
        },
    }
}

fn row(second: u64) -> Row {
    // The last row is a short one.
    let span = if second == 3 { Nanos::from_millis(250) } else { Nanos::from_secs(1) };
    Row {
        at: Nanos(Nanos::from_secs(second - 1).0 + span.0),
        span,
        begun: 500 / (1 + second / 3 * 3),
        replies: 500 / (1 + second / 3 * 3),
        ok: 498 / (1 + second / 3 * 3),
        failed: 2,
        dropped: second - 1,
        bytes_received: 82_000,
        bytes_sent: 39_000,
        in_flight: 5 - second,
        connections: 64,
        response: Quantiles {
            p50: Nanos::from_micros(353),
            p95: Nanos::from_micros(1_250),
            p99: Nanos::from_micros(52_300),
            max: Nanos::from_micros(99_870),
        },
        lag_p99: Nanos::from_micros(19),
    }
}

fn host() -> Host {
    Host {
        os: "Debian GNU/Linux 12 (bookworm)".into(),
        kernel: "Linux 6.1.0".into(),
        cpu: "Any CPU @ 3.00GHz".into(),
        cores: 4,
        memory_bytes: 16_000_000_000,
    }
}
