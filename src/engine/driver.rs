//! Drives one shard: a glommio executor on one core, whose only task waits in the ring.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use glommio::{ExecutorJoinHandle, LocalExecutorBuilder, Placement};

use super::control::{Control, Level, Message, News, Order};
use super::limits::{DELTAS_WAITING, SPIN, STALL, YIELD_EVERY};
use super::shard::{Next, Shard};
use crate::metrics::Delta;
use crate::net::ring::{Ring, RingError, RingOptions};
use crate::plan::Plan;
use crate::stdx::{Clock, Nanos};

/// All that one shard's thread needs.
pub(super) struct Assignment {
    pub(super) shard: u32,
    pub(super) core: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) clock: Clock,
    /// Whether every operation is to be recorded.
    pub(super) keep_records: bool,
    pub(super) control: Arc<Control>,
    pub(super) collector: SyncSender<Message>,
    /// Changes of the level, in the order of their times.
    pub(super) levels: Receiver<Level>,
    /// The plan with the end of its warm-up found.
    pub(super) plans: Receiver<Arc<Plan>>,
    /// Emptied deltas come back here.
    pub(super) spares: Receiver<Box<Delta>>,
}

/// Why a shard stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriverError {
    #[error(transparent)]
    Ring(#[from] RingError),
    #[error("waiting in the ring failed: {0}")]
    Wait(std::io::Error),
}

/// How often the collector is told how far the set-up is.
const PROGRESS_EVERY: Nanos = Nanos::from_millis(100);

/// Seconds of the series are aligned over all shards.
const SECOND: Nanos = Nanos::from_secs(1);

/// Starts the shard's thread on its core.
pub(super) fn launch(assignment: Assignment) -> Result<ExecutorJoinHandle<()>, String> {
    let name = format!("shard-{}", assignment.shard);
    let core = assignment.core;
    let herald = Herald { shard: assignment.shard, collector: assignment.collector.clone() };
    // The smallest executor that glommio makes: every socket and every wait is in our ring.
    LocalExecutorBuilder::new(Placement::Fixed(core))
        .name(&name)
        .ring_depth(16)
        .io_memory(64 * 1_024)
        .preempt_timer(Duration::from_millis(10))
        .spawn(move || async move {
            let herald = herald;
            let news = match Driver::new(assignment) {
                Ok(driver) => driver.run().await,
                Err(error) => Err(error),
            };
            herald.tell(news.unwrap_or_else(|error| News::Failed(error.to_string())));
        })
        .map_err(|error| format!("the executor of core {core} could not be started: {error}"))
}

/// Tells the collector of the shard's end, also if its executor ends before it runs.
struct Herald {
    shard: u32,
    collector: SyncSender<Message>,
}

impl Herald {
    fn tell(&self, news: News) {
        // If the collector is gone, nobody is left to be told.
        drop(self.collector.send(Message { shard: self.shard, news }));
    }
}

impl Drop for Herald {
    fn drop(&mut self) {
        self.tell(News::Gone);
    }
}

struct Driver {
    assignment: Assignment,
    ring: Ring,
    shard: Shard,
    /// When the delta is handed over next.
    hand_over_at: Nanos,
    /// Deltas that the collector holds.
    handed_over: usize,
    obeyed: Order,
    told_ready: bool,
    /// When the collector is told next how far the set-up is.
    progress_at: Nanos,
}

impl Driver {
    fn new(assignment: Assignment) -> Result<Self, DriverError> {
        let Assignment { shard, plan, clock, .. } = &assignment;
        let share = u32::try_from(plan.sockets_of(*shard)).unwrap_or(u32::MAX);
        let ring = Ring::new(RingOptions::for_slots(share.max(1)))?;
        let mut shard = Shard::new(plan.clone(), *shard, clock.now());
        shard.set_wall_clock(clock.wall_at_zero());
        if assignment.keep_records {
            shard.keep_records();
        }
        Ok(Self {
            ring,
            shard,
            hand_over_at: Nanos::MAX,
            handed_over: 0,
            obeyed: Order::Run,
            told_ready: false,
            progress_at: Nanos::ZERO,
            assignment,
        })
    }

