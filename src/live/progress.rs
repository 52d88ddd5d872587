//! A bar on a terminal, lines elsewhere.

use std::fmt;
use std::io::{IsTerminal as _, Write};

use super::bar::Bar;
use super::tick::{Stage, Tick};
use crate::report::Colour;

/// Seconds between two lines: a log of an hour stays readable.
const LINE_EVERY_S: u64 = 5;

/// Which kind of drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// None.
    Quiet,
    /// On standard error: a bar if that is a terminal, else lines.
    Stderr(Colour),
}

/// Shows how a run is going. Never fails: what cannot be written is not written.
pub struct Progress {
    view: View,
}

enum View {
    Silent,
    Bar(Bar),
    Lines { out: Box<dyn Write + Send>, next_s: u64, stage: Option<String> },
}

impl Progress {
    /// Drawing begins with the first tick.
    #[must_use]
    pub fn new(output: Output) -> Self {
        let view = match output {
            Output::Quiet => View::Silent,
            Output::Stderr(colour) if drawable() => View::Bar(Bar::on_stderr(colour)),
            Output::Stderr(_) => lines(Box::new(std::io::stderr())),
        };
        Self { view }
    }

    /// Lines to any writer.
    #[must_use]
    pub fn lines(out: Box<dyn Write + Send>) -> Self {
        Self { view: lines(out) }
    }

    /// Whether it draws on a terminal.
    #[must_use]
    pub const fn is_bar(&self) -> bool {
        matches!(self.view, View::Bar(_))
    }

    /// Shows a text instead of the bar, until the next tick. Lines leave it out.
    pub fn hint(&mut self, text: &str) {
        if let View::Bar(bar) = &mut self.view
            && bar.hint(text).is_err()
        {
            self.view = View::Silent;
        }
    }

    /// Shows a moment of the run.
    pub fn tick(&mut self, tick: &Tick<'_>) {
        match &mut self.view {
            View::Silent => {}
            View::Bar(bar) => {
                if bar.draw(tick).is_err() {
                    self.view = View::Silent;
                }
            }
            View::Lines { out, next_s, stage } => {
                let seconds = tick.seconds();
                let written = if let Some(Stage { what, done, all }) = tick.stage {
                    // Its beginning and its end: what lies between is of no use in a log.
                    let known = stage.as_deref() == Some(what);
                    if known && done < all {
                        return;
                    }
                    *stage = (done < all).then(|| what.to_owned());
                    writeln!(out, "       {}", tick.figures())
                } else {
                    if seconds < *next_s {
                        return;
                    }
                    *next_s = (seconds / LINE_EVERY_S + 1) * LINE_EVERY_S;
                    writeln!(out, "{seconds:>4}s  {}", tick.figures())
                };
                if written.and_then(|()| out.flush()).is_err() {
                    // Nobody reads: the run goes on without.
                    self.view = View::Silent;
                }
            }
        }
    }

    /// Ends the drawing with a last line.
    pub fn close(&mut self, line: &str) {
        let written = match &mut self.view {
            View::Silent => return,
            View::Bar(bar) => bar.clear(&format!("{line}\n")),
            View::Lines { out, .. } => writeln!(out, "{line}").and_then(|()| out.flush()),
        };
        // Whether anybody reads it makes no difference to the run.
        drop(written);
        self.view = View::Silent;
    }

    /// Removes the bar, so that the summary stands alone. Further ticks show nothing.
    pub fn finish(&mut self) {
        if let View::Bar(bar) = &mut self.view {
            drop(bar.clear(""));
        }
        self.view = View::Silent;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = match self.view {
            View::Silent => "Silent",
            View::Bar(_) => "Bar",
            View::Lines { .. } => "Lines",
        };
        out.debug_tuple("Progress").field(&view).finish()
    }
}

fn lines(out: Box<dyn Write + Send>) -> View {
    View::Lines { out, next_s: LINE_EVERY_S, stage: None }
}

