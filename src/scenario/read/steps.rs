//! Steps of mixes and journeys, and the requests in them.

use super::names::Kind;
use super::{Fields, Reader};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expr::Template;
use crate::scenario::keys::{
    AUTH_CALL, EXPECT_MESSAGE, EXPECT_REPLY, MEASURE, MESSAGE, STEPS, Shape, UNTIL, WEBSOCKET,
};
use crate::scenario::limits::LOOPS_MAX;
use crate::scenario::model::{
    Action, AuthCall, Body, Expectation, Measure, Message, Method, Request, Save, Step, WebSocket,
};
use crate::scenario::place::Spanned;
use crate::scenario::tree::Node;

type Pairs = Vec<(Spanned<String>, Template)>;

impl Reader<'_> {
    /// The steps at a key.
    pub(super) fn steps(&mut self, fields: &Fields<'_>, name: &str) -> Option<Vec<Step>> {
        let node = fields.get(name)?;
        self.items(node, fields.shape(name), Self::step)
    }

    /// Steps of which one is chosen: not all of weight nothing.
    pub(super) fn weighted(&mut self, fields: &Fields<'_>, name: &str) -> Option<Vec<Step>> {
        let steps = self.steps(fields, name)?;
        if steps.iter().all(|step| step.weight.value == 0) {
            let what = format!("all weights of '{name}' are 0");
            let help = "weights are shares of their sum: one of them must be more than 0";
            let place = steps.first().map_or(fields.span, |step| step.weight.span);
            self.add(Diagnostic::new(place, what, "more than 0, somewhere").help(help));
            return None;
        }
        Some(steps)
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        let (kind, fields) = self.variant(node, &STEPS)?;
        let name = self.text(&fields, "name");
        name.iter().for_each(|name| self.names.declare(Kind::Step, &name.value));
        let weight = fields.get("weight").map(|_| self.count(&fields, "weight"));
        let chance = self.share(&fields, "chance");
        let when = self.condition(&fields, "when");
        let action = self.action(kind, &fields);
        let weight = weight.unwrap_or_else(|| Some(Spanned::new(1, fields.place_of(kind))))?;
        let action = Spanned::new(action?, fields.span);
        Some(Step { name, weight, chance, when, action })
    }

    fn action(&mut self, kind: &str, fields: &Fields<'_>) -> Option<Action> {
        Some(match kind {
            "think" => Action::Think(self.think(fields, kind)?.value),
            "one_of" => Action::OneOf(self.weighted(fields, kind)?),
            "group" => {
                let (name, steps) = (self.text(fields, kind), self.steps(fields, "steps"));
                Action::Group { name: name?, steps: steps? }
            }
            "repeat" => {
                let (times, steps) = (self.count(fields, kind), self.looped(fields));
                Action::Repeat { times: times?.value, steps: steps? }
            }
            "steps" => Action::Block(self.steps(fields, kind)?),
            "websocket" => Action::Open(self.websocket(fields.get(kind)?)?),
            "send" => Action::Send(self.message(fields.get(kind)?)?),
            "close" => Action::Close(self.count(fields, kind)?.value),
            "expect" => {
                let expect = fields.get(kind).and_then(|node| self.expect_message(node));
                let save = self.save(fields);
                Action::Receive { expect: expect?, save: save? }
            }
            _ => Action::Request(Box::new(self.request_step(fields)?)),
        })
    }

    /// The steps of a loop; a session counts the rounds of a few loops at once.
    fn looped(&mut self, fields: &Fields<'_>) -> Option<Vec<Step>> {
        self.loops += 1;
        if self.loops > LOOPS_MAX {
            let what = format!("{} loops in each other", self.loops);
            let expected = format!("at most {LOOPS_MAX}");
            let help = "let a loop inside be one with a greater 'repeat'";
            let place = fields.place_of("repeat");
            self.add(Diagnostic::new(place, what, expected).help(help));
        }
        let steps = self.steps(fields, "steps");
        self.loops -= 1;
        steps
    }

    /// Messages need a WebSocket that some step opens.
    pub(super) fn sockets(&mut self, steps: &[Step]) {
        if any(steps, &|action| matches!(action, Action::Open(_))).is_some() {
            return;
        }
        let message = |action: &Action| {
            matches!(action, Action::Send(_) | Action::Receive { .. } | Action::Close(_))
        };
        if let Some(step) = any(steps, &message) {
            let what = "no WebSocket is open here";
            let help = "open one before: websocket: {url: /ws}";
            let expected = "behind a 'websocket' step";
            self.add(Diagnostic::new(step.action.span, what, expected).help(help));
        }
    }

    fn request_step(&mut self, fields: &Fields<'_>) -> Option<Request> {
        let request = self.request(fields);
        let target = self.text(fields, "target");
        self.names.note(Kind::Target, target.as_ref());
        let timeout = self.lasting(fields, "timeout");
        let expect = fields.get("expect").map(|node| self.expect_reply(node));
        let save = self.save(fields);
        let anonymous = self.truth(fields, "anonymous").unwrap_or(false);
        let expect = expect.map_or(Some(None), |expect| expect.map(Some))?;
        Some(Request { target, timeout, expect, save: save?, anonymous, ..request? })
    }

    /// Method, path, headers and body.
    fn request(&mut self, fields: &Fields<'_>) -> Option<Request> {
        let found = |(key, _): &(&str, Method)| fields.get(key).is_some();
        let method = Method::KEYS.into_iter().find(found);
        let path = method.and_then(|(key, _)| self.request_path(fields, key));
        let headers = self.headers(fields);
        let body = self.body(fields);
        Some(Request {
            method: method?.1,
            path: path?,
            target: None,
            headers: headers?,
            body: body?,
            timeout: None,
            expect: None,
            save: Vec::new(),
            anonymous: false,
        })
    }

    /// A path begins with a slash; so does what an expression gives, or the target has the rest.
    fn request_path(&mut self, fields: &Fields<'_>, key: &str) -> Option<Spanned<Template>> {
        let node = fields.get(key)?;
        let template = self.template(node)?;
        let first = template.parts.first();
        let text = match first {
            Some(crate::scenario::expr::Part::Text(text)) => text.as_str(),
            Some(_) => "/",
            None => "",
        };
        if !text.starts_with('/') || text.contains(char::is_whitespace) {
            let what = format!("{} is no path", node.described());
            let help = if text.starts_with('/') {
                "a blank is written as %20"
            } else {
                "the host is the target's; several hosts are 'targets', which steps name"
            };
            let expected = "a path such as /tasks/${tasks.any}";
            self.add(Diagnostic::new(node.span, what, expected).help(help));
            return None;
        }
        Some(Spanned::new(template, node.span))
    }

    /// Headers must be such that no request is split by them.
    fn headers(&mut self, fields: &Fields<'_>) -> Option<Pairs> {
        let Some(node) = fields.get("headers") else { return Some(Vec::new()) };
        let headers = self.map(node, fields.shape("headers"), Self::template)?;
        let mut well = true;
        for (name, value) in &headers {
            let token =
                |each: char| each.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(each);
            let breaks = value.parts.iter().any(|part| match part {
                crate::scenario::expr::Part::Text(text) => text.contains(['\r', '\n', '\0']),
                crate::scenario::expr::Part::Secret(text) => {
                    text.expose().contains(['\r', '\n', '\0'])
                }
                crate::scenario::expr::Part::Expr(_) => false,
            });
            if name.value.is_empty() || !name.value.chars().all(token) {
                let what = format!("'{}' is no name of a header", name.value);
                let expected = "letters, digits and '-'";
                self.add(Diagnostic::new(name.span, what, expected));
                well = false;
            } else if breaks {
                let what = format!("the header '{}' has a line break in it", name.value);
                self.add(Diagnostic::new(name.span, what, "a value of one line"));
                well = false;
            }
        }
        well.then_some(headers)
    }

    fn body(&mut self, fields: &Fields<'_>) -> Option<Body> {
        if let Some(node) = fields.get("json") {
            return self.json(node).map(Body::Json);
        }
        if let Some(node) = fields.get("body") {
            return self.template(node).map(Body::Text);
        }
        let Some(node) = fields.get("form") else { return Some(Body::None) };
        self.map(node, fields.shape("form"), Self::template).map(Body::Form)
    }

    fn save(&mut self, fields: &Fields<'_>) -> Option<Vec<Save>> {
        let Some(node) = fields.get("save") else { return Some(Vec::new()) };
        for entry in self.entries(node, fields.shape("save"))? {
            self.names.declare(Kind::Saved, &entry.key.value);
        }
        let saves = self.map(node, fields.shape("save"), |reader, node| {
            reader.one_or_many(node, &Shape::OneOrMany(&Shape::Path), Self::path_of)
        })?;
        Some(saves.into_iter().map(|(name, paths)| Save { name, paths }).collect())
    }

    fn expect_reply(&mut self, node: &Node) -> Option<Expectation> {
        let fields = self.fields(node, &EXPECT_REPLY)?;
        let status = fields
            .get("status")
            .map(|node| self.one_or_many(node, fields.shape("status"), Self::status));
        let rest = self.expectation(&fields);
        Some(Expectation { status: status.unwrap_or_else(|| Some(Vec::new()))?, ..rest? })
    }

    pub(super) fn expect_message(&mut self, node: &Node) -> Option<Expectation> {
        let fields = self.fields(node, &EXPECT_MESSAGE)?;
        self.expectation(&fields)
    }

    fn expectation(&mut self, fields: &Fields<'_>) -> Option<Expectation> {
        let time = self.lasting(fields, "time");
        let json = fields.get("json").map(|node| self.matches(node));
        let json = json.unwrap_or_else(|| Some(Vec::new()))?;
        Some(Expectation { status: Vec::new(), json, time })
    }

    pub(super) fn websocket(&mut self, node: &Node) -> Option<WebSocket> {
        let fields = self.fields(node, &WEBSOCKET)?;
        let url = fields.get("url").and_then(|node| {
            let template = self.template(node)?;
            Some(Spanned::new(template, node.span))
        });
        let target = self.text(&fields, "target");
        self.names.note(Kind::Target, target.as_ref());
        let connect_timeout = self.lasting(&fields, "connect_timeout");
        let headers = self.headers(&fields);
        Some(WebSocket { url: url?, target, connect_timeout, headers: headers? })
    }

    pub(super) fn message(&mut self, node: &Node) -> Option<Message> {
        let fields = self.fields(node, &MESSAGE)?;
        let json = fields.get("json").map(|node| self.json(node).map(Message::Json));
        let text = fields.get("text").map(|node| self.template(node).map(Message::Text));
        json.or(text)?
    }

    pub(super) fn measure(&mut self, node: &Node) -> Option<Measure> {
        let fields = self.fields(node, &MEASURE)?;
        let name = self.text(&fields, "name");
        let from = fields.get("from").and_then(|node| {
            self.one_or_many(node, fields.shape("from"), |reader, node| {
                reader.text_of(node, &Shape::Text)
            })
        });
        from.iter().flatten().for_each(|from| self.names.note(Kind::Step, Some(from)));
        let by =
            fields.get("by").map(|node| self.one_or_many(node, fields.shape("by"), Self::path_of));
        let until = fields.get("until").and_then(|node| {
            let fields = self.fields(node, &UNTIL)?;
            self.matches(fields.get("json")?)
        });
        let by = by.unwrap_or_else(|| Some(Vec::new()))?;
        Some(Measure { name: name?, from: from?, by, until: until? })
    }

    pub(super) fn auth_call(&mut self, node: &Node) -> Option<AuthCall> {
        let fields = self.fields(node, &AUTH_CALL)?;
        let request = self.request(&fields);
        let accept = fields
            .get("accept")
            .map(|node| self.one_or_many(node, fields.shape("accept"), Self::status));
        let token = self.path(&fields, "token");
        let refresh_token = self.path(&fields, "refresh_token");
        let expires = self.path(&fields, "expires");
        let accept = accept.unwrap_or_else(|| Some(Vec::new()))?;
        Some(AuthCall { request: request?, accept, token, refresh_token, expires })
    }
}

/// The first step, inside of others too, that does such a thing.
fn any<'s>(steps: &'s [Step], wanted: &dyn Fn(&Action) -> bool) -> Option<&'s Step> {
    steps.iter().find_map(|step| match &step.action.value {
        action if wanted(action) => Some(step),
        Action::OneOf(steps)
        | Action::Block(steps)
        | Action::Group { steps, .. }
        | Action::Repeat { steps, .. } => any(steps, wanted),
        Action::Request(_)
        | Action::Think(_)
        | Action::Open(_)
        | Action::Send(_)
        | Action::Receive { .. }
        | Action::Close(_) => None,
    })
}
