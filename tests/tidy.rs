//! The law of the house: who may use whom, and how what is written looks.
//!
//! Does:   reads every text file of the project and holds it to the rules; each rule is itself
//!         tested with a sample that breaks it.
//! Why so: a rule that no test enforces is a wish.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod tidy {
    mod files;
    mod pure;
    mod rooms;
    mod shape;
    mod source;
    mod words;
}
