//! One line on a terminal, drawn over itself.

use std::io::{self, Write};

use super::tick::Tick;
use crate::report::Colour;

/// Cells of the bar.
const CELLS: usize = 10;

/// Columns that stay free at the end: a terminal echoes `^C` there, and were the line full, the
/// echo would begin another one and leave the bar behind.
const FREE: usize = 8;

/// To the beginning of the line, and what is on it away.
const CLEAR: &str = "\r\x1b[K";

/// The bar, with where it is drawn.
pub(super) struct Bar {
    out: Box<dyn Write + Send>,
    colour: Colour,
    columns: fn() -> usize,
}

impl Bar {
    pub(super) fn on_stderr(colour: Colour) -> Self {
        Self { out: Box::new(io::stderr()), colour, columns }
    }

    /// Draws it anew.
    pub(super) fn draw(&mut self, tick: &Tick<'_>) -> io::Result<()> {
        let line = line(tick, self.colour, (self.columns)().saturating_sub(FREE));
        self.clear(&line)
    }

    /// Draws a text in its place, dim where colours are.
    pub(super) fn hint(&mut self, text: &str) -> io::Result<()> {
        let room = (self.columns)().saturating_sub(FREE);
        let text = text.chars().take(room).collect::<String>();
        match self.colour {
            Colour::Plain => self.clear(&text),
            Colour::Ansi => self.clear(&format!("\x1b[2m{text}\x1b[0m")),
        }
    }

    /// Removes it, and writes `instead`.
    pub(super) fn clear(&mut self, instead: &str) -> io::Result<()> {
        write!(self.out, "{CLEAR}{instead}")?;
        self.out.flush()
    }
}

/// Of the terminal now: it may have been resized.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stderr());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
}

/// `  12s [===>      ]  30%  12,345 req/s  ...` in at most `room` columns.
fn line(tick: &Tick<'_>, colour: Colour, room: usize) -> String {
    let progress = tick.progress().unwrap_or(0);
    let full = usize::try_from(progress).unwrap_or(0) * CELLS / 1_000;
    let tip = if full < CELLS { ">" } else { "" };
    let cells = format!("{:<CELLS$}", "=".repeat(full.min(CELLS)) + tip);
    let before = format!("{:>4}s [", tick.seconds());
    let after = format!("] {:>3}%  {}", progress / 10, tick.figures());
    let Some(left) = room.checked_sub(before.len() + CELLS) else {
        return before.chars().chain(cells.chars()).take(room).collect();
    };
    let after = after.chars().take(left).collect::<String>();
    match colour {
        Colour::Plain => format!("{before}{cells}{after}"),
        Colour::Ansi => format!("{before}\x1b[36m{cells}\x1b[0m{after}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc;

    use super::{Bar, Colour, Tick, line};
    use crate::stdx::Nanos;

    fn tick() -> Tick<'static> {
        Tick {
            elapsed: Nanos::from_millis(3_003),
            planned: Some(Nanos::from_secs(10)),
            operations: None,
            replies_per_s: 12.0,
            noun: "req",
            p99: None,
            failed: 0,
            in_flight: 4,
            connections: 4,
            phase: "",
            order: "",
            stage: None,
        }
    }

    /// Sends on what is written.
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
    fn it_fits_any_terminal() {
        let whole = "   3s [===>      ]  30%  12 req/s  p99 -  0 failed  4 open";
        assert_eq!(line(&tick(), Colour::Plain, 80), whole);
        for room in 0..80 {
            let shown = line(&tick(), Colour::Plain, room);
            assert_eq!(shown, whole[..room.min(whole.len())], "{room} columns");
        }
        let painted = line(&tick(), Colour::Ansi, 80);
        assert_eq!(painted.replace("\x1b[36m", "").replace("\x1b[0m", ""), whole);
    }

    #[test]
    fn it_is_drawn_over_itself_and_leaves_nothing() {
        let (sender, receiver) = mpsc::channel();
        let out = Box::new(Pipe(sender));
        let mut bar = Bar { out, colour: Colour::Plain, columns: || 14 };
        bar.draw(&tick()).expect("somebody reads");
        bar.hint("p pause").expect("somebody reads");
        bar.clear("over\n").expect("somebody reads");
        drop(bar);
        let text = String::from_utf8(receiver.iter().collect()).expect("ASCII");
        assert_eq!(text, "\r\x1b[K   3s \r\x1b[Kp paus\r\x1b[Kover\n", "eight columns stay free");
    }
}
