//! `onslaught http`: from flags to a plan, all mistakes at once.

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroU64;

use http::{Method, Uri};

use super::args::HttpArgs;
use super::job::{ACCEPTED, Job};
use super::problems::Problems;
use super::run::outputs;
use crate::doctor::Cores;
use crate::metrics::histogram::LONGEST;
use crate::net::resolve::Reach;
use crate::plan::{Load, NamedRequest, Opening, Plan, Target, Until};
use crate::protocol::http::Request;
use crate::report::TrustPolicy;
use crate::report::text::Latency;
use crate::stdx::units::UnitError;
use crate::stdx::{Nanos, units};

/// The default of `-d`.
const DURATION: Nanos = Nanos::from_secs(10);
/// Most connections over all shards: 2^20 more than fills a machine's memory with sockets.
const MOST_CONNECTIONS: u64 = 1 << 20;
/// Shortest load: less than a tick of the timing wheel measures nothing.
pub(super) const SHORTEST: Nanos = Nanos::from_millis(1);
/// Longest run: a year.
pub(super) const LONGEST_RUN: Nanos = Nanos::from_secs(366 * 86_400);
/// Most arrivals per second: beyond what any machine makes.
const MOST_RATE: u64 = 10_000_000;
/// Most bytes of a body: every shard holds them.
const MOST_BODY: u64 = 64 << 20;

/// Reads the flags.
///
/// # Errors
/// With every problem there is, each with place, cause and remedy.
pub(super) fn understand(args: &HttpArgs, allowed: &Cores) -> Result<Job, Problems> {
    let mut problems = Problems::default();
    let url = problems.keep("URL", parse_url(&args.url));
    let many = (1, MOST_CONNECTIONS);
    let connections = problems.number("-c", &args.connections, many, "connection");
    let timeout = problems.keep("--timeout", units::duration(&args.timeout));
    problems.span("--timeout", timeout, SHORTEST, LONGEST);
    let warmup = problems.keep("--warmup", units::duration(&args.warmup));
    problems.span("--warmup", warmup, Nanos::ZERO, LONGEST_RUN);
    let duration = args.duration.as_deref().map(units::duration);
    let duration = duration.and_then(|duration| problems.keep("-d", duration));
    problems.span("-d", duration, SHORTEST, LONGEST_RUN);
    let requests = args.requests.as_deref();
    let requests = requests.and_then(|text| problems.number("-n", text, (1, u64::MAX), "request"));
    let shards = args.threads.as_deref();
    let shards = shards.and_then(|text| problems.number("-t", text, (1, 4_096), "shard"));
    let seed = problems.keep("--seed", units::count(&args.seed));
    let cores = args.cores.as_deref().map(|list| allowed.choose(list));
    let cores = cores.and_then(|cores| problems.keep("--cores", cores));
    let load = load(args, timeout, &mut problems);
    let request = url.as_ref().and_then(|url| request(args, url, &mut problems));
    let jtl = outputs(&args.outputs, &mut problems);
    problems.or(|| {
        let (url, request) = (url?, request?);
        let named = NamedRequest { name: args.url.clone(), request };
        let target = Target {
            name: "default".to_owned(),
            url: args.url.clone(),
            host: url.host,
            port: url.port,
            addresses: Vec::new(),
        };
        let mut plan = Plan::of_requests("http", target, vec![(1, named)]);
        plan.set_timeout(timeout?);
        (plan.warmup, plan.seed) = (warmup?, seed?);
        let workload = plan.only_mut();
        workload.load = load?;
        workload.sessions = u32::try_from(connections?).ok()?;
        workload.until = until(requests, duration);
        if args.cold {
            workload.opening = Opening::Cold;
        }
        Some(Job {
            plan,
            permit: if args.allow_remote { Reach::Remote } else { Reach::Local }.into(),
            cores,
            shards: shards.and_then(|shards| u32::try_from(shards).ok()),
            json: args.json.clone(),
            jtl: jtl?,
            folder: None,
            latency: if args.latency { Latency::Spectrum } else { Latency::Brief },
            policy: if args.allow_untrusted { TrustPolicy::Allow } else { TrustPolicy::Refuse },
            accepted: args.allow_untrusted.then_some(ACCEPTED),
            scenario: None,
        })
    })
}

fn until(requests: Option<u64>, duration: Option<Nanos>) -> Until {
    match requests.and_then(NonZeroU64::new) {
        Some(count) => Until::Operations(count, duration.unwrap_or(Nanos::MAX)),
        None => Until::Elapsed(duration.unwrap_or(DURATION)),
    }
}

