//! WebSockets: opening them, what is said on them, fleets of them.

use super::expect::place;
use super::names::{leaf, shown};
use super::request::{has_values, holes, illegal};
use super::workload::{Scope, Wire};
use super::{Compiler, Site, next};
use crate::plan::{Answer, Encoding, Expect, Fleet, Kind, Message, Sent, Socket, Text};
use crate::protocol::http::RequestError;
use crate::protocol::ws::{Upgrade, UpgradeError};
use crate::scenario::{
    self, Diagnostic, Expectation, Json, Part, Save, Sessions, Span, Spanned, Step, Template,
    WebSocket,
};
use crate::stdx::Nanos;

/// Until a socket is open, unless the file says otherwise.
const CONNECT_TIMEOUT: Nanos = Nanos::from_secs(10);

/// A step that awaits an answer: itself, what the answer must be, what is kept of it.
type Awaiting<'s> = (&'s Step, &'s Expectation, &'s [Save]);

impl Compiler<'_> {
    /// A socket of the plan, by its index.
    pub(super) fn socket(
        &mut self,
        websocket: &WebSocket,
        name: Option<&str>,
        group: Option<u16>,
        scope: &mut Scope,
    ) -> Option<u16> {
        let (target, path) = self.route(websocket)?;
        let full = shown(&websocket.url.value);
        let short = full.split('?').next().unwrap_or_default();
        let name = name.map_or_else(|| format!("WS {short}"), str::to_owned);
        let leaf = leaf(name.clone(), Kind::WsOpen, scope.workload, group);
        let leaf = self.leaf(leaf, websocket.url.span);
        let channel = scope.channel(target, Wire::WebSocket);
        let head = self.upgrade(websocket, &path, target);
        let timeout = websocket.connect_timeout.as_ref();
        let timeout = timeout.map_or(CONNECT_TIMEOUT, |own| self.within_timeouts(own));
        self.plan.sockets.push(Socket { name, leaf, target, channel, head: head?, timeout });
        Some(next(&self.plan.sockets).saturating_sub(1))
    }

    /// The target of a socket, and the path on it: what begins with `ws://` names its own.
    fn route(&mut self, websocket: &WebSocket) -> Option<(u16, Template)> {
        let Spanned { value: template, span } = &websocket.url;
        let first = match template.parts.first() {
            Some(Part::Text(text)) => text.as_str(),
            Some(Part::Secret(_) | Part::Expr(_)) | None => "",
        };
        if first.starts_with('/') {
            return Some((self.target_named(websocket.target.as_ref()), template.clone()));
        }
        let Some((scheme, rest)) = first.split_once("://") else {
            let what = "an address that begins neither with '/' nor with 'ws://'";
            let expected = "a path of the target such as /ws, or a whole ws:// address";
            self.add(Diagnostic::new(*span, what, expected));
            return None;
        };
        if let Some(target) = &websocket.target {
            let what = "a whole address and a target";
            let help = "leave 'target' out, or give the path alone";
            self.add(Diagnostic::new(target.span, what, "one of them").help(help));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        if end == rest.len() && has_values(template) {
            let what = "an expression in the host of an address";
            let help = "the host must be known before the run; expressions belong to the path";
            self.add(Diagnostic::new(*span, what, "a fixed host").help(help));
            return None;
        }
        let (host, path) = rest.split_at(end);
        let url = format!("{scheme}://{host}");
        let known = self.plan.targets.iter().position(|target| target.url == url);
        let target = match known.and_then(|at| u16::try_from(at).ok()) {
            Some(target) => target,
            None => self.target(host, &Spanned::new(url, *span)),
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut parts = template.parts.clone();
        if let Some(first) = parts.first_mut() {
            *first = Part::Text(format!("{slash}{path}"));
        }
        Some((target, Template { parts, text: template.text }))
    }

    /// Request line and headers, without those of the handshake.
    fn upgrade(&mut self, websocket: &WebSocket, path: &Template, target: u16) -> Option<Text> {
        let path = self.text(path, Encoding::Percent);
        let headers = self.headers(&websocket.headers);
        let (path, headers) = (path?, headers?);
        let Site { authority, base } = self.site(target);
        let mut holes = holes(&base, &path, &headers);
        let path = [base.into_bytes(), holes.marked(path)].concat();
        let mut builder = Upgrade::builder(&String::from_utf8_lossy(&path), &authority);
        for (name, value) in headers {
            builder = builder.header(name, holes.marked(value));
        }
        let upgrade = builder.build().map_err(|error| self.unopenable(&error, websocket)).ok()?;
        Some(holes.cut(&Socket::head_of(&upgrade)))
    }

    fn unopenable(&mut self, error: &UpgradeError, websocket: &WebSocket) {
        let place = match error {
            UpgradeError::Request(RequestError::Target { found, .. }) => {
                self.add(illegal(*found, websocket.url.span));
                return;
            }
            UpgradeError::Reserved { name } => {
                let header = websocket.headers.iter().find(|(each, _)| each.value == *name);
                header.map(|(name, _)| name.span)
            }
            UpgradeError::Request(_)
            | UpgradeError::Subprotocols { .. }
            | UpgradeError::Subprotocol { .. } => websocket.headers.first().map(|it| it.0.span),
        };
        let place = place.unwrap_or(websocket.url.span);
        self.add(Diagnostic::new(place, error.to_string(), "a handshake that can be sent"));
    }

    /// A message that is sent, by its index.
    pub(super) fn sent(
        &mut self,
        step: &Step,
        message: &scenario::Message,
        answer: Option<Awaiting<'_>>,
        workload: u16,
        group: Option<u16>,
    ) -> Option<u16> {
        let named = step.name.as_ref().or_else(|| answer.and_then(|(step, ..)| step.name.as_ref()));
        let name = named.map_or_else(|| said(message), |name| name.value.clone());
        let content = self.content(message);
        let (expect, saves, timeout) = match answer {
            Some((step, expect, saves)) => self.answer(step, expect, saves),
            None => (Some(Expect::default()), Vec::new(), self.plan.timeout),
        };
        let leaf =
            self.leaf(leaf(name.clone(), Kind::WsMessage, workload, group), step.action.span);
        let message = Message {
            name,
            leaf,
            content: Some(Sent::Text(content?)),
            answer: if answer.is_some() { Answer::Matching } else { Answer::None },
            expect: expect?,
            saves,
            timeout,
            subscribes: subscribes(message),
        };
        Some(self.message(message))
    }

    /// A message that is only awaited, by its index.
    pub(super) fn awaited(
        &mut self,
        step: &Step,
        expect: &Expectation,
        saves: &[Save],
        workload: u16,
        group: Option<u16>,
    ) -> Option<u16> {
        let name = step.name.as_ref().map_or_else(|| "expect".to_owned(), |it| it.value.clone());
        let (expect, saves, timeout) = self.answer(step, expect, saves);
        let leaf =
            self.leaf(leaf(name.clone(), Kind::WsMessage, workload, group), step.action.span);
        let message = Message {
            name,
            leaf,
            content: None,
            answer: Answer::Matching,
            expect: expect?,
            saves,
            timeout,
            subscribes: false,
        };
        Some(self.message(message))
    }

    fn message(&mut self, message: Message) -> u16 {
        self.plan.messages.push(message);
        next(&self.plan.messages).saturating_sub(1)
    }

    /// What tells the answer from other messages, what is kept of it, how long it is awaited.
    fn answer(
        &mut self,
        step: &Step,
        expect: &Expectation,
        saves: &[Save],
    ) -> (Option<Expect>, Vec<crate::plan::Save>, Nanos) {
        let json = self.matches(&expect.json, None, step.action.span);
        let timeout = self.timeout(expect.time.as_ref());
        (json.map(|json| Expect { json, ..Expect::default() }), self.saves(saves), timeout)
    }

    /// The bytes of a message.
    fn content(&mut self, message: &scenario::Message) -> Option<Text> {
        match message {
            scenario::Message::Json(json) => self.json(json),
            scenario::Message::Text(template) => self.text(template, Encoding::Raw),
        }
    }

    /// Sessions that stay open, and speak now and then.
    pub(super) fn fleet(
        &mut self,
        sessions: &Sessions,
        workload: &str,
        scope: &mut Scope,
    ) -> Option<Fleet> {
        let socket = self.socket(&sessions.websocket, None, None, scope);
        let place = sessions.websocket.url.span;
        let message =
            sessions.send.as_ref().map(|send| self.spoken(send, sessions, place, scope.workload));
        if let (Some(_), None) = (&sessions.send, &sessions.every) {
            let what = format!("the sessions of '{workload}' have a message and no time for it");
            let help = "say how often it is sent: every: 2s";
            self.add(Diagnostic::new(place, what, "'every' beside 'send'").help(help));
        }
        if sessions.expect.is_some() && sessions.send.is_none() {
            let what = "'expect' without a message that it could be the answer to";
            let help = "say what is sent: send: {json: {type: ping}}, and every: 2s";
            self.add(Diagnostic::new(place, what, "only beside 'send'").help(help));
        }
        let every = sessions.every.as_ref();
        let every = every.map_or(Nanos::ZERO, |every| self.interval(every.value, every.span));
        let message = message.map_or(Some(None), |message| message.map(Some));
        let sample = sessions.sample.as_ref().map(|sample| self.count(sample.value));
        Some(Fleet { socket: socket?, message: message?, every, sample })
    }

    /// The message of a fleet, by its index.
    fn spoken(
        &mut self,
        send: &scenario::Message,
        sessions: &Sessions,
        at: Span,
        workload: u16,
    ) -> Option<u16> {
        let name = said(send);
        let content = self.content(send);
        let answer = match sessions.answer.as_ref().map(|answer| &answer.value) {
            // An expectation alone tells the answer from other messages.
            None if sessions.expect.as_ref().is_some_and(|it| !it.json.is_empty()) => {
                Answer::Matching
            }
            None if sessions.expect.is_some() => Answer::Next,
            None => Answer::None,
            Some(scenario::Answer::Next) => Answer::Next,
            Some(scenario::Answer::Same(path)) => Answer::Same(place(path)),
        };
        let empty = Expectation::default();
        let wanted = sessions.expect.as_ref().unwrap_or(&empty);
        let checks = !matches!(answer, Answer::Matching);
        let json = self.matches(&wanted.json, checks.then_some(name.as_str()), at);
        let timeout = self.timeout(wanted.time.as_ref());
        let leaf = self.leaf(leaf(name.clone(), Kind::WsMessage, workload, None), at);
        let message = Message {
            name,
            leaf,
            content: Some(Sent::Text(content?)),
            answer,
            expect: Expect { json: json?, ..Expect::default() },
            saves: Vec::new(),
            timeout,
            subscribes: subscribes(send),
        };
        Some(self.message(message))
    }
}

/// What a message without a name is called: by its `type`, if it has one.
fn said(message: &scenario::Message) -> String {
    kind_of(message).map_or_else(|| "send".to_owned(), |kind| format!("send {kind}"))
}

fn subscribes(message: &scenario::Message) -> bool {
    kind_of(message) == Some("subscribe")
}

/// The fixed text at `$.type`.
fn kind_of(message: &scenario::Message) -> Option<&str> {
    let scenario::Message::Json(Json::Object(entries)) = message else { return None };
    let (_, value) = entries.iter().find(|(key, _)| key.value == "type")?;
    let Json::Text(template) = value else { return None };
    template.fixed().filter(|text| !text.is_empty())
}
