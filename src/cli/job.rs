//! One run from a compiled plan to its report: everything that can fail does so before the load.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::ahead::{self, Obstacle};
use super::keys::{HINT, Keys};
use super::signals::Interrupts;
use super::{print, probes, refuse, say};
use crate::doctor::{CoreError, Cores};
use crate::engine::outcome::{Ended, Outcome, Row};
use crate::engine::{self, EngineError, Pulse, Run};
use crate::live::{Output, Progress, Stage, Tick};
use crate::metrics::Record;
use crate::net::resolve::Permit;
use crate::plan::{Phase, Plan, Until, Workload};
use crate::report::figures::{plural, span};
use crate::report::jtl::Jtl;
use crate::report::text::{self, Latency};
use crate::report::{
    self, Colour, Context, ExitCode, Host, Report, RequestLog, SinkError, Sinks, TrustPolicy,
};
use crate::stdx::{Clock, Nanos};
use crate::verdict::trust::Verdict;

/// Why a saturated generator is accepted, where the user says so.
pub(super) const ACCEPTED: &str = "\
This trust verdict is accepted as --allow-untrusted says; otherwise the exit code would be 111.";

/// A run that has been understood; only the name is not resolved yet.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) plan: Plan,
    /// Where load may go.
    pub(super) permit: Permit,
    /// The cores that the user chose, if any.
    pub(super) cores: Option<Cores>,
    /// The shards that the user asked for, if any.
    pub(super) shards: Option<u32>,
    /// Where the summary goes as JSON.
    pub(super) json: Option<PathBuf>,
    /// Where every single operation goes.
    pub(super) jtl: Option<PathBuf>,
    /// Where all results go.
    pub(super) folder: Option<PathBuf>,
    pub(super) latency: Latency,
    pub(super) policy: TrustPolicy,
    /// Why a saturated generator is accepted, where it is.
    pub(super) accepted: Option<&'static str>,
    /// The scenario as it was understood, its secrets masked; for the folder of results.
    pub(super) scenario: Option<String>,
}

/// Executes the job and tells its result.
pub(super) fn execute(mut job: Job, allowed: &Cores) -> ExitCode {
    let interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => return refuse(ExitCode::Failed, &error),
    };
    let (json, folder) = (job.json.as_deref(), job.folder.as_deref());
    let sinks = match Sinks::open(json, folder, job.scenario.take()) {
        Ok(sinks) => sinks,
        Err(error) => return refuse(ExitCode::Usage, &error),
    };
    let mut log = match job.jtl.as_deref().map(RequestLog::open).transpose() {
        Ok(log) => log,
        Err(error) => return refuse(ExitCode::Usage, &error),
    };
    let before = probes::asked("before the load", &job.plan.probes, &job.permit);
    let resolved = ahead::resolved(&job.plan.targets, &job.permit, &interrupts);
    let local = resolved
        .as_ref()
        .is_ok_and(|all| all.iter().flatten().any(|to| to.ip().to_canonical().is_loopback()));
    let cores = match place(&job, allowed, local) {
        Ok(cores) => cores,
        Err(error) => return refuse(ExitCode::Usage, &error),
    };
    job.plan.shards = u32::try_from(cores.len()).unwrap_or(u32::MAX);
    let ready = resolved.and_then(|addresses| {
        ahead::able(&job.plan)?;
        ahead::answering(&job.plan.targets, addresses, job.plan.timeout, &interrupts)
    });
    let outcome = ready.and_then(|addresses| {
        for (target, addresses) in job.plan.targets.iter_mut().zip(addresses) {
            target.addresses = addresses;
        }
        ahead::sources(&job.plan)?;
        load(&Arc::new(job.plan.clone()), &cores, &interrupts, log.as_mut())
            .map_err(|error| Obstacle::Host(error.to_string()))
    });
    let outcome = outcome.unwrap_or_else(|obstacle| obstacle.outcome(&job.plan, &cores));
    // The report is about what was measured: behind the warm-up that the run has found.
    let warm = outcome.phases.iter().find(|span| span.phase == Phase::Warmup);
    job.plan.warmup = warm.map_or(job.plan.warmup, |span| span.to);
    let after = probes::asked("after the load", &job.plan.probes, &job.permit);
    let logged = log.map(RequestLog::finish).transpose();
    tell(&job, &outcome, sinks, logged, [before, after])
}

/// Cores for the shards: those chosen, else those allowed, less one for a target beside us.
fn place(job: &Job, allowed: &Cores, local: bool) -> Result<Vec<usize>, CoreError> {
    let cores = job.cores.as_ref().unwrap_or(allowed);
    let all = cores.all().len();
    let spare = usize::from(job.cores.is_none() && local);
    let default = all.saturating_sub(spare).max(1);
    let shards = job.shards.map_or(default, |shards| usize::try_from(shards).unwrap_or(usize::MAX));
    let (most, what) = most_shards(&job.plan);
    let cores = cores.first(shards)?;
    if job.shards.is_some() && u64::try_from(shards).is_ok_and(|shards| shards > most) {
        let suffice = if most == 1 { "shard suffices" } else { "shards suffice" };
        say(&format!("note: {most} {suffice} for {what}"));
    }
    Ok(cores[..shards.min(usize::try_from(most).unwrap_or(usize::MAX))].to_vec())
}

