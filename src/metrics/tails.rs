//! The tails of single users: a sketch of each user's response times, and how it fared.
//!
//! A histogram a user would take megabytes; a sketch with buckets that grow by the fourth root of
//! two takes a few hundred bytes and errs by a known share. The bucketing is that of `DDSketch`
//! (Masson, Rim, Lee 2019, section 2.1) with a fixed range, so that nothing is ever allocated.

use super::recorder::End;
use crate::stdx::Nanos;

/// Buckets of a sketch: four an octave, 22 octaves from 8 us.
const BUCKETS: usize = 88;
/// Buckets an octave.
const PER_OCTAVE: u32 = 4;
/// The logarithm to base two of the first bucket's lower end in microseconds.
const FIRST: u32 = 3;

/// The relative error of a sketch's quantiles at most: (g - 1) / (g + 1), g being the fourth root
/// of two.
pub const RELATIVE_ERROR: f64 = 0.086_43;
/// The absolute error below the first bucket at most, in microseconds.
pub const LEAST_ERROR_US: u64 = 9;

/// 2^63 times the fourth root of two, to the powers 1, 2 and 3.
const FOURTHS: [u64; 3] = [0x9837_F051_8DB8_A96F, 0xB504_F333_F9DE_6484, 0xD744_FCCA_D69D_6AF4];

/// Statuses that tell whether users are kept apart and treated alike: no good token, not theirs
/// (RFC 9110 sections 15.5.2 and 15.5.4), too many requests (RFC 6585 section 4).
pub const NOTED: [u16; 3] = [401, 403, 429];

/// How one user fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    operations: u64,
    failed: u64,
    counts: [u32; BUCKETS],
    noted: [u32; NOTED.len()],
    /// The shortest and longest response time, in microseconds.
    shortest: u32,
    longest: u32,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            operations: 0,
            failed: 0,
            counts: [0; BUCKETS],
            noted: [0; NOTED.len()],
            shortest: u32::MAX,
            longest: 0,
        }
    }
}

impl Tail {
    /// Operations that ended, well or not.
    #[must_use]
    pub const fn operations(&self) -> u64 {
        self.operations
    }

    /// Those that failed.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.failed
    }

    /// Replies with each of the [`NOTED`] statuses, those that were sent again among them.
    #[must_use]
    pub const fn noted(&self) -> [u32; NOTED.len()] {
        self.noted
    }

    /// Response times in the sketch: operations that ended without a reply have none.
    #[must_use]
    pub fn times(&self) -> u64 {
        self.counts.iter().copied().map(u64::from).sum()
    }

    /// The longest response time, exact, in microseconds; 0 without any.
    #[must_use]
    pub const fn longest_us(&self) -> u64 {
        self.longest as u64
    }

    /// The quantile `share` (0 to 1) of the response times in microseconds: off by
    /// [`RELATIVE_ERROR`] at most, or by [`LEAST_ERROR_US`]. From 28 s on it is the longest. 0
    /// without any time.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is a count, a bucket's middle is below 2^25"
    )]
    pub fn micros_at(&self, share: f64) -> u64 {
        let times = self.times();
        let rank = ((times as f64 * share).ceil() as u64).clamp(1, times.max(1));
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                let (least, most) = (self.shortest, self.longest);
                return match bucket {
                    bucket if bucket + 1 == BUCKETS => u64::from(most),
                    bucket => u64::from((middle(bucket).round() as u32).clamp(least, most)),
                };
            }
        }
        0
    }

    fn time(&mut self, response: Nanos) {
        let us = response.as_micros();
        let count = &mut self.counts[bucket(us)];
        *count = count.saturating_add(1);
        let us = u32::try_from(us).unwrap_or(u32::MAX);
        (self.shortest, self.longest) = (self.shortest.min(us), self.longest.max(us));
    }

    fn status(&mut self, status: u16) {
        if let Some(place) = NOTED.iter().position(|noted| *noted == status) {
            self.noted[place] = self.noted[place].saturating_add(1);
        }
    }
}

