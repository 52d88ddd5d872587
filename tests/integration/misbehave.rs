//! The embedded target lies every so often, and says how often: the report finds exactly those.

use crate::kit::{Onslaught, shards, target};

const LIES: &str = "--misbehave 5xx:97,truncate:89,close:83,corrupt:79,delay:73:20ms";

#[test]
fn every_lie_is_found() {
    shards([1, 2], |count| {
        let server = target(LIES);
        let load = Onslaught::http(server.url("/health")).line("-c 64 -n 20000 -d 60s");
        let run = load.shards(count).run().exits([0]);
        let (report, told) = (run.report(), server.told());
        let lies = |kind: &str| told["lies"][kind].as_u64().expect("a count of lies");
        assert_eq!(told["requests"], report.sent(), "{told:#}");
        assert_eq!(report.failed("status"), lies("5xx"), "{told:#}{run}");
        assert_eq!(report.failed("truncated"), lies("truncate") + lies("close"), "{told:#}{run}");
        assert_eq!(report.failed("protocol"), lies("corrupt"), "{told:#}{run}");
        let wrong = lies("5xx") + lies("truncate") + lies("close") + lies("corrupt");
        assert_eq!(report.all_failed(), wrong, "nothing else failed{run}");
        for kind in ["5xx", "truncate", "close", "corrupt", "delay"] {
            assert!(lies(kind) >= 100, "{kind} was hardly told: {told:#}");
        }
        assert!(report.ms("http_req_duration", "max") >= 20.0, "the delays are not seen{run}");
    });
}

#[test]
fn an_honest_target_is_found_honest() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::http(server.url("/health")).line("-c 64 -d 1s").shards(count);
        let run = load.run().exits([0]);
        run.report().assert_clean();
        assert_eq!(server.told()["requests"], run.report().sent());
    });
}

#[test]
fn lies_that_do_not_exist_are_wrong_usage() {
    for lie in ["5xx", "5xx:0", "exaggerate:5", "delay:73", "truncate:x"] {
        let run = Onslaught::command("target").line("--listen 127.0.0.1:0 --misbehave").args([lie]);
        run.run().exits([2]).says([lie]);
    }
}
