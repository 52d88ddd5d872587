// Long: nine ways to wait, the load and its target in one file, so that a line of the table
// can be repeated by copying one program.
//! How one core drives many `io_uring` rings: every candidate, one load generator, one table.
//!
//! Does:       holds HTTP keep-alive connections spread over N rings on one core, and waits for
//!             them in each of the ways of [`Candidate`]; target and generator never share a core.
//! Takes:      `rings [--rounds=N]` for the whole table, or
//!             `rings one ADDRESS CANDIDATE RINGS CONNECTIONS MILLISECONDS closed|idle
//!             [spread|packed|secondaries]` for one line (`rings serve CORE` starts a target and
//!             prints its address).
//! Gives:      one JSON line per variant. `cpu_*_s` is this process in the measured interval;
//!             `enters` and `blocks` count its system calls and its sleeps; `missed` counts the
//!             sleeps that ended by timeout although a ring had work: a lost wake-up; `vain` the
//!             calls that a stale TASKRUN flag caused.
//! Neighbours: none; std, io-uring and libc alone.
//! Length:     beyond 600 lines, because a bench program stands alone: it brings its own target,
//!             its own buffer ring and its own thin system calls.
//! Why so:     a ring's table of direct descriptors is capped by RLIMIT_NOFILE, so many
//!             connections need many rings, and a thread that sleeps in one ring does not run the
//!             deferred completions of another. The interleaved rounds make the noise visible.
#![expect(unsafe_code, reason = "a bare ring: what the product's net room wraps is used directly")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints its result")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::cast_sign_loss,
    reason = "a bench of its own: small numbers, its own clock"
)]

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU16, Ordering, fence};
use std::time::{Duration, Instant};

use io_uring::types::{BufRingEntry, Fd, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, SubmissionQueue, Submitter, cqueue, opcode, squeue};

/// A way to wait for many rings. The first ring of a lane is its primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Candidate {
    /// One thread per ring, all on the same core.
    Lanes,
    /// DEFER rings; each signals an eventfd of its own, which the primary reads.
    EventfdEach,
    /// DEFER rings; all signal one eventfd, which the primary reads.
    EventfdShared,
    /// As [`Self::EventfdShared`], but the signal is switched off while the thread is awake.
    EventfdQuiet,
    /// As [`Self::EventfdQuiet`], but the thread sleeps in epoll on the eventfd, not in a ring.
    EventfdEpoll,
    /// COOP rings; the thread sleeps in epoll on the rings' descriptors.
    CoopEpoll,
    /// COOP rings, whose descriptors the DEFER primary polls.
    CoopPoll,
    /// DEFER rings; the thread sleeps in epoll on the rings' descriptors.
    DeferEpoll,
    /// DEFER rings, whose descriptors the primary polls.
    DeferPoll,
    /// DEFER rings that signal nothing; the primary's sleep is cut to 1 ms.
    Tick,
}

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// The next request follows the reply at once.
    Closed,
    /// Every connection sends one request per [`IDLE_PERIOD`], evenly staggered.
    Idle,
}

/// One line of the table.
#[derive(Clone, Debug)]
struct Variant {
    address: String,
    candidate: Candidate,
    rings: usize,
    load: Load,
    connections: usize,
    run_time: Duration,
    placement: Placement,
}

/// Which rings the connections are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placement {
    /// All rings, evenly.
    Spread,
    /// The first ring alone.
    Packed,
    /// All rings but the first, evenly: nothing wakes the primary but the signal.
    Secondaries,
}

/// Where a thread sleeps, and what wakes it there.
enum Bed {
    /// In the primary ring, whose own completions suffice.
    Primary,
    /// In the primary ring; each secondary ring has a wake-up request armed in it.
    Armed { wakes: Vec<Wake>, quiet: bool },
    /// In epoll.
    Epoll { epoll: OwnedFd, quiet: bool },
}

/// One wake-up request in the primary ring.
struct Wake {
    entry: squeue::Entry,
    armed: bool,
}

/// One thread with its rings; `first` is the number of its first ring among all.
struct Lane<'a> {
    variant: &'a Variant,
    first: usize,
    rings: Vec<Ring>,
    bed: Bed,
    tally: Tally,
}

/// What a lane counted.
#[derive(Default)]
struct Tally {
    requests: u64,
    enters: u64,
    blocks: u64,
    missed: u64,
    /// Calls for a ring that then had no completion, though its TASKRUN flag was set.
    vain: u64,
    /// Receives that ended without an error of the connection, nearly always for want of buffers.
    rearmed: u64,
    /// From the submission of a request to the handling of its reply, in nanoseconds; idle only.
    latencies_ns: Vec<u64>,
}

/// A ring with its buffers and the state of its connections, which are its first slots.
struct Ring {
    uring: IoUring,
    buffers: BufferRing,
    connections: Vec<Connection>,
}

