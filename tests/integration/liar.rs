//! Replies that are wrong, endless or missing: each its class, its count, a report and an end.

use std::time::Duration;

use crate::kit::{Onslaught, Reply, Run, full_backlog, liar, shards};

const HEAD: &str = "HTTP/1.1 200 OK\r\n";
const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Twenty requests over two connections, each answered by `script`. A run in which nothing
/// succeeds has failed.
fn lied_to(shards: u32, script: impl Fn(u64) -> Reply + Send + Sync + 'static) -> Run {
    let server = liar(script);
    let load = Onslaught::http(server.url()).line("-c 2 -n 20 -d 20s --timeout 5s");
    let run = load.shards(shards).run().uses_at_most(Duration::from_secs(2));
    assert!(!run.stderr.contains("panicked"), "{run}");
    assert_eq!(run.exit, if run.report().ok() == 0 { 1 } else { 0 }, "{run}");
    assert_eq!(run.report().sent(), 20, "{run}");
    assert_eq!(server.requests(), 20, "each attempt reached the server once{run}");
    run
}

/// All twenty fail, and in this class alone.
#[track_caller]
fn assert_all(class: &str, run: &Run) {
    let report = run.report();
    assert_eq!(report.failed(class), 20, "{:#}", report.at("/accounting/failed"));
    assert_eq!(report.all_failed(), 20);
    assert_eq!(report.errors(class), 20, "{:#}", report.at("/errors"));
}

#[test]
fn malformed_heads_break_the_protocol() {
    let heads: [&'static [u8]; 10] = [
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"SMTP/1.1 200 OK\r\n\r\n",
        b"\x00\x01\x02\x03 garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\rX: y\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
    ];
    shards([1, 2], |count| {
        for head in heads {
            eprintln!("answered with {}", head.escape_ascii());
            assert_all("protocol", &lied_to(count, move |_| Reply::Bytes(head.to_vec())));
        }
    });
}

#[test]
fn bodies_cut_short_are_truncated() {
    let starts = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshrt",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshrt",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "",
    ];
    shards([1, 2], |count| {
        for start in starts {
            eprintln!("cut after {start:?}");
            assert_all("truncated", &lied_to(count, |_| Reply::Close(start.into())));
        }
    });
}

#[test]
fn a_body_that_ends_with_its_connection_is_fine() {
    shards([1, 2], |count| {
        let run = lied_to(count, |_| Reply::Close(format!("{HEAD}\r\nuntil the end").into()));
        run.report().assert_clean();
    });
}

#[test]
fn bytes_after_a_reply_are_a_desync() {
    shards([1, 2], |count| {
        let run = lied_to(count, |_| Reply::Bytes(format!("{FINE}surplus").into()));
        // Whether the surplus is seen with its reply or with the next is up to timing: the bytes
        // come in one segment here, so it is the reply's own.
        assert_all("desync", &run);
    });
}

#[test]
fn a_reset_is_a_reset() {
    shards([1, 2], |count| {
        let run =
            lied_to(count, |_| Reply::Reset(format!("{HEAD}Content-Length: 9\r\n\r\n").into()));
        assert_all("reset", &run);
    });
}

#[test]
fn endless_heads_are_bounded() {
    shards([1, 2], |count| {
        let run = lied_to(count, |_| Reply::Endless(HEAD.into(), b"X: y\r\n".repeat(1000)));
        assert_all("limit", &run);
    });
}

#[test]
fn a_head_of_one_endless_line_is_bounded() {
    shards([1, 2], |count| {
        let run = lied_to(count, |_| Reply::Endless(format!("{HEAD}X: ").into(), vec![b'y'; 4096]));
        assert_all("limit", &run);
    });
}

/// An endless chunked body never ends: the timeout does, whatever memory there is.
#[test]
fn endless_bodies_end_by_the_timeout() {
    shards([1, 2], |count| {
        let start = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
        let chunk: Vec<u8> = [b"1000\r\n", [b'x'; 4096].as_slice(), b"\r\n"].concat();
        let server = liar(move |_| Reply::Endless(start.clone().into(), chunk.clone()));
        let load = Onslaught::http(server.url()).line("-c 2 -n 2 -d 20s --timeout 500ms");
        let run = load.shards(count).run().exits([1]);
        let report = run.report();
        assert_eq!(report.failed("timeout_body") + report.failed("limit"), 2, "{run}");
        assert!(report.count("/generator/rss_peak_bytes") < 256 << 20, "kept what nobody reads");
    });
}

#[test]
fn silence_ends_by_the_timeout() {
    shards([1, 2], |count| {
        let server = liar(|_| Reply::Hang(Vec::new()));
        let load = Onslaught::http(server.url()).line("-c 2 -n 6 -d 20s --timeout 400ms");
        let run = load.shards(count).run().exits([1]).uses_at_most(Duration::from_millis(700));
        assert_eq!(run.report().failed("timeout_first_byte"), 6, "{run}");
        assert_eq!(run.report().all_failed(), 6);
        assert!(run.wall >= Duration::from_millis(1200), "three waits in a row{run}");
    });
}

#[test]
fn half_a_body_ends_by_the_timeout() {
    shards([1, 2], |count| {
        let half = format!("{HEAD}Content-Length: 10\r\n\r\nhalf.");
        let server = liar(move |_| Reply::Hang(half.clone().into()));
        let load = Onslaught::http(server.url()).line("-c 2 -n 6 -d 20s --timeout 400ms");
        let run = load.shards(count).run().exits([1]).uses_at_most(Duration::from_millis(700));
        assert_eq!(run.report().failed("timeout_body"), 6, "{run}");
        assert_eq!(run.report().all_failed(), 6);
    });
}

#[test]
fn nobody_accepts() {
    shards([1, 2], |count| {
        let silent = full_backlog();
        let load = Onslaught::http(format!("http://{}/", silent.address));
        let load = load.line("-c 2 -n 4 -d 20s --timeout 500ms").shards(count);
        let run = load.run().exits([113]).uses_at_most(Duration::from_millis(700));
        assert!(run.report().errors("timeout_connect") >= 1, "{run}");
    });
}

/// Good and bad replies in turn: exactly the bad ones are found, the good ones still count.
#[test]
fn every_fourth_reply_is_garbage() {
    shards([1, 2], |count| {
        let run = lied_to(count, |number| {
            Reply::Bytes(if number % 4 == 3 { b"garbage\r\n\r\n".to_vec() } else { FINE.into() })
        });
        assert_eq!(run.report().failed("protocol"), 5, "{run}");
        assert_eq!(run.report().ok(), 15);
    });
}

/// RFC 9112, section 6.3: interim replies precede the one that counts; 204 and 304 have no body.
#[test]
fn odd_but_right_replies_are_fine() {
    let replies = [
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    ];
    shards([1, 2], |count| {
        for reply in replies {
            eprintln!("answered with {reply:?}");
            let run = lied_to(count, |_| Reply::Bytes(reply.into()));
            run.report().assert_clean();
            assert_eq!(run.report().count("/metrics/http_reqs/count"), 20, "one result each{run}");
        }
    });
}
