//! Scenarios inside of the program: to learn from, and to begin with.

/// Each with its name.
pub const ALL: [(&str, &str); 3] = [
    ("minimal", include_str!("minimal.yaml")),
    ("journey", include_str!("journey.yaml")),
    ("taskforge", include_str!("taskforge.yaml")),
];
