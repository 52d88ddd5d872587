//! One file, from its text to types: the tree, a profile over it, the environment into it.

use super::diagnostic::{Diagnostic, Diagnostics};
use super::interpolate::{Lookup, interpolate};
use super::limits::PROFILES_MAX;
use super::model::Scenario;
use super::place::{Source, Span};
use super::read::Reader;
use super::suggest::nearest;
use super::tree::{self, Entry, Node, Value};

/// Reads a scenario, with the profile of that name laid over it.
///
/// # Errors
/// All that is wrong with it, sorted by place.
pub fn read(
    source: &Source<'_>,
    lookup: Lookup<'_>,
    profile: Option<&str>,
) -> Result<Scenario, Diagnostics> {
    let mut problems = Diagnostics::default();
    let scenario = attempt(source, lookup, profile, &mut problems);
    match scenario {
        Some(scenario) if problems.is_empty() => Ok(scenario),
        Some(_) | None => Err(problems.sorted()),
    }
}

/// The file with the profile laid over it and the environment put into it, as YAML; secrets are
/// masked. Nothing, if it cannot be read.
#[must_use]
pub fn effective(source: &Source<'_>, lookup: Lookup<'_>, profile: Option<&str>) -> Option<String> {
    let mut problems = Diagnostics::default();
    let (base, profiles) = apart(tree::parse(source, &mut problems)?);
    let mut tree = match profile {
        None => base,
        Some(name) => {
            let over = find(&base, &profiles, name, &mut problems)?;
            tree::merged(base, over)
        }
    };
    interpolate(&mut tree, lookup, &mut problems);
    problems.is_empty().then(|| super::effective::yaml(&tree))
}

fn attempt(
    source: &Source<'_>,
    lookup: Lookup<'_>,
    profile: Option<&str>,
    problems: &mut Diagnostics,
) -> Option<Scenario> {
    let tree = tree::parse(source, problems)?;
    let (base, profiles) = apart(tree);
    if let Some(entry) = profiles.get(PROFILES_MAX) {
        let (what, most) = (format!("{} profiles", profiles.len()), PROFILES_MAX);
        problems.add(Diagnostic::new(entry.key.span, what, format!("at most {most}")));
        return None;
    }
    let chosen = match profile {
        None => base.clone(),
        Some(name) => tree::merged(base.clone(), find(&base, &profiles, name, problems)?),
    };
    let mut scenario = typed(chosen, lookup, problems);
    // The other profiles are held to the same rules; only their variables may be unset today.
    for other in profiles.iter().filter(|other| Some(other.key.value.as_str()) != profile) {
        let mut theirs = Diagnostics::default();
        let lenient = |name: &str| lookup(name).or_else(|| Some(UNSET.to_owned()));
        let merged = tree::merged(base.clone(), other.value.clone());
        drop(typed(merged, &lenient, &mut theirs));
        let span = other.value.span;
        let inside = |it: &&Diagnostic| {
            let also = it.also.as_ref().is_some_and(|also| within(also.0, span));
            (within(it.place, span) || also) && !it.what.contains(UNSET)
        };
        theirs.iter().filter(inside).for_each(|it| problems.add(it.clone()));
    }
    if let Some(scenario) = &mut scenario {
        scenario.profile = profile.map(str::to_owned);
    }
    scenario
}

/// Stands for a variable that is not set, in a profile that is not chosen.
const UNSET: &str = "\u{1}unset\u{1}";

fn within(place: Span, whole: Span) -> bool {
    whole.start <= place.start && place.end <= whole.end
}

/// Environment and types.
fn typed(mut tree: Node, lookup: Lookup<'_>, problems: &mut Diagnostics) -> Option<Scenario> {
    interpolate(&mut tree, lookup, problems);
    Reader::new(problems).scenario(&tree)
}

/// The tree without its profiles, and the profiles; those that are no mappings stay, to be told.
fn apart(mut tree: Node) -> (Node, Vec<Entry>) {
    let mut profiles = Vec::new();
    if let Value::Mapping(entries) = &mut tree.value {
        let found = entries.iter().position(|entry| entry.key.value == "profiles");
        if let Some(at) = found
            && let Some(Node { value: Value::Mapping(found), .. }) =
                entries.get(at).map(|entry| &entry.value)
        {
            profiles.clone_from(found);
            entries.remove(at);
        }
    }
    (tree, profiles)
}

/// The profile of that name; not to have it is a problem of the file as it is used.
fn find(base: &Node, profiles: &[Entry], name: &str, problems: &mut Diagnostics) -> Option<Node> {
    if let Some(entry) = profiles.iter().find(|entry| entry.key.value == name) {
        return Some(entry.value.clone());
    }
    let names = profiles.iter().map(|entry| entry.key.value.as_str());
    let list = names.clone().collect::<Vec<_>>().join(", ");
    let (place, expected) = match profiles.first() {
        Some(first) => (first.key.span, format!("one of {list}")),
        None => (Span { end: base.span.start, ..base.span }, "a key 'profiles'".to_owned()),
    };
    let what = format!("there is no profile '{name}'");
    problems.add(Diagnostic::new(place, what, expected).did_you_mean(nearest(name, names)));
    None
}
