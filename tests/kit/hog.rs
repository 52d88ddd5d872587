//! Whoever else wants the core.

use std::process::{Command, Stdio};

use super::process::Process;

/// Busy loops on one core, preferred to everything else there as far as we may ask for it.
pub(crate) fn hogs(count: usize, core: usize) -> Vec<Process> {
    let core = core.to_string();
    let hog = || {
        let loop_forever = ["sh", "-c", "while :; do :; done"];
        let mut command = Command::new("nice");
        command.args(["-n", "-10", "taskset", "-c", &core]).args(loop_forever);
        // Without the right to a lower nice value `nice` says so there, and runs it all the same.
        command.stderr(Stdio::null());
        Process::spawn(&mut command, "nice and taskset come with coreutils and util-linux")
    };
    (0..count).map(|_| hog()).collect()
}
