//! The flags, as they are written: no logic, every long flag documented.
//!
//! Quantities are taken as text and read together afterwards, so that all mistakes of one command
//! line are reported at once.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A load-testing engine: one shard per core on io_uring, numbers that can be believed.
#[derive(Debug, Parser)]
#[command(name = "onslaught", version, max_term_width = 80, arg_required_else_help = true)]
#[command(after_help = "Examples:
  onslaught demo
  onslaught http http://127.0.0.1:8080/health -c 256 -d 30s
  onslaught ws ws://127.0.0.1:8080/echo -c 1000 -d 30s --message hello
  onslaught example > load.yaml
  onslaught plan load.yaml
  onslaught run load.yaml -e BASE_URL=http://10.0.0.7:8080

While a load is on, on a terminal: p or space pauses and goes on, + and - change
the level by 10 % of what is planned, 0 goes back to it, d or q drains (as the
first Ctrl-C does), ? shows the keys. Elsewhere: kill -USR1 pauses, kill -USR2
goes on. What was ordered is on the timeline of the results.

Exit codes: 0 passed, 1 failed at run time, 2 usage, 99 thresholds failed,
104 invalid scenario, 105 interrupted, 108 ended by a threshold,
111 not trustworthy, 113 target unreachable or host not able.")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say all that is wrong with scenario files, before anything is loaded
    Check(CheckArgs),
    /// Load the embedded target for about 20 s and show what a result looks like
    Demo(DemoArgs),
    /// Print an example of a scenario file
    Example(ExampleArgs),
    /// Make a scenario of an access log: its mix, its rate, its think times
    Fit(FitArgs),
    /// Load one URL, closed (-c) or at a constant rate (-R)
    Http(Box<HttpArgs>),
    /// Say what a scenario would do, and what it needs, without doing it
    Plan(PlanArgs),
    /// List the scenarios inside of the program
    Presets,
    /// Run a scenario: a file, or a preset by its name
    Run(Box<RunArgs>),
    /// Serve the embedded target alone, able to lie on purpose
    Target(TargetArgs),
    /// Load one WebSocket URL with sessions that stay open
    Ws(Box<WsArgs>),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onslaught check load.yaml
  onslaught check load.yaml -e BASE_URL=http://10.0.0.7:8080 --profile staging
  onslaught check --schema > onslaught.schema.json

Files are YAML, JSON (.json) or TOML (.toml) of one schema. Exit code 104: a
file is wrong.")]
pub(super) struct CheckArgs {
    /// Scenario files
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    pub(super) files: Vec<PathBuf>,

    /// A variable for ${NAME} in the files, before the environment's; may be given again
    #[arg(short, long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(super) env: Vec<String>,

    /// Lay the profile of this name over the files
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,

    /// Print the JSON Schema of scenario files, for editors
    #[arg(long)]
    pub(super) schema: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onslaught example > load.yaml
  onslaught example taskforge")]
pub(super) struct ExampleArgs {
    /// Which; `onslaught presets` lists them
    #[arg(value_name = "NAME", default_value = "minimal")]
    pub(super) name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onslaught fit access.log > load.yaml
  zcat access.log.*.gz | onslaught fit - > load.yaml
  onslaught run load.yaml -e BASE_URL=http://10.0.0.7:8080
  onslaught run load.yaml --profile users

Logs are in the common or the combined format of nginx and Apache. For the
distances of arrivals and for think times they need milliseconds, and how long
requests took. In nginx:

  log_format fit '$remote_addr - $remote_user [$time_local] \"$request\" '
                 '$status $body_bytes_sent \"$http_referer\" '
                 '\"$http_user_agent\" $msec $request_time';

In Apache:

  LogFormat \"%h %l %u [%{%d/%b/%Y:%H:%M:%S}t.%{msec_frac}t %{%z}t] \\\"%r\\\" \
%>s %b \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\" %D\" fit

A line may also begin with $msec or $time_iso8601, or have it in the brackets.
The scenario is printed; what was found, and how well it fits, is told beside.
Exit code 1: no line could be read.")]
pub(super) struct FitArgs {
    /// An access log; `-` is standard input
    #[arg(value_name = "LOG")]
    pub(super) log: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onslaught plan load.yaml
  onslaught plan taskforge-production --scale-load 2 -t 4")]
pub(super) struct PlanArgs {
    /// A scenario file, or the name of a preset
    #[arg(value_name = "FILE|PRESET")]
    pub(super) scenario: String,

