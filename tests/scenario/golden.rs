//! Every message, byte for byte: `tests/scenarios/invalid/NAME.yaml` gives `NAME.stderr`.

use onslaught::plan::{Options, compile};
use onslaught::scenario::{Diagnostics, Ink, read};

use crate::files::{File, environment, files};

const HINT: &str = "if that is meant: UPDATE_GOLDEN=1 cargo test --test scenario";

/// What the reader says, or else what the compiler says of what was read.
fn problems(file: &File) -> Diagnostics {
    let read = read(&file.source(), &environment, None);
    let compiled = read.and_then(|scenario| compile(&scenario, &Options::default()));
    compiled.err().unwrap_or_else(|| panic!("{} is valid", file.name))
}

#[test]
fn messages() {
    let files = files("invalid", &["yaml", "json", "toml"]);
    assert!(files.len() >= 60, "only {} files", files.len());
    let mut differ = Vec::new();
    for file in files {
        let source = file.source();
        let problems = problems(&file);
        let actual = problems.render(&source, Ink::Plain);
        let golden = file.path.with_extension("stderr");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, actual).expect("a writable golden file");
            continue;
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if expected != actual {
            differ.push(format!("{}:\n{actual}instead of\n{expected}", golden.display()));
        }
    }
    assert!(differ.is_empty(), "{}\n{HINT}", differ.join("\n"));
}

#[test]
fn no_golden_file_without_its_scenario() {
    for golden in files("invalid", &["stderr"]) {
        let written = ["yaml", "json", "toml"].map(|end| golden.path.with_extension(end));
        assert!(written.iter().any(|path| path.exists()), "{} is dead", golden.name);
    }
}

#[test]
fn each_message_has_a_place_and_what_was_expected() {
    for file in files("invalid", &["yaml", "json", "toml"]) {
        let problems = problems(&file);
        for problem in problems.iter() {
            assert!(!problem.what.is_empty() && !problem.expected.is_empty(), "{problem:?}");
            assert!(problem.place.to() <= file.text.len(), "{}: {problem:?}", file.name);
        }
    }
}

#[test]
fn colours_change_nothing_else() {
    for file in files("invalid", &["yaml"]) {
        let problems = problems(&file);
        let coloured = problems.render(&file.source(), Ink::Coloured);
        assert!(coloured.contains("\x1b[1;31m"), "{}", file.name);
        let mut plain = String::new();
        for (at, part) in coloured.split('\x1b').enumerate() {
            let text = if at == 0 { Some(part) } else { part.split_once('m').map(|(_, it)| it) };
            plain.push_str(text.unwrap_or_default());
        }
        assert_eq!(plain, problems.render(&file.source(), Ink::Plain), "{}", file.name);
    }
}
