//! The host that tests share: one measured thing at a time, and which cores there are.

use std::cell::RefCell;
use std::fs::File;
use std::rc::{Rc, Weak};

/// Held by whatever loads the host: while one test thread has it, the others wait.
pub(crate) type Machine = Rc<File>;

thread_local! {
    static HELD: RefCell<Weak<File>> = const { RefCell::new(Weak::new()) };
}

/// Waits for the host and holds it until the last clone of this thread is dropped.
///
/// A lock on a file, so that two test binaries at once keep apart too.
pub(crate) fn machine() -> Machine {
    HELD.with_borrow_mut(|held| {
        held.upgrade().unwrap_or_else(|| {
            let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/machine.lock");
            let file = File::create(path).expect("create the machine's lock file");
            file.lock().expect("lock the machine");
            let file = Rc::new(file);
            *held = Rc::downgrade(&file);
            file
        })
    })
}

/// The cores that this process may use, lowest first; a test that pins needs two.
pub(crate) fn cores() -> Vec<usize> {
    let mask = rustix::thread::sched_getaffinity(None).expect("read the affinity mask");
    let cores: Vec<usize> = (0..1024).filter(|&core| mask.is_set(core)).collect();
    assert!(cores.len() >= 2, "these tests need two cores, the mask allows {cores:?}");
    cores
}

/// Whether capabilities can be dropped and nice values lowered.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
