//! The connection against what was said, and against a slow and obvious decoder.

use std::collections::BTreeMap;

use onslaught::protocol::Failure;
use onslaught::protocol::ws::{CloseCode, Role, Settings};
use onslaught::stdx::rng::Rng;

use super::decoder::{Verdict, read};
use super::feed::{Came, End, Outcome, feed};
use super::generate::{conversation, spoil};
use crate::feed::Then;
use crate::generate::cuts;

/// Outcomes in the decoder's words.
impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        let failure = match outcome.end {
            End::Phase(_) => None,
            End::Fault(error) => {
                let code = error.close_code().map_or(CloseCode::ABNORMAL, CloseCode::number);
                Some((error.failure(), code))
            }
        };
        Self { came: outcome.came, failure }
    }
}

const fn role_of(seed: u64) -> Role {
    if seed.is_multiple_of(2) { Role::Client } else { Role::Server }
}

#[test]
fn what_is_said_is_heard() {
    for seed in 0..6_000 {
        let mut rng = Rng::stream(0x6455, seed);
        let role = role_of(seed);
        let (said, stream) = conversation(&mut rng, role);
        let settings = Settings::new(role);
        for pieces in [vec![&stream[..]], cuts(&mut rng, &stream)] {
            let heard = feed(settings, pieces, Then::Waits);
            assert!(heard.came == said, "seed {seed}: {heard:?} instead of {said:?}");
            assert!(matches!(heard.end, End::Phase(_)), "seed {seed}: {:?}", heard.end);
        }
        let obvious = read(role, u64::MAX, &stream);
        assert!(obvious.came == said, "seed {seed}: the decoder itself");
    }
}

#[test]
fn agrees_with_the_obvious_decoder_on_spoilt_streams() {
    let mut seen: BTreeMap<Option<(Failure, u16)>, usize> = BTreeMap::new();
    for seed in 0..20_000 {
        let mut rng = Rng::stream(0x6456, seed);
        let role = role_of(seed);
        let (_, mut stream) = conversation(&mut rng, role);
        spoil(&mut rng, &mut stream);
        let message_bytes_max = [200, 16 << 20, u64::MAX][(seed % 3) as usize];
        let settings = Settings { message_bytes_max, ..Settings::new(role) };
        let expected = read(role, message_bytes_max, &stream);
        for pieces in [vec![&stream[..]], cuts(&mut rng, &stream)] {
            let found = Verdict::from(feed(settings, pieces, Then::Ends));
            let shown = stream.escape_ascii();
            assert!(found == expected, "seed {seed}: {found:?} not {expected:?}: {shown}");
        }
        *seen.entry(expected.failure).or_default() += 1;
    }
    for class in [
        None,
        Some((Failure::Protocol, 1002)),
        Some((Failure::Protocol, 1007)),
        Some((Failure::Limit, 1009)),
        Some((Failure::Truncated, 1006)),
    ] {
        let count = seen.get(&class).copied().unwrap_or_default();
        assert!(count > 100, "only {count} of {class:?}: {seen:?}");
    }
}

#[test]
fn a_close_among_fragments_ends_the_message_unheard() {
    let (close, fragment) = (b"\x88\x02\x03\xe8", b"\x01\x01a");
    let stream = [&fragment[..], &close[..]].concat();
    let found = read(Role::Client, 10, &stream);
    let came = vec![Came::Close(Some(1000), String::new())];
    assert_eq!(found, Verdict { came, failure: None });
    let heard = feed(Settings::new(Role::Client), [&stream[..]], Then::Ends);
    assert_eq!(Verdict::from(heard), found);
}
