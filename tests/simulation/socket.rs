//! The kernel's half of a connection: what arrived, what is armed, what is being sent.

use std::collections::VecDeque;

use onslaught::net::{Errno, More, Payload};
use onslaught::stdx::Nanos;

use super::agenda::{Arrived, Due, Happened, Id, Scene};

/// A receive that the kernel works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Armed {
    Stream,
    Once,
    Discard(u32),
}

/// A socket as the kernel holds it.
pub(crate) struct Socket {
    id: Id,
    connecting: bool,
    armed: Option<Armed>,
    arrived: VecDeque<Arrived>,
    /// When the last completion of a receive is seen: they stay in order.
    posted: Nanos,
    sending: Option<Sending>,
    /// The peer reads no more.
    pub(crate) deaf: bool,
    /// The peer is gone: sends fail.
    gone: bool,
    closed: bool,
}

struct Sending {
    /// How much the kernel will take before the send ends.
    limit: usize,
    taken: usize,
    buffer: Option<Vec<u8>>,
}

/// A moment for late things.
const LATE: Nanos = Nanos::from_millis(200);
const PIPE: Errno = Errno(libc::EPIPE);

impl Socket {
    pub(crate) const fn new(id: Id) -> Self {
        Self {
            id,
            connecting: true,
            armed: None,
            arrived: VecDeque::new(),
            posted: Nanos::ZERO,
            sending: None,
            deaf: false,
            gone: false,
            closed: false,
        }
    }

    pub(crate) const fn is_connecting(&self) -> bool {
        self.connecting
    }

    /// The connect has ended.
    pub(crate) fn connects(&mut self, result: Result<(), Errno>, scene: &mut Scene<'_>) {
        self.connecting = false;
        self.post(Nanos::ZERO, Happened::Connected(result), scene);
    }

    pub(crate) fn arm(&mut self, armed: Armed, scene: &mut Scene<'_>) {
        assert!(self.armed.is_none(), "{:?}: two receives on one socket", self.id);
        self.armed = Some(armed);
        self.pump(scene);
    }

    /// Something came from the peer.
    pub(crate) fn arrive(&mut self, what: Arrived, scene: &mut Scene<'_>) {
        self.gone |= matches!(what, Arrived::Reset);
        self.arrived.push_back(what);
        self.pump(scene);
    }

    /// The armed receive is to end; if it has ended already, nothing comes of this.
    pub(crate) fn stop(&mut self, scene: &mut Scene<'_>) {
        if self.armed.take().is_some() {
            self.post_receive(Happened::ReceiveFailed(Errno::CANCELED, More::Ended), scene);
        }
    }

    pub(crate) fn send(&mut self, payload: Payload, scene: &mut Scene<'_>) {
        let len = payload.bytes().len();
        let short = scene.dice.chance(scene.scenario.kernel.short_sends);
        let limit = if short { scene.dice.size(1, len) } else { len };
        let buffer = match payload {
            Payload::Owned(bytes) => Some(bytes),
            Payload::Shared(_) => None,
        };
        self.sending = Some(Sending { limit, taken: 0, buffer });
        let lag = scene.lag();
        scene.agenda.after(lag, Due::Takes(self.id));
    }

    /// The kernel takes bytes of the send: how many.
    pub(crate) fn take(&mut self, scene: &mut Scene<'_>) -> usize {
        let kernel = &scene.scenario.kernel;
        let Some(sending) = &mut self.sending else { return 0 };
        if self.gone {
            let errno = scene.dice.pick(&[PIPE, Errno::RESET]);
            self.end_send(Err(errno), Nanos::ZERO, scene);
            return 0;
        }
        if sending.taken == 0 && scene.dice.chance(kernel.send_errors) {
            let errno = scene.dice.pick(&[Errno(libc::ENOMEM), Errno::NO_BUFFERS, PIPE]);
            self.end_send(Err(errno), Nanos::ZERO, scene);
            return 0;
        }
        let left = sending.limit - sending.taken;
        let some = self.deaf || (left > 1_000 && scene.dice.chance(500));
        let step = if some { scene.dice.size(usize::from(!self.deaf), left / 2) } else { left };
        sending.taken += step;
        if sending.taken == sending.limit {
            let count = u32::try_from(sending.limit).expect("a small request");
            let delay = match scene.dice.between(0, 999) {
                roll if roll < kernel.late_sends => scene.dice.up_to(LATE),
                roll if roll < 500 => Nanos::ZERO,
                _ => scene.lag(),
            };
            self.end_send(Ok(count), delay, scene);
        } else if !self.deaf {
            let pause = scene.way();
            scene.agenda.after(pause, Due::Takes(self.id));
        }
        step
    }

    /// The target goes away, with a reset or an orderly end.
    pub(crate) fn killed(&mut self, scene: &mut Scene<'_>) {
        if self.connecting {
            return self.connects(Err(Errno::REFUSED), scene);
        }
        self.gone = true;
        if self.sending.is_some() {
            self.end_send(Err(Errno::RESET), Nanos::ZERO, scene);
        }
        let reset = scene.dice.chance(500);
        self.arrive(if reset { Arrived::Reset } else { Arrived::End }, scene);
    }

