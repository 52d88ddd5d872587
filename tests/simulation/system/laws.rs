//! What must be true of every run that has ended.

use onslaught::metrics::catalog::Trend;
use onslaught::metrics::{Counter, Leaf, LeafId};
use onslaught::plan::{Kind, Phase};
use onslaught::stdx::Nanos;
use onslaught::verdict::trust::Little;

use super::run::Finished;

impl Finished {
    pub(super) fn check(&self) {
        for (id, leaf) in self.total.leaves() {
            leaf.tally.reconcile().unwrap_or_else(|wrong| panic!("{id:?}: {wrong}"));
            self.times(id, leaf);
        }
        self.users();
        self.counts();
        self.farewell();
        if self.world.manners.is_good() && !self.aborted && self.is_calm() {
            self.exact();
        }
    }

    fn times(&self, id: LeafId, leaf: &Leaf) {
        let (replies, retried) = (leaf.replies, leaf.retried);
        assert!(retried <= replies, "{id:?}: {retried} of {replies} replies sent again");
        for trend in Trend::ALL.into_iter().filter(|trend| *trend != Trend::Connecting) {
            let times = leaf.trend(trend).count() + leaf.trend(trend).out_of_range();
            assert_eq!(times, replies - retried, "{id:?}: {}", trend.name());
        }
        if self.kind(id) == Kind::Http {
            let statuses: u64 = leaf.statuses().map(|(_, count)| count).sum();
            assert_eq!(statuses, replies, "{id:?}: statuses");
        }
    }

    fn kind(&self, id: LeafId) -> Kind {
        self.plan.leaves[usize::from(id.0) % self.plan.leaves.len()].kind
    }

    fn sum(&self, kind: Kind, of: impl Fn(&Leaf) -> u64) -> u64 {
        let leaves = Phase::ALWAYS.into_iter().flat_map(|phase| self.plan.leaves(phase));
        let leaves = leaves.filter(|(leaf, _)| leaf.kind == kind).map(|(_, id)| id);
        leaves.filter_map(|id| self.total.get(id)).map(of).sum()
    }

    /// Users are told of on their own shard alone, and did together what all did in the load.
    fn users(&self) {
        let leaves: Vec<&Leaf> =
            self.plan.leaves(Phase::Load).filter_map(|(_, id)| self.total.get(id)).collect();
        let sum = |of: &dyn Fn(&Leaf) -> u64| leaves.iter().map(|leaf| of(leaf)).sum::<u64>();
        let mut users = [0; 3];
        for (shard, tails) in (0..).zip(&self.tails) {
            assert_eq!(tails.together().users, 0, "so few users are all kept apart");
            for (user, tail) in tails.kept() {
                assert_eq!(user % self.plan.shards, shard, "user {user}");
                let told = [tail.operations(), tail.failed(), tail.times()];
                users.iter_mut().zip(told).for_each(|(sum, told)| *sum += told);
            }
        }
        let failed = sum(&|leaf| leaf.tally.failures());
        let ended = failed + sum(&|leaf| leaf.tally.ok);
        let all = [ended, failed, sum(&|leaf| leaf.replies - leaf.retried)];
        let nobody = self.plan.people.is_none();
        assert_eq!(users, if nobody { [0; 3] } else { all }, "operations, failures, times");
    }

    /// What the system knows by itself.
    fn counts(&self) {
        let seen = &self.world.told.seen;
        let exact = [
            (Counter::UsersCreated, seen.users_created),
            (Counter::Logins, seen.logins),
            (Counter::TokenRefreshes, seen.refreshes),
            (Counter::Logouts, seen.logouts),
            (Counter::TasksCreated, seen.tasks),
            (Counter::WsSessions, seen.opened),
            (Counter::WsMsgsReceived, seen.messages),
        ];
        for (counter, should) in exact {
            assert_eq!(self.total.counter(counter), should, "{}", counter.name());
        }
        assert_eq!(self.total.counts.connects, seen.connects, "connects");
        let little = Little::of(&self.total, Nanos::ZERO);
        assert!(little.off() <= 0.001, "Little's law, to what histograms may be off: {little:?}");
        assert_eq!(self.total.counts.connect_failures, seen.connect_failures, "failed connects");
        assert_eq!(self.sum(Kind::Http, |leaf| leaf.replies), seen.replies, "replies");
        let opened = self.sum(Kind::WsOpen, |leaf| leaf.replies - leaf.retried);
        assert_eq!(opened, seen.opened, "WebSockets opened");
        let answers = self.sum(Kind::WsMessage, |leaf| leaf.replies);
        assert!(answers <= seen.messages + seen.pongs, "{answers} answers");
        let most = [(Counter::WsMsgsSent, seen.heard), (Counter::Subscriptions, seen.subscribed)];
        for (counter, least) in most {
            let found = self.total.counter(counter);
            assert!(found >= least, "{}: {found}, and {least} came", counter.name());
        }
        let retries = self.total.counter(Counter::RetriesUnauthorized);
        assert!(retries <= seen.refused, "{retries} sent again of {} refused", seen.refused);
    }

    /// Nobody leaves without a word.
    fn farewell(&self) {
        if self.aborted {
            return;
        }
        for shard in 0..self.plan.shards as usize {
            for line in self.world.lines(shard).filter(|line| !line.closing && line.open) {
                let gone = line.close_said || line.excused.is_some();
                assert!(gone, "{:?}: finished with an open WebSocket", line.id);
            }
        }
        let auth = self.plan.people.as_ref().and_then(|people| people.auth.as_ref());
        let gives_back = auth.is_some_and(|auth| auth.logout.is_some());
        // What is under way when time is up is a logout that takes too long.
        let told = &self.world.told;
        let well = told.calls_under_way() == 0 && told.seen.broken_calls == 0;
        let in_time = well && self.world.manners.is_good();
        if gives_back && in_time && self.is_calm() {
            let left = self.world.told.logged_in(self.ended_at);
            assert!(left.is_empty(), "still logged in: {left:?}");
        }
    }

    /// Whether no kernel did harm.
    fn is_calm(&self) -> bool {
        let kernel = &self.world.scenario.kernel;
        kernel.send_errors == 0 && kernel.short_of == 0
    }

    /// With a good system nothing is lost.
    fn exact(&self) {
        let seen = &self.world.told.seen;
        assert_eq!(self.total.counter(Counter::WsMsgsSent), seen.heard, "messages sent");
        assert_eq!(self.total.counter(Counter::Subscriptions), seen.subscribed, "subscriptions");
    }
}
