//! What the target really did, request by request: the other side of a measurement.
//!
//! A client that numbers its requests in `X-Request-Id` can join what it measured with what was
//! done to it. The file has a line of CSV for each request that was answered, in the order of the
//! answers of each core:
//!
//! | column      | what                                                                    |
//! |-------------|-------------------------------------------------------------------------|
//! | id          | the number in `X-Request-Id`; empty if there is none, or no such number |
//! | path        | as in the counts                                                        |
//! | core        | which server: 0 is the first of `--cores`                               |
//! | arrival_ns  | the request's first byte was read                                       |
//! | answer_ns   | the reply was handed on to be sent; with a lie, what there is of one    |
//! | work_ns     | what `/delay` and `/queue` asked for; 0 elsewhere                       |
//!
//! Times are those of CLOCK_MONOTONIC in nanoseconds, which all processes of a host share. Bytes
//! that wait in the kernel have not arrived: the journal says what the server did, not what the
//! host did to it. A request that was sent before the reply to the one ahead of it on its
//! connection arrives when the server turns to it.
//!
//! It costs the server a search in each head and 48 bytes of memory per request. A thread of its
//! own writes the lines; a server that finds it [`BATCHES`] batches behind drops whole batches,
//! and the file says how many requests that were: `# lost N`.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path as FilePath;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::routes::Path;
use crate::stdx::{Clock, Nanos};

/// A request that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The client's number for it.
    pub id: Option<u64>,
    /// Under which path it is counted.
    pub path: Path,
    /// When its first byte was read.
    pub arrived: Nanos,
    /// When its reply was handed on.
    pub answered: Nanos,
    /// What the reply was to take.
    pub work: Nanos,
}

/// Entries of a batch: 192 KiB, some ten milliseconds of a server's best.
const BATCH: usize = 4096;

/// Batches that wait for the writer, for each server.
const BATCHES: usize = 16;

/// A batch that is not full is handed over after so long, so that readers need not wait for more.
const AGE: Nanos = Nanos::from_millis(20);

/// The entries of one server until they are handed over. Pure.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: Vec<Entry>,
    /// When the batch is handed over at the latest.
    due: Option<Nanos>,
    /// Entries that found no room.
    lost: u64,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self { entries: Vec::with_capacity(BATCH), ..Self::default() }
    }

    pub(super) fn add(&mut self, entry: Entry) {
        if self.entries.len() >= BATCH {
            self.lost += 1;
            return;
        }
        self.due.get_or_insert(entry.answered + AGE);
        self.entries.push(entry);
    }

    /// When it wants to be handed over: at once if half full.
    pub(super) fn due(&self) -> Option<Nanos> {
        if self.entries.len() >= BATCH / 2 { Some(Nanos::ZERO) } else { self.due }
    }

    /// The entries; those of `empty` are written next, which is emptied.
    pub(super) fn take(&mut self, mut empty: Vec<Entry>) -> Batch {
        empty.clear();
        empty.reserve_exact(BATCH);
        self.due = None;
        let entries = std::mem::replace(&mut self.entries, empty);
        Batch { server: 0, entries, lost: std::mem::take(&mut self.lost) }
    }

    /// A batch could not be handed over: the writer is behind.
    pub(super) fn drop_batch(&mut self, batch: &Batch) {
        self.lost += batch.lost + batch.entries.len() as u64;
    }
}

/// What one server hands over at once.
#[derive(Debug)]
pub(super) struct Batch {
    server: usize,
    entries: Vec<Entry>,
    lost: u64,
}

/// One server's way to the writer.
#[derive(Debug)]
pub struct Outlet {
    server: usize,
    batches: SyncSender<Batch>,
    /// Emptied ones come back here.
    empty: Receiver<Vec<Entry>>,
}

impl Outlet {
    /// Hands a batch over, unless the writer is behind. Never waits.
    pub(super) fn hand_over(&self, journal: &mut Journal) {
        let empty = self.empty.try_recv().unwrap_or_default();
        let batch = Batch { server: self.server, ..journal.take(empty) };
        if let Err(refused) = self.batches.try_send(batch) {
            let (std::sync::mpsc::TrySendError::Full(batch)
            | std::sync::mpsc::TrySendError::Disconnected(batch)) = refused;
            journal.drop_batch(&batch);
        }
    }
}

