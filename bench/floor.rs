//! The bare-ring floor: the cheapest honest closed loop of HTTP keep-alive on one `io_uring`.
//!
//! Does:       keeps one constant request in flight on every connection until the time is over.
//! Takes:      `floor HOST:PORT PATH CONNECTIONS SECONDS CORE [--skip-success] [--buffers=NxSIZE]
//!             [--bundle]`.
//! Gives:      one JSON line: `requests` (replies ended), `seconds` (wall), `cpu_user_s` and
//!             `cpu_sys_s` (this process, the measured interval alone), `enters` (system calls).
//! Neighbours: none; std, io-uring and libc alone, so that it stands beside the engine as a
//!             yardstick and shares no code with it.
//! Why so:     nothing is parsed, timed or recorded. The reply's length is learnt once from the
//!             first reply; afterwards a reply has ended when that many bytes came. What the
//!             engine costs above this line is the engine's own. Send completions are paid for
//!             by default, because templates need them; `--skip-success` shows what they cost.
#![expect(unsafe_code, reason = "a bare ring: what the product's net room wraps is used directly")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints its result")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a bench of its own: small numbers, its own clock"
)]

use std::fmt::Display;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use io_uring::types::{BufRingEntry, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, SubmissionQueue, Submitter, cqueue, opcode, squeue};

/// What the command line asks for.
struct Options {
    address: String,
    path: String,
    connections: usize,
    run_time: Duration,
    core: usize,
    /// Whether successful sends post no completion.
    skip_success: bool,
    /// Whether one receive completion may span several buffers.
    bundle: bool,
    buffers: u16,
    buffer_bytes: usize,
}

/// What a run counted, without the CPU time.
struct Counts {
    /// Replies that ended within the interval.
    requests: u64,
    /// Calls of `io_uring_enter`.
    enters: u64,
}

/// CPU time of this process so far, in seconds.
struct Cpu {
    user_s: f64,
    system_s: f64,
}

/// Buffers that the kernel picks from when bytes arrive; the ring of one buffer group (0).
struct BufferRing {
    entries: *mut BufRingEntry,
    pool: *mut u8,
    count: u16,
    size: usize,
    tail: u16,
}

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("floor: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, String> {
    let options = Options::parse(std::env::args().skip(1))?;
    pin(options.core)?;
    let Options { address, path, .. } = &options;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes();
    let reply_bytes = learn_reply_bytes(address, &request)?;

    let mut ring: IoUring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_cqsize(CQ_ENTRIES)
        .build(SQ_ENTRIES)
        .map_err(because("io_uring_setup"))?;
    connect_all(&ring.submitter(), address, options.connections)?;
    let buffers = BufferRing::register(&ring.submitter(), options.buffers, options.buffer_bytes)?;

    let before = Cpu::now()?;
    let started = Instant::now();
    let counts = closed_loop(&mut ring, buffers, &options, &request, reply_bytes)?;
    let seconds = started.elapsed().as_secs_f64();
    let after = Cpu::now()?;
    Ok(format!(
        "{{\"requests\":{},\"seconds\":{seconds:.3},\"cpu_user_s\":{:.3},\"cpu_sys_s\":{:.3},\
         \"enters\":{}}}",
        counts.requests,
        after.user_s - before.user_s,
        after.system_s - before.system_s,
        counts.enters,
    ))
}

