//! Access and refresh tokens: made, and judged.
//!
//! Both say where their account is, so that judging one looks nobody up:
//!
//! ```text
//!  access:  JWT, HS256: sub = address, iat, exp, jti = base64url(account, serial, good until)
//!  refresh: base64url(account, serial, session, MAC of these)
//! ```
//!
//! `exp` is in whole seconds and rounded up: no client that believes it, or `expiresIn`, comes too
//! late. "Good until" is in milliseconds, and earlier than `exp` only where a token is a lie.

use std::fmt::Write as _;

use data_encoding::BASE64URL_NOPAD;

use super::accounts::Session;
use super::limits::TOKENS_KEPT;
use super::realm::Realm;
use crate::protocol::jwt;
use crate::stdx::Nanos;
use crate::stdx::fnv::Fnv;

/// Whose access token it was, and which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) account: u32,
    serial: u64,
}

/// What an access token's own name holds.
const JTI_BYTES: usize = 4 + 8 + 8;
/// What a refresh token holds before its MAC.
const REFRESH_BYTES: usize = 4 + 8 + 1;
const MAC_BYTES: usize = 16;

/// How soon an access token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// As it says.
    Whole,
    /// After a tenth of what it says.
    Tenth,
}

/// Makes and judges the tokens of one server's clients.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Access tokens that were found good, by a hash of their signature. At most [`TOKENS_KEPT`]:
    /// a MAC over some 250 bytes costs more than all else that a small request needs.
    known: Vec<Option<Box<Known>>>,
}

#[derive(Debug)]
struct Known {
    token: Box<str>,
    caller: Caller,
    /// Unix time.
    until: Nanos,
}

/// What became of a token that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    Good(Caller),
    /// Its time is over, or somebody logged out, or it is none of ours.
    Void,
    /// It says that it is good for longer: the lie.
    Early,
}

impl Tokens {
    /// Judges what stands behind `Bearer`, or in a query.
    pub(super) fn judge(&mut self, token: &str, realm: &Realm, now: Nanos) -> Judged {
        let at = place(token);
        let known = self.known.get(at).and_then(Option::as_ref);
        let (caller, until) = match known.filter(|known| *known.token == *token) {
            Some(known) => (known.caller, known.until),
            None => match self.verify(token, at, realm, now) {
                Some(found) => found,
                None => return Judged::Void,
            },
        };
        let account = realm.accounts.get(caller.account);
        if !account.is_some_and(|account| account.is_good(caller.serial)) {
            return Judged::Void;
        }
        match until {
            until if until > realm.unix(now) => Judged::Good(caller),
            until if until.0.is_multiple_of(SECOND) => Judged::Void,
            _ => Judged::Early,
        }
    }

    /// Reads a token that is not known, and takes note of it.
    fn verify(
        &mut self,
        token: &str,
        at: usize,
        realm: &Realm,
        now: Nanos,
    ) -> Option<(Caller, Nanos)> {
        let seconds = realm.unix(now).0 / SECOND;
        let claims = jwt::verify(token, &realm.key, seconds).ok()?;
        let jti = BASE64URL_NOPAD.decode(claims.jti?.as_bytes()).ok()?;
        let jti: [u8; JTI_BYTES] = jti.try_into().ok()?;
        let (account, rest) = jti.split_first_chunk()?;
        let (serial, until) = rest.split_first_chunk()?;
        let account = u32::from_be_bytes(*account);
        let caller = Caller { account, serial: u64::from_be_bytes(*serial) };
        let until = Nanos::from_millis(u64::from_be_bytes(until.try_into().ok()?));
        if self.known.is_empty() {
            self.known.resize_with(TOKENS_KEPT, || None);
        }
        if let Some(place) = self.known.get_mut(at) {
            *place = Some(Box::new(Known { token: Box::from(token), caller, until }));
        }
        Some((caller, until))
    }
}

const SECOND: u64 = 1_000_000_000;

fn place(token: &str) -> usize {
    // The end of the signature is as good as random.
    let tail = token.as_bytes().last_chunk::<12>().copied().unwrap_or_default();
    let mut hash = Fnv::new();
    hash.bytes(&tail);
    usize::try_from(hash.value() % TOKENS_KEPT as u64).unwrap_or(0)
}

