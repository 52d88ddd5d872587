//! `onslaught check`: is this scenario file fine, and if not, everything that is wrong with it.

use super::args::CheckArgs;
use super::files::{Given, Variables, counted};
use super::problems::Problems;
use super::{print, say};
use crate::plan::Options;
use crate::report::ExitCode;
use crate::scenario::{self, Scenario};

/// Checks each file; the exit code is that of the worst.
pub(super) fn check(args: &CheckArgs) -> ExitCode {
    if args.schema {
        return answer(&scenario::schema());
    }
    let mut problems = Problems::default();
    let variables = Variables::read(&args.env, &mut problems);
    if let Err(problems) = problems.or(|| Some(())) {
        say(&problems.to_string());
        return ExitCode::Usage;
    }
    let mut worst = ExitCode::Passed;
    let mut note = |done: Result<(), ExitCode>| match done {
        Err(code) if worst != ExitCode::Usage => worst = code,
        _ => {}
    };
    let mut read = Vec::new();
    for path in &args.files {
        match Given::file(path, args.profile.as_deref()) {
            Ok(given) => {
                note(one(&given, &variables));
                read.push(given);
            }
            Err(code) => note(Err(code)),
        }
    }
    note(variables.belong(&read));
    worst
}

fn one(given: &Given, variables: &Variables) -> Result<(), ExitCode> {
    let understood = given.understand(variables, &Options::default())?;
    let line = format!("{}: ok ({})\n", given.name, summary(&understood.scenario));
    match answer(&line) {
        ExitCode::Passed => Ok(()),
        code => Err(code),
    }
}

/// To standard output; what cannot be written has been told.
fn answer(text: &str) -> ExitCode {
    if print(text) { ExitCode::Passed } else { ExitCode::Failed }
}

fn summary(scenario: &Scenario) -> String {
    let users: u64 = scenario.users.iter().map(|group| group.count.value).sum();
    let mut parts = vec![scenario.name.value.clone()];
    parts.push(counted(scenario.workloads.len(), "workload"));
    if users > 0 {
        parts.push(counted(users, "user"));
    }
    parts.push(counted(scenario.thresholds.len(), "threshold"));
    parts.extend(scenario.profile.as_ref().map(|profile| format!("profile {profile}")));
    parts.join(", ")
}
