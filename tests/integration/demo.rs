//! The first command of a newcomer.

use std::time::Duration;

use crate::kit::{Onslaught, Report, TempDir};

#[test]
fn the_demo_runs_and_leaves_its_results() {
    let dir = TempDir::new();
    let out = dir.join("results");
    let demo = Onslaught::command("demo").arg_path("--out", &out);
    let run = demo.within(Duration::from_secs(90)).run().exits([0]);
    assert!(run.stdout.contains("replies"), "no summary{run}");
    let report = Report::read(&out.join("summary.json"), run.exit).expect("a summary");
    assert!(report.ok() > 0, "nothing was done{run}");
}

#[test]
fn help_names_every_command() {
    let run = Onslaught::command("--help").run().exits([0]);
    for command in ["demo", "http", "target"] {
        assert!(run.stdout.contains(command), "no {command}{run}");
    }
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 110), "too wide{run}");
}