/// Sends a request on every connection, and the next one whenever a reply has ended.
fn closed_loop(
    ring: &mut IoUring,
    mut buffers: BufferRing,
    options: &Options,
    request: &[u8],
    reply_bytes: usize,
) -> Result<Counts, String> {
    let deadline = Instant::now() + options.run_time;
    let mut missing = vec![reply_bytes; options.connections];
    let mut counts = Counts { requests: 0, enters: 0 };
    let (submitter, mut sq, mut cq) = ring.split();
    for index in 0..options.connections {
        push(&submitter, &mut sq, &receive_entry(index, options.bundle))?;
        push(&submitter, &mut sq, &send_entry(index, request, options.skip_success))?;
    }
    let patience = Timespec::from(WAIT_MAX);
    while Instant::now() < deadline {
        sq.sync();
        counts.enters += 1;
        let waited = submitter.submit_with_args(1, &SubmitArgs::new().timespec(&patience));
        if let Err(error) = waited {
            let harmless = [libc::EINTR, libc::ETIME];
            if !error.raw_os_error().is_some_and(|number| harmless.contains(&number)) {
                return Err(format!("io_uring_enter: {error}"));
            }
        }
        sq.sync();
        cq.sync();
        for completion in &mut cq {
            let (kind, index) = split_user_data(completion.user_data());
            let result = completion.result();
            if kind == SEND {
                check_send(result, request.len())?;
                continue;
            }
            let ended = receive(&completion, &mut buffers, &mut missing[index], reply_bytes)?;
            if !cqueue::more(completion.flags()) {
                push(&submitter, &mut sq, &receive_entry(index, options.bundle))?;
            }
            if ended {
                counts.requests += 1;
                push(&submitter, &mut sq, &send_entry(index, request, options.skip_success))?;
            }
        }
        buffers.publish();
    }
    Ok(counts)
}

/// Counts what came, gives its buffers back, and says whether the reply has ended.
fn receive(
    completion: &cqueue::Entry,
    buffers: &mut BufferRing,
    missing: &mut usize,
    reply_bytes: usize,
) -> Result<bool, String> {
    let result = completion.result();
    if result == -libc::ENOBUFS {
        return Ok(false); // transient: the caller arms the receive again
    }
    if result <= 0 {
        return Err(format!("recv: {}", ending(result)));
    }
    let bytes = result.unsigned_abs() as usize;
    let first = cqueue::buffer_select(completion.flags())
        .ok_or("recv: a completion with bytes but without a buffer")?;
    buffers.give_back(first, bytes);
    *missing = missing.checked_sub(bytes).ok_or_else(|| {
        format!("recv: {bytes} bytes where {missing} were missing; replies must be equally long")
    })?;
    let ended = *missing == 0;
    if ended {
        *missing = reply_bytes;
    }
    Ok(ended)
}

fn receive_entry(index: usize, bundle: bool) -> squeue::Entry {
    let slot = Fixed(index as u32);
    let entry = if bundle {
        opcode::RecvMultiBundle::new(slot, BUFFER_GROUP).build()
    } else {
        opcode::RecvMulti::new(slot, BUFFER_GROUP).build()
    };
    entry.user_data(RECEIVE | index as u64)
}

fn send_entry(index: usize, request: &[u8], skip_success: bool) -> squeue::Entry {
    let slot = Fixed(index as u32);
    let entry = opcode::Send::new(slot, request.as_ptr(), request.len() as u32)
        .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
        .build()
        .user_data(SEND | index as u64);
    if skip_success { entry.flags(squeue::Flags::SKIP_SUCCESS) } else { entry }
}

/// Queues `entry`, and submits first if the queue is full.
fn push(
    submitter: &Submitter<'_>,
    sq: &mut SubmissionQueue<'_>,
    entry: &squeue::Entry,
) -> Result<(), String> {
    loop {
        // SAFETY: every address in an entry belongs to the request or to the buffer ring, and
        // both outlive the ring's last use (`closed_loop` borrows one and owns the other).
        if unsafe { sq.push(entry) }.is_ok() {
            return Ok(());
        }
        sq.sync();
        submitter.submit().map_err(because("io_uring_enter (submit)"))?;
        sq.sync();
    }
}

fn check_send(result: i32, expected: usize) -> Result<(), String> {
    if usize::try_from(result) == Ok(expected) {
        return Ok(());
    }
    Err(format!("send: {} of {expected} bytes", ending(result)))
}

