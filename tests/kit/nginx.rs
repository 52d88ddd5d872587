//! nginx as a target: one worker, in the foreground, with its own access log.

use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::ports::{free_port, wait_for_listener};
use super::process::Process;
use super::tempdir::TempDir;

/// A running nginx.
pub(crate) struct Nginx {
    /// Where it listens.
    pub(crate) port: u16,
    process: Process,
    dir: TempDir,
}

/// Starts nginx with its usual settings, which end a connection after 1000 requests.
#[track_caller]
pub(crate) fn nginx() -> Nginx {
    Nginx::start("")
}

impl Nginx {
    /// Starts nginx with more lines in its `http` block.
    #[track_caller]
    pub(crate) fn start(settings: &str) -> Self {
        let (port, dir) = (free_port(), TempDir::new());
        dir.write("nginx.conf", &configuration(port, &dir, settings));
        Self { port, process: spawn(&dir, port), dir }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Stops all its processes as SIGSTOP does.
    pub(crate) fn freeze(&self) {
        self.process.signal_all(Signal::STOP);
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.process.signal_all(Signal::CONT);
    }

    /// Kills all its processes and waits for the end.
    pub(crate) fn kill(&mut self) {
        self.process.signal_all(Signal::KILL);
        self.process.wait(Duration::from_secs(5)).expect("a killed nginx ends");
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        self.process = spawn(&self.dir, self.port);
    }

    /// Ends it in good order, so that its log is complete, and gives the statuses it has logged.
    #[track_caller]
    pub(crate) fn quit(mut self) -> Vec<u16> {
        self.process.signal(Signal::QUIT);
        self.process.wait(Duration::from_secs(10)).expect("nginx ends when told to");
        let log = std::fs::read_to_string(self.dir.join("access.log")).expect("the access log");
        log.lines().map(|line| line.parse().expect("a status")).collect()
    }
}

#[track_caller]
fn spawn(dir: &TempDir, port: u16) -> Process {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(dir.join("")).arg("-c").arg(dir.join("nginx.conf"));
    // Its own complaints about a default log that it may not open are of no interest.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let process = Process::spawn(&mut command, "install it: apt-get install nginx-light");
    wait_for_listener(port);
    process
}

fn configuration(port: u16, dir: &TempDir, settings: &str) -> String {
    let path = |name: &str| dir.join(name).display().to_string();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {};\n", path(kind)))
        .concat();
    format!(
        "daemon off;\nworker_processes 1;\nworker_rlimit_nofile 8192;\n\
         pid {pid};\nerror_log {errors};\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n{temporary}  log_format status '$status';\n  access_log {log} status;\n\
         {settings}\n  default_type text/plain;\n  server {{\n\
         listen 127.0.0.1:{port} backlog=4096;\n\
         location / {{ return 200 'a reply of nginx'; }}\n  }}\n}}\n",
        pid = path("nginx.pid"),
        errors = path("error.log"),
        log = path("access.log"),
    )
}