/// Appends an access token of a session, made now.
pub(super) fn access(
    account: u32,
    session: Session,
    life: Life,
    realm: &Realm,
    now: Nanos,
    out: &mut String,
) {
    let unix = realm.unix(now);
    let whole = realm.terms.token_life;
    let exp = (unix + whole).0.div_ceil(SECOND);
    let until = match life {
        Life::Whole => Nanos::from_secs(exp),
        Life::Tenth => early(unix + Nanos(whole.0 / 10)),
    };
    let mut jti = [0; JTI_BYTES];
    let millis = (until.0 / MILLI).to_be_bytes();
    let parts = account.to_be_bytes().into_iter().chain(session.serial.to_be_bytes());
    jti.iter_mut().zip(parts.chain(millis)).for_each(|(place, byte)| *place = byte);
    let email = realm.accounts.get(account).map_or("", |account| &account.email);
    let mut claims = String::with_capacity(160);
    claims.push_str("{\"sub\":");
    quote(email, &mut claims);
    let _ = write!(claims, ",\"iat\":{},\"exp\":{exp},\"jti\":\"", unix.0 / SECOND);
    BASE64URL_NOPAD.encode_append(&jti, &mut claims);
    claims.push_str("\"}");
    jwt::sign_json(&claims, &realm.key, out);
}

const MILLI: u64 = 1_000_000;

/// The end of a life that is cut short is never on a whole second, so that it can be told from
/// the end of an honest one.
fn early(until: Nanos) -> Nanos {
    let until = Nanos(until.0 / MILLI * MILLI);
    if until.0.is_multiple_of(SECOND) { until + Nanos(MILLI) } else { until }
}

/// Appends the refresh token of a session.
pub(super) fn refresh(account: u32, session: Session, realm: &Realm, out: &mut String) {
    let mut token = [0; REFRESH_BYTES + MAC_BYTES];
    let parts = account.to_be_bytes().into_iter().chain(session.serial.to_be_bytes());
    token.iter_mut().zip(parts.chain([session.slot])).for_each(|(place, byte)| *place = byte);
    let (said, mac) = token.split_at_mut(REFRESH_BYTES);
    mac.copy_from_slice(&refresh_mac(realm, said));
    BASE64URL_NOPAD.encode_append(&token, out);
}

/// Reads a refresh token: whose it is, and of which session.
pub(super) fn read_refresh(token: &str, realm: &Realm) -> Option<(u32, Session)> {
    let mut bytes = [0; REFRESH_BYTES + MAC_BYTES];
    if BASE64URL_NOPAD.decode_len(token.len()) != Ok(bytes.len()) {
        return None;
    }
    BASE64URL_NOPAD.decode_mut(token.as_bytes(), &mut bytes).ok()?;
    let (said, mac) = bytes.split_at(REFRESH_BYTES);
    if *mac != refresh_mac(realm, said) {
        return None;
    }
    let (account, rest) = said.split_first_chunk()?;
    let (serial, slot) = rest.split_first_chunk()?;
    let session = Session { slot: *slot.first()?, serial: u64::from_be_bytes(*serial) };
    Some((u32::from_be_bytes(*account), session))
}

fn refresh_mac(realm: &Realm, said: &[u8]) -> [u8; MAC_BYTES] {
    let mac = realm.key.mac(&[b"refresh", said]);
    *mac.first_chunk().unwrap_or(&[0; MAC_BYTES])
}

/// Appends a text as JSON has it.
pub(super) fn quote(text: &str, out: &mut String) {
    // The display of a string value is its JSON.
    let _ = write!(out, "{}", serde_json::Value::from(text));
}

/// The token behind `Bearer` (RFC 6750 section 2.1).
pub(super) fn bearer(authorization: &[u8]) -> Option<&str> {
    let (scheme, token) = authorization.split_first_chunk::<7>()?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"bearer ");
    std::str::from_utf8(token).ok().map(str::trim).filter(|_| is_bearer)
}

#[cfg(test)]
mod tests {
    use super::super::realm::Terms;
    use super::{
        Judged, Life, Nanos, Realm, TOKENS_KEPT, Tokens, access, bearer, jwt, read_refresh, refresh,
    };

    /// A Tuesday.
    const EPOCH: Nanos = Nanos(1_700_000_000_250_000_000);

    fn realm(life: Nanos) -> Realm {
        let terms = Terms { token_life: life, ..Terms::default() };
        let realm = Realm::new(terms, &[7; 32], EPOCH);
        let password = realm.password("a\"@b.c", "secret");
        assert_eq!(realm.accounts.register("a\"@b.c", password), Ok(0));
        realm
    }

    fn token(realm: &Realm, life: Life, now: Nanos) -> String {
        let session = realm.accounts.get(0).unwrap().open();
        let mut token = String::new();
        access(0, session, life, realm, now, &mut token);
        token
    }

    #[test]
    fn a_token_is_good_until_its_exp_and_no_longer() {
        let realm = realm(Nanos::from_millis(1_500));
        let token = token(&realm, Life::Whole, Nanos::ZERO);
        assert_eq!(jwt::expiry(&token), Some(1_700_000_002), "1.75 s later, rounded up");
        let end = Nanos::from_millis(1_750);
        // Known and not known alike.
        let mut known = Tokens::default();
        for now in [Nanos::ZERO, Nanos(end.0 - 1)] {
            for tokens in [&mut known, &mut Tokens::default()] {
                assert!(matches!(tokens.judge(&token, &realm, now), Judged::Good(_)), "{now:?}");
            }
        }
        for tokens in [&mut known, &mut Tokens::default()] {
            assert_eq!(tokens.judge(&token, &realm, end), Judged::Void);
        }
    }

