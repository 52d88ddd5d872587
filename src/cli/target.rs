//! `onslaught target`: serve until a signal, or until standard input ends if asked so.

use std::fmt::Display;
use std::io::Read as _;
use std::net::{SocketAddr, ToSocketAddrs as _};

use super::args::TargetArgs;
use super::problems::Problems;
use super::{print, refuse, say};
use crate::doctor::{Cores, raise_open_files};
use crate::report::ExitCode;
use crate::stdx::{Nanos, units};
use crate::target::{self, Misbehaviour, Options, Terms};

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
        // It serves all the same: who started it may know the port.
        print(&format!("listening on {address}\n"));
    };
    match target::serve(&options, announce, target::drive) {
        Ok(()) => ExitCode::Passed,
        Err(error) => refuse(ExitCode::Unreachable, &error),
    }
}

fn understand(args: &TargetArgs, allowed: &Cores) -> Result<Options, Problems> {
    let mut problems = Problems::default();
    let listen = problems.keep("--listen", listen(&args.listen));
    let cores = match &args.cores {
        Some(list) => problems.keep("--cores", allowed.choose(list)),
        None => Some(allowed.last()),
    };
    let lies = match args.misbehave.as_deref().map(Misbehaviour::parse) {
        Some(Ok(lies)) => Some(lies),
        Some(Err(wrong)) => {
            wrong.problems.iter().for_each(|what| problems.add("--misbehave", &what.to_string()));
            None
        }
        None => Some(Misbehaviour::default()),
    };
    let token_life = problems.keep("--token-ttl", span(&args.token_ttl, SHORTEST_LIFE));
    let task_time = problems.keep("--task-time", span(&args.task_time, Nanos::ZERO));
    let seed = problems.keep("--seed", units::count(&args.seed));
    problems.or(|| {
        Some(Options {
            listen: listen?,
            cores: cores?.all().to_vec(),
            misbehaviour: lies?,
            terms: Terms { token_life: token_life?, task_time: task_time? },
            seed: seed?,
            journal: args.journal.clone(),
        })
    })
}

/// Below it, `exp` and `expiresIn`, which are in whole seconds, would say nothing.
const SHORTEST_LIFE: Nanos = Nanos::from_secs(1);
/// A year: longer than any run.
const LONGEST: Nanos = Nanos::from_secs(365 * 24 * 60 * 60);

fn span(text: &str, least: Nanos) -> Result<Nanos, String> {
    let span = units::duration(text).map_err(|error| error.to_string())?;
    if (least..=LONGEST).contains(&span) {
        return Ok(span);
    }
    let least = least.0 / 1_000_000_000;
    Err(format!("'{text}' is out of range; expected {least}s to 365d, for example 15m"))
}

/// An address as numbers, or a name that resolves; of several the first.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let wrong =
        |why: &dyn Display| format!("'{text}' is no address: {why}; expected ADDR:PORT, {EXAMPLE}");
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let Some((_, port)) = text.rsplit_once(':') else { return Err(wrong(&"it names no port")) };
    if port.parse::<u16>().is_err() {
        return Err(wrong(&format!("'{port}' is no port between 0 and 65535")));
    }
    let mut found = text.to_socket_addrs().map_err(|error| wrong(&error))?;
    found.next().ok_or_else(|| wrong(&"the name has none"))
}

const EXAMPLE: &str = "as 127.0.0.1:8080";

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