/// Starts the writer of a file for so many servers, and gives each its outlet. It ends when all
/// outlets are gone, or the file takes no more.
///
/// # Errors
/// When the file cannot be made or the thread not be started.
pub(super) fn start(path: &FilePath, servers: usize, clock: Clock) -> io::Result<Vec<Outlet>> {
    let mut file = File::create(path)?;
    file.write_all(b"id,path,core,arrival_ns,answer_ns,work_ns\n")?;
    let (batches, inbox) = sync_channel(BATCHES * servers.max(1));
    let mut outlets = Vec::with_capacity(servers);
    let mut spares = Vec::with_capacity(servers);
    for server in 0..servers {
        let (spare, empty) = channel();
        spares.push(spare);
        outlets.push(Outlet { server, batches: batches.clone(), empty });
    }
    let zero = clock.monotonic_at_zero();
    let write = move || write_all(&mut file, &inbox, &spares, zero);
    thread::Builder::new().name("journal".to_owned()).spawn(write)?;
    Ok(outlets)
}

fn write_all(file: &mut File, inbox: &Receiver<Batch>, spares: &[Sender<Vec<Entry>>], zero: Nanos) {
    let mut text = Vec::new();
    let mut lost = 0;
    while let Ok(batch) = inbox.recv() {
        text.clear();
        lines(&batch, zero, &mut text);
        if batch.lost > 0 {
            lost += batch.lost;
            // Writing to memory does not fail.
            let _written = writeln!(text, "# lost {lost}");
        }
        // A full disk ends the journal, not the target: outlets then count what is lost.
        if file.write_all(&text).is_err() {
            return;
        }
        if let Some(spare) = spares.get(batch.server) {
            drop(spare.send(batch.entries));
        }
    }
}

fn lines(batch: &Batch, zero: Nanos, text: &mut Vec<u8>) {
    for Entry { id, path, arrived, answered, work } in &batch.entries {
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        let (path, server) = (path.name(), batch.server);
        let (arrived, answered) = ((zero + *arrived).0, (zero + *answered).0);
        let _written = writeln!(text, "{id},{path},{server},{arrived},{answered},{}", work.0);
    }
}

/// The number in a head's `X-Request-Id`.
pub(super) fn id_of(head: &[u8]) -> Option<u64> {
    let field = head.split(|&byte| byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    })?;
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}

const NAME: &[u8] = b"x-request-id:";

#[cfg(test)]
mod tests {
    use super::{AGE, BATCH, Batch, Entry, Journal, Nanos, Path, id_of, lines};

    fn entry(id: u64) -> Entry {
        let (arrived, answered) = (Nanos(id * 10), Nanos(id * 10 + 7));
        Entry { id: Some(id), path: Path::Delay, arrived, answered, work: Nanos(5) }
    }

    #[test]
    fn ids_are_found_in_heads() {
        let head = |field: &str| id_of(format!("GET / HTTP/1.1\r\n{field}\r\n\r\n").as_bytes());
        assert_eq!(head("X-Request-Id: 17"), Some(17));
        assert_eq!(head("Host: a\r\nx-request-id:18446744073709551615"), Some(u64::MAX));
        assert_eq!(head("X-Request-Id: a7"), None);
        assert_eq!(head("X-Request-Id: "), None);
        assert_eq!(head("X-Request-Ids: 1"), None);
        assert_eq!(head("Host: a"), None);
    }

    #[test]
    fn a_batch_is_bounded_and_what_it_had_no_room_for_is_counted() {
        let mut journal = Journal::new();
        assert_eq!(journal.due(), None);
        journal.add(entry(1));
        assert_eq!(journal.due(), Some(Nanos(17) + AGE));
        (1..BATCH as u64 + 3).for_each(|id| journal.add(entry(id)));
        assert_eq!(journal.due(), Some(Nanos::ZERO));
        let batch = journal.take(Vec::new());
        assert_eq!((batch.entries.len(), batch.lost), (BATCH, 3));
        assert_eq!(journal.due(), None);
        journal.drop_batch(&batch);
        assert_eq!(journal.take(Vec::new()).lost, BATCH as u64 + 3);
    }

    #[test]
    fn lines_are_in_the_hosts_time() {
        let entries = vec![entry(3), Entry { id: None, ..entry(4) }];
        let mut text = Vec::new();
        lines(&Batch { server: 1, entries, lost: 0 }, Nanos(1_000), &mut text);
        let text = String::from_utf8(text).expect("ASCII");
        assert_eq!(text, "3,/delay,1,1030,1037,5\n,/delay,1,1040,1047,5\n");
    }
}
