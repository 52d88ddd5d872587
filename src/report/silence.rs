//! Stretches of a run in which nothing succeeded: a share of failures over the whole run hides
//! them, most of all in a closed loop, which does little while its target is away.

use super::document::SeriesRow;

/// Fewer failures in a row are no stretch: at low rates they are accidents.
const FAILED_LEAST: u64 = 10;
/// Shorter ones are not told.
const LEAST_S: f64 = 1.0;

/// From one second of the timeline to another, nothing succeeded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Silence {
    /// Begin, in seconds since the start of the load.
    pub(super) from_s: f64,
    /// End, likewise.
    pub(super) to_s: f64,
    /// Operations that failed meanwhile.
    pub(super) failed: u64,
}

/// All of them, in order; none where nothing succeeded at all, which the verdict tells.
pub(super) fn silences(rows: &[SeriesRow]) -> Vec<Silence> {
    if rows.iter().all(|row| row.ok == 0) {
        return Vec::new();
    }
    let mut found: Vec<Silence> = Vec::new();
    let mut lasts = false;
    for row in rows {
        let silent = row.ok == 0 && (row.failed > 0 || lasts && row.in_flight > 0);
        match found.last_mut() {
            Some(silence) if silent && lasts => {
                silence.to_s = row.t_s;
                silence.failed += row.failed;
            }
            _ if silent => found.push(Silence {
                from_s: (row.t_s - row.span_s).max(0.0),
                to_s: row.t_s,
                failed: row.failed,
            }),
            _ => {}
        }
        lasts = silent;
    }
    // A second that is counted is some milliseconds shorter or longer.
    let long = |each: &Silence| each.to_s - each.from_s > LEAST_S * 0.9;
    found.retain(|each| long(each) && each.failed >= FAILED_LEAST);
    found
}

#[cfg(test)]
mod tests {
    use super::{SeriesRow, Silence, silences};

    fn rows(seconds: &[(u64, u64)]) -> Vec<SeriesRow> {
        let row = |(at, (ok, failed)): (u32, &(u64, u64))| SeriesRow {
            t_s: f64::from(at),
            span_s: 1.0,
            ok: *ok,
            failed: *failed,
            in_flight: 1,
            ..SeriesRow::default()
        };
        (1..).zip(seconds).map(row).collect()
    }

    #[test]
    fn a_target_that_goes_away_is_seen() {
        let gone = [(500, 0), (400, 9), (0, 7), (0, 0), (0, 4), (500, 0)];
        let expected = Silence { from_s: 2.0, to_s: 5.0, failed: 11 };
        assert_eq!(silences(&rows(&gone)), [expected]);
    }

    #[test]
    fn accidents_and_utter_failure_are_not_told() {
        assert_eq!(silences(&rows(&[(1, 0), (0, 1), (1, 0), (0, 0), (1, 0)])), []);
        assert_eq!(silences(&rows(&[(0, 500), (0, 500)])), [], "the verdict says it");
        assert_eq!(silences(&rows(&[(1, 500), (1, 500)])), [], "something succeeded");
    }
}
