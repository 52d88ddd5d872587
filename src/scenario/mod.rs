//! The scenario as the user wrote it, with spans; nothing derived.
//!
//! Does:       reads YAML, JSON and TOML into one tree of values that know their places, puts the
//!             environment into it, and reads the tree into types.
//! Takes:      the text of a file, a function that knows the environment, a profile.
//! Gives:      [`Scenario`], or [`Diagnostics`]: all that is wrong, each with place and remedy;
//!             [`schema`], out of the same tables.
//! Neighbours: stdx.
//! Why so:     derived readers stop at the first problem and lose its place inside of variants.

mod diagnostic;
mod effective;
pub mod examples;
mod expr;
mod file;
pub mod fuzz;
mod interpolate;
mod keys;
pub mod limits;
mod model;
mod place;
mod read;
mod render;
mod schema;
mod suggest;
mod tree;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use expr::{Choice, Expr, Function, Operator, Part, Secret, Template, UserField};
pub use file::{effective, read};
pub use interpolate::Lookup;
pub use model::*;
pub use place::{Format, Source, Span, Spanned};
pub use render::Ink;
pub use schema::schema;
pub use suggest::nearest;
