//! The binary against real servers, liars and hostile surroundings; every test with one shard
//! and with two.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test says which case it was at; shown when it fails")]

mod kit;

mod integration {
    /// What cannot be run is refused with its cause, before anything is sent.
    mod bad_input;
    /// Scenarios against targets that are not what they should be.
    mod bad_targets;
    /// Scenario files: fine, wrong, unreadable.
    mod check;
    /// Keys and signals that change a running load.
    mod control;
    /// The two commands of a newcomer.
    mod demo;
    /// The table of faults, row by row: alone, and beside others that are well.
    mod faults;
    /// From an access log to a scenario.
    mod fit;
    /// Tokens that expire, are renewed, are refused: against the gateway on Node.
    mod gateway;
    /// Groups of users, and users who are registered under load.
    mod groups;
    /// Interrupted at random moments.
    mod interrupts;
    /// Malformed, endless and missing replies, each with its class.
    mod liar;
    /// Stages, sequences, kinds of arrivals: against sums of the test's own.
    mod load_models;
    /// The embedded target lies on purpose; the report finds exactly those.
    mod misbehave;
    /// nginx: counts equal to its own log, killed and restarted.
    mod nginx;
    /// Measured, beside what the target logged of it.
    mod oracles;
    /// Where results go, and where they cannot go.
    mod outputs;
    /// A host that cannot run the load says so in one line.
    mod preflight;
    /// Only loopback and private addresses are loaded unasked.
    mod safety;
    /// Scenario files run: journeys, checks, thresholds.
    mod scenario_run;
    /// The servers of Node and Python.
    mod scripts;
    /// Searches for a capacity, and loads that follow what the target bears.
    mod search;
    /// What is secret stays so.
    mod secrets;
    /// The kit's own servers, by clients that are not ours.
    mod servers;
    /// Interrupted runs.
    mod signals;
    /// Full speed for a minute: memory stays where it is.
    mod soak;
    /// A target that stands still for a second, and what that must look like.
    mod stall;
    /// A generator that gets no core.
    mod starved;
    /// What a summary must keep to, whoever reads it.
    mod summaries;
    /// The embedded target as another WebSocket client finds it.
    mod target;
    /// The combined test: users, a mix of requests and status connections at once.
    mod taskforge;
    /// Whether the generator knows when it was itself the bottleneck.
    mod trust;
    /// One user among several fares otherwise, and is named.
    mod users;
    /// A warm-up that the load itself ends.
    mod warmup;
    /// WebSocket loads against the servers of others and our own.
    mod websocket;
}
