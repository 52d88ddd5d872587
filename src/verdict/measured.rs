//! What was measured of a metric, by its name and labels: out of the leaves and counts of a run, or
//! of a part of it.

use std::borrow::Cow;

use super::threshold::Samples;
use crate::metrics::catalog::names;
use crate::metrics::{Counter, Delta, Histogram, Leaf, Trend};
use crate::plan::socket::Sent;
use crate::plan::{Answer, Kind, LeafName, Message, Phase, Plan, Timed, Workload};
use crate::protocol::{Failure, Side};
use crate::scenario::Measured;
use crate::stdx::Nanos;

/// What a leaf's operations are, as far as metrics tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A request.
    Request,
    /// Opening a WebSocket.
    Open,
    /// A message with an answer.
    Answered,
    /// A ping.
    Ping,
    /// A message that nothing answers.
    Unanswered,
}

/// A part of a run: leaves of a phase, all of them unless it says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Which phase.
    pub phase: Phase,
    /// Only of this workload.
    pub workload: Option<u16>,
    /// Only of this group of steps.
    pub group: Option<u16>,
    /// Only of this name.
    pub name: Option<&'a str>,
}

/// What a metric is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Times of the leaves of a role.
    Times(Role, Trend),
    /// Our own lateness, of all leaves.
    Lag,
    /// Times beside operations, by index.
    Timed(usize),
    /// Times of groups of steps.
    Groups,
    /// Times of iterations.
    IterationTimes,
    /// Iterations that ended.
    Iterations,
    /// Replies to requests.
    Replies,
    /// Requests that failed by no fault of ours.
    RequestsFailed,
    /// Bytes received.
    Received,
    /// Bytes sent.
    Sent,
    /// Operations that were dropped.
    Dropped,
    /// What is counted beside operations.
    Counter(Counter),
    /// Errors of a sort.
    Errors(Errors),
    /// Checks.
    Checks,
    /// Sessions.
    Sessions,
}

/// Sorts of errors; a user sees one sum of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// Requests without a whole reply.
    Transport,
    /// Replies of a status that is not expected: of 400 and above, unless the scenario says.
    Status,
    /// WebSockets that could not be opened, or broke.
    Ws,
    /// Logins that gave no token.
    Auth,
    /// All of them.
    Total,
}

impl Errors {
    /// All, in the order of reports.
    pub const ALL: [Self; 5] = [Self::Transport, Self::Status, Self::Ws, Self::Auth, Self::Total];

    /// The key in the results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transport => "errors_transport",
            Self::Status => "errors_status",
            Self::Ws => "errors_ws",
            Self::Auth => "errors_auth",
            Self::Total => "errors_total",
        }
    }
}

/// What a run has been so far, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// What was run.
    pub plan: &'a Plan,
    /// What was recorded.
    pub delta: &'a Delta,
    /// What rates are taken over.
    pub span: Nanos,
}

impl<'a> Part<'a> {
    /// The whole of a phase.
    #[must_use]
    pub const fn whole(phase: Phase) -> Self {
        Self { phase, workload: None, group: None, name: None }
    }

    /// Whether it is the whole of its phase.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.workload.is_none() && self.group.is_none() && self.name.is_none()
    }

    /// The leaves of the plan that it holds, as indices.
    pub fn leaves(self, plan: &'a Plan) -> impl Iterator<Item = u16> + 'a {
        let within = move |leaf: &LeafName| {
            self.workload.is_none_or(|workload| leaf.workload == workload)
                && self.group.is_none_or(|group| leaf.group == Some(group))
                && self.name.is_none_or(|name| leaf.name == name)
        };
        (0..).zip(&plan.leaves).filter(move |(_, leaf)| within(leaf)).map(|(index, _)| index)
    }
}

/// What the operations of a leaf are.
#[must_use]
pub fn role(plan: &Plan, leaf: u16) -> Role {
    match plan.leaves.get(usize::from(leaf)).map(|leaf| leaf.kind) {
        Some(Kind::WsOpen) => Role::Open,
        Some(Kind::WsMessage) => {
            let is = |sort: fn(&Message) -> bool| {
                plan.messages.iter().any(|message| message.leaf == leaf && sort(message))
            };
            if is(|message| matches!(message.content, Some(Sent::Ping))) {
                Role::Ping
            } else if is(|message| !matches!(message.answer, Answer::None)) {
                Role::Answered
            } else {
                Role::Unanswered
            }
        }
        Some(Kind::Http) | None => Role::Request,
    }
}

