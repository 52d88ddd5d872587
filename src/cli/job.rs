//! One run from a compiled plan to its report: everything that can fail does so before the load.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::signals::Interrupts;
use super::{print, refuse, say};
use crate::doctor::{CoreError, Cores, raise_locked_memory, raise_open_files};
use crate::engine::outcome::{Ended, Outcome};
use crate::engine::{self, EngineError, Pulse, Run};
use crate::live::{Output, Progress, Tick};
use crate::metrics::Recorder;
use crate::metrics::recorder::End;
use crate::net::error::Cause;
use crate::net::probe::{self, Unreachable};
use crate::net::resolve::{Reach, ResolveError, other_loopback, resolve};
use crate::net::ring::{Ring, RingOptions};
use crate::plan::{Phase, Plan, Until};
use crate::protocol::Failure;
use crate::report::figures::plural;
use crate::report::text::{self, Latency};
use crate::report::{self, Colour, Context, ExitCode, Host, Report, Sinks, TrustPolicy};
use crate::stdx::{Clock, Nanos};
use crate::verdict::trust::Verdict;

/// A run that has been understood; only the name is not resolved yet.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) plan: Plan,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) reach: Reach,
    /// The cores that the user chose, if any.
    pub(super) cores: Option<Cores>,
    /// The shards that the user asked for, if any.
    pub(super) shards: Option<u32>,
    /// Where the summary goes as JSON.
    pub(super) json: Option<PathBuf>,
    /// Where all results go.
    pub(super) folder: Option<PathBuf>,
    pub(super) latency: Latency,
    pub(super) policy: TrustPolicy,
    /// Why a saturated generator is accepted, where it is.
    pub(super) accepted: Option<&'static str>,
}

/// Longest wait for the first connection to a target.
const PROBE: Nanos = Nanos::from_secs(5);

/// How long the engine lets requests in flight go on after a signal.
const GRACE: Nanos = Nanos::from_secs(5);

/// Why nothing was loaded.
enum Obstacle {
    Resolve(ResolveError),
    /// Each address that was tried, at least one.
    Unreachable(Vec<Unreachable>),
    Host(String),
}

/// Executes the job and tells its result.
pub(super) fn execute(mut job: Job, allowed: &Cores) -> ExitCode {
    let interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => return refuse(ExitCode::Failed, &error),
    };
    let sinks = match Sinks::open(job.json.as_deref(), job.folder.as_deref()) {
        Ok(sinks) => sinks,
        Err(error) => return refuse(ExitCode::Usage, &error),
    };
    let resolved = resolve(&job.host, job.port, job.reach);
    let local =
        resolved.as_ref().is_ok_and(|to| to.iter().any(|to| to.ip().to_canonical().is_loopback()));
    let cores = match place(&job, allowed, local) {
        Ok(cores) => cores,
        Err(error) => return refuse(ExitCode::Usage, &error),
    };
    job.plan.shards = u32::try_from(cores.len()).unwrap_or(u32::MAX);
    let clock = Clock::start();
    let ready = resolved.map_err(Obstacle::Resolve).and_then(|addresses| {
        able(&job.plan)?;
        let other = other_loopback(&job.host, &addresses);
        reach(&addresses, other, job.plan.timeout.min(PROBE).into())
    });
    let (plan, outcome) = match ready {
        Ok(addresses) => {
            job.plan.addresses = addresses;
            let plan = Arc::new(job.plan.clone());
            let outcome = load(&plan, &cores, clock, &interrupts);
            let outcome = outcome.unwrap_or_else(|error| {
                nothing_loaded(&plan, &Obstacle::Host(error.to_string()), &cores)
            });
            (plan, outcome)
        }
        Err(obstacle) => {
            let plan = Arc::new(job.plan.clone());
            let outcome = nothing_loaded(&plan, &obstacle, &cores);
            (plan, outcome)
        }
    };
    tell(&job, &plan, &outcome, sinks)
}

