//! Scenarios: files and presets, the variables for them, and what is wrong with them.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use super::problems::Problems;
use super::say;
use crate::plan::{Compiled, Options, compile};
use crate::report::ExitCode;
use crate::scenario::{self, Diagnostics, Ink, Scenario, Source, examples, limits, nearest};

/// Variables of the command line; those of the process stand behind them.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// `-e KEY=VALUE`, the last one of a name counts.
    pub(super) fn read(given: &[String], problems: &mut Problems) -> Self {
        let mut variables = BTreeMap::new();
        for each in given {
            match each.split_once('=').filter(|(name, _)| !name.is_empty()) {
                Some((name, value)) => drop(variables.insert(name.to_owned(), value.to_owned())),
                // What was given may be a secret without its name.
                None => problems.add("-e", "no NAME=VALUE, as in -e BASE_URL=http://127.0.0.1"),
            }
        }
        Self(variables)
    }

    pub(super) fn of(pairs: &[(&str, String)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    /// Refuses variables that none of `files` asks for: a slip in a name would load the default.
    ///
    /// # Errors
    /// With the exit code; what was meant has been told.
    pub(super) fn belong(&self, files: &[Given]) -> Result<(), ExitCode> {
        let asked: Vec<&str> = files.iter().flat_map(|given| variables_of(&given.text)).collect();
        let unknown: Vec<&String> =
            self.0.keys().filter(|name| !asked.contains(&name.as_str())).collect();
        let [first, ..] = files else { return Ok(()) };
        let place = if files.len() == 1 { first.name.as_str() } else { "the files" };
        for name in &unknown {
            let near = nearest(name, asked.iter().copied());
            let meant = near.map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
            say(&format!("error: -e {name}: there is no ${{{name}}} in {place}{meant}"));
        }
        if unknown.is_empty() { Ok(()) } else { Err(ExitCode::Usage) }
    }

    fn lookup(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned().or_else(|| std::env::var(name).ok())
    }
}

/// A scenario that was asked for.
#[derive(Debug)]
pub(super) struct Given {
    /// The path, or the name of the preset.
    pub(super) name: String,
    text: String,
    profile: Option<String>,
}

/// A scenario, understood.
#[derive(Debug)]
pub(super) struct Understood {
    pub(super) scenario: Scenario,
    pub(super) compiled: Compiled,
    /// As it was understood, with secrets masked.
    pub(super) effective: String,
}

impl Given {
    /// A file, or else a preset.
    ///
    /// # Errors
    /// With the exit code, when it is neither; why has been told.
    pub(super) fn find(name: &str, profile: Option<&str>) -> Result<Self, ExitCode> {
        if let (Some(preset), false) = (examples::preset(name), Path::new(name).exists()) {
            let text = examples::text(preset.example).unwrap_or_default().to_owned();
            let profile = profile.or(preset.profile).map(str::to_owned);
            return Ok(Self { name: name.to_owned(), text, profile });
        }
        let plain = !name.contains(['/', '.']) && !Path::new(name).exists();
        if plain {
            let names = examples::PRESETS.iter().map(|preset| preset.name);
            let near = nearest(name, names);
            let meant = near.map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
            say(&format!(
                "error: '{name}' is neither a file nor a preset{meant}\n\
                 `onslaught presets` lists what can be run by name."
            ));
            return Err(ExitCode::Usage);
        }
        Self::file(Path::new(name), profile)
    }

    /// A file.
    ///
    /// # Errors
    /// With the exit code, when it cannot be read as text; why has been told.
    pub(super) fn file(path: &Path, profile: Option<&str>) -> Result<Self, ExitCode> {
        let name = path.display().to_string();
        let bytes = read(path).map_err(|error| {
            say(&format!("error: {name}: {error}: give the path of a file that can be read"));
            ExitCode::Usage
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            say(&format!("error: {name}: byte {at} is no UTF-8: save the file as UTF-8 text"));
            ExitCode::InvalidScenario
        })?;
        Ok(Self { name, text, profile: profile.map(str::to_owned) })
    }

    /// Reads and compiles it; warnings are told.
    ///
    /// # Errors
    /// With the exit code, when anything is wrong with it; all of that has been told.
    pub(super) fn understand(
        &self,
        variables: &Variables,
        options: &Options,
    ) -> Result<Understood, ExitCode> {
        let source = self.source();
        let lookup = |name: &str| variables.lookup(name);
        let profile = self.profile.as_deref();
        let scenario = scenario::read(&source, &lookup, profile);
        let scenario = scenario.map_err(|problems| self.refuse(&problems))?;
        let compiled = compile(&scenario, options).map_err(|problems| self.refuse(&problems))?;
        if !compiled.warnings.is_empty() {
            say(compiled.warnings.render(&source, ink()).trim_end());
        }
        let effective = scenario::effective(&source, &lookup, profile).unwrap_or_default();
        Ok(Understood { scenario, compiled, effective })
    }

    fn source(&self) -> Source<'_> {
        Source { name: &self.name, text: &self.text }
    }

    fn refuse(&self, problems: &Diagnostics) -> ExitCode {
        say(problems.render(&self.source(), ink()).trim_end());
        say(&format!("\n{}: {}", self.name, counted(problems.iter().len(), "problem")));
        ExitCode::InvalidScenario
    }
}

/// Names between `${` or `${secret:` and `}` or `:-`; those of expressions, too, do no harm.
fn variables_of(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix("secret:").unwrap_or(rest);
        let end = rest.find(['}', ':'])?;
        rest.get(..end)
    })
}

/// No more than a byte over what is allowed: a device may have no end.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(limits::FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn counted(count: impl std::fmt::Display, noun: &str) -> String {
    let count = count.to_string();
    let s = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{s}")
}

fn ink() -> Ink {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stderr().is_terminal() && !plain { Ink::Coloured } else { Ink::Plain }
}

#[cfg(test)]
mod tests {
    use super::{ExitCode, Given, Problems, Variables, variables_of};

    #[test]
    fn variables_are_found_wherever_they_stand() {
        let text = "target: ${BASE_URL:-http://a}\npassword: ${secret:PW}\nname: ${NAME}";
        assert_eq!(variables_of(text).collect::<Vec<_>>(), ["BASE_URL", "PW", "NAME"]);
        assert_eq!(variables_of("no $PRICE, ${unfinished").count(), 0);
    }

    #[test]
    fn a_slip_in_a_name_is_refused() {
        let text = "target: ${BASE_URL:-http://127.0.0.1:8080}".to_owned();
        let file = [Given { name: "load.yaml".to_owned(), text, profile: None }];
        let given = |name: &str| {
            Variables::read(&[format!("{name}=http://127.0.0.1")], &mut Problems::default())
        };
        assert_eq!(given("BASE_URL").belong(&file), Ok(()));
        assert_eq!(given("BASEURL").belong(&file), Err(ExitCode::Usage));
        assert_eq!(given("BASEURL").belong(&[]), Ok(()), "what could not be read was told");
    }
}