fn split_user_data(user_data: u64) -> (u64, usize) {
    (user_data & !INDEX_MASK, (user_data & INDEX_MASK) as usize)
}

/// Says in words why a transfer ended: end of stream, a count, or the system's error.
fn ending(result: i32) -> String {
    match result {
        0 => "closed by the peer".to_owned(),
        count if count > 0 => format!("{count} bytes"),
        error => std::io::Error::from_raw_os_error(-error).to_string(),
    }
}

/// Opens the connections and moves them into the ring's table of direct descriptors.
fn connect_all(submitter: &Submitter<'_>, address: &str, count: usize) -> Result<(), String> {
    let mut streams = Vec::with_capacity(count);
    for index in 0..count {
        let stream = TcpStream::connect(address)
            .map_err(because(format!("connect {} of {count} to {address}", index + 1)))?;
        stream.set_nodelay(true).map_err(because("TCP_NODELAY"))?;
        streams.push(stream);
    }
    let descriptors: Vec<i32> = streams.iter().map(AsRawFd::as_raw_fd).collect();
    submitter.register_files(&descriptors).map_err(because("register the connections"))
}

/// Learns from one reply how many bytes, head included, every reply of this target has.
fn learn_reply_bytes(address: &str, request: &[u8]) -> Result<usize, String> {
    let mut stream =
        TcpStream::connect(address).map_err(because(format!("connect to {address}")))?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).map_err(because("read timeout"))?;
    stream.write_all(request).map_err(because("send the first request"))?;
    let mut head = Vec::new();
    let head_bytes = loop {
        let mut chunk = [0; 4096];
        let got = stream.read(&mut chunk).map_err(because("read the first reply"))?;
        if got == 0 {
            return Err(format!("{address} closed before the first reply's head had ended"));
        }
        head.extend_from_slice(&chunk[..got]);
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let text = String::from_utf8_lossy(&head[..head_bytes]).to_ascii_lowercase();
    let body_bytes = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse::<usize>().ok())
        .ok_or("the first reply has no Content-Length; the floor needs replies of equal length")?;
    Ok(head_bytes + body_bytes)
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (flags, plain): (Vec<_>, Vec<_>) = arguments.partition(|a| a.starts_with("--"));
        let [address, path, connections, seconds, core] = plain.as_slice() else {
            return Err(USAGE.to_owned());
        };
        let mut options = Self {
            address: address.clone(),
            path: path.clone(),
            connections: number("CONNECTIONS", connections)?,
            run_time: Duration::from_secs(number("SECONDS", seconds)? as u64),
            core: number("CORE", core)?,
            skip_success: false,
            bundle: false,
            buffers: 1024,
            buffer_bytes: 4096,
        };
        for flag in flags {
            match flag.as_str() {
                "--skip-success" => options.skip_success = true,
                "--bundle" => options.bundle = true,
                other => options.set_buffers(other)?,
            }
        }
        Ok(options)
    }

    fn set_buffers(&mut self, flag: &str) -> Result<(), String> {
        let (count, size) = flag
            .strip_prefix("--buffers=")
            .and_then(|value| value.split_once('x'))
            .ok_or_else(|| format!("unknown flag {flag}\n{USAGE}"))?;
        let count = number("--buffers", count)?;
        if !count.is_power_of_two() || count > 32768 {
            return Err(format!("--buffers: {count} must be a power of two up to 32768"));
        }
        self.buffers = count as u16;
        self.buffer_bytes = number("--buffers", size)?;
        Ok(())
    }
}

