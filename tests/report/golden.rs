//! Each format, byte for byte.

use std::path::Path;

use onslaught::metrics::Trend;
use onslaught::report::{Colour, Document, Latency, csv, hgrm, hlog, json, text};

use crate::fixture::Fixture;
use crate::forge::forge;

/// Compares with the file of that name, or rewrites it if asked to. The tool's version is not
/// what these files are about.
pub(crate) fn golden(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/report").join(name);
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let actual =
        String::from_utf8(bytes.to_vec()).expect("text").replace(&version, "\"version\": \"0\"");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).expect("a writable golden file");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = expected.lines().zip(actual.lines()).enumerate();
    if let Some((at, (old, new))) = lines.into_iter().find(|(_, (old, new))| old != new) {
        panic!("{name}:{}\n  golden: {old}\n  now:    {new}\n{HINT}", at + 1);
    }
    assert!(expected == actual, "{name}: lengths differ\n{HINT}");
}

const HINT: &str = "if that is meant: UPDATE_GOLDEN=1 cargo test --test report";

#[test]
fn summary_json() {
    let fixture = Fixture::mixed();
    golden("summary.json", &json::summary(&fixture.report().document).expect("in memory"));
}

#[test]
fn summary_text_of_a_mix() {
    let fixture = Fixture::mixed();
    let text = text::summary(&fixture.report(), Latency::Brief, Colour::Plain);
    golden("summary.txt", text.as_bytes());
}

#[test]
fn summary_text_with_the_spectrum() {
    let fixture = Fixture::plain();
    let text = text::summary(&fixture.report(), Latency::Spectrum, Colour::Plain);
    golden("summary-latency.txt", text.as_bytes());
}

#[test]
fn summaries_of_a_scenario() {
    let fixture = forge();
    let report = fixture.report();
    golden("taskforge.json", &json::summary(&report.document).expect("in memory"));
    let text = text::summary(&report, Latency::Brief, Colour::Plain);
    golden("taskforge.txt", text.as_bytes());
}

#[test]
fn series_csv() {
    let fixture = Fixture::mixed();
    golden("series.csv", &csv::series(&fixture.report().document).expect("in memory"));
}

#[test]
fn events_ndjson() {
    let fixture = Fixture::mixed();
    golden("events.ndjson", &json::events(&fixture.report().document).expect("in memory"));
}

#[test]
fn latency_hgrm() {
    let fixture = Fixture::mixed();
    let report = fixture.report();
    let spectrum = hgrm::spectrum(report.load.trend(Trend::Duration)).expect("in memory");
    golden("latency.hgrm", &spectrum);
}

#[test]
fn histograms_hlog() {
    let fixture = Fixture::mixed();
    golden("histograms.hlog", &hlog::log(&fixture.report()).expect("in memory"));
}

#[test]
fn a_document_is_read_back_as_it_was() {
    let fixture = Fixture::mixed();
    let document = fixture.report().document;
    let bytes = json::summary(&document).expect("in memory");
    let read: Document = serde_json::from_slice(&bytes).expect("our own document");
    assert_eq!(read, document);
}

#[test]
fn text_fits_a_terminal_and_is_ascii() {
    for fixture in [Fixture::mixed(), Fixture::plain(), forge()] {
        let report = fixture.report();
        let plain = text::summary(&report, Latency::Spectrum, Colour::Plain);
        assert!(plain.is_ascii());
        for line in plain.lines() {
            assert!(line.len() <= 80, "{} columns: {line}", line.len());
            assert_eq!(line, line.trim_end());
        }
        let coloured = text::summary(&report, Latency::Spectrum, Colour::Ansi);
        assert_ne!(coloured, plain);
        assert_eq!(without_codes(&coloured), plain, "colours move nothing");
    }
}

/// The text without `ESC [ ... m`.
fn without_codes(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}
