//! Where results go, and where they cannot go.

use crate::kit::{Onslaught, Report, TempDir, shards, target};

#[test]
fn a_full_disk_keeps_the_summary_on_the_terminal() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::http(server.url("/health")).line("-c 4 -n 100 -d 10s");
        let run = load.shards(count).without_json().line("--json /dev/full").run().exits([1]);
        assert!(run.stdout.contains("replies"), "no summary{run}");
        run.says(["/dev/full"]);
    });
}

#[test]
fn a_full_standard_output_is_told() {
    let server = target("");
    let load = |line: &str| Onslaught::http(server.url("/health")).line(line).without_json();
    for line in ["-n 10", "-n 10 --json -"] {
        let run = load(line).after("exec >/dev/full").run().exits([1]);
        run.says(["cannot write standard output", "no space left"]);
    }
    let help = Onslaught::command("--help").after("exec >/dev/full").run().exits([1]);
    help.complains_of(["standard output"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let server = target("");
    let pipe = ["bash", "-c", "\"$@\" | true; exit ${PIPESTATUS[0]}", "bash"];
    for line in ["-n 1000", "-n 1000 --json -"] {
        let load = Onslaught::http(server.url("/health")).line(line).without_json();
        let run = load.under(pipe).run().exits([0]);
        assert!(!run.stderr.contains("error"), "{run}");
    }
}

/// Sinks are opened before the run: nobody waits for results that cannot be kept.
#[test]
fn an_output_that_cannot_be_opened_fails_before_the_run() {
    let server = target("");
    let dir = TempDir::new();
    let missing = dir.join("missing").join("summary.json").display().to_string();
    for path in [missing.as_str(), "/proc/summary.json"] {
        let load = Onslaught::http(server.url("/health")).line("-c 4 -d 10s").without_json();
        let run = load.args(["--json", path]).run().exits([1, 2]);
        assert!(run.wall.as_secs() < 5, "the run was run all the same{run}");
        run.says([path]);
    }
    assert_eq!(server.told()["requests"], 0, "something was sent");
}

#[test]
fn a_dash_is_standard_output() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::http(server.url("/health")).line("-c 4 -n 100 -d 10s --json -");
        let run = load.shards(count).without_json().run().exits([0]);
        let report = Report::parse(&run.stdout, run.exit);
        report.assert_clean();
        assert_eq!(report.ok(), 100);
    });
}

/// A temporary file and a rename: what stands under the name is whole, or what was there before.
#[test]
fn a_summary_replaces_an_older_one_and_leaves_nothing_else() {
    let server = target("");
    let dir = TempDir::new();
    let path = dir.write("summary.json", "an older summary");
    let load = Onslaught::http(server.url("/health")).line("-c 4 -n 100 -d 10s").json_at(&path);
    assert_eq!(load.run().exits([0]).report().ok(), 100);
    let entries = std::fs::read_dir(dir.join("")).expect("list the directory").count();
    assert_eq!(entries, 1, "a temporary file was left behind");
}

#[test]
fn a_number_of_operations_is_exact() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::http(server.url("/health")).line("-c 7 -n 1001 -d 30s");
        let run = load.shards(count).run().exits([0]);
        run.report().assert_clean();
        assert_eq!(run.report().ok(), 1001);
        assert_eq!(server.told()["requests"], 1001);
    });
}

#[test]
fn a_body_is_read_from_a_file() {
    let server = target("");
    let dir = TempDir::new();
    let path = dir.write("body", &"x".repeat(1_000));
    let load = Onslaught::http(server.url("/echo")).line("-X post -c 2 -n 10 --body");
    let run = load.args([format!("@{}", path.display())]).run().exits([0]);
    let received = run.report().count("/metrics/data_received/count");
    assert!(received > 10_000, "the bodies did not come back{run}");
}

/// `::ffff:127.0.0.1` is this host, so a core is left to the target there, too.
#[test]
fn a_mapped_loopback_is_local() {
    let server = target("");
    let shards = |host: &str| {
        let load = Onslaught::http(format!("http://{host}:{}/health", server.port));
        load.line("-n 10").run().exits([0]).report().count("/run/shards")
    };
    assert_eq!(shards("[::ffff:127.0.0.1]"), shards("127.0.0.1"));
}

#[test]
fn a_rate_is_kept_exactly() {
    shards([1, 2], |count| {
        let server = target("");
        let load =
            Onslaught::http(server.url("/health")).line("-c 16 -R 500 -d 3s --allow-untrusted");
        let run = load.shards(count).run().exits([0]);
        run.report().assert_clean();
        assert_eq!(run.report().ok(), 1500, "500 a second for 3 seconds{run}");
        let achieved = run.report().number("/run/pacing/achieved_per_s");
        assert!((achieved - 500.0).abs() < 1e-6, "{achieved} a second of 500{run}");
        assert_eq!(server.told()["requests"], 1500);
    });
}
