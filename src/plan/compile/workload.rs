//! Workloads: a load, whose it is, and what is done under it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Compiler;
use crate::plan::{Opening, Program, Strategy, Workload};
use crate::scenario::{self, Diagnostic, Named, Span, Spanned, Work};

/// Connections of a session: how many channels it may have.
const CHANNELS_MAX: usize = 64;

/// What a workload's steps are compiled into.
pub(super) struct Scope {
    /// The index of the workload.
    pub(super) workload: u16,
    /// The connections that a session has, each with its target, and whether it is a WebSocket.
    channels: Vec<(u16, Wire)>,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Http,
    WebSocket,
}

impl Scope {
    pub(super) const fn new(workload: u16) -> Self {
        Self { workload, channels: Vec::new() }
    }

    /// The session's connection to a target.
    pub(super) fn channel(&mut self, target: u16, wire: Wire) -> u8 {
        let wanted = (target, wire);
        let at = self.channels.iter().position(|each| *each == wanted).unwrap_or_else(|| {
            self.channels.push(wanted);
            self.channels.len() - 1
        });
        u8::try_from(at).unwrap_or(u8::MAX)
    }
}

impl Compiler<'_> {
    pub(super) fn workload(&mut self, index: u16, named: &Named<scenario::Workload>) {
        let Named { name, value } = named;
        self.room(self.plan.workloads.len(), "workloads", name.span);
        let load = match &value.load {
            Some(load) => self.load(load),
            None => self.sequence_of(named),
        };
        let mut scope = Scope::new(index);
        let (program, fleet) = match &value.work {
            Work::Mix(steps) => {
                self.thinks_between(value);
                (self.mix(steps, value.think.as_ref(), &mut scope), None)
            }
            Work::Journey(steps) => (self.journey(steps, &mut scope), None),
            Work::Sessions(sessions) => {
                (Program::default(), self.fleet(sessions, &name.value, &mut scope))
            }
        };
        if scope.channels.len() > CHANNELS_MAX {
            let what = format!("a session with {} connections", scope.channels.len());
            let expected = format!("at most {CHANNELS_MAX} targets in a workload");
            self.add(Diagnostic::new(name.span, what, expected));
        }
        let start = self.pause(value.start, name.span);
        let users = self.users_of(value.users.as_ref());
        let Some(load) = load else { return };
        self.enough_users(&value.user, &users, load.sessions, load.place);
        self.steady_sources(&value.user, &users);
        let cold = self.options.cold || fleet.is_some();
        let default = if cold { Opening::Cold } else { Opening::Ahead };
        self.plan.workloads.push(Workload {
            name: name.value.clone(),
            load: load.load,
            sessions: load.sessions,
            levels: load.levels,
            spacing: load.spacing,
            pacing: load.pacing,
            stages: load.stages,
            steer: load.steer,
            until: load.until,
            start,
            opening: load.opening.unwrap_or(default),
            channels: scope.channels.iter().map(|(target, _)| *target).collect(),
            program,
            fleet,
            strategy: strategy(value.user.value),
            users,
        });
    }

    /// Whose sessions they are: those of a group, else all users.
    fn users_of(&self, group: Option<&Spanned<String>>) -> Range<u32> {
        let Some(people) = &self.plan.people else { return 0..0 };
        let Some(group) = group else { return 0..people.count() };
        let mut from = 0;
        for each in &people.groups {
            if each.name == group.value {
                return from..from + each.count;
            }
            from += each.count;
        }
        0..people.count()
    }

    /// A connection comes from one address: its session's users may not come from several.
    fn steady_sources(&mut self, user: &Spanned<scenario::Strategy>, users: &Range<u32>) {
        let drawn = matches!(user.value, scenario::Strategy::Random | scenario::Strategy::Weighted);
        let Some(people) = self.plan.people.as_ref().filter(|_| drawn) else { return };
        let sources: BTreeSet<_> =
            people.groups_in(users).map(|(group, _)| group.sources.clone()).collect();
        if sources.len() < 2 {
            return;
        }
        let what = "a session's users change, and its connections would not";
        let expected = "users of one group, or a strategy that keeps them";
        let help = "say whose sessions these are: users: NAME; or let a session keep its user: \
                    user: sticky";
        self.add(Diagnostic::new(user.span, what, expected).help(help));
    }

    fn enough_users(
        &mut self,
        user: &Spanned<scenario::Strategy>,
        users: &Range<u32>,
        sessions: u32,
        place: Span,
    ) {
        let count = users.end - users.start;
        if user.value != scenario::Strategy::Unique || count >= sessions {
            return;
        }
        let what = format!("{sessions} sessions, each with a user of its own, and {count} users");
        let expected = format!("at least {sessions} users, or another strategy");
        let help = "raise the users' count, lower the sessions ('connections', or 'max' beside \
                    'rate'), or let sessions share users: user: sticky";
        let also = format!("{sessions} at once");
        self.add(Diagnostic::new(user.span, what, expected).also(place, also).help(help));
    }
}

const fn strategy(strategy: scenario::Strategy) -> Strategy {
    match strategy {
        scenario::Strategy::Random => Strategy::Random,
        scenario::Strategy::Weighted => Strategy::Weighted,
        scenario::Strategy::RoundRobin => Strategy::RoundRobin,
        scenario::Strategy::Sticky => Strategy::Sticky,
        scenario::Strategy::Unique => Strategy::Unique,
    }
}
