//! What pure rooms may not touch, where `unsafe` may stand, and who shares nothing.

use super::source::{Source, assert_none, project, word_at};

/// A rule about words in code: where it holds, the words, and why.
struct Ban {
    holds: fn(&str) -> bool,
    words: &'static [&'static str],
    why: &'static str,
}

const BANS: [Ban; 5] = [
    Ban {
        holds: |path| path.starts_with("src/") && !within(path, &["net", "engine", "target"]),
        words: &["glommio"],
        why: "the executor is known to net, engine and target alone",
    },
    Ban {
        holds: |path| {
            let code = path.starts_with("src/") || path.starts_with("tests/");
            code && path != "src/net/ring.rs" && !path.starts_with("src/net/ring/")
        },
        words: &["unsafe"],
        why: "the only unsafe code is the ring's",
    },
    Ban {
        holds: is_pure,
        words: &[
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "UnixStream",
            "ToSocketAddrs",
            "Instant",
            "SystemTime",
            "Clock",
            "sleep",
            "rustix",
            "io_uring",
            "fs",
            "env",
            "process",
            "thread",
        ],
        why: "a pure room takes bytes, time and chance as arguments",
    },
    Ban {
        holds: |path| within(path, &["session"]) || path == "src/metrics/recorder.rs",
        words: &["Mutex", "RwLock", "Atomic", "Arc", "Rc", "RefCell", "Cell"],
        why: "a shard's own, shared with nobody",
    },
    Ban {
        holds: |path| within(path, &["protocol"]),
        words: &["Mutex", "RwLock", "Atomic"],
        why: "a connection has one owner",
    },
];

#[test]
fn pure_rooms_are_pure() {
    assert_none(&project().iter().flat_map(breaches).collect::<Vec<_>>());
}

fn breaches(source: &Source) -> Vec<String> {
    if !source.is_rust() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for ban in BANS.iter().filter(|ban| (ban.holds)(&source.path)) {
        for (number, line) in source.code.lines().enumerate() {
            let met = ban.words.iter().filter(|word| stands_in(line, word));
            found
                .extend(met.map(|word| source.breach(number + 1, &format!("{word}: {}", ban.why))));
        }
    }
    if within(&source.path, &["protocol"]) {
        found.extend(shared_structures(source));
    }
    found
}

/// Modules count when they are used as such: `fs::read`, `use std::{env, fs}`.
fn stands_in(line: &str, word: &str) -> bool {
    match word {
        "Atomic" => line.contains("Atomic"),
        "fs" | "env" | "process" | "thread" => word_at(line, word).is_some_and(|at| {
            let (before, after) = (&line[..at], &line[at + word.len()..]);
            before.ends_with("std::")
                || (line.contains("use std::{") && !before.ends_with("::"))
                || (after.starts_with("::") && !before.ends_with("::"))
        }),
        _ => word_at(line, word).is_some(),
    }
}

/// Protocol code may share constant bytes, and nothing else.
fn shared_structures(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in source.code.lines().enumerate() {
        for (at, _) in line.match_indices("Arc<") {
            if !line[at..].starts_with("Arc<[u8]>") {
                found.push(source.breach(number + 1, "only Arc<[u8]> is shared here"));
            }
        }
    }
    found
}

fn is_pure(path: &str) -> bool {
    within(path, &["protocol", "session", "scenario", "plan", "metrics", "verdict", "fit"])
        || path == "src/engine/shard.rs"
        || path.starts_with("src/engine/shard/")
}

fn within(path: &str, rooms: &[&str]) -> bool {
    let room = path.strip_prefix("src/").and_then(|below| below.split_once('/'));
    room.is_some_and(|(room, _)| rooms.contains(&room))
}

#[test]
fn each_ban_is_enforced() {
    for (path, code) in [
        ("src/plan/mod.rs", "use glommio::Task;"),
        ("src/net/mod.rs", "unsafe { f() }"),
        ("tests/kit/mod.rs", "unsafe { f() }"),
        ("src/protocol/http/mod.rs", "use std::net::TcpStream;"),
        ("src/engine/shard.rs", "let now = Instant::now();"),
        ("src/engine/shard/turn.rs", "use crate::stdx::Clock;"),
        ("src/verdict/trust.rs", "use std::{env, fs};"),
        ("src/verdict/trust.rs", "let text = fs::read(path);"),
        ("src/metrics/mod.rs", "std::thread::yield_now()"),
        ("src/session/mod.rs", "fn f(a: Arc<str>) {}"),
        ("src/metrics/recorder.rs", "count: AtomicU64,"),
        ("src/protocol/mod.rs", "state: Mutex<u8>,"),
        ("src/protocol/mod.rs", "fn f(a: Arc<str>) {}"),
    ] {
        assert_ne!(breaches(&Source::new(path, code)), Vec::<String>::new(), "{path}: {code}");
    }
}

#[test]
fn what_is_allowed_is_allowed() {
    for (path, code) in [
        ("src/engine/driver.rs", "use glommio::LocalExecutor;"),
        ("src/net/ring.rs", "unsafe { f() }"),
        ("src/net/ring/buffers.rs", "unsafe { f() }"),
        ("src/plan/mod.rs", "use std::net::SocketAddr; // Instant::now is elsewhere"),
        ("src/protocol/mod.rs", "fn f(a: Arc<[u8]>) { let process = 1; }"),
        ("src/metrics/histogram.rs", "fn f(thread: usize, s: &Sharded) {}"),
        ("src/metrics/mod.rs", "#[cfg(test)]\nmod tests { use std::fs; }"),
    ] {
        assert_eq!(breaches(&Source::new(path, code)), Vec::<String>::new(), "{path}: {code}");
    }
}
