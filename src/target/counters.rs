//! What a server has done, counted where other cores can read it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::misbehave::Lie;
use super::routes::Path;

/// One server's counters. Only that server writes them; any may read.
///
/// Aligned to two cache lines, because prefetching takes lines in pairs: servers never share one.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    by_path: [AtomicU64; Path::COUNTED.len()],
    lies: [AtomicU64; Lie::ALL.len()],
    accepted: AtomicU64,
    ended: AtomicU64,
    refused: AtomicU64,
    slow_heads: AtomicU64,
    overruns: AtomicU64,
    accept_errors: AtomicU64,
}

impl Counters {
    pub(super) fn request(&self, path: Path) {
        if let Some(counter) = self.by_path.get(path as usize) {
            add_one(counter);
        }
    }

    pub(super) fn lie(&self, lie: Lie) {
        add_one(&self.lies[lie as usize]);
    }

    pub(super) fn accepted(&self) {
        add_one(&self.accepted);
    }

    pub(super) fn ended(&self) {
        add_one(&self.ended);
    }

    pub(super) fn refused(&self) {
        add_one(&self.refused);
    }

    pub(super) fn slow_head(&self) {
        add_one(&self.slow_heads);
    }

    pub(super) fn overrun(&self) {
        add_one(&self.overruns);
    }

    pub(super) fn accept_error(&self) {
        add_one(&self.accept_errors);
    }
}

/// There is one writer, so adding needs no locked instruction.
fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// One server's own counters, and the sight of all.
#[derive(Clone, Debug)]
pub struct Share {
    own: Arc<Counters>,
    all: Arc<[Arc<Counters>]>,
}

impl Share {
    /// One share for each of so many servers.
    #[must_use]
    pub fn among(servers: usize) -> Vec<Self> {
        let all: Arc<[Arc<Counters>]> = (0..servers).map(|_| Arc::default()).collect();
        all.iter().map(|own| Self { own: Arc::clone(own), all: Arc::clone(&all) }).collect()
    }

    /// What all servers together have done.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(&self.all)
    }

    pub(super) fn own(&self) -> &Counters {
        &self.own
    }
}

/// The counters of several servers, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests served on each path of [`Path::COUNTED`], lies among them.
    pub by_path: [u64; Path::COUNTED.len()],
    /// Lies told, in the order of [`Lie::ALL`].
    pub lies: [u64; Lie::ALL.len()],
    /// Connections accepted.
    pub accepted: u64,
    /// Connections that have ended, by whichever side.
    pub ended: u64,
    /// Requests refused as malformed or too large; they are in no other count.
    pub refused: u64,
    /// Connections closed because a head took too long.
    pub slow_heads: u64,
    /// Connections closed because a limit was reached.
    pub overruns: u64,
    /// Times that accepting failed.
    pub accept_errors: u64,
}

impl Totals {
    /// Adds up what the servers have counted so far. Exact once they are at rest; a server that is
    /// busy meanwhile may be read a few requests behind.
    #[must_use]
    pub fn of(servers: &[Arc<Counters>]) -> Self {
        let mut sum = Self::default();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for server in servers {
            for (sum, counter) in sum.by_path.iter_mut().zip(&server.by_path) {
                *sum += read(counter);
            }
            for (sum, counter) in sum.lies.iter_mut().zip(&server.lies) {
                *sum += read(counter);
            }
            sum.accepted += read(&server.accepted);
            sum.ended += read(&server.ended);
            sum.refused += read(&server.refused);
            sum.slow_heads += read(&server.slow_heads);
            sum.overruns += read(&server.overruns);
            sum.accept_errors += read(&server.accept_errors);
        }
        sum
    }

    /// All requests served, `/count` left out.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.by_path.iter().sum()
    }

    /// How often a lie was told.
    #[must_use]
    pub const fn lies(&self, lie: Lie) -> u64 {
        self.lies[lie as usize]
    }

    /// The body of `/count`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let by_path = Path::COUNTED.iter().map(|path| path.name()).zip(self.by_path);
        let lies = Lie::ALL.iter().map(|lie| lie.name()).zip(self.lies);
        // The open ones are read from two counters, of which one may be behind.
        let open = self.accepted.saturating_sub(self.ended);
        format!(
            "{{\"requests\":{},\"by_path\":{},\"lies\":{},\
             \"connections\":{{\"accepted\":{},\"open\":{open}}},\
             \"refused\":{},\"slow_heads\":{},\"overruns\":{},\"accept_errors\":{}}}",
            self.requests(),
            object(by_path),
            object(lies),
            self.accepted,
            self.refused,
            self.slow_heads,
            self.overruns,
            self.accept_errors,
        )
    }
}

fn object<'a>(members: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut text = String::from("{");
    for (name, value) in members {
        let gap = if text.len() > 1 { "," } else { "" };
        let _ = write!(text, "{gap}\"{name}\":{value}");
    }
    text.push('}');
    text
}