/// Whether each iteration of a workload is one request of a mix, so that operations are iterations.
#[must_use]
pub fn one_request(workload: &Workload) -> bool {
    workload.fleet.is_none() && workload.program.as_mix().is_some()
}

/// What a metric of that name is made of, if this plan can produce it.
#[must_use]
pub fn origin(plan: &Plan, name: &str) -> Option<Origin> {
    let metrics = origins(plan, Part::whole(Phase::Load));
    metrics.into_iter().find(|(known, _)| known == name).map(|(_, origin)| origin)
}

/// The metrics of a part of a run, in the order of reports.
#[must_use]
pub fn origins(plan: &Plan, part: Part<'_>) -> Vec<(String, Origin)> {
    let has = |wanted: Role| part.leaves(plan).any(|leaf| role(plan, leaf) == wanted);
    let mut found: Vec<(String, Origin)> = Vec::new();
    let mut add = |name: &str, origin| found.push((name.to_owned(), origin));
    let requests = has(Role::Request);
    if requests {
        add(names::HTTP_REQS, Origin::Replies);
        let trends = Trend::ALL.into_iter().filter(|trend| *trend != Trend::Lag);
        trends.for_each(|trend| add(trend.name(), Origin::Times(Role::Request, trend)));
    }
    add(Trend::Lag.name(), Origin::Lag);
    if has_iterations(plan, part) {
        add(names::ITERATION_DURATION, Origin::IterationTimes);
    }
    if requests {
        add(names::HTTP_REQ_FAILED, Origin::RequestsFailed);
    }
    for (sort, name) in [
        (Role::Open, names::WS_CONNECTING),
        (Role::Answered, names::WS_MSG_LATENCY),
        (Role::Ping, names::WS_PING),
    ] {
        if has(sort) {
            add(name, Origin::Times(sort, Trend::Duration));
        }
    }
    if part.is_whole() {
        timed(plan).into_iter().for_each(|(name, origin)| add(name, origin));
        counters(plan).for_each(|counter| add(counter.name(), Origin::Counter(counter)));
    } else if part.group.is_some() && part.workload.is_none() && part.name.is_none() {
        add(names::GROUP_DURATION, Origin::Groups);
    }
    add(names::DATA_RECEIVED, Origin::Received);
    add(names::DATA_SENT, Origin::Sent);
    if has_iterations(plan, part) {
        add(names::ITERATIONS, Origin::Iterations);
    }
    add(names::DROPPED_ITERATIONS, Origin::Dropped);
    // Which part of the run a check belongs to is not recorded.
    if part.is_whole() || plan.checks.is_empty() {
        add(names::CHECKS, Origin::Checks);
    }
    if part.group.is_none() && part.name.is_none() {
        add(names::VUS, Origin::Sessions);
    }
    if part.is_whole() && counts_errors(plan) {
        Errors::ALL.into_iter().for_each(|sort| add(sort.name(), Origin::Errors(sort)));
    }
    found
}

/// What is timed beside operations.
fn timed(plan: &Plan) -> Vec<(&str, Origin)> {
    let mut found = Vec::new();
    if auth(plan) {
        found.push((names::AUTH_DURATION, Origin::Timed(Timed::AUTH)));
    }
    if !plan.sockets.is_empty() {
        found.push((names::WS_SESSION_DURATION, Origin::Timed(Timed::WS_SESSION)));
    }
    if !plan.groups.is_empty() {
        found.push((names::GROUP_DURATION, Origin::Groups));
    }
    let measures = plan.measures.iter().enumerate();
    found.extend(measures.map(|(index, measure)| {
        (measure.name.as_str(), Origin::Timed(plan.timed().measure(index)))
    }));
    found
}

/// Counters that the plan can move, but for iterations.
fn counters(plan: &Plan) -> impl Iterator<Item = Counter> + '_ {
    let possible = |counter: &Counter| match counter {
        Counter::UsersCreated
        | Counter::RegistrationsFailed
        | Counter::Logins
        | Counter::AuthFailures
        | Counter::TokenRefreshes
        | Counter::TokenRefreshesFailed
        | Counter::Logouts
        | Counter::RetriesUnauthorized
        | Counter::TokenWaits => auth(plan),
        Counter::TasksCreated => plan.requests.iter().any(|request| request.creates),
        Counter::Subscriptions => plan.messages.iter().any(|message| message.subscribes),
        Counter::WsSessions
        | Counter::WsErrors
        | Counter::WsReconnects
        | Counter::WsMsgsSent
        | Counter::WsMsgsReceived
        | Counter::WsMsgsSkipped
        | Counter::WsMsgsUnasked => !plan.sockets.is_empty(),
        Counter::Iterations => false,
    };
    Counter::ALL.into_iter().filter(possible)
}

