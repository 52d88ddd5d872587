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
    let lookup = |name: &str| name.len().is_multiple_of(2).then(|| "7".to_owned());
    let Err(problems) = read(&source, &lookup, None) else { return };
    assert!(!problems.is_empty(), "nothing is wrong, and nothing is read");
    for problem in problems.iter() {
        let (start, end) = (problem.place.at(), problem.place.to());
        assert!(start <= end && end <= text.len(), "{problem:?} is outside of the file");
        assert!(text.is_char_boundary(start), "{problem:?} is inside of a character");
    }
    assert!(!problems.render(&source, Ink::Plain).is_empty(), "nothing is said");
}
