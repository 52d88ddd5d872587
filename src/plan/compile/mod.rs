//! From a scenario to a plan: names become indices, texts become pieces, steps become instructions.
//!
//! Does:       looks up, encodes and bounds everything, so that nothing can be wrong any more.
//! Takes:      a [`Scenario`] without problems of its own, and what the command line says.
//! Gives:      [`Compiled`], or [`Diagnostics`]: all that is wrong, each with place and remedy.
//! Why so:     a function that gives `None` has said why; what it needs it compiles before it
//!             gives up, so that every problem is told at once.

mod course;
mod expect;
mod holes;
mod journey;
mod json;
mod load;
mod measure;
mod names;
mod people;
mod probes;
mod request;
mod scale;
mod sequence;
mod socket;
mod steer;
mod targets;
mod threshold;
mod value;
mod warmup;
mod workload;

use super::{List, Plan, Pool};
use crate::scenario::{Diagnostic, Diagnostics, Scenario, Span};
use crate::stdx::Nanos;
use targets::Site;

/// What the command line says beside the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What all choices are a function of.
    pub seed: u64,
    /// What counts are multiplied with: connections, rates, users. More than 0.
    pub scale_load: f64,
    /// What spans of time are multiplied with: phases and intervals, not timeouts. More than 0.
    pub scale_time: f64,
    /// Instead of the file's timeout.
    pub timeout: Option<Nanos>,
    /// Instead of the file's patience, in the open model.
    pub patience: Option<Nanos>,
    /// Operations open their connections themselves, instead of finding them open.
    pub cold: bool,
    /// Words for results; they win over the file's.
    pub tags: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            scale_load: 1.0,
            scale_time: 1.0,
            timeout: None,
            patience: None,
            cold: false,
            tags: Vec::new(),
        }
    }
}

/// A plan, and what it does not do quite as the file says.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The plan, of one shard; its targets have no addresses yet.
    pub plan: Plan,
    /// Each with its place in the file.
    pub warnings: Diagnostics,
}

/// Compiles a scenario.
///
/// # Errors
/// All that cannot be done as it is written, sorted by place.
pub fn compile(scenario: &Scenario, options: &Options) -> Result<Compiled, Diagnostics> {
    let mut compiler = Compiler::new(scenario, options);
    compiler.whole();
    let Compiler { problems, warnings, plan, .. } = compiler;
    if problems.is_empty() {
        Ok(Compiled { plan, warnings: warnings.sorted() })
    } else {
        Err(problems.sorted())
    }
}

/// A plan in the making.
struct Compiler<'s> {
    scenario: &'s Scenario,
    options: &'s Options,
    problems: Diagnostics,
    warnings: Diagnostics,
    plan: Plan,
    /// What the address of each target says beside host and port.
    sites: Vec<Site>,
    /// Whether something was said about there being too many of something.
    crowded: bool,
}

impl<'s> Compiler<'s> {
    fn new(scenario: &'s Scenario, options: &'s Options) -> Self {
        let plan = Plan {
            name: scenario.name.value.clone(),
            seed: options.seed,
            scale_load: options.scale_load,
            scale_time: options.scale_time,
            ..Plan::empty()
        };
        Self {
            scenario,
            options,
            problems: Diagnostics::default(),
            warnings: Diagnostics::default(),
            plan,
            sites: Vec::new(),
            crowded: false,
        }
    }

    /// In the order in which later parts name earlier ones.
    fn whole(&mut self) {
        self.plan.timeout = self.timeout_of_all();
        self.warmup();
        self.targets();
        self.pools_and_lists();
        self.people();
        self.name_levels();
        for (index, workload) in (0_u16..).zip(&self.scenario.workloads) {
            self.workload(index, workload);
        }
        self.measures();
        self.thresholds();
        self.steering();
        self.levels();
        self.room_for_phases();
        self.probes();
        self.tags();
    }

    fn add(&mut self, diagnostic: Diagnostic) {
        self.problems.add(diagnostic);
    }

    fn pools_and_lists(&mut self) {
        for pool in &self.scenario.pools {
            self.room(self.plan.pools.len(), "pools", pool.name.span);
            let keep = u32::try_from(pool.value.keep).unwrap_or(u32::MAX);
            self.plan.pools.push(Pool { name: pool.name.value.clone(), keep });
        }
        for list in &self.scenario.data {
            self.room(self.plan.lists.len(), "lists of data", list.name.span);
            let read = list.value.iter().map(|value| self.constant(value));
            let values = read.collect::<Vec<_>>().into_iter().flatten().collect();
            self.plan.lists.push(List { name: list.name.value.clone(), values });
        }
    }

    fn tags(&mut self) {
        let given = self.options.tags.iter();
        let written = self.scenario.tags.iter().filter(|tag| {
            let overridden = |(name, _): &&(String, String)| *name == tag.name.value;
            !given.clone().any(|each| overridden(&each))
        });
        let written = written.map(|tag| (tag.name.value.clone(), tag.value.clone()));
        self.plan.tags = written.chain(given.clone().cloned()).collect();
    }

    /// Says once when there is no room for another of `so_many` things.
    fn room(&mut self, so_many: usize, noun: &str, place: Span) {
        if so_many < THINGS_MAX || self.crowded {
            return;
        }
        self.crowded = true;
        let what = format!("more than {THINGS_MAX} {noun}");
        let help = "split the scenario; each of them has counters and histograms on every shard";
        let expected = format!("at most {THINGS_MAX}");
        self.add(Diagnostic::new(place, what, expected).help(help));
    }
}

/// Things of one kind: requests, messages, checks, groups, lists. All have indices of 16 bits, and
/// what is recorded has two for each (warm-up and load).
const THINGS_MAX: usize = 4_096;

/// The index of the next one: `room` has seen to it that it fits.
fn next<T>(list: &[T]) -> u16 {
    u16::try_from(list.len()).unwrap_or(u16::MAX)
}
