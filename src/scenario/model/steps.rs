//! What is done: requests, pauses, choices, loops, WebSocket messages.

use super::json::{Json, JsonPath};
use crate::scenario::expr::{Expr, Template};
use crate::scenario::place::Spanned;
use crate::stdx::Nanos;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What results call it.
    pub name: Option<Spanned<String>>,
    /// How often, beside the others of a mix or a choice.
    pub weight: Spanned<u64>,
    /// How likely it is done at all, from 0 to 1.
    pub chance: Option<f64>,
    /// Done only if this holds.
    pub when: Option<Spanned<Expr>>,
    /// What it is.
    pub action: Spanned<Action>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sends a request.
    Request(Box<Request>),
    /// Waits as a user does.
    Think(Think),
    /// Does one of several, by weight.
    OneOf(Vec<Step>),
    /// Does several under one name.
    Group {
        /// The name.
        name: Spanned<String>,
        /// What is done.
        steps: Vec<Step>,
    },
    /// Does several again and again.
    Repeat {
        /// How many times.
        times: u64,
        /// What is done.
        steps: Vec<Step>,
    },
    /// Does several: one of a choice.
    Block(Vec<Step>),
    /// Opens the session's WebSocket.
    Open(WebSocket),
    /// Sends a message on it.
    Send(Message),
    /// Waits for a message on it.
    Receive {
        /// What it must be.
        expect: Expectation,
        /// What is kept of it.
        save: Vec<Save>,
    },
    /// Closes it with this code.
    Close(u64),
}

/// How long a pause is.
#[derive(Clone, Debug, PartialEq)]
pub struct Think {
    /// How it is drawn.
    pub times: ThinkTimes,
    /// Longer ones are cut to it.
    pub max: Option<Spanned<Nanos>>,
}

/// How pauses are distributed.
#[derive(Clone, Debug, PartialEq)]
pub enum ThinkTimes {
    /// Evenly within a range, which may be one length.
    Even {
        /// At least.
        least: Nanos,
        /// At most.
        most: Nanos,
    },
    /// Exponentially, with this mean.
    Exponential(Spanned<Nanos>),
    /// Log-normally.
    Lognormal {
        /// Half of them are shorter.
        median: Spanned<Nanos>,
        /// The standard deviation of their natural logarithms.
        sigma: f64,
    },
    /// As they were measured: quantiles at even steps, from the shortest to the longest.
    Quantiles(Vec<Spanned<Nanos>>),
}

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// HEAD.
    Head,
    /// OPTIONS.
    Options,
}

impl Method {
    /// Each with its key.
    pub const KEYS: [(&'static str, Self); 7] = [
        ("get", Self::Get),
        ("post", Self::Post),
        ("put", Self::Put),
        ("patch", Self::Patch),
        ("delete", Self::Delete),
        ("head", Self::Head),
        ("options", Self::Options),
    ];
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where.
    pub path: Spanned<Template>,
    /// On which of the targets.
    pub target: Option<Spanned<String>>,
    /// With which headers.
    pub headers: Vec<(Spanned<String>, Template)>,
    /// With which body.
    pub body: Body,
    /// For this request alone.
    pub timeout: Option<Spanned<Nanos>>,
    /// What must be true of the reply.
    pub expect: Option<Expectation>,
    /// What is kept of the reply.
    pub save: Vec<Save>,
    /// Whether it carries no token, although there is one.
    pub anonymous: bool,
}

/// What is sent behind a head.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(Json),
    /// Bytes as they stand.
    Text(Template),
    /// Fields of a form.
    Form(Vec<(Spanned<String>, Template)>),
}

/// What must be true of a reply or of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// One of these statuses; none means that nothing is asked of it.
    pub status: Vec<Statuses>,
    /// Where in its JSON must be what.
    pub json: Vec<(JsonPath, Json)>,
    /// The longest that it may take.
    pub time: Option<Spanned<Nanos>>,
}

/// Statuses from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// The first.
    pub from: u16,
    /// The last.
    pub to: u16,
}

/// A value to keep, and where it stands: the first path that leads somewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Save {
    /// A pool, or a name of the session's own.
    pub name: Spanned<String>,
    /// Where to look.
    pub paths: Vec<JsonPath>,
}

/// A WebSocket to open.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSocket {
    /// A path of the target, or a whole address.
    pub url: Spanned<Template>,
    /// On which of the targets.
    pub target: Option<Spanned<String>>,
    /// Until it is open.
    pub connect_timeout: Option<Spanned<Nanos>>,
    /// With which headers.
    pub headers: Vec<(Spanned<String>, Template)>,
}

/// A message to send.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// As JSON.
    Json(Json),
    /// As a text.
    Text(Template),
}

/// What answers a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The next message.
    Next,
    /// The next message that has the same value there.
    Same(JsonPath),
}

/// The time from the end of a step to a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// The metric's name.
    pub name: Spanned<String>,
    /// The steps: the end of any of them starts a clock.
    pub from: Vec<Spanned<String>>,
    /// Where the id that a step saved stands in the message; none: where the steps found it.
    pub by: Vec<JsonPath>,
    /// What the message must be.
    pub until: Vec<(JsonPath, Json)>,
}
