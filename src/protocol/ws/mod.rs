//! WebSocket (RFC 6455), both sides: bytes in, messages and faults out.
//!
//! Does:       the opening handshake; frames, fragments, UTF-8 and the closing handshake of one
//!             connection; encodes frames.
//! Takes:      bytes in pieces of any size, fresh randomness for keys, a [`Scratch`] per shard.
//! Gives:      [`Upgrade`] and [`Opening`] for a client, [`Asked`] for a server; then, for either,
//!             a [`Connection`] that gives an [`Event`] at a time or the [`WsError`] that ends it.
//! Neighbours: stdx.
//! Why so:     a frame that came whole is lent where it lies; only what was cut or fragmented is
//!             gathered, within [`limits`], and how it was cut makes no difference.

pub mod close;
pub mod connection;
pub mod encode;
pub mod error;
pub mod frame;
pub mod fuzz;
pub mod handshake;
pub mod limits;
pub mod mask;
mod message;
mod ready;
mod utf8;

pub use close::{Close, CloseCode};
pub use connection::{Connection, Phase, Settings};
pub use encode::Fragment;
pub use error::WsError;
pub use frame::Control;
pub use handshake::{Asked, HandshakeError, Opened, Opening, Refusal, Upgrade, UpgradeError};
pub use mask::Key;
pub use message::{Keep, Kind};
pub use ready::{Event, Scratch};

/// Which side of the connection we are. It decides who masks (RFC 6455 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We asked for the connection: our frames are masked, the peer's are not.
    Client,
    /// We were asked: the peer's frames are masked, ours are not.
    Server,
}
