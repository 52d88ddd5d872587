//! The identities that every report's numbers keep: checked before one is written.

use std::collections::BTreeSet;

use super::build::of_phase;
use crate::engine::outcome::Outcome;
use crate::metrics::{Counter, Delta, Leaf, Tally, Trend};
use crate::plan::socket::Sent;
use crate::plan::{Kind, LeafName, Phase, Plan};

/// The first identity that does not hold, of each leaf, of the kinds and of the total.
///
/// # Errors
/// With the identity, in numbers.
pub(super) fn hold(plan: &Plan, total: &Delta) -> Result<(), String> {
    for phase in plan.phases() {
        let mut sum = Tally::default();
        for (name, leaf) in of_phase(plan, total, phase) {
            let LeafName { name, kind, .. } = name;
            reconcile(leaf, *kind)
                .map_err(|why| format!("{name} in phase {}: {why}", plan.phase_name(phase)))?;
            sum.add(&leaf.tally);
        }
        sum.reconcile().map_err(|why| format!("in all: {why}"))?;
    }
    named(plan, total)?;
    messages(plan, total)
}

/// What users did, kept apart or together, is what the workloads with users did; not to be told
/// where a shard did not come to its end.
///
/// # Errors
/// With the identity, in numbers.
pub(super) fn users(outcome: &Outcome, plan: &Plan) -> Result<(), String> {
    if outcome.tails.len() != plan.shards as usize {
        return Ok(());
    }
    let (mut ended, mut failed) = (0, 0);
    for (name, leaf) in of_phase(plan, &outcome.total, Phase::Load) {
        let workload = plan.workloads.get(usize::from(name.workload));
        if workload.is_some_and(|workload| !workload.users.is_empty()) {
            failed += leaf.tally.failures();
            ended += leaf.tally.ok + leaf.tally.failures();
        }
    }
    let (mut users_ended, mut users_failed) = (0, 0);
    for tails in &outcome.tails {
        users_ended += tails.together().operations;
        users_failed += tails.together().failed;
        for (_, tail) in tails.kept() {
            users_ended += tail.operations();
            users_failed += tail.failed();
        }
    }
    match (users_ended, users_failed) == (ended, failed) {
        true => Ok(()),
        false => Err(format!(
            "operations of users {users_ended}, of them failed {users_failed} != those of \
             workloads with users {ended}, {failed}"
        )),
    }
}

/// Messages that were begun were sent; those due and not begun are skipped or dropped. Not to be
/// told where one leaf has both messages to send and messages to await.
fn messages(plan: &Plan, total: &Delta) -> Result<(), String> {
    let sends = |leaf: u16| {
        let of_leaf = plan.messages.iter().filter(move |message| message.leaf == leaf);
        // A ping is no message.
        of_leaf.map(|message| matches!(message.content, Some(Sent::Text(_))))
    };
    let (mut begun, sent) = (0, total.counter(Counter::WsMsgsSent));
    for leaf in plan.messages.iter().map(|message| message.leaf).collect::<BTreeSet<_>>() {
        match (sends(leaf).any(|sends| sends), sends(leaf).all(|sends| sends)) {
            (true, true) => {
                let ids = Phase::ALWAYS.into_iter().flat_map(|phase| plan.ids(phase, leaf));
                let leaves = ids.filter_map(|id| total.get(id));
                begun += leaves.map(|leaf| leaf.tally.sent).sum::<u64>();
            }
            (true, false) => return Ok(()),
            (false, _) => {}
        }
    }
    if begun == sent { Ok(()) } else { Err(format!("messages begun {begun} != sent {sent}")) }
}

/// Nothing was recorded that no name stands for, so the kinds add up to the total.
fn named(plan: &Plan, total: &Delta) -> Result<(), String> {
    let most = plan.leaves.len() * plan.phases().count();
    let stray = total.leaves().find(|(id, _)| usize::from(id.0) >= most);
    if let Some((id, _)) = stray {
        return Err(format!("leaf {} of {most} was recorded", id.0));
    }
    let lengths = [
        ("checks", total.checks.len(), plan.checks.len()),
        ("times beside operations", total.timed.len(), plan.timed().count()),
    ];
    match lengths.into_iter().find(|(_, found, named)| found > named) {
        Some((what, found, named)) => Err(format!("{found} {what} were recorded, {named} exist")),
        None => Ok(()),
    }
}

/// Every operation has one end; every reply that ended one has its times, and each to a request a
/// status.
fn reconcile(leaf: &Leaf, kind: Kind) -> Result<(), String> {
    leaf.tally.reconcile()?;
    let Leaf { replies, retried, .. } = *leaf;
    let statuses = leaf.statuses().map(|(_, count)| count).sum::<u64>();
    if kind == Kind::Http && statuses != replies {
        return Err(format!("replies {replies} != the sum of their statuses {statuses}"));
    }
    let ended = replies.saturating_sub(retried);
    if retried > replies {
        return Err(format!("replies {replies} < those that were sent again {retried}"));
    }
    for trend in Trend::ALL.into_iter().filter(|trend| *trend != Trend::Connecting) {
        let histogram = leaf.trend(trend);
        let times = histogram.count() + histogram.out_of_range();
        if times != ended {
            let name = trend.name();
            return Err(match retried {
                0 => format!("replies {replies} != times {times} of {name}"),
                _ => format!("replies {replies} - retried {retried} != times {times} of {name}"),
            });
        }
    }
    Ok(())
}
