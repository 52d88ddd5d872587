//! Who may use whom: the map in src/README.md, each room's door, and what the code really does.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, assert_none, project};

/// Rooms by name.
type Names = BTreeSet<String>;

/// The map's word for the one room that wires all others.
const EVERYTHING: &str = "everything";

#[test]
fn doors_map_and_code_agree() {
    assert_none(&breaches(&project()));
}

/// Everything that is wrong between the map, the doors and the code.
fn breaches(sources: &[Source]) -> Vec<String> {
    let rooms: Names = sources.iter().filter_map(Source::room).map(str::to_owned).collect();
    let Some(map) = sources.iter().find(|source| source.path == "src/README.md") else {
        return vec!["src/README.md: the map of the rooms is missing".to_owned()];
    };
    let table = table(&map.text);
    let mut found = Vec::new();
    for room in table.keys().filter(|room| !rooms.contains(*room)) {
        found.push(format!("src/README.md: the map has a room '{room}' that src has not"));
    }
    for room in &rooms {
        let path = format!("src/{room}/mod.rs");
        let Some(door) = sources.iter().find(|source| source.path == path) else {
            found.push(format!("{path}: a room without a door"));
            continue;
        };
        let Some(declared) = neighbours(&door.text) else {
            found.push(format!("{path}: no line '//! Neighbours: …'"));
            continue;
        };
        match table.get(room) {
            Some(row) if *row == declared => {}
            Some(row) => found.push(format!("{path}: says {declared:?}, the map says {row:?}")),
            None => found.push(format!("src/README.md: the map lacks the room '{room}'")),
        }
        if !declared.contains(EVERYTHING) {
            found.extend(strangers(room, &declared, &rooms, sources));
        }
    }
    found
}

/// Uses that the door does not declare, and neighbours that nothing uses.
fn strangers(room: &str, declared: &Names, rooms: &Names, sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let mut used = Names::new();
    for source in sources.iter().filter(|source| source.is_rust() && source.room() == Some(room)) {
        for (line, other) in uses(source) {
            if other != room && rooms.contains(&other) {
                if !declared.contains(&other) {
                    found.push(source.breach(line, &format!("{room} may not use {other}")));
                }
                used.insert(other);
            }
        }
    }
    for idle in declared.difference(&used) {
        found.push(format!("src/{room}/mod.rs: declares {idle}, which nothing here uses"));
    }
    found
}

/// The rows `| room | … | neighbours |` of the map whose first cell is one word in backquotes.
fn table(map: &str) -> BTreeMap<String, Names> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim().strip_prefix('|')?.split('|').map(str::trim).collect();
        let room = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
        let last = cells.iter().rev().find(|cell| !cell.is_empty())?;
        Some((room.to_owned(), names(last)))
    };
    map.lines().filter_map(row).collect()
}

/// What a door declares: the words after `Neighbours:`, and indented lines that go on with them.
fn neighbours(door: &str) -> Option<Names> {
    let mut doc = door.lines().map_while(|line| line.strip_prefix("//!"));
    let first = doc.find_map(|line| line.trim_start().strip_prefix("Neighbours:"))?;
    let more = doc.take_while(|line| line.starts_with("  "));
    Some(names(&more.fold(first.to_owned(), |text, line| text + line)))
}

/// Names separated by commas; what stands in parentheses narrows a name and is for people.
fn names(list: &str) -> Names {
    let mut depth = 0_usize;
    let outside = |each: &char| {
        depth = match each {
            '(' => depth + 1,
            ')' => depth - 1,
            _ => return depth == 0,
        };
        false
    };
    let text: String = list.chars().filter(outside).collect();
    let name = |part: &str| part.trim().trim_matches(['`', '.', '–', '-']).trim().to_owned();
    text.split([',', ';', '+']).map(name).filter(|it| !it.is_empty() && it != "none").collect()
}

