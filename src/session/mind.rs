//! A session's place in its program, and what it does next.

use super::Draw;
use crate::plan::program::LOOPS_MAX;
use crate::plan::{Instruction, Mix, Program, Value};
use crate::stdx::{Nanos, rng};

/// One virtual user, or one arrival of the open model.
///
/// Its choices are a prefix of one fixed sequence, whatever the number of shards: how far it
/// comes depends on the target, where it goes does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its index over all shards.
    index: u64,
    /// Decisions so far.
    turn: u32,
    /// Steps so far, thinking included.
    steps: u32,
    /// Its place in the program.
    at: u32,
    loops: [u32; LOOPS_MAX],
}

const _: () = assert!(size_of::<Session>() <= 40, "a million of them are 40 MB");

/// What a session does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sends a request.
    Http(u16),
    /// Opens its socket.
    Open(u16),
    /// Sends a message.
    Send(u16),
    /// Awaits a message.
    Receive(u16),
    /// Closes its socket with this code.
    Close(u16),
    /// Waits for so long.
    Think(Nanos),
    /// A group of steps begins.
    Enter(u16),
    /// A group of steps ends.
    Leave(u16),
    /// The iteration is over; what follows is the next one.
    End,
}

/// Instructions that are gone through at most before the session has to wait: a loop whose steps
/// are all left out by chance must not hold up a shard.
const STRIDE: usize = 1_000;

/// What it waits then: it may go on so for ever, and that is to cost no core.
const AT_NOTHING: Nanos = Nanos::from_millis(10);

/// Keeps the choices of users, of texts and of jumps apart.
const TEXTS: u64 = 0x7465_7874;
const USERS: u64 = 0x7573_6572;

impl Session {
    /// The session with this index over all shards, at the beginning of its program.
    #[must_use]
    pub const fn new(index: u64) -> Self {
        Self { index, turn: 0, steps: 0, at: 0, loops: [0; LOOPS_MAX] }
    }

    /// Goes back to the beginning of its program; its choices go on.
    pub const fn begin_again(&mut self) {
        (self.at, self.loops) = (0, [0; LOOPS_MAX]);
    }

    /// Its index over all shards.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The request of its next iteration, where each is one of a mix and nothing else: what
    /// [`Self::next`] finds in the program of such a mix.
    pub fn next_of_mix(&mut self, mix: &Mix, requests: &[u16], seed: u64) -> u16 {
        let chosen = mix.choose(seed, self.index, u64::from(self.turn));
        (self.turn, self.steps) = (self.turn.wrapping_add(1), self.steps.wrapping_add(1));
        requests.get(usize::from(chosen)).copied().unwrap_or(0)
    }

    /// What it does next. `holds` says whether a condition is true now.
    pub fn next(
        &mut self,
        program: &Program,
        seed: u64,
        holds: &mut dyn FnMut(&Value) -> bool,
    ) -> Act {
        for _ in 0..STRIDE {
            let Some(instruction) = program.instructions.get(self.at as usize) else {
                return self.end();
            };
            self.at += 1;
            let act = match instruction {
                Instruction::Http(request) => Act::Http(*request),
                Instruction::Open(socket) => Act::Open(*socket),
                Instruction::Send(message) => Act::Send(*message),
                Instruction::Receive(message) => Act::Receive(*message),
                Instruction::Close(code) => Act::Close(*code),
                Instruction::Enter(group) => return Act::Enter(*group),
                Instruction::Leave(group) => return Act::Leave(*group),
                Instruction::End => return self.end(),
                Instruction::Think(think) => {
                    Act::Think(think.draw(|bound| self.decide(seed, bound)))
                }
                Instruction::Choose { mix, to } => {
                    let chosen = mix.choose(seed, self.index, u64::from(self.turn));
                    self.turn = self.turn.wrapping_add(1);
                    self.at = to.get(usize::from(chosen)).copied().unwrap_or(u32::MAX);
                    continue;
                }
                Instruction::Chance { share, otherwise } => {
                    if self.decide(seed, 1 << 32) >= *share {
                        self.at = *otherwise;
                    }
                    continue;
                }
                Instruction::When { condition, otherwise } => {
                    if !holds(condition) {
                        self.at = *otherwise;
                    }
                    continue;
                }
                Instruction::Jump(to) => {
                    self.at = *to;
                    continue;
                }
                Instruction::Begin(counter) => {
                    self.set(*counter, 0);
                    continue;
                }
                Instruction::Again { counter, times, to } => {
                    let done = self.loops.get(usize::from(*counter)).copied().unwrap_or(0);
                    let done = done.saturating_add(1);
                    self.set(*counter, done);
                    if u64::from(done) < *times {
                        self.at = *to;
                    }
                    continue;
                }
            };
            self.steps = self.steps.wrapping_add(1);
            return act;
        }
        Act::Think(AT_NOTHING)
    }

    /// The randomness of what the present step says.
    #[must_use]
    pub fn draw(&self, seed: u64) -> Draw {
        Draw::new(seed ^ TEXTS, self.index, u64::from(self.steps))
    }

    /// A choice below `bound` among users: one for each iteration.
    #[must_use]
    pub const fn choose_user(&self, seed: u64, again: u32, bound: u64) -> u64 {
        let turn = self.steps as u64 | (again as u64) << 32;
        rng::choice(seed ^ USERS, self.index, turn, bound)
    }

    const fn decide(&mut self, seed: u64, bound: u64) -> u64 {
        let decided = rng::choice(seed, self.index, self.turn as u64, bound);
        self.turn = self.turn.wrapping_add(1);
        decided
    }

    fn set(&mut self, counter: u8, done: u32) {
        if let Some(place) = self.loops.get_mut(usize::from(counter)) {
            *place = done;
        }
    }

    const fn end(&mut self) -> Act {
        self.at = 0;
        Act::End
    }
}