/// A connection, with the bytes that the reply in flight still misses.
struct Connection {
    missing: usize,
    sent: Instant,
}

/// Buffers that the kernel picks from when bytes arrive; the ring of one buffer group (0).
struct BufferRing {
    entries: *mut BufRingEntry,
    pool: *mut u8,
    count: u16,
    tail: u16,
}

/// The target process; dropped, it is killed.
struct Target {
    child: Child,
    address: String,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve", core] => number("CORE", core).and_then(serve),
        ["one", rest @ ..] => Variant::parse(rest).and_then(|variant| one(&variant)),
        [] => table(1),
        [flag] => match flag.strip_prefix("--rounds=") {
            Some(rounds) => number("--rounds", rounds).and_then(table),
            None => Err(USAGE.to_owned()),
        },
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("rings: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every variant `rounds` times, interleaved, each in a process of its own.
fn table(rounds: usize) -> Result<(), String> {
    let program = std::env::current_exe().map_err(because("own path"))?;
    let target = Target::start(&program)?;
    for _ in 0..rounds {
        for &(rings, candidates) in TABLE {
            for &(load, connections, millis) in LOADS {
                for &candidate in candidates {
                    let status = Command::new(&program)
                        .args(["one", &target.address, candidate.name()])
                        .args([rings, connections, millis].map(|n: usize| n.to_string()))
                        .arg(load.name())
                        .status()
                        .map_err(because("start a variant"))?;
                    if !status.success() {
                        eprintln!("rings: {} at {rings} rings failed", candidate.name());
                    }
                }
            }
        }
    }
    Ok(())
}

/// Measures one variant and prints its line.
fn one(variant: &Variant) -> Result<(), String> {
    pin(GENERATOR_CORE)?;
    stop_after(variant.run_time + GRACE);
    let lanes = if variant.candidate == Candidate::Lanes { variant.rings } else { 1 };
    let (ready, go) = (Barrier::new(lanes + 1), Barrier::new(lanes + 1));
    let (tallies, seconds, before, after) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..lanes)
            .map(|lane| {
                let (ready, go) = (&ready, &go);
                scope.spawn(move || {
                    let prepared = Lane::prepare(variant, lane, variant.rings / lanes);
                    ready.wait();
                    go.wait();
                    prepared.and_then(Lane::run)
                })
            })
            .collect();
        ready.wait();
        let before = Cpu::now();
        let started = Instant::now();
        go.wait();
        let tallies: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a lane panicked".to_owned())))
            .collect();
        (tallies, started.elapsed().as_secs_f64(), before, Cpu::now())
    });
    let mut total = Tally::default();
    for tally in tallies {
        total.add(tally?);
    }
    println!("{}", total.line(variant, seconds, &before?, &after?));
    Ok(())
}

impl<'a> Lane<'a> {
    /// Makes the rings on the thread that will use them, and connects.
    fn prepare(variant: &'a Variant, lane: usize, count: usize) -> Result<Self, String> {
        let first = lane * count;
        let rings = (0..count)
            .map(|ring| Ring::new(variant, first + ring, ring == 0))
            .collect::<Result<Vec<_>, _>>()?;
        let bed = Bed::make(variant.candidate, &rings)?;
        Ok(Self { variant, first, rings, bed, tally: Tally::default() })
    }

