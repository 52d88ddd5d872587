//! A terminal with somebody at it: keys are pressed, and what is shown can be read.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

use super::process::readable;

/// A pseudo terminal of 120 columns.
pub(crate) struct Terminal {
    /// Where the person sits.
    person: OwnedFd,
    /// Where the process sits.
    process: OwnedFd,
    shown: RefCell<String>,
}

/// A terminal that nobody uses yet.
#[track_caller]
pub(crate) fn terminal() -> Terminal {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("open a terminal");
    grantpt(&person).expect("grant a terminal");
    unlockpt(&person).expect("unlock a terminal");
    let name = ptsname(&person, Vec::new()).expect("a terminal's name");
    let name = name.into_string().expect("a name in UTF-8");
    let size = Winsize { ws_row: 24, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&person, size).expect("size a terminal");
    let noctty = i32::try_from(OFlags::NOCTTY.bits()).expect("a flag");
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, noctty);
    let process = options.read(true).write(true).open(name).expect("open a terminal's other end");
    Terminal { person, process: process.into(), shown: RefCell::default() }
}

impl Terminal {
    /// The end that a process takes for its standard streams.
    #[track_caller]
    pub(super) fn end(&self) -> OwnedFd {
        self.process.try_clone().expect("duplicate a descriptor")
    }

    /// Presses keys.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        let written = rustix::io::write(&self.person, keys.as_bytes()).expect("press keys");
        assert_eq!(written, keys.len(), "a terminal takes so few keys at once");
    }

    /// Whether this was ever shown.
    pub(crate) fn has_shown(&self, text: &str) -> bool {
        let mut shown = self.shown.borrow_mut();
        let mut bytes = [0; 4096];
        while readable(&self.person, Duration::ZERO) {
            let count = rustix::io::read(&self.person, &mut bytes).unwrap_or(0);
            if count == 0 {
                break;
            }
            shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        shown.contains(text)
    }

    /// How it treats what is typed and written, to be compared.
    #[track_caller]
    pub(crate) fn modes(&self) -> String {
        format!("{:?}", tcgetattr(&self.process).expect("a terminal's modes"))
    }
}
