//! A level that changes over time, piece by piece, and the area under it.
//!
//! Levels are in thousandths: of arrivals a second in the open model, of sessions in the closed
//! one. All times count from the curve's own beginning. Behind its last piece a curve stays where
//! it ended.
//!
//! The area is a whole number and never falls, and the time of an arrival is defined by it alone;
//! so any two shards, however they came to ask, are told the same.

use crate::stdx::Nanos;

/// The area under one arrival: thousandths a second times nanoseconds.
pub const ARRIVAL: u128 = 1_000_000_000_000;

/// Thousandths of a level that are one session.
pub const SESSION: u64 = 1_000;

/// How the level goes from one end of a piece to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In a straight line.
    Straight,
    /// By the same factor in equal times. Both ends are more than nothing.
    Doubling,
}

/// A part of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its beginning.
    pub from: Nanos,
    /// Its end, which is behind its beginning.
    pub to: Nanos,
    /// The level at its beginning.
    pub first: u64,
    /// The level that it goes to.
    pub last: u64,
    /// What lies between.
    pub form: Form,
    /// When it would be there, since its beginning; later than its end where it was cut short.
    span: Nanos,
    /// The area before it.
    before: u128,
}

/// A level that changes over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    pieces: Vec<Piece>,
    /// The level behind the last piece.
    beyond: u64,
}

impl Curve {
    /// The same level for ever.
    #[must_use]
    pub const fn constant(level: u64) -> Self {
        Self { pieces: Vec::new(), beyond: level }
    }

    /// So many sessions for ever.
    #[must_use]
    pub const fn sessions(count: u32) -> Self {
        Self::constant(count as u64 * SESSION)
    }

    /// Goes on for `span` from where the curve ends: from the level `first`, at once, to `last`.
    /// A span of nothing adds nothing but its last level.
    pub fn push(&mut self, first: u64, last: u64, span: Nanos, form: Form) {
        let from = self.end();
        let before = self.area(from);
        self.beyond = last;
        if span > Nanos::ZERO {
            let form = if first == last { Form::Straight } else { form };
            self.pieces.push(Piece { from, to: from + span, first, last, form, span, before });
        }
    }

    /// From `at` on the level is another, for ever; what was before stays.
    pub fn hold_from(&mut self, at: Nanos, level: u64) {
        self.cut(at);
        self.beyond = level;
    }

    /// From `at` on every level is `thousandths` of what `planned` has there.
    pub fn scale_from(&mut self, at: Nanos, planned: &Self, thousandths: u64) {
        let scaled = |level: u64| {
            let level = u128::from(level) * u128::from(thousandths) / 1_000;
            u64::try_from(level).unwrap_or(u64::MAX)
        };
        self.cut(at);
        for piece in planned.pieces.iter().filter(|piece| piece.to > at) {
            let from = piece.from.max(at);
            let (first, last) = (scaled(piece.level(from)), scaled(piece.level(piece.to)));
            let form = if first == 0 || last == 0 { Form::Straight } else { piece.form };
            self.push(first, last, piece.to.since(from), form);
        }
        self.beyond = scaled(planned.beyond);
    }

    /// Ends the curve at `at`, where it was on its way.
    fn cut(&mut self, at: Nanos) {
        let end = self.end();
        if at > end {
            let beyond = self.beyond;
            return self.push(beyond, beyond, at.since(end), Form::Straight);
        }
        self.pieces.retain(|piece| piece.from < at);
        if let Some(piece) = self.pieces.last_mut() {
            piece.to = piece.to.min(at);
        }
    }

    /// Where its last piece ends.
    #[must_use]
    pub fn end(&self) -> Nanos {
        self.pieces.last().map_or(Nanos::ZERO, |piece| piece.to)
    }

