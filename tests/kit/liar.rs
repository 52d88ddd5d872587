//! A server that answers with scripted bytes, whatever HTTP says about them.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::machine::{Machine, machine};

/// What to do about one request.
pub(crate) enum Reply {
    /// Send this and wait for the next request.
    Bytes(Vec<u8>),
    /// Send this and end the connection.
    Close(Vec<u8>),
    /// Send this and reset the connection.
    Reset(Vec<u8>),
    /// Send this, and nothing ever again.
    Hang(Vec<u8>),
    /// Send the first, then the second again and again until the peer has had enough.
    Endless(Vec<u8>, Vec<u8>),
}

/// A running liar; it stops when it is dropped.
pub(crate) struct Liar {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    _machine: Machine,
}

struct Shared {
    script: Box<dyn Fn(u64) -> Reply + Send + Sync>,
    requests: AtomicU64,
    stopping: AtomicBool,
}

/// How often a waiting connection looks whether the test is over.
const LOOK: Duration = Duration::from_millis(50);

/// Starts a server that asks `script` what to do about the n-th request, counted from 0.
pub(crate) fn liar(script: impl Fn(u64) -> Reply + Send + Sync + 'static) -> Liar {
    let machine = machine();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind port 0");
    let address = listener.local_addr().expect("the bound address");
    let shared = Arc::new(Shared {
        script: Box::new(script),
        requests: AtomicU64::new(0),
        stopping: AtomicBool::new(false),
    });
    let theirs = Arc::clone(&shared);
    let acceptor = Some(std::thread::spawn(move || accept(&listener, &theirs)));
    Liar { address, shared, acceptor, _machine: machine }
}

impl Liar {
    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Requests that were read so far.
    pub(crate) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it is over.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        connections.push(std::thread::spawn(move || converse(stream, &shared)));
    }
    for connection in connections {
        drop(connection.join());
    }
}

/// One connection, until either side has had enough.
fn converse(mut stream: TcpStream, shared: &Shared) {
    stream.set_read_timeout(Some(LOOK)).expect("set a timeout");
    stream.set_write_timeout(Some(LOOK)).expect("set a timeout");
    stream.set_nodelay(true).expect("set no delay");
    let mut received = Vec::new();
    while request(&mut stream, &mut received, shared) {
        let number = shared.requests.fetch_add(1, Ordering::SeqCst);
        match (shared.script)(number) {
            Reply::Bytes(bytes) => send(&mut stream, &bytes, shared),
            Reply::Close(bytes) => {
                send(&mut stream, &bytes, shared);
                return;
            }
            Reply::Reset(bytes) => {
                send(&mut stream, &bytes, shared);
                let now = Some(Duration::ZERO);
                return rustix::net::sockopt::set_socket_linger(&stream, now).expect("linger 0");
            }
            Reply::Hang(bytes) => send(&mut stream, &bytes, shared) && hang(&mut stream, shared),
            Reply::Endless(first, again) => {
                send(&mut stream, &first, shared) && repeat(&mut stream, &again, shared)
            }
        };
    }
}

/// Reads up to the end of a request's head; no request here has a body.
fn request(stream: &mut TcpStream, received: &mut Vec<u8>, shared: &Shared) -> bool {
    loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            received.drain(..end + 4);
            return true;
        }
        let mut bytes = [0; 4096];
        match stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(count) => received.extend_from_slice(&bytes[..count]),
            Err(error) if is_timeout(error.kind()) && !over(shared) => {}
            Err(_) => return false,
        }
    }
}

fn hang(stream: &mut TcpStream, shared: &Shared) -> bool {
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) if is_timeout(error.kind()) && !over(shared) => {}
            Err(_) => return false,
        }
    }
}

fn repeat(stream: &mut TcpStream, again: &[u8], shared: &Shared) -> bool {
    while send(stream, again, shared) {}
    false
}

/// Sends all of it, unless the peer is gone or the test is over.
fn send(stream: &mut TcpStream, mut bytes: &[u8], shared: &Shared) -> bool {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if is_timeout(error.kind()) && !over(shared) => {}
            Err(_) => return false,
        }
    }
    true
}

fn over(shared: &Shared) -> bool {
    shared.stopping.load(Ordering::SeqCst)
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
