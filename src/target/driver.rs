//! Turns one server on its own ring, until it fails or standard input ends.

use std::io;

use super::run::Shard;
use crate::net::ring::{Ring, RingOptions};

/// Connections that one server holds at most; the limit of open files may allow fewer.
const MOST_CONNECTIONS: u32 = 1 << 16;

/// Descriptors left for everything that is no connection.
const OWN_FILES: u64 = 64;

/// Serves on the calling thread.
///
/// # Errors
/// When the ring cannot be made, or waiting in it fails.
pub fn drive(shard: Shard) -> io::Result<()> {
    let mut server = shard.server();
    let Shard { listener, clock, journal, .. } = shard;
    let mut ring = Ring::new(RingOptions::for_slots(slots())).map_err(io::Error::other)?;
    let number = ring.add_listener(listener);
    debug_assert_eq!(number, Shard::LISTENER);
    let mut wake_at = Some(clock.now());
    loop {
        ring.wait(clock.now(), wake_at)?;
        let (mut completions, mut submissions) = ring.split();
        let now = clock.now();
        wake_at = server.turn(now, &mut completions, &mut submissions).wake_at;
        if let Some(outlet) = &journal
            && let Some(due) = server.hand_over(now, outlet)
        {
            wake_at = Some(wake_at.map_or(due, |at| at.min(due)));
        }
    }
}

/// As many as the soft limit of open files lets a ring have.
fn slots() -> u32 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let slots = limit.unwrap_or(u64::MAX).saturating_sub(OWN_FILES);
    u32::try_from(slots).unwrap_or(u32::MAX).clamp(1, MOST_CONNECTIONS)
}
