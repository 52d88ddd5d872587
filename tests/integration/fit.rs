//! `onslaught fit`: from a log to a scenario that `check` takes.

use crate::kit::{Onslaught, TempDir};

#[test]
fn a_log_becomes_a_scenario_that_is_valid() {
    let folder = TempDir::new();
    let line = |at: u32| {
        let (user, id) = (at % 7, at % 30);
        let time = f64::from(at).mul_add(0.25, 1_700_000_000.0);
        format!(
            "10.0.0.{user} - - [{time:.3}] \"GET /items/{id} HTTP/1.1\" 200 9 \"-\" \"x\" 0.005\n"
        )
    };
    let text: String = (0..400).map(line).collect();
    let log = folder.write("access.log", &(text + "no line of a log\n"));
    let run = Onslaught::command("fit").args([&log]).run().exits([0]);
    for said in ["400 requests in ", "line 401: no time", "think times: "] {
        assert!(run.stderr.contains(said), "{said}{run}");
    }
    let scenario = folder.write("load.yaml", &run.stdout);
    let check = || Onslaught::command("check").args([&scenario]);
    let run = check().run().exits([0]);
    assert!(run.stdout.contains("ok (fitted, 1 workload"), "{run}");
    check().line("--profile users").run().exits([0]);
}

#[test]
fn what_is_no_log_is_told() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    Onslaught::command("fit").args([file]).run().exits([1]).says(["line 1: ", "--help"]);
    Onslaught::command("fit").args(["no/such/log"]).run().exits([2]).complains_of(["no/such/log"]);
    let help = Onslaught::command("fit").line("--help").run().exits([0]);
    assert!(help.stdout.contains("$msec $request_time") && help.stdout.contains("%D"), "{help}");
}
