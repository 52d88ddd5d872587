//! The table of faults, row by row: alone, and among replies that are well.
//!
//! Rows that are proved elsewhere: what a reply may be (`liar.rs`), the peer's side of WebSockets
//! (`websocket.rs`, `tests/protocol`), a host that is not able (`preflight.rs`), signals
//! (`signals.rs`, `interrupts.rs`), `/dev/full` (`outputs.rs`). A name that does not resolve ends a
//! run before its load (`bad_input.rs`). Rows that cannot be provoked, because the product cannot
//! do it yet: TLS (expired, self-signed, wrong host, stalled), and names that are resolved again
//! while a load is on. A full table of descriptors is refused ahead of the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use crate::kit::{
    Onslaught, Reply, Run, TempDir, established, free_port, liar, pause, shards, target, target_at,
    until,
};

const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A fault of the target's, and the class that it becomes; none is no failure.
struct Row {
    fault: &'static str,
    reply: fn(Vec<u8>) -> Reply,
    bytes: &'static [u8],
    class: Option<&'static str>,
}

const fn row(
    fault: &'static str,
    reply: fn(Vec<u8>) -> Reply,
    bytes: &'static [u8],
    class: Option<&'static str>,
) -> Row {
    Row { fault, reply, bytes, class }
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshrt";
const BOTH: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
const DIFFERING: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok";
const OVERFLOWING: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok";
const SURPLUS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\noksurplus";
const INTERIM: &[u8] = b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.";

const ROWS: [Row; 19] = [
    row("a malformed status", Reply::Bytes, b"HTTP/1.1 abc\r\n\r\n", Some("protocol")),
    row("a bare CR", Reply::Bytes, b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", Some("protocol")),
    row("a NUL", Reply::Bytes, b"HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", Some("protocol")),
    row("a length and chunks", Reply::Bytes, BOTH, Some("protocol")),
    row("two lengths", Reply::Bytes, DIFFERING, Some("protocol")),
    row("a length without end", Reply::Bytes, OVERFLOWING, Some("protocol")),
    row("half a body", Reply::Close, HALF, Some("truncated")),
    row("half a chunk", Reply::Close, CHUNKED, Some("truncated")),
    row("no reply at all", Reply::Close, b"", Some("truncated")),
    row("a reset", Reply::Reset, HALF, Some("reset")),
    row("bytes behind a reply", Reply::Bytes, SURPLUS, Some("desync")),
    row("endless headers", endless_head, b"HTTP/1.1 200 OK\r\n", Some("limit")),
    row("an endless line", endless_line, b"HTTP/1.1 200 OK\r\nA: ", Some("limit")),
    row("silence", Reply::Hang, b"", Some("timeout_first_byte")),
    row("silence within the head", Reply::Hang, b"HTTP/1.1 200 OK\r\nA", Some("timeout_body")),
    row("silence within the body", Reply::Hang, HALF, Some("timeout_body")),
    row("a body until the end", Reply::Close, b"HTTP/1.1 200 OK\r\n\r\nall of it", None),
    row("an interim reply", Reply::Bytes, INTERIM, None),
    row("no content", Reply::Bytes, b"HTTP/1.1 204 No Content\r\n\r\n", None),
];

fn endless_head(start: Vec<u8>) -> Reply {
    Reply::Endless(start, b"X: y\r\n".repeat(1_000))
}

fn endless_line(start: Vec<u8>) -> Reply {
    Reply::Endless(start, vec![b'y'; 4_096])
}

/// Every `every`-th reply has the fault: what came of so many requests over so many connections.
fn provoked(row: &'static Row, every: u64, load: &str, shards: u32) {
    eprintln!("{}: every {every}th of {load}", row.fault);
    let lies = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&lies);
    let server = liar(move |number| {
        if number % every > 0 {
            return Reply::Bytes(FINE.into());
        }
        told.fetch_add(1, Ordering::SeqCst);
        (row.reply)(row.bytes.to_vec())
    });
    let load = Onslaught::http(server.url()).line(load).line("-d 30s --timeout 300ms");
    let run = load.shards(shards).run().uses_at_most(Duration::from_secs(3));
    assert!(!run.stderr.contains("panicked"), "{run}");
    let (report, lies) = (run.report(), lies.load(Ordering::SeqCst));
    assert!(lies > 0 && server.requests() == report.sent(), "{lies} lies{run}");
    let failed = if row.class.is_some() { lies } else { 0 };
    assert_eq!(report.all_failed(), failed, "{:#}", report.at("/accounting/failed"));
    assert_eq!(report.ok(), report.sent() - failed, "the others are not touched{run}");
    if let Some(class) = row.class {
        assert_eq!(report.failed(class), lies, "{:#}", report.at("/accounting/failed"));
    }
    assert_eq!(run.exit, i32::from(report.ok() == 0), "{run}");
}

#[test]
fn each_fault_alone_has_its_class() {
    shards([1, 2], |count| ROWS.iter().for_each(|row| provoked(row, 1, "-c 2 -n 4", count)));
}

/// While other connections are answered well: each fault is found exactly as often as it was told.
#[test]
fn each_fault_among_others_has_its_class() {
    shards([1, 2], |count| ROWS.iter().for_each(|row| provoked(row, 7, "-c 16 -n 140", count)));
}

/// By the clock, at a target that goes away for a second and comes back: every arrival has its
/// end, attempts to connect back off, and nothing spins meanwhile.
#[test]
fn a_target_that_comes_back_is_loaded_again() {
    shards([1, 2], |count| {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let first = target_at(&listen, "");
        let load = Onslaught::http(format!("http://{listen}/health")).shards(count);
        let load = load.line("-c 8 -R 200 -d 5s --timeout 2s --allow-untrusted").start();
        until("the load to begin", Duration::from_secs(5), || established(port) >= 8);
        pause(Duration::from_secs(1));
        drop(first);
        let before = load.cpu();
        pause(Duration::from_millis(1_300));
        let spent = load.cpu().saturating_sub(before);
        let second = target_at(&listen, "");
        let run = load.finish().exits([0]);
        assert!(spent < Duration::from_millis(400), "{spent:?} of CPU on a dead target{run}");
        let report = run.report();
        assert_eq!(report.count("/accounting/scheduled"), 1_000, "no arrival is lost{run}");
        let failed = report.all_failed();
        let classes = ["refused", "truncated", "reset"].map(|class| report.failed(class));
        assert_eq!(classes.iter().sum::<u64>(), failed, "{:#}", report.at("/accounting/failed"));
        // From 10 ms to 1 s, doubling, with jitter: no more than ten in 1.3 s for each connection.
        assert!((1..=8 * 10).contains(&failed), "{failed} attempts on a dead target{run}");
        let after = second.told()["requests"].as_u64().expect("a count of requests");
        assert!(after > 200, "the load did not come back: {after} requests{run}");
    });
}

/// The same with WebSockets that are open and silent.
#[test]
fn idle_websockets_come_back() {
    shards([1, 2], |count| {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let first = target_at(&listen, "");
        let load = Onslaught::ws(format!("ws://{listen}/echo")).shards(count);
        let load = load.line("-c 8 -d 6s --every 60s --allow-untrusted").start();
        until("the load to begin", Duration::from_secs(5), || established(port) >= 8);
        drop(first);
        pause(Duration::from_secs(1));
        let second = target_at(&listen, "");
        until("sessions to come back", Duration::from_secs(4), || established(port) >= 8);
        let run = load.finish().uses_at_most(Duration::from_secs(2));
        let report = run.report();
        assert_eq!(report.metric("ws_reconnects", "count"), 8, "each once{run}");
        assert_eq!(report.metric("ws_errors", "count"), report.all_failed() + 8, "{run}");
        drop(second);
    });
}

/// A process that was stopped cannot have been punctual: flagged in an open run.
#[test]
fn a_stopped_generator_is_flagged() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::http(server.url("/health")).line("-c 8 -R 200 -d 5s").shards(count);
        let load = load.start();
        until("the load to begin", Duration::from_secs(5), || established(server.port) >= 8);
        pause(Duration::from_secs(1));
        load.signal(Signal::STOP);
        pause(Duration::from_millis(600));
        load.signal(Signal::CONT);
        let run = load.finish().exits([111]);
        let report = run.report();
        assert_eq!(report.text("/trust/verdict"), "generator_saturated", "{run}");
        assert!(report.at("/trust/reasons").to_string().contains("stood still for"), "{run}");
        assert!(report.at("/events").to_string().contains("stood still for"), "{run}");
        report.assert_clean();
        assert_eq!(report.sent(), 1_000, "what was due meanwhile went late, not never{run}");
        assert!(report.ms("schedule_lag", "max") > 400.0, "that is our lag{run}");
    });
}