/// The most shards that have something to do, and for what: none is without a session, none
/// without a user if there are tokens, because a user lives on one shard, and none without a user
/// of a group that is drawn by weight.
fn most_shards(plan: &Plan) -> (u64, String) {
    let most = most_at_work(plan);
    match plan.shards_by_weight().map(u64::from) {
        Some(users) if users < most.0 => {
            (users, format!("{} of a group drawn by weight", plural(users, "user")))
        }
        _ => most,
    }
}

fn most_at_work(plan: &Plan) -> (u64, String) {
    let sessions = plan.workloads.iter().map(|workload| u64::from(workload.sessions));
    let sessions = sessions.max().unwrap_or(0).max(1);
    let users = plan.people.as_ref().filter(|people| people.auth.is_some());
    match users.map(|people| u64::from(people.count()).max(1)) {
        Some(users) if users < sessions => (users, plural(users, "user")),
        _ if plan.sockets.is_empty() && plan.people.is_none() => {
            (sessions, format!("{} (-c)", plural(sessions, "connection")))
        }
        _ => (sessions, plural(sessions, "session")),
    }
}

fn load(
    plan: &Arc<Plan>,
    cores: &[usize],
    interrupts: &Interrupts,
    log: Option<&mut RequestLog>,
) -> Result<Outcome, EngineError> {
    let clock = Clock::start();
    let jtl = Jtl::new(plan, clock);
    let mut write = log.map(|log| |records: &[Record]| log.write(&jtl, records));
    let mut progress = Progress::new(Output::Stderr(colour(std::io::stderr().is_terminal())));
    let keys = Keys::new(interrupts, progress.is_bar());
    let mut row = Row::default();
    let outcome = engine::run(
        plan,
        Run {
            cores,
            clock,
            interrupts: &|| keys.look(),
            commands: &|| keys.command(),
            observer: &mut |pulse| {
                pulse.row.into_iter().for_each(|last| row.clone_from(last));
                match keys.ends() {
                    0 if keys.are_shown() => progress.hint(HINT),
                    0 => progress.tick(&tick(plan, &pulse, &row, &keys.in_force())),
                    _ => progress.close(&draining(plan)),
                }
            },
            log: write.as_mut().map(|write| write as engine::Log<'_>),
        },
    );
    drop(keys);
    progress.finish();
    outcome
}

/// What the first signal to end is answered with.
fn draining(plan: &Plan) -> String {
    let most = span(engine::GRACE.min(plan.timeout).as_secs_f64());
    format!("draining, at most {most}; Ctrl-C again ends at once")
}

/// `row` is the last second that was closed, `order` what is in force other than planned.
fn tick<'a>(plan: &Plan, pulse: &Pulse<'a>, row: &Row, order: &'a str) -> Tick<'a> {
    let (planned, operations) = match &plan.workloads[..] {
        [Workload { until: Until::Operations(count, _), .. }] => {
            (None, Some((pulse.ended, count.get())))
        }
        _ => (Some(plan.span()).filter(|span| *span < Nanos::MAX), None),
    };
    Tick {
        elapsed: pulse.elapsed,
        planned,
        operations,
        replies_per_s: per_second(row.replies, row.span),
        // Answers to messages, and WebSockets that opened, are no requests.
        noun: if plan.sockets.is_empty() { "req" } else { "op" },
        p99: (row.replies > 0).then_some(row.response.p99),
        failed: pulse.failed,
        in_flight: row.in_flight,
        connections: row.connections,
        phase: if pulse.phase == plan.phase_name(Phase::Load) { "" } else { pulse.phase },
        order,
        stage: pulse.set_up.map(|(done, all)| Stage { what: "setting up users", done, all }),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn per_second(count: u64, span: Nanos) -> f64 {
    if span == Nanos::ZERO { 0.0 } else { count as f64 / span.as_secs_f64() }
}

/// The summary on the terminal, the results in their files.
fn tell(
    job: &Job,
    outcome: &Outcome,
    sinks: Sinks,
    logged: Result<Option<u64>, SinkError>,
    probes: [Vec<String>; 2],
) -> ExitCode {
    let context = Context {
        tags: job.plan.tags.iter().cloned().collect(),
        host: Host::read(),
        policy: job.policy,
        probes,
    };
    let report = report::build(outcome, &job.plan, context);
    let stdout_taken = sinks.take_stdout();
    let mut whole = show(&report, job, stdout_taken);
    let mut written = sinks.write(&report);
    written.extend(logged.err());
    let lost = outcome.total.records.lost;
    if lost > 0 {
        say(&format!("note: {lost} operations are not in the file of -o jtl: it was behind"));
    }
    for error in &written {
        say(&format!("error: {error}"));
    }
    whole &= written.is_empty();
    if let (true, Some(folder)) = (written.is_empty(), job.folder.as_deref()) {
        let text = format!("\nresults in {}", folder.display());
        if stdout_taken {
            say(&text);
        } else {
            whole &= print(&(text + "\n"));
        }
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
