//! Waiting, always bounded.

use std::time::{Duration, Instant};

/// Time since its making.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' one clock; nothing of ours runs on it"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// What has passed.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of `limit`, nothing when it has passed.
    pub(crate) fn left(self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }
}

/// Asks until the answer is yes; fails with `what` after `limit`.
#[track_caller]
pub(crate) fn until(what: &str, limit: Duration, mut answer: impl FnMut() -> bool) {
    let watch = Stopwatch::start();
    while !answer() {
        assert!(watch.elapsed() < limit, "waited {limit:?} in vain for: {what}");
        pause(Duration::from_millis(2));
    }
}

/// Lets time pass where the length itself is what a test is about (a target stopped for 1 s), and
/// between two looks at what cannot be waited for: `/proc`, and the files of other programs.
#[expect(clippy::disallowed_methods, reason = "no event tells of these; every caller is bounded")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
