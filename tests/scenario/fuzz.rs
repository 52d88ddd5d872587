//! The fuzz target as an ordinary test: its corpus, then mutations of it from a fixed seed.

use std::path::Path;

use onslaught::scenario::fuzz;
use onslaught::stdx::rng::Rng;
use onslaught::stdx::{Clock, Nanos};

/// How long it is fed with mutations.
const SPAN: Nanos = Nanos::from_secs(3);

/// Pieces that mean something to one of the parsers.
const PIECES: [&str; 24] = [
    "${", "}", "{", "[", "]", "\"", "'", ": ", "- ", "\n", "\n  ", "\t", "#", "&a ", "*a", "|\n",
    ">\n", "$.", "||", "(", ")", "é", "\u{0}", "---\n",
];

#[test]
fn scenario() {
    let corpus = corpus();
    assert!(corpus.len() >= 10, "{} seeds", corpus.len());
    let run = |input: &[u8]| {
        if std::panic::catch_unwind(|| fuzz::scenario(input)).is_err() {
            panic!("fails on b\"{}\"", input.escape_ascii());
        }
    };
    corpus.iter().for_each(|seed| run(seed));
    let clock = Clock::start();
    let mut rng = Rng::stream(1, 0);
    while clock.now() < SPAN {
        run(&mutated(&mut rng, &corpus));
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/scenario");
    let entries = std::fs::read_dir(folder).expect("a corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a seed")).collect()
}

/// A seed, or two joined, with a few pieces put in or bytes taken out.
fn mutated(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[below(rng, corpus.len())].clone();
    if rng.below(4) == 0 {
        input.truncate(below(rng, input.len() + 1));
        let other = &corpus[below(rng, corpus.len())];
        input.extend_from_slice(&other[below(rng, other.len() + 1)..]);
    }
    for _ in 0..=rng.below(4) {
        let at = below(rng, input.len() + 1);
        let piece = PIECES[below(rng, PIECES.len())];
        match rng.below(3) {
            0 => drop(input.splice(at..at, piece.bytes())),
            1 => {
                let end = (at + below(rng, 20)).min(input.len());
                drop(input.drain(at..end));
            }
            _ => {
                let end = (at + piece.len()).min(input.len());
                drop(input.splice(at..end, piece.bytes()));
            }
        }
    }
    input
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).unwrap()
}
