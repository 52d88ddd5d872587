//! SIGINT and SIGTERM, counted; SIGUSR1 and SIGUSR2, the last of them kept.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

/// What signals ask of a running load. Two signals rather than one that goes to and fro: a script
/// that says twice what it wants gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Wish {
    /// SIGUSR1: let nothing new fall due.
    Pause = 1,
    /// SIGUSR2: go on.
    GoOn,
}

/// How many signals to end have come so far, and what others asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupts {
    count: Arc<AtomicU32>,
    wish: Arc<AtomicU8>,
}

impl Interrupts {
    /// Counts from now on, on a thread that ends with the process.
    pub(super) fn listen() -> io::Result<Self> {
        let interrupts = Self::default();
        let Self { count, wish } = interrupts.clone();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2])?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGUSR1 => wish.store(Wish::Pause as u8, Ordering::Relaxed),
                    SIGUSR2 => wish.store(Wish::GoOn as u8, Ordering::Relaxed),
                    _ => {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        })?;
        Ok(interrupts)
    }

    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// What was asked for last, told once.
    pub(super) fn wish(&self) -> Option<Wish> {
        match self.wish.swap(0, Ordering::Relaxed) {
            1 => Some(Wish::Pause),
            2 => Some(Wish::GoOn),
            _ => None,
        }
    }
}
