//! The summary on the terminal: verdict and rates first, then what explains them.
//!
//! 80 columns, ASCII alone, colours only if told. The order is k6's: thresholds, checks, HTTP,
//! WebSocket, users, measures, execution, network, errors by class.

mod beyond;
mod page;
mod phases;
mod search;
mod sections;
mod times;
mod wishes;

use super::build::Report;
use super::document::Verdict;
use super::exit::ExitCode;
use page::{Ink, Page};

pub use page::Colour;

/// How much is said of the times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Latency {
    /// The usual quantiles.
    #[default]
    Brief,
    /// Also the full spectrum of response and service time.
    Spectrum,
}

/// The summary of a run, ending in a newline.
#[must_use]
pub fn summary(report: &Report<'_>, latency: Latency, colour: Colour) -> String {
    let mut page = Page::new(colour);
    let document = &report.document;
    sections::title(&mut page, document);
    if let Some(error) = &report.error {
        page.wrapped("failed", error, Ink::Red);
    }
    if report.exit == ExitCode::Unreachable {
        return page.finish();
    }
    if let Some(why) = &report.unmeasured {
        page.wrapped("stopped", why, Ink::Yellow);
        sections::load(&mut page, document);
        if !document.phases.is_empty() {
            sections::generator(&mut page, report);
        }
        return page.finish();
    }
    sections::silent(&mut page, document);
    sections::dropped(&mut page, report);
    sections::pacing(&mut page, document);
    sections::trust(&mut page, document);
    search::section(&mut page, document);
    wishes::thresholds(&mut page, document);
    wishes::checks(&mut page, document);
    sections::http(&mut page, document);
    times::table(&mut page, document);
    if latency == Latency::Spectrum {
        times::spectrum(&mut page, &report.load);
    }
    sections::by_request(&mut page, document);
    phases::table(&mut page, document);
    beyond::websocket(&mut page, document);
    beyond::users(&mut page, report);
    beyond::spans(&mut page, report);
    sections::execution(&mut page, report);
    sections::network(&mut page, document);
    beyond::errors(&mut page, document);
    sections::errors(&mut page, report);
    sections::events(&mut page, document);
    sections::generator(&mut page, report);
    page.finish()
}

impl Verdict {
    /// In which colour it is shown.
    const fn ink(self) -> Ink {
        match self {
            Self::Passed => Ink::Green,
            Self::Invalid | Self::Interrupted => Ink::Yellow,
            Self::Failed | Self::Aborted => Ink::Red,
        }
    }
}
