//! What came out, for later: one line of JSON per result, with what it takes to repeat it.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;

use serde_json::{Value, json};

use super::options::Options;
use super::spread::Spread;
use super::table::{Outcome, bottleneck};
use super::targets::Target;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/history.ndjson");

/// Appends a line for each result.
pub(crate) fn append(options: &Options, target: &Target, connections: u32, results: &[Outcome]) {
    let mut file =
        OpenOptions::new().create(true).append(true).open(PATH).expect("open the history");
    let (when, commit, machine) = (jiff::Timestamp::now().to_string(), commit(), machine());
    for result in results {
        let line = json!({
            "bench": "versus",
            "when": when,
            "commit": commit,
            "machine": machine,
            "target": target.name,
            "page": target.page,
            "connections": connections,
            "rounds": options.rounds,
            "seconds": options.seconds,
            "generator_core": options.generator_core,
            "target_core": options.target_core,
            "tool": result.tool,
            "command": without_folders(&result.line),
            "ok_per_cpu_s": spread(&result.per_cpu_s),
            "ok_per_s": spread(&result.per_s),
            "failed": result.failed,
            "generator_busy": spread(&result.generator_busy),
            "target_busy": spread(&result.target_busy),
            "ours_over_it": spread(&result.ours_over_it),
            "bottleneck": bottleneck(result),
        });
        writeln!(file, "{line}").expect("write to the history");
    }
}

fn spread(spread: &Spread) -> Value {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    let values: Vec<f64> = spread.values.iter().map(|&value| round(value)).collect();
    let Spread { median, min, max, .. } = *spread;
    json!({"median": round(median), "min": round(min), "max": round(max), "values": values})
}

/// The commit, with a mark when the tree differs from it.
fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]);
    let output = git.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("run git");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The host: enough to see that two lines may be compared.
fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    json!({
        "cpu": value(&read("/proc/cpuinfo"), "model name"),
        "cores": threads,
        "memory": value(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").trim(),
    })
}

/// The command line with programs by their names: where they lay says nothing to another reader.
fn without_folders(line: &str) -> String {
    let name = |word: &str| match word.strip_prefix('/') {
        Some(path) if path.contains('/') => path.rsplit('/').next().unwrap_or(path).to_owned(),
        Some(_) | None => word.to_owned(),
    };
    line.split(' ').map(name).collect::<Vec<_>>().join(" ")
}
