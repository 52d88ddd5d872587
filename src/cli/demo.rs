//! `onslaught demo`: the embedded target as a child on a core of its own, and a load on it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use http::Method;

use super::args::DemoArgs;
use super::job::{self, Job};
use super::{refuse, say};
use crate::doctor::Cores;
use crate::net::resolve::Reach;
use crate::plan::{self, Load, NamedRequest, Plan, Until};
use crate::protocol::http::{Request, RequestError};
use crate::report::text::Latency;
use crate::report::{ExitCode, TrustPolicy};
use crate::stdx::units::Rate;
use crate::stdx::{Nanos, clock};

/// Arrivals per second: a quarter of what one core manages even on a small virtual machine.
const RATE: Rate = Rate { milli_per_s: 5_000_000 };
const CONNECTIONS: u32 = 64;
const WARMUP: Nanos = Nanos::from_secs(2);
const DURATION: Nanos = Nanos::from_secs(18);
const TIMEOUT: Nanos = Nanos::from_secs(5);

const ACCEPTED: &str = "\
A demo on a busy machine is still a demo: this trust verdict is accepted here. Of
`onslaught http` it would make exit code 111, unless --allow-untrusted is given.";

/// Runs it.
pub(super) fn demo(args: &DemoArgs, allowed: &Cores) -> ExitCode {
    let target = match Target::start(allowed) {
        Ok(target) => target,
        Err(error) => return refuse(ExitCode::Failed, &format!("the embedded target: {error}")),
    };
    let plan = match plan(&target.address) {
        Ok(plan) => plan,
        Err(error) => return refuse(ExitCode::Failed, &error),
    };
    say(&format!(
        "demo: {} requests/s on {CONNECTIONS} connections against http://{} for 20 s",
        RATE.per_second(),
        target.address
    ));
    let job = Job {
        plan,
        reach: Reach::Local,
        cores: None,
        shards: Some(1),
        json: None,
        folder: Some(args.out.clone().unwrap_or_else(default_folder)),
        latency: Latency::Brief,
        // A demonstration on a busy laptop says what it saw and is still a demonstration.
        policy: TrustPolicy::Allow,
        accepted: Some(ACCEPTED),
        probes: Vec::new(),
        scenario: None,
    };
    job::execute(job, allowed)
}

/// The mix: mostly small replies, some large ones, some requests with a body.
fn plan(address: &str) -> Result<Plan, RequestError> {
    let get = |path: &str| Request::builder(Method::GET, path, address).build();
    let post = Request::builder(Method::POST, "/echo", address);
    let echo = post.header("Content-Type", "application/json").body(*br#"{"hello":"target"}"#);
    let mix = [
        (60, "health", get("/health")?),
        (25, "small-page", get("/bytes/1000")?),
        (10, "large-page", get("/bytes/20000")?),
        (5, "echo", echo.build()?),
    ];
    let named = mix
        .map(|(weight, name, request)| (weight, NamedRequest { name: name.to_owned(), request }));
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let target = plan::Target {
        name: "default".to_owned(),
        url: format!("http://{address}"),
        host: host.to_owned(),
        port: port.parse().unwrap_or(0),
        addresses: Vec::new(),
    };
    let mut plan = Plan::of_requests("demo", target, named.into());
    plan.set_timeout(TIMEOUT);
    plan.warmup = WARMUP;
    let workload = plan.only_mut();
    workload.load = Load::Open { rate: RATE, patience: TIMEOUT };
    workload.sessions = CONNECTIONS;
    workload.until = Until::Elapsed(DURATION);
    Ok(plan)
}

fn default_folder() -> PathBuf {
    let now = jiff::Timestamp::try_from(clock::wall_clock()).unwrap_or_default();
    PathBuf::from(format!("onslaught-results/demo-{}", now.strftime("%Y%m%dT%H%M%SZ")))
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
