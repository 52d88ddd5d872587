//! `onslaught ws`: from flags to a plan of WebSocket sessions that stay open.

use super::args::WsArgs;
use super::http::{Address, LONGEST_RUN, SHORTEST, parse_url};
use super::job::{ACCEPTED, Job};
use super::problems::Problems;
use super::run::outputs;
use crate::doctor::Cores;
use crate::metrics::histogram::LONGEST;
use crate::net::resolve::Reach;
use crate::plan::{
    Answer, Expect, Fleet, Kind, LeafName, Load, Message, Opening, Pacing, Plan, Program, Sent,
    Socket, Spacing, Strategy, Target, Text, Until, Workload,
};
use crate::protocol::ws::Upgrade;
use crate::report::TrustPolicy;
use crate::report::text::Latency;
use crate::stdx::{Nanos, units};

/// Most sessions over all shards, as with `http`.
const MOST_SESSIONS: u64 = 1 << 20;

/// Reads the flags.
///
/// # Errors
/// With every problem there is, each with place, cause and remedy.
pub(super) fn understand(args: &WsArgs, allowed: &Cores) -> Result<Job, Problems> {
    let mut problems = Problems::default();
    let url = problems.keep("URL", url(&args.url));
    let many = (1, MOST_SESSIONS);
    let sessions = problems.number("-c", &args.connections, many, "session");
    let span = |flag: &str, text: &str, most, problems: &mut Problems| {
        let span = problems.keep(flag, units::duration(text));
        problems.span(flag, span, SHORTEST, most);
        span
    };
    let timeout = span("--timeout", &args.timeout, LONGEST, &mut problems);
    let duration = span("-d", &args.duration, LONGEST_RUN, &mut problems);
    let every = span("--every", &args.every, LONGEST_RUN, &mut problems);
    let ramp = args.ramp.as_deref();
    let ramp = ramp.and_then(|ramp| span("--ramp", ramp, LONGEST_RUN, &mut problems));
    if let (Some(ramp), Some(duration)) = (ramp, duration)
        && ramp >= duration
    {
        let what = format!("{ramp} is not within the duration of {duration}; raise -d");
        problems.add("--ramp", &what);
    }
    let shards = args.threads.as_deref();
    let shards = shards.and_then(|text| problems.number("-t", text, (1, 4_096), "shard"));
    let cores = args.cores.as_deref().map(|list| allowed.choose(list));
    let cores = cores.and_then(|cores| problems.keep("--cores", cores));
    let head = url.as_ref().and_then(|url| head(args, url, &mut problems));
    let jtl = outputs(&args.outputs, &mut problems);
    problems.or(|| {
        let sessions = u32::try_from(sessions?).ok()?;
        let fleet = Spoken { timeout: timeout?, every: every?, head: head? };
        let mut plan = plan(args, url?, fleet);
        plan.timeout = timeout?;
        let workload = plan.only_mut();
        workload.sessions = sessions;
        workload.until = Until::Elapsed(duration?);
        workload.opening = ramp.map_or(Opening::Cold, |ramp| pace(ramp, sessions));
        Some(Job {
            plan,
            permit: if args.allow_remote { Reach::Remote } else { Reach::Local }.into(),
            cores,
            shards: shards.and_then(|shards| u32::try_from(shards).ok()),
            json: args.json.clone(),
            jtl: jtl?,
            folder: None,
            latency: Latency::Brief,
            policy: if args.allow_untrusted { TrustPolicy::Allow } else { TrustPolicy::Refuse },
            accepted: args.allow_untrusted.then_some(ACCEPTED),
            scenario: None,
        })
    })
}

/// The parts of a WebSocket's address, which differ from those of a request's by the scheme alone.
fn url(text: &str) -> Result<Address, String> {
    const EXAMPLE: &str = "expected ws://HOST[:PORT]/PATH";
    match text.split_once("://") {
        Some(("ws", rest)) => parse_url(&format!("http://{rest}"))
            .map_err(|problem| problem.replace("http://", "ws://")),
        Some(("wss", _)) => {
            Err(format!("'{text}': this version speaks no TLS yet; use a ws:// URL"))
        }
        Some((other, _)) => Err(format!("'{text}' has the scheme '{other}'; {EXAMPLE}")),
        None => Err(format!("'{text}' has no scheme; did you mean ws://{text} ?")),
    }
}