    /// A variable for ${NAME} in the file, before the environment's; may be given again
    #[arg(short, long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(super) env: Vec<String>,

    /// Lay the profile of this name over the file
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,

    /// Shards, one core each [default: the allowed cores, less one for a local target]
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    pub(super) threads: Option<String>,

    #[command(flatten)]
    pub(super) scales: ScaleArgs,
}

/// How much smaller or larger than it is written.
#[derive(Debug, Args)]
pub(super) struct ScaleArgs {
    /// Multiply counts, rates and spans of time: 0.1 is a trial; timeouts stay as they are
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    pub(super) scale: Option<String>,

    /// Multiply connections, rates and users alone
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    pub(super) scale_load: Option<String>,

    /// Multiply durations, intervals and pauses alone
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    pub(super) scale_time: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onslaught run load.yaml -e BASE_URL=http://127.0.0.1:8080 --out results
  onslaught run taskforge --scale 0.1
  onslaught run taskforge-staging --tag build=7 \\
      -e BASE_URL=http://10.0.0.7:8080 -e STATUS_URL=ws://10.0.0.7:8081

Flags win over the environment, the environment over the file, the file over
its defaults. Exit code 99: a threshold was missed.")]
pub(super) struct RunArgs {
    /// A scenario file, or the name of a preset (`onslaught presets`)
    #[arg(value_name = "FILE|PRESET")]
    pub(super) scenario: String,

    /// A variable for ${NAME} in the file, before the environment's; may be given again
    #[arg(short, long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(super) env: Vec<String>,

    /// Lay the profile of this name over the file
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,

    /// Folder for the results [default: onslaught-results/<name>-<time>]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Shards, one core each [default: the allowed cores, less one for a local target]
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    pub(super) threads: Option<String>,

    /// Cores for the shards, as 0,2-5 [default: the process's affinity mask]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub(super) cores: Option<String>,

    /// What all choices are a function of
    #[arg(long, value_name = "N", default_value = "1", allow_hyphen_values = true)]
    pub(super) seed: String,

    #[command(flatten)]
    pub(super) scales: ScaleArgs,

    /// A word for the results, as NAME=VALUE; may be given again
    #[arg(long = "tag", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(super) tags: Vec<String>,

    /// Write every single operation to FILE, in JMeter's columns and ours: jtl=FILE
    #[arg(short, long = "output", value_name = "KIND=FILE")]
    pub(super) outputs: Vec<String>,

    /// Write summary.json to FILE, too; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,

    /// Show the whole spectrum of response and service times
    #[arg(short = 'L', long)]
    pub(super) latency: bool,

    /// Open model: how long an arrival waits for a session, instead of the file's
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) patience: Option<String>,

    /// Timeout of steps that have none of their own, instead of the file's
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) timeout: Option<String>,

    /// Let requests open their connections, instead of opening them ahead of the run
    #[arg(long)]
    pub(super) cold: bool,

    /// Take warnings about the scenario for errors, and every trust verdict but valid for 111
    #[arg(long, conflicts_with = "allow_untrusted")]
    pub(super) strict: bool,

    /// Allow targets that are neither loopback nor private addresses
    #[arg(long)]
    pub(super) allow_remote: bool,

    /// Exit 0 even if the load generator was the bottleneck
    #[arg(long)]
    pub(super) allow_untrusted: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onslaught ws ws://127.0.0.1:8080/echo -c 1000 -d 30s
  onslaught ws ws://127.0.0.1:8080/echo -c 10k -d 5m --ramp 1m --ping
  onslaught ws ws://127.0.0.1:8080/echo -c 100 --message '{\"type\":\"hello\"}'

A message is answered by the next message, a ping by its pong.")]
pub(super) struct WsArgs {
    /// Where to connect: ws://HOST[:PORT]/PATH
    #[arg(value_name = "URL")]
    pub(super) url: String,

