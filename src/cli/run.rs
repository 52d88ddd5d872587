//! `onslaught run`: a scenario, from its file or its name to a job.

use std::path::PathBuf;

use super::args::{RunArgs, ScaleArgs};
use super::files::{Given, Understood, Variables};
use super::job::{self, ACCEPTED, Job};
use super::problems::Problems;
use super::{refuse, say};
use crate::doctor::Cores;
use crate::metrics::histogram::LONGEST;
use crate::net::resolve::{Permit, Reach};
use crate::plan::Options;
use crate::report::text::Latency;
use crate::report::{ExitCode, TrustPolicy};
use crate::scenario::Allowed;
use crate::stdx::{Nanos, clock, units};

/// Scales beyond these are slips of the finger.
const SCALES: std::ops::RangeInclusive<f64> = 1e-6..=1e3;

/// Runs it.
pub(super) fn run(args: &RunArgs, allowed: &Cores) -> ExitCode {
    let flags = match understand(args, allowed) {
        Ok(flags) => flags,
        Err(problems) => {
            say(&problems.to_string());
            return ExitCode::Usage;
        }
    };
    let given = match Given::find(&args.scenario, args.profile.as_deref()) {
        Ok(given) => given,
        Err(code) => return code,
    };
    if let Err(code) = flags.variables.belong(std::slice::from_ref(&given)) {
        return code;
    }
    let Understood { scenario, compiled, effective } =
        match given.understand(&flags.variables, &flags.options) {
            Ok(understood) => understood,
            Err(code) => return code,
        };
    if args.strict && !compiled.warnings.is_empty() {
        let text = "nothing is run: --strict takes warnings about the scenario for errors";
        return refuse(ExitCode::InvalidScenario, &text);
    }
    let folder = args.out.clone().unwrap_or_else(|| folder(&compiled.plan.name));
    let job = Job {
        plan: compiled.plan,
        permit: permit(args.allow_remote, &scenario.allow),
        cores: flags.cores,
        shards: flags.shards,
        json: args.json.clone(),
        jtl: flags.jtl,
        folder: Some(folder),
        latency: if args.latency { Latency::Spectrum } else { Latency::Brief },
        policy: policy(args),
        accepted: args.allow_untrusted.then_some(ACCEPTED),
        scenario: Some(effective),
    };
    job::execute(job, allowed)
}

const fn policy(args: &RunArgs) -> TrustPolicy {
    match (args.allow_untrusted, args.strict) {
        (true, _) => TrustPolicy::Allow,
        (false, true) => TrustPolicy::Strict,
        (false, false) => TrustPolicy::Refuse,
    }
}

/// Where load may go: the flag and the file together.
fn permit(allow_remote: bool, listed: &[Allowed]) -> Permit {
    let mut permit = Permit::from(if allow_remote { Reach::Remote } else { Reach::Local });
    for allowed in listed {
        match allowed {
            Allowed::Host(name) => permit.hosts.push(name.clone()),
            Allowed::Network(network) => permit.networks.push(*network),
        }
    }
    permit
}

/// Where results go, unless the user says it: a folder for each run.
pub(super) fn folder(name: &str) -> PathBuf {
    let now = jiff::Timestamp::try_from(clock::wall_clock()).unwrap_or_default();
    let plain =
        |each: char| if each.is_alphanumeric() || "-_.".contains(each) { each } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_start_matches('.');
    PathBuf::from(format!("onslaught-results/{name}-{}", now.strftime("%Y%m%dT%H%M%SZ")))
}

/// Where `-o` sends what: only every single operation, so far.
pub(super) fn outputs(given: &[String], problems: &mut Problems) -> Option<Option<PathBuf>> {
    let mut jtl = None;
    for each in given {
        match each.split_once('=') {
            Some(("jtl", path)) if !path.is_empty() && jtl.is_none() => jtl = Some(path.into()),
            Some(("jtl", path)) if !path.is_empty() => {
                problems.add("-o", "jtl is given twice; give it one path");
                return None;
            }
            _ => {
                problems.add("-o", &format!("'{each}' is no output; expected jtl=FILE"));
                return None;
            }
        }
    }
    Some(jtl)
}

