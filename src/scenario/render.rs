//! Diagnostics as people read them: the line, a caret under what is wrong, how to mend it.

use super::diagnostic::{Diagnostic, Diagnostics, Severity};
use super::limits::{COLUMNS_MAX, SHOWN_MAX};
use super::place::{Source, Span};

/// Whether the terminal understands colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Text alone.
    Plain,
    /// ANSI colours.
    Coloured,
}

impl Ink {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const BLUE: &str = "1;34";
const BOLD: &str = "1";

impl Diagnostics {
    /// The first problems in full, and how many more there are.
    #[must_use]
    pub fn render(&self, source: &Source<'_>, ink: Ink) -> String {
        let shown: Vec<String> =
            self.iter().take(SHOWN_MAX).map(|each| one(each, source, ink)).collect();
        let mut text = shown.join("\n");
        let more = self.iter().len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            let s = if more == 1 { "" } else { "s" };
            text += &format!("\nand {more} more problem{s}; mend the first ones and check again\n");
        }
        text
    }
}

fn one(diagnostic: &Diagnostic, source: &Source<'_>, ink: Ink) -> String {
    let at = |span: &Span| source.line_and_column(span.at()).0;
    let last = diagnostic.also.iter().map(|also| at(&also.0)).max().unwrap_or(0);
    let width = at(&diagnostic.place).max(last).to_string().len();
    let (word, colour) = match diagnostic.severity {
        Severity::Error => ("error", RED),
        Severity::Warning => ("warning", YELLOW),
    };
    let head = format!("{}: {}", ink.paint(colour, word), ink.paint(BOLD, &veil(&diagnostic.what)));
    let mut text = clean(&head, ink) + "\n";
    let place = Excerpt::of(source, diagnostic.place);
    place.write(&mut text, source.name, "-->", width, &veil(&diagnostic.expected), colour, ink);
    if let Some((span, what)) = diagnostic.also.as_deref() {
        Excerpt::of(source, *span).write(&mut text, source.name, ":::", width, what, BLUE, ink);
    }
    let meant = diagnostic.did_you_mean.as_ref().map(|word| format!("did you mean '{word}'?"));
    for help in meant.iter().chain(&diagnostic.help) {
        let sign = ink.paint(BLUE, &format!("{:width$} =", ""));
        let line = format!("{sign} {} {}\n", ink.paint(BOLD, "help:"), veil(help));
        text.push_str(&clean(&line, ink));
    }
    text
}

/// A line of the file and what is marked in it, in columns of the terminal.
struct Excerpt {
    number: usize,
    column: usize,
    line: String,
    before: usize,
    marked: usize,
}

impl Excerpt {
    fn of(source: &Source<'_>, span: Span) -> Self {
        let (number, start, line) = source.line(span.at());
        let (_, column) = source.line_and_column(span.at());
        let from = span.at().saturating_sub(start).min(line.len());
        let to = span.to().saturating_sub(start).clamp(from, line.len());
        let line = veil(line);
        let (left, rest) = line.split_at_checked(from).unwrap_or((&line, ""));
        let (middle, right) = rest.split_at_checked(to - from).unwrap_or((rest, ""));
        let (left, middle, right) = (shown(left), shown(middle), shown(right));
        // A long line is cut to a window that holds the beginning of what is marked.
        let (left, cut) = cut_left(&left, COLUMNS_MAX / 2, width(&middle) + width(&right));
        let room = COLUMNS_MAX.saturating_sub(width(&left) + cut.len().min(1));
        let line = format!("{cut}{left}{}", cut_right(&(middle.clone() + &right), room));
        let before = width(cut) + width(&left);
        let marked = width(&middle).clamp(1, room.max(1));
        Self { number, column, line, before, marked }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a picture, used twice, here")]
    fn write(
        &self,
        text: &mut String,
        name: &str,
        arrow: &str,
        gutter: usize,
        label: &str,
        colour: &str,
        ink: Ink,
    ) {
        let Self { number, column, line, before, marked } = self;
        let bar = ink.paint(BLUE, &format!("{:gutter$} |", ""));
        let arrow = ink.paint(BLUE, &format!("{:gutter$}{arrow}", ""));
        let numbered = ink.paint(BLUE, &format!("{number:gutter$} |"));
        let carets = ink.paint(colour, &format!("{} {label}", "^".repeat(*marked)));
        *text += &format!("{arrow} {name}:{number}:{column}\n{bar}\n{numbered} {line}");
        let picture = format!("\n{bar} {:before$}{carets}", "");
        text.push_str(clean(&picture, ink).trim_end());
        text.push('\n');
    }
}

/// The last columns of `left`, when all together is too long.
fn cut_left(left: &str, keep: usize, behind: usize) -> (String, &'static str) {
    if width(left) + behind <= COLUMNS_MAX || width(left) <= keep {
        return (left.to_owned(), "");
    }
    let mut taken = 0;
    let start = left.char_indices().rev().take_while(|(_, each)| {
        taken += columns(*each);
        taken < keep
    });
    let at = start.last().map_or(left.len(), |(at, _)| at);
    (left.get(at..).unwrap_or_default().to_owned(), "…")
}

fn cut_right(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut taken = 1;
    let fits = text.chars().take_while(|each| {
        taken += columns(*each);
        taken <= room
    });
    fits.chain(['…']).collect()
}

/// Tabs as blanks, and nothing that a terminal would obey.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for each in text.chars() {
        match each {
            '\t' => out.push_str("    "),
            each if each.is_control() => out.push('\u{fffd}'),
            each => out.push(each),
        }
    }
    out
}

