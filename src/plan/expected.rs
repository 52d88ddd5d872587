//! What is to be expected of a program, by probabilities alone: no target is asked.

use super::{Instruction, Program};
use crate::stdx::Nanos;

/// One pass of a program, on average.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pass {
    /// How often each instruction is done.
    pub visits: Vec<f64>,
    /// Requests, openings and messages that are awaited.
    pub operations: f64,
    /// Time spent thinking.
    pub thinking: Nanos,
}

impl Pass {
    /// The mean of a program; conditions count as met.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let instructions = &program.instructions;
        let mut reached = vec![0.0; instructions.len() + 1];
        let mut pass = Self { visits: vec![0.0; instructions.len()], ..Self::default() };
        let mut rounds: Vec<(u8, f64)> = Vec::new();
        let mut thinking = 0.0;
        reached[0] = 1.0;
        for (at, instruction) in instructions.iter().enumerate() {
            let here = reached[at];
            let repeated: f64 = rounds.iter().map(|(_, times)| times).product();
            let visits = here * repeated;
            pass.visits[at] = visits;
            let mut flow = |to: u32, share: f64| {
                let to = usize::try_from(to).unwrap_or(usize::MAX).min(instructions.len());
                reached[to] += share;
            };
            let next = u32::try_from(at + 1).unwrap_or(u32::MAX);
            match instruction {
                Instruction::Choose { mix, to } => {
                    for (index, to) in to.iter().enumerate() {
                        flow(*to, here * mix.share(index));
                    }
                    continue;
                }
                Instruction::Jump(to) => {
                    flow(*to, here);
                    continue;
                }
                Instruction::Chance { share, otherwise } => {
                    let share = share_of(*share);
                    flow(next, here * share);
                    flow(*otherwise, here * (1.0 - share));
                    continue;
                }
                Instruction::Begin(counter) => rounds.push((*counter, times(program, at))),
                Instruction::Again { counter, .. } => rounds.retain(|(each, _)| each != counter),
                Instruction::Http(_)
                | Instruction::Open(_)
                | Instruction::Send(_)
                | Instruction::Receive(_) => pass.operations += visits,
                Instruction::Think(think) => thinking += visits * think.mean().as_secs_f64(),
                Instruction::End => continue,
                Instruction::When { .. }
                | Instruction::Close(_)
                | Instruction::Enter(_)
                | Instruction::Leave(_) => {}
            }
            flow(next, here);
        }
        pass.thinking = Nanos::from(std::time::Duration::from_secs_f64(thinking.min(1e9)));
        pass
    }

    /// How long it takes when each operation takes `latency`, in seconds.
    #[must_use]
    pub fn seconds(&self, latency: f64) -> f64 {
        self.thinking.as_secs_f64() + self.operations * latency
    }
}

/// How often the body of the loop that begins there is done.
#[expect(clippy::cast_precision_loss, reason = "loops of more than 2^53 rounds do not end")]
fn times(program: &Program, begin: usize) -> f64 {
    let body = u32::try_from(begin + 1).unwrap_or(u32::MAX);
    let again = program.instructions.iter().skip(begin).find_map(|each| match each {
        Instruction::Again { times, to, .. } if *to == body => Some(*times),
        _ => None,
    });
    again.unwrap_or(1) as f64
}

/// Out of 2^32.
#[expect(clippy::cast_precision_loss, reason = "2^32 is exact")]
fn share_of(share: u64) -> f64 {
    share as f64 / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::{Instruction, Nanos, Pass, Program};
    use crate::plan::{Mix, Think};

    #[test]
    fn loops_chances_and_choices() {
        let program = Program {
            instructions: vec![
                Instruction::Begin(0),
                Instruction::Http(0),
                Instruction::Chance { share: 1 << 31, otherwise: 4 },
                Instruction::Http(1),
                Instruction::Again { counter: 0, times: 4, to: 1 },
                Instruction::Choose { mix: Mix::new(&[1, 3]), to: vec![6, 8] },
                Instruction::Http(2),
                Instruction::Jump(9),
                Instruction::Think(Think::even(Nanos::from_secs(1), Nanos::from_secs(3))),
                Instruction::End,
            ],
        };
        let pass = Pass::of(&program);
        assert_eq!(pass.visits[1], 4.0);
        assert_eq!(pass.visits[3], 2.0);
        assert_eq!(pass.visits[6], 0.25);
        assert_eq!(pass.operations, 6.25);
        assert_eq!(pass.thinking, Nanos::from_millis(1_500));
        assert!((pass.seconds(0.1) - 2.125).abs() < 1e-9);
    }
}
