//! From an access log to a scenario: what users ask for, when they come, how long they think.
//!
//! Takes:      the bytes of a log, in pieces of any length.
//! Gives:      [`Fitter`], and of it a [`Fit`]: a model with the figures that speak for it, which
//!             [`scenario`] writes as a scenario and [`explain`] as sentences.
//! Neighbours: stdx, plan(think times).
//! Why so:     a log may be larger than memory: each line is seen once, and what is kept of all of
//!             them is bounded.

pub mod arrivals;
pub mod clients;
pub mod explain;
pub mod kinds;
pub mod limits;
pub mod line;
pub mod render;
pub mod sample;
pub mod template;
pub mod thinking;

pub use arrivals::{Poisson, Stage};
pub use explain::explain;
pub use kinds::Kind;
pub use render::scenario;
pub use thinking::Thinking;

use crate::stdx::Nanos;
use arrivals::Arrivals;
use clients::Clients;
use kinds::Kinds;
use line::{Line, Unreadable};

/// What a log says.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Lines that were read.
    pub lines: u64,
    /// Lines that could not be, empty ones left out.
    pub unreadable: u64,
    /// The first of those: their numbers from 1, and why.
    pub examples: Vec<(u64, Unreadable)>,
    /// The most frequent requests, the most frequent first.
    pub kinds: Vec<Kind>,
    /// Requests that are none of these.
    pub rest: u64,
    /// From the first arrival to the last.
    pub span: Nanos,
    /// Arrivals a second, over all of it.
    pub rate: f64,
    /// The rate as it changed, in order.
    pub stages: Vec<Stage>,
    /// Whether arrivals within a minute are as independent users come; none if there are too few,
    /// or their times are whole seconds.
    pub poisson: Option<Poisson>,
    /// How long users think between two requests; none if there are too few pauses.
    pub thinking: Option<Thinking>,
    /// Users who were there at once on average, by Little's law: the rate times the time from one
    /// request of a user to the next.
    pub at_once: Option<f64>,
    /// Clients that were told apart by address and agent.
    pub clients: u64,
    /// Clients that were left out of the think times, because too many were there at once.
    pub crowded: u64,
    /// Requests that began before the one before had ended: no pause of a user's.
    pub overlapping: u64,
    /// Whether times are in milliseconds or finer.
    pub is_fine: bool,
    /// Whether lines say how long requests took.
    pub has_durations: bool,
}

/// Reads a log and keeps what a model needs.
#[derive(Debug, Default)]
pub struct Fitter {
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Whether the present line is too long, and its rest is skipped.
    overlong: bool,
    number: u64,
    lines: u64,
    unreadable: u64,
    examples: Vec<(u64, Unreadable)>,
    kinds: Kinds,
    arrivals: Arrivals,
    clients: Clients,
    fine: u64,
    timed: u64,
}