    /// Its pieces, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The level behind its pieces.
    #[must_use]
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }

    /// Its highest level.
    #[must_use]
    pub fn highest(&self) -> u64 {
        let ends = self.pieces.iter().flat_map(|piece| [piece.first, piece.level(piece.to)]);
        // What is behind its pieces is reached only where there is none, or it was reached before.
        ends.max().unwrap_or(self.beyond)
    }

    /// Whether it never changes.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.pieces.iter().all(|piece| piece.first == self.beyond && piece.last == self.beyond)
    }

    fn piece(&self, at: Nanos) -> Option<&Piece> {
        let behind = self.pieces.partition_point(|piece| piece.to <= at);
        self.pieces.get(behind)
    }

    /// The level at a moment.
    #[must_use]
    pub fn level(&self, at: Nanos) -> u64 {
        self.piece(at).map_or(self.beyond, |piece| piece.level(at))
    }

    /// Sessions at work at a moment.
    #[must_use]
    pub fn sessions_at(&self, at: Nanos) -> u32 {
        u32::try_from(self.level(at) / SESSION).unwrap_or(u32::MAX)
    }

    /// When another number of sessions is at work, for the first time after `at`.
    #[must_use]
    pub fn next_change(&self, at: Nanos) -> Option<Nanos> {
        let now = self.sessions_at(at);
        let ahead = self.pieces.iter().filter(|piece| piece.to > at);
        for piece in ahead {
            let from = piece.from.max(at);
            if self.sessions_at(from) != now {
                return Some(from);
            }
            let last = Nanos(piece.to.0 - 1);
            if self.sessions_at(last) != now {
                // Within a piece the level goes one way.
                return Some(first_between(from, last, |moment| self.sessions_at(moment) != now));
            }
        }
        let end = self.end();
        (end > at && self.sessions_at(end) != now).then_some(end)
    }

    /// The area under the curve until `at`.
    #[must_use]
    pub fn area(&self, at: Nanos) -> u128 {
        match (self.piece(at), self.pieces.last()) {
            (Some(piece), _) => piece.before + piece.area(at.since(piece.from)),
            (None, None) => u128::from(self.beyond) * u128::from(at.0),
            (None, Some(last)) => {
                let pieces = last.before + last.area(last.to.since(last.from));
                pieces + u128::from(self.beyond) * u128::from(at.since(last.to).0)
            }
        }
    }

    /// The last moment until which the area is no more than so much; never if it is never more.
    #[must_use]
    pub fn time(&self, area: u128) -> Nanos {
        let of = |piece: &Piece| piece.before + piece.area(piece.to.since(piece.from));
        let behind = self.pieces.partition_point(|piece| of(piece) <= area);
        let (from, before) = match (self.pieces.get(behind), self.pieces.last()) {
            (Some(piece), _) => return piece.time(area.saturating_sub(piece.before)),
            (None, None) => (Nanos::ZERO, 0),
            (None, Some(last)) => (last.to, of(last)),
        };
        match u128::from(self.beyond) {
            0 => Nanos::MAX,
            level => {
                let more = u64::try_from((area - before) / level).unwrap_or(u64::MAX);
                Nanos(from.0.saturating_add(more))
            }
        }
    }
}

impl Piece {
    /// The level at a moment within it.
    #[must_use]
    pub fn level(&self, at: Nanos) -> u64 {
        if self.first == self.last {
            return self.first;
        }
        let (passed, span) = (at.since(self.from).0, self.span.0.max(1));
        match self.form {
            Form::Straight => {
                let gone = u128::from(self.first.abs_diff(self.last)) * u128::from(passed);
                let gone = u64::try_from(gone / u128::from(span)).unwrap_or(u64::MAX);
                if self.last > self.first { self.first + gone } else { self.first - gone }
            }
            Form::Doubling => {
                let share = passed as f64 / span as f64;
                rounded(self.first as f64 * (share * self.growth()).exp())
            }
        }
    }

    /// The logarithm of the factor between its ends.
    fn growth(&self) -> f64 {
        (self.last.max(1) as f64 / self.first.max(1) as f64).ln()
    }

    /// The area from its beginning on, for so long.
    fn area(&self, passed: Nanos) -> u128 {
        let (passed, span) = (u128::from(passed.0), u128::from(self.span.0.max(1)));
        if self.first == self.last {
            return u128::from(self.first) * passed;
        }
        match self.form {
            Form::Straight => {
                // In parts of 2^-32 of the piece, so that a year at ten million a second fits.
                let share = (passed << 32) / span;
                let bend = u128::from(self.first.abs_diff(self.last)) * passed * share;
                let bend = bend >> 33;
                let flat = u128::from(self.first) * passed;
                if self.last > self.first { flat + bend } else { flat - bend }
            }
            Form::Doubling => {
                let growth = self.growth();
                let share = passed as f64 / span as f64;
                let area = self.first as f64 * (span as f64 / growth) * (share * growth).exp_m1();
                wide(area)
            }
        }
    }

    /// The last moment until which its own area is no more than so much; what is asked for is
    /// less than the whole.
    fn time(&self, area: u128) -> Nanos {
        let span = self.to.since(self.from).0;
        if self.first == self.last {
            let passed = area / u128::from(self.first.max(1));
            return self.from + Nanos(u64::try_from(passed).unwrap_or(span).min(span));
        }
        let guess = self.guess(area as f64, self.span.0 as f64).clamp(0.0, span as f64);
        let more = |passed: u64| self.area(Nanos(passed)) > area;
        // The guess is off by a few nanoseconds: the area alone decides.
        let guess = rounded(guess).min(span);
        let (mut low, mut high, mut step) = (guess, guess, 1_u64);
        while low > 0 && more(low) {
            high = low;
            low = low.saturating_sub(step);
            step = step.saturating_mul(2);
        }
        step = 1;
        while high < span && !more(high) {
            low = high;
            high = high.saturating_add(step).min(span);
            step = step.saturating_mul(2);
        }
        let first_more = first_between(Nanos(low), Nanos(high), |at| more(at.0));
        self.from + Nanos(first_more.0.saturating_sub(1))
    }