    /// Drives the rings until the time is over. No pass sleeps while any ring has work.
    fn run(mut self) -> Result<Tally, String> {
        let started = Instant::now();
        let deadline = started + self.variant.run_time;
        for ring in &mut self.rings {
            ring.arm_receives(self.variant.load == Load::Closed)?;
        }
        let mut next = 0; // the next message of the idle load, counted over all lanes
        let sleeps_in_primary = !matches!(self.bed, Bed::Epoll { .. });
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Ok(self.tally);
            }
            let wake = match self.variant.load {
                Load::Closed => deadline,
                Load::Idle => self.send_due(started, now, &mut next)?.min(deadline),
            };
            let mut busy = false;
            for ring in self.rings.iter_mut().skip(usize::from(sleeps_in_primary)) {
                busy |= ring.turn(self.variant.load, &mut self.tally)?;
            }
            if busy {
                if sleeps_in_primary && self.rings[0].has_work() {
                    self.rings[0].enter(0, None, &mut self.tally)?;
                    self.bed.woken(&mut self.rings[0], self.variant.load, &mut self.tally)?;
                }
                continue;
            }
            self.sleep(wake.saturating_duration_since(now).min(SLEEP_MAX))?;
        }
    }

    /// Sends what the idle load owes by `now`; gives the time of this lane's next message.
    fn send_due(
        &mut self,
        started: Instant,
        now: Instant,
        next: &mut usize,
    ) -> Result<Instant, String> {
        let gap = IDLE_PERIOD / self.variant.connections as u32;
        if self.rings.iter().all(|ring| ring.connections.is_empty()) {
            return Ok(now + SLEEP_MAX);
        }
        loop {
            let (ring, slot) = self.variant.place(*next % self.variant.connections);
            if (self.first..self.first + self.rings.len()).contains(&ring) {
                let due = started + gap * (*next as u32 + 1);
                if due > now {
                    return Ok(due);
                }
                let ring = &mut self.rings[ring - self.first];
                ring.connections[slot].sent = now;
                ring.push(&send_entry(slot))?;
            }
            *next += 1;
        }
    }

    /// Sleeps until a completion, a wake-up or the end of `patience`, and handles the primary's.
    fn sleep(&mut self, patience: Duration) -> Result<(), String> {
        let Self { variant, rings, bed, tally, .. } = self;
        let (primary, secondaries) = rings.split_first_mut().ok_or("a lane without rings")?;
        let is_tick = variant.candidate == Candidate::Tick;
        let patience = if is_tick { patience.min(TICK) } else { patience };
        tally.blocks += 1;
        let timed_out = match bed {
            Bed::Primary => primary.enter(1, Some(patience), tally)?,
            Bed::Armed { wakes, quiet } => {
                for wake in wakes.iter_mut().filter(|wake| !wake.armed) {
                    primary.push(&wake.entry)?;
                    wake.armed = true;
                }
                let work = *quiet && listen(secondaries, tally)?;
                let wait = if work { Duration::ZERO } else { patience };
                let timed_out = primary.enter(usize::from(!work), Some(wait), tally)?;
                if *quiet {
                    secondaries.iter_mut().for_each(Ring::mute);
                }
                timed_out && !work
            }
            Bed::Epoll { epoll, quiet } => {
                let work = *quiet
                    && (listen(secondaries, tally)?
                        | listen(std::slice::from_mut(primary), tally)?);
                let wait = if work { Duration::ZERO } else { patience };
                let timed_out = sleep_in_epoll(epoll, wait)?;
                if *quiet {
                    secondaries.iter_mut().for_each(Ring::mute);
                    primary.mute();
                }
                timed_out && !work
            }
        };
        if timed_out
            && !is_tick
            && patience > MISS_MIN
            && secondaries.iter_mut().any(Ring::has_work)
        {
            tally.missed += 1;
        }
        bed.woken(primary, variant.load, tally)
    }
}

impl Bed {
    fn make(candidate: Candidate, rings: &[Ring]) -> Result<Self, String> {
        let secondaries = rings.get(1..).unwrap_or_default();
        match candidate {
            Candidate::Lanes | Candidate::Tick => Ok(Self::Primary),
            Candidate::EventfdEach => {
                let wakes = secondaries
                    .iter()
                    .enumerate()
                    .map(|(number, ring)| {
                        let event = eventfd()?;
                        ring.signal(&event)?;
                        Wake::read(number, event)
                    })
                    .collect::<Result<_, String>>()?;
                Ok(Self::Armed { wakes, quiet: false })
            }
            Candidate::EventfdShared | Candidate::EventfdQuiet => {
                let event = eventfd()?;
                secondaries.iter().try_for_each(|ring| ring.signal(&event))?;
                let wakes =
                    if secondaries.is_empty() { vec![] } else { vec![Wake::read(0, event)?] };
                Ok(Self::Armed { wakes, quiet: candidate == Candidate::EventfdQuiet })
            }
            Candidate::CoopPoll | Candidate::DeferPoll => {
                let polls = secondaries.iter().enumerate();
                let wakes = polls.map(|(number, ring)| Wake::poll(number, &ring.uring)).collect();
                Ok(Self::Armed { wakes, quiet: false })
            }
            Candidate::EventfdEpoll => {
                let event = eventfd()?;
                rings.iter().try_for_each(|ring| ring.signal(&event))?;
                let epoll = epoll_of(&[event.into_raw_fd()])?; // lives as long as the process
                Ok(Self::Epoll { epoll, quiet: true })
            }
            Candidate::CoopEpoll | Candidate::DeferEpoll => {
                let descriptors: Vec<_> = rings.iter().map(|r| r.uring.as_raw_fd()).collect();
                Ok(Self::Epoll { epoll: epoll_of(&descriptors)?, quiet: false })
            }
        }
    }

    /// Handles the primary's completions, wake-ups included.
    fn woken(&mut self, primary: &mut Ring, load: Load, tally: &mut Tally) -> Result<(), String> {
        let mut none = [];
        let wakes = match self {
            Self::Armed { wakes, .. } => wakes.as_mut_slice(),
            Self::Primary | Self::Epoll { .. } => &mut none,
        };
        primary.drain(load, wakes, tally).map(|_| ())
    }
}

