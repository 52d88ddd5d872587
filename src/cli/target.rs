//! `onslaught target`: serve until a signal, or until standard input ends if asked so.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;

use super::args::TargetArgs;
use super::problems::Problems;
use super::refuse;
use super::say;
use crate::doctor::{Cores, raise_open_files};
use crate::report::ExitCode;
use crate::target::{self, Misbehaviour, Options};

/// Serves.
pub(super) fn serve(args: &TargetArgs, allowed: &Cores) -> ExitCode {
    let options = match understand(args, allowed) {
        Ok(options) => options,
        Err(problems) => {
            say(&problems.to_string());
            return ExitCode::Usage;
        }
    };
    // Fewer descriptors only mean fewer connections: the servers take what there is.
    drop(raise_open_files(0));
    if args.until_stdin_ends {
        end_with_stdin();
    }
    let announce = |address: SocketAddr| {
        let mut out = std::io::stdout();
        drop(writeln!(out, "listening on {address}").and_then(|()| out.flush()));
    };
    match target::serve(&options, announce, target::drive) {
        Ok(()) => ExitCode::Passed,
        Err(error) => refuse(ExitCode::Unreachable, &error),
    }
}

fn understand(args: &TargetArgs, allowed: &Cores) -> Result<Options, Problems> {
    let mut problems = Problems::default();
    let wrong =
        |_| format!("'{}' is no address; expected ADDR:PORT, as 127.0.0.1:8080", args.listen);
    let listen = problems.keep("--listen", args.listen.parse().map_err(wrong));
    let cores = match &args.cores {
        Some(list) => problems.keep("--cores", allowed.choose(list)),
        None => Some(allowed.last()),
    };
    let lies = args.misbehave.as_deref().map(Misbehaviour::parse);
    let lies = match lies {
        Some(lies) => problems.keep("--misbehave", lies),
        None => Some(Misbehaviour::default()),
    };
    problems
        .or(|| Some(Options { listen: listen?, cores: cores?.all().to_vec(), misbehaviour: lies? }))
}

/// Ends the process when standard input does: a parent that dies takes its target with it.
#[expect(clippy::exit, reason = "the servers never end by themselves, and hold nothing to save")]
fn end_with_stdin() {
    let watch = || {
        let mut sink = [0; 64];
        while std::io::stdin().read(&mut sink).is_ok_and(|count| count > 0) {}
        std::process::exit(0);
    };
    drop(std::thread::Builder::new().name("stdin".to_owned()).spawn(watch));
}