/// The bucket of a time in microseconds.
const fn bucket(us: u64) -> usize {
    let us = if us < 1 << FIRST { 1 << FIRST } else { us };
    let exponent = us.ilog2();
    let mantissa = us << (63 - exponent);
    let [one, two, three] = FOURTHS;
    let part = (mantissa >= one) as u32 + (mantissa >= two) as u32 + (mantissa >= three) as u32;
    let bucket = ((exponent - FIRST) * PER_OCTAVE + part) as usize;
    if bucket < BUCKETS { bucket } else { BUCKETS - 1 }
}

/// The time from which both ends of a bucket are equally far away, relative to themselves.
fn middle(bucket: usize) -> f64 {
    let end = |bucket: usize| {
        let octaves = bucket as f64 / f64::from(PER_OCTAVE);
        (f64::from(FIRST) + octaves).exp2()
    };
    let (from, to) = (end(bucket), end(bucket + 1));
    2.0 * from * to / (from + to)
}

/// What is known of users who came when there was no room for another sketch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// How many they are.
    pub users: u64,
    /// Their operations that ended.
    pub operations: u64,
    /// Those that failed.
    pub failed: u64,
}

/// The tails of one shard's users, in the order of their first operation's end. Without users it
/// holds nothing.
#[derive(Debug, Default)]
pub struct Tails {
    /// A user's place is its index divided by that: users live on shards in turn.
    shards: u32,
    /// Where in `kept` a user is, by its place; [`NEW`] and [`CROWDED`] are nowhere.
    places: Box<[u32]>,
    kept: Vec<(u32, Tail)>,
    /// How many are kept apart at most.
    most: usize,
    together: Together,
}

/// Nothing is known of the user yet.
const NEW: u32 = u32::MAX;
/// The user came too late to be kept apart.
const CROWDED: u32 = u32::MAX - 1;

impl Tails {
    /// For so many users on one of so many shards, of whom `most` are kept apart at most. All
    /// memory is taken here.
    #[must_use]
    pub fn new(users: u32, shards: u32, most: u32) -> Self {
        let most = most.min(users).min(CROWDED) as usize;
        Self {
            shards: shards.max(1),
            places: vec![NEW; users as usize].into(),
            kept: Vec::with_capacity(most),
            most,
            together: Together::default(),
        }
    }

    /// An operation of the user has ended; with its reply's status, 0 where it has none, and its
    /// response time, unless it ended without an answer. One that was cut off says nothing about
    /// the user.
    pub fn ended(&mut self, user: u32, end: End, answer: Option<(u16, Nanos)>) {
        let failed = match end {
            End::Ok => 0,
            End::Failed(_) => 1,
            End::Aborted => return,
        };
        match self.of(user) {
            Ok(tail) => {
                tail.operations += 1;
                tail.failed += failed;
                if let Some((status, response)) = answer {
                    tail.status(status);
                    tail.time(response);
                }
            }
            Err(together) => {
                together.operations += 1;
                together.failed += failed;
            }
        }
    }

    /// The user had a reply that ended no operation, or one that is no answer to it.
    pub fn refused(&mut self, user: u32, status: u16) {
        if let Ok(tail) = self.of(user) {
            tail.status(status);
        }
    }

    /// The users that were kept apart, each with its index over all shards.
    pub fn kept(&self) -> impl Iterator<Item = (u32, &Tail)> {
        self.kept.iter().map(|(user, tail)| (*user, tail))
    }

    /// Those that were not.
    #[must_use]
    pub const fn together(&self) -> Together {
        self.together
    }