    async fn run(mut self) -> Result<News, DriverError> {
        let clock = self.assignment.clock;
        let thread = rustix::thread::gettid().as_raw_nonzero().get();
        self.tell(News::Up { thread, waker: self.ring.waker() });
        let (mut wake_at, mut precise) = (Some(Nanos::ZERO), false);
        let (mut now, mut yielded) = (clock.now(), clock.now());
        loop {
            let until = wake_at.map_or(self.hand_over_at, |at| at.min(self.hand_over_at));
            let before = clock.now();
            // The last of the wait is spun through: many short looks.
            let spins = precise && until.since(before) <= SPIN;
            let until = match precise {
                true if spins => before,
                true => Nanos(until.0 - SPIN.0),
                false => until,
            };
            let bounded = Some(until).filter(|at| *at < Nanos::MAX);
            self.ring.wait(before, bounded).map_err(DriverError::Wait)?;
            let last = std::mem::replace(&mut now, clock.now());
            // Neither a turn nor what a wait takes beyond its end is ever long.
            let stall = before.since(last).max(now.since(until.max(before)));
            if stall >= STALL {
                self.shard.stood_still(stall);
            }
            let next = self.turn(now);
            (wake_at, precise) = (next.wake_at, next.precise);
            if spins {
                self.shard.spun(now.since(before));
            }
            if self.ring.take_woken() {
                self.obey(now);
                wake_at = Some(now);
                continue;
            }
            if !self.told_ready {
                self.tell_progress(now, next.ready);
            }
            if now >= self.hand_over_at {
                self.hand_over(now);
            }
            if next.finished {
                return Ok(self.finish(now));
            }
            if now.since(yielded) >= YIELD_EVERY {
                yielded = now;
                glommio::executor().yield_task_queue_now().await;
            }
        }
    }

    /// Before the load: how far the set-up is, now and then.
    fn tell_progress(&mut self, now: Nanos, ready: bool) {
        if ready {
            self.told_ready = true;
            self.tell(News::Ready { unable: self.shard.unable() });
        } else if now >= self.progress_at
            && let Some((done, all)) = self.shard.set_up_progress()
        {
            self.progress_at = now + PROGRESS_EVERY;
            let news = News::SettingUp { done, all };
            // A collector that is behind misses one, and hears of the next.
            drop(
                self.assignment.collector.try_send(Message { shard: self.assignment.shard, news }),
            );
        }
    }

    fn turn(&mut self, now: Nanos) -> Next {
        let (mut completions, mut submissions) = self.ring.split();
        self.shard.turn(now, &mut completions, &mut submissions)
    }

    /// Does what the collector has ordered since the last look.
    fn obey(&mut self, now: Nanos) {
        let control = self.assignment.control.clone();
        if self.hand_over_at == Nanos::MAX
            && let Some(start) = control.start()
        {
            self.shard.begin(start);
            self.hand_over_at = start + SECOND;
        }
        while let Ok(level) = self.assignment.levels.try_recv() {
            let (_, mut submissions) = self.ring.split();
            self.shard.change_level(&level, now, &mut submissions);
        }
        while let Ok(plan) = self.assignment.plans.try_recv() {
            self.shard.end_warmup(plan, now);
        }
        let order = control.order();
        if order >= Order::Drain && self.obeyed < Order::Drain {
            let (_, mut submissions) = self.ring.split();
            self.shard.stop(now, &mut submissions);
        }
        if order >= Order::Abort && self.obeyed < Order::Abort {
            let (_, mut submissions) = self.ring.split();
            self.shard.abort(now, &mut submissions);
        }
        self.obeyed = order;
    }

    /// Hands the second over, unless the collector is far behind: then the next one is longer.
    fn hand_over(&mut self, now: Nanos) {
        let behind = now.since(self.hand_over_at).0 / SECOND.0 + 1;
        self.hand_over_at += Nanos(behind * SECOND.0);
        let spare = self.assignment.spares.try_recv().ok();
        self.handed_over -= usize::from(spare.is_some());
        if self.handed_over < DELTAS_WAITING {
            let (recorder, gauges) = self.shard.recorder();
            let delta = recorder.hand_over(spare.unwrap_or_default(), now, gauges);
            self.handed_over += 1;
            self.tell(News::Delta(delta));
        }
    }

    fn finish(mut self, now: Nanos) -> News {
        let (recorder, gauges) = self.shard.recorder();
        let delta = recorder.hand_over(Box::default(), now, gauges);
        let tails = self.shard.take_tails();
        News::Finished { delta, ring: self.ring.counts(), tails }
    }

    fn tell(&self, news: News) {
        let message = Message { shard: self.assignment.shard, news };
        // Room for all that can wait is there by construction.
        let told = self.assignment.collector.try_send(message);
        debug_assert!(told.is_ok(), "{told:?}");
    }
}
