//! Keys of the scenario itself: whom it is about, what they do, what must hold.

use super::load::LOAD;
use super::shape::Shape::{
    Address, Answer, Count, Duration, Hidden, Json, List, Map, OneOrMany, Overlay, Pause, Port,
    Section as Of, Text, Threshold, Variant, Warmup, Word,
};
use super::steps::{AUTH_CALL, EXPECT_MESSAGE, MEASURE, MESSAGE, PAUSE, STEPS, WEBSOCKET};
use super::{Rule, Section, may, need};
use crate::scenario::limits::{POOL_MAX, USERS_MAX};

/// How workloads choose the user of a session.
const STRATEGIES: &[&str] = &["random", "weighted", "round-robin", "sticky", "unique"];

pub(in crate::scenario) static SCENARIO: Section = Section {
    name: "the scenario",
    about: "a load test: whom to load, as whom, with what, and what must hold",
    keys: &[&[
        need("name", Text, "what results are called"),
        may("about", Text, "a sentence for people"),
        may("target", Address, "the system under test"),
        may(
            "targets",
            Map(&Address),
            "several systems under test, which steps name; the first is the default",
        ),
        may("allow", List(&Text), "hosts, addresses and networks that may be loaded, too"),
        may("timeout", Duration, "from the start of an attempt to the end of its reply [30s]"),
        may(
            "warmup",
            Warmup(&WARMUP),
            "how long the load runs before it is measured, for loads whose level stays [0s]",
        ),
        may("users", OneOrMany(&Of(&USERS)), "who loads: one group of users, or several"),
        may("auth", Of(&AUTH), "how users get, renew and give back their tokens"),
        may("data", Map(&List(&Json)), "lists of values for pick(name)"),
        may("pools", Map(&Of(&POOL)), "ids that replies gave, kept for later requests"),
        need("workloads", Map(&Of(&WORKLOAD)), "what is done, each with a load of its own"),
        may("thresholds", List(&Threshold), "what must hold for the run to pass"),
        may("sequence", List(&Of(&LEVEL)), "levels of load, one after the other"),
        may("probes", List(&Of(&PROBE)), "services behind, asked before and after the load"),
        may("tags", Map(&Text), "words that go into every result"),
        may("profiles", Map(&Overlay), "named changes to this file, chosen with --profile"),
    ]],
    rules: &[Rule::Exactly(&["target", "targets"])],
};

pub(in crate::scenario) static WARMUP: Section = Section {
    name: "a warm-up",
    about: "a warm-up that ends when throughput and response times are steady",
    keys: &[&[need("auto", Duration, "at the latest after so long; auto alone means 60s")]],
    rules: &[],
};

pub(in crate::scenario) static USERS: Section = Section {
    name: "users",
    about: "a group of users who differ by a number",
    keys: &[&[
        need("count", Count(1, USERS_MAX), "how many"),
        may("name", Text, "what results call the group"),
        may("role", Text, "a word for ${user.role}"),
        may("prefix", Text, "what their addresses begin with: prefix1@example.com"),
        may("email", Text, "their addresses, with {n} for the number"),
        may("password", Hidden, "their password"),
        may("first", Count(0, USERS_MAX), "the first number [1]"),
        may(
            "source",
            OneOrMany(&Text),
            "addresses of this host from which its connections come, in turn [any]",
        ),
        may("weight", Count(0, 1_000_000), "with user: weighted: how often, beside others [1]"),
    ]],
    rules: &[Rule::AtMost(&["prefix", "email"])],
};

pub(in crate::scenario) static AUTH: Section = Section {
    name: "auth",
    about: "the life of a token",
    keys: &[&[
        may("register", Of(&AUTH_CALL), "creates a user, before the load"),
        need("login", Of(&AUTH_CALL), "gives the tokens"),
        may("refresh", Of(&AUTH_CALL), "renews the token; if it fails, login is tried"),
        may("logout", Of(&AUTH_CALL), "gives the token back, after the load"),
        may("expires_in", Duration, "a token's life when neither the reply nor the JWT says [14m]"),
        may("parallel", Count(1, USERS_MAX), "users registered or logged in at once [64]"),
        may(
            "ahead",
            Count(0, USERS_MAX),
            "users logged in before the load begins [10; with a rate: all]",
        ),
        may(
            "register_ahead",
            Count(0, USERS_MAX),
            "users registered before the load begins; the others when first needed [all]",
        ),
    ]],
    rules: &[Rule::Beside("register_ahead", &["register"])],
};

pub(in crate::scenario) static PROBE: Section = Section {
    name: "a probe",
    about: "a service behind the targets: is it there before the load, and still after it",
    keys: &[&[
        need("name", Text, "what results call it"),
        may("tcp", Port, "it takes a connection"),
        may("http", Address, "it answers a GET with a status below 500"),
    ]],
    rules: &[Rule::Exactly(&["tcp", "http"])],
};

pub(in crate::scenario) static POOL: Section = Section {
    name: "a pool",
    about: "the newest ids that replies gave, each user's own first",
    keys: &[&[may("keep", Count(1, POOL_MAX), "how many for each user; the oldest leave [100]")]],
    rules: &[],
};

pub(in crate::scenario) static WORKLOAD: Section = Section {
    name: "a workload",
    about: "a load and what is done under it: a mix, steps, or WebSocket sessions",
    keys: &[&[
        may("users", Text, "whose: the name of a group of users [all]"),
        may("user", Word(STRATEGIES), "how a session gets its user [random]"),
        may("load", Of(&LOAD), "how much; the levels of a sequence may say it instead"),
        may("start", Duration, "when, from the beginning of the run [0s]"),
        may("mix", List(&Variant(&STEPS)), "requests chosen by weight"),
        may("think", Pause(&PAUSE), "beside a mix: the pause behind each request [none]"),
        may("steps", List(&Variant(&STEPS)), "a journey: steps one after the other"),
        may("websocket", Of(&WEBSOCKET), "sessions that stay open"),
        may("every", Duration, "how often a message is sent"),
        may("sample", Count(1, USERS_MAX), "of all sessions, so many send each time [all]"),
        may("send", Of(&MESSAGE), "the message"),
        may("answer", Answer, "what answers it: next, or a place with the same value [nothing]"),
        may("expect", Of(&EXPECT_MESSAGE), "what the answer must be, and how long it may take"),
        may("measure", Of(&MEASURE), "the time from a step to a message"),
    ]],
    rules: &[
        Rule::Exactly(&["mix", "steps", "websocket"]),
        Rule::Beside("think", &["mix"]),
        Rule::Beside("every", &["websocket"]),
        Rule::Beside("sample", &["every"]),
        Rule::Beside("send", &["websocket"]),
        Rule::Beside("answer", &["send"]),
        Rule::Beside("expect", &["websocket"]),
    ],
};

pub(in crate::scenario) static LEVEL: Section = Section {
    name: "a level",
    about: "one level of a sequence",
    keys: &[&[
        need("name", Text, "what results call it"),
        need("load", Of(&LOAD), "how much"),
        may("workload", Text, "which workload it is about [all]"),
        may("thresholds", List(&Threshold), "what must hold on this level"),
        may("cooldown", Duration, "how long nothing is done before the next level [0s]"),
    ]],
    rules: &[],
};
