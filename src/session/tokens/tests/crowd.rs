//! Whole crowds against targets of every mood, from seeds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{CallKind, CallOutcome, Nanos, Need, News, Refused, Rng, S, Tokens, WALL_MS};
use crate::protocol::Failure;
use crate::session::kit;
use crate::session::share::Share;

/// A target's mood, in percent of its answers.
#[derive(Clone, Copy, Debug)]
struct Mood {
    /// Calls that fail.
    fails: u64,
    /// Operations that are refused.
    refuses: u64,
    /// Life of its tokens.
    life_ms: u64,
}

/// What must hold of every crowd at every moment.
struct Crowd {
    tokens: Tokens,
    rng: Rng,
    mood: Mood,
    now: Nanos,
    /// Calls under way, by when they end.
    calls: Vec<(Nanos, u32, CallKind)>,
    waiting: BTreeMap<u32, Nanos>,
    /// Tokens by user: the generation and its end, as the target knows it.
    given: BTreeMap<u32, Nanos>,
    looks: BTreeMap<u32, Nanos>,
    /// The calls of each user that ended badly or not, by when they began.
    begun: BTreeMap<u32, VecDeque<Nanos>>,
    most_in_a_minute: usize,
}

const USERS: u32 = 12;

impl Crowd {
    fn new(seed: u64, mood: Mood) -> Self {
        Self {
            tokens: Tokens::new(&kit::auth(), Share::new(USERS, 0, 1), seed),
            rng: Rng::stream(seed, 0),
            mood,
            now: Nanos::ZERO,
            calls: Vec::new(),
            waiting: BTreeMap::new(),
            given: BTreeMap::new(),
            looks: BTreeMap::new(),
            begun: BTreeMap::new(),
            most_in_a_minute: 0,
        }
    }

    fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            self.now += Nanos::from_millis(self.rng.below(200));
            self.end_calls();
            self.look();
            self.operate();
            self.begin_calls();
        }
        // The crowd goes home: whoever still waits is told.
        while !self.waiting.is_empty() {
            self.now += Nanos::from_millis(100);
            self.begin_calls();
            self.end_calls();
            assert!(self.now.since(Nanos::ZERO) < Nanos::from_secs(100_000), "{:?}", self.waiting);
        }
    }

    fn operate(&mut self) {
        let user = u32::try_from(self.rng.below(u64::from(USERS))).unwrap();
        match self.tokens.need(user, self.now) {
            Need::Ready { generation } => {
                assert!(self.tokens.token(user).is_some());
                assert!(self.now < self.given[&user], "handed out after its end");
                assert!(!self.waiting.contains_key(&user), "nobody told the others");
                if self.rng.below(100) < self.mood.refuses {
                    let refused = self.tokens.refused(user, generation, self.now);
                    let need = self.tokens.need(user, self.now);
                    assert!(!matches!(need, Need::Ready { .. }), "the refused one, again");
                    // Where a renewal is under way already, that is waited for.
                    let is_busy = self.calls.iter().any(|(_, busy, _)| *busy == user);
                    let is_barred = matches!(need, Need::Barred { .. });
                    assert!(refused == Refused::Retry || is_barred || is_busy, "{need:?}");
                    if need == Need::Wait {
                        self.waiting.entry(user).or_insert(self.now);
                    }
                }
            }
            Need::Wait => {
                self.waiting.entry(user).or_insert(self.now);
            }
            Need::Barred { until } => assert!(until > self.now),
        }
    }

    fn look(&mut self) {
        let due: Vec<u32> =
            self.looks.iter().filter(|(_, at)| **at <= self.now).map(|(user, _)| *user).collect();
        for user in due {
            self.looks.remove(&user);
            if let Some(next) = self.tokens.due(user, self.now) {
                assert!(next > self.now);
                self.looks.insert(user, next);
            }
        }
    }

    fn begin_calls(&mut self) {
        while self.calls.len() < 4 {
            let Some((user, kind)) = self.tokens.next_call(self.now) else { break };
            let busy: BTreeSet<u32> = self.calls.iter().map(|(_, user, _)| *user).collect();
            assert!(!busy.contains(&user), "two calls at once for {user}");
            let begun = self.begun.entry(user).or_default();
            begun.push_back(self.now);
            while begun.front().is_some_and(|at| self.now.since(*at) >= Nanos::from_secs(60)) {
                begun.pop_front();
            }
            self.most_in_a_minute = self.most_in_a_minute.max(begun.len());
            let took = Nanos::from_millis(self.rng.below(300));
            self.calls.push((self.now + took, user, kind));
        }
    }

    fn end_calls(&mut self) {
        let now = self.now;
        let (over, open): (Vec<_>, Vec<_>) =
            self.calls.drain(..).partition(|(end, ..)| *end <= now);
        self.calls = open;
        for (_, user, kind) in over {
            let body = format!(
                r#"{{"token":"t{}","refresh":"r","expires":{}}}"#,
                self.rng.below(1_000),
                self.mood.life_ms as f64 / 1e3
            );
            let outcome = match self.rng.below(100) {
                share if share >= self.mood.fails => {
                    CallOutcome::Reply { status: 200, body: body.as_bytes() }
                }
                share if share % 2 == 0 => CallOutcome::Failed(Failure::Refused),
                _ => CallOutcome::Reply { status: 500, body: b"" },
            };
            let ended = self.tokens.ended(user, kind, outcome, now, WALL_MS);
            match ended.news {
                News::None => {}
                News::Token => {
                    self.given.insert(user, now + Nanos::from_millis(self.mood.life_ms));
                    self.waiting.remove(&user);
                }
                News::Barred { until } => {
                    assert!(until > now && until <= now + Nanos(30 * S / 4 * 5));
                    self.waiting.remove(&user);
                }
            }
            if let Some(next) = ended.next_look {
                assert!(next > now);
                self.looks.insert(user, next);
            }
        }
    }
}

