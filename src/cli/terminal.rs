//! The terminal while keys are read from it: no echo, no lines, and as it was on every way out.
//!
//! It is as it was when the run ends, when a thread panics (release builds abort there), when the
//! process is stopped by Ctrl-Z, and when Ctrl-\ ends it. Ctrl-C stays a signal all along. In the
//! background, where touching the terminal would stop the process, it is left alone.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use signal_hook::consts::{SIGQUIT, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// The modes that the terminal had.
static BEFORE: OnceLock<Termios> = OnceLock::new();

/// Whether it has ours now.
static OURS: AtomicBool = AtomicBool::new(false);

/// Whether the process is about to stop: until it goes on the modes stay as they were.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Bytes that one look reads at most; who types or pastes more is read at the next looks.
const BYTES: usize = 64;

/// Standard input, a terminal that gives keys instead of lines. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Terminal(());

impl Terminal {
    /// Standard input, if it is a terminal whose modes can be kept.
    pub(super) fn open() -> Option<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        let modes = tcgetattr(&stdin).ok()?;
        // Of a second run of the same process: the modes are those from before the first.
        BEFORE.get_or_init(|| modes);
        restore_when_stopped().ok()?;
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
        Some(Self(()))
    }

    /// The keys that have been pressed since the last look; none when nobody may be asked, at most
    /// 64. Never waits. What terminals send for arrows and function keys is left out.
    pub(super) fn keys(&self, into: &mut Vec<u8>) {
        into.clear();
        let stdin = io::stdin();
        if !take() {
            return;
        }
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        if poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0) {
            let mut bytes = [0; BYTES];
            // Its other end is gone, or a signal came: there will be another look.
            let count = rustix::io::read(&stdin, &mut bytes).unwrap_or(0);
            let keys = bytes[..count].split(|byte| *byte == b'\x1b').next();
            into.extend_from_slice(keys.unwrap_or_default());
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the terminal is ours to read, with our modes; again after a stop, too.
fn take() -> bool {
    if LEAVING.load(Ordering::Acquire) || !is_foreground() {
        return false;
    }
    if OURS.load(Ordering::Acquire) {
        return true;
    }
    let Some(before) = BEFORE.get() else { return false };
    let mut modes = before.clone();
    modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    // Before it is so: whatever ends us in between, the modes are given back.
    OURS.store(true, Ordering::Release);
    tcsetattr(io::stdin(), OptionalActions::Now, &modes).is_ok()
}

/// Gives the terminal its modes back, if they are ours.
fn restore() {
    if OURS.swap(false, Ordering::AcqRel)
        && is_foreground()
        && let Some(before) = BEFORE.get()
    {
        // A terminal that is gone needs none.
        let _given_back = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }
}

/// Whether the terminal listens to this process: else a read would stop it.
fn is_foreground() -> bool {
    tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Ctrl-Z and Ctrl-\ do what they always do, with the terminal as it was.
fn restore_when_stopped() -> io::Result<()> {
    let mut signals = Signals::new([SIGTSTP, SIGQUIT])?;
    std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
        for signal in signals.forever() {
            LEAVING.store(true, Ordering::Release);
            restore();
            // Returns when the process goes on; what cannot be done leaves it running.
            drop(emulate_default_handler(signal));
            LEAVING.store(false, Ordering::Release);
        }
    })?;
    Ok(())
}