/// Whether errors are of more than one sort.
fn counts_errors(plan: &Plan) -> bool {
    !plan.sockets.is_empty() || auth(plan)
}

/// Whether the users of a plan have tokens.
#[must_use]
pub fn auth(plan: &Plan) -> bool {
    plan.people.as_ref().is_some_and(|people| people.auth.is_some())
}

/// Whether the iterations of a part are known: of the whole always, else where each is a request.
fn has_iterations(plan: &Plan, part: Part<'_>) -> bool {
    let mut leaves = part.leaves(plan).peekable();
    let single = leaves.peek().is_some()
        && leaves.all(|leaf| {
            let workload = plan.leaves.get(usize::from(leaf)).map(|leaf| leaf.workload);
            let workload = workload.and_then(|index| plan.workloads.get(usize::from(index)));
            workload.is_some_and(one_request)
        });
    single || part.is_whole() && plan.workloads.iter().any(|workload| workload.fleet.is_none())
}

impl<'a> Recorded<'a> {
    /// What was measured of a metric with labels.
    ///
    /// # Errors
    /// A sentence that names what does not exist, or is not told apart.
    pub fn samples(&self, measured: &'a Measured) -> Result<Samples<'a>, String> {
        let name = measured.metric.value.as_str();
        let labels = measured.labels.iter();
        let labels = labels.map(|(key, value)| (key.value.as_str(), value.value.as_str()));
        if name == names::CHECKS {
            return self.checks(labels);
        }
        if name == names::CONNECTS_FAILED && measured.labels.is_empty() {
            return Ok(Samples::Count(self.delta.counts.connect_failures, self.span));
        }
        let mut part = Part::whole(Phase::Load);
        for (key, value) in labels {
            self.narrow(&mut part, key, value)?;
        }
        let Some(origin) = origin(self.plan, name) else {
            return Err(format!("this run has no metric {name}"));
        };
        if !part.is_whole() && part.leaves(self.plan).next().is_none() {
            return Err(format!("nothing has all labels of {name} at once"));
        }
        self.of(origin, part).ok_or_else(|| format!("{name} is not told apart by these labels"))
    }

    fn narrow(&self, part: &mut Part<'a>, key: &str, value: &'a str) -> Result<(), String> {
        let none = || format!("there is no {key} called {value}");
        let index = |found: Option<usize>| {
            found.and_then(|index| u16::try_from(index).ok()).ok_or_else(none)
        };
        let plan = self.plan;
        match key {
            "phase" => {
                let phase = plan.phases().find(|phase| plan.phase_name(*phase) == value);
                part.phase = phase.ok_or_else(none)?;
            }
            "workload" => {
                let at = plan.workloads.iter().position(|workload| workload.name == value);
                let at = index(at)?;
                // The only one is the whole, with all that is not told apart by workload.
                part.workload = (plan.workloads.len() > 1).then_some(at);
            }
            "group" => {
                part.group = Some(index(plan.groups.iter().position(|group| group == value))?);
            }
            "name" if plan.leaves.iter().any(|leaf| leaf.name == value) => part.name = Some(value),
            "name" => return Err(none()),
            _ => return Err(format!("there is no label {key}")),
        }
        Ok(())
    }

    /// Checks, all of them or the one of a name.
    fn checks<'b>(
        &self,
        labels: impl Iterator<Item = (&'b str, &'b str)>,
    ) -> Result<Samples<'a>, String> {
        let mut wanted = None;
        for label in labels {
            match label {
                ("name", name) if self.plan.checks.iter().any(|check| check == name) => {
                    wanted = Some(name);
                }
                ("name", name) => return Err(format!("there is no check called {name}")),
                (key, _) => return Err(format!("checks are not told apart by {key}")),
            }
        }
        let counts = self.plan.checks.iter().zip(&self.delta.checks);
        let counts = counts.filter(|(name, _)| wanted.is_none_or(|wanted| wanted == name.as_str()));
        let (passes, fails) = counts.fold((0, 0), |(passes, fails), (_, count)| {
            (passes + count.passes, fails + count.fails)
        });
        Ok(Samples::Share(passes, fails))
    }

    /// What was measured of a part; nothing where it is not told apart.
    #[must_use]
    pub fn of(&self, origin: Origin, part: Part<'a>) -> Option<Samples<'a>> {
        let delta = self.delta;
        let count = |count: u64| Samples::Count(count, self.span);
        let all = part.is_whole() && part.phase == Phase::Load;
        Some(match origin {
            Origin::Times(wanted, trend) => {
                let of_role = |leaf: &u16| role(self.plan, *leaf) == wanted;
                self.sum(part.leaves(self.plan).filter(of_role), part.phase, trend)
            }
            Origin::Lag => self.sum(part.leaves(self.plan), part.phase, Trend::Lag),
            Origin::IterationTimes => return self.iteration_times(part),
            Origin::Iterations => count(self.iterations(part)?),
            Origin::Replies => count(self.requests(part).map(|leaf| leaf.replies).sum()),
            Origin::RequestsFailed => {
                let ends = self.requests(part).map(|leaf| {
                    let theirs = Failure::ALL.iter().filter(|kind| kind.side() != Side::Local);
                    let failed = theirs.map(|kind| leaf.tally.failed_by(*kind)).sum::<u64>();
                    (failed, leaf.tally.ok)
                });
                let (failed, ok) = ends.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                Samples::Share(failed, ok)
            }
            Origin::Received => count(self.leaves(part).map(|leaf| leaf.bytes_received).sum()),
            Origin::Sent => count(self.leaves(part).map(|leaf| leaf.bytes_sent).sum()),
            Origin::Dropped => count(self.leaves(part).map(|leaf| leaf.tally.dropped).sum()),
            Origin::Groups => return self.groups(part),
            Origin::Sessions if part.group.is_none() && part.name.is_none() => {
                Samples::Level(sessions(self.plan, part.workload, part.phase))
            }
            Origin::Timed(index) if all => Samples::Times(timed_at(delta, index)),
            Origin::Counter(counter) if all => count(delta.counter(counter)),
            Origin::Errors(sort) if all => count(self.errors(sort)),
            Origin::Checks if all => return self.checks([].into_iter()).ok(),
            // What no view but the whole can show: as if nothing had been checked.
            Origin::Checks if self.plan.checks.is_empty() => Samples::Share(0, 0),
            Origin::Sessions
            | Origin::Timed(_)
            | Origin::Counter(_)
            | Origin::Errors(_)
            | Origin::Checks => return None,
        })
    }

    fn leaves(&self, part: Part<'a>) -> impl Iterator<Item = &'a Leaf> {
        let Self { plan, delta, .. } = *self;
        let ids = part.leaves(plan).flat_map(move |leaf| plan.ids(part.phase, leaf));
        ids.filter_map(|id| delta.get(id))
    }

    fn requests(&self, part: Part<'a>) -> impl Iterator<Item = &'a Leaf> {
        let Self { plan, delta, .. } = *self;
        let requests = part.leaves(plan).filter(move |leaf| role(plan, *leaf) == Role::Request);
        let ids = requests.flat_map(move |leaf| plan.ids(part.phase, leaf));
        ids.filter_map(|id| delta.get(id))
    }

    fn sum(&self, leaves: impl Iterator<Item = u16>, phase: Phase, trend: Trend) -> Samples<'a> {
        let ids = leaves.flat_map(|leaf| self.plan.ids(phase, leaf));
        let leaves = ids.filter_map(|id| self.delta.get(id));
        Samples::Times(added(leaves.map(|leaf| leaf.trend(trend))))
    }

    fn groups(&self, part: Part<'a>) -> Option<Samples<'a>> {
        if part.workload.is_some() || part.name.is_some() || part.phase != Phase::Load {
            return None;
        }
        let all = 0..self.plan.groups.len();
        let wanted = all.filter(|group| part.group.is_none_or(|only| usize::from(only) == *group));
        let indices = wanted.map(|group| self.plan.timed().group(group));
        Some(Samples::Times(added(indices.filter_map(|index| self.delta.timed.get(index)))))
    }

    fn iteration_times(&self, part: Part<'a>) -> Option<Samples<'a>> {
        let recorded = self.delta.timed.get(Timed::ITERATION).filter(|times| times.count() > 0);
        match recorded {
            Some(times) if part.is_whole() && part.phase == Phase::Load => {
                Some(Samples::Times(Cow::Borrowed(times)))
            }
            _ if self.plan.workloads.iter().all(one_request) || !part.is_whole() => {
                has_iterations(self.plan, part)
                    .then(|| self.sum(part.leaves(self.plan), part.phase, Trend::Duration))
            }
            _ => {
                let none = Samples::Times(Cow::Owned(Histogram::new()));
                (part.phase == Phase::Load).then_some(none)
            }
        }
    }

    fn iterations(&self, part: Part<'a>) -> Option<u64> {
        let single = self.plan.workloads.iter().all(one_request);
        if part.is_whole() && !single {
            let load = part.phase == Phase::Load;
            return load.then(|| self.delta.counter(Counter::Iterations));
        }
        let ended = |leaf: &Leaf| leaf.tally.ok + leaf.tally.failures();
        has_iterations(self.plan, part).then(|| self.leaves(part).map(ended).sum())
    }

    fn errors(&self, sort: Errors) -> u64 {
        let requests = || self.requests(Part::whole(Phase::Load));
        match sort {
            Errors::Transport => {
                let kinds = Failure::ALL.iter();
                let kinds = kinds.filter(|kind| !matches!(kind, Failure::Status | Failure::Check));
                kinds
                    .map(|kind| requests().map(|leaf| leaf.tally.failed_by(*kind)).sum::<u64>())
                    .sum()
            }
            Errors::Status => requests().map(|leaf| leaf.tally.failed_by(Failure::Status)).sum(),
            Errors::Ws => self.delta.counter(Counter::WsErrors),
            Errors::Auth => self.delta.counter(Counter::AuthFailures),
            Errors::Total => {
                let parts = [Errors::Transport, Errors::Status, Errors::Ws, Errors::Auth];
                parts.map(|part| self.errors(part)).iter().sum()
            }
        }
    }
}

/// Sessions at work in a phase as planned: the fewest, the most, and those at its end. Of a level
/// that is found out while the run is on only the most is known.
fn sessions(plan: &Plan, workload: Option<u16>, phase: Phase) -> [u64; 3] {
    let all = (0..).zip(&plan.workloads);
    let wanted = all.filter(|(index, _)| workload.is_none_or(|only| only == *index));
    let wanted: Vec<&Workload> = wanted.map(|(_, workload)| workload).collect();
    let curves: Vec<_> = wanted.iter().map(|it| (it.start, it.course_of_sessions())).collect();
    let (from, to) = match phase {
        Phase::Warmup => (Nanos::ZERO, plan.warmup),
        Phase::Load => (plan.warmup, plan.span()),
        Phase::Named(_) => plan.window(phase).unwrap_or_default(),
    };
    let last = Nanos(to.0.saturating_sub(1)).max(from);
    // A level goes one way between the ends of pieces.
    let ends = curves.iter().flat_map(|(start, curve)| {
        let ends = curve.pieces().iter().flat_map(|piece| [Nanos(piece.to.0 - 1), piece.to]);
        ends.map(|end| *start + end).collect::<Vec<_>>()
    });
    let moments = ends.filter(|at| (from..=last).contains(at)).chain([from, last]);
    let at = |moment: Nanos| -> u64 {
        let here = curves.iter().map(|(start, curve)| curve.sessions_at(moment.since(*start)));
        here.map(u64::from).sum()
    };
    let levels: Vec<u64> = moments.map(at).collect();
    let (least, most) = (levels.iter().min(), levels.iter().max());
    [least.copied().unwrap_or(0), most.copied().unwrap_or(0), at(last)]
}

fn timed_at(delta: &Delta, index: usize) -> Cow<'_, Histogram> {
    delta.timed.get(index).map_or_else(|| Cow::Owned(Histogram::new()), Cow::Borrowed)
}

/// The sum of histograms; one alone is lent.
#[must_use]
pub fn added<'a>(mut histograms: impl Iterator<Item = &'a Histogram>) -> Cow<'a, Histogram> {
    let Some(first) = histograms.next() else { return Cow::Owned(Histogram::new()) };
    let mut sum = Cow::Borrowed(first);
    histograms.for_each(|histogram| sum.to_mut().add(histogram));
    sum
}
