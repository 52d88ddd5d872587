//! Accounts, known to all servers of a target at once and without a lock.
//!
//! ```text
//!  index (by hash of the address)          blocks (by number)
//!  ┌───┬───┬───┬───┬─ 2^21 places          ┌─────────┬─ 256 blocks, made as they are needed
//!  │ 0 │ 7 │ 0 │ 2 │ number + 1, or 0      │ Account │ 4096 accounts each
//!  └───┴─┬─┴───┴───┴─                      └────▲────┴─
//!        └──────────────────────────────────────┘
//! ```
//!
//! Nothing is ever removed, and a place of the index that is taken stays taken. Two cores that
//! register the same address at the same moment walk the same places, so they meet at the first
//! free one, and only one of them takes it.
//!
//! Tokens have serial numbers, counted by account. To void tokens is to remember up to which
//! number they are void: exact, however many were made within one second of the clock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::limits::{ACCOUNTS_MAX, SESSIONS_MAX};
use crate::stdx::fnv::Fnv;

/// Twice as many as accounts: a free place is always near.
const PLACES: usize = 2 * ACCOUNTS_MAX as usize;
const _: () = assert!(PLACES.is_power_of_two());

const BLOCK: usize = 4096;

/// All accounts.
#[derive(Debug)]
pub(super) struct Accounts {
    /// 8 MiB, made for the first account: a target without accounts does not pay for it.
    index: OnceLock<Box<[AtomicU32]>>,
    blocks: Box<[OnceLock<Block>]>,
    /// Numbers given out.
    len: AtomicU32,
}

type Block = Box<[OnceLock<Account>]>;

/// One account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) email: Box<str>,
    password: [u8; 32],
    /// Tokens made so far.
    serials: AtomicU64,
    /// Access tokens up to this serial number are void.
    void: AtomicU64,
    /// The serial numbers of the refresh tokens that are good; 0 is none.
    sessions: [AtomicU64; SESSIONS_MAX],
}

/// Why there is no new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Exists,
    Full,
}

/// Where a refresh token's session is, and which of the tokens there it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) slot: u8,
    pub(super) serial: u64,
}

impl Default for Accounts {
    fn default() -> Self {
        let blocks = ACCOUNTS_MAX as usize / BLOCK;
        Self {
            index: OnceLock::new(),
            blocks: (0..blocks).map(|_| OnceLock::new()).collect(),
            len: AtomicU32::new(0),
        }
    }
}

impl Accounts {
    /// Makes an account and gives its number.
    pub(super) fn register(&self, email: &str, password: [u8; 32]) -> Result<u32, Refused> {
        let index = self.index.get_or_init(|| (0..PLACES).map(|_| AtomicU32::new(0)).collect());
        let mut made = None;
        let mut at = place(email);
        loop {
            let Some(place) = index.get(at) else { return Err(Refused::Full) };
            let taken = place.load(Ordering::Acquire);
            if taken == 0 {
                let number = match made {
                    Some(number) => number,
                    None => *made.insert(self.make(email, password)?),
                };
                let won =
                    place.compare_exchange(0, number + 1, Ordering::AcqRel, Ordering::Relaxed);
                if won.is_ok() {
                    return Ok(number);
                }
                // Another core was quicker: perhaps with the same address, so look again. Then
                // the number made here is lost; that takes two at the same instant.
                continue;
            }
            if self.get(taken - 1).is_some_and(|account| *account.email == *email) {
                return Err(Refused::Exists);
            }
            at = (at + 1) % PLACES;
        }
    }

    /// The number of the account with this address and password.
    pub(super) fn find(&self, email: &str, password: &[u8; 32]) -> Option<u32> {
        let index = self.index.get()?;
        let mut at = place(email);
        loop {
            let number = index.get(at)?.load(Ordering::Acquire).checked_sub(1)?;
            let account = self.get(number)?;
            if *account.email == *email {
                return (account.password == *password).then_some(number);
            }
            at = (at + 1) % PLACES;
        }
    }

    pub(super) fn get(&self, number: u32) -> Option<&Account> {
        let number = number as usize;
        self.blocks.get(number / BLOCK)?.get()?.get(number % BLOCK)?.get()
    }

    /// A number with its account, which no address leads to yet.
    fn make(&self, email: &str, password: [u8; 32]) -> Result<u32, Refused> {
        let next = |len: u32| (len < ACCOUNTS_MAX).then_some(len + 1);
        let number = self.len.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next);
        let number = number.map_err(|_| Refused::Full)?;
        let new_block = || (0..BLOCK).map(|_| OnceLock::new()).collect();
        let at = number as usize;
        let block = self.blocks.get(at / BLOCK).ok_or(Refused::Full)?.get_or_init(new_block);
        let account = Account {
            email: Box::from(email),
            password,
            serials: AtomicU64::new(0),
            void: AtomicU64::new(0),
            sessions: Default::default(),
        };
        // The number is ours alone, so its place is free.
        let set = block.get(at % BLOCK).is_some_and(|place| place.set(account).is_ok());
        if set { Ok(number) } else { Err(Refused::Full) }
    }
}

