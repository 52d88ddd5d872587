//! Keys of what is done: requests, pauses, choices, loops, WebSocket messages.

use super::shape::Shape::{
    self, Condition, Count, Duration, Json, List, Map, Number, OneOrMany, Path, Pause,
    Section as Of, Share, Status, Template, Text, Truth, Variant,
};
use super::shape::Variants;
use super::{Key, Rule, Section, may, need};
use crate::scenario::limits::REPEAT_MAX;

/// The methods, as keys.
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];

/// What any step may have.
const ANY: &[Key] = &[
    may("name", Text, "what results call it"),
    may("weight", Count(0, 1_000_000), "in a mix or a choice: how often, beside the others [1]"),
    may("chance", Share, "how likely it is done at all [1]"),
    may("when", Condition, "done only if this holds"),
];

const METHOD: &[Key] = &[
    may("get", Template, "GET this path"),
    may("post", Template, "POST to this path"),
    may("put", Template, "PUT to this path"),
    may("patch", Template, "PATCH this path"),
    may("delete", Template, "DELETE this path"),
    may("head", Template, "HEAD of this path"),
    may("options", Template, "OPTIONS of this path"),
];

/// What is sent with a request.
const PAYLOAD: &[Key] = &[
    may("headers", Map(&Template), "headers, by name"),
    may("json", Json, "a JSON body, with its content type"),
    may("body", Template, "a body as it stands"),
    may("form", Map(&Template), "fields of a form, with their content type"),
];

const BODIES: Rule = Rule::AtMost(&["json", "body", "form"]);

pub(in crate::scenario) static STEPS: Variants = Variants {
    name: "step",
    kinds: &[
        (METHODS, &REQUEST),
        (&["think"], &THINK),
        (&["one_of"], &ONE_OF),
        (&["group"], &GROUP),
        (&["repeat"], &REPEAT),
        (&["websocket"], &OPEN),
        (&["send"], &SEND),
        (&["close"], &CLOSE),
        (&["expect"], &RECEIVE),
        (&["steps"], &BLOCK),
    ],
};

static REQUEST: Section = Section {
    name: "a request",
    about: "one HTTP request; its path stands at its method",
    keys: &[
        METHOD,
        ANY,
        PAYLOAD,
        &[
            may("target", Text, "which of the targets"),
            may("timeout", Duration, "for this request alone"),
            may("expect", Of(&EXPECT_REPLY), "what must be true of the reply"),
            may("save", Map(&OneOrMany(&Path)), "names or pools, each with where its value stands"),
            may("anonymous", Truth, "carries no token, although the scenario has 'auth' [false]"),
        ],
    ],
    rules: &[Rule::Exactly(METHODS), BODIES],
};

static THINK: Section = Section {
    name: "a pause",
    about: "a user thinks",
    keys: &[&[need("think", Pause(&PAUSE), "how long: 2s, from 2s..5s, or a distribution")], ANY],
    rules: &[],
};

pub(in crate::scenario) static PAUSE: Section = Section {
    name: "a think time",
    about: "how long pauses are, drawn anew for each",
    keys: &[&[
        may("exponential", Duration, "their mean: pauses without a memory"),
        may("lognormal", Duration, "their median: most are short, some are long"),
        may("sigma", Number, "beside 'lognormal': the deviation of their logarithms, such as 0.8"),
        may("quantiles", List(&Duration), "as measured: at even steps from the shortest on"),
        may("max", Duration, "longer ones are cut to it [24h]"),
    ]],
    rules: &[
        Rule::Exactly(&["exponential", "lognormal", "quantiles"]),
        Rule::Beside("sigma", &["lognormal"]),
        Rule::Beside("lognormal", &["sigma"]),
    ],
};

static ONE_OF: Section = Section {
    name: "a choice",
    about: "one of several steps, by weight",
    keys: &[&[need("one_of", List(&Variant(&STEPS)), "the steps, each with a weight")], ANY],
    rules: &[],
};

static GROUP: Section = Section {
    name: "a group",
    about: "steps under one name, timed together",
    keys: &[
        &[need("group", Text, "the name"), need("steps", List(&Variant(&STEPS)), "the steps")],
        ANY,
    ],
    rules: &[],
};

