//! Merges what the shards hand over, starts and stops them, and makes the outcome.
//!
//! Runs on the caller's thread and wakes ten times a second: it watches for signals, and it may
//! take its time, because no shard ever waits for it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, SystemTime};

use glommio::ExecutorJoinHandle;

use super::control::{Command, Control, Level, Message, News, Order, To};
use super::driver::{self, Assignment};
use super::host;
use super::limits::{AHEAD, DELTAS_WAITING, EVENTS, GRACE, LEVEL_LEAD, LEVELS};
use super::outcome::{Ended, Generator, Outcome, PhaseSpan, Row, TimelineEvent};
use super::series::Series;
use super::steering::{Action, Steering};
use crate::metrics::{Delta, Record, Tails};
use crate::net::ring::{RingCounts, Waker};
use crate::plan::{Kind, Phase, Plan, Until, Workload};
use crate::protocol::{Failure, Side};
use crate::stdx::{Clock, Nanos, clock};
use crate::verdict::steady::{RULE as STEADY, Steady};
use crate::verdict::trust::{self, Little, Totals};

/// Why a run could not take place.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// This host is not able; the sentence has cause and remedy.
    #[error("{0}")]
    HostNotAble(String),
}

/// What a caller is told once a second, and on every change of phase.
#[derive(Clone, Copy, Debug)]
pub struct Pulse<'a> {
    /// Since the start of the load, warm-up included.
    pub elapsed: Nanos,
    /// The second that has just been closed.
    pub row: Option<&'a Row>,
    /// Operations that have ended so far, warm-up included.
    pub ended: u64,
    /// Failures so far.
    pub failed: u64,
    /// What the run is doing.
    pub phase: &'a str,
    /// Before the load: calls for tokens that have ended, and how many there are.
    pub set_up: Option<(u64, u64)>,
}

/// What a run takes besides its plan.
pub struct Run<'a> {
    /// The core of each shard; as many as the plan has shards.
    pub cores: &'a [usize],
    /// The clock on which everything is measured.
    pub clock: Clock,
    /// How many signals to end have come so far.
    pub interrupts: &'a dyn Fn() -> u32,
    /// What the user orders meanwhile; none if nothing was ordered since the last question.
    pub commands: &'a dyn Fn() -> Option<Command>,
    /// Told once a second.
    pub observer: &'a mut dyn FnMut(Pulse<'_>),
    /// Given every operation that has ended, about once a second, if that is wanted.
    pub log: Option<Log<'a>>,
}

/// Who is given the operations that have ended.
pub type Log<'a> = &'a mut dyn FnMut(&[Record]);

/// How often the collector looks for signals.
const LOOK: Duration = Duration::from_millis(100);

/// From the order to the first operation: time for every shard to wake up.
const LEAD: Nanos = Nanos::from_millis(2);

const SECOND: Nanos = Nanos::from_secs(1);

/// Executes a plan.
///
/// # Errors
/// When this host is not able to: then nothing was sent.
pub fn run(plan: &Arc<Plan>, run: Run<'_>) -> Result<Outcome, EngineError> {
    let mut collector = Collector::launch(plan, run)?;
    collector.wait_until_ready()?;
    collector.begin();
    collector.collect();
    Ok(collector.outcome())
}

impl ShardHandle {
    fn is_set_up(&self) -> bool {
        self.ready || self.set_up.0 >= self.set_up.1
    }
}

struct Collector<'a> {
    plan: Arc<Plan>,
    run: Run<'a>,
    control: Arc<Control>,
    inbox: Receiver<Message>,
    shards: Vec<ShardHandle>,
    start: Nanos,
    started_at: SystemTime,
    series: Option<Series>,
    /// Where the warm-up is to end when the load is steady, until it has.
    warming: Option<Steady>,
    /// What is to steer the load, until it begins.
    steering: Option<Steering>,
    total: Delta,
    tails: Vec<Tails>,
    events: Vec<TimelineEvent>,
    ended: Ended,
    cpu_before: host::CpuTimes,
    ring: RingCounts,
    abort_at: Nanos,
    /// Changes of the level so far, and what was ordered last, in thousandths of the plan's.
    levels: u32,
    share: u64,
    /// When the load was over before its time, as planned.
    stopped: Option<Nanos>,
    /// Whether a second signal has come.
    cut_short: bool,
}