impl Wake {
    /// A read of an eventfd: completes on a signal and resets the count in one request.
    fn read(number: usize, event: OwnedFd) -> Result<Self, String> {
        let count = map(size_of::<u64>())?;
        let entry = opcode::Read::new(Fd(event.into_raw_fd()), count, size_of::<u64>() as u32);
        Ok(Self { entry: entry.build().user_data(WAKE | number as u64), armed: false })
    }

    /// A poll of another ring. A multishot would not help: io_uring ends it after one wake-up
    /// that comes from io_uring itself.
    fn poll(number: usize, uring: &IoUring) -> Self {
        let entry = opcode::PollAdd::new(Fd(uring.as_raw_fd()), libc::POLLIN as u32);
        Self { entry: entry.build().user_data(WAKE | number as u64), armed: false }
    }
}

impl Ring {
    /// Makes ring `number` of a variant with its share of buffers and connections.
    fn new(variant: &Variant, number: usize, is_primary: bool) -> Result<Self, String> {
        let (sq_entries, cq_entries) = if is_primary { PRIMARY } else { SECONDARY };
        let coop = match variant.candidate {
            Candidate::CoopEpoll => true,
            Candidate::CoopPoll => !is_primary,
            _ => false,
        };
        let mut builder = IoUring::builder();
        builder.setup_single_issuer().setup_taskrun_flag().setup_cqsize(cq_entries);
        if coop {
            builder.setup_coop_taskrun();
        } else {
            builder.setup_defer_taskrun();
        }
        let uring = builder.build(sq_entries).map_err(because("io_uring_setup"))?;
        let count = (0..variant.connections).filter(|&c| variant.place(c).0 == number).count();
        connect(&uring.submitter(), &variant.address, count)?;
        let share = BUFFERS / variant.rings.next_power_of_two();
        let buffers = BufferRing::register(&uring.submitter(), share.max(16) as u16)?;
        let sent = Instant::now();
        let connections = (0..count).map(|_| Connection { missing: REPLY.len(), sent }).collect();
        Ok(Self { uring, buffers, connections })
    }

    fn arm_receives(&mut self, send: bool) -> Result<(), String> {
        for slot in 0..self.connections.len() {
            self.push(&receive_entry(slot))?;
            if send {
                self.push(&send_entry(slot))?;
            }
        }
        Ok(())
    }

    /// Submits, runs deferred work and handles completions; says whether there were any.
    fn turn(&mut self, load: Load, tally: &mut Tally) -> Result<bool, String> {
        let is_hinted = self.uring.submission().taskrun();
        if self.has_work() {
            self.enter(0, None, tally)?;
        }
        let handled = self.drain(load, &mut [], tally)?;
        tally.vain += u64::from(is_hinted && !handled);
        Ok(handled)
    }

    /// Whether the ring has entries to submit, completions to handle or, it seems, deferred work
    /// to run. The TASKRUN flag is a hint that a call is worth while, never a reason not to
    /// sleep: the kernel sets it after it queued the work, which may be done by then, and clears
    /// it only when it runs work. A stale flag would keep the thread spinning.
    fn has_work(&mut self) -> bool {
        let (_, sq, cq) = self.uring.split();
        !sq.is_empty() || sq.taskrun() || sq.cq_overflow() || !cq.is_empty()
    }

    /// Submits and waits for `want` completions; says whether the time ran out. Deferred work
    /// runs also when `want` is 0, because the rings have the TASKRUN flag.
    fn enter(
        &mut self,
        want: usize,
        patience: Option<Duration>,
        tally: &mut Tally,
    ) -> Result<bool, String> {
        tally.enters += 1;
        let submitter = self.uring.submitter();
        let entered = match patience.filter(|_| want > 0) {
            None => submitter.submit_and_wait(want),
            Some(time) => {
                let time = Timespec::from(time);
                submitter.submit_with_args(want, &SubmitArgs::new().timespec(&time))
            }
        };
        match entered {
            Ok(_) => Ok(false),
            Err(error) => match error.raw_os_error() {
                Some(libc::ETIME) => Ok(true),
                Some(libc::EINTR) => Ok(false),
                _ => Err(format!("io_uring_enter: {error}")),
            },
        }
    }

