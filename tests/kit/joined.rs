//! What a client measured and what the target did, request by request.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::wait::until;

/// A request as both sides saw it, in nanoseconds of the host's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined {
    /// The client's: handed to the kernel.
    pub(crate) sent: i64,
    /// The client's: the reply was complete.
    pub(crate) done: i64,
    /// The target's: the first byte was read.
    pub(crate) arrived: i64,
    /// The target's: the reply was handed to the kernel.
    pub(crate) answered: i64,
    /// What the target meant it to take.
    pub(crate) work: i64,
}

impl Joined {
    /// How much longer the client says it took than the target says.
    pub(crate) const fn error(&self) -> i64 {
        (self.done - self.sent) - (self.answered - self.arrived)
    }
}

/// Joins the two files by the numbers of requests, in the order of their arrival. Each has one
/// line in each file, and happened in the order in which cause and effect have it.
#[track_caller]
pub(crate) fn joined(jtl: &Path, journal: &Path) -> Vec<Joined> {
    let ours = table(jtl, "id", ["sent_ns", "done_ns"]);
    assert!(!ours.is_empty(), "nothing was measured");
    let all_there = || table(journal, "id", ["arrival_ns", "answer_ns", "work_ns"]).len();
    until("the journal to be written", Duration::from_secs(5), || all_there() >= ours.len());
    let mut theirs = table(journal, "id", ["arrival_ns", "answer_ns", "work_ns"]);
    let mut joined: Vec<Joined> = ours
        .into_iter()
        .map(|(id, [sent, done])| {
            let found = theirs.remove(&id);
            let Some([arrived, answered, work]) = found else {
                panic!("request {id} was measured, and is not in the target's journal");
            };
            let joined = Joined { sent, done, arrived, answered, work };
            let ordered = sent <= arrived && arrived <= answered && answered <= done;
            assert!(ordered, "request {id}: effects before their causes: {joined:?}");
            joined
        })
        .collect();
    assert!(theirs.is_empty(), "{} requests were never measured", theirs.len());
    joined.sort_unstable_by_key(|request| (request.arrived, request.answered));
    joined
}

/// Columns of a CSV file with names in its first line, by the number in one of them; each is there
/// once.
#[track_caller]
fn table<const N: usize>(path: &Path, key: &str, names: [&str; N]) -> BTreeMap<u64, [i64; N]> {
    let text = std::fs::read_to_string(path).expect("read a file of results");
    let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let header = lines.next().expect("a line with the names of columns").trim_end();
    let place = |name: &str| {
        let place = header.split(',').position(|column| column == name);
        place.unwrap_or_else(|| panic!("no column '{name}' in {header}"))
    };
    let (key, places) = (place(key), names.map(place));
    let mut rows = BTreeMap::new();
    for line in lines {
        assert!(!line.starts_with('#'), "lines are missing: {line}");
        let fields: Vec<&str> = line.trim_end().split(',').collect();
        let id = fields[key].parse().unwrap_or_else(|_| panic!("no number: {line}"));
        let row = places.map(|place| fields[place].parse().expect("a number"));
        assert!(rows.insert(id, row).is_none(), "{id} is there twice");
    }
    rows
}