    /// Sessions, each with a WebSocket of its own
    #[arg(short, long, value_name = "N", default_value = "64", allow_hyphen_values = true)]
    pub(super) connections: String,

    /// How long, the ramp included
    #[arg(short, long, value_name = "TIME", default_value = "10s", visible_alias = "time")]
    #[arg(visible_short_alias = 'z', allow_hyphen_values = true)]
    pub(super) duration: String,

    /// Open the sessions evenly over so much of the duration [default: all at once]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) ramp: Option<String>,

    /// How often each session sends
    #[arg(long, value_name = "TIME", default_value = "5s", allow_hyphen_values = true)]
    pub(super) every: String,

    /// Send this text, and await an answer [default: nothing is sent]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with = "ping")]
    pub(super) message: Option<String>,

    /// Send pings, and await their pongs
    #[arg(long)]
    pub(super) ping: bool,

    /// A header of the handshake, as 'Name: value'; may be given again
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,

    /// Shards, one core each [default: the allowed cores, less one for a local target]
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    pub(super) threads: Option<String>,

    /// Cores for the shards, as 0,2-5 [default: the process's affinity mask]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub(super) cores: Option<String>,

    /// Write every single operation to FILE, in JMeter's columns and ours: jtl=FILE
    #[arg(short, long = "output", value_name = "KIND=FILE")]
    pub(super) outputs: Vec<String>,

    /// Write summary.json to FILE; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,

    /// Longest wait until a WebSocket is open, and for each answer
    #[arg(long, value_name = "TIME", default_value = "10s", allow_hyphen_values = true)]
    pub(super) timeout: String,

    /// Allow targets that are neither loopback nor private addresses
    #[arg(long)]
    pub(super) allow_remote: bool,

    /// Exit 0 even if the load generator was the bottleneck
    #[arg(long)]
    pub(super) allow_untrusted: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  onslaught demo --out results

What runs is the preset taskforge in a third of its time: see it with
`onslaught example taskforge`.")]
pub(super) struct DemoArgs {
    /// Folder for the results [default: onslaught-results/demo-<time>]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onslaught http http://127.0.0.1:8080/health -c 64 -d 10s
  onslaught http http://127.0.0.1:8080/items -n 10k \\
      -H 'Content-Type: application/json' --body '{\"a\":1}'
  onslaught http http://127.0.0.1:8080/health -R 5k -d 1m --warmup 5s --json -

Latency is measured from when a request was due, not from when it was sent.")]
pub(super) struct HttpArgs {
    /// Where to send: http://HOST[:PORT]/PATH
    #[arg(value_name = "URL")]
    pub(super) url: String,

    /// Connections, and in the closed model as many sessions
    #[arg(short, long, value_name = "N", default_value = "64", allow_hyphen_values = true)]
    pub(super) connections: String,

    /// How long, after the warm-up [default: 10s, or until -n is reached]; requests in flight at
    /// the end may then take up to --timeout to end (5 s after Ctrl-C)
    #[arg(short, long, value_name = "TIME", visible_alias = "time", visible_short_alias = 'z')]
    #[arg(allow_hyphen_values = true)]
    pub(super) duration: Option<String>,

    /// Shards, one core each [default: the allowed cores, less one for a local target]
    #[arg(short, long, value_name = "N", allow_hyphen_values = true)]
    pub(super) threads: Option<String>,

    /// Cores for the shards, as 0,2-5 [default: the process's affinity mask]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub(super) cores: Option<String>,

    /// Arrivals per second over all shards (open model): 500, 5k, 300/m
    #[arg(
        short = 'R',
        long,
        value_name = "RATE",
        visible_alias = "rps",
        visible_short_alias = 'q'
    )]
    #[arg(allow_hyphen_values = true)]
    pub(super) rate: Option<String>,

    /// Stop after so many requests, those of the warm-up not counted
    #[arg(short = 'n', long, value_name = "N", allow_hyphen_values = true)]
    pub(super) requests: Option<String>,

