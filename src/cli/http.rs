//! `onslaught http`: from flags to a plan, all mistakes at once.

use std::num::NonZeroU64;

use http::{Method, Uri};

use super::args::HttpArgs;
use super::job::Job;
use super::problems::Problems;
use crate::doctor::Cores;
use crate::metrics::histogram::LONGEST;
use crate::net::resolve::Reach;
use crate::plan::{Load, Mix, NamedRequest, Plan, Until};
use crate::protocol::http::Request;
use crate::report::TrustPolicy;
use crate::report::text::Latency;
use crate::stdx::{Nanos, units};

/// The default of `-d`.
const DURATION: Nanos = Nanos::from_secs(10);
/// Most connections over all shards: 2^20 more than fills a machine's memory with sockets.
const MOST_CONNECTIONS: u64 = 1 << 20;
/// Longest run: a year.
const LONGEST_RUN: Nanos = Nanos::from_secs(366 * 86_400);
/// Most arrivals per second: beyond what any machine makes.
const MOST_RATE: u64 = 1_000_000_000;

/// Reads the flags.
///
/// # Errors
/// With every problem there is, each with place, cause and remedy.
pub(super) fn understand(args: &HttpArgs, allowed: &Cores) -> Result<Job, Problems> {
    let mut problems = Problems::default();
    let url = problems.keep("URL", parse_url(&args.url));
    let connections = problems.keep("-c", units::count(&args.connections));
    problems.within("-c", connections, 1, MOST_CONNECTIONS, "at least one connection is needed");
    let timeout = problems.keep("--timeout", units::duration(&args.timeout));
    problems.span("--timeout", timeout, Nanos(1), LONGEST);
    let warmup = problems.keep("--warmup", units::duration(&args.warmup));
    problems.span("--warmup", warmup, Nanos::ZERO, LONGEST_RUN);
    let duration = args.duration.as_deref().map(units::duration);
    let duration = duration.and_then(|duration| problems.keep("-d", duration));
    problems.span("-d", duration, Nanos(1), LONGEST_RUN);
    let requests = args.requests.as_deref().map(units::count);
    let requests = requests.and_then(|requests| problems.keep("-n", requests));
    problems.within("-n", requests, 1, u64::MAX, "at least one request is needed");
    let shards = args.threads.as_deref().map(units::count);
    let shards = shards.and_then(|shards| problems.keep("-t", shards));
    problems.within("-t", shards, 1, 4_096, "at least one shard is needed");
    let seed = problems.keep("--seed", units::count(&args.seed));
    let cores = args.cores.as_deref().map(|list| allowed.choose(list));
    let cores = cores.and_then(|cores| problems.keep("--cores", cores));
    let load = load(args, timeout, &mut problems);
    let request = url.as_ref().and_then(|url| request(args, url, &mut problems));
    problems.or(|| {
        let (url, request) = (url?, request?);
        let named = NamedRequest { name: args.url.clone(), request };
        Some(Job {
            plan: Plan {
                name: "http".to_owned(),
                url: args.url.clone(),
                addresses: Vec::new(),
                requests: vec![named],
                mix: Mix::new(&[1]),
                load: load?,
                connections: u32::try_from(connections?).ok()?,
                until: until(requests, duration),
                warmup: warmup?,
                timeout: timeout?,
                cold: args.cold,
                seed: seed?,
                shards: 1,
            },
            host: url.host,
            port: url.port,
            reach: if args.allow_remote { Reach::Remote } else { Reach::Local },
            cores,
            shards: shards.and_then(|shards| u32::try_from(shards).ok()),
            json: args.json.clone(),
            folder: None,
            latency: if args.latency { Latency::Spectrum } else { Latency::Brief },
            policy: if args.allow_untrusted { TrustPolicy::Allow } else { TrustPolicy::Refuse },
        })
    })
}

fn until(requests: Option<u64>, duration: Option<Nanos>) -> Until {
    match requests.and_then(NonZeroU64::new) {
        Some(count) => Until::Operations(count, duration.unwrap_or(LONGEST_RUN)),
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
    let rate = problems.keep("-R", units::rate(rate))?;
    let (least, most) = (1, MOST_RATE * 1_000);
    let why = "a rate must be above zero and below 10^9 a second";
    problems.within("-R", Some(rate.milli_per_s), least, most, why);
    Some(Load::Open { rate, patience: patience.or(timeout)? })
}

/// The parts of a URL that a request is made of.
struct Target {
    host: String,
    port: u16,
    authority: String,
    path: String,
}

fn parse_url(text: &str) -> Result<Target, String> {
    let example = "expected http://HOST[:PORT]/PATH";
    let uri: Uri =
        text.parse().map_err(|error| format!("'{text}' is no URL ({error}); {example}"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err(format!("'{text}': this version speaks no TLS yet; use an http:// URL"));
        }
        Some(other) => return Err(format!("'{text}' has the scheme '{other}'; {example}")),
        None => return Err(format!("'{text}' has no scheme; did you mean http://{text} ?")),
    }
    let Some(authority) = uri.authority() else {
        return Err(format!("'{text}' names no host; {example}"));
    };
    if authority.as_str().contains('@') {
        let cure = "send it as a header: -H 'Authorization: Basic ...'";
        return Err(format!("the URL holds a user name or password; {cure}"));
    }
    if authority.port_u16() == Some(0) {
        return Err(format!("'{text}' has port 0; {example}"));
    }
    if authority.as_str().ends_with(':') || authority.host().is_empty() {
        return Err(format!("'{text}' names no host or an empty port; {example}"));
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(Target {
        host: authority.host().to_owned(),
        port: authority.port_u16().unwrap_or(80),
        authority: authority.as_str().to_owned(),
        path: path.to_owned(),
    })
}

fn request(args: &HttpArgs, url: &Target, problems: &mut Problems) -> Option<Request> {
    let default = if args.body.is_some() { Method::POST } else { Method::GET };
    let method = match args.method.as_deref() {
        None => default,
        Some(text) => {
            let parsed = Method::from_bytes(text.as_bytes());
            let wrong = |_| format!("'{text}' is no method; expected GET, HEAD, POST, PUT, ...");
            problems.keep("-X", parsed.map_err(wrong))?
        }
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
        builder = builder.body(body.as_bytes());
    }
    problems.keep("request", builder.build())
}
