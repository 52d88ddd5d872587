//! A host that cannot run the load: one line with cause and remedy, before anything is sent.

use std::time::Duration;

use crate::kit::{Onslaught, Run, forbidding, is_root, shards, target};

/// Runs `http` on a target of its own, started in some way; nothing may reach the target.
fn refused(how: impl FnOnce(Onslaught) -> Onslaught) -> Run {
    let server = target("");
    let load = Onslaught::http(server.url("/health")).line("-d 2s");
    let run = how(load).within(Duration::from_secs(10)).run();
    assert_eq!(server.told()["requests"], 0, "something was sent{run}");
    assert!(!run.stderr.contains("panicked"), "{run}");
    run
}

#[test]
fn io_uring_forbidden() {
    shards([1, 2], |count| {
        let prefix = forbidding(&["io_uring_setup"]);
        let run = refused(|load| load.line("-c 4").shards(count).under(prefix));
        run.exits([113]).complains_of(["io_uring", "seccomp"]);
    });
}

/// `setpriv` takes away from root what lets it lock memory without a limit.
#[test]
fn memlock_too_small() {
    let drop = if is_root() {
        "set -- setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock \"$@\"; ulimit -l 64"
    } else {
        "ulimit -l 64"
    };
    shards([1, 2], |count| {
        let run = refused(|load| load.line("-c 4").shards(count).after(drop));
        run.exits([113]).complains_of(["memlock", "ulimit -l"]);
    });
}

#[test]
fn too_few_files() {
    shards([1, 2], |count| {
        let run = refused(|load| load.line("-c 256").shards(count).after("ulimit -n 64"));
        run.exits([113]).complains_of(["hard limit", "nofile", "ulimit -Hn"]);
    });
}

#[test]
fn a_soft_limit_of_files_is_raised() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::http(server.url("/health")).line("-c 256 -n 2560 -d 10s");
        let run = load.shards(count).after("ulimit -S -n 64").run().exits([0]);
        run.report().assert_clean();
    });
}

#[test]
fn cores_that_are_not_there() {
    let run = refused(|load| load.line("-c 4 --cores 999"));
    run.exits([2, 113]).complains_of(["999"]);
}

#[test]
fn cores_that_are_not_allowed() {
    let run = refused(|load| load.line("-c 4 --cores 1").under(["taskset", "-c", "0"]));
    run.exits([2, 113]).complains_of(["1"]);
}
