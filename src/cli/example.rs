//! `onslaught example` and `onslaught presets`: the scenarios inside of the program.

use super::args::ExampleArgs;
use super::{print, refuse};
use crate::report::ExitCode;
use crate::scenario::{examples, nearest};

/// Prints an example.
pub(super) fn example(args: &ExampleArgs) -> ExitCode {
    let name = args.name.as_str();
    let example = examples::preset(name).map_or(name, |preset| preset.example);
    let Some(text) = examples::text(example) else {
        let near = nearest(name, examples::PRESETS.iter().map(|preset| preset.name));
        let meant = near.map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
        let all: Vec<&str> = examples::PRESETS.iter().map(|preset| preset.name).collect();
        let text = format!("there is no example '{name}'{meant}\nThere are {}.", all.join(", "));
        return refuse(ExitCode::Usage, &text);
    };
    if print(text) { ExitCode::Passed } else { ExitCode::Failed }
}

/// Lists the presets.
pub(super) fn presets() -> ExitCode {
    let width = examples::PRESETS.iter().map(|preset| preset.name.len()).max().unwrap_or(0);
    let line = |preset: &examples::Preset| format!("{:width$}  {}\n", preset.name, preset.about);
    let list: String = examples::PRESETS.iter().map(line).collect();
    if print(&list) { ExitCode::Passed } else { ExitCode::Failed }
}