    #[test]
    fn an_early_token_says_what_all_say_and_is_rejected_after_a_tenth() {
        for life in [1_000, 1_500, 10_000, 20_000, 7_500, 900_000] {
            let realm = realm(Nanos::from_millis(life));
            let token = token(&realm, Life::Tenth, Nanos::ZERO);
            let exp = (1_700_000_000_250 + life).div_ceil(1_000);
            assert_eq!(jwt::expiry(&token), Some(exp));
            let mut tokens = Tokens::default();
            let tenth = Nanos::from_millis(life / 10);
            let before = Nanos(tenth.0 - 1);
            assert!(matches!(tokens.judge(&token, &realm, before), Judged::Good(_)));
            // It may be a millisecond longer, where the tenth ends on a whole second.
            let after = tenth + Nanos::from_millis(1);
            assert_eq!(tokens.judge(&token, &realm, after), Judged::Early, "{life}");
        }
    }

    #[test]
    fn a_logout_voids_what_was_made_until_then() {
        let realm = realm(Nanos::from_secs(60));
        let mut tokens = Tokens::default();
        let old = token(&realm, Life::Whole, Nanos::ZERO);
        assert!(matches!(tokens.judge(&old, &realm, Nanos::ZERO), Judged::Good(_)));
        realm.accounts.get(0).unwrap().end();
        let new = token(&realm, Life::Whole, Nanos::ZERO);
        assert_eq!(tokens.judge(&old, &realm, Nanos::ZERO), Judged::Void, "within one instant");
        assert!(matches!(tokens.judge(&new, &realm, Nanos::ZERO), Judged::Good(_)));
    }

    #[test]
    fn what_others_signed_is_void() {
        let ours = realm(Nanos::from_secs(60));
        let theirs = Realm::new(Terms::default(), &[8; 32], EPOCH);
        theirs.accounts.register("a\"@b.c", [0; 32]).unwrap();
        let token = token(&theirs, Life::Whole, Nanos::ZERO);
        let mut tokens = Tokens::default();
        assert_eq!(tokens.judge(&token, &ours, Nanos::ZERO), Judged::Void);
        let mut good = String::new();
        jwt::sign_json("{\"sub\":\"a\",\"exp\":4000000000}", &ours.key, &mut good);
        assert_eq!(tokens.judge(&good, &ours, Nanos::ZERO), Judged::Void, "not by the target");
        assert_eq!(tokens.judge("", &ours, Nanos::ZERO), Judged::Void);
    }

    #[test]
    fn a_token_that_is_known_vouches_for_no_other() {
        let realm = realm(Nanos::from_secs(60));
        let mut tokens = Tokens::default();
        let good = token(&realm, Life::Whole, Nanos::ZERO);
        assert!(matches!(tokens.judge(&good, &realm, Nanos::ZERO), Judged::Good(_)));
        let forged = format!("x{good}");
        assert_eq!(tokens.judge(&forged, &realm, Nanos::ZERO), Judged::Void, "the same end");
    }

    #[test]
    fn the_cache_is_bounded() {
        let realm = realm(Nanos::from_secs(60));
        let mut tokens = Tokens::default();
        for _ in 0..2 * TOKENS_KEPT {
            let token = token(&realm, Life::Whole, Nanos::ZERO);
            assert!(matches!(tokens.judge(&token, &realm, Nanos::ZERO), Judged::Good(_)));
        }
        assert_eq!(tokens.known.len(), TOKENS_KEPT);
    }

    #[test]
    fn refresh_tokens_are_read_back_and_nothing_else_is() {
        let realm = realm(Nanos::from_secs(60));
        let session = realm.accounts.get(0).unwrap().open();
        let mut text = String::new();
        refresh(0, session, &realm, &mut text);
        assert_eq!(read_refresh(&text, &realm), Some((0, session)));
        for at in 0..text.len() {
            let mut other = text.clone();
            other.replace_range(at..=at, if &text[at..=at] == "A" { "B" } else { "A" });
            assert_eq!(read_refresh(&other, &realm), None, "{other}");
        }
        for wrong in ["", "A", &text[1..], &[&text, "A"].concat()] {
            assert_eq!(read_refresh(wrong, &realm), None, "{wrong}");
        }
    }

    #[test]
    fn bearers() {
        assert_eq!(bearer(b"Bearer abc"), Some("abc"));
        assert_eq!(bearer(b"bearer   abc "), Some("abc"));
        for wrong in [&b"Basic abc"[..], b"Bearer", b"", b"Bearer\tabc", b"Bearer \xff"] {
            assert_eq!(bearer(wrong), None);
        }
    }
}
