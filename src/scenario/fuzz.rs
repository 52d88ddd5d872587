//! Entry for the fuzzer: what must hold of every text, whatever is in it.

use super::{Ink, Source, read};

/// Any bytes as a file. The first byte chooses the format.
pub fn scenario(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let name = match choice % 3 {
        0 => "fuzz.yaml",
        1 => "fuzz.json",
        _ => "fuzz.toml",
    };
    let text = String::from_utf8_lossy(bytes);
    let source = Source { name, text: &text };
    let lookup = |name: &str| name.len().is_multiple_of(2).then(|| CANARY.to_owned());
    match read(&source, &lookup, None) {
        Ok(scenario) => {
            let shown = format!("{scenario:?}");
            assert!(!text.contains("secret:") || !shown.contains(HIDDEN), "{shown}");
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "nothing is wrong, and nothing is read");
            for problem in problems.iter() {
                let (start, end) = (problem.place.at(), problem.place.to());
                assert!(start <= end && end <= text.len(), "{problem:?} is outside of the file");
                assert!(text.is_char_boundary(start), "{problem:?} is inside of a character");
            }
            assert!(!problems.render(&source, Ink::Plain).is_empty(), "nothing is said");
        }
    }
}

/// What every variable is set to.
const CANARY: &str = "1";

/// A text that no rendering of a secret shows; variables that are plain may be shown.
const HIDDEN: &str = "\u{0}";