    /// A header, as 'Name: value'; may be given again
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,

    /// The method [default: GET, or POST with a body]
    #[arg(short = 'X', long, value_name = "METHOD", visible_short_alias = 'm')]
    pub(super) method: Option<String>,

    /// The request's body; @FILE takes a file's content, of at most 64 MiB
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    pub(super) body: Option<String>,

    /// Show the whole spectrum of response and service times
    #[arg(short = 'L', long)]
    pub(super) latency: bool,

    /// Write every single operation to FILE, in JMeter's columns and ours: jtl=FILE
    #[arg(short, long = "output", value_name = "KIND=FILE")]
    pub(super) outputs: Vec<String>,

    /// Write summary.json to FILE; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,

    /// From the start of an attempt until its reply has ended; the run's end waits as long
    #[arg(long, value_name = "TIME", default_value = "30s", allow_hyphen_values = true)]
    pub(super) timeout: String,

    /// Load for so long before measuring
    #[arg(long, value_name = "TIME", default_value = "0s", allow_hyphen_values = true)]
    pub(super) warmup: String,

    /// Open model: how long an arrival waits for a connection [default: the timeout]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) patience: Option<String>,

    /// Let requests open their connections, instead of opening them ahead of the run
    #[arg(long)]
    pub(super) cold: bool,

    /// What all choices are a function of
    #[arg(long, value_name = "N", default_value = "1", allow_hyphen_values = true)]
    pub(super) seed: String,

    /// Allow targets that are neither loopback nor private addresses
    #[arg(long)]
    pub(super) allow_remote: bool,

    /// Exit 0 even if the load generator was the bottleneck
    #[arg(long)]
    pub(super) allow_untrusted: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onslaught target --listen 127.0.0.1:8080
  onslaught target --cores 1 --misbehave 5xx:97,ws-drop:89,delay:73:20ms
  onslaught target --token-ttl 30s --task-time 1s --misbehave token-early:5

Paths: /health, /bytes/N, /chunked/N, /delay/TIME, /status/CODE, /echo (POST),
/queue/MEAN (one after the other, exponential), /count, /metrics.
Accounts, in JSON: POST /auth/register and /auth/login
{email, password}, /auth/refresh {refreshToken}, /auth/logout.
As \"Authorization: Bearer TOKEN\": POST /tasks {type}, GET /tasks/ID.
WebSocket: /echo; /ws?token=TOKEN, which takes {type: subscribe, taskId} and
{type: ping, id}.")]
pub(super) struct TargetArgs {
    /// Address or name, and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(super) listen: String,

    /// Cores, one server each [default: the last of the affinity mask]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub(super) cores: Option<String>,

    /// Lies, each told every K-th time. At requests: delay:K:TIME, 5xx:K, close:K, truncate:K,
    /// corrupt:K; where several are due only the first of close > corrupt > truncate > 5xx >
    /// delay is told. At WebSocket messages sent: ws-drop:K, ws-corrupt:K, ws-duplicate:K,
    /// ws-swap:K (sent after the next one), in this order. At access tokens made: token-early:K
    /// (rejected after a tenth of their life). At requests of one account: deny-user:ADDRESS (403),
    /// slow-user:ADDRESS:TIME
    #[arg(long, value_name = "LIST")]
    pub(super) misbehave: Option<String>,

    /// Life of an access token, at least 1s
    #[arg(long, value_name = "TIME", default_value = "15m", allow_hyphen_values = true)]
    pub(super) token_ttl: String,

    /// From a task's creation until it is completed
    #[arg(long, value_name = "TIME", default_value = "3s", allow_hyphen_values = true)]
    pub(super) task_time: String,

    /// What the times of /queue are drawn from
    #[arg(long, value_name = "N", default_value = "1", allow_hyphen_values = true)]
    pub(super) seed: String,

    /// Write to FILE, as CSV, when each request arrived and was answered, with the number in its
    /// X-Request-Id
    #[arg(long, value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,

    /// End when standard input does
    #[arg(long, hide = true)]
    pub(super) until_stdin_ends: bool,
}
