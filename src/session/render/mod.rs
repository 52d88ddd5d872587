//! What a text of the plan says at this moment.
//!
//! A value that does not exist (an empty pool, a variable that nothing set, a user's token before
//! the login) is nothing: `||` takes the second, a text holds nothing in its place, JSON `null`.
//! Comparisons are of numbers if one side is a number and the other can be read as one, else of
//! texts, byte by byte. Nothing equals nothing alone, and is neither less nor more than anything.

mod encode;
mod evaluate;

#[cfg(test)]
mod tests;

use super::users::Users;
use super::{Draw, Pools, Variables};
use crate::plan::{Encoding, Piece, Plan, Text, Value};
use evaluate::{Got, evaluate};

/// What a text can speak of.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    /// Lists of data and groups of users.
    pub plan: &'a Plan,
    /// The session's user, by index over all shards.
    pub user: Option<u32>,
    /// The users' tokens.
    pub users: &'a Users,
    /// What the session has saved.
    pub variables: &'a Variables,
    /// Ids.
    pub pools: &'a Pools,
    /// Milliseconds since 1970.
    pub wall_ms: u64,
    /// The number of the operation that is being made, if one is.
    pub sequence: Option<u64>,
}

/// Appends the text as it is at this moment to `out`.
pub fn render<'a>(text: &'a Text, speaker: &Speaker<'a>, draw: &mut Draw, out: &mut Vec<u8>) {
    for piece in &text.pieces {
        match piece {
            Piece::Fixed(bytes) => out.extend_from_slice(bytes),
            Piece::Made(value, encoding) => write(value, *encoding, speaker, draw, out),
        }
    }
}

/// Whether a condition holds: a comparison that is true, a number but 0, a text but the empty
/// one. Nothing does not hold. `scratch` is left as it was.
#[must_use]
pub fn holds<'a>(
    value: &'a Value,
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Vec<u8>,
) -> bool {
    let start = scratch.len();
    let got = evaluate(value, speaker, draw, scratch);
    let holds = got.holds(scratch);
    scratch.truncate(start);
    holds
}

/// The number that a value is, if it is one or can be read as one. `scratch` is left as it was.
#[must_use]
pub fn number<'a>(
    value: &'a Value,
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Vec<u8>,
) -> Option<f64> {
    let start = scratch.len();
    let got = evaluate(value, speaker, draw, scratch);
    let number = got.number(scratch);
    scratch.truncate(start);
    number
}

/// Appends a value.
fn write<'a>(
    value: &'a Value,
    encoding: Encoding,
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    out: &mut Vec<u8>,
) {
    let got = evaluate(value, speaker, draw, out);
    if let Got::Made { start } = got {
        encode::tail(out, start, encoding);
    } else {
        got.write(encoding, out);
    }
}
