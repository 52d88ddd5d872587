//! The embedded target, driven by a scripted kernel: no socket, no clock, exact answers.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

/// Registering, logging in, refreshing, logging out; on one core and on two.
#[cfg(test)]
mod accounts;
/// What a client says and hears, over HTTP and WebSocket.
#[cfg(test)]
mod client;
/// Malformed and oversized requests, each limit hit exactly.
#[cfg(test)]
mod faults;
/// The WebSocket that tells of tasks.
#[cfg(test)]
mod gateway;
/// The scripted kernel, and readers of replies.
#[cfg(test)]
mod kit;
/// Large bodies, partial sends, back-pressure.
#[cfg(test)]
mod large;
/// What is lied, exactly how often, and what is counted.
#[cfg(test)]
mod lies;
/// Slots, generations, re-arming, timers.
#[cfg(test)]
mod life;
/// The page for Prometheus.
#[cfg(test)]
mod metrics;
/// The list of lies as people write it.
#[cfg(test)]
mod misbehave;
/// The counter with one clerk.
#[cfg(test)]
mod queue;
/// Replies byte for byte, and every split of the requests.
#[cfg(test)]
mod requests;
/// Listening on real sockets.
#[cfg(test)]
mod run;
/// WebSockets: opening, echoing, closing, back-pressure.
#[cfg(test)]
mod sockets;
/// Tasks, and who may see them.
#[cfg(test)]
mod tasks;
/// What is lied on WebSockets and with tokens, exactly how often.
#[cfg(test)]
mod untruths;
