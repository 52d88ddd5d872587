//! `onslaught check`: fine files, wrong files, files that cannot be read.

use std::path::Path;

use crate::kit::Onslaught;

fn check(files: &[&str]) -> Onslaught {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    Onslaught::command("check").args(files.iter().map(|file| folder.join(file)))
}

#[test]
fn a_file_that_is_fine_says_what_is_in_it() {
    let run = check(&["src/scenario/examples/taskforge.yaml"]).line("--profile staging");
    let run = run.run().exits([0]);
    let said = "ok (taskforge, 3 workloads, 50 users, 5 thresholds, profile staging)";
    assert!(run.stdout.contains(said) && run.stderr.is_empty(), "{run}");
}

#[test]
fn all_files_are_checked_and_the_worst_counts() {
    let files = ["tests/scenarios/invalid/several.yaml", "src/scenario/examples/minimal.yaml"];
    let run = check(&files).run().exits([104]).says(["several.yaml:2:1", "did you mean 'target'?"]);
    assert!(run.stdout.contains("minimal.yaml: ok"), "{run}");
    check(&["tests/scenarios/invalid/several.yaml", "no/such/file.yaml"]).run().exits([2]);
}

#[test]
fn a_file_that_cannot_be_read_is_wrong_usage() {
    check(&["no/such/file.yaml"]).run().exits([2]).complains_of(["file.yaml", "give the path"]);
    check(&["src"]).run().exits([2]).complains_of(["src", "give the path"]);
    Onslaught::command("check").run().exits([2]).says(["<FILE>"]);
}

#[test]
fn a_file_that_is_no_text_is_invalid() {
    check(&["tests/fuzz/corpus/scenario/not-utf8"]).run().exits([104]).complains_of(["UTF-8"]);
}

#[test]
fn variables_come_from_the_command_line_first() {
    let file = "tests/scenarios/invalid/unset-variable.yaml";
    check(&[file]).run().exits([104]).says(["NOWHERE is not set", "-e NOWHERE="]);
    check(&[file]).line("-e NOWHERE=http://127.0.0.1").run().exits([0]);
    let run = check(&[file]).line("-e canary").run().exits([2]).says(["-e", "NAME=VALUE"]);
    assert!(!run.stderr.contains("canary"), "what was given may be a secret{run}");
}

#[test]
fn the_schema_is_printed() {
    let run = Onslaught::command("check").line("--schema").run().exits([0]);
    assert!(run.stdout.contains("json-schema.org/draft/2020-12"), "{run}");
}
