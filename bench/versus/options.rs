//! What to measure, as the command line says it.

use std::path::PathBuf;

use super::kit::machine::cores;
use super::tools::Tool;

/// All there is to choose.
pub(crate) struct Options {
    /// Rounds; in each, every tool runs once.
    pub(crate) rounds: usize,
    /// Seconds of each run.
    pub(crate) seconds: u32,
    /// Numbers of connections, one table each.
    pub(crate) connections: Vec<u32>,
    /// The bare-ring program, where it was built.
    pub(crate) floor: Option<PathBuf>,
    /// Whether wrk takes part.
    pub(crate) wrk: bool,
    /// Whether nothing is written to the history.
    pub(crate) dry: bool,
    /// The generator's core.
    pub(crate) generator_core: usize,
    /// The target's core.
    pub(crate) target_core: usize,
}

const USAGE: &str = "options: --rounds N  --seconds S  --connections C,C  --floor PATH  \
                     --without-wrk  --dry";

impl Options {
    /// Reads them; anything else ends the bench with the list of them.
    pub(crate) fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Self {
        let (generator_core, target_core) = (cores()[0], cores()[1]);
        let connections = vec![64, 512];
        let (floor, wrk, dry) = (None, true, false);
        let (rounds, seconds) = (5, 10);
        let mut options =
            Self { rounds, seconds, connections, floor, wrk, dry, generator_core, target_core };
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().expect(USAGE);
            match flag.as_str() {
                "--rounds" => options.rounds = value().parse().expect(USAGE),
                "--seconds" => options.seconds = value().parse().expect(USAGE),
                "--connections" => {
                    let list = value();
                    let numbers = list.split(',').map(|number| number.parse().expect(USAGE));
                    options.connections = numbers.collect();
                }
                "--floor" => options.floor = Some(value().into()),
                "--without-wrk" => options.wrk = false,
                "--dry" => options.dry = true,
                // Cargo's own flag to every bench.
                "--bench" => {}
                unknown => panic!("unknown option {unknown}; {USAGE}"),
            }
        }
        assert!(options.rounds > 0 && options.seconds > 0, "{USAGE}");
        options
    }

    /// Who takes part, ours first.
    pub(crate) fn tools(&self) -> Vec<Tool> {
        let mut tools = vec![Tool::Onslaught];
        if self.wrk {
            tools.push(Tool::Wrk);
        }
        if let Some(path) = &self.floor {
            tools.push(Tool::Floor(path.clone()));
        }
        tools
    }
}
