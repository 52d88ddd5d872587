//! The binary's own embedded target, as a process of its own.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::counts::Counts;
use super::http::get;
use super::process::Process;

/// A running embedded target.
pub(crate) struct Target {
    /// Where it listens.
    pub(crate) port: u16,
    _process: Process,
}

/// Starts `onslaught target` on a port of its own choice, with further arguments.
#[track_caller]
pub(crate) fn target(args: &str) -> Target {
    target_at("127.0.0.1:0", args)
}

/// The same, listening somewhere else.
#[track_caller]
pub(crate) fn target_at(listen: &str, args: &str) -> Target {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onslaught"));
    command.args(["target", "--listen", listen]).args(args.split_whitespace());
    let mut process = Process::spawn(command.stdout(Stdio::piped()), "is it built?");
    let address = process.line("listening on ", Duration::from_secs(10));
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    Target { port: port.unwrap_or_else(|| panic!("no port: '{address}'")), _process: process }
}

impl Target {
    /// A URL of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The same for WebSockets.
    pub(crate) fn ws_url(&self, path: &str) -> String {
        format!("ws://127.0.0.1:{}{path}", self.port)
    }

    /// What it counted, by name.
    #[track_caller]
    pub(crate) fn count(&self) -> Counts {
        Counts::parse(&get(self.port, "/count"))
    }

    /// What it says that it was asked and how often it lied.
    #[track_caller]
    pub(crate) fn told(&self) -> Value {
        serde_json::from_str(&get(self.port, "/count")).expect("counts in JSON")
    }
}