    /// About when the area is reached, by the inverse of the area's formula.
    fn guess(&self, area: f64, span: f64) -> f64 {
        let first = self.first as f64;
        match self.form {
            Form::Straight => {
                let bend = (self.last as f64 - first) / span;
                let root = (first * first + 2.0 * bend * area).max(0.0).sqrt();
                if first + root > 0.0 { 2.0 * area / (first + root) } else { 0.0 }
            }
            Form::Doubling => {
                let growth = self.growth();
                (area * growth / (first * span)).max(-1.0).ln_1p() / growth * span
            }
        }
    }
}

/// The first moment from `low` to `high` at which something is so that stays so; `high` if it is
/// not so before.
fn first_between(low: Nanos, high: Nanos, is: impl Fn(Nanos) -> bool) -> Nanos {
    let (mut low, mut high) = (low.0, high.0);
    while low < high {
        let middle = low + (high - low) / 2;
        if is(Nanos(middle)) { high = middle } else { low = middle + 1 }
    }
    Nanos(low)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "neither negative nor large, and the cast saturates"
)]
const fn rounded(number: f64) -> u64 {
    (number + 0.5) as u64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and the cast saturates"
)]
const fn wide(number: f64) -> u128 {
    number as u128
}

#[cfg(test)]
mod tests {
    use super::{ARRIVAL, Curve, Form, SESSION};
    use crate::stdx::{Nanos, rng::Rng};

    fn curve(pieces: &[(u64, u64, u64, Form)]) -> Curve {
        let mut curve = Curve::constant(0);
        for (first, last, millis, form) in pieces {
            curve.push(*first, *last, Nanos::from_millis(*millis), *form);
        }
        curve
    }

    /// Any curve of up to six pieces.
    fn any(rng: &mut Rng) -> Curve {
        let mut curve = Curve::constant(0);
        for _ in 0..=rng.below(5) {
            let magnitude = 10_u64.pow(u32::try_from(rng.below(8)).unwrap());
            let (first, last) = (rng.below(magnitude * 10), rng.below(magnitude * 10));
            let doubling = first > 0 && last > 0 && rng.below(2) == 0;
            let form = if doubling { Form::Doubling } else { Form::Straight };
            curve.push(first, last, Nanos(1 + rng.below(20_000_000_000)), form);
        }
        curve
    }

    #[test]
    fn the_area_is_that_of_a_slow_sum() {
        for seed in 0..50 {
            let curve = any(&mut Rng::stream(7, seed));
            let end = curve.end();
            let step = (end.0 / 20_000).max(1);
            let mut sum = 0.0;
            for at in (0..end.0).step_by(usize::try_from(step).unwrap()) {
                let width = step.min(end.0 - at);
                sum += curve.level(Nanos(at + width / 2)) as f64 * width as f64;
            }
            let area = curve.area(end) as f64;
            // Levels are whole numbers: each may be off by one.
            let rough = curve.highest() as f64 * step as f64 * 10.0 + end.0 as f64;
            let slack = rough + area * 1e-4;
            assert!((sum - area).abs() <= slack, "seed {seed}: {sum} and {area}");
        }
    }

    #[test]
    fn the_area_never_falls_and_time_is_its_inverse() {
        for seed in 0..200 {
            let mut rng = Rng::stream(8, seed);
            let curve = any(&mut rng);
            let end = curve.end();
            let mut last = 0;
            for share in 0..=100 {
                let area = curve.area(Nanos(end.0 / 100 * share));
                assert!(area >= last, "seed {seed}");
                last = area;
            }
            for _ in 0..200 {
                let wanted = (u128::from(rng.next_u64()) * curve.area(end)) >> 64;
                let at = curve.time(wanted);
                assert!(curve.area(at) <= wanted, "seed {seed}: at {at}");
                assert!(curve.area(at + Nanos(1)) > wanted, "seed {seed}: {at} is not the last");
            }
        }
    }

