//! What a session does, as flat instructions: its place in them is an index and a few counters.

use super::{Mix, Think, Value};

/// Loops in each other, at most: a session keeps a counter for each.
pub const LOOPS_MAX: usize = 4;

/// One iteration of a session, from the first instruction to [`Instruction::End`].
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Jumps lead to indices into it. The last one is [`Instruction::End`].
    pub instructions: Vec<Instruction>,
}

/// One step of a session.
#[derive(Clone, Debug)]
pub enum Instruction {
    /// Sends a request of the plan, and awaits its reply.
    Http(u16),
    /// Opens a socket of the plan, and awaits that it stands.
    Open(u16),
    /// Sends a message of the plan, and awaits its answer if it has one.
    Send(u16),
    /// Awaits a message of the plan, which is not sent.
    Receive(u16),
    /// Closes the session's socket with this code.
    Close(u16),
    /// Waits as a user does.
    Think(Think),
    /// Goes on with this likelihood, out of 2^32; else jumps.
    Chance {
        /// 2^32 is always.
        share: u64,
        /// Where to go otherwise.
        otherwise: u32,
    },
    /// Goes on if the value is true; else jumps.
    When {
        /// The condition.
        condition: Value,
        /// Where to go otherwise.
        otherwise: u32,
    },
    /// Jumps to one of several, by weight.
    Choose {
        /// The weights.
        mix: Mix,
        /// Where each of them begins.
        to: Vec<u32>,
    },
    /// Jumps.
    Jump(u32),
    /// Sets a loop's counter to nothing.
    Begin(u8),
    /// The end of a loop's body: jumps back until it was done so many times.
    Again {
        /// Which counter.
        counter: u8,
        /// How many times the body is done.
        times: u64,
        /// Where the body begins.
        to: u32,
    },
    /// A group of steps begins.
    Enter(u16),
    /// A group of steps ends.
    Leave(u16),
    /// The iteration is over.
    End,
}