struct ShardHandle {
    waker: Option<Waker>,
    thread: i32,
    ready: bool,
    /// Calls of the set-up that have ended, and how many there are.
    set_up: (u64, u64),
    /// Why none of its users could log in, if so.
    unable: Option<String>,
    finished: bool,
    levels: Sender<Level>,
    plans: Sender<Arc<Plan>>,
    spares: Sender<Box<Delta>>,
    join: Option<ExecutorJoinHandle<()>>,
}

impl<'a> Collector<'a> {
    fn launch(plan: &Arc<Plan>, run: Run<'a>) -> Result<Self, EngineError> {
        let steering = Steering::of(plan).map_err(EngineError::HostNotAble)?;
        let control = Arc::new(Control::default());
        // Up, ready, finished, and every delta that may wait, for each shard.
        let (outbox, inbox) = sync_channel(run.cores.len() * (DELTAS_WAITING + 4));
        let mut shards = Vec::new();
        for (shard, &core) in (0..).zip(run.cores) {
            let (spares, spares_out) = channel();
            let (levels, levels_out) = channel();
            let (plans, plans_out) = channel();
            let assignment = Assignment {
                shard,
                core,
                plan: plan.clone(),
                clock: run.clock,
                keep_records: run.log.is_some(),
                control: control.clone(),
                collector: SyncSender::clone(&outbox),
                levels: levels_out,
                plans: plans_out,
                spares: spares_out,
            };
            let join = driver::launch(assignment).map_err(EngineError::HostNotAble)?;
            shards.push(ShardHandle {
                waker: None,
                thread: 0,
                ready: false,
                set_up: (0, u64::from(plan.people.as_ref().is_some_and(|it| it.auth.is_some()))),
                unable: None,
                finished: false,
                levels,
                plans,
                spares,
                join: Some(join),
            });
        }
        Ok(Self {
            plan: plan.clone(),
            run,
            control,
            inbox,
            shards,
            start: Nanos::MAX,
            started_at: clock::wall_clock(),
            series: None,
            warming: plan.warmup_bound.map(|_| Steady::default()),
            steering,
            total: Delta::default(),
            tails: Vec::new(),
            events: Vec::new(),
            ended: Ended::Finished,
            cpu_before: host::CpuTimes::default(),
            ring: RingCounts::default(),
            abort_at: Nanos::MAX,
            levels: 0,
            share: 1_000,
            stopped: None,
            cut_short: false,
        })
    }

    /// Until every shard's connections are open, a signal comes, or that takes too long: then the
    /// load begins with those that are open.
    fn wait_until_ready(&mut self) -> Result<(), EngineError> {
        let mut patience = Nanos::MAX;
        while self.shards.iter().any(|shard| !shard.ready) {
            // Each call of a set-up has its timeout, and so an end.
            let up = self.shards.iter().all(|shard| shard.waker.is_some() && shard.is_set_up());
            if up && patience == Nanos::MAX {
                patience = self.run.clock.now() + AHEAD.min(self.plan.timeout);
            }
            if self.run.clock.now() >= patience {
                self.note("not all connections could be opened ahead of the load");
                break;
            }
            self.receive();
            if let Ended::Failed(reason) = &self.ended {
                let reason = reason.clone();
                self.order(Order::Abort);
                return Err(EngineError::HostNotAble(reason));
            }
            self.heed_signals();
            if matches!(self.ended, Ended::Interrupted { .. }) {
                break;
            }
        }
        self.look_for_users();
        Ok(())
    }

