//! How long lines, functions and files may be.

use super::source::{Source, assert_none, blank, block, project};

const COLUMNS: usize = 100;
const FUNCTION_LINES: usize = 70;
const FILE_LINES: usize = 600;

/// How the first line of a longer file begins; its reason follows.
const REASON: &str = "// Long: ";

#[test]
fn lines_functions_and_files_are_short() {
    assert_none(&project().iter().flat_map(breaches).collect::<Vec<_>>());
}

fn breaches(source: &Source) -> Vec<String> {
    let script = source.text.starts_with("#!") || source.path.ends_with(".py");
    if !source.is_rust() && !script {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS {
            found.push(source.breach(number + 1, &format!("{columns} columns, not {COLUMNS}")));
        }
    }
    found.extend(long_functions(source));
    let lines = source.code.lines().filter(|line| !line.trim().is_empty()).count();
    if lines > FILE_LINES && !source.text.starts_with(REASON) {
        found.push(source.breach(1, &format!("{lines} lines of code and no '{REASON}…'")));
    }
    found
}

/// Functions with more lines of code than allowed, those of tests too.
fn long_functions(source: &Source) -> Vec<String> {
    let code = if source.is_rust() { blank(&source.text) } else { String::new() };
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let Some(open) = body(&code[at..]) else { continue };
        let body = &code[at + open..at + open + block(&code[at + open..])];
        let lines = body.lines().filter(|line| !line.trim().is_empty()).count().saturating_sub(2);
        if lines > FUNCTION_LINES {
            let line = code[..at].matches('\n').count() + 1;
            let what = format!("a function of {lines} lines, not {FUNCTION_LINES}");
            found.push(source.breach(line, &what));
        }
    }
    found
}

/// Where the body of the function at the beginning opens; a declaration has none.
fn body(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, each) in code.char_indices() {
        match each {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            '{' if depth == 0 => return Some(at),
            ';' | '}' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn each_length_is_enforced() {
    let long_line = format!("// {}", "x".repeat(COLUMNS - 2));
    let long_function = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(FUNCTION_LINES + 1));
    let long_file = "const A: u8 = 1;\n".repeat(FILE_LINES + 1);
    for text in [&long_line, &long_function, &long_file] {
        assert_eq!(breaches(&Source::new("src/a.rs", text)).len(), 1, "{}", &text[..60]);
    }
    let script = format!("#!/bin/sh\n{}", "x".repeat(COLUMNS + 1));
    assert_eq!(breaches(&Source::new("tests/run", &script)).len(), 1);
}

#[test]
fn what_is_just_short_enough_passes() {
    let line = format!("// {}\n", "é".repeat(COLUMNS - 3));
    let body = "    g(\"{\");\n    // no code\n\n".repeat(FUNCTION_LINES);
    let function = format!("fn f(a: [u8; 3]) -> bool {{\n{body}}}\n");
    let file = format!("{REASON}a table.\n{}", "const A: u8 = 1;\n".repeat(FILE_LINES + 1));
    for text in [line, function, file] {
        assert_none(&breaches(&Source::new("src/a.rs", &text)));
    }
    assert_none(&breaches(&Source::new("README.md", &"x".repeat(COLUMNS + 1))));
}