/// Without control characters other than our own colours and line ends.
fn clean(text: &str, ink: Ink) -> String {
    let ours = |each: char| each == '\n' || (each == '\x1b' && ink == Ink::Coloured);
    let clean = |each: char| if each.is_control() && !ours(each) { '\u{fffd}' } else { each };
    text.chars().map(clean).collect()
}

fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Columns of a terminal: wide for the scripts of East Asia and pictures, none for marks above.
fn columns(each: char) -> usize {
    match u32::from(each) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The default of a secret is a secret, also in the line that is shown; columns stay.
fn veil(text: &str) -> String {
    const OPEN: &str = "${secret:";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(OPEN) {
        let (before, found) = rest.split_at(at);
        let body = found.get(OPEN.len()..).unwrap_or_default();
        let body = body.get(..body.find('}').unwrap_or(body.len())).unwrap_or_default();
        let open = body.find(":-").map_or(body.len(), |at| at + 2);
        let (name, default) = body.split_at(open);
        out.extend([before, OPEN, name]);
        // Of the same bytes, too: the marks are counted in them.
        out.push_str(&"*".repeat(default.len()));
        rest = found.get(OPEN.len() + body.len()..).unwrap_or_default();
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, Diagnostics, Ink, Source, Span, veil};

    fn render(text: &str, word: &str) -> String {
        let at = text.find(word).unwrap();
        let mut all = Diagnostics::default();
        all.add(Diagnostic::new(Span::new(at, at + word.len()), "wrong", "right"));
        all.render(&Source { name: "a.yaml", text }, Ink::Plain)
    }

    #[test]
    fn tabs_and_other_scripts_keep_the_caret_in_place() {
        let under = |text: &str| render(text, "here").lines().nth(4).unwrap().to_owned();
        assert_eq!(under("\there"), "  |     ^^^^ right");
        assert_eq!(under("äöü here"), "  |     ^^^^ right");
        assert_eq!(under("日本 here"), "  |      ^^^^ right");
        assert!(render("日本 here", "here").contains("a.yaml:1:4"));
    }

    #[test]
    fn long_lines_are_cut_around_the_caret() {
        let long = format!("{}here{}", "a".repeat(500), "b".repeat(500));
        let text = render(&long, "here");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= 110), "{text}");
        let at = lines[3].find("here").map(|at| lines[3][..at].chars().count());
        assert_eq!(at, lines[4].find("^^^^"), "{text}");
    }

    #[test]
    fn a_terminal_is_not_told_what_to_do() {
        assert!(!render("a\x1b[2Jhere", "here").contains('\x1b'));
    }

    #[test]
    fn defaults_of_secrets_are_veiled() {
        assert_eq!(veil("p: ${secret:A:-abc} ${B:-c}"), "p: ${secret:A:-***} ${B:-c}");
        assert_eq!(veil("${secret:A:-abc"), "${secret:A:-***");
        assert_eq!(veil("${secret:A}"), "${secret:A}");
    }
}
