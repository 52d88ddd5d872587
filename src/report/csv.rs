//! `series.csv`: the rows of `series`, one line a second.

use std::io::Write as _;

use super::document::{Document, SeriesRow};

/// The columns: the fields of [`SeriesRow`], in its order.
pub const COLUMNS: &str = "t_s,span_s,sent,replies,replies_per_s,ok,failed,dropped,bytes_received,\
                           bytes_sent,in_flight,connections,p50_ms,p95_ms,p99_ms,max_ms,lag_p99_ms";

/// RFC 4180 with `\n`; every field is a number, so nothing needs quotes.
///
/// # Errors
/// Never in practice: it is written to memory.
pub fn series(document: &Document) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    writeln!(bytes, "{COLUMNS}")?;
    for row in &document.series {
        line(&mut bytes, row)?;
    }
    Ok(bytes)
}

fn line(bytes: &mut Vec<u8>, row: &SeriesRow) -> std::io::Result<()> {
    let SeriesRow { t_s, span_s, sent, replies, replies_per_s, .. } = row;
    write!(bytes, "{t_s},{span_s},{sent},{replies},{replies_per_s},")?;
    let SeriesRow { ok, failed, dropped, .. } = row;
    write!(bytes, "{ok},{failed},{dropped},")?;
    let SeriesRow { bytes_received, bytes_sent, in_flight, connections, .. } = row;
    write!(bytes, "{bytes_received},{bytes_sent},{in_flight},{connections},")?;
    let SeriesRow { p50_ms, p95_ms, p99_ms, max_ms, lag_p99_ms, .. } = row;
    writeln!(bytes, "{p50_ms},{p95_ms},{p99_ms},{max_ms},{lag_p99_ms}")
}