/// Those addresses that answer; if none does, the `other` that was not asked for by number.
fn reach(
    addresses: &[SocketAddr],
    other: Option<SocketAddr>,
    patience: Duration,
) -> Result<Vec<SocketAddr>, Obstacle> {
    let mut failures = Vec::new();
    let mut answering = Vec::new();
    let mut ask = |address: SocketAddr, answering: &mut Vec<SocketAddr>| match probe::answering(
        &[address],
        patience,
    ) {
        Ok(there) => answering.extend(there),
        Err(error) => failures.push(error),
    };
    addresses.iter().for_each(|address| ask(*address, &mut answering));
    if let (true, Some(other)) = (answering.is_empty(), other) {
        ask(other, &mut answering);
    }
    if answering.is_empty() { Err(Obstacle::Unreachable(failures)) } else { Ok(answering) }
}

/// Cores for the shards: those chosen, else those allowed, less one for a target beside us.
fn place(job: &Job, allowed: &Cores, local: bool) -> Result<Vec<usize>, CoreError> {
    let cores = job.cores.as_ref().unwrap_or(allowed);
    let all = cores.all().len();
    let spare = usize::from(job.cores.is_none() && local);
    let default = all.saturating_sub(spare).max(1);
    let shards = job.shards.map_or(default, |shards| usize::try_from(shards).unwrap_or(usize::MAX));
    let connections = usize::try_from(job.plan.connections).unwrap_or(usize::MAX);
    let cores = cores.first(shards)?;
    if shards > connections && job.shards.is_some() {
        let suffice = if connections == 1 { "shard suffices" } else { "shards suffice" };
        let all = plural(job.plan.connections.into(), "connection");
        say(&format!("note: {connections} {suffice} for {all} (-c)"));
    }
    Ok(cores[..shards.min(connections)].to_vec())
}

fn able(plan: &Plan) -> Result<(), Obstacle> {
    let sockets = u64::from(plan.connections.div_ceil(plan.shards.max(1)));
    let raised = raise_open_files(sockets).and_then(|()| raise_locked_memory());
    raised.map_err(|error| Obstacle::Host(error.to_string()))?;
    // A ring like those of the shards, for what the kernel has to say: executors say less.
    let sockets = u32::try_from(sockets).unwrap_or(u32::MAX);
    let ring = Ring::new(RingOptions::for_slots(sockets));
    ring.map(drop).map_err(|error| Obstacle::Host(error.to_string()))
}

fn load(
    plan: &Arc<Plan>,
    cores: &[usize],
    clock: Clock,
    interrupts: &Interrupts,
) -> Result<Outcome, EngineError> {
    let mut progress = Progress::new(Output::Stderr(colour(std::io::stderr().is_terminal())));
    let outcome = engine::run(
        plan,
        Run {
            cores,
            clock,
            interrupts: &|| interrupts.count(),
            observer: &mut |pulse| match interrupts.count() {
                0 => progress.tick(&tick(plan, &pulse)),
                _ => progress.close(&draining(plan)),
            },
        },
    );
    progress.finish();
    outcome
}

/// What the first signal to end is answered with.
fn draining(plan: &Plan) -> String {
    format!("draining, at most {}; Ctrl-C again ends at once", GRACE.min(plan.timeout))
}

