//! `summary.json`, and its events once more as one JSON object a line.

use std::io::Write as _;

use super::document::Document;

/// `summary.json`: indented, so that two runs can be compared line by line.
///
/// # Errors
/// Never in practice: the document holds nothing that JSON cannot.
pub fn summary(document: &Document) -> std::io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// `events.ndjson`.
///
/// # Errors
/// Never in practice, as above.
pub fn events(document: &Document) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for event in &document.events {
        serde_json::to_writer(&mut bytes, event)?;
        writeln!(bytes)?;
    }
    Ok(bytes)
}
