//! Arguments, subcommands, exit codes: wiring only.
//!
//! Gives:      [`run`], the whole program.
//! Neighbours: everything.

mod ahead;
mod args;
mod blocking;
mod check;
mod demo;
mod example;
mod files;
mod fit;
mod http;
mod job;
mod keys;
mod plan;
mod probes;
mod problems;
mod run;
mod signals;
mod target;
mod terminal;
mod ws;

use std::io::Write as _;

use clap::Parser;

use crate::doctor::Cores;
use crate::report::ExitCode;
use args::{Cli, Command};

/// Runs the program with the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let allowed = match Cores::allowed() {
        Ok(allowed) => allowed,
        Err(error) => return refuse(ExitCode::Unreachable, &error),
    };
    match cli.command {
        Command::Http(args) => load(http::understand(&args, &allowed), &allowed),
        Command::Check(args) => check::check(&args),
        Command::Demo(args) => demo::demo(&args, &allowed),
        Command::Example(args) => example::example(&args),
        Command::Fit(args) => fit::fit(&args),
        Command::Plan(args) => plan::plan(&args, &allowed),
        Command::Presets => example::presets(),
        Command::Run(args) => run::run(&args, &allowed),
        Command::Target(args) => target::serve(&args, &allowed),
        Command::Ws(args) => load(ws::understand(&args, &allowed), &allowed),
    }
}

/// Executes what a command line without a file says.
fn load(understood: Result<job::Job, problems::Problems>, allowed: &Cores) -> ExitCode {
    match understood {
        Ok(job) => job::execute(job, allowed),
        Err(problems) => {
            say(&problems.to_string());
            ExitCode::Usage
        }
    }
}

/// Help and version are answers, everything else is a mistake of usage.
fn explain(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match printed {
        _ if error.use_stderr() => ExitCode::Usage,
        Err(cause) => untold(&cause),
        Ok(()) => ExitCode::Passed,
    }
}

/// One line on standard error.
fn refuse(code: ExitCode, error: &dyn std::fmt::Display) -> ExitCode {
    say(&format!("error: {error}"));
    code
}

/// Writes to standard output. Whoever closes a pipe has read enough; what else cannot be written
/// is told, and false.
fn print(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_or_else(|cause| untold(&cause) == ExitCode::Passed, |()| true)
}

/// What becomes of a text that standard output did not take.
fn untold(cause: &std::io::Error) -> ExitCode {
    if cause.kind() == std::io::ErrorKind::BrokenPipe {
        return ExitCode::Passed;
    }
    refuse(ExitCode::Failed, &format!("cannot write standard output: {cause}"))
}

/// Writes to standard error; nobody listening is fine.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
