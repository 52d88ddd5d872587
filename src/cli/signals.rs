//! SIGINT and SIGTERM, counted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How many signals to end have come so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupts {
    count: Arc<AtomicU32>,
}

impl Interrupts {
    /// Counts from now on, on a thread that ends with the process.
    pub(super) fn listen() -> io::Result<Self> {
        let interrupts = Self::default();
        let count = interrupts.count.clone();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for _ in signals.forever() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        })?;
        Ok(interrupts)
    }

    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }
}
