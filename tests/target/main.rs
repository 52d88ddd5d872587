//! The embedded target, driven by a scripted kernel: no socket, no clock, exact answers.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

/// Malformed and oversized requests, each limit hit exactly.
#[cfg(test)]
mod faults;
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
/// The list of lies as people write it.
#[cfg(test)]
mod misbehave;
/// Replies byte for byte, and every split of the requests.
#[cfg(test)]
mod requests;
/// Listening on real sockets.
#[cfg(test)]
mod run;