    /// Handles every completion; says whether there was one.
    fn drain(&mut self, load: Load, wakes: &mut [Wake], tally: &mut Tally) -> Result<bool, String> {
        let (submitter, mut sq, mut cq) = self.uring.split();
        let mut handled = false;
        for completion in &mut cq {
            handled = true;
            let (kind, slot) = split_user_data(completion.user_data());
            match kind {
                RECEIVE => {}
                WAKE => {
                    let wake = wakes.get_mut(slot).ok_or("a wake-up that nobody armed")?;
                    wake.armed = false;
                    continue;
                }
                _ => return Err(format!("send: {}", ending(completion.result()))),
            }
            if !cqueue::more(completion.flags()) {
                tally.rearmed += 1;
                push(&submitter, &mut sq, &receive_entry(slot))?;
            }
            let connection = &mut self.connections[slot];
            let bytes = self.buffers.receive(&completion)?.len();
            connection.missing =
                connection.missing.checked_sub(bytes).ok_or("recv: more than one reply has")?;
            if connection.missing > 0 {
                continue;
            }
            connection.missing = REPLY.len();
            tally.requests += 1;
            match load {
                Load::Closed => push(&submitter, &mut sq, &send_entry(slot))?,
                Load::Idle => {
                    tally.latencies_ns.push(connection.sent.elapsed().as_nanos() as u64);
                }
            }
        }
        self.buffers.publish();
        Ok(handled)
    }

    fn push(&mut self, entry: &squeue::Entry) -> Result<(), String> {
        let (submitter, mut sq, _) = self.uring.split();
        push(&submitter, &mut sq, entry)
    }

    /// Lets the ring signal `event` whenever work arrives and none was waiting.
    fn signal(&self, event: &OwnedFd) -> Result<(), String> {
        let submitter = self.uring.submitter();
        submitter.register_eventfd(event.as_raw_fd()).map_err(because("register an eventfd"))
    }

    fn mute(&mut self) {
        self.uring.completion().disable_eventfd();
    }
}

/// Switches the rings' signals on; says whether completions came before that, unannounced.
fn listen(rings: &mut [Ring], tally: &mut Tally) -> Result<bool, String> {
    rings.iter_mut().for_each(|ring| ring.uring.completion().enable_eventfd());
    fence(Ordering::SeqCst); // the flags above must be visible before work is looked for
    let mut came = false;
    for ring in rings {
        if ring.has_work() {
            ring.enter(0, None, tally)?;
        }
        came |= !ring.uring.completion().is_empty();
    }
    Ok(came)
}

impl BufferRing {
    /// Maps `count` buffers and registers them as buffer group 0.
    fn register(submitter: &Submitter<'_>, count: u16) -> Result<Self, String> {
        let pool = map(usize::from(count) * BUFFER_BYTES)?;
        let entries = map(usize::from(count) * size_of::<BufRingEntry>())?.cast();
        // SAFETY: the entries are mapped, page aligned and never unmapped.
        unsafe { submitter.register_buf_ring_with_flags(entries as u64, count, BUFFER_GROUP, 0) }
            .map_err(because("register the buffer ring"))?;
        let mut ring = Self { entries, pool, count, tail: 0 };
        (0..count).for_each(|id| ring.put(id));
        ring.publish();
        Ok(ring)
    }

    /// Takes what came and gives its buffer back; the bytes stay until the next `publish`.
    fn receive(&mut self, completion: &cqueue::Entry) -> Result<&[u8], String> {
        let result = completion.result();
        if result == -libc::ENOBUFS {
            return Ok(&[]); // transient: the caller arms the receive again
        }
        if result <= 0 {
            return Err(format!("recv: {}", ending(result)));
        }
        let id = cqueue::buffer_select(completion.flags()).ok_or("recv: bytes, but no buffer")?;
        self.put(id);
        // SAFETY: the kernel filled the first `result` bytes of buffer `id` and leaves them alone
        // until `publish`, which needs `&mut self` and so waits for the end of this borrow.
        Ok(unsafe {
            let start = self.pool.add(usize::from(id) * BUFFER_BYTES);
            std::slice::from_raw_parts(start, result.unsigned_abs() as usize)
        })
    }

    /// Makes the returned buffers visible to the kernel.
    fn publish(&mut self) {
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
            entry.set_addr(self.pool.add(usize::from(id) * BUFFER_BYTES) as u64);
            entry.set_len(BUFFER_BYTES as u32);
            entry.set_bid(id);
        }
        self.tail = self.tail.wrapping_add(1);
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.enters += other.enters;
        self.blocks += other.blocks;
        self.missed += other.missed;
        self.vain += other.vain;
        self.rearmed += other.rearmed;
        self.latencies_ns.extend(other.latencies_ns);
    }

    fn line(&mut self, variant: &Variant, seconds: f64, before: &Cpu, after: &Cpu) -> String {
        let user = after.user_s - before.user_s;
        let system = after.system_s - before.system_s;
        self.latencies_ns.sort_unstable();
        let latency_us = |per_mille: usize| {
            let at = self.latencies_ns.len() * per_mille / 1000;
            self.latencies_ns.get(at).map_or(0, |ns| ns / 1000)
        };
        format!(
            "{{\"candidate\":\"{}\",\"rings\":{},\"load\":\"{}\",\"connections\":{},\
             \"placement\":\"{}\",\"seconds\":{seconds:.3},\"requests\":{},\
             \"cpu_user_s\":{user:.4},\"cpu_sys_s\":{system:.4},\
             \"requests_per_cpu_s\":{:.0},\"cpu_percent\":{:.2},\
             \"latency_us_p50\":{},\"latency_us_p99\":{},\"enters\":{},\"blocks\":{},\
             \"missed\":{},\"vain\":{},\"rearmed\":{}}}",
            variant.candidate.name(),
            variant.rings,
            variant.load.name(),
            variant.connections,
            variant.placement.name(),
            self.requests,
            self.requests as f64 / (user + system),
            (user + system) / seconds * 100.0,
            latency_us(500),
            latency_us(990),
            self.enters,
            self.blocks,
            self.missed,
            self.vain,
            self.rearmed,
        )
    }
}

