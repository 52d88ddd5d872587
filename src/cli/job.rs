//! One run from a compiled plan to its report: everything that can fail does so before the load.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::signals::Interrupts;
use super::{refuse, say};
use crate::doctor::{CoreError, Cores, raise_locked_memory, raise_open_files};
use crate::engine::outcome::{Ended, Outcome};
use crate::engine::{self, EngineError, Pulse, Run};
use crate::live::{Output, Progress, Tick};
use crate::metrics::Recorder;
use crate::metrics::recorder::End;
use crate::net::error::Cause;
use crate::net::probe::{self, Unreachable};
use crate::net::resolve::{Reach, ResolveError, resolve};
use crate::net::ring::{Ring, RingOptions};
use crate::plan::{Phase, Plan, Until};
use crate::protocol::Failure;
use crate::report::text::{self, Latency};
use crate::report::{self, Colour, Context, ExitCode, Host, Report, Sinks, TrustPolicy};
use crate::stdx::{Clock, Nanos};

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
}

/// Longest wait for the first connection to a target.
const PROBE: Nanos = Nanos::from_secs(5);

/// Why nothing was loaded.
enum Obstacle {
    Resolve(ResolveError),
    Unreachable(Unreachable),
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
    let local = resolved.as_ref().is_ok_and(|to| to.iter().any(|to| to.ip().is_loopback()));
    let cores = match place(&job, allowed, local) {
        Ok(cores) => cores,
        Err(error) => return refuse(ExitCode::Usage, &error),
    };
    job.plan.shards = u32::try_from(cores.len()).unwrap_or(u32::MAX);
    let clock = Clock::start();
    let ready = resolved.map_err(Obstacle::Resolve).and_then(|addresses| {
        able(&job.plan)?;
        let patience = Duration::from(job.plan.timeout.min(PROBE));
        probe::answering(&addresses, patience).map_err(Obstacle::Unreachable)
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

/// Cores for the shards: those chosen, else those allowed, less one for a target beside us.
fn place(job: &Job, allowed: &Cores, local: bool) -> Result<Vec<usize>, CoreError> {
    let cores = job.cores.as_ref().unwrap_or(allowed);
    let all = cores.all().len();
    let spare = usize::from(job.cores.is_none() && local);
    let default = all.saturating_sub(spare).max(1);
    let shards = job.shards.map_or(default, |shards| usize::try_from(shards).unwrap_or(usize::MAX));
    let connections = usize::try_from(job.plan.connections).unwrap_or(usize::MAX);
    if shards > connections && job.shards.is_some() {
        say(&format!("note: {connections} shards suffice for {connections} connections (-c)"));
    }
    Ok(cores.first(shards)?[..shards.min(connections)].to_vec())
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
            observer: &mut |pulse| progress.tick(&tick(plan, &pulse)),
        },
    );
    progress.finish();
    outcome
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
        p99: row.response.p99,
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
        Obstacle::Unreachable(error) => (Some(probe_failure(error)), unreachable_text(error)),
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

fn unreachable_text(error: &Unreachable) -> String {
    let cure = match error.kind() {
        Cause::Refused => "nobody listens there; start the target, or check address and port",
        Cause::TimedOut => "no answer; check the address, routes and firewalls",
        _ => "check the address, routes and firewalls",
    };
    format!("the target cannot be reached: {error}: {cure}")
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
    show(&report, job.latency, sinks.take_stdout());
    let written = sinks.write(&report);
    for error in &written {
        say(&format!("error: {error}"));
    }
    if let (true, Some(folder)) = (written.is_empty(), job.folder.as_deref()) {
        name_folder(folder);
    }
    if written.is_empty() { report.exit } else { ExitCode::Failed }
}

fn name_folder(folder: &Path) {
    drop(writeln!(std::io::stdout(), "\nresults in {}", folder.display()));
}

fn show(report: &Report<'_>, latency: Latency, stdout_taken: bool) {
    if let Ended::Unreachable(reason) = &report.outcome.ended {
        return say(&format!("error: {reason}"));
    }
    // Whoever closed the pipe does not want to read on.
    if stdout_taken {
        let colour = colour(std::io::stderr().is_terminal());
        drop(write!(std::io::stderr(), "{}", text::summary(report, latency, colour)));
    } else {
        let colour = colour(std::io::stdout().is_terminal());
        drop(write!(std::io::stdout(), "{}", text::summary(report, latency, colour)));
    }
}

fn colour(terminal: bool) -> Colour {
    Colour::choose(std::env::var_os("NO_COLOR").as_deref(), terminal)
}
