//! A minute at full speed: memory and descriptors stay where they are.

use std::time::Duration;

use crate::kit::{Onslaught, pause, shards, target};

/// A page cache here, a late buffer there; and each second adds a block of response times, 64 of
/// them at most, each of less than 64 KiB at such times. A leak of two bytes a request would be
/// more than both.
const ALLOWED_GROWTH: u64 = (1 << 20) + 35 * (64 << 10);

#[test]
#[ignore = "two minutes: tests/run --long"]
fn memory_stays_flat_at_full_speed() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::http(server.url("/health")).line("-c 256 -d 60s").shards(count);
        let load = load.within(Duration::from_secs(90)).start();
        pause(Duration::from_secs(20));
        let before = load.resident_bytes();
        pause(Duration::from_secs(35));
        let after = load.resident_bytes();
        assert!(after <= before + ALLOWED_GROWTH, "grew from {before} to {after} bytes");
        load.finish().exits([0]).report().assert_clean();
    });
}
