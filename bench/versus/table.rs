//! What came out, for people.

use super::options::Options;
use super::round::{Round, Sample};
use super::spread::Spread;
use super::targets::Target;
use super::tools::Tool;

/// All that is said of one tool against one target.
pub(crate) struct Outcome {
    /// Its name.
    pub(crate) tool: &'static str,
    /// The command line.
    pub(crate) line: String,
    /// Good replies per CPU-second of the generator.
    pub(crate) per_cpu_s: Spread,
    /// Good replies per second.
    pub(crate) per_s: Spread,
    /// Replies that were not good, over all rounds.
    pub(crate) failed: u64,
    /// The busy share of the generator's core.
    pub(crate) generator_busy: Spread,
    /// The busy share of the target's core.
    pub(crate) target_busy: Spread,
    /// Ours per CPU-second divided by this tool's, round by round.
    pub(crate) ours_over_it: Spread,
}

/// A core with less than this left to do is what limits.
const BUSY: f64 = 0.95;

/// Puts the rounds together, tool by tool.
pub(crate) fn results(tools: &[Tool], rounds: &[Round]) -> Vec<Outcome> {
    let result = |(index, tool): (usize, &Tool)| {
        let samples = || rounds.iter().map(move |round| &round[index]);
        let pairs = rounds.iter().map(|round| (&round[0], &round[index]));
        Outcome {
            tool: tool.name(),
            line: rounds[0][index].line.clone(),
            per_cpu_s: Spread::of(samples().map(per_cpu_s)),
            per_s: Spread::of(samples().map(|sample| ok(sample) / sample.wall_s)),
            failed: samples().map(|sample| sample.account.failed).sum(),
            generator_busy: Spread::of(samples().map(|sample| sample.generator_busy)),
            target_busy: Spread::of(samples().map(|sample| sample.target_busy)),
            ours_over_it: Spread::of(pairs.map(|(ours, its)| per_cpu_s(ours) / per_cpu_s(its))),
        }
    };
    tools.iter().enumerate().map(result).collect()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn ok(sample: &Sample) -> f64 {
    sample.account.ok as f64
}

/// Good replies per second of the generator's CPU, as the kernel accounts for it.
fn per_cpu_s(sample: &Sample) -> f64 {
    ok(sample) / sample.cpu_s.max(0.01)
}

/// Prints one table.
pub(crate) fn print(options: &Options, target: &Target, connections: u32, results: &[Outcome]) {
    let Options { rounds, seconds, generator_core, target_core, .. } = options;
    println!(
        "\n{} {}, {connections} connections, {rounds} rounds of {seconds} s; \
         generator on core {generator_core}, target on core {target_core}",
        target.name, target.page
    );
    println!(
        "{:<10} {:>24} {:>24}  failed  gen %  tgt %  bottleneck",
        "", "1000 ok/CPU-s", "1000 ok/s"
    );
    for result in results {
        println!(
            "{:<10} {:>24} {:>24} {:>7} {:>6.0} {:>6.0}  {}",
            result.tool,
            thousands(&result.per_cpu_s).to_string(),
            thousands(&result.per_s).to_string(),
            result.failed,
            100.0 * result.generator_busy.median,
            100.0 * result.target_busy.median,
            bottleneck(result),
        );
    }
    for result in &results[1..] {
        let name = format!("ours/{}", result.tool);
        println!("{name:<15} {:.2} per CPU-second, round by round", result.ours_over_it);
    }
}

/// Which core had nothing left to give.
pub(crate) fn bottleneck(result: &Outcome) -> &'static str {
    match (result.generator_busy.median >= BUSY, result.target_busy.median >= BUSY) {
        (true, true) => "both",
        (true, false) => "generator",
        (false, true) => "target",
        (false, false) => "neither",
    }
}

fn thousands(spread: &Spread) -> Spread {
    Spread::of(spread.values.iter().map(|value| value / 1000.0))
}
