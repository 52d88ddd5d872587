//! Every bound of this room, with its reason. Reaching one is [`Failure::Limit`].
//!
//! The length of a body is not bounded: it is counted and not kept, and a body without an end
//! runs into its timeout.
//!
//! [`Failure::Limit`]: crate::protocol::Failure::Limit

/// Bytes of one reply's head, from its first byte to the empty line, both included.
///
/// A partial head is the only thing that is kept of a reply. Clients and proxies in common use take
/// 4 to 300 KiB (nginx 4-8 KiB, Node 16 KiB, curl 300 KiB): this stops endless heads alone.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Header lines of one reply. They are parsed into an array on the stack: 128 × 32 bytes = 4 KiB.
pub const HEADERS_MAX: usize = 128;

/// Interim replies (1xx) before the final one. One or two are usual (100, 103).
pub const INTERIM_REPLIES_MAX: u8 = 16;

/// Bytes of one chunk-size line without its CRLF: digits, padding and extensions.
///
/// Extensions are skipped, so this costs no memory; it stops a line that never ends, which would
/// count as progress without one byte of body. The longest in use are signatures of ~100 bytes.
pub const CHUNK_LINE_BYTES_MAX: u16 = 4 * 1024;

/// Bytes of all trailer lines of one reply, with their line ends, without the last empty line.
///
/// Trailers are checked and skipped; this stops endless ones.
pub const TRAILER_BYTES_MAX: u16 = 16 * 1024;

/// Bytes of one encoded request. It lies in memory once per plan, and a completion of the ring
/// counts what was sent in 31 bits.
pub const REQUEST_BYTES_MAX: usize = 1 << 30;
