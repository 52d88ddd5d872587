//! `onslaught fit`: a scenario out of an access log.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::args::FitArgs;
use super::{print, refuse, say};
use crate::fit::{self, Fitter};
use crate::report::ExitCode;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// Prints the scenario, and tells what speaks for it.
pub(super) fn fit(args: &FitArgs) -> ExitCode {
    let fitter = match read(&args.log) {
        Ok(fitter) => fitter,
        Err(error) => {
            let name = args.log.display();
            let text = format!("{name}: {error}: give the path of a log that can be read, or -");
            return refuse(ExitCode::Usage, &text);
        }
    };
    match fitter.finish() {
        Ok(fit) => {
            say(fit::explain(&fit).trim_end());
            if print(&fit::scenario(&fit)) { ExitCode::Passed } else { ExitCode::Failed }
        }
        Err(examples) => {
            let mut text =
                "no line is of an access log; `onslaught fit --help` shows one".to_owned();
            for (number, why) in examples {
                text += &format!("\n  line {number}: {why}");
            }
            refuse(ExitCode::Failed, &text)
        }
    }
}

fn read(path: &Path) -> io::Result<Fitter> {
    let mut log: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(File::open(path)?),
    };
    let mut fitter = Fitter::new();
    let mut piece = vec![0; PIECE];
    loop {
        match log.read(&mut piece) {
            Ok(0) => return Ok(fitter),
            Ok(count) => fitter.feed(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
