//! What a plan would do, for people: nothing is asked of any target.

use std::fmt::Write as _;

use super::curve::Form;
use super::{
    Aggregate, Budget, Fleet, Instruction, Load, Opening, Pacing, Pass, Phase, Plan, Spacing,
    Strategy, Threshold, Workload,
};
use crate::stdx::Nanos;

/// What is known of the host that would run it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The hard limit of open files; none is unknown or unlimited.
    pub files: Option<u64>,
    /// Ports that connections of ours may have.
    pub ports: Option<u64>,
}

/// Response times that are assumed, in seconds.
const ASSUMED: [f64; 3] = [0.001, 0.010, 0.100];
/// Samples that a percentile needs beyond itself: ten, or it is one outlier's.
const BEYOND: f64 = 10.0;

/// The whole explanation.
#[must_use]
pub fn explain(plan: &Plan, host: Host) -> String {
    let mut out = String::new();
    head(plan, &mut out);
    for workload in &plan.workloads {
        out.push('\n');
        describe(plan, workload, &mut out);
    }
    tokens(plan, &mut out);
    needs(plan, host, &mut out);
    thresholds(plan, &mut out);
    out
}

/// Writing to a text does not fail.
macro_rules! say {
    ($out:expr, $($rest:tt)*) => { let _ = writeln!($out, $($rest)*); };
}

mod reach;
mod steered;

fn head(plan: &Plan, out: &mut String) {
    let mut parts = vec![many(plan.workloads.len() as u64, "workload")];
    if let Some(people) = &plan.people {
        parts.push(many(people.count().into(), "user"));
    }
    parts.push(many(plan.connections(), "connection"));
    parts.push(many(plan.shards.into(), "shard"));
    parts.push(plan.span().to_string());
    say!(out, "{}: {}", plan.name, parts.join(", "));
    if scaled(plan.scale_load) || scaled(plan.scale_time) {
        say!(out, "  scaled: counts by {}, times by {}", plan.scale_load, plan.scale_time);
    }
    let width = plan.targets.iter().map(|target| target.name.len()).max().unwrap_or(0);
    for target in &plan.targets {
        say!(out, "  target {:width$}  {}", target.name, target.url);
    }
    for probe in &plan.probes {
        say!(
            out,
            "  probe {} at {}:{}, before the load and after it",
            probe.name,
            probe.host,
            probe.port
        );
    }
}

fn scaled(scale: f64) -> bool {
    (scale - 1.0).abs() > f64::EPSILON
}

fn describe(plan: &Plan, workload: &Workload, out: &mut String) {
    let (from, to) = (workload.start, workload.end(plan.warmup));
    let model = match workload.load {
        Load::Closed if workload.fleet.is_some() => "WebSocket sessions that stay open".to_owned(),
        Load::Closed => "closed: as fast as the target answers".to_owned(),
        Load::Open { rate, patience } => {
            let most = if workload.levels.is_some() { "up to " } else { "" };
            let how = match workload.spacing {
                Spacing::Even => "",
                Spacing::Poisson => " at random (Poisson)",
            };
            let paced = match workload.pacing {
                Pacing::Timed => "",
                Pacing::Precise => ", a core spins for each shard",
                Pacing::Efficient => ", those of a millisecond at once",
            };
            let rate = rate.per_second();
            format!("open: {most}{rate} arrivals/s{how}{paced}, each waits {patience} at most")
        }
    };
    say!(out, "{}: {model}", workload.name);
    let sessions = many(workload.sessions.into(), "session");
    let connections = many(workload.connections(), "connection");
    say!(out, "  {sessions}, {connections}, from {} to {to}", since(from));
    say!(out, "  {}", opening(workload));
    levels(plan, workload, out);
    steered::says(plan, workload, out);
    match &workload.fleet {
        Some(fleet) => fleet_says(plan, workload, fleet, out),
        None => program_says(plan, workload, out),
    }
    users(plan, workload, out);
}

/// Each piece of a level that changes, with the name of its phase.
fn levels(plan: &Plan, workload: &Workload, out: &mut String) {
    let Some(curve) = &workload.levels else { return };
    let noun = match workload.load {
        Load::Closed => " sessions",
        Load::Open { .. } => "/s",
    };
    let level = |level: u64| about_exactly(level as f64 / 1e3);
    for piece in curve.pieces().iter().take(PIECES_SHOWN) {
        let (from, to) = (workload.start + piece.from, workload.start + piece.to);
        let how = match (piece.first == piece.last, piece.form) {
            (true, _) => format!("{}{noun}", level(piece.first)),
            (false, Form::Straight) => {
                format!("{} to {}{noun}, a line", level(piece.first), level(piece.last))
            }
            (false, Form::Doubling) => {
                format!("{} to {}{noun}, doubling", level(piece.first), level(piece.last))
            }
        };
        let phase = workload.phase(from);
        let name = match phase {
            Phase::Named(_) => format!(" ({})", plan.phase_name(phase)),
            Phase::Warmup | Phase::Load => String::new(),
        };
        say!(out, "    {:>8} .. {:<8} {how}{name}", since(from), to.to_string());
    }
    let more = curve.pieces().len().saturating_sub(PIECES_SHOWN);
    if more > 0 {
        say!(out, "    and {more} more");
    }
}