impl Variant {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let (address, candidate, rings, connections, millis, load, placement) = match words {
            [a, c, r, n, ms, l] => (a, c, r, n, ms, l, &"spread"),
            [a, c, r, n, ms, l, p] => (a, c, r, n, ms, l, p),
            _ => return Err(USAGE.to_owned()),
        };
        Ok(Self {
            address: (*address).to_owned(),
            candidate: Candidate::parse(candidate)?,
            rings: number("RINGS", rings)?,
            connections: number("CONNECTIONS", connections)?,
            run_time: Duration::from_millis(number("MILLISECONDS", millis)? as u64),
            load: match *load {
                "closed" => Load::Closed,
                "idle" => Load::Idle,
                other => return Err(format!("{other} is no load; use closed or idle")),
            },
            placement: match *placement {
                "spread" => Placement::Spread,
                "packed" => Placement::Packed,
                "secondaries" => Placement::Secondaries,
                other => return Err(format!("{other} is no placement\n{USAGE}")),
            },
        })
    }

    /// The ring and the slot of a connection.
    fn place(&self, connection: usize) -> (usize, usize) {
        match self.placement {
            Placement::Spread => (connection % self.rings, connection / self.rings),
            Placement::Packed => (0, connection),
            Placement::Secondaries => {
                let rings = (self.rings - 1).max(1);
                ((1 + connection % rings) % self.rings, connection / rings)
            }
        }
    }
}

impl Candidate {
    fn name(self) -> &'static str {
        match self {
            Self::Lanes => "lanes",
            Self::EventfdEach => "eventfd-each",
            Self::EventfdShared => "eventfd-shared",
            Self::EventfdQuiet => "eventfd-quiet",
            Self::EventfdEpoll => "eventfd-epoll",
            Self::CoopEpoll => "coop-epoll",
            Self::CoopPoll => "coop-poll",
            Self::DeferEpoll => "defer-epoll",
            Self::DeferPoll => "defer-poll",
            Self::Tick => "tick",
        }
    }

    fn parse(name: &str) -> Result<Self, String> {
        let known = ALL.iter().copied().find(|candidate| candidate.name() == name);
        known.ok_or_else(|| {
            let names: Vec<_> = ALL.iter().map(|candidate| candidate.name()).collect();
            format!("{name} is no candidate; use one of {}", names.join(", "))
        })
    }
}

impl Placement {
    fn name(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::Packed => "packed",
            Self::Secondaries => "secondaries",
        }
    }
}

impl Load {
    fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Idle => "idle",
        }
    }
}

fn receive_entry(slot: usize) -> squeue::Entry {
    let entry = opcode::RecvMulti::new(Fixed(slot as u32), BUFFER_GROUP).build();
    entry.user_data(RECEIVE | slot as u64)
}

/// A constant request, so that a successful send needs no completion.
fn send_entry(slot: usize) -> squeue::Entry {
    opcode::Send::new(Fixed(slot as u32), REQUEST.as_ptr(), REQUEST.len() as u32)
        .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
        .build()
        .flags(squeue::Flags::SKIP_SUCCESS)
        .user_data(SEND | slot as u64)
}

/// Queues `entry`, and submits first if the queue is full.
fn push(
    submitter: &Submitter<'_>,
    sq: &mut SubmissionQueue<'_>,
    entry: &squeue::Entry,
) -> Result<(), String> {
    loop {
        // SAFETY: entries point to constants, to the buffer ring or to mapped memory, all of
        // which live as long as the process.
        if unsafe { sq.push(entry) }.is_ok() {
            return Ok(());
        }
        sq.sync();
        submitter.submit().map_err(because("io_uring_enter (submit)"))?;
        sq.sync();
    }
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
fn connect(submitter: &Submitter<'_>, address: &str, count: usize) -> Result<(), String> {
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let stream =
            TcpStream::connect(address).map_err(because(format!("connect to {address}")))?;
        stream.set_nodelay(true).map_err(because("TCP_NODELAY"))?;
        streams.push(stream);
    }
    if streams.is_empty() {
        return Ok(());
    }
    let descriptors: Vec<i32> = streams.iter().map(AsRawFd::as_raw_fd).collect();
    submitter.register_files(&descriptors).map_err(because("register the connections"))
}

