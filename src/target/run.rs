//! Sockets and threads for the target: one listener, one thread and one [`Server`] per core.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::UNIX_EPOCH;

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};

use super::counters::Share;
use super::journal::{self, Outlet};
use super::misbehave::Misbehaviour;
use super::realm::{Realm, Terms};
use super::server::Server;
use crate::stdx::clock::wall_clock;
use crate::stdx::{Clock, Nanos};

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 lets the kernel choose one.
    pub listen: SocketAddr,
    /// One server on each of these cores; at least one.
    pub cores: Vec<usize>,
    /// The lies, each period counted by each server for itself.
    pub misbehaviour: Misbehaviour,
    /// How long tokens and tasks last.
    pub terms: Terms,
    /// What `/queue` draws its times from.
    pub seed: u64,
    /// Where to write what was done to each request, if that is wanted.
    pub journal: Option<PathBuf>,
}

/// What one thread serves.
#[derive(Debug)]
pub struct Shard {
    /// The core the thread runs on.
    pub core: usize,
    /// Listening already.
    pub listener: OwnedFd,
    /// The lies that its server tells.
    pub misbehaviour: Misbehaviour,
    /// Its server's part of the counters.
    pub share: Share,
    /// What it shares with the others.
    pub realm: Arc<Realm>,
    /// The clock of `now`, the same for all shards.
    pub clock: Clock,
    /// What `/queue` draws its times from.
    pub seed: u64,
    /// Where its journal goes, if it keeps one.
    pub journal: Option<Outlet>,
}

impl Shard {
    /// The listener's number in the ring.
    pub const LISTENER: u32 = 0;

    /// The server, to be made and turned on the shard's own thread.
    #[must_use]
    pub fn server(&self) -> Server {
        let (lies, share) = (self.misbehaviour.clone(), self.share.clone());
        let realm = Arc::clone(&self.realm);
        let server = Server::new(Self::LISTENER, lies, share, realm, self.clock.now());
        let server = server.seeded(self.seed);
        if self.journal.is_some() { server.with_journal() } else { server }
    }
}

/// Why the target does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No core was given.
    #[error("the target has no core to run on; give at least one, for example --cores 0")]
    NoCores,
    /// Listening failed.
    #[error("cannot listen on {address}: {error}; choose another with --listen ADDR:PORT")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// There is no randomness for the secret of tokens.
    #[error("cannot make a secret for tokens: {0}")]
    Secret(io::Error),
    /// The journal cannot be written.
    #[error("cannot write the journal {}: {error}; choose another path", path.display())]
    Journal {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start the target's thread for core {core}: {error}")]
    Thread {
        /// For which core.
        core: usize,
        /// Why.
        error: io::Error,
    },
    /// A server ended.
    #[error("the target on core {core} has stopped: {error}")]
    Stopped {
        /// On which core.
        core: usize,
        /// Why.
        error: io::Error,
    },
}

/// Connections that may wait to be accepted, per listener: a burst of 4096 connects is the most
/// that a generator has in flight (the kernel caps it at `net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// Listens, says where, and serves on one thread per core until one of them stops.
///
/// `drive` owns the thread's ring: it turns the server until it is told to stop or fails.
///
/// # Errors
/// When it cannot listen, cannot start a thread, or a server stopped with an error.
pub fn serve(
    options: &Options,
    on_listening: impl FnOnce(SocketAddr),
    drive: impl Fn(Shard) -> io::Result<()> + Sync,
) -> Result<(), ServeError> {
    let (address, shards) = bind(options)?;
    on_listening(address);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for shard in shards {
            let core = shard.core;
            let drive = &drive;
            let thread = thread::Builder::new()
                .name(format!("target-{core}"))
                .spawn_scoped(scope, move || {
                    core_affinity::set_for_current(core_affinity::CoreId { id: core });
                    drive(shard)
                })
                .map_err(|error| ServeError::Thread { core, error })?;
            threads.push((core, thread));
        }
        for (core, thread) in threads {
            let ended = thread.join().unwrap_or_else(|_| Err(io::Error::other("it panicked")));
            ended.map_err(|error| ServeError::Stopped { core, error })?;
        }
        Ok(())
    })
}

/// Listens once per core on the same address, and makes the servers. Also gives the address that
/// the kernel chose.
///
/// # Errors
/// When there is no core, listening fails, or the journal cannot be written.
pub fn bind(options: &Options) -> Result<(SocketAddr, Vec<Shard>), ServeError> {
    let clock = Clock::start();
    let realm = Arc::new(realm(options.terms).map_err(ServeError::Secret)?);
    let mut address = options.listen;
    let shared = options.cores.len() > 1;
    let mut shards = Vec::with_capacity(options.cores.len());
    for (&core, share) in options.cores.iter().zip(Share::among(options.cores.len())) {
        // From the second on, the port is the one that the first was given.
        let (listener, bound) =
            listen(address, shared).map_err(|error| ServeError::Listen { address, error })?;
        address = bound;
        let misbehaviour = options.misbehaviour.clone();
        let realm = Arc::clone(&realm);
        let (seed, journal) = (options.seed, None);
        shards.push(Shard { core, listener, misbehaviour, share, realm, clock, seed, journal });
    }
    if let Some(path) = &options.journal {
        let outlets = journal::start(path, shards.len(), clock)
            .map_err(|error| ServeError::Journal { path: path.clone(), error })?;
        for (shard, outlet) in shards.iter_mut().zip(outlets) {
            shard.journal = Some(outlet);
        }
    }
    if shards.is_empty() { Err(ServeError::NoCores) } else { Ok((address, shards)) }
}

/// A realm of a secret that nobody knows, and that ends with the process.
fn realm(terms: Terms) -> io::Result<Realm> {
    let mut secret = [0; 32];
    let mut made = 0;
    while let Some(rest) = secret.get_mut(made..).filter(|rest| !rest.is_empty()) {
        made += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())?;
    }
    let unix = wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Realm::new(terms, &secret, Nanos::from(unix)))
}

fn listen(address: SocketAddr, shared: bool) -> io::Result<(OwnedFd, SocketAddr)> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = SocketType::STREAM;
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, Some(ipproto::TCP))?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if shared {
        // The kernel spreads connections over the listeners of all cores. Not otherwise: a second
        // target would take half of the connections instead of failing.
        sockopt::set_socket_reuseport(&socket, true)?;
    }
    // Accepted sockets inherit it: a reply in two sends must not wait for an acknowledgement.
    sockopt::set_tcp_nodelay(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    let bound = SocketAddr::try_from(rustix::net::getsockname(&socket)?)?;
    Ok((socket, bound))
}