/// What the flags say.
struct Flags {
    variables: Variables,
    options: Options,
    cores: Option<Cores>,
    shards: Option<u32>,
    jtl: Option<PathBuf>,
}

fn understand(args: &RunArgs, allowed: &Cores) -> Result<Flags, Problems> {
    let mut problems = Problems::default();
    let variables = Variables::read(&args.env, &mut problems);
    let options = options(args, &mut problems);
    let shards = args.threads.as_deref();
    let shards = shards.and_then(|text| problems.number("-t", text, (1, 4_096), "shard"));
    let cores = args.cores.as_deref().map(|list| allowed.choose(list));
    let cores = cores.and_then(|cores| problems.keep("--cores", cores));
    let jtl = outputs(&args.outputs, &mut problems);
    problems.or(|| {
        Some(Flags {
            jtl: jtl?,
            variables,
            options: options?,
            cores,
            shards: shards.and_then(|shards| u32::try_from(shards).ok()),
        })
    })
}

fn options(args: &RunArgs, problems: &mut Problems) -> Option<Options> {
    let scales = scales(&args.scales, problems);
    let span = |text: &Option<String>, flag, problems: &mut Problems| {
        let span = text.as_deref().map(units::duration);
        let span = span.and_then(|span| problems.keep(flag, span));
        problems.span(flag, span, Nanos::from_millis(1), LONGEST);
        span
    };
    let patience = span(&args.patience, "--patience", problems);
    let timeout = span(&args.timeout, "--timeout", problems);
    let seed = problems.keep("--seed", units::count(&args.seed));
    let mut tags = Vec::new();
    for tag in &args.tags {
        match tag.split_once('=').filter(|(name, _)| !name.is_empty()) {
            Some((name, value)) => tags.push((name.to_owned(), value.to_owned())),
            None => problems.add("--tag", &format!("'{tag}' is no NAME=VALUE")),
        }
    }
    let (scale_load, scale_time) = scales?;
    Some(Options { seed: seed?, scale_load, scale_time, timeout, patience, cold: args.cold, tags })
}

/// What counts and what times are multiplied with.
pub(super) fn scales(args: &ScaleArgs, problems: &mut Problems) -> Option<(f64, f64)> {
    let both = problems.keep("--scale", scale(args.scale.as_deref()));
    let load = problems.keep("--scale-load", scale(args.scale_load.as_deref()));
    let time = problems.keep("--scale-time", scale(args.scale_time.as_deref()));
    let both = both?;
    Some((load?.or(both).unwrap_or(1.0), time?.or(both).unwrap_or(1.0)))
}

/// A factor: `0.1`, `10%`.
fn scale(text: Option<&str>) -> Result<Option<f64>, String> {
    let Some(text) = text else { return Ok(None) };
    let percent = text.strip_suffix('%');
    let number = percent.unwrap_or(text).trim().parse::<f64>().ok();
    let factor = number.map(|number| if percent.is_some() { number / 100.0 } else { number });
    factor.filter(|factor| SCALES.contains(factor)).map(Some).ok_or_else(|| {
        format!("'{text}' is no factor; expected a number above 0 and up to 1000, such as 0.1")
    })
}

#[cfg(test)]
mod tests {
    use super::{folder, scale};

    #[test]
    fn scales() {
        assert_eq!(scale(Some("0.01")), Ok(Some(0.01)));
        assert_eq!(scale(Some("50%")), Ok(Some(0.5)));
        assert_eq!(scale(None), Ok(None));
        for wrong in ["0", "-1", "x", "nan", "inf", "1e9"] {
            assert!(scale(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn folders_stay_below() {
        for name in ["../../etc", "a/b", "..", "a b"] {
            let folder = folder(name);
            assert!(folder.starts_with("onslaught-results"), "{folder:?}");
            assert_eq!(folder.components().count(), 2, "{folder:?}");
        }
    }
}
