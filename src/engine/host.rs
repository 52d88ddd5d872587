//! What this process costs its host, read from procfs by the collector, never by a shard.

use std::fs;
use std::path::{Path, PathBuf};

use crate::stdx::Nanos;

/// CPU time of the process so far: in user space, in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CpuTimes {
    pub(super) user: Nanos,
    pub(super) sys: Nanos,
}

/// Of a thread, since it began: on a core, and ready but waiting for one
/// (`/proc/self/task/*/schedstat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ThreadTimes {
    pub(super) ran: Nanos,
    pub(super) waited: Nanos,
}

/// Clock ticks per second in procfs: the kernel's constant for user space.
const TICK: Nanos = Nanos::from_millis(10);

/// `None` where procfs does not say.
pub(super) fn cpu_times() -> Option<CpuTimes> {
    parse_stat(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// `None` where procfs does not say, or the thread is gone.
pub(super) fn thread_times(thread: i32) -> Option<ThreadTimes> {
    parse_schedstat(&fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?)
}

/// Peak resident memory, in bytes.
pub(super) fn peak_memory() -> Option<u64> {
    parse_peak(&fs::read_to_string("/proc/self/status").ok()?)
}

/// Time that the hypervisor took from these cores.
pub(super) fn stolen(cores: &[usize]) -> Option<Nanos> {
    Some(parse_stolen(&fs::read_to_string("/proc/stat").ok()?, cores))
}

/// The CPU quotas that hold for this process: those of its control group and of all above it
/// (cgroups(7), `cpu.stat`).
#[derive(Debug)]
pub(super) struct Quota {
    /// Their statistics, nearest first.
    stats: Vec<PathBuf>,
}

/// Control groups within each other that are looked at: the kernel's own default limit on depth is
/// none, but nobody's hierarchy is deeper.
const DEPTH: usize = 32;

impl Quota {
    /// Empty where there is no control group, or none with statistics.
    pub(super) fn of_this_process() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let stats = stats_of(&groups).into_iter().filter(|path| path.is_file());
        Self { stats: stats.collect() }
    }

    /// For how long quotas have kept tasks from cores so far, over all cores: the largest of all.
    pub(super) fn throttled(&self) -> Nanos {
        let read = |path: &PathBuf| Some(parse_throttled(&fs::read_to_string(path).ok()?));
        self.stats.iter().filter_map(read).max().unwrap_or(Nanos::ZERO)
    }
}

/// Where statistics of CPU quotas may lie: version 2 mixed or alone, version 1.
fn stats_of(groups: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(group)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let root = if controllers.is_empty() {
            PathBuf::from("/sys/fs/cgroup")
        } else if controllers.split(',').any(|name| name == "cpu") {
            Path::new("/sys/fs/cgroup").join(controllers)
        } else {
            continue;
        };
        let group = root.join(group.trim_start_matches('/'));
        let within = group.ancestors().take(DEPTH).take_while(|path| path.starts_with(&root));
        found.extend(within.map(|path| path.join("cpu.stat")));
    }
    found
}

/// Version 2 says `throttled_usec`, version 1 `throttled_time` in nanoseconds.
fn parse_throttled(stat: &str) -> Nanos {
    let value = |line: &str, key: &str| line.strip_prefix(key)?.trim().parse::<u64>().ok();
    let line = |line: &str| {
        let micros = value(line, "throttled_usec ").map(Nanos::from_micros);
        micros.or_else(|| value(line, "throttled_time ").map(Nanos))
    };
    stat.lines().find_map(line).unwrap_or(Nanos::ZERO)
}

fn parse_stat(stat: &str) -> Option<CpuTimes> {
    // The second field, the name, may hold anything; the rest begins behind its parenthesis.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (user, sys) = (ticks()?, ticks()?);
    Some(CpuTimes { user: Nanos(user * TICK.0), sys: Nanos(sys * TICK.0) })
}

fn parse_schedstat(schedstat: &str) -> Option<ThreadTimes> {
    let mut fields = schedstat.split_ascii_whitespace().map(str::parse);
    let (ran, waited) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some(ThreadTimes { ran: Nanos(ran), waited: Nanos(waited) })
}

fn parse_peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

fn parse_stolen(stat: &str, cores: &[usize]) -> Nanos {
    let of_core = |line: &str| {
        let (name, rest) = line.strip_prefix("cpu")?.split_once(' ')?;
        let core: usize = name.parse().ok()?;
        let steal: u64 = rest.split_ascii_whitespace().nth(7)?.parse().ok()?;
        cores.contains(&core).then_some(steal * TICK.0)
    };
    Nanos(stat.lines().filter_map(of_core).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let stat = "42 (a) b) R 1 2 3 4 5 6 7 8 9 10 150 75 0 0 20 0 1 0 100 1 1";
        let times = CpuTimes { user: Nanos::from_millis(1_500), sys: Nanos::from_millis(750) };
        assert_eq!(parse_stat(stat), Some(times));
        let times = ThreadTimes { ran: Nanos(123), waited: Nanos(45) };
        assert_eq!(parse_schedstat("123 45 6\n"), Some(times));
        assert_eq!(parse_peak("Name:\tx\nVmHWM:\t    2048 kB\n"), Some(2 << 20));
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 1 1 1 1 1 1 7 0 0\ncpu1 1 1 1 1 1 1 1 5 0 0\n";
        assert_eq!(parse_stolen(stat, &[1]), Nanos::from_millis(50));
    }

    #[test]
    fn quotas_are_those_of_all_groups_above() {
        let stats = stats_of("3:cpu,cpuacct:/a\n2:memory:/a\n0::/user.slice/x\n");
        let expected = [
            "/sys/fs/cgroup/cpu,cpuacct/a/cpu.stat",
            "/sys/fs/cgroup/cpu,cpuacct/cpu.stat",
            "/sys/fs/cgroup/user.slice/x/cpu.stat",
            "/sys/fs/cgroup/user.slice/cpu.stat",
            "/sys/fs/cgroup/cpu.stat",
        ];
        assert_eq!(stats, expected.map(PathBuf::from));
        assert_eq!(stats_of("nonsense\n"), Vec::<PathBuf>::new());
        let v2 = "usage_usec 5\nnr_periods 9\nnr_throttled 2\nthrottled_usec 7000\n";
        assert_eq!(parse_throttled(v2), Nanos::from_millis(7));
        let v1 = "nr_periods 9\nnr_throttled 2\nthrottled_time 7000\n";
        assert_eq!(parse_throttled(v1), Nanos(7_000));
        assert_eq!(parse_throttled("usage_usec 5\n"), Nanos::ZERO);
    }

    #[test]
    fn garbage_is_no_answer() {
        assert_eq!(parse_stat("1 (x) R 1"), None);
        assert_eq!(parse_schedstat("x y"), None);
        assert_eq!(parse_peak("VmHWM: lots\n"), None);
    }

    #[test]
    fn this_process_has_an_answer() {
        assert!(cpu_times().is_some() && peak_memory().is_some_and(|bytes| bytes > 0));
    }
}