/// CPU time of this process so far, in seconds.
struct Cpu {
    user_s: f64,
    system_s: f64,
}

impl Cpu {
    fn now() -> Result<Self, String> {
        // SAFETY: a zeroed `rusage` is valid, and the call writes nothing else.
        let (code, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::getrusage(libc::RUSAGE_SELF, &mut usage), usage)
        };
        check("getrusage", code)?;
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
        Ok(Self { user_s: seconds(usage.ru_utime), system_s: seconds(usage.ru_stime) })
    }
}

fn eventfd() -> Result<OwnedFd, String> {
    // SAFETY: the call takes no pointers, and its result is owned by nobody else.
    unsafe { owned("eventfd", libc::eventfd(0, libc::EFD_CLOEXEC)) }
}

/// An edge-triggered epoll set of `descriptors`: the sleeper looks at every ring anyway.
fn epoll_of(descriptors: &[i32]) -> Result<OwnedFd, String> {
    // SAFETY: the call takes no pointers, and its result is owned by nobody else.
    let epoll = unsafe { owned("epoll_create1", libc::epoll_create1(libc::EPOLL_CLOEXEC)) }?;
    for &descriptor in descriptors {
        let events = (libc::EPOLLIN | libc::EPOLLET) as u32;
        let mut event = libc::epoll_event { events, u64: 0 };
        // SAFETY: the event lives through the call, which copies it.
        check("epoll_ctl", unsafe {
            libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, descriptor, &mut event)
        })?;
    }
    Ok(epoll)
}

/// Says whether the time ran out. EINTR means that completions of a COOP ring were run.
fn sleep_in_epoll(epoll: &OwnedFd, patience: Duration) -> Result<bool, String> {
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 8];
    let time = libc::timespec {
        tv_sec: patience.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(patience.subsec_nanos()),
    };
    // SAFETY: the buffer holds as many events as is said, and the time lives through the call.
    let count = unsafe {
        let (fd, room) = (epoll.as_raw_fd(), events.len() as i32);
        libc::syscall(
            libc::SYS_epoll_pwait2,
            fd,
            events.as_mut_ptr(),
            room,
            &time,
            std::ptr::null::<libc::sigset_t>(),
            0_usize,
        )
    };
    let error = std::io::Error::last_os_error();
    if count < 0 && error.raw_os_error() != Some(libc::EINTR) {
        return Err(format!("epoll_pwait2: {error}"));
    }
    Ok(count == 0)
}

fn pin(core: usize) -> Result<(), String> {
    if core >= libc::CPU_SETSIZE as usize {
        return Err(format!("CORE: {core} is beyond what the system can name"));
    }
    // SAFETY: `core` is inside the set, and the call reads the set alone.
    check("sched_setaffinity", unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set)
    })
}

