//! Keys of a load: how much, for how long, in which shape.

use super::shape::Shape::{Amount, Count, Duration, List, Pace, Rate, Text, Variant, Word};
use super::shape::Variants;
use super::{Key, Rule, Section, may, need};
use crate::scenario::limits::CONNECTIONS_MAX;

pub(in crate::scenario) static LOAD: Section = Section {
    name: "a load",
    about: "closed with 'connections', open with 'rate'",
    keys: &[&[
        may("connections", Count(0, CONNECTIONS_MAX), "closed: each does the next when one ends"),
        may("rate", Rate, "open: arrivals by the clock, whatever the target does"),
        may("for", Duration, "how long"),
        may("stages", List(&Variant(&STAGES)), "levels that change, from the one above on"),
        may(
            "arrivals",
            Word(&["even", "poisson", "batched"]),
            "how an open load's arrivals lie; batched: those of a millisecond at once [even]",
        ),
        may("max", Count(1, CONNECTIONS_MAX), "most connections at once"),
        may("patience", Duration, "open: how long an arrival waits for a connection"),
        may("open", Pace, "how fast connections are opened: 10 per 100ms"),
    ]],
    rules: &[
        Rule::Exactly(&["connections", "rate"]),
        Rule::Exactly(&["for", "stages"]),
        Rule::Beside("arrivals", &["rate"]),
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
