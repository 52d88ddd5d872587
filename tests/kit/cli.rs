//! The binary under test: built with arguments, run under a bound, judged by what it left.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::machine::{Machine, machine};
use super::process::Process;
use super::report::Report;
use super::tempdir::TempDir;
use super::terminal::Terminal;
use super::wait::Stopwatch;

/// Unless a test says otherwise, no command takes longer.
const LIMIT: Duration = Duration::from_secs(40);

/// A command line of the binary, not yet started.
pub(crate) struct Onslaught {
    prefix: Vec<OsString>,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    scenario: Option<String>,
    json: Json,
    limit: Duration,
    terminal: Option<OwnedFd>,
}

enum Json {
    InTempDir,
    InResults,
    At(PathBuf),
    None,
}

impl Onslaught {
    /// A subcommand that writes no summary.
    pub(crate) fn command(name: &str) -> Self {
        Self {
            prefix: Vec::new(),
            args: vec![name.into()],
            env: Vec::new(),
            scenario: None,
            json: Json::None,
            limit: LIMIT,
            terminal: None,
        }
    }

    /// `onslaught http URL`, with its summary in a temporary file.
    pub(crate) fn http(url: impl AsRef<str>) -> Self {
        Self { json: Json::InTempDir, ..Self::command("http") }.args([url.as_ref()])
    }

    /// `onslaught ws URL`, with its summary in a temporary file.
    pub(crate) fn ws(url: impl AsRef<str>) -> Self {
        Self { json: Json::InTempDir, ..Self::command("ws") }.args([url.as_ref()])
    }

    /// `onslaught run` of a preset, with its results in a temporary directory.
    pub(crate) fn preset(name: impl Into<OsString>) -> Self {
        Self { json: Json::InResults, ..Self::command("run") }.args([name])
    }

    /// The same of a scenario that is written here and now.
    pub(crate) fn scenario(text: impl Into<String>) -> Self {
        Self { json: Json::InResults, scenario: Some(text.into()), ..Self::command("run") }
    }

    /// A variable for the scenario.
    pub(crate) fn set(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.args(["-e".to_owned(), format!("{name}={value}")])
    }

    /// A variable of the process's own environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// More arguments.
    pub(crate) fn args<I: IntoIterator<Item = A>, A: Into<OsString>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Arguments as one writes them, separated by blanks.
    pub(crate) fn line(self, line: &str) -> Self {
        self.args(line.split_whitespace())
    }

    /// A flag with a path.
    pub(crate) fn arg_path(self, flag: &str, path: &Path) -> Self {
        self.args([flag.as_ref(), path.as_os_str()])
    }

    /// The number of shards.
    pub(crate) fn shards(self, count: u32) -> Self {
        self.args(["-t".to_owned(), count.to_string()])
    }

    /// Writes the summary there.
    pub(crate) fn json_at(mut self, path: impl Into<PathBuf>) -> Self {
        self.json = Json::At(path.into());
        self
    }

    /// Asks for no summary.
    pub(crate) fn without_json(mut self) -> Self {
        self.json = Json::None;
        self
    }

    /// A command that starts the binary: it finds the whole command line in its arguments.
    pub(crate) fn under<I: IntoIterator<Item = A>, A: Into<OsString>>(mut self, prefix: I) -> Self {
        self.prefix = prefix.into_iter().map(Into::into).collect();
        self
    }

    /// The binary in a shell of its own, after some shell commands.
    pub(crate) fn after(self, shell: &str) -> Self {
        self.under(["bash", "-c", &format!("{shell}; exec \"$@\""), "bash"])
    }

    /// On a terminal of its own, but for standard output, which stays a file.
    #[track_caller]
    pub(crate) fn on(mut self, terminal: &Terminal) -> Self {
        self.terminal = Some(terminal.end());
        // Without a session of its own the terminal would not be its to read.
        self.env("TERM", "xterm").under(["setsid", "--ctty", "--wait"])
    }

    /// Changes the time after which a command counts as hanging.
    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Run {
        self.start().finish()
    }

    /// Starts it.
    #[track_caller]
    pub(crate) fn start(mut self) -> Running {
        let dir = TempDir::new();
        if let Some(text) = &self.scenario {
            self.args.push(dir.write("scenario.yaml", text).into());
        }
        let json = match self.json {
            Json::InTempDir => Some(("--json", dir.join("summary.json"))),
            Json::InResults => Some(("--out", dir.join("results"))),
            Json::At(path) => Some(("--json", path)),
            Json::None => None,
        };
        if let Some((flag, path)) = &json {
            self.args.extend([(*flag).into(), path.into()]);
        }
        let json = json.map(|(flag, path)| match flag {
            "--out" => path.join("summary.json"),
            _ => path,
        });
        let mut line = self.prefix;
        line.push(env!("CARGO_BIN_EXE_onslaught").into());
        line.append(&mut self.args);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).env("NO_COLOR", "1").envs(self.env);
        command.stdout(File::create(dir.join("stdout")).expect("create a file for stdout"));
        command.stderr(File::create(dir.join("stderr")).expect("create a file for stderr"));
        let line = format!("{}", line.join(" ".as_ref()).display());
        // Waiting for the host is not the command's own time.
        let machine = machine();
        let watch = Stopwatch::start();
        let stdin = self.terminal.map_or_else(Stdio::null, |terminal| {
            command.stderr(terminal.try_clone().expect("duplicate a descriptor"));
            terminal.into()
        });
        let install = "is it built, and util-linux installed?";
        let process = Process::spawn_reading(stdin, &mut command, install);
        Running { process, line, dir, json, watch, limit: self.limit, _machine: machine }
    }
}

