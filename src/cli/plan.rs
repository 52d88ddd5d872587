//! `onslaught plan`: what a scenario would do, and what it needs. Nothing is sent.

use super::args::PlanArgs;
use super::files::{Given, Variables};
use super::problems::Problems;
use super::run::scales;
use super::{print, say};
use crate::doctor::{Cores, open_files_limit};
use crate::plan::{Host, Options, budget, explain};
use crate::report::ExitCode;
use crate::session::Session;

const _: () = assert!(size_of::<Session>() as u64 <= budget::SESSION);

/// Explains it.
pub(super) fn plan(args: &PlanArgs, allowed: &Cores) -> ExitCode {
    let mut problems = Problems::default();
    let variables = Variables::read(&args.env, &mut problems);
    let scales = scales(&args.scales, &mut problems);
    let shards = args.threads.as_deref();
    let shards = shards.and_then(|text| problems.number("-t", text, (1, 4_096), "shard"));
    let options = problems.or(|| {
        let (scale_load, scale_time) = scales?;
        Some(Options { scale_load, scale_time, ..Options::default() })
    });
    let options = match options {
        Ok(options) => options,
        Err(problems) => {
            say(&problems.to_string());
            return ExitCode::Usage;
        }
    };
    let given = Given::find(&args.scenario, args.profile.as_deref());
    let understood = given.and_then(|given| {
        variables.belong(std::slice::from_ref(&given))?;
        given.understand(&variables, &options)
    });
    let mut plan = match understood {
        Ok(understood) => understood.compiled.plan,
        Err(code) => return code,
    };
    let spare = usize::from(plan.targets.iter().any(|target| is_local(&target.host)));
    let default = allowed.all().len().saturating_sub(spare).max(1);
    let shards = shards.and_then(|shards| usize::try_from(shards).ok()).unwrap_or(default);
    plan.shards = u32::try_from(shards).unwrap_or(u32::MAX);
    let host = Host { files: open_files_limit(), ports: ports() };
    if print(&explain(&plan, host)) { ExitCode::Passed } else { ExitCode::Failed }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || host == "[::1]"
}

/// Ports that the kernel gives to connections of ours.
fn ports() -> Option<u64> {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = range.split_whitespace().map(str::parse::<u64>);
    let (from, to) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some(to.saturating_sub(from) + 1)
}
