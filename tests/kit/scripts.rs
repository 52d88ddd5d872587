//! Servers of other languages, and the Python that forbids system calls.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::counts::Counts;
use super::http::get;
use super::ports::wait_for_listener;
use super::process::Process;
use super::tempdir::TempDir;

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

    /// The same for WebSockets.
    pub(crate) fn ws_url(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.port)
    }

    /// Requests that it has seen by its own count.
    #[track_caller]
    pub(crate) fn counted(&self) -> u64 {
        get(self.port, "/count").trim().parse().expect("a count")
    }

    /// The same of a server that counts in more detail.
    #[track_caller]
    pub(crate) fn count(&self) -> Counts {
        Counts::parse(&get(self.port, "/count"))
    }

    /// What must stay between it and its clients: the tokens that it issued, and keys that it saw.
    #[track_caller]
    pub(crate) fn secrets(&self) -> Vec<String> {
        let secrets: Value = serde_json::from_str(&get(self.port, "/tokens")).expect("JSON");
        let lists = secrets.as_object().expect("lists by kind").values();
        let texts = lists.flat_map(|list| list.as_array().expect("a list of texts"));
        texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
    }
}

/// The TaskForge gateway on Node, not yet started; `servers/gateway.js` tells its switches.
pub(crate) struct Gateway(Command);

/// A gateway that keeps to the contract.
#[track_caller]
pub(crate) fn gateway() -> Gateway {
    Gateway(node_with_packages("gateway.js"))
}

impl Gateway {
    /// Sets a switch.
    pub(crate) fn with(mut self, switch: &str, value: impl std::fmt::Display) -> Self {
        self.0.env(switch, value.to_string());
        self
    }

    /// Starts it.
    #[track_caller]
    pub(crate) fn start(mut self) -> Server {
        serve(&mut self.0, "port ", "install it: apt-get install nodejs")
    }
}

/// An echo over WebSockets by npm's `ws`.
#[track_caller]
pub(crate) fn echo_node() -> Server {
    let install = "install it: apt-get install nodejs";
    serve(&mut node_with_packages("echo.js"), "port ", install)
}

/// An echo over WebSockets by Python's `websockets`.
#[track_caller]
pub(crate) fn echo_python() -> Server {
    let mut command = Command::new("python3");
    command.arg(format!("{SERVERS}/echo.py")).env("PYTHONPATH", packages().join("python"));
    serve(&mut command, "port ", "install it: apt-get install python3")
}

/// Holds a server to its contract by a client in Node; gives the exit code and what it said.
#[track_caller]
pub(crate) fn prove(server: &Server, kind: &str) -> (i32, String) {
    let dir = TempDir::new();
    let said = dir.join("said");
    let mut command = node_with_packages("prove.js");
    command.args([&server.port.to_string(), kind]);
    command.stderr(File::create(&said).expect("create a file for stderr"));
    let mut process = Process::spawn(&mut command, "install it: apt-get install nodejs");
    let exit = process.wait(Duration::from_secs(20)).expect("a proof ends within 20 s");
    (exit.code, std::fs::read_to_string(said).expect("read what it said"))
}

#[track_caller]
fn node_with_packages(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(format!("{SERVERS}/{script}")).env("NODE_PATH", packages().join("node_modules"));
    command
}

/// Where the packages of the servers are, at the versions that are pinned now.
#[track_caller]
fn packages() -> PathBuf {
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a build directory");
    let there = build.join("servers");
    for pinned in ["package-lock.json", "requirements.txt"] {
        let text = |path: PathBuf| std::fs::read(path).ok();
        let wanted = text(Path::new(SERVERS).join(pinned));
        assert!(
            wanted.is_some() && wanted == text(there.join("installed").join(pinned)),
            "packages of the test servers are missing or old; run: {SERVERS}/install {}",
            there.display()
        );
    }
    there
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
