//! The plan of one target and a few fixed requests: what a command line without a file says.

use super::{
    Instruction, Kind, LeafName, Load, Mix, Opening, Pacing, Plan, Program, Request, Spacing,
    Strategy, Target, Until, Workload,
};
use crate::protocol::http;
use crate::stdx::Nanos;

/// A request with the name under which it is reported.
#[derive(Clone, Debug)]
pub struct NamedRequest {
    /// Its key under `by.request`.
    pub name: String,
    /// Its bytes.
    pub request: http::Request,
}

/// The name of the only workload.
pub const WORKLOAD: &str = "http";

impl Plan {
    /// Requests by weight, one connection a session, all else as it is usual: a closed load for
    /// ten seconds on one connection, one shard, seed 1, a timeout of 30 s.
    #[must_use]
    pub fn of_requests(name: &str, target: Target, mix: Vec<(u32, NamedRequest)>) -> Self {
        let weights: Vec<u32> = mix.iter().map(|(weight, _)| *weight).collect();
        let timeout = Nanos::from_secs(30);
        let named = (0..).zip(mix).map(|(leaf, (_, NamedRequest { name, request }))| {
            Request::fixed(name, leaf, &request, timeout)
        });
        let requests: Vec<Request> = named.collect();
        let leaves = requests.iter().map(|request| LeafName {
            name: request.name.clone(),
            kind: Kind::Http,
            workload: 0,
            group: None,
        });
        let workload = Workload {
            name: WORKLOAD.to_owned(),
            load: Load::Closed,
            sessions: 1,
            levels: None,
            spacing: Spacing::default(),
            pacing: Pacing::default(),
            stages: Vec::new(),
            steer: None,
            until: Until::Elapsed(Nanos::from_secs(10)),
            start: Nanos::ZERO,
            opening: Opening::Ahead,
            channels: vec![0],
            program: Program::of_mix(&Mix::new(&weights), requests.len()),
            fleet: None,
            strategy: Strategy::default(),
            users: 0..0,
        };
        Self {
            name: name.to_owned(),
            targets: vec![target],
            workloads: vec![workload],
            leaves: leaves.collect(),
            requests,
            timeout,
            ..Self::empty()
        }
    }

    /// The only workload of such a plan.
    #[must_use]
    pub fn only(&self) -> &Workload {
        &self.workloads[0]
    }

    /// The same, to be changed.
    pub fn only_mut(&mut self) -> &mut Workload {
        &mut self.workloads[0]
    }

    /// Sets the timeout of all requests.
    pub fn set_timeout(&mut self, timeout: Nanos) {
        self.timeout = timeout;
        self.requests.iter_mut().for_each(|request| request.timeout = timeout);
    }

    /// A plan that does nothing yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            name: String::new(),
            targets: Vec::new(),
            workloads: Vec::new(),
            requests: Vec::new(),
            sockets: Vec::new(),
            messages: Vec::new(),
            leaves: Vec::new(),
            groups: Vec::new(),
            named: Vec::new(),
            levels: Vec::new(),
            checks: Vec::new(),
            measures: Vec::new(),
            people: None,
            pools: Vec::new(),
            lists: Vec::new(),
            variables: Vec::new(),
            thresholds: Vec::new(),
            probes: Vec::new(),
            tags: Vec::new(),
            warmup: Nanos::ZERO,
            warmup_bound: None,
            timeout: Nanos::from_secs(30),
            seed: 1,
            shards: 1,
            scale_load: 1.0,
            scale_time: 1.0,
        }
    }
}

impl Program {
    /// The weights and the requests, if each iteration is one of them and nothing else.
    #[must_use]
    pub fn as_mix(&self) -> Option<(&Mix, Box<[u16]>)> {
        let [Instruction::Choose { mix, to }, requests @ .., Instruction::End] =
            &self.instructions[..]
        else {
            return None;
        };
        let end = u32::try_from(self.instructions.len() - 1).ok()?;
        // The choice, then each request with the jump behind it, in the order of the weights.
        let in_order = to.iter().copied().eq((1..end).step_by(2));
        let request = |pair: &[Instruction]| match pair {
            [Instruction::Http(request), Instruction::Jump(to)] if *to == end => Some(*request),
            _ => None,
        };
        let requests: Option<Box<[u16]>> = requests.chunks(2).map(request).collect();
        requests.filter(|_| in_order).map(|requests| (mix, requests))
    }

    /// One of so many requests in each iteration, by weight.
    #[must_use]
    pub fn of_mix(mix: &Mix, requests: usize) -> Self {
        let each = 0..u16::try_from(requests).unwrap_or(u16::MAX);
        // The choice, then for each request itself and the jump to the end.
        let to = each.clone().map(|request| 1 + 2 * u32::from(request)).collect();
        let end = 1 + 2 * u32::from(each.end);
        let mut instructions = vec![Instruction::Choose { mix: mix.clone(), to }];
        for request in each {
            instructions.extend([Instruction::Http(request), Instruction::Jump(end)]);
        }
        instructions.push(Instruction::End);
        Self { instructions }
    }
}

#[cfg(test)]
mod tests {
    use super::{Instruction, Mix, Program};
    use crate::plan::Think;
    use crate::stdx::Nanos;

    #[test]
    fn a_mix_is_known_again() {
        for count in 1..5 {
            let mix = Mix::new(&vec![3; count]);
            let program = Program::of_mix(&mix, count);
            let (same, requests) = program.as_mix().unwrap();
            assert_eq!((same, requests.len()), (&mix, count));
            assert!(requests.iter().map(|&request| usize::from(request)).eq(0..count));
        }
    }

    #[test]
    fn what_does_more_is_no_mix() {
        let think = Instruction::Think(Think::even(Nanos(1), Nanos(1)));
        let with = |place: usize, instruction: Instruction| {
            let mut program = Program::of_mix(&Mix::new(&[1, 1]), 2);
            program.instructions[place] = instruction;
            program
        };
        for program in [
            with(1, think.clone()),
            with(2, think),
            with(2, Instruction::Jump(3)),
            with(0, Instruction::Begin(0)),
            with(0, Instruction::Choose { mix: Mix::new(&[1, 1]), to: vec![3, 1] }),
            with(0, Instruction::Choose { mix: Mix::new(&[1]), to: vec![1] }),
            Program::default(),
        ] {
            let found = program.as_mix().is_some();
            assert!(!found, "{program:?}");
        }
    }
}
