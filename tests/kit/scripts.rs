//! Servers of other languages, and the Python that forbids system calls.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::http::get;
use super::ports::wait_for_listener;
use super::process::Process;

const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kit/servers");

/// A server in another language.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) port: u16,
    _process: Process,
}

impl Server {
    /// A URL of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Requests that it has seen by its own count.
    #[track_caller]
    pub(crate) fn counted(&self) -> u64 {
        get(self.port, "/count").trim().parse().expect("a count")
    }
}

/// Node's own HTTP server.
#[track_caller]
pub(crate) fn node() -> Server {
    let install = "install it: apt-get install nodejs";
    serve(Command::new("node").arg(format!("{SERVERS}/node.js")), "port ", install)
}

/// Python's threading server, with HTTP/1.1 and connections kept.
#[track_caller]
pub(crate) fn python() -> Server {
    let install = "install it: apt-get install python3";
    serve(Command::new("python3").arg(format!("{SERVERS}/keepalive.py")), "port ", install)
}

/// `python3 -m http.server` on a directory, with one connection per request.
#[track_caller]
pub(crate) fn python_module(directory: &Path) -> Server {
    let install = "install it: apt-get install python3";
    let mut command = Command::new("python3");
    command.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]);
    command.arg(directory).stderr(Stdio::null());
    serve(&mut command, "Serving HTTP on 127.0.0.1 port ", install)
}

#[track_caller]
fn serve(command: &mut Command, prefix: &str, how_to_install: &str) -> Server {
    let mut process = Process::spawn(command.stdout(Stdio::piped()), how_to_install);
    let line = process.line(prefix, Duration::from_secs(20));
    let digits: String = line.chars().take_while(char::is_ascii_digit).collect();
    let port = digits.parse().unwrap_or_else(|_| panic!("no port in '{line}'"));
    wait_for_listener(port);
    Server { port, _process: process }
}

/// The beginning of a command line that runs the rest with these system calls answered by EPERM.
pub(crate) fn forbidding(calls: &[&str]) -> Vec<String> {
    ["python3".to_owned(), format!("{SERVERS}/forbid.py"), calls.join(",")].to_vec()
}