    /// Where users are to log in and none could, nothing is loaded.
    fn look_for_users(&mut self) {
        let unable = |shard: &ShardHandle| shard.unable.clone();
        let reasons: Vec<String> = self.shards.iter().filter_map(unable).collect();
        if self.ended == Ended::Finished && reasons.len() == self.shards.len() {
            let reason = reasons.first().map_or("", String::as_str);
            let cure = "check the target's accounts, and 'auth' and 'users' in the scenario";
            self.drain(Ended::Unreachable(format!("no user could log in: {reason}; {cure}")));
        }
    }

    fn begin(&mut self) {
        self.start = self.run.clock.now() + LEAD;
        self.started_at = clock::wall_clock();
        self.cpu_before = host::cpu_times().unwrap_or_default();
        let threads = self.shards.iter().map(|shard| shard.thread).collect();
        let mut series = Series::new(&self.plan, self.start, threads, self.run.cores);
        series.steering = self.steering.take();
        self.series = Some(series);
        self.control.begin(self.start);
        self.wake_all();
        self.pulse(0);
    }

    /// Until every shard has finished.
    fn collect(&mut self) {
        while self.shards.iter().any(|shard| !shard.finished) {
            self.receive();
            self.heed_signals();
            self.heed_commands();
            if self.run.clock.now() >= self.abort_at {
                self.abort_at = Nanos::MAX;
                self.note("grace is over: what was in flight is aborted");
                self.order(Order::Abort);
            }
        }
        for shard in &mut self.shards {
            if let Some(join) = shard.join.take()
                && let Err(error) = join.join()
            {
                self.ended = Ended::Failed(format!("a shard's executor failed: {error}"));
            }
        }
    }

    /// Takes one message, or none for a tenth of a second.
    fn receive(&mut self) {
        // Every shard says that it goes, so the channel does not close before that is read.
        if let Ok(message) = self.inbox.recv_timeout(LOOK) {
            self.take(message);
        }
    }

    fn take(&mut self, Message { shard, news }: Message) {
        let Some(handle) = self.shards.get_mut(shard as usize) else { return };
        match news {
            News::Up { thread, waker } => {
                // Orders that were given before it could be woken.
                waker.wake();
                (handle.thread, handle.waker) = (thread, Some(waker));
            }
            News::SettingUp { done, all } => {
                handle.set_up = (done, all);
                self.pulse_set_up();
            }
            News::Ready { unable } => (handle.ready, handle.unable) = (true, unable),
            News::Delta(delta) => self.merge(shard, delta, false),
            News::Finished { delta, ring, tails } => {
                handle.finished = true;
                self.tails.push(tails);
                self.ring.enters += ring.enters;
                self.ring.overflows += ring.overflows;
                self.merge(shard, delta, true);
            }
            News::Failed(reason) => self.failed(shard, &reason),
            News::Gone if handle.finished => {}
            News::Gone => {
                let joined = handle.join.take().map(ExecutorJoinHandle::join);
                let reason = match joined {
                    Some(Err(error)) => error.to_string(),
                    Some(Ok(())) | None => "it ended without a word".to_owned(),
                };
                self.failed(shard, &reason);
            }
        }
    }

    fn failed(&mut self, shard: u32, reason: &str) {
        let handle = &mut self.shards[shard as usize];
        (handle.finished, handle.ready) = (true, true);
        if let Some(series) = &mut self.series {
            series.lost(shard);
        }
        self.drain(Ended::Failed(format!("shard {shard}: {reason}")));
    }

    /// Ends the run early. A failure is never covered up by what comes after it.
    fn drain(&mut self, why: Ended) {
        if !matches!(self.ended, Ended::Failed(_)) {
            self.ended = why;
        }
        let now = self.run.clock.now();
        self.abort_at = self.abort_at.min(now + GRACE.min(self.plan.timeout));
        if let Some(series) = &mut self.series {
            series.stop(now);
        }
        self.order(Order::Drain);
    }

