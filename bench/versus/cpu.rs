//! Cores: who runs where, and how busy each was.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Starts something that stays on one core: children inherit the mask of their parent.
pub(crate) fn pinned<T>(core: usize, start: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None).expect("read the affinity mask");
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).expect("pin to a core");
    let started = start();
    sched_setaffinity(None, &before).expect("unpin");
    started
}

/// What a core has done since the host started, in ticks.
#[derive(Clone, Copy)]
pub(crate) struct Ticks {
    busy: u64,
    all: u64,
}

impl Ticks {
    /// Of one core, now.
    pub(crate) fn of(core: usize) -> Self {
        let stat = std::fs::read_to_string("/proc/stat").expect("read /proc/stat");
        let name = format!("cpu{core} ");
        let line = stat.lines().find_map(|line| line.strip_prefix(&name)).expect("the core's line");
        let fields = line.split_whitespace().map(|field| field.parse().expect("ticks"));
        // user nice system idle iowait irq softirq steal; guests are in user already.
        let ticks: Vec<u64> = fields.take(8).collect();
        let all = ticks.iter().sum();
        Self { busy: all - ticks[3] - ticks[4], all }
    }

    /// The share of the time since an earlier reading in which the core was busy.
    pub(crate) fn busy_since(self, earlier: Self) -> f64 {
        let busy = u32::try_from(self.busy - earlier.busy).expect("ticks of one run");
        let all = u32::try_from(self.all - earlier.all).expect("ticks of one run");
        f64::from(busy) / f64::from(all.max(1))
    }
}