/// Pieces of a level that are listed.
const PIECES_SHOWN: usize = 30;

fn about_exactly(level: f64) -> String {
    let text = format!("{level:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn opening(workload: &Workload) -> String {
    match workload.opening {
        Opening::Ahead => "connections are opened before the load".to_owned(),
        Opening::Cold => "connections are opened by the operations that need them".to_owned(),
        Opening::Paced { count, every } => {
            let steps = u64::from(workload.sessions.saturating_sub(1) / count.max(1));
            let last = Nanos(every.0.saturating_mul(steps));
            format!("connections are opened {count} per {every}: the last after {last}")
        }
    }
}

fn fleet_says(plan: &Plan, workload: &Workload, fleet: &Fleet, out: &mut String) {
    let name = |message: u16| plan.messages.get(usize::from(message)).map(|it| it.name.as_str());
    let Some(message) = fleet.message.and_then(name) else {
        say!(out, "  nothing is sent");
        return;
    };
    let speaks = fleet.sample.map_or(workload.sessions, |sample| sample.min(workload.sessions));
    let rounds = span_of(plan, workload) / fleet.every.as_secs_f64().max(1e-9);
    let all = rounds.floor() * f64::from(speaks);
    say!(
        out,
        "  '{message}' every {} on {} of {} sessions: about {} messages",
        fleet.every,
        thousands(u64::from(speaks)),
        thousands(u64::from(workload.sessions)),
        about(all)
    );
}

fn span_of(plan: &Plan, workload: &Workload) -> f64 {
    workload.end(plan.warmup).since(workload.start).as_secs_f64()
}

fn program_says(plan: &Plan, workload: &Workload, out: &mut String) {
    let pass = Pass::of(&workload.program);
    shares(plan, workload, &pass, out);
    let row = |each: &dyn Fn(f64) -> String| -> String {
        ASSUMED.iter().map(|latency| format!("{:>11}", each(*latency))).collect()
    };
    if workload.steer.is_none() {
        say!(out, "  if each answer takes      1 ms      10 ms     100 ms   (Little's law)");
        let per_pass = pass.operations.max(f64::MIN_POSITIVE);
        let operations = |latency: f64| expected(plan, workload, &pass, latency) * per_pass;
        let requests = row(&|latency| about(operations(latency)));
        say!(out, "  operations are   {requests}");
        let seconds = span_of(plan, workload).max(1e-9);
        let rates = row(&|latency| format!("{}/s", about(operations(latency) / seconds)));
        say!(out, "  which is         {rates}");
    } else if matches!(workload.load, Load::Open { .. }) {
        say!(out, "  at most, if an answer takes 1 ms    10 ms     100 ms   (Little's law)");
    }
    if let Load::Open { rate, .. } = workload.load {
        let busy = |latency: f64| (rate.per_second() * pass.seconds(latency)).ceil().max(1.0);
        say!(out, "  sessions at work {}", row(&|latency| about(busy(latency))));
        reach::sessions(workload, &pass, out);
    }
}

/// Iterations until the end, when each operation takes so many seconds.
fn expected(plan: &Plan, workload: &Workload, pass: &Pass, latency: f64) -> f64 {
    let span = span_of(plan, workload);
    let each = pass.seconds(latency).max(1e-9);
    let mean = workload.mean_level(plan.warmup) / 1e3;
    match workload.load {
        Load::Closed => mean * span / each,
        Load::Open { .. } => (mean * span).min(f64::from(workload.sessions) * span / each),
    }
}

/// The share of each request among the operations of a pass.
fn shares(plan: &Plan, workload: &Workload, pass: &Pass, out: &mut String) {
    let mut named: Vec<(&str, f64)> = Vec::new();
    for (instruction, visits) in workload.program.instructions.iter().zip(&pass.visits) {
        let name = match instruction {
            Instruction::Http(at) => plan.requests.get(usize::from(*at)).map(|it| &it.name),
            Instruction::Open(at) => plan.sockets.get(usize::from(*at)).map(|it| &it.name),
            Instruction::Send(at) | Instruction::Receive(at) => {
                plan.messages.get(usize::from(*at)).map(|it| &it.name)
            }
            _ => None,
        };
        let Some(name) = name else { continue };
        match named.iter_mut().find(|(each, _)| each == name) {
            Some((_, sum)) => *sum += visits,
            None => named.push((name, *visits)),
        }
    }
    let total: f64 = named.iter().map(|(_, visits)| visits).sum();
    for (name, visits) in named {
        let share = visits / total.max(f64::MIN_POSITIVE) * 100.0;
        say!(out, "  {share:6.2} %  {name}");
    }
    let thinking = pass.thinking;
    if thinking > Nanos::ZERO {
        let operations = pass.operations;
        say!(out, "  an iteration has {operations:.2} operations and {thinking} of thinking");
    }
}

fn users(plan: &Plan, workload: &Workload, out: &mut String) {
    let count = workload.users.end - workload.users.start;
    if count == 0 {
        return;
    }
    let how = match workload.strategy {
        Strategy::Random => "any of them for each iteration",
        Strategy::Weighted => "a group by weight, then any of it, for each iteration",
        Strategy::RoundRobin => "in turn by the session's number",
        Strategy::Sticky => "any of them, kept as long as the session lives",
        Strategy::Unique => "one for each session alone",
    };
    let mean = f64::from(workload.sessions) / f64::from(count);
    say!(out, "  {}, {how}: {mean:.2} sessions a user", many(count.into(), "user"));
    if workload.strategy == Strategy::Weighted {
        groups(plan, workload, out);
    }
}

/// The share of each group that is drawn by weight.
fn groups(plan: &Plan, workload: &Workload, out: &mut String) {
    let Some(people) = &plan.people else { return };
    let total: u64 =
        people.groups_in(&workload.users).map(|(group, _)| u64::from(group.weight)).sum();
    for (at, (group, users)) in people.groups_in(&workload.users).enumerate() {
        let share = f64::from(group.weight) / (total as f64).max(1.0) * 100.0;
        let count = many(u64::from(users.end - users.start), "user");
        let name = match group.name.as_str() {
            "" => format!("group {}", at + 1),
            name => name.to_owned(),
        };
        say!(out, "  {share:6.2} %  {name}: {count}");
    }
    if let Some(most) = plan.shards_by_weight().filter(|most| *most < plan.shards) {
        say!(out, "  runs on {}: each needs a user of each group", many(most.into(), "shard"));
    }
}

fn tokens(plan: &Plan, out: &mut String) {
    let Some(people) = &plan.people else { return };
    let Some(auth) = &people.auth else { return };
    let count = u64::from(people.count());
    say!(out, "\ntokens");
    if auth.register.is_some() {
        let ahead = count.min(auth.register_ahead.into());
        let during = match count - ahead {
            0 => String::new(),
            later => format!("; {} when they are needed first", thousands(later)),
        };
        let registrations = many(ahead, "registration");
        say!(out, "  {registrations} before the load, {} at once{during}", auth.parallel);
    }
    let later = count.saturating_sub(auth.ahead.into());
    say!(
        out,
        "  {} before the load; {} when they are needed first",
        many(auth.ahead.into(), "login"),
        thousands(later)
    );
    let lives = plan.span().0 / auth.expires_in.0.max(1);
    say!(
        out,
        "  a token lives {} unless the server says otherwise: about {}",
        auth.expires_in,
        many(lives * count, "renewal")
    );
    if auth.logout.is_some() {
        say!(out, "  {} after the load", many(count, "logout"));
    }
}

fn needs(plan: &Plan, host: Host, out: &mut String) {
    let budget = Budget::of(plan);
    say!(out, "\nneeds");
    say!(
        out,
        "  {} at once, {} of one shard",
        many(budget.sockets, "socket"),
        thousands(budget.sockets_of_shard)
    );
    let files = budget.files();
    let judged = match host.files {
        Some(limit) if limit < files => {
            format!("warning: the hard limit here is {}", thousands(limit))
        }
        Some(limit) => format!("the hard limit here is {}", thousands(limit)),
        None => "no limit here".to_owned(),
    };
    say!(out, "  {} in the limit of open files; {judged}", thousands(files));
    for (target, ports) in plan.targets.iter().zip(&budget.ports) {
        let of = host.ports.map_or_else(String::new, |most| {
            let too_many = if *ports > most { ": warning: too few" } else { "" };
            format!(" of {} for each address of it{too_many}", thousands(most))
        });
        say!(out, "  {} to {}{of}", many(*ports, "local port"), target.name);
    }
    say!(out, "\n  {:<26}{:>12}{:>12}{:>12}", "memory", "number", "bytes each", "together");
    for part in &budget.memory {
        let together = part.count.saturating_mul(part.each);
        say!(
            out,
            "  {:<26}{:>12}{:>12}{:>12}",
            part.what,
            thousands(part.count),
            thousands(part.each),
            size(together)
        );
    }
    say!(out, "  {:<26}{:>36}", "all, beside the program", size(budget.bytes()));
}

/// Those that the expected samples cannot answer.
fn thresholds(plan: &Plan, out: &mut String) {
    if plan.thresholds.is_empty() {
        return;
    }
    say!(out, "\nthresholds");
    for threshold in &plan.thresholds {
        say!(out, "  {}", threshold.text);
        if let Aggregate::Percentile(percentile) = threshold.measured.aggregate
            && let Some(expected) = expected_samples(plan, threshold)
        {
            let needed = BEYOND / (1.0 - percentile / 100.0).max(1e-9);
            if percentile > 50.0 && expected < needed {
                say!(
                    out,
                    "    no data: p({percentile}) needs {} samples, about {} come (10 ms a reply)",
                    about(needed),
                    about(expected)
                );
            }
        }
        if threshold.measured.aggregate == Aggregate::Rate {
            reach::rate(plan, threshold, out);
        }
    }
}

/// Samples of a threshold's metric, where they can be foretold.
fn expected_samples(plan: &Plan, threshold: &Threshold) -> Option<f64> {
    let measured = &threshold.measured;
    match measured.metric.value.as_str() {
        "ws_connecting" if measured.labels.is_empty() => Some(openings(plan)),
        metric if metric.starts_with("http_") => Some(samples(plan, &measured.labels)),
        _ => None,
    }
}

/// WebSockets that are opened, none of them lost.
fn openings(plan: &Plan) -> f64 {
    let of = |workload: &Workload| {
        if workload.fleet.is_some() {
            return f64::from(workload.sessions);
        }
        let pass = Pass::of(&workload.program);
        let opens = workload.program.instructions.iter().zip(&pass.visits);
        let opens = opens.filter(|(each, _)| matches!(each, Instruction::Open(_)));
        let opens: f64 = opens.map(|(_, visits)| visits).sum();
        opens * expected(plan, workload, &pass, ASSUMED[1])
    };
    plan.workloads.iter().map(of).sum()
}

/// Requests that are expected at 10 ms an answer, with these labels.
fn samples(plan: &Plan, labels: &Labels) -> f64 {
    let of = |workload: &Workload| {
        let pass = Pass::of(&workload.program);
        let iterations = expected(plan, workload, &pass, ASSUMED[1]);
        iterations * requests_of(plan, workload, &pass, labels)
    };
    plan.workloads.iter().map(of).sum()
}

/// The labels of a threshold's metric.
type Labels = [(crate::scenario::Spanned<String>, crate::scenario::Spanned<String>)];

/// Requests with these labels in a pass of a workload.
fn requests_of(plan: &Plan, workload: &Workload, pass: &Pass, labels: &Labels) -> f64 {
    let label = |key: &str| {
        labels.iter().find(|(each, _)| each.value == key).map(|(_, value)| value.value.as_str())
    };
    if label("workload").is_some_and(|wanted| wanted != workload.name) {
        return 0.0;
    }
    let wanted = |at: u16| {
        let Some(request) = plan.requests.get(usize::from(at)) else { return false };
        let leaf = plan.leaves.get(usize::from(request.leaf));
        let group = leaf.and_then(|leaf| plan.groups.get(usize::from(leaf.group?)));
        let named = label("name").is_none_or(|wanted| wanted == request.name);
        let grouped =
            label("group").is_none_or(|wanted| group.is_some_and(|group| group == wanted));
        named && grouped
    };
    let visits = workload.program.instructions.iter().zip(&pass.visits);
    let visits = visits.filter_map(|(instruction, visits)| match instruction {
        Instruction::Http(at) if wanted(*at) => Some(visits),
        _ => None,
    });
    visits.sum()
}

fn many(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", thousands(count))
}

/// Two digits of a number that is a guess.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are not negative, and the cast saturates"
)]
fn about(number: f64) -> String {
    if number < 10.0 {
        return format!("{number:.1}");
    }
    let digits = 10_f64.powf((number.log10().floor() - 1.0).max(0.0));
    thousands(((number / digits).round() * digits) as u64)
}

fn since(start: Nanos) -> String {
    if start == Nanos::ZERO { "0s".to_owned() } else { start.to_string() }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1e3)
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[expect(clippy::cast_precision_loss, reason = "shown with one place")]
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1_024.0;
    let mut unit = 0;
    while value >= 1_024.0 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}
