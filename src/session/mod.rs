//! One virtual user's mind: what it does next. Pure.
//!
//! Gives:      [`Session`], whose choices are a function of seed, index and turn; what it says and
//!             remembers: [`render`], [`judge`], [`extract`], [`Variables`], [`Pools`], [`Users`].
//! Neighbours: stdx, plan, protocol(failures), metrics(counters).

pub mod draw;
pub mod extract;
pub mod fuzz;
pub mod judge;
pub mod kept;
#[cfg(test)]
mod kit;
pub mod limits;
pub mod pools;
pub mod render;
mod share;
pub mod tokens;
pub mod users;
pub mod variables;

use crate::plan::Mix;

pub use draw::Draw;
pub use judge::{Judgement, judge};
pub use kept::Kept;
pub use pools::Pools;
pub use render::{Speaker, holds, render};
pub use tokens::Tokens;
pub use users::{Identity, Users};
pub use variables::Variables;

/// One virtual user of the closed model.
///
/// Its choices are a prefix of one fixed sequence, whatever the number of shards: how far it
/// comes depends on the target, where it goes does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its index over all shards.
    index: u64,
    /// Operations begun so far.
    turn: u64,
}

impl Session {
    /// The session with this index over all shards.
    #[must_use]
    pub const fn new(index: u64) -> Self {
        Self { index, turn: 0 }
    }

    /// The next request, as an index into the plan's.
    pub fn next(&mut self, mix: &Mix, seed: u64) -> u16 {
        let request = mix.choose(seed, self.index, self.turn);
        self.turn += 1;
        request
    }
}