impl Fitter {
    /// One that has read nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next bytes of the log.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.partial.is_empty() && !self.overlong {
                self.line(line);
            } else {
                self.keep(line);
                self.end_line();
            }
            bytes = rest;
        }
        self.keep(bytes);
    }

    /// The model of what was read.
    ///
    /// # Errors
    /// With the first lines and why they could not be read, if none could be.
    pub fn finish(mut self) -> Result<Fit, Vec<(u64, Unreadable)>> {
        if !self.partial.is_empty() || self.overlong {
            self.end_line();
        }
        if self.lines == 0 {
            return Err(self.examples);
        }
        let is_fine = self.fine * 2 > self.lines;
        let thinking = self.clients.thinking();
        let (span, rate) = (self.arrivals.span(), self.arrivals.rate());
        let (kinds, rest) = self.kinds.most_frequent();
        Ok(Fit {
            lines: self.lines,
            unreadable: self.unreadable,
            examples: self.examples,
            kinds,
            rest,
            span,
            rate,
            stages: self.arrivals.stages(),
            poisson: self.arrivals.poisson().filter(|_| is_fine),
            at_once: self.clients.mean_cycle().map(|cycle| rate * cycle),
            thinking,
            clients: self.clients.seen(),
            crowded: self.clients.crowded(),
            overlapping: self.clients.overlapping(),
            is_fine,
            has_durations: self.timed * 2 > self.lines,
        })
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.overlong || self.partial.len() + bytes.len() > limits::LINE_BYTES {
            self.overlong = true;
            self.partial.clear();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.overlong) {
            self.number += 1;
            self.refuse(Unreadable::TooLong);
        } else {
            self.line(&line);
        }
    }

    fn line(&mut self, bytes: &[u8]) {
        self.number += 1;
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return;
        }
        if bytes.len() > limits::LINE_BYTES {
            return self.refuse(Unreadable::TooLong);
        }
        match Line::parse(bytes) {
            Ok(line) => self.take(&line),
            Err(why) => self.refuse(why),
        }
    }

    fn refuse(&mut self, why: Unreadable) {
        self.unreadable += 1;
        if self.examples.len() < limits::EXAMPLES {
            self.examples.push((self.number, why));
        }
    }

    fn take(&mut self, line: &Line<'_>) {
        self.lines += 1;
        self.fine += u64::from(line.is_fine);
        self.timed += u64::from(line.took.is_some());
        self.kinds.add(line.method, line.path, line.status);
        self.arrivals.add(line.begun(), line.is_fine);
        self.clients.add(line.client, line.begun(), line.ended());
    }
}

#[cfg(test)]
mod tests {
    use super::{Fit, Fitter, explain, scenario};
    use crate::plan::{Instruction, Options, Plan, Think, Times, compile};
    use crate::scenario::{Ink, Source, read};
    use crate::session::{Act, Session};
    use crate::stdx::Nanos;
    use crate::stdx::rng::Rng;
    use crate::stdx::stats::{chance, distance_between};

    const TOOK: Nanos = Nanos::from_millis(40);
    const MEDIAN: Nanos = Nanos::from_secs(2);
    const SIGMA: f64 = 0.8;

    fn unit(rng: &mut Rng) -> f64 {
        (f64::from(u32::try_from(rng.below(1 << 32)).unwrap()) + 0.5) / 4_294_967_296.0
    }

    /// A line of nginx: written when the request has ended, to the millisecond.
    fn line(client: u64, ended: Nanos, request: &str) -> String {
        let millis = ended.0 / 1_000_000;
        let (secs, part) = (millis / 1_000, millis % 1_000);
        format!(
            "10.0.{}.{} - - [14/Nov/2023:22:13:20 +0000] \"{request} HTTP/1.1\" 200 5 \"-\" \
             \"agent\" {secs}.{part:03} 0.040\n",
            client / 250,
            client % 250
        )
    }

    /// Visitors who come at random, two a second for 10 min; each asks 11 times and thinks
    /// between. The log, and the pauses in it.
    fn visits(seed: u64) -> (String, Vec<f64>) {
        let mut rng = Rng::stream(seed, 0);
        let think = Times::Lognormal { median: MEDIAN, sigma: SIGMA };
        let think = Think { times: think, most: Nanos::from_secs(1_700) };
        let (mut lines, mut pauses) = (Vec::new(), Vec::new());
        let mut come = 1_700_000_000.0;
        for client in 0..1_200 {
            come -= unit(&mut rng).ln() / 2.0;
            let mut at = Nanos::from(std::time::Duration::from_secs_f64(come));
            for turn in 0..11 {
                let request = format!("GET /items/{}", 100 + rng.below(50));
                let request = if turn == 10 { "POST /orders" } else { &request };
                lines.push((at + TOOK, line(client, at + TOOK, request)));
                let pause = think.draw(|bound| rng.below(bound));
                if turn < 10 {
                    pauses.push(pause.as_secs_f64());
                }
                at = at + TOOK + pause;
            }
        }
        lines.sort();
        (lines.into_iter().map(|(_, line)| line).collect(), pauses)
    }

    fn fitted(log: &str) -> Fit {
        let mut fitter = Fitter::new();
        // In pieces that end anywhere.
        log.as_bytes().chunks(7_001).for_each(|piece| fitter.feed(piece));
        fitter.finish().unwrap()
    }

