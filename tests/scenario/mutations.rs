//! Valid files with something changed: read and compiled, or told what is wrong inside of the file.

use onslaught::plan::{Options, compile};
use onslaught::scenario::{Ink, Source, examples, read};
use onslaught::stdx::rng::Rng;

use crate::files::{environment, files};

const ROUNDS: u64 = 1_500;

/// What values are changed into.
const VALUES: [&str; 20] = [
    "",
    "~",
    "-1",
    "0",
    "99999999999999999999",
    "1.5",
    "true",
    "[]",
    "{}",
    "''",
    "\"",
    "${",
    "${x",
    "${user.x}",
    "${secret:X}",
    "$.a[",
    "5x",
    "a..b",
    "&a *a",
    "\t",
];

#[test]
fn nothing_panics_and_nothing_is_lost() {
    let mut seeds: Vec<(String, String)> = files("valid", &["yaml", "json", "toml"])
        .into_iter()
        .map(|file| (file.name, file.text))
        .collect();
    let examples = examples::ALL.map(|(name, text)| (format!("{name}.yaml"), text.to_owned()));
    seeds.extend(examples);
    let mut refused = 0_u64;
    for seed in 0..ROUNDS {
        let mut rng = Rng::stream(seed, 0);
        let (name, text) = &seeds[below(&mut rng, seeds.len())];
        let mut text = text.clone();
        for _ in 0..=rng.below(3) {
            text = mutated(&mut rng, &text);
        }
        let source = Source { name, text: &text };
        let scenario = read(&source, &environment, None);
        if let Err(problems) = scenario.and_then(|it| compile(&it, &Options::default())) {
            refused += 1;
            assert!(problems.iter().len() > 0, "seed {seed}: refused without a reason\n{text}");
            for problem in problems.iter() {
                let inside = problem.place.at() <= problem.place.to();
                let inside = inside && problem.place.to() <= text.len();
                assert!(inside, "seed {seed}: {problem:?} is outside of\n{text}");
            }
            assert!(!problems.render(&source, Ink::Plain).is_empty(), "seed {seed}");
        }
    }
    assert!(refused > ROUNDS / 2, "mutations that change nothing: {refused} refused");
}

/// A line away, a line twice, a letter of a word changed, a value changed.
fn mutated(rng: &mut Rng, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = below(rng, lines.len());
    let Some(line) = lines.get(at).cloned() else { return text.to_owned() };
    match rng.below(5) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, line),
        2 => lines[at] = misspelt(rng, &line),
        3 => {
            let value = VALUES[below(rng, VALUES.len())];
            let separator = if line.contains(": ") { ": " } else { " = " };
            if let Some((key, _)) = line.split_once(separator) {
                lines[at] = format!("{key}{separator}{value}");
            }
        }
        _ => {
            let words: Vec<&str> = line.split(' ').collect();
            let swap = below(rng, words.len());
            let value = VALUES[below(rng, VALUES.len())];
            let changed: Vec<&str> = words
                .iter()
                .enumerate()
                .map(|(at, word)| if at == swap { value } else { *word })
                .collect();
            lines[at] = changed.join(" ");
        }
    }
    lines.join("\n")
}

fn misspelt(rng: &mut Rng, line: &str) -> String {
    let mut letters: Vec<char> = line.chars().collect();
    let at = below(rng, letters.len().max(1));
    match (rng.below(3), letters.get(at).copied()) {
        (0, Some(_)) => drop(letters.remove(at)),
        (1, Some(letter)) => letters.insert(at, letter),
        (_, Some(_)) => letters[at] = ['x', '日', '$', '{', ':', '"'][below(rng, 6)],
        (_, None) => {}
    }
    letters.into_iter().collect()
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound.max(1) as u64)).unwrap()
}
