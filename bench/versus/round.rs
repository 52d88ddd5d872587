//! Rounds: every tool once, one after the other, then again.

use std::fs::File;
use std::process::Command;
use std::time::Duration;

use super::cpu::Ticks;
use super::kit::process::Process;
use super::kit::tempdir::TempDir;
use super::kit::wait::Stopwatch;
use super::options::Options;
use super::targets::Target;
use super::tools::{Account, Tool};

/// One run of one tool.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The command line.
    pub(crate) line: String,
    /// What the tool says.
    pub(crate) account: Account,
    /// What it has used, by the kernel's account.
    pub(crate) cpu_s: f64,
    /// From its start to its end.
    pub(crate) wall_s: f64,
    /// The busy share of the generator's core.
    pub(crate) generator_busy: f64,
    /// The busy share of the target's core.
    pub(crate) target_busy: f64,
}

/// Every tool's samples of one round, in the order of the tools.
pub(crate) type Round = Vec<Sample>;

/// Runs all rounds.
pub(crate) fn rounds(
    options: &Options,
    tools: &[Tool],
    target: &Target,
    connections: u32,
) -> Vec<Round> {
    let line = |tool: &Tool| tool.line(options, target, connections);
    let round = |_| tools.iter().map(|tool| sample(options, tool, &line(tool))).collect();
    (0..options.rounds).map(round).collect()
}

fn sample(options: &Options, tool: &Tool, line: &[String]) -> Sample {
    let dir = TempDir::new();
    let (path, aside) = (dir.join("printed"), dir.join("aside"));
    let create = |path| File::create(path).expect("create a file for the output");
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).stdout(create(&path)).stderr(create(&aside));
    let cores = [options.generator_core, options.target_core];
    let before = cores.map(Ticks::of);
    let watch = Stopwatch::start();
    let mut process = Process::spawn(&mut command, "bench/run installs what it may");
    let limit = Duration::from_secs(u64::from(options.seconds) * 2 + 30);
    let exit = process.wait(limit).expect("a run that ends");
    let wall_s = watch.elapsed().as_secs_f64();
    let [generator, target] = cores.map(Ticks::of);
    let read = |path| std::fs::read_to_string(path).expect("read the output");
    let (printed, aside) = (read(&path), read(&aside));
    let line = line.join(" ");
    assert_eq!(exit.code, 0, "{line} failed:\n{printed}\n{aside}");
    let account = tool.account(&printed);
    let cpu_s = exit.cpu.as_secs_f64();
    assert_agrees(&line, account, cpu_s);
    Sample {
        line,
        account,
        cpu_s,
        wall_s,
        generator_busy: generator.busy_since(before[0]),
        target_busy: target.busy_since(before[1]),
    }
}

/// What a tool says of its own CPU time must be what the kernel says, but for its beginning and
/// end, and the kernel's ticks.
fn assert_agrees(line: &str, account: Account, cpu_s: f64) {
    let Some(own) = account.cpu_s else { return };
    let near = (own - cpu_s).abs() <= 0.05 * cpu_s + 0.05;
    assert!(near, "{line}: says {own} s of CPU, the kernel says {cpu_s} s");
}