fn load(args: &HttpArgs, timeout: Option<Nanos>, problems: &mut Problems) -> Option<Load> {
    let patience = args.patience.as_deref().map(units::duration);
    let patience = patience.and_then(|patience| problems.keep("--patience", patience));
    problems.span("--patience", patience, Nanos::ZERO, LONGEST_RUN);
    let Some(rate) = &args.rate else {
        if args.patience.is_some() {
            problems.add("--patience", "it has a meaning only with a rate; add -R, or drop it");
        }
        return Some(Load::Closed);
    };
    let rate = units::rate(rate).map_err(|error| match error {
        UnitError::TooLarge(text, _) => too_fast(&text),
        error => error.to_string(),
    });
    let rate = problems.keep("-R", rate)?;
    if rate.milli_per_s == 0 {
        problems.add("-R", "a rate must be above zero; the lowest is 0.001 a second");
    } else if rate.milli_per_s > MOST_RATE * 1_000 {
        problems.add("-R", &too_fast(args.rate.as_deref().unwrap_or_default()));
    }
    Some(Load::Open { rate, patience: patience.or(timeout)? })
}

fn too_fast(text: &str) -> String {
    format!("'{text}' is too fast; the fastest is 10M a second, beyond what any machine makes")
}

/// The parts of a URL that a request is made of.
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authority: String,
    pub(super) path: String,
}

pub(super) fn parse_url(text: &str) -> Result<Address, String> {
    let example = "expected http://HOST[:PORT]/PATH";
    let bare = !text.contains("://");
    let uri = text.parse::<Uri>().map_err(|error| match error {
        _ if bare && Uri::try_from(format!("http://{text}")).is_ok() => no_scheme(text),
        error => format!("'{text}' is no URL ({error}); {example}"),
    })?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err(format!("'{text}': this version speaks no TLS yet; use an http:// URL"));
        }
        // Before a port stands a host, not a scheme.
        Some(_) if bare => return Err(no_scheme(text)),
        Some(other) => return Err(format!("'{text}' has the scheme '{other}'; {example}")),
        None => return Err(no_scheme(text)),
    }
    let Some(authority) = uri.authority() else {
        return Err(format!("'{text}' names no host; {example}"));
    };
    if authority.as_str().contains('@') {
        let cure = "send it as a header: -H 'Authorization: Basic ...'";
        return Err(format!("the URL holds a user name or password; {cure}"));
    }
    if authority.host().is_empty() || authority.as_str().ends_with(':') {
        return Err(format!("'{text}' names no host or an empty port; {example}"));
    }
    let written = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    let port = match written.strip_prefix(':') {
        None => 80,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            format!("'{text}': the port {port} is not between 1 and 65535; {example}")
        })?,
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(Address {
        host: authority.host().to_owned(),
        port,
        authority: authority.as_str().to_owned(),
        path: path.to_owned(),
    })
}

fn no_scheme(text: &str) -> String {
    format!("'{text}' has no scheme; did you mean http://{text} ?")
}

/// The methods that people write in lower case. Others are taken as they are written: methods are
/// case-sensitive (RFC 9110, section 9.1).
const KNOWN: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::PATCH,
    Method::OPTIONS,
];

fn method(text: &str) -> Result<Method, String> {
    if let Some(known) = KNOWN.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text)) {
        return Ok(known);
    }
    Method::from_bytes(text.as_bytes())
        .map_err(|_| format!("'{text}' is no method; expected GET, HEAD, POST, PUT, ..."))
}

/// The text itself, or the file that is named behind an @.
fn body(text: &str) -> Result<Vec<u8>, String> {
    let Some(path) = text.strip_prefix('@') else { return Ok(text.into()) };
    let cannot = |why: &dyn Display| format!("cannot read '{path}': {why}; give a readable file");
    let file = File::open(path).map_err(|error| cannot(&error))?;
    let mut bytes = Vec::new();
    let mut bounded = file.take(MOST_BODY + 1);
    bounded.read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    match bytes.len() as u64 {
        length if length > MOST_BODY => Err(format!("'{path}' is larger than 64 MiB, the most")),
        _ => Ok(bytes),
    }
}

fn request(args: &HttpArgs, url: &Address, problems: &mut Problems) -> Option<Request> {
    let default = if args.body.is_some() { Method::POST } else { Method::GET };
    let method = match args.method.as_deref() {
        None => default,
        Some(text) => problems.keep("-X", method(text))?,
    };
    let mut builder = Request::builder(method, &url.path, &url.authority);
    for header in &args.headers {
        let Some((name, value)) = header.split_once(':') else {
            problems.add("-H", &format!("'{header}' has no colon; expected 'Name: value'"));
            continue;
        };
        builder = builder.header(name.trim(), value.trim());
    }
    if let Some(body) = &args.body {
        builder = builder.body(problems.keep("--body", self::body(body))?);
    }
    problems.keep("request", builder.build())
}