    fn merge(&mut self, shard: u32, mut delta: Box<Delta>, last: bool) {
        self.total.add(&delta);
        self.block(&delta);
        if let Some(log) = &mut self.run.log {
            log(&delta.records.kept);
            self.total.records.lost += delta.records.lost;
        }
        let now = self.run.clock.now();
        let Some(series) = &mut self.series else { return };
        series.take(shard, &delta, last);
        let closed = series.close_seconds(now);
        let missed = series.abort();
        let actions = series.take_actions();
        let stall = delta.counts.longest_stall;
        if stall > Nanos::ZERO {
            self.note_at(delta.to, &format!("shard {shard} stood still for {stall}"));
        }
        delta.clear();
        // A shard that has ended wants none back.
        drop(self.shards[shard as usize].spares.send(delta));
        if let (Ended::Finished, Some((at, why))) = (&self.ended, missed) {
            self.note(&why);
            self.drain(Ended::Aborted { at, why });
        }
        actions.into_iter().for_each(|action| self.steer(action));
        self.warm(closed);
        self.pulse(closed);
    }

    /// What a load that is steered does next.
    fn steer(&mut self, action: Action) {
        if self.ended != Ended::Finished {
            return;
        }
        let over = match action {
            Action::Level { workload, level, what } => {
                let changed = self.change_level(Some(workload), To::Held(level));
                self.note(&what);
                // What stays at its level without knowing it would be measured as another.
                (!changed).then(|| format!("the level was changed {LEVELS} times: that is enough"))
            }
            Action::End(why) => Some(why),
        };
        if let Some(why) = over {
            self.note(&why);
            self.stopped = Some(self.elapsed());
            self.drain(Ended::Finished);
        }
    }

    /// Ends a warm-up that is over when the load is steady, or says that it did not become so.
    fn warm(&mut self, closed: usize) {
        let Some(mut warming) = self.warming.take() else { return };
        let Some(series) = &mut self.series else { return };
        let (now, bound) = (self.run.clock.now().since(self.start), self.plan.warmup);
        let rows = series.rows.get(series.rows.len() - closed..).unwrap_or_default();
        let steady = rows.iter().any(|row| {
            let per_second = row.replies as f64 / row.span.as_secs_f64().max(f64::MIN_POSITIVE);
            warming.second(per_second, row.response.p50)
        });
        // Whole seconds, as all rows are; every shard has to hear of it before.
        let at = Nanos((now + LEVEL_LEAD).0.div_ceil(SECOND.0) * SECOND.0);
        if at >= bound {
            let bound = bound.as_secs_f64();
            self.note(&format!("the warm-up ends at its bound of {bound} s: not steady before"));
        } else if steady && self.ended == Ended::Finished {
            let mut plan = Plan::clone(&self.plan);
            plan.warmup = at;
            let plan = Arc::new(plan);
            series.end_warmup(&plan);
            for shard in &self.shards {
                // A shard that has ended needs none.
                let _ended = shard.plans.send(plan.clone());
            }
            self.plan = plan;
            self.wake_all();
            self.note(&format!("the warm-up ends after {} s: {STEADY}", at.as_secs_f64()));
        } else {
            self.warming = Some(warming);
        }
    }

    /// Keeps the response times of requests by the second as well.
    fn block(&mut self, delta: &Delta) {
        let plan = self.plan.clone();
        let leaves = plan.leaves(Phase::Load);
        let requests = leaves.filter(|(leaf, _)| leaf.kind == Kind::Http).map(|(_, id)| id);
        let middle = Nanos((delta.from.0 + delta.to.0) / 2).since(self.start);
        self.total.block(middle.0 / SECOND.0, delta, requests);
    }

    /// Tells the observer how far the set-up is.
    fn pulse_set_up(&mut self) {
        let sum = |(done, all): (u64, u64), shard: &ShardHandle| {
            (done + shard.set_up.0, all + shard.set_up.1)
        };
        let set_up = Some(self.shards.iter().fold((0, 0), sum));
        let (elapsed, phase) = (Nanos::ZERO, "setup");
        (self.run.observer)(Pulse { elapsed, row: None, ended: 0, failed: 0, phase, set_up });
    }

