//! One virtual user's mind: what it does next, what it says and remembers. Pure.
//!
//! Gives:      [`Session`], whose choices are a function of seed, index and turn; what it says and
//!             remembers: [`render`], [`judge`], [`extract`], [`Variables`], [`Pools`], [`Users`].
//! Neighbours: stdx, plan, protocol(failures, tokens), metrics(counters).

pub mod assign;
pub mod draw;
pub mod extract;
pub mod fuzz;
pub mod judge;
pub mod kept;
#[cfg(test)]
mod kit;
pub mod limits;
pub mod mind;
pub mod pools;
pub mod render;
mod share;
pub mod tokens;
pub mod users;
pub mod variables;

pub use assign::Assignment;
pub use draw::Draw;
pub use judge::{Judgement, judge};
pub use kept::Kept;
pub use mind::{Act, Session};
pub use pools::Pools;
pub use render::{Speaker, holds, render};
pub use tokens::{CallKind, CallOutcome, Need, News, Refused, Tokens};
pub use users::{Identity, Users};
pub use variables::Variables;