/// The names right below the crate's root that a file uses, with their lines.
fn uses(source: &Source) -> Vec<(usize, String)> {
    let root = "super::".repeat(depth(&source.path));
    let mut found = Vec::new();
    for prefix in ["crate::", root.as_str()] {
        for (at, _) in source.code.match_indices(prefix) {
            let line = source.code[..at].matches('\n').count() + 1;
            let before = &source.code[..at];
            if before.ends_with("super::") || before.ends_with('$') {
                continue;
            }
            let rest = &source.code[at + prefix.len()..];
            found.extend(heads(rest).into_iter().map(|head| (line, head)));
        }
    }
    found
}

/// How many modules below the crate's root a file's own module is.
fn depth(path: &str) -> usize {
    let below = path.trim_start_matches("src/").trim_end_matches("/mod.rs");
    below.split('/').count()
}

/// `a::b` gives a; `{a::b, c::{d, e}}` gives a and c.
fn heads(path: &str) -> Vec<String> {
    let head = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|each| each.is_alphanumeric() || *each == '_')
            .collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![head(path)] };
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, each) in group.char_indices() {
        match each {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(head(&group[start..at]));
                start = at + 1;
                if each == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

/// A small house: a map, two rooms, and one more file in the second.
#[cfg(test)]
fn house(map: &str, door: &str, file: &str) -> Vec<String> {
    breaches(&[
        Source::new("src/README.md", map),
        Source::new("src/stdx/mod.rs", "//! Basics.\n//!\n//! Neighbours: none.\n"),
        Source::new("src/plan/mod.rs", door),
        Source::new("src/plan/mix.rs", file),
    ])
}

#[cfg(test)]
const MAP: &str = "| room | what | may use |\n|---|---|---|\n\
                   | `stdx` | basics | – |\n| `plan` | plans | stdx |\n";

#[cfg(test)]
const DOOR: &str = "//! Plans.\n//!\n//! Neighbours: stdx.\n//! Why so:     so.\n";

#[test]
fn a_house_in_order_has_no_breach() {
    assert_none(&house(MAP, DOOR, "use crate::stdx::Nanos;\nuse super::Plan;\n"));
    let grouped = "use crate::{stdx::{Nanos, Rate}, plan::Mix};\n";
    assert_none(&house(MAP, "//! Neighbours: stdx(Nanos\n//!     alone).\n", grouped));
}

#[test]
fn each_rule_of_rooms_is_enforced() {
    let fine = "use crate::stdx::Nanos;\n";
    let both = "//! Neighbours: stdx.\n";
    let lonely = "//! Neighbours: none.\n";
    let map_without_plan = "| `stdx` | basics | – |\n";
    let map_with_more = format!("{MAP}| `ghost` | nothing | – |\n");
    let map_alone = "| `stdx` | basics | – |\n| `plan` | plans | – |\n";
    for (what, map, door, file) in [
        ("no Neighbours line", MAP, "//! Plans.\n", fine),
        ("door and map differ", MAP, lonely, fine),
        ("an undeclared use", map_alone, lonely, fine),
        ("an undeclared use by super", map_alone, lonely, "use super::super::stdx::Nanos;\n"),
        ("an undeclared use in a group", map_alone, lonely, "use crate::{plan::Mix, stdx::Rng};\n"),
        ("an undeclared path in code", map_alone, lonely, "fn f() { crate::stdx::f() }\n"),
        ("a declared neighbour unused", MAP, both, "use super::Plan;\n"),
        ("a room that the map lacks", map_without_plan, both, fine),
        ("a room that src lacks", map_with_more.as_str(), both, fine),
    ] {
        assert_ne!(house(map, door, file), Vec::<String>::new(), "{what} passes");
    }
    assert_eq!(breaches(&[Source::new("src/a/mod.rs", DOOR)]).len(), 1, "no map passes");
    let doorless = [Source::new("src/README.md", "| `a` | a | – |"), Source::new("src/a/b.rs", "")];
    assert_eq!(breaches(&doorless).len(), 1, "a room without a door passes");
}

#[test]
fn comments_strings_and_tests_use_nobody() {
    let file = "use crate::stdx::Rng;\n// crate::net::x\nconst A: &str = \"crate::net\";\n\
                #[cfg(test)]\nmod tests { use crate::net::Ring; }\n";
    assert_none(&house(MAP, DOOR, file));
}
