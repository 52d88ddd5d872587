//! What all servers of one target share: who is known, and how tokens and tasks are made.

use super::accounts::Accounts;
use super::kinds::Kinds;
use crate::protocol::jwt::Key;
use crate::stdx::Nanos;

/// The terms under which the target gives tokens and works on tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Life of an access token; counts as one second at least.
    pub token_life: Nanos,
    /// From a task's creation until it is completed.
    pub task_time: Nanos,
}

impl Default for Terms {
    /// A quarter of an hour, as is usual; three seconds.
    fn default() -> Self {
        Self { token_life: Nanos::from_secs(15 * 60), task_time: Nanos::from_secs(3) }
    }
}

/// One for all servers, read and written without locks.
#[derive(Debug)]
pub struct Realm {
    pub(super) key: Key,
    pub(super) accounts: Accounts,
    pub(super) kinds: Kinds,
    pub(super) terms: Terms,
    /// Unix time when `now` was zero.
    epoch: Nanos,
}

impl Realm {
    /// A realm that knows nobody. Whoever knows the secret can make its tokens; `epoch` is the
    /// unix time at which `now` was zero.
    #[must_use]
    pub fn new(terms: Terms, secret: &[u8; 32], epoch: Nanos) -> Self {
        let token_life = terms.token_life.max(Nanos::from_secs(1));
        Self {
            key: Key::new(secret),
            accounts: Accounts::default(),
            kinds: Kinds::default(),
            terms: Terms { token_life, ..terms },
            epoch,
        }
    }

    /// Unix time.
    pub(super) fn unix(&self, now: Nanos) -> Nanos {
        self.epoch + now
    }

    /// How a password is kept.
    ///
    /// A keyed hash, not a slow one: this target is there to be loaded, and a slow hash would
    /// make every login a measurement of the hash. The key dies with the process, and so do the
    /// accounts.
    pub(super) fn password(&self, email: &str, password: &str) -> [u8; 32] {
        let len = (email.len() as u64).to_le_bytes();
        self.key.mac(&[b"password", &len, email.as_bytes(), password.as_bytes()])
    }
}