fn tick<'a>(plan: &Plan, pulse: &Pulse<'a>) -> Tick<'a> {
    let (planned, operations) = match plan.until {
        Until::Elapsed(span) => (Some(plan.warmup + span), None),
        Until::Operations(count, _) => (None, Some((pulse.ended, count.get()))),
    };
    let row = pulse.row.cloned().unwrap_or_default();
    Tick {
        elapsed: pulse.elapsed,
        planned,
        operations,
        replies_per_s: per_second(row.replies, row.span),
        p99: (row.replies > 0).then_some(row.response.p99),
        failed: pulse.failed,
        in_flight: row.in_flight,
        connections: row.connections,
        phase: if pulse.phase == Phase::Load.name() { "" } else { pulse.phase },
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn per_second(count: u64, span: Nanos) -> f64 {
    if span == Nanos::ZERO { 0.0 } else { count as f64 / span.as_secs_f64() }
}

/// The outcome of a run that could not begin. An attempt to reach the target counts as the one
/// operation that it was.
fn nothing_loaded(plan: &Plan, obstacle: &Obstacle, cores: &[usize]) -> Outcome {
    let (failure, text) = match obstacle {
        Obstacle::Resolve(error) => {
            let name =
                matches!(error, ResolveError::NoSuchName { .. } | ResolveError::Empty { .. });
            (name.then_some(Failure::Dns), error.to_string())
        }
        Obstacle::Unreachable(errors) => {
            (errors.first().map(probe_failure), unreachable_text(errors))
        }
        Obstacle::Host(text) => (None, text.clone()),
    };
    let mut recorder = Recorder::default();
    if let Some(failure) = failure {
        let leaf = plan.leaf(Phase::Load, 0);
        recorder.scheduled(leaf);
        recorder.begun(leaf);
        recorder.ended(leaf, End::Failed(failure), Nanos::ZERO);
        recorder.sample(failure, || text.clone());
    }
    Outcome::not_begun(Ended::Unreachable(text), recorder, cores)
}

fn unreachable_text(errors: &[Unreachable]) -> String {
    let cure = match errors.first().map(Unreachable::kind) {
        Some(Cause::Refused) => "nobody listens there; start the target, or check address and port",
        Some(Cause::TimedOut) => "no answer; check the address, routes and firewalls",
        _ => "check the address, routes and firewalls",
    };
    let tried: Vec<String> = errors.iter().map(ToString::to_string).collect();
    format!("the target cannot be reached: {}: {cure}", tried.join(", "))
}

fn probe_failure(error: &Unreachable) -> Failure {
    match error.kind() {
        Cause::Refused => Failure::Refused,
        Cause::TimedOut => Failure::TimeoutConnect,
        Cause::Reset => Failure::Reset,
        Cause::LocalPorts => Failure::LocalPorts,
        Cause::LocalFds => Failure::LocalFds,
        Cause::LocalMemory | Cause::NoBuffers => Failure::LocalMemory,
        Cause::Unreachable | Cause::Canceled | Cause::Other => Failure::Connect,
    }
}

/// The summary on the terminal, the results in their files.
fn tell(job: &Job, plan: &Plan, outcome: &Outcome, sinks: Sinks) -> ExitCode {
    let context = Context { host: Host::read(), policy: job.policy, ..Context::default() };
    let report = report::build(outcome, plan, context);
    let mut whole = show(&report, job, sinks.take_stdout());
    let written = sinks.write(&report);
    for error in &written {
        say(&format!("error: {error}"));
    }
    whole &= written.is_empty();
    if let (true, Some(folder)) = (written.is_empty(), job.folder.as_deref()) {
        whole &= print(&format!("\nresults in {}\n", folder.display()));
    }
    if whole { report.exit } else { ExitCode::Failed }
}

/// The summary, where standard output is free; false when it cannot be written.
fn show(report: &Report<'_>, job: &Job, stdout_taken: bool) -> bool {
    if let Ended::Unreachable(reason) = &report.outcome.ended {
        say(&format!("error: {reason}"));
        return true;
    }
    let text = |terminal| text::summary(report, job.latency, colour(terminal));
    let accepted = match (job.accepted, report.outcome.trust.verdict) {
        (Some(why), Verdict::GeneratorSaturated) if report.exit == ExitCode::Passed => {
            format!("\n{why}\n")
        }
        _ => String::new(),
    };
    if stdout_taken {
        let text = text(std::io::stderr().is_terminal()) + &accepted;
        say(text.trim_end());
        return true;
    }
    print(&(text(std::io::stdout().is_terminal()) + &accepted))
}

fn colour(terminal: bool) -> Colour {
    let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
    Colour::choose(no_color.as_deref(), term.as_deref(), terminal)
}
