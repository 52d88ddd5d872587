//! What is known of one user's token.

use super::super::limits::{MARGIN_LEAST, MARGIN_MOST};
use crate::stdx::Nanos;

/// One user's token, and what is done about it.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// Empty if there is none, or if it was refused. Boxed, not a `String`: it is replaced once
    /// in some minutes, and there may be a million.
    pub(super) access: Box<str>,
    pub(super) refresh: Box<str>,
    /// When the token came.
    pub(super) since: Nanos,
    /// When it ends.
    pub(super) expires_at: Nanos,
    /// When it is renewed.
    pub(super) renew_at: Nanos,
    /// No call before this moment.
    pub(super) barred_until: Nanos,
    /// Counts the tokens that came.
    pub(super) generation: u32,
    /// Logins that failed in a row.
    pub(super) failures: u8,
    /// New tokens that were refused at once, in a row.
    pub(super) strikes: u8,
    pub(super) work: Work,
    lanes: u8,
    /// Whether an operation waits for a token.
    pub(super) is_awaited: bool,
    /// Whether a request was refused since the last token came.
    pub(super) was_refused: bool,
    /// Whether the token was fetched because the one before was refused.
    pub(super) is_after_refusal: bool,
    /// Whether renewing has failed, so that the next call is a login.
    pub(super) must_log_in: bool,
    /// Whether it is registered when it is needed first, and has not been.
    pub(super) is_new: bool,
}

const _: () = assert!(size_of::<Life>() <= 80, "there may be a million users");

/// What is done about a user's token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing.
    #[default]
    Idle,
    /// A call is to be made; which one is decided when it is.
    Queued,
    /// A call is under way.
    Calling,
}

/// The queue in which a user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Lane {
    Urgent = 1,
    Calm = 2,
}

impl Life {
    /// A user without a token; one that is new has to be registered first.
    pub(super) fn of(is_new: bool) -> Self {
        Self { is_new, ..Self::default() }
    }

    /// Whether there is a token that has not ended.
    pub(super) fn is_good(&self, now: Nanos) -> bool {
        !self.access.is_empty() && now < self.expires_at
    }

    /// Whether it is time to renew the token, and nobody does.
    pub(super) fn wants_renewal(&self, now: Nanos) -> bool {
        self.work == Work::Idle && now >= self.renew_at && now >= self.barred_until
    }

    /// A token has come that lives so long.
    pub(super) fn renew(&mut self, token: &str, life: Nanos, now: Nanos) {
        self.access = token.into();
        self.generation = self.generation.wrapping_add(1);
        self.since = now;
        self.expires_at = now + life;
        self.renew_at = now + Nanos(life.0 - margin(life).0);
        self.barred_until = Nanos::ZERO;
        self.failures = 0;
        self.is_after_refusal = std::mem::take(&mut self.was_refused);
        self.must_log_in = false;
    }

    /// Forgets the tokens.
    pub(super) fn forget(&mut self) {
        self.access = Box::default();
        self.refresh = Box::default();
    }

    /// Notes that the user stands in a queue. False if it does already.
    pub(super) const fn enter(&mut self, lane: Lane) -> bool {
        let is_new = self.lanes & lane as u8 == 0;
        self.lanes |= lane as u8;
        is_new
    }

    /// Notes that the user stands in a queue no more.
    pub(super) const fn leave(&mut self, lane: Lane) {
        self.lanes &= !(lane as u8);
    }

    /// Notes that nothing is to be done about the token any more.
    pub(super) fn leave_queues(&mut self) {
        self.lanes = 0;
        if self.work == Work::Queued {
            self.work = Work::Idle;
        }
    }
}

/// How long before its end a token is renewed: a fifth of its life within bounds, yet never more
/// than half of it.
fn margin(life: Nanos) -> Nanos {
    Nanos((life.0 / 5).clamp(MARGIN_LEAST.0, MARGIN_MOST.0).min(life.0 / 2))
}

#[cfg(test)]
mod tests {
    use super::margin;
    use crate::stdx::Nanos;

    #[test]
    fn margins() {
        let of = |ms| margin(Nanos::from_millis(ms)).0 / 1_000_000;
        assert_eq!(of(14 * 60_000), 60_000, "at most a minute");
        assert_eq!(of(60_000), 12_000, "a fifth");
        assert_eq!(of(300), 100, "at least 100 ms");
        assert_eq!(of(120), 60, "at most half");
        assert_eq!(margin(Nanos::MAX), Nanos::from_secs(60));
        assert_eq!(of(0), 0);
    }
}
