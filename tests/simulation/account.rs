//! What a shard was told of one connection, and what it therefore has to do.

use std::collections::VecDeque;

use onslaught::metrics::recorder::End;
use onslaught::net::Errno;
use onslaught::net::error::Cause;
use onslaught::protocol::Failure;
use onslaught::stdx::Nanos;

use super::agenda::Id;
use super::reply::{Mark, What};
use super::scenario::fixed;
use super::truth::{Operation, Truth};

/// One connection, as the shard knows it.
pub(crate) struct Account {
    id: Id,
    opened: Nanos,
    operation: Option<Awaited>,
    /// What lies ahead in the stream of replies.
    marks: VecDeque<Mark>,
    /// Where the last mark ended.
    passed: u64,
    /// Bytes of the stream that the shard was given.
    position: u64,
    /// The status of a reply whose body ends with the connection.
    open_ended: Option<u16>,
    /// Why the connection has to be closed.
    must_close: Option<&'static str>,
    /// The last request, and how much of it the kernel has not said to have taken.
    request: Option<u16>,
    unsent: usize,
    send_failed: bool,
    half_sent: bool,
    deadline: Nanos,
    /// How the last operation ended, until the world has looked.
    pub(crate) ended: Option<Ended>,
}

/// How an operation ended, as far as it decides about the pause that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Replied,
    Failed,
    NotConnected,
}

/// An operation under way.
struct Awaited {
    operation: Operation,
    sent: Option<Nanos>,
    first_byte: Option<Nanos>,
    received: u64,
    connecting: Nanos,
}

/// What a send is.
pub(crate) enum Sends {
    /// A request from its beginning, of so many bytes.
    Request(u16),
    /// The rest of one.
    Rest,
}

/// The lowest status that is a failure.
const FAILING: u16 = 400;

impl Account {
    pub(crate) const fn new(id: Id, opened: Nanos, deadline: Nanos) -> Self {
        Self {
            id,
            opened,
            operation: None,
            marks: VecDeque::new(),
            passed: 0,
            position: 0,
            open_ended: None,
            must_close: None,
            request: None,
            unsent: 0,
            send_failed: false,
            half_sent: false,
            deadline,
            ended: None,
        }
    }

    pub(crate) fn mark(&mut self, marks: Vec<Mark>) {
        self.marks.extend(marks);
    }

    /// The connection was opened for this operation, or it is about to carry it.
    pub(crate) fn begin(&mut self, operation: Operation, timeout: Nanos) {
        self.deadline = operation.begun + timeout;
        self.operation = Some(Awaited {
            operation,
            sent: None,
            first_byte: None,
            received: 0,
            connecting: Nanos::ZERO,
        });
    }

    pub(crate) const fn is_awaiting(&self) -> bool {
        self.operation.is_some()
    }

    pub(crate) const fn is_to_close(&self) -> bool {
        self.must_close.is_some()
    }

    /// Whether it could carry an operation, as far as the shard can know.
    pub(crate) const fn is_free(&self) -> bool {
        self.operation.is_none() && self.must_close.is_none() && self.unsent == 0
    }

    pub(crate) fn connected(&mut self, result: Result<(), Errno>, now: Nanos, truth: &mut Truth) {
        match result {
            Ok(()) => {
                truth.counts.connects += 1;
                let took = now.since(self.opened);
                if let Some(awaited) = &mut self.operation {
                    awaited.connecting = took;
                }
            }
            Err(errno) => {
                truth.counts.connect_failures += 1;
                let failure = match errno.0 {
                    libc::ECONNREFUSED => Failure::Refused,
                    libc::ECONNRESET => Failure::Reset,
                    libc::ETIMEDOUT => Failure::TimeoutConnect,
                    libc::EADDRNOTAVAIL => Failure::LocalPorts,
                    libc::EMFILE | libc::ENFILE => Failure::LocalFds,
                    libc::ENOMEM => Failure::LocalMemory,
                    _ => Failure::Connect,
                };
                self.fails(failure, "connecting failed", now, truth);
            }
        }
    }

