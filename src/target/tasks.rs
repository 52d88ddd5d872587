//! Tasks. None is stored: all that is known of one stands in its id, a UUID of version 8
//! (RFC 9562 section 5.8), so that a closed loop may make millions in constant memory.
//!
//! ```text
//!  36 bits       10        16         20        8       32         (and 6 for version and variant)
//!  made, in ms ‖ server ‖ sequence ‖ account ‖ type ‖ keyed checksum
//! ```
//!
//! Server and sequence keep ids apart that are made within one millisecond. An id that nobody
//! gave out fails the checksum, but for one in four billion.
//!
//! | age, of the task time | status       | progress       |
//! |-----------------------|--------------|----------------|
//! | from 0                | `queued`     | 0              |
//! | from a tenth          | `processing` | 0              |
//! | then evenly           | `processing` | 25, 50, 75     |
//! | from all of it        | `completed`  | 100            |

use super::realm::Realm;
use crate::stdx::Nanos;

/// A task's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskId([u8; 16]);

/// What an id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// When it was made, rounded down to milliseconds.
    pub(super) made: Nanos,
    pub(super) account: u32,
    pub(super) kind: u8,
    /// Which server made it, and the how manieth of that server's it was: modulo 2^10 and 2^16.
    pub(super) server: u16,
    pub(super) sequence: u16,
}

/// How far a task has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) name: &'static str,
    pub(super) progress: u8,
}

const TIME_BITS: u32 = 36;
const SERVER_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 16;
const ACCOUNT_BITS: u32 = 20;
const KIND_BITS: u32 = 8;
const CHECK_BITS: u32 = 32;
const _: () =
    assert!(TIME_BITS + SERVER_BITS + SEQUENCE_BITS + ACCOUNT_BITS + KIND_BITS + CHECK_BITS == 122);

/// Per mille of the task time from which on it is so.
const STEPS: [(u64, Status); 6] = [
    (0, Status { name: "queued", progress: 0 }),
    (100, Status { name: "processing", progress: 0 }),
    (325, Status { name: "processing", progress: 25 }),
    (550, Status { name: "processing", progress: 50 }),
    (775, Status { name: "processing", progress: 75 }),
    (1000, Status { name: "completed", progress: 100 }),
];

impl Task {
    /// The id under which it is known.
    pub(super) fn id(&self, realm: &Realm) -> TaskId {
        let fields = [
            (self.made.0 / 1_000_000, TIME_BITS),
            (u64::from(self.server), SERVER_BITS),
            (u64::from(self.sequence), SEQUENCE_BITS),
            (u64::from(self.account), ACCOUNT_BITS),
            (u64::from(self.kind), KIND_BITS),
        ];
        let push = |bits: u128, (value, width): (u64, u32)| {
            bits << width | u128::from(value) & ((1 << width) - 1)
        };
        let said = fields.into_iter().fold(0, push);
        let bits = said << CHECK_BITS | u128::from(check(said, realm));
        let (high, middle, low) = (bits >> 74, bits >> 62 & 0xfff, bits & ((1 << 62) - 1));
        TaskId((high << 80 | 8 << 76 | middle << 64 | 0b10 << 62 | low).to_be_bytes())
    }

    /// What an id says, if it was given out here.
    pub(super) fn of(id: TaskId, realm: &Realm) -> Option<Self> {
        let uuid = u128::from_be_bytes(id.0);
        if uuid >> 76 & 0xf != 8 || uuid >> 62 & 0b11 != 0b10 {
            return None;
        }
        let (high, middle, low) = (uuid >> 80, uuid >> 64 & 0xfff, uuid & ((1 << 62) - 1));
        let mut bits = high << 74 | middle << 62 | low;
        let mut pop = |width: u32| {
            let value = u64::try_from(bits & ((1 << width) - 1)).unwrap_or(0);
            bits >>= width;
            value
        };
        pop(CHECK_BITS);
        let kind = u8::try_from(pop(KIND_BITS)).ok()?;
        let account = u32::try_from(pop(ACCOUNT_BITS)).ok()?;
        let sequence = u16::try_from(pop(SEQUENCE_BITS)).ok()?;
        let server = u16::try_from(pop(SERVER_BITS)).ok()?;
        let made = Nanos::from_millis(pop(TIME_BITS));
        let task = Self { made, account, kind, server, sequence };
        (task.id(realm) == id).then_some(task)
    }

