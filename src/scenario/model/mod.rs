//! The scenario as types: a mirror of the file, nothing derived.

mod json;
mod load;
mod steps;
mod threshold;

use std::net::IpAddr;

use super::expr::Template;
use super::place::Spanned;
use crate::stdx::{Cidr, Nanos};

pub use json::{Json, JsonPath, Segment};
pub use load::{Adapt, Amount, Arrivals, Goal, Length, Load, Pace, Pacing, Search, Shape, Stage};
pub use steps::{
    Action, Answer, Body, Expectation, Measure, Message, Method, Request, Save, Statuses, Step,
    Think, ThinkTimes, WebSocket,
};
pub use threshold::{Aggregate, Bound, Comparison, Measured, Quantity, Threshold};

/// A scenario file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What results are called.
    pub name: Spanned<String>,
    /// A sentence for people.
    pub about: Option<String>,
    /// Systems under test; the only one of `target` has the name `default`.
    pub targets: Vec<Target>,
    /// What may be loaded beside loopback and private addresses.
    pub allow: Vec<Allowed>,
    /// From the start of an attempt to the end of its reply.
    pub timeout: Option<Spanned<Nanos>>,
    /// How long the load runs before it is measured.
    pub warmup: Option<Spanned<Warmup>>,
    /// Groups of users.
    pub users: Vec<Users>,
    /// The life of a token.
    pub auth: Option<Auth>,
    /// Lists of values.
    pub data: Vec<Named<Vec<Json>>>,
    /// Ids that replies gave.
    pub pools: Vec<Named<Pool>>,
    /// What is done.
    pub workloads: Vec<Named<Workload>>,
    /// What must hold.
    pub thresholds: Vec<Spanned<Threshold>>,
    /// Levels, one after the other.
    pub sequence: Vec<Level>,
    /// Services behind the targets, asked before and after the load.
    pub probes: Vec<Probe>,
    /// Words for results.
    pub tags: Vec<Named<String>>,
    /// The profile that was laid over the file.
    pub profile: Option<String>,
}

/// A name of the user's and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    /// The name.
    pub name: Spanned<String>,
    /// What it stands for.
    pub value: T,
}

/// A system under test.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// How steps name it.
    pub name: Spanned<String>,
    /// `http://HOST[:PORT]`, or another scheme.
    pub url: Spanned<String>,
}

/// What may be loaded beside loopback and private addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Public addresses that this name leads to, in lower case.
    Host(String),
    /// These addresses, whatever they are.
    Network(Cidr),
}

/// How long the load runs before it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmup {
    /// So long.
    Fixed(Nanos),
    /// Until it is steady, at most so long.
    Auto(Nanos),
}

/// A service behind the targets, asked whether it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// What results call it.
    pub name: Spanned<String>,
    /// How it is asked.
    pub ask: Ask,
}

/// How a service is asked whether it is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A connection to `HOST:PORT`.
    Tcp(Spanned<String>),
    /// A GET of `http://HOST[:PORT]/PATH`.
    Http(Spanned<String>),
}

/// A group of users.
#[derive(Clone, Debug, PartialEq)]
pub struct Users {
    /// What results call the group.
    pub name: Option<Spanned<String>>,
    /// For `${user.role}`.
    pub role: Option<String>,
    /// How many.
    pub count: Spanned<u64>,
    /// The number of the first.
    pub first: u64,
    /// How often one of the group is drawn beside other groups; none means once.
    pub weight: Option<Spanned<u64>>,
    /// Their addresses, `{n}` being the number.
    pub email: Option<Spanned<String>>,
    /// Their password.
    pub password: Option<Template>,
    /// Addresses of this host that their connections come from; none means any.
    pub source: Vec<Spanned<IpAddr>>,
}

/// The life of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    /// Creates a user.
    pub register: Option<AuthCall>,
    /// Gives the tokens.
    pub login: AuthCall,
    /// Renews the token.
    pub refresh: Option<AuthCall>,
    /// Gives it back.
    pub logout: Option<AuthCall>,
    /// A token's life, when nothing else says it.
    pub expires_in: Option<Spanned<Nanos>>,
    /// Users registered or logged in at once.
    pub parallel: Option<Spanned<u64>>,
    /// Users logged in before the load begins.
    pub ahead: Option<Spanned<u64>>,
    /// Users registered before the load begins; none means all.
    pub register_ahead: Option<Spanned<u64>>,
}

/// One request in the life of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthCall {
    /// What is sent.
    pub request: Request,
    /// Statuses that are fine; none means 2xx.
    pub accept: Vec<Statuses>,
    /// Where the token stands.
    pub token: Option<JsonPath>,
    /// Where the refresh token stands.
    pub refresh_token: Option<JsonPath>,
    /// Where the token's life in seconds stands.
    pub expires: Option<JsonPath>,
}

/// Ids that replies gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// How many for each user.
    pub keep: u64,
}

/// A load and what is done under it.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The group that its users are of; none means all.
    pub users: Option<Spanned<String>>,
    /// How a session gets its user.
    pub user: Spanned<Strategy>,
    /// How much; none means that the sequence says it.
    pub load: Option<Load>,
    /// When it begins.
    pub start: Nanos,
    /// What is done.
    pub work: Work,
    /// The pause behind each request of a mix.
    pub think: Option<Spanned<Think>>,
    /// The time from a step to a message.
    pub measure: Option<Measure>,
}

/// How a session gets its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Any user for each request.
    #[default]
    Random,
    /// A group by weight, then any user of it, for each request.
    Weighted,
    /// Users in turn, by the session's number.
    RoundRobin,
    /// Any user, kept as long as the session lives.
    Sticky,
    /// A user of its own.
    Unique,
}

/// What is done under a load.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Steps chosen by weight.
    Mix(Vec<Step>),
    /// Steps one after the other.
    Journey(Vec<Step>),
    /// WebSocket sessions that stay open.
    Sessions(Box<Sessions>),
}

/// WebSocket sessions that stay open.
#[derive(Clone, Debug, PartialEq)]
pub struct Sessions {
    /// Where to.
    pub websocket: WebSocket,
    /// How often a message is sent.
    pub every: Option<Spanned<Nanos>>,
    /// How many of all sessions send each time.
    pub sample: Option<Spanned<u64>>,
    /// The message.
    pub send: Option<Message>,
    /// What answers it; none means that it is over when it is sent.
    pub answer: Option<Spanned<Answer>>,
    /// What the answer must be.
    pub expect: Option<Expectation>,
}

/// One level of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// What results call it.
    pub name: Spanned<String>,
    /// How much.
    pub load: Load,
    /// Which workload it is about; none means all.
    pub workload: Option<Spanned<String>>,
    /// What must hold on it.
    pub thresholds: Vec<Spanned<Threshold>>,
    /// How long nothing is done behind it.
    pub cooldown: Nanos,
}
