//! What comes in on a shard's connections, and how the next of it is asked for.
//!
//! A connection listens by multishot: one entry for many replies. Once it meets a large body that
//! nothing reads, it changes to single receives, and lets the kernel throw such bodies away
//! without copying them: 0.48 of the CPU at 64 KiB, 0.17 at 1 MiB (bench/README.md). Single
//! receives cost 12 % on small replies, so it changes back when they stay small.

use super::super::connection::{Listening, State};
use super::super::limits::{DISCARD_AT_ONCE, DISCARD_FROM, SMALL_REPLIES};
use super::Shard;
use crate::net::error::Cause;
use crate::net::{Errno, Handle, More, Submissions};
use crate::protocol::http::Progress;
use crate::stdx::Nanos;

impl Shard {
    pub(super) fn received(
        &mut self,
        handle: Handle,
        bytes: &[u8],
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let slot = handle.slot;
        let connection = &mut self.connections[slot as usize];
        match (connection.state, &mut connection.operation) {
            (State::Busy, Some(operation)) => {
                if bytes.is_empty() {
                    let ended = connection.exchange.end_of_stream();
                    let ended = ended.map(Progress::Done);
                    return self.progress(slot, ended, now, submissions);
                }
                if operation.received == 0 {
                    operation.timing.first_byte = now;
                }
                operation.received += bytes.len() as u64;
                let progress = self.feed(slot, bytes);
                self.progress(slot, progress, now, submissions);
            }
            (State::Upgrading, _) => self.upgrading(slot, bytes, now, submissions),
            (State::Live | State::Farewell, _) => self.frames(slot, bytes, now, submissions),
            (State::Idle | State::Settling, _) => {
                // The peer ends an idle connection, or says something that nobody asked for.
                self.recorder.counts().unasked += u64::from(!bytes.is_empty());
                self.close(slot, submissions);
            }
            (State::Opening | State::Closing | State::Vacant | State::BackingOff, _)
            | (State::Busy, None) => {}
        }
    }

    /// The kernel has thrown away so many bytes of a body.
    pub(super) fn discarded(
        &mut self,
        slot: u32,
        result: Result<u32, Errno>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[slot as usize];
        let (State::Busy, Some(operation)) = (connection.state, &mut connection.operation) else {
            return;
        };
        match result {
            Ok(0) => {
                let ended = connection.exchange.end_of_stream().map(Progress::Done);
                self.progress(slot, ended, now, submissions);
            }
            Ok(count) => {
                operation.received += u64::from(count);
                let progress = connection.exchange.discarded(u64::from(count));
                self.progress(slot, progress, now, submissions);
            }
            Err(errno) => self.broken(slot, errno, now, submissions),
        }
    }

    pub(super) fn receive_failed(
        &mut self,
        handle: Handle,
        errno: Errno,
        more: More,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        match errno.cause() {
            // Transient: others give their buffers back in this very turn.
            Cause::NoBuffers => {
                self.recorder.counts().no_buffers += 1;
                self.listen_again(handle, more, submissions);
            }
            // We stopped the multishot ourselves.
            Cause::Canceled => self.listen_again(handle, more, submissions),
            _ if self.connections[handle.slot as usize].link.is_closing() => {}
            _ => self.broken(handle.slot, errno, now, submissions),
        }
    }

    /// After a completion of a receive: asks for the next, if the last has ended, and stops a
    /// multishot that would copy a large body.
    pub(super) fn listen_again(
        &mut self,
        handle: Handle,
        more: More,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[handle.slot as usize];
        if connection.link.is_closing() {
            return;
        }
        let listening = connection.listening;
        let large = self.discardable(handle.slot) >= DISCARD_FROM;
        let connection = &mut self.connections[handle.slot as usize];
        match (listening, more) {
            (Listening::Multishot, More::Armed) if large => {
                connection.listening = Listening::Stopping;
                submissions.stop_receiving(handle);
            }
            (Listening::Multishot, More::Armed) | (Listening::Stopping, More::Armed) => {}
            (Listening::Multishot, More::Ended) => {
                self.recorder.counts().rearmed += 1;
                self.listen(handle, submissions);
            }
            (Listening::Stopping | Listening::Single { .. }, _) => {
                let small = connection.listening.small_replies();
                connection.listening = Listening::Single { small };
                self.listen(handle, submissions);
            }
        }
    }

    /// Asks for what comes next on the connection.
    pub(super) fn listen(&mut self, handle: Handle, submissions: &mut impl Submissions) {
        let rest = self.discardable(handle.slot);
        let connection = &mut self.connections[handle.slot as usize];
        connection.link.receiving();
        match connection.listening {
            Listening::Single { .. } if rest >= DISCARD_FROM => {
                connection.listening = Listening::Single { small: 0 };
                let most = rest.min(DISCARD_AT_ONCE);
                submissions.discard(handle, u32::try_from(most).unwrap_or(u32::MAX));
            }
            Listening::Single { small } if small < SMALL_REPLIES => {
                submissions.receive_once(handle);
            }
            Listening::Single { .. } | Listening::Multishot | Listening::Stopping => {
                connection.listening = Listening::Multishot;
                submissions.receive(handle);
            }
        }
    }
}