    /// How far it has come, and when that changes next.
    pub(super) fn status(&self, task_time: Nanos, now: Nanos) -> (Status, Option<Nanos>) {
        let from = |per_mille: u64| {
            // In 128 bits, so that any time fits.
            let part = u128::from(task_time.0) * u128::from(per_mille) / 1000;
            self.made + Nanos(u64::try_from(part).unwrap_or(u64::MAX))
        };
        let [first, later @ ..] = STEPS;
        let mut status = first.1;
        for (per_mille, step) in later {
            if from(per_mille) > now {
                return (status, Some(from(per_mille)));
            }
            status = step;
        }
        (status, None)
    }
}

fn check(said: u128, realm: &Realm) -> u32 {
    let mac = realm.key.mac(&[b"task", &said.to_be_bytes()]);
    u32::from_be_bytes(*mac.first_chunk().unwrap_or(&[0; 4]))
}

/// Where the hyphens of a UUID are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const TEXT_BYTES: usize = 36;

impl TaskId {
    /// Reads a UUID in its usual form, in either case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != TEXT_BYTES {
            return None;
        }
        let mut uuid = 0_u128;
        for (at, byte) in text.iter().enumerate() {
            if HYPHENS.contains(&at) {
                if *byte != b'-' {
                    return None;
                }
                continue;
            }
            uuid = uuid << 4 | u128::from(char::from(*byte).to_digit(16)?);
        }
        Some(Self(uuid.to_be_bytes()))
    }

    /// Appends it in lower case.
    pub(super) fn write(self, out: &mut String) {
        let uuid = u128::from_be_bytes(self.0);
        let mut shift = 128;
        for at in 0..TEXT_BYTES {
            if HYPHENS.contains(&at) {
                out.push('-');
                continue;
            }
            shift -= 4;
            let digit = u32::try_from(uuid >> shift & 0xf).unwrap_or(0);
            out.push(char::from_digit(digit, 16).unwrap_or('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::realm::{Realm, Terms};
    use super::{Nanos, Task, TaskId};

    fn realm() -> Realm {
        Realm::new(Terms::default(), &[7; 32], Nanos::ZERO)
    }

    const TASK: Task = Task {
        made: Nanos::from_millis(0x8_1234_5678),
        account: 0xf_edcb,
        kind: 0x81,
        server: 0x3ff,
        sequence: 0xabcd,
    };

    #[test]
    fn an_id_says_all_and_only_ours_are_believed() {
        let realm = realm();
        let id = TASK.id(&realm);
        assert_eq!(Task::of(id, &realm), Some(TASK));
        let mut text = String::new();
        id.write(&mut text);
        assert_eq!(&text[..9], "81234567-", "made when, first");
        assert_eq!((&text[14..15], text.len()), ("8", 36), "of version 8: {text}");
        assert!("89ab".contains(&text[19..20]), "of the RFC's variant: {text}");
        assert_eq!(TaskId::parse(&text), Some(id));
        assert_eq!(TaskId::parse(&text.to_uppercase()), Some(id));
        let stranger = Realm::new(Terms::default(), &[8; 32], Nanos::ZERO);
        assert_eq!(Task::of(id, &stranger), None);
        for bit in 0..128 {
            let mut other = id;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Task::of(other, &realm), None, "bit {bit}");
        }
    }

    #[test]
    fn what_is_no_uuid_is_no_id() {
        let fine = "81234567-8fff-8abc-8def-0123456789ab";
        assert!(TaskId::parse(fine).is_some());
        for wrong in [
            "",
            "81234567",
            &fine[1..],
            &fine.replace('-', "+"),
            &fine.replace('a', "g"),
            &[fine, "0"].concat(),
            "81234567-8fff-8abc-8def-0123456789é",
        ] {
            assert_eq!(TaskId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_task_goes_through_all_its_states_in_time() {
        let time = Nanos::from_secs(3);
        let task = Task { made: Nanos::from_secs(10), ..TASK };
        let mut now = task.made;
        let mut seen = Vec::new();
        loop {
            let (status, next) = task.status(time, now);
            seen.push((now.since(task.made).as_micros() / 1000, status.name, status.progress));
            let Some(next) = next else { break };
            assert_eq!(task.status(time, Nanos(next.0 - 1)).0, status, "not before {next:?}");
            now = next;
        }
        let expected = [
            (0, "queued", 0),
            (300, "processing", 0),
            (975, "processing", 25),
            (1650, "processing", 50),
            (2325, "processing", 75),
            (3000, "completed", 100),
        ];
        assert_eq!(seen, expected);
        let (status, next) = task.status(Nanos::ZERO, task.made);
        assert_eq!((status.name, next), ("completed", None), "no time at all");
    }
}
