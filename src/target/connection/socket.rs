//! An open WebSocket: messages in, messages out, with the lies that are due.

use std::mem;

use super::super::common::Common;
use super::super::counters::{Counters, Did};
use super::super::misbehave::Lie;
use super::gateway::Gateway;
use super::pending::Pending;
use super::{Connection, Phase, Turn};
use crate::net::Submissions;
use crate::protocol::ws::{self, Event, Kind, Role, Settings, encode};

/// What only WebSockets need.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) ws: ws::Connection,
    /// The frame of a message that waits to be overtaken; empty if none does.
    held: Vec<u8>,
    /// Where tasks are told of; none on `/echo`.
    pub(super) gateway: Option<Gateway>,
}

/// With the connection around it, an idle WebSocket costs less than 400 bytes.
const _: () = assert!(size_of::<Socket>() <= 200);

impl Socket {
    pub(super) fn new(message_bytes_max: u64, gateway: Option<Gateway>) -> Self {
        let settings = Settings { message_bytes_max, ..Settings::new(Role::Server) };
        Self { ws: ws::Connection::new(settings), held: Vec::new(), gateway }
    }

    /// Queues a message, or what the lie that is due makes of it.
    pub(super) fn say(
        &mut self,
        kind: Kind,
        payload: &[u8],
        pending: &mut Pending,
        common: &mut Common,
    ) {
        let lie = common.number_message();
        let Common { payloads, spare, counters, .. } = common;
        let counters = counters.own();
        let mut copies = 1;
        match lie {
            Some(Lie::WsDrop) => {
                counters.lie(Lie::WsDrop);
                return;
            }
            Some(Lie::WsSwap) if self.held.is_empty() => {
                encode::message(&mut self.held, kind, payload, None);
                return;
            }
            Some(Lie::WsDuplicate) => {
                counters.lie(Lie::WsDuplicate);
                copies = 2;
            }
            _ => {}
        }
        let out = pending.owned(payloads, spare);
        for _ in 0..copies {
            encode::message(out, kind, payload, None);
            counters.did(Did::WsMessagesOut);
        }
        if let (Some(Lie::WsCorrupt), false, Some(last)) = (lie, payload.is_empty(), out.last_mut())
        {
            // The last byte of a text is ASCII or ends a character: so is this one, or does.
            *last ^= 1;
            counters.lie(Lie::WsCorrupt);
        }
        if self.release(out, counters) {
            counters.lie(Lie::WsSwap);
        }
    }

    /// Queues the message that waits, if one does.
    fn release(&mut self, out: &mut Vec<u8>, counters: &Counters) -> bool {
        if self.held.is_empty() {
            return false;
        }
        out.extend_from_slice(&mem::take(&mut self.held));
        counters.did(Did::WsMessagesOut);
        true
    }
}

impl Connection {
    /// Reads messages until the input is used up, or their answers have no place. Gives the number
    /// of bytes taken.
    pub(super) fn hear<S: Submissions>(&mut self, input: &[u8], turn: &mut Turn<'_, S>) -> usize {
        let mut scratch = mem::take(&mut turn.common.scratch);
        let mut rest = input;
        while !self.is_busy() {
            let Some(socket) = self.socket.as_mut() else { break };
            match socket.ws.receive(&mut rest, &mut scratch) {
                Ok(None) => break,
                Ok(Some(event)) => self.heard(event, turn),
                Err(error) => {
                    self.end_socket(error.close_code(), turn);
                    rest = &[];
                }
            }
        }
        turn.common.scratch = scratch;
        input.len() - rest.len()
    }

    fn heard<S: Submissions>(&mut self, event: Event<'_>, turn: &mut Turn<'_, S>) {
        let Some(socket) = self.socket.as_mut() else { return };
        let common = &mut *turn.common;
        match event {
            Event::Message { kind, bytes } => {
                common.counters.own().did(Did::WsMessagesIn);
                if socket.gateway.is_some() {
                    self.said(kind, bytes, turn);
                } else {
                    socket.say(kind, bytes, &mut self.pending, common);
                }
            }
            Event::Ping(payload) => {
                let Common { payloads, spare, .. } = common;
                encode::pong(self.pending.owned(payloads, spare), payload, None);
            }
            Event::Close(close) => self.end_socket(close.code, turn),
            // Messages are kept, not counted; a pong is an answer to nothing.
            Event::Counted { .. } | Event::Pong(_) => {}
        }
    }

    /// Says the last word, after which the connection is closed.
    fn end_socket<S>(&mut self, code: Option<ws::CloseCode>, turn: &mut Turn<'_, S>) {
        let Some(socket) = self.socket.as_mut() else { return };
        let Common { payloads, spare, counters, .. } = &mut *turn.common;
        let out = self.pending.owned(payloads, spare);
        socket.release(out, counters.own());
        socket.ws.close(code, "", None, out);
        self.phase = Phase::Ending;
    }
}
