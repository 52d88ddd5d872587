//! Work that blocks (names, first connects) without keeping a signal waiting.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::signals::Interrupts;

/// How often a waiting thread looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// The result of `work`, or nothing when a signal came first; then the work goes on in a thread
/// that ends with the process.
pub(super) fn unless_interrupted<T: Send + 'static>(
    interrupts: &Interrupts,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = sync_channel(1);
    let thread = std::thread::Builder::new().name("blocking".to_owned());
    // When nobody waits any more, the result is for nobody.
    let started = thread.spawn(move || drop(done.send(work())));
    started.ok()?;
    loop {
        match result.recv_timeout(LOOK) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Timeout) if interrupts.count() == 0 => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
    }
}
