//! Node's and Python's own HTTP servers: counts equal to theirs.

use crate::kit::{Onslaught, TempDir, node, python, python_module, shards};

#[test]
fn node_counts_the_same() {
    shards([1, 2], |count| {
        let server = node();
        let load = Onslaught::http(server.url("/")).line("-c 64 -d 1s").shards(count);
        let run = load.run().exits([0]);
        run.report().assert_clean();
        assert_eq!(run.report().ok(), server.counted());
    });
}

#[test]
fn node_in_every_framing() {
    shards([1, 2], |count| {
        let server = node();
        let mut expected = 0;
        for path in ["/chunked", "/empty", "/large"] {
            let load = Onslaught::http(server.url(path)).line("-c 8 -n 400 -d 20s").shards(count);
            let run = load.run().exits([0]);
            run.report().assert_clean();
            expected += 400;
            assert_eq!(server.counted(), expected, "{path}");
        }
    });
}

#[test]
fn node_answers_head_without_a_body() {
    shards([1, 2], |count| {
        let server = node();
        let load = Onslaught::http(server.url("/large")).line("-X HEAD -c 8 -n 400 -d 20s");
        let run = load.shards(count).run().exits([0]);
        run.report().assert_clean();
        assert_eq!(server.counted(), 400);
    });
}

#[test]
fn node_says_missing() {
    shards([1, 2], |count| {
        let server = node();
        let load = Onslaught::http(server.url("/missing")).line("-c 8 -n 400 -d 20s");
        let run = load.shards(count).run().exits([1]);
        assert_eq!(run.report().failed("status"), 400);
        assert_eq!(run.report().count("/metrics/status_codes/404"), 400);
        assert_eq!(run.report().all_failed(), 400);
    });
}

#[test]
fn python_with_kept_connections_counts_the_same() {
    shards([1, 2], |count| {
        let server = python();
        let load = Onslaught::http(server.url("/")).line("-c 16 -n 800 -d 30s").shards(count);
        let run = load.run().exits([0]);
        run.report().assert_clean();
        assert_eq!(server.counted(), 800);
    });
}

/// HTTP/1.0: every reply ends its connection.
#[test]
fn python_as_a_module_serves_a_file() {
    shards([1, 2], |count| {
        let dir = TempDir::new();
        dir.write("page.txt", &"a page of python\n".repeat(500));
        let server = python_module(&dir.join(""));
        // Its queue holds five connections: no more at a time, or the kernel drops some.
        let load = Onslaught::http(server.url("/page.txt")).line("-c 4 -n 400 -d 30s");
        let run = load.shards(count).run().exits([0]);
        run.report().assert_clean();
        assert_eq!(run.report().ok(), 400);
        assert!(run.report().count("/metrics/data_received/count") > 400 * 8500);
    });
}
