//! HTTP/1.1 (RFC 9110, RFC 9112): bytes in, replies and faults out.
//!
//! Neighbours: stdx.

pub mod server;
