//! An observer of the host: a thread that only wants to wake up in time, on somebody's core.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::thread::{ClockId, CpuSet, clock_nanosleep_absolute, sched_setaffinity};
use rustix::time::{Timespec, clock_gettime};

/// A thread that notes how late it wakes up.
pub(crate) struct Bystander {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<i64>>,
}

/// Between two wake-ups: 500 of them in a second.
const PERIOD: i64 = 2_000_000;

const SECOND: i64 = 1_000_000_000;

/// Begins to watch a core.
pub(crate) fn bystander(core: usize) -> Bystander {
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    Bystander { stop, thread: std::thread::spawn(move || watch(core, &theirs)) }
}

impl Bystander {
    /// Ends it; gives the number of seconds in which one wake-up of a hundred, or more, was later
    /// than `limit` nanoseconds.
    pub(crate) fn late_seconds(self, limit: i64) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        let lateness = self.thread.join().expect("the bystander's thread");
        let per_second = usize::try_from(SECOND / PERIOD).expect("a count");
        let is_late = |second: &&[i64]| {
            let late = second.iter().filter(|&&late| late > limit).count();
            late * 100 >= second.len()
        };
        lateness.chunks(per_second).filter(is_late).count()
    }
}

fn watch(core: usize, stop: &AtomicBool) -> Vec<i64> {
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).expect("pin the bystander");
    let mut lateness = Vec::new();
    let mut due = now();
    while !stop.load(Ordering::SeqCst) {
        due += PERIOD;
        let at = Timespec { tv_sec: due / SECOND, tv_nsec: due % SECOND };
        clock_nanosleep_absolute(ClockId::Monotonic, &at).expect("sleep until a moment");
        lateness.push(now() - due);
    }
    lateness
}

fn now() -> i64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec * SECOND + time.tv_nsec
}
