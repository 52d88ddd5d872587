//! What the value of a key may be.

use super::Section;

/// The form of a value.
#[derive(Debug)]
pub(in crate::scenario) enum Shape {
    /// A text that is known before the run and shown in results.
    Text,
    /// A text that may be secret.
    Hidden,
    /// A text that may hold expressions.
    Template,
    /// An expression by itself.
    Condition,
    /// `http://…`, `ws://…`.
    Address,
    /// A whole number in a range.
    Count(u64, u64),
    /// A number from 0 to 1, or a percentage.
    Share,
    /// A span of time.
    Duration,
    /// A span of time, a range of them, or how they are distributed.
    Pause(&'static Section),
    /// A span of time, `auto`, or `auto` with a bound.
    Warmup(&'static Section),
    /// A number above 0, with or without a point.
    Number,
    /// So many a second.
    Rate,
    /// A count or a rate, as the load's own level is.
    Amount,
    /// So many in a span of time: `10 per 100ms`.
    Pace,
    /// One of these.
    Word(&'static [&'static str]),
    /// A status, or a class of them: `201`, `2xx`.
    Status,
    /// Where a value stands in JSON: `$.items[0].id`.
    Path,
    /// `next`, or where the value stands that tells an answer.
    Answer,
    /// `true` or `false`.
    Truth,
    /// `HOST:PORT`.
    Port,
    /// Any JSON, with expressions in its texts.
    Json,
    /// What must be true of the numbers.
    Threshold,
    /// Values of one shape.
    List(&'static Self),
    /// One value, or a list of them.
    OneOrMany(&'static Self),
    /// Names of the user's, each with a value.
    Map(&'static Self),
    /// A mapping with known keys.
    Section(&'static Section),
    /// One of several mappings, told apart by the first of their keys that is there.
    Variant(&'static Variants),
    /// A part of the whole scenario, laid over it.
    Overlay,
}

/// Mappings of several kinds, each known by keys of its own.
#[derive(Debug)]
pub(in crate::scenario) struct Variants {
    /// As messages call one of them.
    pub(in crate::scenario) name: &'static str,
    /// The keys that tell a kind, and the kind.
    pub(in crate::scenario) kinds: &'static [(&'static [&'static str], &'static Section)],
}

impl Shape {
    /// What it is called when something else stands in its place.
    pub(in crate::scenario) fn noun(&self) -> &'static str {
        match self {
            Self::Text | Self::Hidden | Self::Template => "text",
            Self::Condition => "expression",
            Self::Address => "address",
            Self::Count(..) => "count",
            Self::Share => "share",
            Self::Duration | Self::Pause(_) | Self::Warmup(_) => "duration",
            Self::Number => "number",
            Self::Rate => "rate",
            Self::Amount => "level",
            Self::Pace => "pace",
            Self::Word(_) => "known word",
            Self::Status => "status",
            Self::Path => "JSON path",
            Self::Answer => "answer",
            Self::Truth => "truth value",
            Self::Port => "host and port",
            Self::Json => "JSON",
            Self::Threshold => "threshold",
            Self::List(_) | Self::OneOrMany(_) => "list",
            Self::Map(_) | Self::Section(_) | Self::Variant(_) | Self::Overlay => "mapping",
        }
    }

    /// What should stand there.
    pub(in crate::scenario) fn expected(&self) -> String {
        match self {
            Self::Text | Self::Hidden => "a text".to_owned(),
            Self::Template => "a text, which may hold expressions such as ${user.email}".to_owned(),
            Self::Condition => "an expression such as user.n % 2 == 0".to_owned(),
            Self::Address => "an address such as http://127.0.0.1:8080".to_owned(),
            Self::Count(least, u64::MAX) => format!("a number from {least} on, such as 500 or 10k"),
            Self::Count(least, most) => format!("a number from {least} to {most}, such as 500"),
            Self::Share => "a share such as 0.3 or 30%".to_owned(),
            Self::Duration => "a duration such as 500us, 250ms, 10s, 5m or 1h".to_owned(),
            Self::Pause(_) => {
                "a duration such as 2s, a range such as 2s..5s, or {exponential: 3s}".to_owned()
            }
            Self::Warmup(_) => "a duration such as 10s, auto, or {auto: 60s}".to_owned(),
            Self::Number => "a number above 0, such as 0.8".to_owned(),
            Self::Rate => "a rate such as 500/s, 5k/s or 300/m".to_owned(),
            Self::Amount => "a number of connections or a rate, as the load has".to_owned(),
            Self::Pace => "a pace such as 10 per 100ms".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Status => "a status such as 201, or a class such as 2xx".to_owned(),
            Self::Path => "a JSON path such as $.items[0].id".to_owned(),
            Self::Answer => "next, or a JSON path such as $.id".to_owned(),
            Self::Truth => "true or false".to_owned(),
            Self::Port => "a host and a port such as 127.0.0.1:5432".to_owned(),
            Self::Json => "any JSON".to_owned(),
            Self::Threshold => "a threshold such as http_req_duration p(95) < 500ms".to_owned(),
            Self::List(each) => format!("a list, each {}", each.expected()),
            Self::OneOrMany(each) => format!("{}, or a list", each.expected()),
            Self::Map(each) => format!("names, each with {}", each.expected()),
            Self::Section(section) => format!("a mapping of {}", section.names()),
            Self::Variant(variants) => format!("a {}: {}", variants.name, variants.marks()),
            Self::Overlay => "a mapping of the scenario's own keys".to_owned(),
        }
    }
}

impl Variants {
    /// The keys that tell the kinds apart.
    pub(in crate::scenario) fn all(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.iter().flat_map(|(marks, _)| marks.iter().copied())
    }

    /// The same, for messages.
    pub(in crate::scenario) fn marks(&self) -> String {
        self.all().collect::<Vec<_>>().join(", ")
    }
}