/// Ends this process by SIGALRM after `time`, so that a hung variant cannot hang the table.
fn stop_after(time: Duration) {
    // SAFETY: the call takes no pointers; the default action of SIGALRM ends the process.
    unsafe { libc::alarm(time.as_secs() as u32 + 1) };
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

/// Takes the descriptor that a system call returned.
///
/// # Safety
/// `descriptor` is negative, or owned by nobody else.
unsafe fn owned(call: &str, descriptor: i32) -> Result<OwnedFd, String> {
    check(call, descriptor)?;
    // SAFETY: the caller's promise.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn check(call: &str, code: i32) -> Result<(), String> {
    if code < 0 {
        return Err(format!("{call}: {}", std::io::Error::last_os_error()));
    }
    Ok(())
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

impl Target {
    fn start(program: &std::path::Path) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args(["serve", &TARGET_CORE.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(because("start the target"))?;
        let output = child.stdout.take().ok_or("the target has no output")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address).map_err(because("the target's address"))?;
        Ok(Self { child, address: address.trim().to_owned() })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // A target that is already gone is what we want.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The target: answers whatever ends with an empty line with `REPLY`, on one ring.
fn serve(core: usize) -> Result<(), String> {
    pin(core)?;
    stop_after(SERVE_MAX);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(because("listen"))?;
    println!("{}", listener.local_addr().map_err(because("own address"))?);
    let mut uring: IoUring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_cqsize(PRIMARY.1)
        .build(PRIMARY.0)
        .map_err(because("io_uring_setup"))?;
    let mut buffers = BufferRing::register(&uring.submitter(), BUFFERS as u16)?;
    let mut queued = VecDeque::from([accept_entry(&listener)]);
    loop {
        let (submitter, mut sq, mut cq) = uring.split();
        for entry in queued.drain(..) {
            push(&submitter, &mut sq, &entry)?;
        }
        sq.sync();
        match submitter.submit_and_wait(1) {
            Err(error) if error.raw_os_error() != Some(libc::EINTR) => {
                return Err(format!("io_uring_enter: {error}"));
            }
            Ok(_) | Err(_) => {}
        }
        cq.sync();
        for completion in &mut cq {
            let (kind, descriptor) = split_user_data(completion.user_data());
            match kind {
                ACCEPT => {
                    let new = completion.result();
                    check("accept", new)?;
                    queued.push_back(target_receive_entry(new.unsigned_abs() as usize));
                    if !cqueue::more(completion.flags()) {
                        queued.push_back(accept_entry(&listener));
                    }
                }
                RECEIVE => answer(&completion, descriptor, &mut buffers, &mut queued),
                _ => {} // a failed send; the receive will say so
            }
        }
        buffers.publish();
    }
}

/// Handles bytes or the end of one of the target's connections.
fn answer(
    completion: &cqueue::Entry,
    descriptor: usize,
    buffers: &mut BufferRing,
    queued: &mut VecDeque<squeue::Entry>,
) {
    let Ok(received) = buffers.receive(completion) else {
        // SAFETY: the descriptor came from accept, and this ended receive was its only user.
        drop(unsafe { OwnedFd::from_raw_fd(descriptor as i32) });
        return;
    };
    if !cqueue::more(completion.flags()) {
        queued.push_back(target_receive_entry(descriptor));
    }
    if received.ends_with(b"\r\n\r\n") {
        let send = opcode::Send::new(Fd(descriptor as i32), REPLY.as_ptr(), REPLY.len() as u32)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS);
        queued.push_back(send.user_data(SEND | descriptor as u64));
    }
}

fn accept_entry(listener: &TcpListener) -> squeue::Entry {
    opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).build().user_data(ACCEPT)
}

fn target_receive_entry(descriptor: usize) -> squeue::Entry {
    let entry = opcode::RecvMulti::new(Fd(descriptor as i32), BUFFER_GROUP).build();
    entry.user_data(RECEIVE | descriptor as u64)
}

const USAGE: &str = "usage: rings [--rounds=N]\n       \
    rings one ADDRESS CANDIDATE RINGS CONNECTIONS MILLISECONDS closed|idle \
    [spread|packed|secondaries]\n       \
    rings serve CORE";
const ALL: &[Candidate] = &[
    Candidate::Lanes,
    Candidate::EventfdEach,
    Candidate::EventfdShared,
    Candidate::EventfdQuiet,
    Candidate::EventfdEpoll,
    Candidate::CoopEpoll,
    Candidate::CoopPoll,
    Candidate::DeferEpoll,
    Candidate::DeferPoll,
    Candidate::Tick,
];
/// Rings, and the candidates that differ there: a lone ring needs no signal from others.
const TABLE: &[(usize, &[Candidate])] = &[
    (
        1,
        &[Candidate::Lanes, Candidate::EventfdQuiet, Candidate::EventfdEpoll, Candidate::CoopEpoll],
    ),
    (6, ALL),
    (51, ALL),
];
/// Load, connections, measured milliseconds.
const LOADS: &[(Load, usize, usize)] =
    &[(Load::Idle, 600, 2000), (Load::Closed, 64, 600), (Load::Closed, 512, 600)];
const REQUEST: &[u8] = b"GET /floor HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\
                       Server: rings\r\n\r\nHello, World!";
const GENERATOR_CORE: usize = 0;
const TARGET_CORE: usize = 1;
/// Entries of the submission and of the completion queue.
const PRIMARY: (u32, u32) = (512, 4096);
const SECONDARY: (u32, u32) = (128, 1024);
/// Buffers of all rings of a variant together (4 MB); every ring has at least 16.
const BUFFERS: usize = 1024;
const BUFFER_BYTES: usize = 4096;
const BUFFER_GROUP: u16 = 0;
const IDLE_PERIOD: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(1);
/// The longest sleep; a candidate that misses wake-ups shows by it instead of hanging.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// Shorter sleeps are not judged: work may arrive at the very end of any of them.
const MISS_MIN: Duration = Duration::from_millis(1);
/// How long a variant may overrun before it is ended.
const GRACE: Duration = Duration::from_secs(10);
/// How long a target lives at most.
const SERVE_MAX: Duration = Duration::from_secs(1800);
/// The kinds of `user_data`; a slot, a descriptor or a wake-up's number is in the lower half.
const RECEIVE: u64 = 0;
const SEND: u64 = 1 << 32;
const WAKE: u64 = 2 << 32;
const ACCEPT: u64 = 3 << 32;
const INDEX_MASK: u64 = SEND - 1;