    /// The shard sends: which part of which request that is.
    pub(crate) fn sends(&mut self, bytes: &[u8], now: Nanos, truth: &mut Truth) -> Sends {
        let whole = |request: u16| fixed(&truth.plan, request);
        if self.unsent > 0 {
            let bytes_of = whole(self.request.expect("an unsent request"));
            let rest = &bytes_of[bytes_of.len() - self.unsent..];
            assert!(bytes == rest, "{:?}: not the rest of the request", self.id);
            return Sends::Rest;
        }
        assert!(!self.send_failed, "{:?}: a request behind a broken one", self.id);
        assert!(self.must_close.is_none(), "{:?}: {:?}", self.id, self.must_close);
        let Some(awaited) = &mut self.operation else {
            panic!("{:?}: bytes of no request are sent", self.id);
        };
        assert!(awaited.sent.is_none(), "{:?}: a request is sent twice", self.id);
        let request = awaited.operation.request;
        assert!(bytes == whole(request), "{:?}: not request {request}", self.id);
        awaited.sent = Some(now);
        self.unsent = bytes.len();
        self.request = Some(request);
        truth.leaves[awaited.operation.leaf].bytes_sent += bytes.len() as u64;
        truth.sends.push((truth.since(now), request));
        Sends::Request(request)
    }

    pub(crate) fn sent(&mut self, result: Result<u32, Errno>, now: Nanos, truth: &mut Truth) {
        match result {
            Ok(count) => {
                self.unsent -= usize::try_from(count).expect("32 bits");
                // Answered already: the rest may be sent, or the connection closed.
                self.half_sent = self.operation.is_none() && self.unsent > 0;
            }
            Err(errno) => {
                self.send_failed = true;
                let local = matches!(errno.cause(), Cause::LocalMemory | Cause::NoBuffers);
                if self.operation.is_none() {
                    self.must_close = Some("its request was never wholly sent");
                } else if local {
                    self.fails(
                        Failure::LocalMemory,
                        "a send failed for want of memory",
                        now,
                        truth,
                    );
                }
            }
        }
    }

    /// So many bytes of replies were given to the shard.
    pub(crate) fn bytes(&mut self, count: u64, now: Nanos, truth: &mut Truth) {
        self.position += count;
        let Some(awaited) = &mut self.operation else {
            truth.counts.unasked += 1;
            self.must_close = Some("bytes came that nobody asked for");
            return;
        };
        awaited.first_byte.get_or_insert(now);
        awaited.received += count;
        if self.open_ended.is_some() {
            return;
        }
        let Some(&Mark { at, what }) = self.marks.front().filter(|mark| mark.at <= self.position)
        else {
            return;
        };
        self.marks.pop_front();
        self.passed = at;
        match what {
            What::Reply { .. } if at < self.position => {
                self.fails(Failure::Desync, "bytes came behind the reply", now, truth);
            }
            What::Reply { status, last } => self.completes(status, last, now, truth),
            What::OpenEnded { status } => self.open_ended = Some(status),
            What::Fault(failure) => self.fails(failure, "the reply is at fault", now, truth),
        }
    }

    /// The shard was told that the peer has ended its side.
    pub(crate) fn peer_ended(&mut self, now: Nanos, truth: &mut Truth) {
        match (&self.operation, self.open_ended.take()) {
            (None, _) => self.must_close = Some("the peer has ended an idle connection"),
            (Some(_), Some(status)) => self.completes(status, true, now, truth),
            (Some(_), None) => {
                assert!(self.fault().is_none(), "{:?}: garbage is delivered whole", self.id);
                self.fails(Failure::Truncated, "the reply is truncated", now, truth);
            }
        }
    }

    pub(crate) fn broke(&mut self, errno: Errno, now: Nanos, truth: &mut Truth) {
        let failure = if errno.0 == libc::ENOMEM { Failure::LocalMemory } else { Failure::Reset };
        self.fails(failure, "the connection broke", now, truth);
    }

