//! Merges what the shards hand over, starts and stops them, and makes the outcome.
//!
//! Runs on the caller's thread and wakes ten times a second: it watches for signals, and it may
//! take its time, because no shard ever waits for it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, SystemTime};

use glommio::ExecutorJoinHandle;

use super::control::{Command, Control, Level, Message, News, Order};
use super::driver::{self, Assignment};
use super::host;
use super::limits::{AHEAD, DELTAS_WAITING, EVENTS, GRACE};
use super::outcome::{Ended, Outcome, Row, TimelineEvent};
use super::series::Series;
use super::steering::Steering;
use crate::metrics::{Delta, Record, Tails};
use crate::net::ring::{RingCounts, Waker};
use crate::plan::{Kind, Phase, Plan};
use crate::stdx::{Clock, Nanos, clock};
use crate::verdict::steady::Steady;

mod ending;
mod orders;

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
}
