//! The files of `tests/scenarios`, and what the tests' environment has.

use std::path::{Path, PathBuf};

use onslaught::scenario::{Diagnostics, Ink, Scenario, Source, read};

/// One file.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn source(&self) -> Source<'_> {
        Source { name: &self.name, text: &self.text }
    }
}

/// Files of a folder, by name.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(folder);
    let entries = std::fs::read_dir(folder).expect("the files");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let ends = |path: &PathBuf| {
        let end = path.extension().and_then(|end| end.to_str());
        end.is_some_and(|end| endings.contains(&end))
    };
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_str().expect("text").to_owned();
        let text = std::fs::read_to_string(&path).expect("a scenario");
        File { path, name, text }
    };
    paths.into_iter().filter(ends).map(read).collect()
}

/// One variable is set.
pub(crate) fn environment(name: &str) -> Option<String> {
    (name == "SET").then(|| "canary-0123456789abc".to_owned())
}

/// A YAML text.
pub(crate) fn yaml(text: &str) -> Result<Scenario, Diagnostics> {
    read(&Source { name: "load.yaml", text }, &environment, None)
}

/// What is wrong with a YAML text, as it is shown.
#[track_caller]
pub(crate) fn complaints(text: &str) -> String {
    let source = Source { name: "load.yaml", text };
    let problems = read(&source, &environment, None).expect_err("something is wrong");
    problems.render(&source, Ink::Plain)
}

/// A scenario with these steps.
pub(crate) fn with_steps(steps: &str) -> String {
    let load = "load: {connections: 1, for: 1s}";
    let head = format!("name: x\ntarget: http://127.0.0.1\nworkloads:\n  a:\n    {load}\n");
    format!("{head}    steps:\n{steps}")
}
