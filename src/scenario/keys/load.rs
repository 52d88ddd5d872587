//! Keys of a load: how much, for how long, in which shape.

use super::shape::Shape::{
    Amount, Count, Duration, List, Pace, Rate, Section as Of, Share, Text, Threshold, Variant, Word,
};
use super::shape::Variants;
use super::{Key, Rule, Section, may, need};
use crate::scenario::limits::{CONNECTIONS_MAX, TRIALS_MAX};

pub(in crate::scenario) static LOAD: Section = Section {
    name: "a load",
    about: "closed with 'connections', open with 'rate'",
    keys: &[&[
        may("connections", Count(0, CONNECTIONS_MAX), "closed: each does the next when one ends"),
        may("rate", Rate, "open: arrivals by the clock, whatever the target does"),
        may("for", Duration, "how long"),
        may("stages", List(&Variant(&STAGES)), "levels that change, from the one above on"),
        may("arrivals", Word(&["even", "poisson"]), "how an open load's arrivals lie [even]"),
        may(
            "pacing",
            Word(&["timed", "precise", "efficient"]),
            "open: precise spins, efficient sends those of a millisecond at once [timed]",
        ),
        may("search", Of(&SEARCH), "levels tried from the one above on, until one does not hold"),
        may("adapt", Of(&ADAPT), "a level that follows what the target bears"),
        may("max", Count(1, CONNECTIONS_MAX), "most connections at once"),
        may("patience", Duration, "open: how long an arrival waits for a connection"),
        may("open", Pace, "how fast connections are opened: 10 per 100ms"),
    ]],
    rules: &[
        Rule::Exactly(&["connections", "rate"]),
        Rule::Exactly(&["for", "stages", "search", "adapt"]),
        Rule::Beside("arrivals", &["rate"]),
        Rule::Beside("pacing", &["rate"]),
        Rule::Beside("patience", &["rate"]),
    ],
};

/// What a pace is written with, when it is no text.
pub(in crate::scenario) const PACE: &str = " per ";

const STAGE: &[Key] = &[may("name", Text, "what results call the phase")];

pub(in crate::scenario) static STAGES: Variants = Variants {
    name: "stage",
    kinds: &[
        (&["linear"], &LINEAR),
        (&["exponential"], &EXPONENTIAL),
        (&["step"], &STEP),
        (&["hold"], &HOLD),
    ],
};

static LINEAR: Section = Section {
    name: "a linear stage",
    about: "a straight line to a level",
    keys: &[
        &[
            need("linear", Amount, "the level to reach"),
            need("for", Duration, "how long that takes"),
        ],
        STAGE,
    ],
    rules: &[],
};

static EXPONENTIAL: Section = Section {
    name: "an exponential stage",
    about: "doubling until a level is reached",
    keys: &[
        &[
            need("exponential", Amount, "the level to reach"),
            need("double", Duration, "how long a doubling takes"),
        ],
        STAGE,
    ],
    rules: &[],
};

static STEP: Section = Section {
    name: "a step stage",
    about: "at once to a level, and held there",
    keys: &[
        &[need("step", Amount, "the level, at once"), need("for", Duration, "how long it is held")],
        STAGE,
    ],
    rules: &[],
};

static HOLD: Section = Section {
    name: "a hold stage",
    about: "the level that was reached, held",
    keys: &[&[need("hold", Duration, "how long")], STAGE],
    rules: &[],
};

pub(in crate::scenario) static SEARCH: Section = Section {
    name: "a search",
    about: "the highest level at which what is asked for still holds",
    keys: &[&[
        need("slo", List(&Threshold), "what must hold at a level"),
        need("to", Amount, "the highest level that is tried"),
        may("trial", Duration, "how long a level is measured; longer where it is close [10s]"),
        may("settle", Duration, "how long the target settles at a level before that [2s]"),
        may("resolution", Share, "how exact, as a share of the capacity [5%]"),
        may("max_trials", Count(4, TRIALS_MAX), "most trials [30]"),
    ]],
    rules: &[],
};

pub(in crate::scenario) static ADAPT: Section = Section {
    name: "an adaptive load",
    about: "held at a response time with 'keep', or a ramp that slows and stops",
    keys: &[&[
        may("keep", Threshold, "the level goes up while this holds, and down when it does not"),
        may("slow_above", Duration, "a ramp: half as fast above this average response time"),
        may("stop_above", Share, "a ramp: ends above this share of errors [2%]"),
        need("step", Amount, "what is added at a time"),
        need("to", Amount, "the highest level"),
        need("for", Duration, "how long, at most"),
        may("every", Duration, "how often the level is thought over [5s]"),
    ]],
    rules: &[Rule::Exactly(&["keep", "slow_above"]), Rule::Beside("stop_above", &["slow_above"])],
};
