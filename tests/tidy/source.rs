//! Files as the rules see them: their text, and their code with comments and strings blanked.

use std::path::{Path, PathBuf};

/// One text file of the project.
pub(crate) struct Source {
    /// Its path from the top of the project.
    pub(crate) path: String,
    /// What stands in it.
    pub(crate) text: String,
    /// The same without comments, contents of literals and test modules, line for line.
    pub(crate) code: String,
}

/// Directories that hold what programs make, from the top of the project.
const MADE: [&str; 7] = [
    ".git",
    "target",
    "onslaught-results",
    "tests/fuzz/target",
    "tests/fuzz/artifacts",
    "tests/fuzz/coverage",
    "tests/fuzz/corpus",
];

impl Source {
    /// A file with a path and a text; Rust code is recognised by the path.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = if is_rust(path) { without_tests(&blank(text)) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        is_rust(&self.path)
    }

    /// The room below `src` that it belongs to.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("src/")?.split_once('/').map(|(room, _)| room)
    }

    /// What breaks a rule here, in the form that editors jump to.
    pub(crate) fn breach(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// All text files of the project.
pub(crate) fn project() -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(top, top, &mut paths);
    paths.sort();
    let texts = paths.iter().filter_map(|path| {
        let bytes = std::fs::read(top.join(path)).expect("read a file of the project");
        Some((path.to_str()?.to_owned(), String::from_utf8(bytes).ok()?))
    });
    texts.map(|(path, text)| Source::new(&path, &text)).collect()
}

fn walk(top: &Path, directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("list a directory") {
        let path = entry.expect("a directory's entry").path();
        let relative = path.strip_prefix(top).expect("a path below the top").to_owned();
        if MADE.iter().any(|made| relative == Path::new(made)) {
            continue;
        }
        if path.is_dir() {
            walk(top, &path, paths);
        } else {
            paths.push(relative);
        }
    }
}

/// Fails with all breaches at once.
#[track_caller]
pub(crate) fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "rs")
}

/// Rust with comments and the contents of literals replaced by blanks; lines stay lines.
pub(crate) fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut word_before = false;
    while let Some(first) = rest.chars().next() {
        let length = if word_before { None } else { raw_string(rest) }
            .or_else(|| comment(rest))
            .or_else(|| quoted(rest));
        let taken = &rest[..length.unwrap_or_else(|| first.len_utf8())];
        if length.is_some() {
            out.extend(taken.chars().map(|each| if each == '\n' { '\n' } else { ' ' }));
        } else {
            out.push(first);
        }
        word_before = length.is_none() && (first.is_alphanumeric() || first == '_');
        rest = &rest[taken.len()..];
    }
    out
}

/// The length of a comment at the beginning.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.strip_prefix("/*")?;
    let mut depth = 0_usize;
    for (at, _) in rest.char_indices() {
        if rest[at..].starts_with("/*") {
            depth += 1;
        } else if rest[..at].ends_with("*/") && at > 3 {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    Some(rest.len())
}

/// The length of a raw string at the beginning.
fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix('r').or_else(|| rest.strip_prefix("br"))?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    let body = hashes[count..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(count));
    Some(rest.len() - body.len() + body.find(&end)? + end.len())
}

/// The length of a string or character literal at the beginning; a lifetime is none.
fn quoted(rest: &str) -> Option<usize> {
    let quote = rest.chars().next().filter(|each| matches!(each, '"' | '\''))?;
    let mut escaped = false;
    for (at, each) in rest.char_indices().skip(1) {
        if quote == '\'' && at > 1 && !rest[1..].starts_with('\\') && each != '\'' {
            return None;
        }
        match each {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if each == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Code without what stands behind `#[cfg(test)]`; blanked code goes in.
fn without_tests(code: &str) -> String {
    let Some(start) = code.find("#[cfg(test)]") else { return code.to_owned() };
    let after = &code[start..];
    let open = after.find('{').unwrap_or(after.len());
    let end = match after.find(';') {
        Some(semicolon) if semicolon < open => semicolon + 1,
        _ => open + block(&after[open..]),
    };
    let blanked: String = after[..end].chars().filter(|&each| each == '\n').collect();
    format!("{}{blanked}{}", &code[..start], without_tests(&after[end..]))
}

/// The length of the block in braces at the beginning of blanked code.
pub(crate) fn block(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, each) in code.char_indices() {
        match each {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    code.len()
}

/// Whether a word stands in code by itself, not as a part of a longer one.
pub(crate) fn word_at(line: &str, word: &str) -> Option<usize> {
    let part = |each: char| each.is_alphanumeric() || each == '_';
    line.match_indices(word)
        .map(|(at, _)| at)
        .find(|&at| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

#[test]
fn comments_and_literals_are_blanked() {
    let text = "let a = \"x // {\"; // b\nlet c = '{'; /* d /* e */ \n */ fn f<'a>(r: R) {}";
    let code = blank(text);
    assert_eq!(code.lines().count(), text.lines().count());
    for gone in ["//", "b", "'{'", "d", "e */"] {
        assert!(!code.contains(gone) || gone == "e */", "{gone} is left in {code}");
    }
    assert!(code.contains("let c =") && code.contains("fn f<'a>(r: R) {}"), "{code}");
}

#[test]
fn raw_strings_and_escapes_are_blanked() {
    let code = blank(r####"f(r#"un"safe"#, "\"unsafe\"", '\'', b"unsafe", br"unsafe"); g()"####);
    assert!(!code.contains("safe") && code.ends_with("); g()"), "{code}");
}

#[test]
fn test_modules_are_left_out() {
    let source = Source::new("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}");
    assert!(source.code.contains("fn a") && source.code.contains("fn c"), "{}", source.code);
    assert!(!source.code.contains("fn b"), "{}", source.code);
    assert_eq!(source.code.lines().count(), 4);
}
