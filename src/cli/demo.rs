//! `onslaught demo`: the embedded target as a child on a core of its own, and the combined test of
//! the preset `taskforge` on it, in a third of its time.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::args::DemoArgs;
use super::files::{Given, Variables};
use super::job::{self, Job};
use super::run::folder;
use super::{refuse, say};
use crate::doctor::Cores;
use crate::net::resolve::Reach;
use crate::plan::Options;
use crate::report::text::Latency;
use crate::report::{ExitCode, TrustPolicy};

const PRESET: &str = "taskforge";
/// Of the preset's minute.
const SCALE_TIME: f64 = 1.0 / 3.0;

const ACCEPTED: &str = "\
A demo on a busy machine is still a demo: this trust verdict is accepted here. Of
`onslaught run` it would make exit code 111, unless --allow-untrusted is given.";

/// Runs it.
pub(super) fn demo(args: &DemoArgs, allowed: &Cores) -> ExitCode {
    let target = match Target::start(allowed) {
        Ok(target) => target,
        Err(error) => return refuse(ExitCode::Failed, &format!("the embedded target: {error}")),
    };
    let variables = Variables::of(&[
        ("BASE_URL", format!("http://{}", target.address)),
        ("STATUS_URL", format!("ws://{}", target.address)),
    ]);
    let options = Options { scale_time: SCALE_TIME, ..Options::default() };
    let given = Given::find(PRESET, None);
    let understood = match given.and_then(|given| given.understand(&variables, &options)) {
        Ok(understood) => understood,
        Err(code) => return code,
    };
    let mut plan = understood.compiled.plan;
    "demo".clone_into(&mut plan.name);
    say(&format!(
        "demo: the preset '{PRESET}' against the embedded target at {}, for {}",
        target.address,
        plan.span()
    ));
    let job = Job {
        plan,
        permit: Reach::Local.into(),
        cores: None,
        shards: Some(1),
        json: None,
        jtl: None,
        folder: Some(args.out.clone().unwrap_or_else(|| folder("demo"))),
        latency: Latency::Brief,
        // A demonstration on a busy laptop says what it saw and is still a demonstration.
        policy: TrustPolicy::Allow,
        accepted: Some(ACCEPTED),
        scenario: Some(understood.effective),
    };
    job::execute(job, allowed)
}

/// The target, which ends with this value: its standard input closes, and it is waited for.
struct Target {
    child: Child,
    address: String,
}

impl Target {
    fn start(allowed: &Cores) -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["target", "--listen", "127.0.0.1:0", "--until-stdin-ends", "--cores"])
            .arg(allowed.last().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        match line.trim().strip_prefix("listening on ") {
            Some(address) => Ok(Self { child, address: address.to_owned() }),
            None => {
                child.wait()?;
                Err(std::io::Error::other("it did not say where it listens"))
            }
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}