#[test]
fn every_mood_of_a_target() {
    let moods = [
        Mood { fails: 0, refuses: 0, life_ms: 60_000 },
        Mood { fails: 0, refuses: 0, life_ms: 300 },
        Mood { fails: 30, refuses: 5, life_ms: 5_000 },
        Mood { fails: 0, refuses: 50, life_ms: 60_000 },
        Mood { fails: 50, refuses: 50, life_ms: 1_000 },
    ];
    for seed in 0..40 {
        for mood in moods {
            Crowd::new(seed, mood).run(1_500);
        }
    }
}

#[test]
fn who_refuses_everybody_gets_no_storm() {
    for seed in 0..20 {
        let mut crowd = Crowd::new(seed, Mood { fails: 100, refuses: 0, life_ms: 60_000 });
        crowd.run(20_000);
        assert!((4..=8).contains(&crowd.most_in_a_minute), "{} calls", crowd.most_in_a_minute);
        for (user, begun) in &crowd.begun {
            assert!(begun.len() <= 4, "{} calls of {user} in the last minute", begun.len());
        }
    }
}

#[test]
fn who_refuses_each_token_gets_no_storm() {
    for seed in 0..20 {
        let mut crowd = Crowd::new(seed, Mood { fails: 0, refuses: 100, life_ms: 60_000 });
        crowd.run(20_000);
        assert!(crowd.most_in_a_minute <= 40, "{} calls", crowd.most_in_a_minute);
    }
}

#[test]
fn tokens_that_live_long_are_renewed_in_time() {
    // Renewals answer within 300 ms, so a life of 60 s with a margin of 12 never runs out.
    for seed in 0..20 {
        let mut crowd = Crowd::new(seed, Mood { fails: 0, refuses: 0, life_ms: 60_000 });
        crowd.run(500);
        while crowd.given.len() < USERS as usize {
            crowd.run(100);
        }
        for _ in 0..5_000 {
            crowd.now += Nanos::from_millis(50);
            crowd.end_calls();
            crowd.look();
            crowd.begin_calls();
            for user in 0..USERS {
                let need = crowd.tokens.need(user, crowd.now);
                assert!(matches!(need, Need::Ready { .. }), "{user} at {}: {need:?}", crowd.now);
            }
        }
    }
}
