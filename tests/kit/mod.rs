//! What integration tests stand on: the binary, real servers, a liar, and typed results.
//!
//! Does:  starts processes and ends them by their id, whatever the test does; bounds every wait;
//!        holds every summary that is read to the accounting identities.
//! Gives: [`Onslaught`] runs the binary; [`nginx`], [`node`], [`python`], [`target`], [`gateway`]
//!        and the echoes serve; [`liar`] speaks scripted bytes; [`trial`] is a small scenario;
//!        [`shards`] repeats a test per number of shards.
//! Why so: a test of this house is five lines long, and none of them is about set-up.

mod bare;
mod bystander;
mod cli;
mod counts;
mod hog;
mod http;
mod joined;
mod liar;
mod machine;
mod nginx;
mod ports;
mod process;
mod report;
mod scenarios;
mod scripts;
mod target;
mod tempdir;
mod terminal;
mod wait;

pub(crate) use bare::bare;
pub(crate) use bystander::bystander;
pub(crate) use cli::{Onslaught, Run, Running};
pub(crate) use counts::Counts;
pub(crate) use hog::hogs;
pub(crate) use joined::{Joined, joined};
pub(crate) use liar::{Reply, liar};
pub(crate) use machine::{cores, is_root};
pub(crate) use nginx::{Nginx, nginx};
pub(crate) use ports::{established, free_port, full_backlog};
pub(crate) use report::Report;
pub(crate) use scenarios::{api, status, trial};
pub(crate) use scripts::{
    Server, echo_node, echo_python, forbidding, gateway, node, prove, python, python_module,
};
pub(crate) use target::{Target, target, target_at};
pub(crate) use tempdir::TempDir;
pub(crate) use terminal::{Terminal, terminal};
pub(crate) use wait::{Stopwatch, pause, until};

/// Runs a load until nobody else was on its cores, four times at most; the last one is given.
///
/// What a verdict says of a target can only be tested where the verdict is not about a neighbour.
pub(crate) fn undisturbed(run: impl Fn() -> Run) -> Run {
    let disturbed = |run: &Run| {
        let reasons = run.report().at("/trust/reasons").to_string();
        ["something else ran on it", "stood still", "left late"]
            .iter()
            .any(|it| reasons.contains(it))
    };
    let mut last = run();
    for _ in 0..3 {
        if !disturbed(&last) {
            break;
        }
        last = run();
    }
    last
}

/// Runs a test once for each number of shards, and says which one it was when it fails.
pub(crate) fn shards<const N: usize>(counts: [u32; N], test: impl Fn(u32)) {
    for count in counts {
        eprintln!("with -t {count}:");
        test(count);
    }
}