    fn completes(&mut self, status: u16, last: bool, now: Nanos, truth: &mut Truth) {
        let Some(awaited) = self.operation.take() else { return };
        self.ended = Some(Ended::Replied);
        let (Some(sent), Some(first)) = (awaited.sent, awaited.first_byte) else {
            panic!("{:?}: a reply before its request", self.id);
        };
        let leaf = &mut truth.leaves[awaited.operation.leaf];
        leaf.replies += 1;
        leaf.bytes_received += awaited.received;
        leaf.connecting += u64::from(awaited.connecting > Nanos::ZERO);
        leaf.service.add(now.since(sent));
        leaf.waiting.add(first.since(sent));
        let Operation { intended, free, .. } = awaited.operation;
        leaf.response.add(now.since(intended));
        leaf.blocked.add(free.since(intended));
        leaf.lag.add(Nanos(sent.since(free).0 - awaited.connecting.0));
        let end = if status < FAILING { End::Ok } else { End::Failed(Failure::Status) };
        truth.end(&awaited.operation, end, now);
        let request = &truth.plan.requests[usize::from(awaited.operation.request)];
        if last || request.reuse == onslaught::protocol::http::Reuse::Close {
            self.must_close = Some("the reply was to be the last");
        } else if self.send_failed {
            self.must_close = Some("its request was never wholly sent");
        }
    }

    fn fails(&mut self, failure: Failure, why: &'static str, now: Nanos, truth: &mut Truth) {
        self.must_close = Some(why);
        if let Some(awaited) = self.operation.take() {
            truth.leaves[awaited.operation.leaf].bytes_received += awaited.received;
            let connected = awaited.sent.is_some();
            self.ended = Some(if connected { Ended::Failed } else { Ended::NotConnected });
            truth.end(&awaited.operation, End::Failed(failure), now);
        }
    }

    /// The run ends at once; whether there was an operation.
    pub(crate) fn abort(&mut self, now: Nanos, truth: &mut Truth) -> bool {
        let Some(awaited) = self.operation.take() else { return false };
        self.must_close = Some("the run was aborted");
        truth.leaves[awaited.operation.leaf].bytes_received += awaited.received;
        truth.end(&awaited.operation, End::Aborted, now);
        true
    }

    /// The fault that the shard may have found in what it was given.
    fn fault(&self) -> Option<Failure> {
        match self.marks.front()?.what {
            What::Fault(failure) if self.position > self.passed => Some(failure),
            What::Fault(_) | What::Reply { .. } | What::OpenEnded { .. } => None,
        }
    }

    /// The shard closes the connection: it must have a reason.
    pub(crate) fn closes(&mut self, connected: bool, now: Nanos, truth: &mut Truth) {
        if self.must_close.is_some() {
            return;
        }
        let overdue = now >= self.deadline;
        let Some(awaited) = &self.operation else {
            let settling = self.unsent > 0 || !connected;
            let reason = self.half_sent || (overdue && settling);
            assert!(reason, "{:?}: closed for no reason", self.id);
            return;
        };
        let timeout = match (awaited.sent, awaited.first_byte) {
            (None, _) => Failure::TimeoutConnect,
            (Some(_), None) => Failure::TimeoutFirstByte,
            (Some(_), Some(_)) => Failure::TimeoutBody,
        };
        let leaf = awaited.operation.leaf;
        match (self.fault(), overdue) {
            (Some(fault), true) => {
                for class in [fault, timeout] {
                    truth.leaves[leaf].unsure[class as usize] += 1;
                }
                self.fails(fault, "at fault or overdue", now, truth);
            }
            (Some(fault), false) => self.fails(fault, "at fault", now, truth),
            (None, true) => self.fails(timeout, "overdue", now, truth),
            (None, false) => panic!("{:?}: closed under an operation for no reason", self.id),
        }
    }

    /// What the shard has left undone at the end of a turn.
    pub(crate) fn neglected(&self, connected: bool, sending: bool, now: Nanos) -> Option<String> {
        if let Some(why) = self.must_close {
            return Some(format!("is not closed although {why}"));
        }
        let awaited = self.operation.as_ref();
        let unsent = awaited.is_some_and(|awaited| awaited.sent.is_none());
        if connected && unsent {
            return Some("does not send although it stands".to_owned());
        }
        if self.unsent > 0 && !sending && !self.send_failed {
            return Some("has sent a request by half".to_owned());
        }
        let waits_for = match (awaited.is_some(), connected) {
            (_, false) => "connected",
            (true, true) => "answered",
            (false, true) if self.unsent > 0 => "sent",
            (false, true) => return None,
        };
        (now >= self.deadline).then(|| format!("was to be {waits_for} by {}", self.deadline))
    }
}