impl BufferRing {
    /// Maps `count` buffers of `size` bytes and registers them as buffer group 0.
    fn register(submitter: &Submitter<'_>, count: u16, size: usize) -> Result<Self, String> {
        let pool = map(usize::from(count) * size)?;
        let entries = map(usize::from(count) * size_of::<BufRingEntry>())?.cast();
        // SAFETY: the entries are mapped, page aligned and never unmapped.
        unsafe { submitter.register_buf_ring_with_flags(entries as u64, count, BUFFER_GROUP, 0) }
            .map_err(because("register the buffer ring"))?;
        let mut ring = Self { entries, pool, count, size, tail: 0 };
        (0..count).for_each(|id| ring.put(id));
        ring.publish();
        Ok(ring)
    }

    /// Returns the buffers of one receive: `bytes` from `first` on, in ring order if several.
    fn give_back(&mut self, first: u16, bytes: usize) {
        let mask = self.count - 1;
        let spanned = bytes.div_ceil(self.size) as u16;
        (0..spanned).for_each(|step| self.put((first + step) & mask));
    }

    /// Makes the returned buffers visible to the kernel.
    fn publish(&self) {
        // SAFETY: `entries` is a live buffer ring, whose tail the kernel reads atomically.
        let tail = unsafe { &*BufRingEntry::tail(self.entries).cast::<AtomicU16>() };
        tail.store(self.tail, Ordering::Release);
    }

    fn put(&mut self, id: u16) {
        let at = usize::from(self.tail & (self.count - 1));
        // SAFETY: `at` < count entries, `id` < count buffers; both blocks are mapped for good,
        // and the kernel does not read this entry before `publish`.
        unsafe {
            let entry = &mut *self.entries.add(at);
            entry.set_addr(self.pool.add(usize::from(id) * self.size) as u64);
            entry.set_len(self.size as u32);
            entry.set_bid(id);
        }
        self.tail = self.tail.wrapping_add(1);
    }
}

impl Cpu {
    fn now() -> Result<Self, String> {
        // SAFETY: a zeroed `rusage` is valid, and the call writes nothing else.
        let (code, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::getrusage(libc::RUSAGE_SELF, &mut usage), usage)
        };
        if code != 0 {
            return Err(format!("getrusage: {}", std::io::Error::last_os_error()));
        }
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
        Ok(Self { user_s: seconds(usage.ru_utime), system_s: seconds(usage.ru_stime) })
    }
}

fn pin(core: usize) -> Result<(), String> {
    if core >= libc::CPU_SETSIZE as usize {
        return Err(format!("CORE: {core} is beyond what the system can name"));
    }
    // SAFETY: `core` is inside the set, and the call reads the set alone.
    let code = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set)
    };
    if code != 0 {
        return Err(format!("pin to core {core}: {}", std::io::Error::last_os_error()));
    }
    Ok(())
}

/// Maps `bytes` of zeroed memory, which stays until the process ends.
fn map(bytes: usize) -> Result<*mut u8, String> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_ANONYMOUS | libc::MAP_PRIVATE;
    // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing else.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
    if address == libc::MAP_FAILED {
        return Err(format!("map {bytes} bytes: {}", std::io::Error::last_os_error()));
    }
    Ok(address.cast())
}

fn number(name: &str, text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(value) if value > 0 || name == "CORE" => Ok(value),
        _ => Err(format!("{name}: `{text}` is not a whole number above 0\n{USAGE}")),
    }
}

/// Puts `what` was being done in front of an error.
fn because<E: Display>(what: impl Display) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}

const USAGE: &str = "usage: floor HOST:PORT PATH CONNECTIONS SECONDS CORE [--skip-success] \
                     [--buffers=NxSIZE] [--bundle]";
const SQ_ENTRIES: u32 = 512;
const CQ_ENTRIES: u32 = 4096;
const BUFFER_GROUP: u16 = 0;
/// The longest wait without a completion; it bounds how far a dead target overruns the run.
const WAIT_MAX: Duration = Duration::from_millis(100);
/// The kinds of `user_data`; the connection's index is in the lower half.
const RECEIVE: u64 = 0;
const SEND: u64 = 1 << 32;
const INDEX_MASK: u64 = SEND - 1;
