//! The fuzz targets as an ordinary test: their corpus, then mutations of it from a fixed seed.

use std::fs;
use std::path::Path;

use onslaught::protocol::{http, ws};
use onslaught::session;
use onslaught::stdx::rng::Rng;
use onslaught::stdx::{Clock, Nanos};

/// How long a target is fed with mutations.
const SPAN: Nanos = Nanos::from_secs(3);

#[test]
fn http_head() {
    replay_and_mutate("http_head", http::fuzz::http_head);
}

#[test]
fn http_body() {
    replay_and_mutate("http_body", http::fuzz::http_body);
}

#[test]
fn ws_frames() {
    replay_and_mutate("ws_frames", ws::fuzz::ws_frames);
}

#[test]
fn ws_handshake() {
    replay_and_mutate("ws_handshake", ws::fuzz::ws_handshake);
}

#[test]
fn extract() {
    replay_and_mutate("extract", session::fuzz::extract);
}

/// A failure prints the input that led to it: commit it to the corpus with the mending.
fn replay_and_mutate(target: &str, entry: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let corpus = corpus(target);
    assert!(corpus.len() >= 10, "{} seeds of {target}", corpus.len());
    let run = |input: &[u8]| {
        if std::panic::catch_unwind(|| entry(input)).is_err() {
            panic!("{target} fails on b\"{}\"", input.escape_ascii());
        }
    };
    corpus.iter().for_each(|seed| run(seed));
    let clock = Clock::start();
    let mut rng = Rng::stream(1, 0);
    while clock.now() < SPAN {
        for _ in 0..100 {
            run(&mutated(&mut rng, &corpus));
        }
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus")).join(target);
    let entries = fs::read_dir(folder).expect("a corpus").map(|entry| entry.expect("an entry"));
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a seed")).collect()
}

/// One seed, or two joined, with a few bytes changed.
fn mutated(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    const BYTES: &[u8] = b"\r\n \t\0:;,09aFG/\x7f\xff";
    let mut input = corpus[below(rng, corpus.len())].clone();
    if rng.below(4) == 0 {
        input.truncate(below(rng, input.len() + 1));
        let other = &corpus[below(rng, corpus.len())];
        input.extend_from_slice(&other[below(rng, other.len() + 1)..]);
    }
    for _ in 0..rng.below(4) {
        let at = below(rng, input.len() + 1);
        let byte = BYTES[below(rng, BYTES.len())];
        match (rng.below(4), input.get_mut(at)) {
            (0, Some(found)) => *found = byte,
            (1, Some(found)) => *found ^= 1 << rng.below(8),
            (2, Some(_)) => drop(input.remove(at)),
            _ => input.insert(at, byte),
        }
    }
    input
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).unwrap()
}
