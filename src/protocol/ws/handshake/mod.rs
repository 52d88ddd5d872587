//! The opening handshake (RFC 6455 sections 1.3 and 4): an HTTP request and its 101.
//!
//! ```text
//!  client: Upgrade ── GET … Sec-WebSocket-Key: base64(16 random bytes) ──► server: Asked
//!  client: Opening ◄─ 101 … Sec-WebSocket-Accept: base64(SHA-1(key + GUID)) ── Asked::accept
//! ```
//!
//! What is behind the empty line is frames already, on both sides.

mod client;
mod server;

pub use client::{HandshakeError, Opened, Opening, Upgrade, UpgradeBuilder, UpgradeError};
pub use server::{Asked, Refusal};

/// The length of a key in base64.
const KEY_BYTES: usize = 24;

/// The list that a field's value is, without empty elements (RFC 9110 section 5.6.1).
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let elements = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    elements.filter(|element| !element.is_empty())
}

fn has_element(value: &[u8], wanted: &str) -> bool {
    elements(value).any(|element| element.eq_ignore_ascii_case(wanted.as_bytes()))
}