    #[test]
    fn a_ramp_is_the_square_root_of_time() {
        let ramp = curve(&[(0, 1_000_000, 10_000, Form::Straight)]);
        // 1000/s after 10 s: 50 t² arrivals until t.
        assert_eq!(ramp.area(Nanos::from_secs(10)) / ARRIVAL, 5_000);
        for (arrival, millis) in [(50_u128, 1_000_u64), (200, 2_000), (1_250, 5_000)] {
            let due = ramp.time(arrival * ARRIVAL);
            assert!(due.0.abs_diff(Nanos::from_millis(millis).0) < 100, "{arrival}: {due}");
        }
    }

    #[test]
    fn doubling_doubles() {
        let curve = curve(&[(10_000, 80_000, 3_000, Form::Doubling)]);
        for (seconds, level) in [(0, 10_000), (1, 20_000), (2, 40_000)] {
            assert_eq!(curve.level(Nanos::from_secs(seconds)), level);
        }
        assert_eq!(curve.level(Nanos::from_secs(4)), 80_000);
        // 10 (2^t - 1) / ln 2 until t.
        let arrivals = (curve.area(Nanos::from_secs(3)) as f64) / ARRIVAL as f64;
        assert!((arrivals - 70.0 / 2.0_f64.ln()).abs() < 1e-6, "{arrivals}");
    }

    #[test]
    fn nothing_falls_due_while_the_level_is_nothing() {
        let still = Form::Straight;
        let curve = curve(&[(0, 0, 1_000, still), (1_000, 1_000, 2_000, still), (0, 0, 9, still)]);
        let due: Vec<Nanos> = (0..2).map(|n| curve.time(n * ARRIVAL)).collect();
        assert_eq!(due, [Nanos::from_secs(1), Nanos::from_secs(2)]);
        assert_eq!(curve.time(2 * ARRIVAL), Nanos::MAX, "its area is two, and not more");
    }

    #[test]
    fn sessions_come_and_go_one_by_one() {
        let (up, down) = ((0, 3 * SESSION, 3_000), (3 * SESSION, SESSION, 2_000));
        let curve =
            curve(&[(up.0, up.1, up.2, Form::Straight), (down.0, down.1, down.2, Form::Straight)]);
        let mut seen = vec![(Nanos::ZERO, curve.sessions_at(Nanos::ZERO))];
        while let Some(next) = curve.next_change(seen.last().unwrap().0) {
            assert_ne!(curve.sessions_at(Nanos(next.0 - 1)), curve.sessions_at(next));
            seen.push((next, curve.sessions_at(next)));
        }
        let counts: Vec<u32> = seen.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [0, 1, 2, 3, 2, 1], "{seen:?}");
        assert_eq!(seen[1].0, Nanos::from_secs(1));
    }

    #[test]
    fn changes_are_all_found() {
        for seed in 0..50 {
            let mut rng = Rng::stream(9, seed);
            let mut curve = Curve::constant(0);
            for _ in 0..=rng.below(4) {
                let span = Nanos(1 + rng.below(2_000_000));
                curve.push(rng.below(9_000), rng.below(9_000), span, Form::Straight);
            }
            let mut at = Nanos::ZERO;
            let mut level = curve.sessions_at(at);
            let mut changes = 0;
            while let Some(next) = curve.next_change(at) {
                assert!(next > at);
                for _ in 0..20 {
                    let between = Nanos(at.0 + rng.below(next.0 - at.0));
                    assert_eq!(curve.sessions_at(between), level, "seed {seed} at {between}");
                }
                (at, level) = (next, curve.sessions_at(next));
                changes += 1;
                assert!(changes < 1_000, "seed {seed}: no end");
            }
            assert_eq!(curve.sessions_at(curve.end() + Nanos(1)), level, "seed {seed}");
        }
    }

    #[test]
    fn orders_change_what_comes_and_nothing_before() {
        let planned = curve(&[(0, 1_000_000, 10_000, Form::Straight)]);
        let mut paused = planned.clone();
        paused.scale_from(Nanos::from_secs(4), &planned, 0);
        assert_eq!(paused.level(Nanos::from_secs(3)), planned.level(Nanos::from_secs(3)));
        assert_eq!(paused.level(Nanos::from_secs(5)), 0);
        paused.scale_from(Nanos::from_secs(6), &planned, 500);
        assert_eq!(paused.level(Nanos::from_secs(5)), 0);
        assert_eq!(paused.level(Nanos::from_secs(8)), 400_000);
        assert_eq!(paused.level(Nanos::from_secs(11)), 500_000);
        let mut held = planned.clone();
        held.hold_from(Nanos::from_secs(12), 7_000);
        assert_eq!(held.level(Nanos::from_secs(11)), 1_000_000);
        assert_eq!(held.level(Nanos::from_secs(12)), 7_000);
        for n in 0..800_u128 {
            assert_eq!(paused.time(n * ARRIVAL), planned.time(n * ARRIVAL), "arrival {n}");
        }
    }
}