/// The binary in namespaces of its own, after some shell commands, which needs root: tests that do
/// so are named `_isolated`, and `tests/run` says `NOT RUN` of them where the host gives none.
fn isolated(load: Onslaught, namespaces: &[&str], shell: &str) -> Run {
    let under = ["unshare"].into_iter().chain(namespaces.iter().copied());
    let run = load.under(under.chain(["bash", "-c", shell, "bash"])).run();
    assert_ne!(run.exit, 99, "no namespace, or none that may be changed{run}");
    run
}

/// Ten ports for thirty connections: this host's fault, and never the target's.
#[test]
fn ports_that_run_out_are_our_own_fault_isolated() {
    // The load is the first process of its namespace, so that the target ends with it.
    let shell = format!(
        "ip link set lo up || exit 99\n\
         echo '40000 40009' >/proc/sys/net/ipv4/ip_local_port_range || exit 99\n\
         {} target --listen 127.0.0.1:8080 </dev/null >/dev/null 2>&1 &\n\
         for turn in $(seq 100); do\n\
           grep -q ':1F90 .* 0A ' /proc/net/tcp && break; sleep 0.05\n\
         done\n\
         exec \"$@\"",
        env!("CARGO_BIN_EXE_onslaught")
    );
    shards([1, 2], |count| {
        let load = Onslaught::http("http://127.0.0.1:8080/delay/100ms").shards(count);
        let load = load.line("-c 30 -R 300 -d 3s --timeout 1s");
        let run = isolated(load, &["--net", "--pid", "--fork", "--kill-child"], &shell);
        let run = run.exits([111]);
        let report = run.report();
        assert!(report.failed("local_ports") > 0, "{:#}", report.at("/accounting/failed"));
        assert_eq!(report.all_failed(), report.failed("local_ports"), "nothing else fails{run}");
        assert_eq!(report.count("/metrics/http_req_failed/passes"), 0, "no fault of the target's");
        assert!(
            report.at("/trust/reasons").to_string().contains("this host's own limits"),
            "{run}"
        );
        assert!(report.ok() > 0, "ten connections work{run}");
    });
}

