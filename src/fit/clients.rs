//! Who asks, and how long each of them waits before asking again.

use std::collections::BTreeMap;

use super::limits::{CLIENTS, FEW, SESSION};
use super::sample::Sample;
use super::thinking::Thinking;
use crate::stdx::Nanos;

/// How often those who have left are looked for, when there is no room.
const SWEEP: Nanos = Nanos::from_secs(60);

/// Clients who are there, and their pauses.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    /// The beginning and the end of the last request of each.
    last: BTreeMap<u64, (Nanos, Nanos)>,
    pauses: Sample,
    /// From one beginning to the next: their sum in seconds, and how many.
    cycles: (f64, u32),
    /// When those who had left were last forgotten.
    swept: Nanos,
    seen: u64,
    crowded: u64,
    overlapping: u64,
}

impl Clients {
    /// A request of a client.
    pub fn add(&mut self, client: u64, begun: Nanos, ended: Nanos) {
        let Some((before, until)) = self.last.get(&client).copied() else {
            return self.come(client, begun, ended);
        };
        self.last.insert(client, (begun.max(before), ended.max(until)));
        if begun <= until {
            self.overlapping += 1;
            return;
        }
        let pause = begun.since(until);
        if pause < SESSION {
            self.pauses.add(pause.as_secs_f64());
            self.cycles.0 += begun.since(before).as_secs_f64();
            self.cycles.1 = self.cycles.1.saturating_add(1);
        }
    }

    fn come(&mut self, client: u64, begun: Nanos, ended: Nanos) {
        self.seen += 1;
        if self.last.len() >= CLIENTS {
            // Who left long ago makes room; that looks at all of them, and so seldom.
            if begun.since(self.swept) >= SWEEP {
                self.swept = begun;
                self.last.retain(|_, (_, until)| begun.since(*until) < SESSION);
            }
            if self.last.len() >= CLIENTS {
                self.crowded += 1;
                return;
            }
        }
        self.last.insert(client, (begun, ended));
    }

    /// How long they think, if enough pauses tell.
    #[must_use]
    pub fn thinking(&self) -> Option<Thinking> {
        Thinking::fit(&self.pauses.sorted(), self.pauses.seen())
    }

    /// From the beginning of a request to that of the user's next one, in seconds.
    #[must_use]
    pub fn mean_cycle(&self) -> Option<f64> {
        let (sum, count) = self.cycles;
        (count as usize >= FEW).then(|| sum / f64::from(count))
    }

    /// Clients that came; who was forgotten and came back counts again.
    #[must_use]
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Requests of clients for whom there was no room.
    #[must_use]
    pub const fn crowded(&self) -> u64 {
        self.crowded
    }

    /// Requests that began before the client's last one had ended.
    #[must_use]
    pub const fn overlapping(&self) -> u64 {
        self.overlapping
    }
}

#[cfg(test)]
mod tests {
    use super::{CLIENTS, Clients, Nanos};

    #[test]
    fn pauses_lie_between_the_requests_of_a_visit() {
        let mut clients = Clients::default();
        let mut at = Nanos::from_secs(1_000);
        for _ in 0..101 {
            for client in [1, 2] {
                clients.add(client, at, at + Nanos::from_secs(1));
            }
            // At the same time as another of its own: no pause.
            clients.add(1, at, at);
            at += Nanos::from_secs(4);
        }
        // An hour later it is another visit.
        clients.add(1, at + Nanos::from_secs(3_600), at + Nanos::from_secs(3_600));
        let thinking = clients.thinking().unwrap();
        assert_eq!(thinking.pauses, 200);
        assert!((thinking.think.mean().as_secs_f64() - 3.0).abs() < 0.01, "{thinking:?}");
        assert!((clients.mean_cycle().unwrap() - 4.0).abs() < 1e-9);
        assert_eq!((clients.seen(), clients.overlapping(), clients.crowded()), (2, 101, 0));
    }

    #[test]
    fn a_crowd_is_bounded_and_those_who_left_make_room() {
        let mut clients = Clients::default();
        let come = |clients: &mut Clients, from: u64, count: u64, at: Nanos| {
            (from..from + count).for_each(|client| clients.add(client, at, at));
        };
        let all = CLIENTS as u64;
        come(&mut clients, 0, all + 10, Nanos::from_secs(10_000));
        assert_eq!((clients.last.len(), clients.crowded()), (CLIENTS, 10));
        clients.crowded = 0;
        come(&mut clients, all + 10, 5, Nanos::from_secs(20_000));
        assert_eq!((clients.last.len(), clients.crowded()), (5, 0));
    }
}
