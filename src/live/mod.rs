//! Progress while a run is on.
//!
//! Does:       draws a bar on a terminal, writes a line every 5 s elsewhere, or keeps silent.
//! Takes:      one [`Tick`] a second, on the collector's thread.
//! Neighbours: stdx, report(figures, colour).
//! Why so:     whatever the terminal does, no shard waits for it, and a reader that goes away
//!             ends the drawing, not the run.

mod bar;
mod progress;
mod tick;

pub use progress::{Output, Progress};
pub use tick::{Stage, Tick};
