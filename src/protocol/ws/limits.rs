//! Every bound of this room, with its reason. Reaching one is [`Failure::Limit`], unless the RFC
//! itself sets the bound.
//!
//! The number of fragments of a message is not bounded: an empty one costs no memory, and a message
//! without an end runs into its timeout.
//!
//! [`Failure::Limit`]: crate::protocol::Failure::Limit

/// Bytes of one message, unless [`Settings`] say otherwise. It bounds what a connection can cost.
/// Servers in common use take 1 to 100 MiB (`websockets` of Python 1 MiB, Jetty 64 KiB, `ws` of
/// Node 100 MiB): answers beyond it are rather a fault than a load.
///
/// [`Settings`]: super::Settings
pub const MESSAGE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Bytes of a frame's header: 2, 8 of an extended length, 4 of a key (RFC 6455 section 5.2).
pub const HEADER_BYTES_MAX: usize = 14;

/// Bytes of a control frame's payload (RFC 6455 section 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;

/// Bytes of the reason in a close frame, behind its code of two bytes.
pub const CLOSE_REASON_BYTES_MAX: usize = CONTROL_BYTES_MAX - 2;

/// Bytes that are reserved for a message because its header announces them. What is more is
/// reserved as it comes: a header of 10 bytes shall not cost 16 MiB.
pub const RESERVED_BYTES_MAX: usize = 16 * 1024;

/// Bytes that a [`Scratch`] keeps from one event to the next. There is one in each shard; usual
/// segments are 2 to 16 KiB, and a large message's memory is given back.
///
/// [`Scratch`]: super::Scratch
pub const SCRATCH_BYTES_MAX: usize = 64 * 1024;

/// Subprotocols that are offered, or read of an offer. One or two are usual.
pub const SUBPROTOCOLS_MAX: usize = 32;
