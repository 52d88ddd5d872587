//! A client and a server with nothing to them: what this host adds to a measurement by itself.
//!
//! Two threads on the cores of a test speak over loopback with blocking calls. The server reads a
//! byte, sleeps, and answers; both note when. What the client measured is longer than what the
//! server did by two wake-ups and two trips through the kernel, which no load generator avoids.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rustix::thread::{ClockId, CpuSet, clock_nanosleep_absolute, sched_setaffinity};
use rustix::time::{Timespec, clock_gettime};

use super::joined::Joined;

const SECOND: i64 = 1_000_000_000;

/// So many requests, so far apart, each answered after a delay: as both sides saw them.
#[track_caller]
pub(crate) fn bare(
    [ours, theirs]: [usize; 2],
    count: usize,
    period: Duration,
    delay: Duration,
) -> Vec<Joined> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen on loopback");
    let address = listener.local_addr().expect("an address");
    let delay = nanos(delay);
    let server = std::thread::spawn(move || {
        pin(theirs);
        let (stream, _) = listener.accept().expect("a client");
        serve(stream, count, delay)
    });
    let client = std::thread::spawn(move || {
        pin(ours);
        ask(TcpStream::connect(address).expect("a server"), count, nanos(period))
    });
    let asked = client.join().expect("the client's thread");
    let served = server.join().expect("the server's thread");
    let join =
        |((sent, done), (arrived, answered))| Joined { sent, done, arrived, answered, work: delay };
    asked.into_iter().zip(served).map(join).collect()
}

fn ask(mut stream: TcpStream, count: usize, period: i64) -> Vec<(i64, i64)> {
    stream.set_nodelay(true).expect("no delay");
    let mut due = now();
    let mut ask = || {
        due += period;
        sleep_until(due);
        let sent = now();
        stream.write_all(b"?").expect("a request");
        stream.read_exact(&mut [0]).expect("a reply");
        (sent, now())
    };
    (0..count).map(|_| ask()).collect()
}

fn serve(mut stream: TcpStream, count: usize, delay: i64) -> Vec<(i64, i64)> {
    stream.set_nodelay(true).expect("no delay");
    let mut answer = || {
        stream.read_exact(&mut [0]).expect("a request");
        let arrived = now();
        sleep_until(arrived + delay);
        let answered = now();
        stream.write_all(b"!").expect("a reply");
        (arrived, answered)
    };
    (0..count).map(|_| answer()).collect()
}

fn pin(core: usize) {
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).expect("pin a thread");
}

fn sleep_until(at: i64) {
    let at = Timespec { tv_sec: at / SECOND, tv_nsec: at % SECOND };
    clock_nanosleep_absolute(ClockId::Monotonic, &at).expect("sleep until a moment");
}

fn now() -> i64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec * SECOND + time.tv_nsec
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).expect("a short span")
}
