//! The transition table of the exchange, cell by cell.

use onslaught::protocol::Failure;
use onslaught::protocol::http::{
    AwaitingPhase, Exchange, ExchangeError, Progress, Reply, ReplyTo, Reuse,
};

/// A state, as it can be told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    FirstByte,
    Head,
    Body,
    Failed,
}

const HALF_A_HEAD: &str = "HTTP/1.1 2";
const INTERIM: &str = "HTTP/1.1 103 Early Hints\r\n\r\n";
const HEAD_ALONE: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const HEAD_OF_A_BODY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
const END: &str = "(end of stream)";

/// An exchange in the state.
fn exchange_in(state: State) -> Exchange {
    let mut exchange = Exchange::default();
    let bytes = match state {
        State::Idle => return exchange,
        State::FirstByte => "",
        State::Head => INTERIM,
        State::Body => HEAD_OF_A_BODY,
        State::Failed => "<",
    };
    exchange.start(ReplyTo::Other);
    let _outcome = exchange.receive(bytes.as_bytes());
    assert_eq!(state_of(&mut exchange), state);
    exchange
}

fn state_of(exchange: &mut Exchange) -> State {
    match exchange.phase() {
        Some(AwaitingPhase::FirstByte) => State::FirstByte,
        Some(AwaitingPhase::Head) => State::Head,
        Some(AwaitingPhase::Body) => State::Body,
        None if exchange.discarded(0).is_ok() => State::Idle,
        None => State::Failed,
    }
}

/// What an input came to: more, a reply of this status, or an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    More,
    Reply(u16),
    Error(ExchangeError),
}

fn put(exchange: &mut Exchange, input: &str) -> Came {
    if input == END {
        return exchange
            .end_of_stream()
            .map_or_else(Came::Error, |Reply { status, .. }| Came::Reply(status));
    }
    match exchange.receive(input.as_bytes()) {
        Ok(Progress::More) => Came::More,
        Ok(Progress::Done(reply)) => Came::Reply(reply.status),
        Err(error) => Came::Error(error),
    }
}

#[test]
fn every_cell() {
    use Came::{Error, More, Reply};
    let surplus = Error(ExchangeError::Surplus);
    let failed = Error(ExchangeError::NotHttp { found: b'<' });
    let cells = [
        (State::Idle, "", More, State::Idle),
        (State::Idle, HALF_A_HEAD, surplus, State::Failed),
        (State::Idle, END, Error(ExchangeError::NoReply), State::Failed),
        (State::FirstByte, "", More, State::FirstByte),
        (State::FirstByte, HALF_A_HEAD, More, State::Head),
        (State::FirstByte, INTERIM, More, State::Head),
        (State::FirstByte, HEAD_ALONE, Reply(204), State::Idle),
        (State::FirstByte, HEAD_OF_A_BODY, More, State::Body),
        (State::FirstByte, END, Error(ExchangeError::NoReply), State::Failed),
        (State::Head, "", More, State::Head),
        (State::Head, HALF_A_HEAD, More, State::Head),
        (State::Head, INTERIM, More, State::Head),
        (State::Head, HEAD_ALONE, Reply(204), State::Idle),
        (State::Head, HEAD_OF_A_BODY, More, State::Body),
        (State::Head, END, Error(ExchangeError::HeadCut { received: 0 }), State::Failed),
        (State::Body, "", More, State::Body),
        (State::Body, "x", More, State::Body),
        (State::Body, "xx", Reply(200), State::Idle),
        (State::Body, "xxx", surplus, State::Failed),
        (State::Body, END, Error(ExchangeError::BodyCut { missing: 2 }), State::Failed),
        (State::Failed, HALF_A_HEAD, failed, State::Failed),
        (State::Failed, END, failed, State::Failed),
    ];
    for (from, input, came, to) in cells {
        let mut exchange = exchange_in(from);
        assert_eq!(put(&mut exchange, input), came, "{from:?} and {input:?}");
        assert_eq!(state_of(&mut exchange), to, "{from:?} and {input:?}");
    }
}

#[test]
fn one_connection_serves_request_after_request() {
    let mut exchange = Exchange::default();
    for round in 0..3 {
        for (reply_to, bytes, body_bytes) in [
            (ReplyTo::Other, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 2),
            (ReplyTo::Head, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 0),
            (ReplyTo::Other, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0),
        ] {
            exchange.start(reply_to);
            assert_eq!(exchange.phase(), Some(AwaitingPhase::FirstByte));
            let done = Reply { status: 200, body_bytes, reuse: Reuse::Keep };
            assert_eq!(exchange.receive(bytes.as_bytes()), Ok(Progress::Done(done)), "{round}");
            assert_eq!(exchange.phase(), None);
        }
    }
}

#[test]
fn timeouts_are_charged_by_phase() {
    assert_eq!(AwaitingPhase::FirstByte.timeout(), Failure::TimeoutFirstByte);
    assert_eq!(AwaitingPhase::Head.timeout(), Failure::TimeoutBody);
    assert_eq!(AwaitingPhase::Body.timeout(), Failure::TimeoutBody);
}
