//! The target's half of a connection: what it does with requests, good or bad.

use std::collections::VecDeque;

use onslaught::stdx::Nanos;

use super::agenda::{Arrived, Due, Id, Scene};
use super::reply::{Asked, Mark, Script, cut};

/// What a connection's server does when it does not serve well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Well-formed replies.
    Honest,
    /// Well-formed replies that say failure.
    Fails,
    /// Never an answer.
    Silent,
    /// Never reads.
    Deaf,
    /// The answer comes behind the timeout.
    Slow,
    /// A part of the answer, then nothing.
    Stalls,
    /// A part of the answer, then the end.
    Truncates,
    /// A reset instead of an answer.
    ResetsFirst,
    /// A part of the answer, then a reset.
    ResetsMidway,
    /// The answer, then a reset.
    ResetsAfter,
    /// The answer, then the end, soon or late.
    Leaves,
    /// No HTTP, or bad one.
    Garbage,
    /// More than the answer.
    Surplus,
    /// The answer before the request is wholly there; the rest is read all the same.
    Early,
    /// The answer before the request is wholly there; the rest is never read.
    EarlyDeaf,
}

/// The server of one connection.
pub(crate) struct Server {
    id: Id,
    habit: Habit,
    /// Requests on their way, the oldest first.
    expected: VecDeque<Expected>,
    /// Bytes written to the connection so far.
    written: u64,
    /// When the last of them reaches the client.
    busy_until: Nanos,
    /// It writes no more: it has ended its side, or is no more.
    pub(crate) ended: bool,
    /// What it wrote does not arrive any more.
    pub(crate) killed: bool,
}

struct Expected {
    asked: Asked,
    missing: usize,
    /// Answers when so few bytes are missing.
    answer_at: usize,
    habit: Habit,
    answered: bool,
}

impl Server {
    pub(crate) const fn new(id: Id, habit: Habit) -> Self {
        Self {
            id,
            habit,
            expected: VecDeque::new(),
            written: 0,
            busy_until: Nanos::ZERO,
            ended: false,
            killed: false,
        }
    }

    /// Whether it reads nothing at all.
    pub(crate) fn is_deaf(&self) -> bool {
        self.habit == Habit::Deaf
    }

    /// A request of so many bytes has begun to be sent.
    pub(crate) fn expect(&mut self, asked: Asked, len: usize, scene: &mut Scene<'_>) {
        let follows = scene.dice.chance(scene.scenario.target.faithful);
        let habit = if follows { self.habit } else { Habit::Honest };
        let early = matches!(habit, Habit::Early | Habit::EarlyDeaf);
        let answer_at = if early { scene.dice.size(0, len - 1) } else { 0 };
        self.expected.push_back(Expected {
            asked,
            missing: len,
            answer_at,
            habit,
            answered: false,
        });
    }

    /// Bytes of requests have come. The marks are those of the reply that they led to; true if
    /// the server reads no more from now on.
    pub(crate) fn reaches(&mut self, count: usize, scene: &mut Scene<'_>) -> (Vec<Mark>, bool) {
        let Some(request) = self.expected.front_mut() else {
            panic!("{:?}: {count} bytes of no request", self.id);
        };
        assert!(count <= request.missing, "{:?}: bytes behind a request", self.id);
        request.missing -= count;
        let (asked, habit, whole) = (request.asked, request.habit, request.missing == 0);
        let answers = !request.answered && request.missing <= request.answer_at && !self.ended;
        request.answered |= answers;
        if whole {
            self.expected.pop_front();
        }
        let marks = if answers { self.answer(asked, habit, scene) } else { Vec::new() };
        (marks, answers && habit == Habit::EarlyDeaf)
    }

    fn answer(&mut self, asked: Asked, habit: Habit, scene: &mut Scene<'_>) -> Vec<Mark> {
        let target = &scene.scenario.target;
        let work = match habit {
            Habit::Slow => scene.scenario.plan.timeout + scene.dice.up_to(Nanos::from_millis(300)),
            _ => scene.dice.span(target.work.0, target.work.1),
        };
        let done = target.not_frozen(scene.now() + work);
        self.busy_until = self.busy_until.max(done + scene.way());
        let body = target.body;
        let mut script = match habit {
            Habit::Silent | Habit::Deaf => return Vec::new(),
            Habit::ResetsFirst => {
                self.reaches_client(Arrived::Reset, scene);
                return Vec::new();
            }
            Habit::Garbage => Script::garbage(asked, scene.dice),
            Habit::Surplus => Script::surplus(asked, body, scene.dice),
            Habit::Fails => Script::failing(asked, body, scene.dice),
            _ if target.plain => Script::plain(asked, body),
            _ => Script::honest(asked, body, scene.dice),
        };
        self.deliver(&script, habit, scene);
        for mark in &mut script.marks {
            mark.at += self.written;
        }
        self.written += script.bytes.len() as u64;
        script.marks
    }

    /// Sends as much of the reply as the habit lets through, and what comes behind it.
    fn deliver(&mut self, script: &Script, habit: Habit, scene: &mut Scene<'_>) {
        let all = script.bytes.len();
        let sent = match habit {
            Habit::Stalls | Habit::Truncates | Habit::ResetsMidway => scene.dice.size(0, all - 1),
            _ => all,
        };
        // What is too much comes with the reply's last bytes, or later.
        let apart = habit == Habit::Surplus && scene.dice.chance(500);
        let first = if apart { script.reply_end() } else { sent };
        self.pieces(&script.bytes[..first], scene);
        if first < sent {
            self.busy_until += scene.dice.up_to(Nanos::from_millis(5));
            self.pieces(&script.bytes[first..sent], scene);
        }
        let then = match habit {
            Habit::Truncates | Habit::Leaves => Some(Arrived::End),
            Habit::ResetsMidway | Habit::ResetsAfter => Some(Arrived::Reset),
            Habit::Stalls => None,
            _ if script.ends => Some(Arrived::End),
            _ => None,
        };
        if let Some(then) = then {
            if matches!(habit, Habit::Leaves | Habit::ResetsAfter) {
                self.busy_until += scene.dice.up_to(Nanos::from_millis(50));
            }
            self.reaches_client(then, scene);
        }
    }

    /// Sends bytes in pieces, at once or with pauses between them.
    fn pieces(&mut self, bytes: &[u8], scene: &mut Scene<'_>) {
        if bytes.is_empty() {
            return;
        }
        let pieces =
            if scene.scenario.target.plain { vec![bytes.to_vec()] } else { cut(bytes, scene.dice) };
        let pause = match scene.dice.between(0, 3) {
            0 | 1 => Nanos::ZERO,
            2 => Nanos::from_micros(50),
            _ => Nanos::from_millis(2),
        };
        let pause = Nanos(pause.0 / pieces.len().max(1) as u64);
        for (index, piece) in pieces.into_iter().enumerate() {
            if index > 0 {
                self.busy_until += scene.dice.up_to(pause);
            }
            self.reaches_client(Arrived::Bytes(piece), scene);
        }
    }

    fn reaches_client(&mut self, what: Arrived, scene: &mut Scene<'_>) {
        self.ended |= !matches!(what, Arrived::Bytes(_));
        scene.agenda.at(self.busy_until, Due::Arrives(self.id, what));
    }
}
