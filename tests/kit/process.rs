//! A child process: waited for without sleeping, measured at its end, never left behind.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::machine::{Machine, machine};
use super::wait::Stopwatch;

/// The kernel's clock ticks in `/proc/<pid>/stat` are hundredths of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// A running child.
pub(crate) struct Process {
    child: Child,
    pidfd: OwnedFd,
    name: String,
    unread: Vec<u8>,
    ended: bool,
    _machine: Machine,
}

/// How a child ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit {
    /// Its exit code, or minus the signal that ended it.
    pub(crate) code: i32,
    /// User and kernel time of all its threads.
    pub(crate) cpu: Duration,
}

impl Process {
    /// Starts it, without standard input.
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command, how_to_install: &str) -> Self {
        Self::spawn_reading(Stdio::null(), command, how_to_install)
    }

    /// Starts it with this as its standard input.
    #[track_caller]
    pub(crate) fn spawn_reading(from: Stdio, command: &mut Command, how_to_install: &str) -> Self {
        let machine = machine();
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(from).spawn().unwrap_or_else(|error| {
            panic!("cannot start {name}: {error}; {how_to_install}");
        });
        let pidfd = pidfd_open(pid_of(&child), PidfdFlags::empty()).expect("open a pidfd");
        Self { child, pidfd, name, unread: Vec::new(), ended: false, _machine: machine }
    }

    /// Its id.
    pub(crate) fn pid(&self) -> Pid {
        pid_of(&self.child)
    }

    /// Sends a signal to it alone.
    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("signal a child");
    }

    /// Sends a signal to it and to all its descendants.
    pub(crate) fn signal_all(&self, signal: Signal) {
        for pid in descendants(self.pid()) {
            // One that has just ended needs no signal.
            kill_process(pid, signal).ok();
        }
    }

    /// Waits for its end at most so long; none means that it still runs.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<Exit> {
        if !self.has_ended(limit) {
            return None;
        }
        // Ended, but not reaped yet: its accounts can still be read.
        let cpu = self.cpu();
        let status = self.child.wait().expect("reap a child");
        self.ended = true;
        Some(Exit { code: code(status), cpu })
    }

    /// Whether it ends within the limit; its end stays to be waited for.
    pub(crate) fn has_ended(&self, limit: Duration) -> bool {
        readable(&self.pidfd, limit)
    }

    /// User and kernel time until now.
    pub(crate) fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("read a child's stat");
        // The name in parentheses may hold anything; utime and stime are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
        let ticks: u32 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u32>().expect("a number of ticks"))
            .sum();
        TICK * ticks
    }

    /// Resident memory now.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("read a child's status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).expect("resident memory");
        kib.parse::<u64>().expect("a number") * 1024
    }

    /// Whether a signal has stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("read a child's stat");
        stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('T'))
    }

    /// Waits for a line on its standard output that begins with `prefix`, and gives the rest.
    #[track_caller]
    pub(crate) fn line(&mut self, prefix: &str, limit: Duration) -> String {
        let watch = Stopwatch::start();
        loop {
            if let Some(line) = take_line(&mut self.unread) {
                if let Some(rest) = line.strip_prefix(prefix) {
                    return rest.trim().to_owned();
                }
                continue;
            }
            let stdout = self.child.stdout.as_mut().expect("a piped standard output");
            let ready = readable(&stdout.as_fd(), watch.left(limit));
            assert!(ready, "{} did not print '{prefix}…' within {limit:?}", self.name);
            let mut bytes = [0; 4096];
            let count = stdout.read(&mut bytes).expect("read a child's output");
            assert!(count > 0, "{} ended without printing '{prefix}…'", self.name);
            self.unread.extend_from_slice(&bytes[..count]);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.signal_all(Signal::CONT);
        self.signal_all(Signal::KILL);
        // Nothing more can be done about an error.
        drop(self.child.wait());
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// A process and all below it, itself first.
fn descendants(pid: Pid) -> Vec<Pid> {
    let mut found = vec![pid];
    let path = format!("/proc/{pid}/task/{pid}/children", pid = pid.as_raw_nonzero());
    for child in std::fs::read_to_string(path).unwrap_or_default().split_whitespace() {
        if let Some(child) = child.parse().ok().and_then(Pid::from_raw) {
            found.extend(descendants(child));
        }
    }
    found
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().unwrap_or_default())
}

/// Whether there is something to read within the limit.
pub(crate) fn readable(fd: &impl AsFd, limit: Duration) -> bool {
    let limit = Timespec::try_from(limit).expect("a limit that fits");
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    poll(&mut fds, Some(&limit)).expect("poll") > 0
}

fn take_line(unread: &mut Vec<u8>) -> Option<String> {
    let end = unread.iter().position(|&byte| byte == b'\n')?;
    let line: Vec<u8> = unread.drain(..=end).collect();
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}
