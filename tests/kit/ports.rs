//! Ports and what the kernel knows about them, without touching a server.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};

use super::wait::until;

const ESTABLISHED: &str = "01";
const LISTENING: &str = "0A";

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind port 0");
    listener.local_addr().expect("the bound address").port()
}

/// Connections that a server on this port holds.
pub(crate) fn established(port: u16) -> usize {
    sockets(port, ESTABLISHED)
}

/// Waits until something listens on this port.
#[track_caller]
pub(crate) fn wait_for_listener(port: u16) {
    until("a server that listens", Duration::from_secs(10), || sockets(port, LISTENING) > 0);
}

/// Sockets of this host on a local port in a state, as `/proc/net/tcp` shows them.
fn sockets(port: u16, state: &str) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("read /proc/net/tcp");
    let end = format!(":{port:04X}");
    let fits = |line: &&str| {
        let mut words = line.split_whitespace().skip(1);
        let local = words.next().unwrap_or_default();
        local.ends_with(&end) && words.nth(1) == Some(state)
    };
    table.lines().filter(fits).count()
}

/// A listener whose queue is full: whoever connects gets no answer at all.
pub(crate) struct FullBacklog {
    /// Its address.
    pub(crate) address: SocketAddr,
    _listener: OwnedFd,
    _queued: Vec<TcpStream>,
}

/// Makes a listener that answers nobody.
pub(crate) fn full_backlog() -> FullBacklog {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&listener, &any).expect("bind port 0");
    listen(&listener, 0).expect("listen");
    let address: SocketAddr =
        getsockname(&listener).expect("the bound address").try_into().expect("an IP address");
    // The queue of length 0 takes one connection; the second attempt finds it full.
    let queued = (0..4)
        .map_while(|_| TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok())
        .collect();
    FullBacklog { address, _listener: listener, _queued: queued }
}
