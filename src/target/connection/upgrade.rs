//! From HTTP to WebSocket.

use super::super::common::Common;
use super::super::counters::{Did, NONE};
use super::super::exchange::Exchange;
use super::super::limits::{ECHO_MAX, SAID_MAX};
use super::super::misbehave::Lie;
use super::super::reply::GARBAGE;
use super::super::routes::Route;
use super::gateway::Gateway;
use super::socket::Socket;
use super::{Connection, Phase, Turn};
use crate::net::Submissions;
use crate::protocol::http::server::{Request, Serving};
use crate::protocol::ws;

/// What is to come of an upgrade that was asked for: it is carried out when it is answered, which
/// may be later.
#[derive(Debug, Default)]
pub(super) enum Wish {
    #[default]
    Nothing,
    /// The 101 as it will be sent, and the account of a gateway.
    Granted { reply: Vec<u8>, account: Option<u32> },
    /// The handshake is not in order.
    Refused(ws::Refusal),
    /// The handshake is in order, and the token is not.
    Unauthorized,
}

impl Wish {
    pub(super) fn of<S>(request: &Request<'_>, route: Route, turn: &mut Turn<'_, S>) -> Self {
        let asked = match ws::Asked::read(request.raw) {
            Ok(Some((asked, _))) => asked,
            // It was a whole head to the other reader.
            Ok(None) => return Self::Refused(ws::Refusal::Malformed),
            Err(refusal) => return Self::Refused(refusal),
        };
        let mut account = None;
        if route == Route::Gateway {
            let token = token(asked.target);
            let (desk, around) = turn.common.desk(turn.now);
            account = desk.caller(&token, &around).map(|caller| caller.account);
            if account.is_none() {
                return Self::Unauthorized;
            }
        }
        let mut reply = turn.common.spare.take();
        asked.accept(None, &mut reply);
        Self::Granted { reply, account }
    }
}

impl Wish {
    /// The account that a gateway is to be opened for.
    pub(super) const fn account(&self) -> Option<u32> {
        match self {
            Self::Granted { account, .. } => *account,
            _ => None,
        }
    }
}

impl Connection {
    /// Answers a wish, and becomes a WebSocket if it was granted.
    pub(super) fn upgrade<S: Submissions>(&mut self, exchange: Exchange, turn: &mut Turn<'_, S>) {
        let wish = std::mem::take(&mut self.slow().wish);
        let (mut reply, status) = match wish {
            Wish::Unauthorized => {
                turn.common.counters.own().did(Did::WsRefused);
                return self.answer_at_desk(exchange, &[], turn);
            }
            Wish::Granted { reply, account } => {
                if exchange.lie.is_none_or(Lie::delays) {
                    return self.open_socket(exchange, &reply, account, turn);
                }
                (reply, 101)
            }
            Wish::Refused(refusal) => {
                turn.common.counters.own().did(Did::WsRefused);
                self.phase = Phase::Ending;
                let mut reply = Vec::new();
                refusal.encode(&mut reply);
                (reply, refusal.status())
            }
            Wish::Nothing => return,
        };
        let mut counted = status;
        match exchange.lie {
            Some(Lie::Corrupt) => {
                let line = reply.iter().position(|byte| *byte == b'\r').unwrap_or(0);
                reply.splice(..line, GARBAGE.bytes());
                counted = NONE;
            }
            Some(Lie::Truncate) => {
                reply.truncate(reply.len() / 2);
                self.phase = Phase::Ending;
            }
            _ => {}
        }
        let Common { payloads, spare, counters, .. } = &mut *turn.common;
        counters.own().reply(exchange.path, counted);
        self.pending.owned(payloads, spare).extend_from_slice(&reply);
    }

    fn open_socket<S>(
        &mut self,
        exchange: Exchange,
        reply: &[u8],
        account: Option<u32>,
        turn: &mut Turn<'_, S>,
    ) {
        let Common { payloads, spare, counters, .. } = &mut *turn.common;
        counters.own().reply(exchange.path, 101);
        counters.own().did(Did::WsOpened);
        self.pending.owned(payloads, spare).extend_from_slice(reply);
        let bytes_max = if account.is_some() { SAID_MAX } else { ECHO_MAX as u64 };
        self.socket = Some(Box::new(Socket::new(bytes_max, account.map(Gateway::new))));
        // Nothing of HTTP is needed any more: an idle WebSocket shall be cheap.
        self.serving = Serving::default();
        if self.backlog_len() == 0 {
            self.slow = None;
        }
    }
}

/// The `token` of a target's query, percent-decoded; empty if there is none.
fn token(target: &str) -> String {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let found = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    decoded(found.unwrap_or_default())
}

/// Without its percent-encoding (RFC 3986 section 2.1). What is no UTF-8 is no token.
fn decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)));
        if let (b'%', (Some(high), Some(low))) = (byte, pair) {
            out.push(u8::try_from(high << 4 | low).unwrap_or(0));
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn tokens_of_queries() {
        assert_eq!(token("/ws?token=a.b-c_d"), "a.b-c_d");
        assert_eq!(token("/ws?x=1&token=a%2Eb%2d%C3%A9&y=2"), "a.b-é");
        assert_eq!(token("/ws?token=a%2"), "a%2");
        assert_eq!(token("/ws?token=%zz%"), "%zz%");
        for none in ["/ws", "/ws?", "/ws?tokens=a", "/ws?token=", "/ws?token=%ff"] {
            assert_eq!(token(none), "", "{none}");
        }
    }
}
