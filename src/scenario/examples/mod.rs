//! Scenarios inside of the program: to run, to learn from, and to begin with.

/// Each with its name.
pub const ALL: [(&str, &str); 8] = [
    ("minimal", include_str!("minimal.yaml")),
    ("journey", include_str!("journey.yaml")),
    ("groups", include_str!("groups.yaml")),
    ("spike", include_str!("spike.yaml")),
    ("stress", include_str!("stress.yaml")),
    ("soak", include_str!("soak.yaml")),
    ("breakpoint", include_str!("breakpoint.yaml")),
    ("taskforge", include_str!("taskforge.yaml")),
];

/// An example, with one of its profiles or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What the command line calls it.
    pub name: &'static str,
    /// The example that it is.
    pub example: &'static str,
    /// The profile that is laid over it.
    pub profile: Option<&'static str>,
    /// A sentence for people.
    pub about: &'static str,
}

/// What `run` knows by name.
pub const PRESETS: [Preset; 10] = [
    Preset {
        name: "minimal",
        example: "minimal",
        profile: None,
        about: "one request, again and again, on 64 connections for 10 s",
    },
    Preset {
        name: "journey",
        example: "journey",
        profile: None,
        about: "to begin with: 50 shoppers a second for 2 min, who sometimes order",
    },
    Preset {
        name: "groups",
        example: "groups",
        profile: None,
        about: "buyers, sellers, and 10 a second who register first, for 30 s",
    },
    Preset {
        name: "spike",
        example: "spike",
        profile: None,
        about: "100 requests a second, ten times that for 30 s, and again 100",
    },
    Preset {
        name: "stress",
        example: "stress",
        profile: None,
        about: "from 250 to 2000 requests a second, doubling each minute, and back; 8 min",
    },
    Preset {
        name: "soak",
        example: "soak",
        profile: None,
        about: "200 requests a second for an hour: the second half against the first",
    },
    Preset {
        name: "breakpoint",
        example: "breakpoint",
        profile: None,
        about: "the highest rate that keeps p(95) below 250 ms, found between 500 and 50k",
    },
    Preset {
        name: "taskforge",
        example: "taskforge",
        profile: None,
        about: "20 users, 50 connections and 50 WebSockets for 1 min",
    },
    Preset {
        name: "taskforge-staging",
        example: "taskforge",
        profile: Some("staging"),
        about: "50 users, 100 connections and 100 WebSockets for 5 min",
    },
    Preset {
        name: "taskforge-production",
        example: "taskforge",
        profile: Some("production"),
        about: "100 users, 200 of each for 10 min",
    },
];

/// The text of an example.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(each, _)| *each == name).map(|(_, text)| *text)
}

/// The preset of that name.
#[must_use]
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
