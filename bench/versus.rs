//! onslaught beside wrk and a bare ring: the same target, cores, connections and seconds, in turns.
//!
//! Does:   measures good replies per CPU-second of the generator, prints medians with their range
//!         and ratios taken round by round, says who was the bottleneck, and keeps one line of
//!         JSON per result in `bench/history.ndjson`.
//! Why so: on a shared host a figure by itself is noise; two figures of the same minute are not.

#![expect(clippy::expect_used, reason = "a bench that cannot measure has nothing else to do")]
#![expect(clippy::print_stdout, reason = "its table")]

mod versus {
    pub(crate) mod cpu;
    pub(crate) mod history;
    pub(crate) mod kit;
    pub(crate) mod options;
    pub(crate) mod round;
    pub(crate) mod spread;
    pub(crate) mod table;
    pub(crate) mod targets;
    pub(crate) mod tools;
}

use versus::{history, options::Options, round, table, targets};

fn main() {
    let options = Options::from_arguments(std::env::args().skip(1));
    let tools = options.tools();
    for target in targets::all(&options) {
        for &connections in &options.connections {
            let rounds = round::rounds(&options, &tools, &target, connections);
            let results = table::results(&tools, &rounds);
            table::print(&options, &target, connections, &results);
            if !options.dry {
                history::append(&options, &target, connections, &results);
            }
        }
    }
}
