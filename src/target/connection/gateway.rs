//! The gateway: a WebSocket of one account, that tells how far tasks have come.
//!
//! | the client says                    | and is answered                                    |
//! |------------------------------------|----------------------------------------------------|
//! | `{"type":"subscribe","taskId":ID}` | `{"type":"status","taskId":ID,"status":S,`         |
//! |                                    | `"progress":N}`, now and whenever one of them      |
//! |                                    | changes, until it is completed                     |
//! | the same, where nobody knows ID    | `{"type":"status","taskId":ID,"status":"unknown"}` |
//! | the same, where ID is another's    | the same with `"forbidden"`                        |
//! | `{"type":"ping","id":X}`           | `{"type":"pong","id":X}`; without an id X is null  |
//! | anything else                      | `{"type":"error","error":"…"}`                     |
//!
//! X is any JSON but an array or an object, and given back byte for byte. Who subscribes again to
//! the same task is told once at each change, not twice.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::mem;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::common::{Common, Timer};
use super::super::counters::Did;
use super::super::limits::SUBSCRIPTIONS_MAX;
use super::super::tasks::{Status, Task, TaskId};
use super::super::tokens::quote;
use super::{Connection, Turn};
use crate::net::Submissions;
use crate::protocol::ws::Kind;
use crate::stdx::Nanos;

/// Whose it is, and what is told on it.
#[derive(Debug)]
pub(super) struct Gateway {
    account: u32,
    /// The oldest first. At most [`SUBSCRIPTIONS_MAX`].
    subscriptions: Vec<Subscription>,
    /// When the timer that is out fires; `MAX` when none is.
    timer: Nanos,
}

/// A task that is not completed.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    id: TaskId,
    /// When it changes.
    next: Nanos,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, rename = "taskId")]
    task: Option<Cow<'a, str>>,
    /// Null counts as none.
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

const NOT_UNDERSTOOD: &str = "{\"type\":\"error\",\"error\":\"expected \
    {\\\"type\\\":\\\"subscribe\\\",\\\"taskId\\\":ID} or {\\\"type\\\":\\\"ping\\\",\\\"id\\\":X}\
    \"}";

impl Gateway {
    pub(super) const fn new(account: u32) -> Self {
        Self { account, subscriptions: Vec::new(), timer: Nanos::MAX }
    }

    /// Writes the answer to a message.
    fn answer(&mut self, text: &[u8], common: &Common, now: Nanos, out: &mut String) {
        let Ok(said) = serde_json::from_slice::<Said<'_>>(text) else {
            return out.push_str(NOT_UNDERSTOOD);
        };
        match (&*said.kind, &said.task) {
            ("subscribe", Some(id)) => self.subscribe(id, common, now, out),
            ("ping", _) => {
                let id = said.id.map_or("null", RawValue::get);
                if id.starts_with(['{', '[']) {
                    return out.push_str(NOT_UNDERSTOOD);
                }
                let _ = write!(out, "{{\"type\":\"pong\",\"id\":{id}}}");
            }
            _ => out.push_str(NOT_UNDERSTOOD),
        }
    }

    fn subscribe(&mut self, text: &str, common: &Common, now: Nanos, out: &mut String) {
        common.counters.own().did(Did::Subscriptions);
        let realm = &common.desk.realm;
        let id = TaskId::parse(text);
        let task = id.and_then(|id| Some((id, Task::of(id, realm)?)));
        out.push_str("{\"type\":\"status\",\"taskId\":");
        quote(text, out);
        let Some((id, task)) = task else {
            return out.push_str(",\"status\":\"unknown\"}");
        };
        if task.account != self.account {
            return out.push_str(",\"status\":\"forbidden\"}");
        }
        let (status, next) = task.status(realm.terms.task_time, now);
        write_status(status, out);
        self.subscriptions.retain(|subscription| subscription.id != id);
        let Some(next) = next else { return };
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            self.subscriptions.remove(0);
            common.counters.own().did(Did::SubscriptionsDropped);
        }
        self.subscriptions.push(Subscription { id, next });
    }

    /// The first subscription whose task has changed; it is put off until the next change, or
    /// ends with the task.
    fn changed(&mut self, common: &Common, now: Nanos, out: &mut String) -> bool {
        let mut due = self.subscriptions.iter_mut().enumerate();
        let Some((at, subscription)) = due.find(|(_, one)| one.next <= now) else { return false };
        let realm = &common.desk.realm;
        let id = subscription.id;
        let status = Task::of(id, realm).map(|task| task.status(realm.terms.task_time, now));
        let Some((status, next)) = status else { return false };
        match next {
            Some(next) => subscription.next = next,
            None => drop(self.subscriptions.remove(at)),
        }
        out.push_str("{\"type\":\"status\",\"taskId\":\"");
        id.write(out);
        out.push('"');
        write_status(status, out);
        true
    }
}

fn write_status(Status { name, progress }: Status, out: &mut String) {
    let _ = write!(out, ",\"status\":\"{name}\",\"progress\":{progress}}}");
}

impl Connection {
    /// A message came to the gateway.
    pub(super) fn said<S: Submissions>(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        turn: &mut Turn<'_, S>,
    ) {
        let Some(socket) = self.socket.as_mut() else { return };
        let Some(gateway) = socket.gateway.as_mut() else { return };
        let mut text = mem::take(&mut turn.common.text);
        text.clear();
        match kind {
            Kind::Text => gateway.answer(bytes, turn.common, turn.now, &mut text),
            Kind::Binary => text.push_str(NOT_UNDERSTOOD),
        }
        socket.say(Kind::Text, text.as_bytes(), &mut self.pending, turn.common);
        turn.common.text = text;
        self.wake_for_tasks(turn);
    }

    /// Tells of all tasks that have changed.
    pub(super) fn tell_of_tasks<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        let Some(socket) = self.socket.as_mut() else { return };
        let mut text = mem::take(&mut turn.common.text);
        while let Some(gateway) = socket.gateway.as_mut() {
            if gateway.timer <= turn.now {
                gateway.timer = Nanos::MAX;
            }
            text.clear();
            if !gateway.changed(turn.common, turn.now, &mut text) {
                break;
            }
            socket.say(Kind::Text, text.as_bytes(), &mut self.pending, turn.common);
        }
        turn.common.text = text;
        self.wake_for_tasks(turn);
    }

    /// Sets a timer for the next change, unless one is out that fires before.
    fn wake_for_tasks<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        let gateway = self.socket.as_mut().and_then(|socket| socket.gateway.as_mut());
        let Some(gateway) = gateway else { return };
        let next = gateway.subscriptions.iter().map(|subscription| subscription.next).min();
        let Some(next) = next.filter(|next| *next < gateway.timer) else { return };
        gateway.timer = next;
        if !turn.common.set(next, Timer::Tasks(turn.slot)) {
            turn.common.counters.own().overrun();
            self.close(turn);
        }
    }
}
