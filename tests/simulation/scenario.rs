//! What is run, against whom, and what happens meanwhile: all drawn from a seed.

use std::num::NonZeroU64;
use std::sync::Arc;

use http::Method;
use onslaught::plan::{self, Content, Instruction, Load, Mix, NamedRequest, Opening, Plan, Until};
use onslaught::protocol::http::Request;
use onslaught::stdx::Nanos;
use onslaught::stdx::units::Rate;

use super::dice::Dice;
use super::server::Habit;

/// One run.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) plan: Arc<Plan>,
    pub(crate) kernel: Kernel,
    pub(crate) target: Target,
    pub(crate) course: Course,
}

/// How this host's kernel behaves. Chances are in thousandths.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// The longest of its small delays.
    pub(crate) lag: Nanos,
    /// Bytes that one receive gives at most.
    pub(crate) buffer: usize,
    /// Receives that end with what they give.
    pub(crate) ends: u64,
    /// Receives that find no buffer.
    pub(crate) no_buffers: u64,
    /// Sends that take less than they were given.
    pub(crate) short_sends: u64,
    /// Sends whose completion comes long after the bytes have gone.
    pub(crate) late_sends: u64,
    /// Sends that fail.
    pub(crate) send_errors: u64,
    /// Closes that take long, and whose other completions do.
    pub(crate) late_closes: u64,
    /// Connections in whose time completions of an earlier life come.
    pub(crate) stale: u64,
    /// Connects that fail by this host's fault.
    pub(crate) short_of: u64,
}

/// How the target behaves.
#[derive(Debug)]
pub(crate) struct Target {
    /// The longest way there.
    pub(crate) latency: Nanos,
    /// What it takes for a reply, at least and at most.
    pub(crate) work: (Nanos, Nanos),
    /// The largest body.
    pub(crate) body: usize,
    /// Replies are all the same and in one piece.
    pub(crate) plain: bool,
    /// What its worse connections do.
    pub(crate) habits: Vec<Habit>,
    /// How many are worse, in thousandths.
    pub(crate) worse: u64,
    /// How often those follow their habit, in thousandths.
    pub(crate) faithful: u64,
    /// Connects that it refuses, resets, or never answers, in thousandths.
    pub(crate) turned_away: u64,
    /// When it is not there.
    pub(crate) outages: Vec<(Nanos, Nanos)>,
    /// When it is there and does nothing.
    pub(crate) frozen: Option<(Nanos, Nanos)>,
}

/// What happens to the run, at moments of the simulation.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) drain_at: Option<Nanos>,
    pub(crate) abort_at: Option<Nanos>,
    /// How often a turn comes late (in thousandths), and by how much at most.
    pub(crate) late: (u64, Nanos),
    /// When this process stands still.
    pub(crate) stopped: Vec<(Nanos, Nanos)>,
    /// What was recorded is handed over so often.
    pub(crate) hand_over_every: Nanos,
}

const ALL_HABITS: [Habit; 14] = [
    Habit::Fails,
    Habit::Silent,
    Habit::Deaf,
    Habit::Slow,
    Habit::Stalls,
    Habit::Truncates,
    Habit::ResetsFirst,
    Habit::ResetsMidway,
    Habit::ResetsAfter,
    Habit::Leaves,
    Habit::Garbage,
    Habit::Surplus,
    Habit::Early,
    Habit::EarlyDeaf,
];

/// Operations that a run may come to, so that a thousand runs take a minute.
const OPERATIONS: u64 = 1_500;

impl Target {
    /// The first moment from `at` at which it does something.
    pub(crate) fn not_frozen(&self, at: Nanos) -> Nanos {
        match self.frozen {
            Some((from, to)) if (from..to).contains(&at) => to,
            _ => at,
        }
    }

    pub(crate) fn is_out(&self, at: Nanos) -> bool {
        self.outages.iter().any(|(from, to)| (*from..*to).contains(&at))
    }

    /// One that does everything right, at once, and always the same.
    pub(crate) fn honest(work: Nanos) -> Self {
        Self {
            latency: Nanos::ZERO,
            work: (work, work),
            body: 100,
            plain: true,
            habits: vec![Habit::Honest],
            worse: 0,
            faithful: 1_000,
            turned_away: 0,
            outages: Vec::new(),
            frozen: None,
        }
    }

