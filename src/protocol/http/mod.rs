//! HTTP/1.1 (RFC 9110, RFC 9112): bytes in, replies and faults out.
//!
//! Does:       encodes a request once per plan; follows the replies of one connection.
//! Takes:      what the user wrote of a request; bytes as they come, in pieces of any size.
//! Gives:      [`Request`]; [`Exchange`], which ends each reply in a [`Reply`] or an
//!             [`ExchangeError`].
//! Neighbours: stdx.
//! Why so:     a reply is counted and let go: its head is parsed once, its body is never kept, and
//!             how the bytes were cut on their way makes no difference to the outcome.

mod body;
mod chunk;
pub mod error;
pub mod exchange;
pub mod fuzz;
pub(in crate::protocol) mod head;
pub mod limits;
pub mod request;
pub mod server;

pub use error::ExchangeError;
pub use exchange::{AwaitingPhase, Exchange, Progress, Reply, ReplyTo, Reuse};
pub use request::{Request, RequestBuilder, RequestError};