/// The handshake, without what is anew each time.
fn head(args: &WsArgs, url: &Address, problems: &mut Problems) -> Option<Text> {
    let mut builder = Upgrade::builder(&url.path, &url.authority);
    for header in &args.headers {
        let Some((name, value)) = header.split_once(':') else {
            problems.add("-H", &format!("'{header}' has no colon; expected 'Name: value'"));
            continue;
        };
        builder = builder.header(name.trim(), value.trim());
    }
    let upgrade = problems.keep("handshake", builder.build())?;
    Some(Text::fixed(Socket::head_of(&upgrade)))
}

/// So many sessions at once, so often, that the last one begins within the ramp.
fn pace(ramp: Nanos, sessions: u32) -> Opening {
    let ticks = u32::try_from(ramp.0 / SHORTEST.0).unwrap_or(u32::MAX).max(1);
    let count = sessions.div_ceil(ticks);
    let rounds = sessions.div_ceil(count);
    Opening::Paced { count, every: Nanos(ramp.0 / u64::from(rounds.max(1))) }
}

/// How sessions are opened and what they say.
struct Spoken {
    timeout: Nanos,
    every: Nanos,
    head: Text,
}

/// One workload of such sessions.
fn plan(args: &WsArgs, url: Address, spoken: Spoken) -> Plan {
    let Spoken { timeout, every, head } = spoken;
    let leaf =
        |name: &str, kind| LeafName { name: name.to_owned(), kind, workload: 0, group: None };
    let sent = match &args.message {
        Some(message) => Some(Sent::Text(Text::fixed(message.as_str()))),
        None => args.ping.then_some(Sent::Ping),
    };
    let name = if args.ping { "ping" } else { "message" };
    let messages: Vec<Message> = sent
        .into_iter()
        .map(|content| Message {
            name: name.to_owned(),
            leaf: 1,
            content: Some(content),
            answer: Answer::Next,
            expect: Expect::default(),
            saves: Vec::new(),
            timeout,
            subscribes: false,
        })
        .collect();
    let mut leaves = vec![leaf(&args.url, Kind::WsOpen)];
    leaves.extend(messages.iter().map(|message| leaf(&message.name, Kind::WsMessage)));
    let socket = Socket { name: args.url.clone(), leaf: 0, target: 0, channel: 0, head, timeout };
    let message = (!messages.is_empty()).then_some(0);
    Plan {
        name: "ws".to_owned(),
        targets: vec![Target {
            name: "default".to_owned(),
            url: args.url.clone(),
            host: url.host,
            port: url.port,
            addresses: Vec::new(),
        }],
        workloads: vec![Workload {
            name: "ws".to_owned(),
            load: Load::Closed,
            sessions: 1,
            levels: None,
            spacing: Spacing::default(),
            pacing: Pacing::default(),
            stages: Vec::new(),
            steer: None,
            until: Until::Elapsed(Nanos::ZERO),
            start: Nanos::ZERO,
            opening: Opening::Cold,
            channels: vec![0],
            program: Program::default(),
            fleet: Some(Fleet { socket: 0, message, every, sample: None }),
            strategy: Strategy::default(),
            users: 0..0,
        }],
        sockets: vec![socket],
        messages,
        leaves,
        ..Plan::empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Opening, pace, url};

    #[test]
    fn a_ramp_is_as_long_as_it_says() {
        for (ramp, sessions) in [(1_000, 50), (1_000, 7), (10, 100_000), (60_000, 1)] {
            let ramp = Nanos::from_millis(ramp);
            let Opening::Paced { count, every } = pace(ramp, sessions) else { panic!("a pace") };
            let last = Nanos(every.0 * u64::from((sessions - 1) / count));
            assert!(last < ramp, "{sessions} sessions: the last after {last} of {ramp}");
            assert!(last.0 + 2 * every.0 >= ramp.0, "{sessions} sessions are all there at {last}");
        }
    }

    #[test]
    fn only_plain_websockets() {
        assert!(url("ws://127.0.0.1:8080/echo").is_ok_and(|url| url.port == 8080));
        assert!(url("wss://a/").is_err_and(|why| why.contains("no TLS")));
        assert!(url("http://a/").is_err_and(|why| why.contains("expected ws://")));
        assert!(url("a/b").is_err_and(|why| why.contains("ws://a/b")));
        assert!(url("ws://a:0/").is_err_and(|why| why.contains("ws://HOST")));
    }
}