    fn draw(dice: &mut Dice) -> Self {
        let base = Nanos::from_micros(dice.pick(&[200, 1_000, 5_000, 20_000]));
        let habits = (0..dice.size(1, 4)).map(|_| dice.pick(&ALL_HABITS)).collect();
        let mut outages = Vec::new();
        while dice.chance(150) {
            let from = dice.up_to(Nanos::from_millis(800));
            outages.push((from, from + dice.up_to(Nanos::from_millis(600))));
        }
        Self {
            latency: Nanos::from_micros(dice.pick(&[10, 100, 2_000])),
            work: (Nanos(base.0 / 2), base),
            body: dice.pick(&[0, 20, 500, 5_000, 60_000, 200_000]),
            plain: false,
            habits,
            worse: dice.pick(&[0, 50, 300, 1_000]),
            faithful: dice.pick(&[100, 500, 1_000]),
            turned_away: dice.pick(&[0, 0, 0, 50, 500]),
            outages,
            frozen: None,
        }
    }
}

impl Kernel {
    /// One that does everything at once and whole.
    pub(crate) const fn calm() -> Self {
        Self {
            lag: Nanos::ZERO,
            buffer: 16_384,
            ends: 0,
            no_buffers: 0,
            short_sends: 0,
            late_sends: 0,
            send_errors: 0,
            late_closes: 0,
            stale: 0,
            short_of: 0,
        }
    }

    pub(crate) fn draw(dice: &mut Dice) -> Self {
        Self {
            lag: Nanos::from_micros(dice.pick(&[0, 5, 50, 1_000])),
            buffer: dice.pick(&[100, 2_048, 16_384]),
            ends: dice.pick(&[0, 10, 500]),
            no_buffers: dice.pick(&[0, 0, 20, 400]),
            short_sends: dice.pick(&[0, 0, 50, 500]),
            late_sends: dice.pick(&[0, 20, 300]),
            send_errors: dice.pick(&[0, 0, 0, 20]),
            late_closes: dice.pick(&[0, 50, 500]),
            stale: dice.pick(&[0, 100, 1_000]),
            short_of: dice.pick(&[0, 0, 0, 0, 100]),
        }
    }
}

impl Course {
    /// Nothing unforeseen.
    pub(crate) const fn calm() -> Self {
        Self {
            drain_at: None,
            abort_at: None,
            late: (0, Nanos::ZERO),
            stopped: Vec::new(),
            hand_over_every: Nanos::from_secs(1),
        }
    }

    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let soon = Nanos::from_millis(1_500);
        let drain_at = dice.chance(150).then(|| dice.up_to(soon));
        let abort_at = match drain_at {
            Some(at) if dice.chance(500) => Some(at + dice.up_to(Nanos::from_millis(500))),
            None if dice.chance(100) => Some(dice.up_to(soon)),
            _ => None,
        };
        let stop = dice.chance(100).then(|| {
            let from = dice.up_to(soon);
            (from, from + dice.up_to(soon))
        });
        let longest = Nanos::from_micros(dice.pick(&[10, 300, 20_000]));
        Self {
            drain_at,
            abort_at,
            late: (dice.pick(&[0, 100, 900]), longest),
            stopped: stop.into_iter().collect(),
            hand_over_every: dice.pick(&[Nanos::from_millis(400), Nanos::MAX]),
        }
    }
}

impl Scenario {
    /// The run of a seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let dice = &mut Dice::new(seed, 0);
        let target = Target::draw(dice);
        Self {
            seed,
            plan: Arc::new(draw_plan(seed, &target, dice)),
            kernel: Kernel::draw(dice),
            target,
            course: Course::draw(dice),
        }
    }

    /// A run in which nothing goes wrong.
    pub(crate) fn calm(plan: Plan) -> Self {
        Self {
            seed: plan.seed,
            plan: Arc::new(plan),
            kernel: Kernel::calm(),
            target: Target::honest(Nanos::from_micros(500)),
            course: Course::calm(),
        }
    }
}

/// A plan with one small request, to be changed at will.
pub(crate) fn simple_plan(load: Load, connections: u32, seconds: u64) -> Plan {
    let target = plan::Target {
        name: "default".to_owned(),
        url: "http://10.0.0.1/0".to_owned(),
        host: "10.0.0.1".to_owned(),
        port: 80,
        addresses: vec!["10.0.0.1:80".parse().expect("an address")],
    };
    let named = request(0, Method::GET, 0, false);
    let mut plan = Plan::of_requests("simulated", target, vec![(1, named)]);
    let workload = plan.only_mut();
    (workload.load, workload.sessions) = (load, connections);
    workload.until = Until::Elapsed(Nanos::from_secs(seconds));
    plan
}

