//! How each user fares: one call where an operation of the measured phases ends.

use super::super::seat::NONE;
use super::Shard;
use crate::metrics::recorder::End;
use crate::metrics::{LeafId, Tail, Tails};
use crate::plan::budget::{TAIL, USERS_APART};
use crate::plan::{Phase, Plan};
use crate::session::Users;
use crate::stdx::Nanos;

/// With its place: what a plan's budget says is what a user costs.
const _: () = assert!((size_of::<(u32, Tail)>() + size_of::<u32>()) as u64 <= TAIL);

/// The tails of a shard's users, and which leaves they are about.
#[derive(Debug, Default)]
pub(super) struct ByUser {
    tails: Tails,
    /// By leaf: whether its phase is measured.
    measured: Box<[bool]>,
}

impl ByUser {
    pub(super) fn of(plan: &Plan, users: &Users) -> Self {
        if plan.people.is_none() {
            return Self::default();
        }
        let mut measured = vec![false; plan.leaves.len() * plan.phases().count()];
        for (_, leaf) in plan.leaves(Phase::Load) {
            measured[usize::from(leaf.0)] = true;
        }
        let tails = Tails::new(users.count(), plan.shards, USERS_APART);
        Self { tails, measured: measured.into() }
    }

    fn is_measured(&self, leaf: LeafId) -> bool {
        self.measured.get(usize::from(leaf.0)) == Some(&true)
    }
}

impl Shard {
    /// An operation of a session has ended, with its answer's status (0 where it has none) and
    /// response time, if there was one. Nothing is allocated; where sessions have no users, nothing
    /// is done.
    pub(super) fn user_ended(
        &mut self,
        index: u32,
        leaf: LeafId,
        end: End,
        answer: Option<(u16, Nanos)>,
    ) {
        let user = self.seats[index as usize].user;
        if user != NONE && self.by_user.is_measured(leaf) {
            self.by_user.tails.ended(user, end, answer);
        }
    }

    /// A session was answered with a status that did not end its operation, or not as a reply.
    pub(super) fn user_refused(&mut self, index: u32, leaf: LeafId, status: u16) {
        let user = self.seats[index as usize].user;
        if user != NONE && self.by_user.is_measured(leaf) {
            self.by_user.tails.refused(user, status);
        }
    }

    /// How each of its users fared: handed over once, at the end.
    pub fn take_tails(&mut self) -> Tails {
        std::mem::take(&mut self.by_user.tails)
    }
}