/// The binary at work.
pub(crate) struct Running {
    process: Process,
    line: String,
    dir: TempDir,
    json: Option<PathBuf>,
    watch: Stopwatch,
    limit: Duration,
    _machine: Machine,
}

impl Running {
    /// Sends it a signal.
    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Whether a signal has stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.process.is_stopped()
    }

    /// Whether it ends within so long.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> bool {
        // Peeks only: what `finish` needs stays to be read.
        self.process.has_ended(limit)
    }

    /// What everybody on this host can see of how it was started.
    pub(crate) fn command_line(&self) -> Vec<u8> {
        let path = format!("/proc/{}/cmdline", self.process.pid().as_raw_nonzero());
        std::fs::read(path).expect("read a child's command line")
    }

    /// Time since its start.
    pub(crate) fn age(&self) -> Duration {
        self.watch.elapsed()
    }

    /// CPU time that it has used until now.
    pub(crate) fn cpu(&self) -> Duration {
        self.process.cpu()
    }

    /// Memory that it holds now.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.process.resident_bytes()
    }

    /// Waits for its end; a command that hangs fails the test.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Run {
        let exit = self.process.wait(self.watch.left(self.limit));
        let wall = self.watch.elapsed();
        let text = |name: &str| {
            let bytes = std::fs::read(self.dir.join(name)).expect("read a child's output");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (stdout, stderr) = (text("stdout"), text("stderr"));
        let Some(exit) = exit else {
            panic!(
                "still running after {:?}: {}\nstdout: {stdout}\nstderr: {stderr}",
                self.limit, self.line
            );
        };
        let report = self.json.as_deref().and_then(|path| Report::read(path, exit.code));
        let line = std::mem::take(&mut self.line);
        Run { line, exit: exit.code, cpu: exit.cpu, wall, stdout, stderr, report, dir: self.dir }
    }
}

/// A run that has ended.
pub(crate) struct Run {
    line: String,
    /// The exit code, or minus the signal that ended it.
    pub(crate) exit: i32,
    /// User and kernel time of the process.
    pub(crate) cpu: Duration,
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it printed on the side.
    pub(crate) stderr: String,
    report: Option<Report>,
    dir: TempDir,
}

impl Run {
    /// Holds the exit code to one of these.
    #[track_caller]
    pub(crate) fn exits<const N: usize>(self, codes: [i32; N]) -> Self {
        assert!(codes.contains(&self.exit), "exit {} instead of {codes:?}{self}", self.exit);
        self
    }

    /// Holds standard error to a line that has all of these words, in either case: a cause and
    /// its remedy stand together.
    #[track_caller]
    pub(crate) fn complains_of<const N: usize>(self, words: [&str; N]) -> Self {
        let said = self.stderr.to_lowercase();
        let has_all = |line: &str| words.iter().all(|word| line.contains(&word.to_lowercase()));
        assert!(said.lines().any(has_all), "no line has all of {words:?}{self}");
        assert!(said.lines().count() <= 2, "it takes more than one line{self}");
        self
    }

    /// Holds standard error to having all of these words, in either case.
    #[track_caller]
    pub(crate) fn says<const N: usize>(self, words: [&str; N]) -> Self {
        let said = self.stderr.to_lowercase();
        for word in words {
            assert!(said.contains(&word.to_lowercase()), "'{word}' is not said{self}");
        }
        self
    }

    /// Holds CPU time to a limit: nothing spins while nothing is to do.
    #[track_caller]
    pub(crate) fn uses_at_most(self, limit: Duration) -> Self {
        assert!(self.cpu <= limit, "used {:?} of CPU, at most {limit:?}{self}", self.cpu);
        self
    }

    /// The summary, which must be there.
    #[track_caller]
    pub(crate) fn report(&self) -> &Report {
        self.report.as_ref().unwrap_or_else(|| panic!("no summary was written{self}"))
    }

    /// The summary itself.
    #[track_caller]
    pub(crate) fn into_report(mut self) -> Report {
        self.report.take().unwrap_or_else(|| panic!("no summary was written{self}"))
    }

    /// Every file that it left: results, standard output, standard error.
    #[track_caller]
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.dir.join("")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("list a folder of results") {
                let path = entry.expect("an entry of a folder").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).expect("read a file of results");
                    found.push((path, bytes));
                }
            }
        }
        found
    }

    /// Whether a summary was written.
    pub(crate) fn has_report(&self) -> bool {
        self.report.is_some()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, exit, wall, stdout, stderr, .. } = self;
        write!(
            out,
            "\n  {line}\n  exit {exit} after {wall:?}\nstdout:\n{stdout}\nstderr:\n{stderr}"
        )
    }
}