/// The weights of such a plan.
pub(crate) fn mix(plan: &Plan) -> &Mix {
    match &plan.only().program.instructions[0] {
        Instruction::Choose { mix, .. } => mix,
        other => panic!("begins with {other:?}"),
    }
}

/// The bytes of one of its requests.
pub(crate) fn fixed(plan: &Plan, request: u16) -> &[u8] {
    match &plan.requests[usize::from(request)].content {
        Content::Fixed(bytes) => bytes,
        made @ Content::Made { .. } => panic!("{made:?}"),
    }
}

/// An open model with a patience that nothing outlasts.
pub(crate) const fn open(per_second: u64) -> Load {
    let rate = Rate { milli_per_s: per_second * 1_000 };
    Load::Open { rate, patience: Nanos::from_secs(30) }
}

pub(crate) fn request(index: usize, method: Method, body: usize, close: bool) -> NamedRequest {
    let builder = Request::builder(method, &format!("/{index}"), "10.0.0.1").body(vec![b'r'; body]);
    let builder = if close { builder.header("Connection", "close") } else { builder };
    let request = builder.build().expect("a well-formed request");
    NamedRequest { name: format!("request {index}"), request }
}

fn draw_plan(seed: u64, target: &Target, dice: &mut Dice) -> Plan {
    let shards = dice.pick(&[1, 1, 2, 3, 4]);
    let crowd = if dice.chance(30) { 150 } else { 8 };
    let connections = dice.between(shards, shards * crowd);
    let requests = draw_requests(dice);
    let weights: Vec<u32> = requests.iter().map(|_| dice.pick(&[1, 5, 30])).collect();
    let timeout = Nanos::from_millis(dice.pick(&[30, 150, 1_000, 5_000]));
    let load = if dice.chance(500) { Load::Closed } else { draw_open(timeout, dice) };
    let per_second = match load {
        Load::Closed => connections * 1_000_000_000 / (target.work.1.0 + 2 * target.latency.0),
        Load::Open { rate, .. } => rate.milli_per_s / 1_000,
    };
    let longest = Nanos(OPERATIONS * 1_000_000_000 / per_second.max(500));
    let span = dice.span(Nanos(longest.0 / 10), longest);
    let warmup = if dice.chance(300) { dice.up_to(Nanos(span.0 / 2)) } else { Nanos::ZERO };
    let count = NonZeroU64::new(dice.pick(&[1, 7, 100, OPERATIONS])).expect("not zero");
    let until = match dice.between(0, 1) {
        0 => Until::Elapsed(span),
        _ => Until::Operations(count, span),
    };
    let hosts = 1..=dice.between(1, 3);
    let address = |host| format!("10.0.0.{host}:80").parse().expect("an address");
    let target = plan::Target {
        addresses: hosts.map(address).collect(),
        ..simple_plan(load, 1, 1).targets.swap_remove(0)
    };
    let mix = weights.into_iter().zip(requests).collect();
    let mut plan = Plan::of_requests("simulated", target, mix);
    plan.set_timeout(timeout);
    (plan.warmup, plan.seed) = (warmup, seed);
    plan.shards = u32::try_from(shards).expect("a few");
    let workload = plan.only_mut();
    (workload.load, workload.until) = (load, until);
    workload.sessions = u32::try_from(connections).expect("a few");
    if dice.chance(300) {
        workload.opening = Opening::Cold;
    }
    plan
}

fn draw_requests(dice: &mut Dice) -> Vec<NamedRequest> {
    let methods = [Method::GET, Method::GET, Method::HEAD, Method::POST, Method::PUT];
    let mut requests = Vec::new();
    for index in 0..dice.size(1, 4) {
        let method = methods[dice.size(0, methods.len() - 1)].clone();
        let has_body = method == Method::POST || method == Method::PUT;
        let body = if has_body { dice.pick(&[0, 10, 3_000, 40_000]) } else { 0 };
        requests.push(request(index, method, body, dice.chance(80)));
    }
    requests
}

fn draw_open(timeout: Nanos, dice: &mut Dice) -> Load {
    let milli_per_s = dice.pick(&[500, 33_333, 400_000, 3_000_000]) + dice.between(0, 9_999);
    let patience =
        dice.pick(&[Nanos::ZERO, Nanos::from_millis(5), Nanos::from_millis(100), timeout]);
    Load::Open { rate: Rate { milli_per_s }, patience }
}