/// Whether standard error is a terminal that can move its cursor.
fn drawable() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    std::io::stderr().is_terminal() && !dumb
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;

    use super::{Progress, Stage, Tick, Write};
    use crate::stdx::Nanos;

    fn tick(seconds: u64) -> Tick<'static> {
        Tick {
            elapsed: Nanos::from_millis(seconds * 1_000 + 3),
            planned: Some(Nanos::from_secs(60)),
            operations: None,
            replies_per_s: 12_345.4,
            noun: "req",
            p99: Some(Nanos::from_micros(1_234)),
            failed: 0,
            in_flight: 64,
            connections: 64,
            phase: "",
            order: "",
            stage: None,
        }
    }

    /// Sends on what is written, or fails once nobody listens.
    struct Pipe(mpsc::Sender<u8>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let closed = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            bytes.iter().try_for_each(|byte| self.0.send(*byte)).map_err(closed)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_every_five_seconds() {
        let (sender, receiver) = mpsc::channel();
        let mut progress = Progress::lines(Box::new(Pipe(sender)));
        (1..=12).filter(|second| *second != 10).for_each(|second| progress.tick(&tick(second)));
        drop(progress);
        let text = String::from_utf8(receiver.iter().collect()).expect("ASCII");
        let figures = "12,345 req/s  p99 1.23 ms  0 failed  64 open\n";
        assert_eq!(text, format!("   5s  {figures}  11s  {figures}"), "10 was late");
    }

    #[test]
    fn a_stage_is_told_when_it_begins_and_ends() {
        let (sender, receiver) = mpsc::channel();
        let mut progress = Progress::lines(Box::new(Pipe(sender)));
        for done in [0, 3, 7, 10] {
            let stage = Some(Stage { what: "logging in", done, all: 10 });
            let tick = Tick { stage, ..Tick::default() };
            assert_eq!(tick.progress(), Some(done * 100));
            progress.tick(&tick);
        }
        progress.tick(&tick(5));
        drop(progress);
        let text = String::from_utf8(receiver.iter().collect()).expect("ASCII");
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        assert_eq!(lines[..2], ["logging in 0/10", "logging in 10/10"]);
        assert!(lines[2].starts_with("5s  12,345 req/s"), "{text}");
    }

    #[test]
    fn a_reader_that_went_away_ends_the_drawing() {
        let (sender, receiver) = mpsc::channel();
        drop(receiver);
        let mut progress = Progress::lines(Box::new(Pipe(sender)));
        progress.tick(&tick(5));
        progress.tick(&tick(10));
        assert_eq!(format!("{progress:?}"), "Progress(\"Silent\")");
    }

    #[test]
    fn a_last_line_ends_the_drawing() {
        let (sender, receiver) = mpsc::channel();
        let mut progress = Progress::lines(Box::new(Pipe(sender)));
        progress.close("draining");
        progress.tick(&tick(5));
        progress.close("draining");
        drop(progress);
        let text = String::from_utf8(receiver.iter().collect()).expect("ASCII");
        assert_eq!(text, "draining\n");
    }

    #[test]
    fn a_second_without_replies_has_no_quantile() {
        let none = Tick { replies_per_s: 0.0, p99: None, ..tick(5) };
        assert_eq!(none.figures(), "0 req/s  p99 -  0 failed  64 open");
        let paused = Tick { order: "paused", ..none };
        assert_eq!(paused.figures(), "paused  0 req/s  p99 -  0 failed  64 open");
    }

    #[test]
    fn whichever_end_comes_first_counts() {
        let by_time = tick(30);
        assert_eq!(by_time.progress(), Some(500));
        let by_count = Tick { operations: Some((90, 100)), ..by_time };
        assert_eq!(by_count.progress(), Some(900));
        let endless = Tick { planned: None, ..by_time };
        assert_eq!(endless.progress(), None);
        let over = Tick { elapsed: Nanos::MAX, ..by_time };
        assert_eq!(over.progress(), Some(1_000));
    }
}
