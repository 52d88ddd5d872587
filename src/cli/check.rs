//! `onslaught check`: is this scenario file fine, and if not, everything that is wrong with it.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use super::args::CheckArgs;
use super::problems::Problems;
use super::{print, say};
use crate::report::ExitCode;
use crate::scenario::{self, Ink, Scenario, Source, limits};

/// Checks each file; the exit code is that of the worst.
pub(super) fn check(args: &CheckArgs) -> ExitCode {
    if args.schema {
        return answer(&scenario::schema());
    }
    let variables = match variables(&args.env) {
        Ok(variables) => variables,
        Err(problems) => {
            say(&problems.to_string());
            return ExitCode::Usage;
        }
    };
    let lookup = |name: &str| variables.get(name).cloned().or_else(|| std::env::var(name).ok());
    let mut worst = ExitCode::Passed;
    for path in &args.files {
        let code = one(path, &lookup, args.profile.as_deref());
        if worst != ExitCode::Usage && code != ExitCode::Passed {
            worst = code;
        }
    }
    worst
}

fn one(path: &Path, lookup: scenario::Lookup<'_>, profile: Option<&str>) -> ExitCode {
    let name = path.display().to_string();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            say(&format!("error: {name}: {error}: give the path of a file that can be read"));
            return ExitCode::Usage;
        }
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            say(&format!("error: {name}: byte {at} is no UTF-8: save the file as UTF-8 text"));
            return ExitCode::InvalidScenario;
        }
    };
    let source = Source { name: &name, text: &text };
    match scenario::read(&source, lookup, profile) {
        Ok(scenario) => answer(&format!("{name}: ok ({})\n", summary(&scenario))),
        Err(problems) => {
            say(problems.render(&source, ink()).trim_end());
            let count = problems.iter().len();
            say(&format!("\n{name}: {}", counted(count, "problem")));
            ExitCode::InvalidScenario
        }
    }
}

/// To standard output; what cannot be written has been told.
fn answer(text: &str) -> ExitCode {
    if print(text) { ExitCode::Passed } else { ExitCode::Failed }
}

/// No more than a byte over what is allowed: a device may have no end.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(limits::FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `-e KEY=VALUE`, the last one of a name counts.
fn variables(given: &[String]) -> Result<BTreeMap<String, String>, Problems> {
    let mut problems = Problems::default();
    let mut variables = BTreeMap::new();
    for each in given {
        match each.split_once('=').filter(|(name, _)| !name.is_empty()) {
            Some((name, value)) => drop(variables.insert(name.to_owned(), value.to_owned())),
            // What was given may be a secret without its name.
            None => problems.add("-e", "no NAME=VALUE, as in -e BASE_URL=http://127.0.0.1:8080"),
        }
    }
    problems.or(|| Some(variables))
}

fn summary(scenario: &Scenario) -> String {
    let users: u64 = scenario.users.iter().map(|group| group.count.value).sum();
    let mut parts = vec![scenario.name.value.clone()];
    parts.push(counted(scenario.workloads.len(), "workload"));
    if users > 0 {
        parts.push(counted(users, "user"));
    }
    if !scenario.sequence.is_empty() {
        parts.push(counted(scenario.sequence.len(), "level"));
    }
    parts.push(counted(scenario.thresholds.len(), "threshold"));
    parts.extend(scenario.profile.as_ref().map(|profile| format!("profile {profile}")));
    parts.join(", ")
}

fn counted(count: impl std::fmt::Display, noun: &str) -> String {
    let count = count.to_string();
    let s = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{s}")
}

fn ink() -> Ink {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stderr().is_terminal() && !plain { Ink::Coloured } else { Ink::Plain }
}
