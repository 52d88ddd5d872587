//! `junit.xml`: the run and each threshold as a test case, for what shows test results.

use std::fmt::Write as _;

use super::document::{Document, ThresholdRow, Verdict};

/// The document as one test suite.
#[must_use]
pub fn suite(document: &Document) -> String {
    let run_failed = !matches!(document.verdict, Verdict::Passed);
    // A run that failed by its thresholds alone is told by them.
    let by_thresholds = document.exit_code == 99;
    let missed = document.thresholds.iter().filter(|row| !row.passed).count();
    let failures = missed + usize::from(run_failed && !by_thresholds);
    let tests = document.thresholds.len() + 1;
    let (name, seconds) = (escaped(&document.name), document.run.duration_s);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _never = writeln!(
        text,
        "<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" \
         time=\"{seconds}\" timestamp=\"{}\">",
        escaped(&document.run.started_at)
    );
    let what = format!(
        "exit code {}, {}, {}",
        document.exit_code,
        document.verdict.key(),
        document.trust.verdict
    );
    case(&mut text, "run", &name, (run_failed && !by_thresholds).then_some(what));
    for row in &document.thresholds {
        case(&mut text, "threshold", &escaped(&row.text), (!row.passed).then(|| found(row)));
    }
    text.push_str("</testsuite>\n");
    text
}

/// What was measured instead.
fn found(row: &ThresholdRow) -> String {
    let value = row.value.map(|value| match row.unit.as_str() {
        "ms" => format!("{value} ms on {} samples", row.samples),
        "/s" => format!("{value}/s on {} samples", row.samples),
        _ => format!("{value} on {} samples", row.samples),
    });
    let parts: Vec<String> = value.into_iter().chain(row.reason.clone()).collect();
    parts.join("; ")
}

fn case(text: &mut String, class: &str, name: &str, failure: Option<String>) {
    let head = format!("  <testcase classname=\"{class}\" name=\"{name}\"");
    let line = match failure {
        None => format!("{head}/>\n"),
        Some(why) => {
            format!("{head}>\n    <failure message=\"{}\"/>\n  </testcase>\n", escaped(&why))
        }
    };
    text.push_str(&line);
}

/// For an attribute of XML 1.0, which has no place for most control characters.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for each in text.chars() {
        match each {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' | '\r' => safe.push(' '),
            each if each.is_control() || matches!(each, '\u{fffe}' | '\u{ffff}') => safe.push('?'),
            each => safe.push(each),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn any_text_is_a_legal_attribute() {
        assert_eq!(escaped("p(95) < \"5\" & \u{1b}[1m\n"), "p(95) &lt; &quot;5&quot; &amp; ?[1m ");
    }
}
