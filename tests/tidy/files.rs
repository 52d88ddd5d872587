//! Files that must be there, files that nobody uses, and commands that the README promises.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::source::{Source, assert_none, project};

/// What a newcomer is told to run.
const PROMISED: [&str; 2] = ["cargo run --release -- demo", "tests/run"];

/// Scripts of the house, each executable.
const SCRIPTS: [&str; 3] = ["tests/run", ".ci/run", "bench/run"];

/// Directories of data that tests read: a file there that no test names is dead.
const DATA: [&str; 2] = ["tests/golden/", "tests/wire/"];

#[test]
fn no_dead_data() {
    assert_none(&dead(&project()));
}

#[test]
fn the_readme_promises_what_is_there() {
    assert_none(&promises(&project()));
}

#[test]
fn scripts_can_be_run() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for script in SCRIPTS {
        let about = std::fs::metadata(top.join(script));
        let mode = about.map(|about| about.permissions().mode()).unwrap_or_default();
        assert_ne!(mode & 0o100, 0, "{script} is missing or not executable");
    }
}

/// Data files that no test names.
fn dead(sources: &[Source]) -> Vec<String> {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let tests: Vec<&Source> = sources.iter().filter(|source| source.is_rust()).collect();
    let is_data = |source: &&Source| DATA.iter().any(|data| source.path.starts_with(data));
    let unnamed = sources.iter().filter(is_data).filter(|data| {
        let name = name(&data.path);
        // A test may leave the ending out, where all files of a folder have the same.
        let stem = format!("\"{}\"", name.split('.').next().unwrap_or_default());
        let named = |test: &&Source| test.text.contains(&name) || test.text.contains(&stem);
        let guide = name == "README.md" || name.starts_with('.');
        !guide && !tests.iter().any(named)
    });
    unnamed.map(|data| data.breach(1, "no test names this file")).collect()
}

/// What README.md does not say, and what it says that does not exist.
fn promises(sources: &[Source]) -> Vec<String> {
    let Some(readme) = sources.iter().find(|source| source.path == "README.md") else {
        return vec!["README.md: missing".to_owned()];
    };
    let mut found = Vec::new();
    for command in PROMISED.iter().filter(|command| !readme.text.contains(**command)) {
        found.push(format!("README.md: does not say '{command}'"));
    }
    let wiring: String = sources
        .iter()
        .filter(|source| source.room() == Some("cli"))
        .map(|source| source.code.to_lowercase())
        .collect();
    for (number, line) in readme.text.lines().enumerate() {
        for command in commands(line) {
            if !wiring.contains(&command) {
                let what = format!("src/cli knows no command '{command}'");
                found.push(readme.breach(number + 1, &what));
            }
        }
    }
    found
}

/// The subcommands that a line tells one to run.
fn commands(line: &str) -> Vec<String> {
    let shell = line.trim().trim_start_matches("$ ");
    let starts = ["cargo run --release -- ", "onslaught ", "target/release/onslaught "];
    let rest = starts.iter().find_map(|start| shell.strip_prefix(start));
    let word = rest.and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    let is_command = !word.is_empty() && word.chars().all(|each| each.is_ascii_lowercase());
    // A sentence that begins with the product's name is no command line.
    let is_prose = shell.ends_with('.') || shell.starts_with("onslaught is ");
    if is_command && !is_prose { vec![word.to_owned()] } else { Vec::new() }
}

#[test]
fn dead_data_is_found() {
    let data = Source::new("tests/wire/split.http", "");
    let test = Source::new("tests/protocol.rs", "feed(\"split.http\")");
    assert_eq!(dead(&[data]).len(), 1);
    assert_none(&dead(&[Source::new("tests/wire/split.http", ""), test]));
}

#[test]
fn empty_promises_are_found() {
    let cli = || Source::new("src/cli/mod.rs", "enum Command { Demo, Http }");
    let readme = |text: &str| promises(&[Source::new("README.md", text), cli()]);
    let fine = "    cargo run --release -- demo\n    tests/run\n    onslaught http URL\n";
    assert_none(&readme(fine));
    assert_eq!(readme("tests/run").len(), 1, "no demo passes");
    assert_eq!(
        readme(&format!("{fine}$ onslaught fly URL\n")).len(),
        1,
        "an unknown command passes"
    );
    assert_eq!(promises(&[cli()]).len(), 1, "no README passes");
}
