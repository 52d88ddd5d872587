//! How single users fared: whether one of them is slow, or refused, beside the others.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::document::{ByUser, UserRow};
use super::metric::{Quantile, ms};
use crate::engine::outcome::Outcome;
use crate::metrics::Tail;
use crate::metrics::tails::NOTED;
use crate::plan::Plan;

/// Rows at most: who reads more of them wants a table, not a summary.
const ROWS: usize = 10;
/// Rows for the slowest at most, as long as others failed: a user that is only ever refused has
/// its replies fast.
const SLOWEST: usize = 5;
/// The quantiles of a row.
const TOLD: [Quantile; 3] = [Quantile::P50.named("med"), Quantile::P95, Quantile::P99];

/// What is told of the users; nothing where the plan has none.
pub(super) fn by_user(outcome: &Outcome, plan: &Plan) -> ByUser {
    let Some(people) = &plan.people else { return ByUser::default() };
    let kept: Vec<(u32, &Tail)> = outcome.tails.iter().flat_map(|tails| tails.kept()).collect();
    let together = outcome.tails.iter().map(|tails| tails.together());
    let (users, operations) = together.fold((0, 0), |(users, operations), each| {
        (users + each.users, operations + each.operations)
    });
    let mut p95: Vec<u64> = kept
        .iter()
        .filter(|(_, tail)| !Quantile::P95.thin(tail.times()))
        .map(|(_, tail)| tail.micros_at(Quantile::P95.share()))
        .collect();
    p95.sort_unstable();
    let middle = p95.len().saturating_sub(1) / 2;
    ByUser {
        users: people.count().into(),
        active: kept.len() as u64 + users,
        kept_apart: kept.len() as u64,
        operations_together: operations,
        spread_of: p95.len() as u64,
        median_p95_ms: p95.get(middle).copied().map(ms),
        worst_p95_ms: p95.last().copied().map(ms),
        worst: worst(&kept).into_iter().map(|(user, tail)| row(plan, user, tail)).collect(),
    }
}

/// The slowest, then those that failed most, then the others by how slow they are.
fn worst<'a>(kept: &[(u32, &'a Tail)]) -> Vec<(u32, &'a Tail)> {
    // The user's index ends every tie.
    let mut slowest = kept.to_vec();
    slowest
        .sort_by_cached_key(|(user, tail)| (Reverse(slow_us(tail)), Reverse(tail.failed()), *user));
    let mut failing: Vec<_> = kept.iter().copied().filter(|(_, tail)| tail.failed() > 0).collect();
    failing.sort_by_cached_key(|(user, tail)| (Reverse(tail.failed()), *user));
    let ranked = |(_, tail): &&(u32, &Tail)| slow_us(tail).is_some();
    let mut rows: Vec<_> = slowest.iter().filter(ranked).take(SLOWEST).copied().collect();
    for each in failing.into_iter().chain(slowest.iter().copied()) {
        if rows.len() < ROWS && rows.iter().all(|(user, _)| *user != each.0) {
            rows.push(each);
        }
    }
    rows
}

/// How slow a user's target is, in microseconds: its p99, or the highest quantile that it has
/// enough times for, which is no longer than that. A closed loop gives the slowest the fewest
/// times: they must not fall out of the list for that.
fn slow_us(tail: &Tail) -> Option<u64> {
    let times = tail.times();
    let found = TOLD.into_iter().rev().find(|quantile| !quantile.thin(times));
    found.map(|quantile| tail.micros_at(quantile.share()))
}

fn row(plan: &Plan, user: u32, tail: &Tail) -> UserRow {
    let (name, group) = plan
        .people
        .as_ref()
        .and_then(|people| Some((people.name(user)?, people.group(user)?.0.name.clone())))
        .unwrap_or_default();
    let times = tail.times();
    let [med, p95, p99] = TOLD.map(|quantile| ms(tail.micros_at(quantile.share())));
    let statuses = NOTED.iter().zip(tail.noted());
    UserRow {
        user: user.into(),
        name,
        group,
        operations: tail.operations(),
        failed: tail.failed(),
        statuses: statuses
            .map(|(status, count)| (status.to_string(), count.into()))
            .collect::<BTreeMap<_, _>>(),
        times,
        med,
        p95,
        p99,
        max: ms(tail.longest_us()),
        thin: TOLD
            .into_iter()
            .filter(|quantile| quantile.thin(times))
            .map(|quantile| quantile.name.to_owned())
            .collect(),
    }
}