    #[track_caller]
    fn planned(text: &str, profile: Option<&str>) -> Plan {
        let source = Source { name: "fitted.yaml", text };
        let show = |problems: crate::scenario::Diagnostics| problems.render(&source, Ink::Plain);
        let scenario = read(&source, &|_| None, profile).map_err(show);
        let scenario = scenario.unwrap_or_else(|shown| panic!("{shown}\n{text}"));
        let compiled = compile(&scenario, &Options::default()).map_err(show);
        compiled.unwrap_or_else(|shown| panic!("{shown}\n{text}")).plan
    }

    /// What a session of a plan's only workload thinks.
    fn drawn(plan: &Plan, count: usize) -> Vec<f64> {
        let program = &plan.only().program;
        let mut session = Session::new(9);
        let acts = std::iter::repeat_with(|| session.next(program, 77, &mut |_| true));
        let thinks = acts.filter_map(|act| match act {
            Act::Think(span) => Some(span.as_secs_f64()),
            _ => None,
        });
        thinks.take(count).collect()
    }

    #[test]
    fn a_known_model_is_found_again_and_drawn_alike() {
        let (log, mut pauses) = visits(4);
        let fit = fitted(&log);
        assert_eq!((fit.lines, fit.unreadable, fit.clients), (13_200, 0, 1_200));
        assert!(fit.is_fine && fit.has_durations && fit.overlapping == 0);
        let thinking = fit.thinking.as_ref().unwrap();
        let Times::Lognormal { median, sigma } = thinking.think.times else { panic!("{fit:?}") };
        // 12 000 pauses: the logarithms' mean has a deviation of 0.8 / 110 = 0.0073, sigma of
        // 0.0052; four of them.
        assert!((median.as_secs_f64() / 2.0).ln().abs() < 0.03, "{median}");
        assert!((sigma - SIGMA).abs() < 0.021, "{sigma}");
        assert!(thinking.chance > 0.01, "{thinking:?}");
        // Little's law: the rate times the mean pause, 2 s * exp(0.32), and the request itself.
        let users = fit.rate * (2.0 * f64::exp(0.32) + 0.04);
        assert!((fit.at_once.unwrap() / users - 1.0).abs() < 0.03, "{fit:?}");

        // The curve has stages that can be read, over the whole log.
        let text = scenario(&fit);
        let source = Source { name: "fitted.yaml", text: &text };
        let curve = read(&source, &|_| None, Some("curve")).unwrap();
        let load = curve.workloads[0].value.load.as_ref().unwrap();
        let crate::scenario::Shape::Stages(stages) = &load.shape else { panic!("{text}") };
        assert_eq!(stages.len(), fit.stages.len());
        let whole: u64 = fit.stages.iter().map(|stage| stage.span.0).sum();
        assert!(whole.abs_diff(fit.span.0) < 1_000_000_000, "{whole}");

        // From the scenario's text, through plan and session, back to pauses.
        let plan = planned(&scenario(&fit), Some("users"));
        let mut drawn = drawn(&plan, 12_000);
        drawn.sort_by(f64::total_cmp);
        pauses.sort_by(f64::total_cmp);
        let far = distance_between(&drawn, &pauses);
        assert!(chance(6_000.0, far) > 0.01, "{far}");
        let sessions = f64::from(plan.only().sessions);
        assert!((sessions - fit.at_once.unwrap()).abs() <= 0.5, "{sessions}");
    }

    #[test]
    fn a_known_rate_of_independent_users_is_found_again() {
        let mut rng = Rng::stream(8, 8);
        let mut at = 1_700_000_000.0;
        let mut log = String::new();
        for client in 0..15_000 {
            at -= unit(&mut rng).ln() / 25.0;
            let ended = Nanos::from(std::time::Duration::from_secs_f64(at));
            log += &line(client, ended, "GET /");
        }
        let fit = fitted(&log);
        // 15 000 arrivals: a deviation of 25 / sqrt(15 000) = 0.2.
        assert!((fit.rate - 25.0).abs() < 0.82, "{}", fit.rate);
        assert_eq!(fit.stages.len(), 1, "{:?}", fit.stages);
        assert!(fit.poisson.unwrap().chance > 0.01, "{:?}", fit.poisson);
        assert_eq!((fit.thinking.is_none(), fit.at_once), (true, None));
        let plan = planned(&scenario(&fit), None);
        assert!(plan.only().program.as_mix().is_some());
    }

