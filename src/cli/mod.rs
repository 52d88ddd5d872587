//! Arguments, subcommands, exit codes: wiring only.
//!
//! Gives:      [`run`], the whole program.
//! Neighbours: everything.

mod args;
mod check;
mod demo;
mod http;
mod job;
mod problems;
mod signals;
mod target;

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
        Command::Http(args) => http_command(&args, &allowed),
        Command::Check(args) => check::check(&args),
        Command::Demo(args) => demo::demo(&args, &allowed),
        Command::Target(args) => target::serve(&args, &allowed),
    }
}

fn http_command(args: &args::HttpArgs, allowed: &Cores) -> ExitCode {
    match http::understand(args, allowed) {
        Ok(job) => job::execute(job, allowed),
        Err(problems) => {
            say(&problems.to_string());
            ExitCode::Usage
        }
    }
}

/// Help and version are answers, everything else is a mistake of usage.
fn explain(error: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to fail.
    drop(error.print());
    if error.use_stderr() { ExitCode::Usage } else { ExitCode::Passed }
}

/// One line on standard error.
fn refuse(code: ExitCode, error: &dyn std::fmt::Display) -> ExitCode {
    say(&format!("error: {error}"));
    code
}

/// Writes to standard error; nobody listening is fine.
fn say(text: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stderr(), "{text}"));
}