    /// Ends what is outstanding, in any order.
    pub(crate) fn close(&mut self, scene: &mut Scene<'_>) {
        self.closed = true;
        if self.connecting {
            let raced = scene.dice.chance(200);
            self.connecting = false;
            let result = if raced { Ok(()) } else { Err(Errno::CANCELED) };
            let delay = after_close(scene);
            self.post(delay, Happened::Connected(result), scene);
        }
        if let Some(sending) = &self.sending {
            let taken = u32::try_from(sending.taken).expect("a small request");
            let result = if taken > 0 { Ok(taken) } else { Err(PIPE) };
            let delay = after_close(scene);
            self.end_send(result, delay, scene);
        }
        if self.armed.is_some() {
            let delay = after_close(scene);
            scene.agenda.after(delay, Due::LetsGo(self.id));
        }
        let delay = after_close(scene);
        self.post(delay, Happened::Closed, scene);
    }

    /// The receive of the closed socket ends, if it has not.
    pub(crate) fn let_go(&mut self, scene: &mut Scene<'_>) {
        let ended = match self.armed.take() {
            None => return,
            Some(Armed::Discard(_)) => {
                Happened::Discarded(scene.dice.pick(&[Ok(0), Err(Errno::CANCELED)]))
            }
            Some(Armed::Stream | Armed::Once) => match scene.dice.between(0, 2) {
                0 => Happened::ReceiveFailed(Errno::CANCELED, More::Ended),
                1 => Happened::ReceiveFailed(Errno::RESET, More::Ended),
                _ => Happened::Received(Vec::new(), More::Ended),
            },
        };
        self.post_receive(ended, scene);
    }

    fn end_send(&mut self, result: Result<u32, Errno>, delay: Nanos, scene: &mut Scene<'_>) {
        let buffer = self.sending.take().and_then(|sending| sending.buffer);
        self.post(delay, Happened::Sent(result, buffer), scene);
    }

    fn post(&self, delay: Nanos, happened: Happened, scene: &mut Scene<'_>) {
        let delay = delay + scene.lag();
        scene.agenda.after(delay, Due::Posts(self.id, happened));
    }

    fn post_receive(&mut self, happened: Happened, scene: &mut Scene<'_>) {
        let seen = scene.now() + scene.lag();
        self.posted = self.posted.max(seen);
        scene.agenda.at(self.posted, Due::Posts(self.id, happened));
    }

    /// Gives what has arrived to what is armed.
    fn pump(&mut self, scene: &mut Scene<'_>) {
        while let (Some(armed), false) = (self.armed, self.arrived.is_empty()) {
            let happened = match armed {
                Armed::Discard(len) => self.discard(len, scene),
                Armed::Stream | Armed::Once => self.receive(armed, scene),
            };
            self.post_receive(happened, scene);
        }
    }

    fn receive(&mut self, armed: Armed, scene: &mut Scene<'_>) -> Happened {
        let kernel = &scene.scenario.kernel;
        if scene.dice.chance(kernel.no_buffers) {
            self.armed = None;
            return Happened::ReceiveFailed(Errno::NO_BUFFERS, More::Ended);
        }
        match self.arrived.front() {
            Some(Arrived::Bytes(_)) => {
                let bytes = self.read(kernel.buffer, scene);
                let ends = armed == Armed::Once || scene.dice.chance(kernel.ends);
                if ends {
                    self.armed = None;
                }
                Happened::Received(bytes, if ends { More::Ended } else { More::Armed })
            }
            Some(Arrived::Reset) => {
                self.armed = None;
                self.arrived = VecDeque::from([Arrived::End]);
                Happened::ReceiveFailed(Errno::RESET, More::Ended)
            }
            Some(Arrived::End) | None => {
                self.armed = None;
                Happened::Received(Vec::new(), More::Ended)
            }
        }
    }

    fn discard(&mut self, len: u32, scene: &mut Scene<'_>) -> Happened {
        self.armed = None;
        Happened::Discarded(match self.arrived.front() {
            Some(Arrived::Bytes(_)) => {
                let most = usize::try_from(len).expect("32 bits");
                let most = if scene.dice.chance(300) { scene.dice.size(1, most) } else { most };
                Ok(u32::try_from(self.read(most, scene).len()).expect("at most what was asked"))
            }
            Some(Arrived::Reset) => {
                self.arrived = VecDeque::from([Arrived::End]);
                Err(Errno::RESET)
            }
            Some(Arrived::End) | None => Ok(0),
        })
    }

    /// At most so many bytes; pieces that lie beside each other may run together.
    fn read(&mut self, most: usize, scene: &mut Scene<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(Arrived::Bytes(bytes)) = self.arrived.front_mut() {
            let part = bytes.len().min(most - out.len());
            if part == bytes.len() && out.is_empty() {
                out = std::mem::take(bytes);
            } else {
                out.extend(bytes.drain(..part));
            }
            if !bytes.is_empty() {
                break;
            }
            self.arrived.pop_front();
            if out.len() == most || scene.dice.chance(300) {
                break;
            }
        }
        out
    }
}

/// How long after a close something of it may still come.
fn after_close(scene: &mut Scene<'_>) -> Nanos {
    let late = scene.dice.chance(scene.scenario.kernel.late_closes);
    if late { scene.dice.up_to(LATE) } else { Nanos::ZERO }
}
