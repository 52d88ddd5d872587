//! What a run amounted to: one versioned document, and the formats made from it.
//!
//! Does:       adds up the leaves, asserts that nothing was lost, judges, renders, writes files.
//! Takes:      an `Outcome` and the `Plan` it came from.
//! Gives:      [`Report`], its [`Document`] and exit code; [`text`] for people; [`Sinks`] for
//!             files, opened before the run.
//! Neighbours: stdx, plan, protocol(outcome), metrics, verdict,
//!             engine(outcome).
//! Why so:     every format is made from the same document, so that no two can disagree; the
//!             histograms alone come straight from the leaves, lossless.

pub mod build;
pub mod csv;
pub mod document;
pub mod exit;
pub mod figures;
pub mod files;
pub mod fingerprint;
pub mod hgrm;
pub mod hlog;
pub mod host;
pub mod json;
pub mod jtl;
pub mod judge;
pub mod junit;
pub mod keyed;
mod laws;
mod levels;
pub mod metric;
mod pacing;
mod search;
mod silence;
pub mod text;
mod thresholds;
mod users;
mod view;

pub use build::{Context, Report, build};
pub use document::Document;
pub use exit::ExitCode;
pub use files::{RequestLog, SinkError, Sinks};
pub use host::Host;
pub use judge::TrustPolicy;
pub use text::{Colour, Latency};