    /// Tells the observer of the last `closed` seconds.
    fn pulse(&mut self, closed: usize) {
        let Some(series) = &self.series else { return };
        let (ended, failed) = self.total.leaves().fold((0, 0), |(ended, failed), (_, leaf)| {
            let failures = leaf.tally.failures();
            (ended + leaf.tally.ok + failures, failed + failures)
        });
        let elapsed = self.run.clock.now().since(self.start);
        let planned = self.plan.span();
        let over =
            matches!(self.ended, Ended::Interrupted { .. }) || elapsed > planned + LOOK.into();
        let plan = self.plan.clone();
        let phase = plan.phase_name(plan.phase_of_all(elapsed));
        let phase = if over { "draining" } else { phase };
        let rows = series.rows.get(series.rows.len() - closed..).unwrap_or_default();
        if rows.is_empty() {
            (self.run.observer)(Pulse { elapsed, row: None, ended, failed, phase, set_up: None });
        }
        for row in rows {
            (self.run.observer)(Pulse {
                elapsed,
                row: Some(row),
                ended,
                failed,
                phase,
                set_up: None,
            });
        }
    }

    /// The first signal drains, the second ends at once.
    fn heed_signals(&mut self) {
        match (self.run.interrupts)() {
            0 => {}
            1 if self.ended == Ended::Finished => {
                self.note("interrupted: draining");
                self.interrupt();
                self.pulse(0);
            }
            1 => {}
            _ if self.cut_short => {}
            _ => {
                self.cut_short = true;
                // Both may have come between two looks.
                if self.ended == Ended::Finished {
                    self.note("interrupted: draining");
                }
                self.note("interrupted again: what was in flight is aborted");
                if !matches!(self.ended, Ended::Interrupted { .. }) {
                    self.interrupt();
                }
                self.abort_at = Nanos::MAX;
                self.order(Order::Abort);
            }
        }
    }

    /// What the user orders: as long as the run goes on as planned.
    fn heed_commands(&mut self) {
        while let Some(command) = (self.run.commands)() {
            if self.ended != Ended::Finished {
                continue;
            }
            let share = match command {
                Command::Pause => 0,
                Command::Resume => self.share,
                Command::Level(thousandths) => {
                    self.share = thousandths;
                    thousandths
                }
            };
            let told = match command {
                Command::Pause => "paused".to_owned(),
                _ => format!("the level is {} % of the plan's from here on", share as f64 / 10.0),
            };
            if self.change_level(None, To::Share(share)) {
                self.note(&told);
                self.pulse(0);
            }
        }
    }

    /// Changes the level for all shards at one moment; false if that was done too often.
    fn change_level(&mut self, workload: Option<usize>, to: To) -> bool {
        if self.levels >= LEVELS {
            return false;
        }
        self.levels += 1;
        let level = Level { workload, at: self.run.clock.now() + LEVEL_LEAD, to };
        for shard in &self.shards {
            // A shard that has ended needs none.
            let _ended = shard.levels.send(level);
        }
        if let Some(series) = &mut self.series {
            series.change_level(&level);
        }
        self.wake_all();
        true
    }

    fn interrupt(&mut self) {
        let begun = self.start < Nanos::MAX;
        self.drain(Ended::Interrupted { at: begun.then(|| self.elapsed()) });
    }

    /// Since the start of the load.
    fn elapsed(&self) -> Nanos {
        self.run.clock.now().since(self.start)
    }

    fn order(&self, order: Order) {
        self.control.give(order);
        self.wake_all();
    }

    fn wake_all(&self) {
        self.shards.iter().filter_map(|shard| shard.waker.as_ref()).for_each(Waker::wake);
    }

    fn note(&mut self, what: &str) {
        self.note_at(self.run.clock.now(), what);
    }

