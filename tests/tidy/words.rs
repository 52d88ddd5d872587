//! Words that are not to stand in the project.

use super::source::{Source, assert_none, project};

/// Work left over has an issue, not a comment; debugging aids are for the desk.
const LEFT_OVER: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("db", "g!")];

/// The project speaks of itself alone, not of the places where and the means by which it is made.
const FOREIGN: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("fa", "rm-"),
    concat!(".lib", "rary"),
    concat!("helper ses", "sion"),
    concat!("crates", ".io"),
];

#[test]
fn nothing_left_over_and_nothing_foreign() {
    assert_none(&project().iter().flat_map(breaches).collect::<Vec<_>>());
}

fn breaches(source: &Source) -> Vec<String> {
    // Cargo writes the lock file; the registry's address is in it.
    if source.path.ends_with("Cargo.lock") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let met = LEFT_OVER.iter().chain(&FOREIGN).filter(|word| line.contains(**word));
        found.extend(met.map(|word| source.breach(number + 1, &format!("says '{word}'"))));
    }
    found
}

#[test]
fn each_word_is_found() {
    for word in LEFT_OVER.iter().chain(&FOREIGN) {
        let text = format!("fine\nnot {word} fine\n");
        assert_eq!(breaches(&Source::new("README.md", &text)).len(), 1, "{word} passes");
        assert_none(&breaches(&Source::new("Cargo.lock", &text)));
    }
}