    #[test]
    fn a_scenario_says_what_is_written_and_what_is_left_out() {
        let request = |line: &str| format!("10.0.0.1 - - [1700000000.5] \"{line}\" 200 1\n");
        let mut log = String::new();
        for (count, each) in [
            (40, "GET /a/$x{y}'#?q=\\\"1 HTTP/1.1"),
            (30, "GET /orders/17/items/4 HTTP/1.1"),
            (20, "DELETE /orders/17 HTTP/1.1"),
            (10, "HEAD /u/3f2a9c01-11aa-4bcd-8eef-001122334455/x HTTP/1.1"),
        ] {
            log += &request(each).repeat(count);
        }
        log += "nonsense\n\n";
        log += &"x".repeat(70_000);
        let fit = fitted(&log);
        let lines: Vec<u64> = fit.examples.iter().map(|(line, _)| *line).collect();
        assert_eq!((fit.lines, fit.unreadable, lines), (100, 2, vec![101, 103]));
        let text = scenario(&fit);
        let plan = planned(&text, None);
        let names: Vec<&str> = plan.leaves.iter().map(|leaf| leaf.name.as_str()).collect();
        let expected = ["GET /a/$x{y}'", "GET /orders/{id}/items/{id}", "HEAD /u/{id}/x"];
        for name in expected {
            assert!(names.contains(&name), "{names:?}\n{text}");
        }
        for said in [
            "# - {weight: 2000, delete: \"/orders/{id}\"",
            "line 101: ",
            "queries left out",
            "# The rate is that of all",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        assert!(explain(&fit).contains("times are whole seconds") != fit.is_fine);
    }

    #[test]
    fn what_writes_alone_leaves_a_scenario_that_is_valid() {
        let fit = fitted("1.2.3.4 - - [1700000000] \"POST /a HTTP/1.1\" 200 1\n");
        let plan = planned(&scenario(&fit), None);
        assert_eq!(plan.requests.len(), 1);
        assert!(!fit.is_fine && fit.poisson.is_none());
        let nothing = Fitter::new().finish();
        assert_eq!(nothing, Err(Vec::new()));
    }

    /// Bytes changed, lost and doubled anywhere: nothing panics, every line is counted once, and
    /// what is made of it is a scenario.
    #[test]
    fn mutilated_logs_are_counted_and_still_give_scenarios() {
        let (log, _) = visits(6);
        let log = &log.as_bytes()[..20_000];
        let mut rng = Rng::stream(99, 0);
        for round in 0..300 {
            let mut bytes = log.to_vec();
            for _ in 0..1 + rng.below(40) {
                let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
                match rng.below(4) {
                    0 => bytes[at] = u8::try_from(rng.below(256)).unwrap(),
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b"\"[].:/$ -\n"[usize::try_from(rng.below(10)).unwrap()]),
                    _ => bytes.truncate(at.max(1_000)),
                }
            }
            let mut fitter = Fitter::new();
            bytes.chunks(1 + round * 7).for_each(|piece| fitter.feed(piece));
            let fit = fitter.finish().unwrap();
            let full = bytes.split(|byte| *byte == b'\n');
            let full = full.filter(|line| !line.trim_ascii().is_empty()).count();
            assert_eq!(fit.lines + fit.unreadable, full as u64);
            let text = scenario(&fit);
            planned(&text, None);
            if fit.thinking.is_some() {
                let plan = planned(&text, Some("users"));
                let thinks = |each: &Instruction| matches!(each, Instruction::Think(_));
                assert!(plan.only().program.instructions.iter().any(thinks));
            }
        }
    }
}
