//! Who takes part: each with its command line, and how its own account of a run is read.

use std::path::PathBuf;

use serde_json::Value;

use super::options::Options;
use super::targets::Target;

/// A load generator.
pub(crate) enum Tool {
    /// Ours.
    Onslaught,
    /// The yardstick.
    Wrk,
    /// A ring with nothing around it: what the kernel alone costs.
    Floor(PathBuf),
}

/// What a tool says of its run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Account {
    /// Replies that came and were good.
    pub(crate) ok: u64,
    /// Everything else.
    pub(crate) failed: u64,
    /// CPU seconds, where the tool measures itself.
    pub(crate) cpu_s: Option<f64>,
}

impl Tool {
    /// Its name in tables.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Onslaught => "onslaught",
            Self::Wrk => "wrk",
            Self::Floor(_) => "floor",
        }
    }

    /// Its whole command line, pinned to the generator's core.
    pub(crate) fn line(&self, options: &Options, target: &Target, clients: u32) -> Vec<String> {
        let (seconds, core) = (options.seconds, options.generator_core);
        let url = target.url();
        match self {
            Self::Onslaught => {
                let binary = env!("CARGO_BIN_EXE_onslaught");
                let flags = format!("-c {clients} -d {seconds}s -t 1 --cores {core} --json -");
                words(&format!("{binary} http {url} {flags}"))
            }
            Self::Wrk => {
                let pin = format!("taskset -c {core}");
                words(&format!("{pin} wrk -t1 -c{clients} -d{seconds}s {url}"))
            }
            Self::Floor(path) => {
                let (address, page) = (target.address(), target.page);
                let program = path.display();
                words(&format!("{program} {address} {page} {clients} {seconds} {core}"))
            }
        }
    }

    /// Reads what it printed.
    pub(crate) fn account(&self, printed: &str) -> Account {
        match self {
            Self::Onslaught => ours(printed),
            Self::Wrk => wrk(printed),
            Self::Floor(_) => floor(printed),
        }
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn ours(printed: &str) -> Account {
    let summary: Value = serde_json::from_str(printed).expect("a summary in JSON");
    let count = |name: &str| summary["accounting"][name].as_u64().expect("a count");
    let cpu = |name: &str| summary["generator"][name].as_f64().expect("seconds of CPU");
    Account {
        ok: count("ok"),
        failed: count("scheduled") - count("ok"),
        cpu_s: Some(cpu("cpu_user_s") + cpu("cpu_sys_s")),
    }
}

fn floor(printed: &str) -> Account {
    let line: Value = serde_json::from_str(printed.trim()).expect("one line of JSON");
    let number = |name: &str| line[name].as_f64().expect("a number");
    let ok = line["requests"].as_u64().expect("a count");
    Account { ok, failed: 0, cpu_s: Some(number("cpu_user_s") + number("cpu_sys_s")) }
}

/// `  123456 requests in 10.00s, 15.00MB read`, and lines about what went wrong, if anything did.
fn wrk(printed: &str) -> Account {
    let numbers = |line: &str| -> Vec<u64> {
        let parts = line.split(|each: char| !each.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    };
    let line = |word: &str| printed.lines().find(|line| line.contains(word));
    let total = line(" requests in ").expect("wrk's count of requests");
    let requests = numbers(total)[0];
    let statuses = line("Non-2xx or 3xx responses:").and_then(|line| line.rsplit(' ').next());
    let bad = statuses.map_or(0, |count| count.parse().expect("a count of bad statuses"));
    let sockets = line("Socket errors:").map_or(0, |line| numbers(line).iter().sum());
    Account { ok: requests - bad, failed: bad + sockets, cpu_s: None }
}
