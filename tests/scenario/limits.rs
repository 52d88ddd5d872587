//! Files that are large, deep or repeat themselves: read or refused, soon.

use onslaught::scenario::{Source, read};
use onslaught::stdx::{Clock, Nanos};

use crate::files::{complaints, environment, with_steps};

/// Generous: what is meant is that nothing is quadratic.
const LIMIT: Nanos = Nanos::from_secs(10);

/// Whether it is fine, within a time.
#[track_caller]
fn soon(text: &str) -> bool {
    let clock = Clock::start();
    let fine = read(&Source { name: "load.yaml", text }, &environment, None).is_ok();
    assert!(clock.now() < LIMIT, "{} for {} bytes", clock.now(), text.len());
    fine
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn aliases_may_not_build_a_tower() {
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(50), "]".repeat(50));
    let first = format!("a0: &a0 {}\n", deep("x"));
    let more =
        lines(1_000, |at| format!("a{}: &a{} {}\n", at + 1, at + 1, deep(&format!("*a{at}"))));
    assert!(complaints(&(first + &more)).contains("nested deeper than 64 levels"));
}

#[test]
fn aliases_may_not_repeat_a_long_text_for_ever() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(50_000));
    assert!(complaints(&text).contains("more than 100000 values"));
}

#[test]
fn many_of_everything() {
    let base = with_steps("      - get: /\n");
    assert!(soon(&(base.clone() + "tags:\n" + &lines(40_000, |at| format!("  t{at}: x\n")))));
    assert!(!soon(&(base.clone() + &lines(40_000, |at| format!("unknown{at}: x\n")))));
    assert!(!soon(&(base.clone() + &lines(40_000, |_| "name: x\n".to_owned()))));
    let steps =
        lines(8_000, |at| format!("      - get: /${{v{at}}}\n        save: {{w{at}: $.a}}\n"));
    assert!(!soon(&with_steps(&steps)));
    assert!(soon(&(base.clone() + &format!("tags: {{a: \"{}\"}}\n", "$$".repeat(300_000)))));
    assert!(!soon(&(base.clone() + &format!("tags: {{a: \"{}\"}}\n", "${a}".repeat(200_000)))));
    assert!(!soon(&(base + "profiles:\n" + &lines(40_000, |at| format!("  p{at}: {{}}\n")))));
}

#[test]
fn nesting_without_end() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!("name: x\nb: {}x{}\n", open.repeat(20_000), close.repeat(20_000));
        assert!(!soon(&text), "{open}");
        let source = Source { name: "a.toml", text: &text.replacen(": ", " = ", 2) };
        assert!(read(&source, &environment, None).is_err());
        let source = Source { name: "a.json", text: &text };
        assert!(read(&source, &environment, None).is_err());
    }
}