static REPEAT: Section = Section {
    name: "a loop",
    about: "steps again and again",
    keys: &[
        &[
            need("repeat", Count(1, REPEAT_MAX), "how many times"),
            need("steps", List(&Variant(&STEPS)), "the steps"),
        ],
        ANY,
    ],
    rules: &[],
};

static BLOCK: Section = Section {
    name: "a block",
    about: "steps that belong together, as one of a choice",
    keys: &[&[need("steps", List(&Variant(&STEPS)), "the steps")], ANY],
    rules: &[],
};

static OPEN: Section = Section {
    name: "a WebSocket step",
    about: "opens the session's WebSocket",
    keys: &[&[need("websocket", Of(&WEBSOCKET), "where, and how")], ANY],
    rules: &[],
};

static SEND: Section = Section {
    name: "a send step",
    about: "sends a message on the open WebSocket",
    keys: &[&[need("send", Of(&MESSAGE), "the message")], ANY],
    rules: &[],
};

static CLOSE: Section = Section {
    name: "a close step",
    about: "closes the open WebSocket",
    keys: &[&[need("close", Count(1000, 4999), "the status code: 1000 is a normal end")], ANY],
    rules: &[],
};

static RECEIVE: Section = Section {
    name: "an expect step",
    about: "waits for a message on the open WebSocket",
    keys: &[
        &[
            need("expect", Of(&EXPECT_MESSAGE), "what the message must be"),
            may("save", Map(&OneOrMany(&Path)), "names or pools, each with where its value stands"),
        ],
        ANY,
    ],
    rules: &[],
};

pub(in crate::scenario) static WEBSOCKET: Section = Section {
    name: "a WebSocket",
    about: "a WebSocket to open",
    keys: &[&[
        need("url", Template, "a path of the target, or a whole ws:// address"),
        may("target", Text, "which of the targets"),
        may("connect_timeout", Duration, "until it is open [10s]"),
        may("headers", Map(&Template), "headers, by name"),
    ]],
    rules: &[],
};

pub(in crate::scenario) static MESSAGE: Section = Section {
    name: "a message",
    about: "a WebSocket message to send",
    keys: &[&[may("json", Json, "as JSON"), may("text", Template, "as a text")]],
    rules: &[Rule::Exactly(&["json", "text"])],
};

/// Which parts of a JSON text must be what.
const MATCH: Shape = Map(&Json);

pub(in crate::scenario) static EXPECT_REPLY: Section = Section {
    name: "expect",
    about: "checks of a reply",
    keys: &[&[
        may("status", OneOrMany(&Status), "the status, or several [below 400]"),
        may("json", MATCH, "JSON paths, each with the value there"),
        may("time", Duration, "the longest that it may take"),
    ]],
    rules: &[],
};

pub(in crate::scenario) static EXPECT_MESSAGE: Section = Section {
    name: "expect",
    about: "checks of a message",
    keys: &[&[
        may("json", MATCH, "JSON paths, each with the value there"),
        may("time", Duration, "how long to wait for it"),
    ]],
    rules: &[],
};

pub(in crate::scenario) static MEASURE: Section = Section {
    name: "measure",
    about: "the time between two events",
    keys: &[&[
        need("name", Text, "the metric's name"),
        need("from", OneOrMany(&Text), "the step whose end starts the clock, or several"),
        may("by", OneOrMany(&Path), "where the saved id stands in the message [as in the reply]"),
        need("until", Of(&UNTIL), "the message that stops it"),
    ]],
    rules: &[],
};

pub(in crate::scenario) static UNTIL: Section = Section {
    name: "until",
    about: "a message",
    keys: &[&[need("json", MATCH, "JSON paths, each with the value there")]],
    rules: &[],
};

pub(in crate::scenario) static AUTH_CALL: Section = Section {
    name: "a request of auth",
    about: "one request in the life of a token",
    keys: &[
        METHOD,
        PAYLOAD,
        &[
            may("accept", OneOrMany(&Status), "statuses that are fine [2xx]"),
            may("token", Path, "where the token stands in the reply [$.accessToken]"),
            may("refresh_token", Path, "where the refresh token stands [$.refreshToken]"),
            may("expires", Path, "where the token's life in seconds stands"),
        ],
    ],
    rules: &[Rule::Exactly(METHODS), BODIES],
};