    fn note_at(&mut self, at: Nanos, what: &str) {
        if self.events.len() < EVENTS {
            let at = at.since(self.start);
            self.events.push(TimelineEvent { at, what: what.to_owned() });
        }
    }

    fn outcome(mut self) -> Outcome {
        let Some(series) = self.series.take() else {
            unreachable!("a run that was begun has a series");
        };
        if series.rows_left_out > 0 {
            self.note(&format!("{} seconds are not in the series", series.rows_left_out));
        }
        if self.total.records.lost > 0 {
            self.note(&format!("{} operations are not in requests.jtl", self.total.records.lost));
        }
        let cpu = host::cpu_times().unwrap_or_default();
        let warm = self.start + self.plan.warmup;
        let end = self.total.last_end.max(warm);
        let by_time = |workload: &Workload| matches!(workload.until, Until::Elapsed(_));
        let asked = self.plan.span().since(self.plan.warmup);
        let duration = match &self.ended {
            // An hour asked for and waited for is an hour, even if its last seconds were idle.
            Ended::Finished
                if self.stopped.is_none() && self.plan.workloads.iter().all(by_time) =>
            {
                end.since(warm).max(asked)
            }
            _ => end.since(warm),
        };
        self.total.counts.overflows = self.ring.overflows;
        let trust = trust::judge(&trust::load_of(&self.plan), &series.windows, &self.totals());
        Outcome {
            started_at: self.started_at,
            duration,
            phases: self.phases(duration),
            trust,
            windows: series.judged(),
            searched: series.steering.and_then(|steering| steering.searched(self.plan.seed)),
            stopped: self.stopped,
            level_changes: self.levels,
            generator: Generator {
                cpu_user: cpu.user.since(self.cpu_before.user),
                cpu_sys: cpu.sys.since(self.cpu_before.sys),
                rss_peak_bytes: host::peak_memory().unwrap_or(0),
                rings: u32::try_from(self.shards.len()).unwrap_or(u32::MAX),
                connections_peak: series.connections_peak,
                cores: self.run.cores.to_vec(),
            },
            series: series.rows,
            ended: self.ended,
            total: self.total,
            tails: self.tails,
            events: self.events,
        }
    }

    fn phases(&self, duration: Nanos) -> Vec<PhaseSpan> {
        let warmup = self.plan.warmup;
        let load = PhaseSpan { phase: Phase::Load, from: warmup, to: warmup + duration };
        let warm = PhaseSpan { phase: Phase::Warmup, from: Nanos::ZERO, to: warmup };
        let mut phases = if warmup > Nanos::ZERO { vec![warm, load] } else { vec![load] };
        let named = self.plan.phases().filter(|phase| matches!(phase, Phase::Named(_)));
        phases.extend(named.filter_map(|phase| {
            // Those that the run did not come to are not there.
            let (from, to) = self.plan.window(phase)?;
            let (from, to) = (from.max(warmup), to.min(load.to));
            (from < to).then_some(PhaseSpan { phase, from, to })
        }));
        phases
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals {
            no_buffers: self.total.counts.no_buffers,
            overflows: self.ring.overflows,
            longest_stall: self.total.counts.longest_stall,
            little: Little::of(&self.total, self.start),
            broke: match &self.ended {
                Ended::Failed(why) => Some(why.clone()),
                _ => None,
            },
            ..Totals::default()
        };
        let leaves = self.plan.leaves(Phase::Load).filter_map(|(_, id)| self.total.get(id));
        for leaf in leaves {
            totals.replies += leaf.replies;
            totals.scheduled += leaf.tally.scheduled;
            totals.dropped += leaf.tally.dropped;
            totals.unreconciled = totals.unreconciled.or_else(|| leaf.tally.reconcile().err());
            let local = Failure::ALL.iter().filter(|failure| failure.side() == Side::Local);
            totals.local_failures +=
                local.map(|&failure| leaf.tally.failed_by(failure)).sum::<u64>();
        }
        totals
    }
}