/// A disk that is full only when the summary is written: it is on the terminal, and no half of it
/// on the disk.
#[test]
fn a_disk_that_is_full_keeps_no_half_a_file_isolated() {
    shards([1, 2], |count| {
        let (server, dir) = (target(""), TempDir::new());
        let full = dir.join("");
        let shell = format!(
            "mount -t tmpfs -o size=4k none {0} || exit 99; \"$@\"; code=$?; \
             echo \"left: $(ls -A {0} | wc -l)\" >&2; exit $code",
            full.display()
        );
        let load = Onslaught::http(server.url("/health")).line("-c 2 -n 50").shards(count);
        let load = load.json_at(full.join("summary.json"));
        let run = isolated(load, &["--mount"], &shell);
        let run = run.exits([1]).says(["summary.json", "no space left", "left: 0"]);
        assert!(run.stdout.contains("replies"), "no summary{run}");
    });
}

#[test]
fn a_folder_that_is_read_only_is_found_before_the_load_isolated() {
    let (server, dir) = (target(""), TempDir::new());
    let folder = dir.join("");
    let shell = format!("mount -t tmpfs -o ro none {} || exit 99; \"$@\"", folder.display());
    let load = Onslaught::http(server.url("/health")).line("-c 2 -n 50");
    let load = load.json_at(folder.join("summary.json"));
    let run = isolated(load, &["--mount"], &shell);
    run.exits([1, 2]).says(["read-only"]);
    assert_eq!(server.told()["requests"], 0, "loaded although nothing can be kept");
}