    /// Where to count for a user.
    fn of(&mut self, user: u32) -> Result<&mut Tail, &mut Together> {
        let Some(place) = self.places.get_mut((user / self.shards.max(1)) as usize) else {
            return Err(&mut self.together);
        };
        if *place == NEW {
            if self.kept.len() < self.most {
                *place = u32::try_from(self.kept.len()).unwrap_or(CROWDED);
                self.kept.push((user, Tail::default()));
            } else {
                *place = CROWDED;
                self.together.users += 1;
            }
        }
        match self.kept.get_mut(*place as usize) {
            Some((_, tail)) => Ok(tail),
            None => Err(&mut self.together),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        BUCKETS, FIRST, LEAST_ERROR_US, RELATIVE_ERROR, Tail, Tails, Together, bucket, middle,
    };
    use crate::metrics::recorder::End;
    use crate::protocol::Failure;
    use crate::stdx::Nanos;
    use crate::stdx::rng::Rng;

    #[test]
    fn buckets_grow_by_the_fourth_root_of_two() {
        for us in (0..100_000).chain((17..25).flat_map(|bits| (1 << bits) - 2..(1 << bits) + 2)) {
            let exact = ((us.max(8) as f64).log2() - f64::from(FIRST)) * 4.0;
            // Powers of two are exact in both; other ends of buckets are no whole numbers.
            assert!((bucket(us) as f64 - exact.floor()).abs() < 0.5, "{us} us");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert!((middle(0) / 8.0 - 1.0 - RELATIVE_ERROR).abs() < 1e-4, "{}", middle(0));
    }

    fn tail(times: &[u64]) -> Tail {
        let mut tail = Tail::default();
        times.iter().for_each(|us| tail.time(Nanos::from_micros(*us)));
        tail
    }

    /// Against the exact quantile: the smallest time that at least that share does not exceed.
    #[test]
    fn quantiles_err_by_no_more_than_they_say() {
        let mut rng = Rng::stream(7, 0);
        for round in 0..2_000 {
            // Up to 2^24 us, or fewer octaves; the last bucket begins behind them.
            let (octaves, count) = (1 + rng.below(24), 1 + rng.below(400));
            let mut time = || {
                let octave = rng.below(octaves);
                rng.below(2 << octave)
            };
            let mut times: Vec<u64> = (0..count).map(|_| time()).collect();
            let tail = tail(&times);
            times.sort_unstable();
            assert_eq!((tail.times(), tail.longest_us()), (count, *times.last().unwrap()));
            for share in [0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
                let found = tail.micros_at(share);
                let reaches = |rank: &usize| *rank as f64 >= times.len() as f64 * share;
                let rank = (1..times.len()).find(reaches).unwrap_or(times.len());
                let exact = times[rank - 1];
                // Half a microsecond more, because the answer is a whole one.
                let most = (exact as f64 * RELATIVE_ERROR + 0.5).max(LEAST_ERROR_US as f64);
                let error = found.abs_diff(exact) as f64;
                assert!(error <= most, "round {round}, p {share}: {found} for {exact}");
            }
        }
    }

    #[test]
    fn what_is_outside_of_the_buckets() {
        assert_eq!((Tail::default().micros_at(0.5), Tail::default().longest_us()), (0, 0));
        assert_eq!(tail(&[3]).micros_at(0.99), 3);
        assert_eq!(tail(&[60_000_000]).micros_at(0.5), 60_000_000);
        assert_eq!(tail(&[u64::MAX / 1_000]).longest_us(), u64::from(u32::MAX));
    }

    const OK: Option<(u16, Nanos)> = Some((200, Nanos::from_millis(1)));

    #[test]
    fn each_user_of_a_shard_has_its_own() {
        // Users 1, 4, 7, 10 of three shards.
        let mut tails = Tails::new(4, 3, 10);
        tails.ended(7, End::Ok, OK);
        tails.ended(1, End::Failed(Failure::Status), Some((403, Nanos::from_millis(2))));
        tails.ended(7, End::Failed(Failure::Reset), None);
        tails.ended(7, End::Aborted, None);
        tails.refused(1, 401);
        let rows: Vec<_> = tails
            .kept()
            .map(|(user, it)| (user, it.operations(), it.failed(), it.noted(), it.times()))
            .collect();
        assert_eq!(rows, [(7, 2, 1, [0, 0, 0], 1), (1, 1, 1, [1, 1, 0], 1)]);
        assert_eq!(tails.together(), Together::default());
    }

    #[test]
    fn who_comes_too_late_is_counted_with_others() {
        let mut tails = Tails::new(5, 1, 2);
        for user in [4, 0, 3, 4, 2, 3] {
            tails.ended(user, End::Ok, OK);
        }
        tails.ended(3, End::Failed(Failure::Refused), None);
        assert_eq!(tails.kept().map(|(user, _)| user).collect::<Vec<_>>(), [4, 0]);
        assert_eq!(tails.together(), Together { users: 2, operations: 4, failed: 1 });
    }
}
