//! The exchange against a slow and obvious reader of whole conversations, on generated replies.

use onslaught::protocol::Failure;
use onslaught::protocol::http::ReplyTo;
use onslaught::stdx::rng::Rng;

use crate::feed::{Outcome, Then, feed};
use crate::generate::{cuts, reply};
use crate::reader::{Verdict, read};

#[test]
fn agrees_with_the_obvious_reader() {
    let mut seen = Vec::new();
    for seed in 0..30_000 {
        let mut rng = Rng::stream(0x0511, seed);
        let reply_to = if rng.below(8) == 0 { ReplyTo::Head } else { ReplyTo::Other };
        let then = if rng.below(3) == 0 { Then::Waits } else { Then::Ends };
        let stream = reply(&mut rng);
        let expected = read(reply_to, &stream, then);
        let shown = stream.escape_ascii();
        let whole = Verdict::from(feed(reply_to, [&stream[..]], then));
        assert_eq!(whole, expected, "seed {seed}: {shown}");
        let split = Verdict::from(feed(reply_to, cuts(&mut rng, &stream), then));
        assert_eq!(split, expected, "seed {seed}, in pieces: {shown}");
        seen.push(expected);
    }
    for class in [Failure::Protocol, Failure::Truncated, Failure::Desync, Failure::Limit] {
        let count = seen.iter().filter(|verdict| **verdict == Verdict::Fails(class)).count();
        assert!(count > 30, "only {count} of class {}", class.key());
    }
    let replies = seen.iter().filter(|verdict| matches!(verdict, Verdict::Reply(_))).count();
    assert!(replies > 5_000, "only {replies} replies");
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Reply(reply) => Self::Reply(reply),
            Outcome::Fault(error) => Self::Fails(error.failure()),
            Outcome::Awaiting(phase) => Self::Awaits(phase),
        }
    }
}
