//! What is counted and timed, under names that never change.
//!
//! Gives:      the closed [`catalog`]; [`Recorder`], one per shard, plain integers and histograms;
//!             [`Delta`], what a shard hands over each second, which adds up to the run;
//!             [`Tails`], how each user fared, handed over once.
//! Neighbours: stdx, protocol(outcome).
//! Why so:     recorded once, in the leaf (request × phase); every other view is a sum of leaves,
//!             so that no two views can disagree.

pub mod catalog;
pub mod histogram;
pub mod interval;
pub mod leaf;
pub mod record;
pub mod recorder;
pub mod tails;

pub use catalog::{Counter, Trend};
pub use histogram::Histogram;
pub use interval::Blocks;
pub use leaf::{Leaf, LeafId, Tally};
pub use record::{Record, Records};
pub use recorder::{CheckCount, Delta, ErrorSamples, Recorder, ShardCounts};
pub use tails::{Tail, Tails};
