//! The kit's own law: a summary that does not add up fails the test that reads it.

use serde_json::{Value, json};

use crate::kit::{Onslaught, Report, target};

/// A real summary, changed in one place.
fn reread(pointer: &str, value: Value) -> std::thread::Result<Report> {
    let server = target("");
    let load = Onslaught::http(server.url("/health")).line("-c 2 -n 20 -d 10s --json -");
    let run = load.without_json().run().exits([0]);
    let mut summary: Value = serde_json::from_str(&run.stdout).expect("a summary");
    *summary.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    std::panic::catch_unwind(|| Report::parse(&summary.to_string(), 0))
}

#[test]
fn a_summary_that_does_not_add_up_is_refused() {
    assert!(reread("/accounting/ok", json!(20)).is_ok(), "the truth is refused");
    for (pointer, lie) in [
        ("/accounting/ok", json!(19)),
        ("/accounting/scheduled", json!(21)),
        ("/accounting/failed/reset", json!(1)),
        ("/accounting/failed/reset", json!(null)),
        ("/accounting/by_kind/http/sent", json!(21)),
        ("/metrics/http_reqs/count", json!(19)),
        ("/metrics/http_reqs/rate", json!(1.0)),
        ("/metrics/status_codes/200", json!(21)),
        ("/by/workload/http/http_reqs/count", json!(19)),
        ("/metrics/http_req_duration/p99", json!(1e9)),
        ("/metrics/http_req_duration/avg", json!(1e9)),
        ("/exit_code", json!(99)),
        ("/schema", json!(2)),
    ] {
        assert!(reread(pointer, lie.clone()).is_err(), "{pointer} = {lie} passes");
    }
}
