//! The first command of a newcomer.

use std::time::Duration;

use crate::kit::{Onslaught, Report, TempDir, target_at};

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
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "too wide{run}");
}

#[test]
fn help_shows_the_other_spellings_too() {
    let run = Onslaught::command("http").line("--help").run().exits([0]);
    for alias in ["-z", "--rps", "-q", "-m", "@FILE", "Ctrl-C", "warm-up"] {
        assert!(run.stdout.contains(alias), "no {alias}{run}");
    }
    let run = Onslaught::command("target").line("--help").run().exits([0]);
    let order = "close > corrupt > truncate > 5xx > delay";
    let said = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(order), "no {order}{run}");
}

#[test]
fn a_target_listens_on_a_name() {
    assert_ne!(target_at("localhost:0", "").port, 0);
    for wrong in ["localhost", "localhost:99999", "no-such-host.invalid:1"] {
        let run = Onslaught::command("target").line("--listen").args([wrong]).run().exits([2]);
        run.says(["--listen", wrong]);
    }
}