impl Account {
    /// A new session, in place of the oldest if there are too many.
    pub(super) fn open(&self) -> Session {
        let serial = self.serial();
        loop {
            let ages = self.sessions.iter().map(|session| session.load(Ordering::Acquire));
            let Some((slot, oldest)) = (0..).zip(ages).min_by_key(|(_, age)| *age) else {
                return Session { slot: 0, serial };
            };
            if self.replace(Session { slot, serial: oldest }, serial) {
                return Session { slot, serial };
            }
        }
    }

    /// The session goes on with another serial number, if this one is still good.
    pub(super) fn renew(&self, old: Session) -> Option<Session> {
        let serial = self.serial();
        let renewed = old.serial != 0 && self.replace(old, serial);
        renewed.then_some(Session { serial, ..old })
    }

    /// Voids all tokens made so far.
    pub(super) fn end(&self) {
        let last = self.serials.load(Ordering::Acquire);
        self.void.fetch_max(last, Ordering::AcqRel);
        for session in &self.sessions {
            let old = |serial: u64| (serial != 0 && serial <= last).then_some(0);
            // An error says that it was void, or is newer.
            let _ = session.fetch_update(Ordering::AcqRel, Ordering::Acquire, old);
        }
    }

    /// Whether the access token of this serial number is not void.
    pub(super) fn is_good(&self, serial: u64) -> bool {
        serial > self.void.load(Ordering::Acquire)
    }

    fn serial(&self) -> u64 {
        self.serials.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn replace(&self, old: Session, new: u64) -> bool {
        let Some(session) = self.sessions.get(usize::from(old.slot)) else { return false };
        session.compare_exchange(old.serial, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

fn place(email: &str) -> usize {
    let mut hash = Fnv::new();
    hash.bytes(email.as_bytes());
    let hash = hash.value();
    usize::try_from((hash ^ hash >> 32) % PLACES as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNTS_MAX, Accounts, Ordering, Refused, SESSIONS_MAX, Session};

    #[test]
    fn an_address_is_registered_once_and_found_with_its_password() {
        let accounts = Accounts::default();
        assert_eq!(accounts.find("a", &[1; 32]), None, "nobody yet");
        for number in 0..10_000 {
            let email = format!("user{number}");
            assert_eq!(accounts.register(&email, [1; 32]), Ok(number));
            assert_eq!(accounts.register(&email, [2; 32]), Err(Refused::Exists));
        }
        assert_eq!(accounts.find("user77", &[1; 32]), Some(77));
        assert_eq!(accounts.find("user77", &[2; 32]), None);
        assert_eq!(accounts.find("user10000", &[1; 32]), None);
    }

    #[test]
    fn cores_that_race_agree_on_one_winner() {
        let accounts = Accounts::default();
        let race = || {
            let win = |number: u32| accounts.register(&format!("u{number}"), [0; 32]).is_ok();
            (0..20_000).filter(|number| win(*number)).count()
        };
        let won = std::thread::scope(|scope| {
            let racers = [scope.spawn(race), scope.spawn(race), scope.spawn(race)];
            racers.map(|racer| racer.join().unwrap()).into_iter().sum::<usize>()
        });
        assert_eq!(won, 20_000, "each address once");
        assert!((0..20_000).all(|n| accounts.find(&format!("u{n}"), &[0; 32]).is_some()));
    }

    #[test]
    fn a_full_house_says_so_and_still_knows_who_lives_there() {
        let accounts = Accounts::default();
        assert_eq!(accounts.register("first", [0; 32]), Ok(0));
        accounts.len.store(ACCOUNTS_MAX - 1, Ordering::Relaxed);
        assert_eq!(accounts.register("last", [0; 32]), Ok(ACCOUNTS_MAX - 1));
        assert_eq!(accounts.register("one more", [0; 32]), Err(Refused::Full));
        assert_eq!(accounts.register("first", [0; 32]), Err(Refused::Exists));
        assert_eq!(accounts.find("last", &[0; 32]), Some(ACCOUNTS_MAX - 1));
    }

    #[test]
    fn sessions_are_renewed_once_and_the_oldest_gives_way() {
        let accounts = Accounts::default();
        let number = accounts.register("a", [0; 32]).unwrap();
        let account = accounts.get(number).unwrap();
        let first = account.open();
        let renewed = account.renew(first).expect("it was good");
        assert_eq!(account.renew(first), None, "it was used");
        let second = account.open();
        assert_ne!(renewed.slot, second.slot);
        let others: Vec<Session> = (2..SESSIONS_MAX).map(|_| account.open()).collect();
        assert_eq!(account.open().slot, renewed.slot, "the oldest gives way");
        assert_eq!(account.renew(renewed), None);
        account.end();
        assert!(others.iter().all(|session| account.renew(*session).is_none()));
        assert!(!account.is_good(second.serial));
        let next = account.open();
        assert!(account.is_good(next.serial) && account.renew(next).is_some());
        assert_eq!(account.renew(Session { slot: 9, serial: 1 }), None);
        assert_eq!(account.renew(Session { slot: 3, serial: 0 }), None, "none is no token");
    }
}
