//! What is settled before anything is loaded: where the target is, whether it answers, and whether
//! this host is able. Blocking, and yet a signal ends it at once.

use std::net::SocketAddr;

use super::blocking::unless_interrupted;
use super::signals::Interrupts;
use crate::doctor::{raise_locked_memory, raise_open_files};
use crate::engine::outcome::{Ended, Outcome};
use crate::metrics::Recorder;
use crate::metrics::recorder::End;
use crate::net::error::Cause;
use crate::net::probe::{self, Unreachable};
use crate::net::resolve::{Permit, ResolveError, other_loopback, resolve};
use crate::net::ring::{Ring, RingOptions};
use crate::plan::{Phase, Plan, Target};
use crate::protocol::Failure;
use crate::stdx::Nanos;

/// Longest wait for first connections to a target, all its addresses together.
const PATIENCE: Nanos = Nanos::from_secs(5);

/// Why nothing was loaded.
pub(super) enum Obstacle {
    /// Each name that did not resolve, or may not be loaded, at least one.
    Resolve(Vec<ResolveError>),
    /// Each address that was tried, at least one.
    Unreachable(Vec<Unreachable>),
    /// What this host lacks, with the remedy.
    Host(String),
    Interrupted,
}

/// The addresses of each target, all of them allowed. What is wrong with any is told at once.
pub(super) fn resolved(
    targets: &[Target],
    permit: &Permit,
    interrupts: &Interrupts,
) -> Result<Vec<Vec<SocketAddr>>, Obstacle> {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for Target { host, port, .. } in targets {
        let (host, port, permit) = (host.clone(), *port, permit.clone());
        let resolved = unless_interrupted(interrupts, move || resolve(&host, port, &permit));
        match resolved.ok_or(Obstacle::Interrupted)? {
            Ok(addresses) => found.push(addresses),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(Obstacle::Resolve(errors)) }
}

/// Whether connections may come from the addresses that groups of users have.
pub(super) fn sources(plan: &Plan) -> Result<(), Obstacle> {
    let groups = plan.people.iter().flat_map(|people| &people.groups);
    for group in groups.filter(|group| !group.sources.is_empty()) {
        for source in &group.sources {
            std::net::UdpSocket::bind((*source, 0)).map_err(|error| {
                Obstacle::Host(format!(
                    "{source}, from which users are to come, is no address of this host: {error}; \
                     add it (ip address add {source} dev DEVICE), or leave out 'source'"
                ))
            })?;
        }
        let addresses = plan.targets.iter().flat_map(|target| &target.addresses);
        for to in addresses {
            if !group.sources.iter().any(|source| source.is_ipv4() == to.is_ipv4()) {
                return Err(Obstacle::Host(format!(
                    "no 'source' of the users is of the family of {}; give them one of each, or a \
                     target of theirs",
                    to.ip()
                )));
            }
        }
    }
    Ok(())
}

/// Whether this host can hold the plan's connections and make a ring.
pub(super) fn able(plan: &Plan) -> Result<(), Obstacle> {
    let sockets = plan.sockets_of(0);
    let raised = raise_open_files(sockets).and_then(|()| raise_locked_memory());
    raised.map_err(|error| Obstacle::Host(error.to_string()))?;
    // A ring like those of the shards, for what the kernel has to say: executors say less.
    let sockets = u32::try_from(sockets).unwrap_or(u32::MAX);
    let ring = Ring::new(RingOptions::for_slots(sockets));
    ring.map(drop).map_err(|error| Obstacle::Host(error.to_string()))
}

/// Of each target the addresses that take a connection. Each that none of does is named.
pub(super) fn answering(
    targets: &[Target],
    addresses: Vec<Vec<SocketAddr>>,
    timeout: Nanos,
    interrupts: &Interrupts,
) -> Result<Vec<Vec<SocketAddr>>, Obstacle> {
    let (mut found, mut failures): (Vec<_>, Vec<Unreachable>) = (Vec::new(), Vec::new());
    for (target, addresses) in targets.iter().zip(addresses) {
        match asked(&target.host, addresses, timeout, interrupts)? {
            Ok(answering) => found.push(answering),
            // Several targets may be one host: an address is named once.
            Err(more) => failures.extend(more),
        }
    }
    let mut named = Vec::new();
    failures.retain(|failure| {
        let text = failure.to_string();
        let new = !named.contains(&text);
        named.push(text);
        new
    });
    if failures.is_empty() { Ok(found) } else { Err(Obstacle::Unreachable(failures)) }
}

/// Those of `addresses` that take a connection, or else the other one that `localhost` means.
fn asked(
    host: &str,
    addresses: Vec<SocketAddr>,
    timeout: Nanos,
    interrupts: &Interrupts,
) -> Result<Result<Vec<SocketAddr>, Vec<Unreachable>>, Obstacle> {
    let other = other_loopback(host, &addresses);
    let patience = timeout.min(PATIENCE).into();
    let asked = unless_interrupted(interrupts, move || {
        let first = probe::answering(&addresses, patience);
        match (first, other) {
            (Err(mut failures), Some(other)) => {
                probe::answering(&[other], patience).map_err(|more| {
                    failures.extend(more);
                    failures
                })
            }
            (first, _) => first,
        }
    });
    asked.ok_or(Obstacle::Interrupted)
}

impl Obstacle {
    /// The outcome of a run that could not begin. An attempt to reach the target counts as the one
    /// operation that it was.
    pub(super) fn outcome(&self, plan: &Plan, cores: &[usize]) -> Outcome {
        let text = self.text();
        let mut recorder = Recorder::default();
        if let Some(failure) = self.failure() {
            let leaf = plan.leaf(Phase::Load, 0);
            recorder.scheduled(leaf);
            recorder.begun(leaf);
            recorder.ended(leaf, End::Failed(failure), Nanos::ZERO);
            recorder.sample(failure, || text.clone());
        }
        let ended = match self {
            Self::Interrupted => Ended::Interrupted { at: None },
            Self::Resolve(_) | Self::Unreachable(_) | Self::Host(_) => Ended::Unreachable(text),
        };
        Outcome::not_begun(ended, recorder, cores)
    }

    fn failure(&self) -> Option<Failure> {
        match self {
            Self::Resolve(errors) => errors.iter().find_map(resolve_failure),
            Self::Unreachable(errors) => errors.first().map(probe_failure),
            Self::Host(_) | Self::Interrupted => None,
        }
    }

    /// Cause and remedy.
    fn text(&self) -> String {
        let errors = match self {
            Self::Resolve(errors) => {
                let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
                return texts.join("; ");
            }
            Self::Host(text) => return text.clone(),
            Self::Interrupted => return "interrupted before anything was loaded".to_owned(),
            Self::Unreachable(errors) => errors,
        };
        let cure = match errors.first().map(Unreachable::kind) {
            Some(Cause::Refused) => {
                "nobody listens there; start the target, or check address and port"
            }
            Some(Cause::TimedOut) => "no answer; check the address, routes and firewalls",
            _ => "check the address, routes and firewalls",
        };
        let tried: Vec<String> = errors.iter().map(ToString::to_string).collect();
        format!("the target cannot be reached: {}: {cure}", tried.join(", "))
    }
}

/// An address that may not be loaded is no failure of anybody.
const fn resolve_failure(error: &ResolveError) -> Option<Failure> {
    match error {
        ResolveError::NoSuchName { .. } | ResolveError::Empty { .. } => Some(Failure::Dns),
        _ => None,
    }
}

fn probe_failure(error: &Unreachable) -> Failure {
    match error.kind() {
        Cause::Refused => Failure::Refused,
        Cause::TimedOut => Failure::TimeoutConnect,
        Cause::Reset => Failure::Reset,
        Cause::LocalPorts => Failure::LocalPorts,
        Cause::LocalFds => Failure::LocalFds,
        Cause::LocalMemory | Cause::NoBuffers => Failure::LocalMemory,
        Cause::Unreachable | Cause::Canceled | Cause::Other => Failure::Connect,
    }
}
