use onslaught::metrics::Record;
use onslaught::metrics::recorder::End;
use onslaught::plan::Phase;
use onslaught::protocol::{Failure, Timing};
use onslaught::report::jtl::{COLUMNS, Jtl};
use onslaught::stdx::Nanos;

use crate::fixture::plan;

/// Each way to end, and an operation of the warm-up, which has no line.
#[test]
fn lines_say_how_operations_went() {
    let plan = plan();
    let jtl = Jtl::at(&plan, 1_700_000_000_000, Nanos::from_secs(5));
    let ms = Nanos::from_millis;
    let timing = Timing {
        intended: ms(100),
        free: ms(101),
        connect: ms(2),
        sent: ms(103),
        first_byte: ms(110),
        done: ms(112),
    };
    let ok = Record {
        number: 7,
        leaf: plan.leaf(Phase::Load, 0),
        end: End::Ok,
        status: 200,
        timing,
        bytes_sent: 40,
        bytes_received: 90,
    };
    let never_sent = Timing { sent: Nanos::ZERO, first_byte: Nanos::ZERO, ..timing };
    let refused = End::Failed(Failure::Refused);
    let records = [
        ok,
        Record { end: End::Failed(Failure::Status), status: 500, ..ok },
        Record { end: refused, status: 0, timing: never_sent, ..ok },
        Record { end: End::Aborted, status: 0, ..ok },
        Record { leaf: plan.leaf(Phase::Warmup, 0), ..ok },
    ];
    let mut text = Vec::new();
    assert_eq!(jtl.lines(&records, &mut text), 4, "the warm-up is left out");
    let text = String::from_utf8(text).expect("ASCII");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let columns: Vec<&str> = COLUMNS.split(',').collect();
    assert!(rows.iter().all(|row| row.len() == columns.len()), "a field for each column: {text}");
    let field = |row: usize, name: &str| {
        rows[row][columns.iter().position(|column| *column == name).expect("a column")]
    };
    let of = |name: &str| [0, 1, 2, 3].map(|row| field(row, name));
    assert_eq!(of("responseCode"), ["200", "500", "refused", "aborted"]);
    assert_eq!(of("success"), ["true", "false", "false", "false"]);
    assert_eq!(of("failureMessage"), ["", "status", "refused", "aborted"]);
    assert_eq!(of("sent_ns"), ["5103000000", "5103000000", "", "5103000000"]);
    for (name, value) in [
        ("timeStamp", "1700000000100"),
        ("elapsed", "12"),
        ("Latency", "10"),
        ("Connect", "2"),
        ("bytes", "90"),
        ("sentBytes", "40"),
        ("id", "7"),
        ("intended_ns", "5100000000"),
        ("done_ns", "5112000000"),
    ] {
        assert_eq!(field(0, name), value, "{name}");
    }
}
