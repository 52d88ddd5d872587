//! What the system does that it should not, drawn from the seed.

use onslaught::stdx::Nanos;

use super::super::dice::Dice;

/// Chances are in thousandths.
#[derive(Clone, Debug, Default)]
pub(super) struct Manners {
    /// Each k-th of these fails; 0 is never.
    pub(super) logins_fail: u64,
    pub(super) refreshes_fail: u64,
    pub(super) registrations_fail: u64,
    /// Tokens that are refused although they have not ended.
    pub(super) early: u64,
    /// A refresh token is good for one renewal.
    pub(super) rotates: bool,
    /// Replies behind the timeout, and those that never come.
    pub(super) slow: u64,
    pub(super) silent: u64,
    /// Replies with status 500.
    pub(super) fails: u64,
    /// Resets and ends instead of a whole reply.
    pub(super) breaks: u64,
    /// Connections that end behind a reply, with and without notice.
    pub(super) leaves: u64,
    /// Connects that are refused or never answered.
    pub(super) refuses: u64,
    /// Upgrades that are answered with 401, with something else, or never.
    pub(super) no_upgrade: u64,
    /// Answers to messages that do not come, come twice, come late.
    pub(super) lost: u64,
    pub(super) twice: u64,
    pub(super) late: u64,
    /// Messages behind which the WebSocket is cut, closed, or broken by bad frames.
    pub(super) cuts: u64,
    pub(super) closes: u64,
    pub(super) babbles: u64,
    /// Messages that the system says unasked, and pings.
    pub(super) chatty: u64,
    /// How long tokens live, in seconds.
    pub(super) token_life: u64,
    /// Whether the reply says so, or the token, or nobody.
    pub(super) tells: Tells,
}

/// Where the life of a token is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tells {
    #[default]
    Reply,
    Token,
    Nobody,
}

/// From when the system's clock stands at nothing, since 1970.
pub(super) const WALL: u64 = 1_700_000_000_000;

impl Manners {
    /// None bad: tokens live so many seconds.
    pub(super) fn good(token_life: u64) -> Self {
        Self { token_life, ..Self::default() }
    }

    pub(super) fn draw(dice: &mut Dice) -> Self {
        let rotates = dice.chance(500);
        let tells = dice.pick(&[Tells::Reply, Tells::Token, Tells::Nobody]);
        // A calendar date in whole seconds takes up to one of them away.
        let token_life = dice.between(if tells == Tells::Token { 2 } else { 1 }, 4);
        if dice.chance(250) {
            return Self { rotates, tells, ..Self::good(token_life) };
        }
        let mut rare = || dice.pick(&[0, 0, 0, 20, 150]);
        let mut manners = Self {
            early: rare(),
            slow: rare(),
            silent: rare(),
            fails: rare(),
            breaks: rare(),
            leaves: rare(),
            refuses: rare(),
            no_upgrade: rare(),
            lost: rare(),
            twice: rare(),
            late: rare(),
            cuts: rare(),
            closes: rare(),
            babbles: rare(),
            chatty: rare(),
            rotates,
            token_life,
            tells,
            ..Self::default()
        };
        let every = [0, 0, 1, 2, 5];
        manners.logins_fail = dice.pick(&every);
        manners.refreshes_fail = dice.pick(&every);
        manners.registrations_fail = dice.pick(&every);
        if dice.chance(80) {
            let all = dice.pick(&[0, 1, 2, 3]);
            let one = [
                &mut manners.refuses,
                &mut manners.breaks,
                &mut manners.no_upgrade,
                &mut manners.cuts,
            ];
            one.into_iter().nth(all).into_iter().for_each(|all| *all = 1_000);
        }
        manners
    }

    /// Whether nothing is done that should not be.
    pub(super) const fn is_good(&self) -> bool {
        let faults = self.early
            + self.slow
            + self.silent
            + self.fails
            + self.breaks
            + self.leaves
            + self.refuses
            + self.no_upgrade
            + self.cuts
            + self.closes
            + self.babbles
            + self.logins_fail
            + self.refreshes_fail
            + self.registrations_fail;
        faults == 0
    }

    pub(super) const fn life(&self) -> Nanos {
        Nanos::from_secs(self.token_life)
    }
}

/// Whether it is the k-th time.
pub(super) const fn nth(count: &mut u64, every: u64) -> bool {
    *count += 1;
    every > 0 && count.is_multiple_of(every)
}
