//! Results are whole or absent, and a path that cannot be written is told before the run.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use onslaught::report::Sinks;

use crate::fixture::Fixture;

/// A folder of its own that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("onslaught-report-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _gone = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// The names in it, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the folder");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names = entries.map(|entry| name(entry.expect("an entry"))).collect::<Vec<_>>();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn refusal(path: &Path) -> String {
    Sinks::open(Some(path), None, None).expect_err("cannot be opened").to_string()
}

#[test]
fn a_folder_gets_all_files_and_nothing_else() {
    let folder = Folder::new("all");
    let inner = folder.0.join("a/b");
    let sinks = Sinks::open(None, Some(&inner), None).expect("a folder is made");
    assert!(fs::read_dir(&inner).expect("made").next().is_none(), "nothing during the run");
    assert!(!sinks.take_stdout());
    let failures = sinks.write(&Fixture::mixed().report());
    assert!(failures.is_empty(), "{failures:?}");
    let names = Folder(inner).names();
    assert_eq!(
        names,
        [
            "events.ndjson",
            "histograms.hlog",
            "junit.xml",
            "latency.hgrm",
            "series.csv",
            "summary.json"
        ]
    );
}

#[test]
fn bad_paths_are_told_at_once() {
    let folder = Folder::new("bad");
    let missing = refusal(&folder.0.join("no/such/summary.json"));
    assert!(missing.contains("No such file") && missing.contains("mkdir -p"), "{missing}");
    let directory = refusal(&folder.0);
    assert!(directory.contains("directory") && directory.contains("summary.json"), "{directory}");
    let file = folder.0.join("file");
    fs::write(&file, "old").expect("written");
    let through = refusal(&file.join("summary.json"));
    assert!(through.contains("choose another path"), "{through}");
    let error = Sinks::open(None, Some(&file), None).expect_err("a file is no folder").to_string();
    assert!(error.contains("a file stands where"), "{error}");
    assert_eq!(fs::read_to_string(&file).expect("still there"), "old");
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn a_full_disk_leaves_no_file_and_keeps_the_others() {
    let folder = Folder::new("full");
    let sinks =
        Sinks::open(Some(Path::new("/dev/full")), Some(&folder.0), None).expect("opens well");
    let failures = sinks.write(&Fixture::mixed().report());
    let [failure] = &failures[..] else { panic!("{failures:?}") };
    let text = failure.to_string();
    assert!(text.contains("cannot write /dev/full: No space left"), "{text}");
    assert!(text.contains("free some space"), "{text}");
    assert_eq!(folder.names().len(), 6, "the folder is whole");
}

#[test]
fn a_folder_lost_during_the_run_is_told() {
    let folder = Folder::new("lost");
    let path = folder.0.join("gone/summary.json");
    fs::create_dir(folder.0.join("gone")).expect("made");
    let sinks = Sinks::open(Some(&path), None, None).expect("opens well");
    fs::remove_dir(folder.0.join("gone")).expect("removed");
    let failures = sinks.write(&Fixture::mixed().report());
    assert_eq!(failures.len(), 1);
    assert!(folder.names().is_empty());
}

#[test]
fn links_are_followed_and_old_results_replaced() {
    let folder = Folder::new("link");
    let (real, link) = (folder.0.join("real.json"), folder.0.join("link.json"));
    fs::write(&real, "old").expect("written");
    symlink(&real, &link).expect("linked");
    let sinks = Sinks::open(Some(&link), None, None).expect("opens well");
    assert_eq!(fs::read_to_string(&real).expect("there"), "old", "kept until the end");
    assert!(sinks.write(&Fixture::mixed().report()).is_empty());
    assert!(fs::read_to_string(&real).expect("there").starts_with("{\n  \"schema\": 1,"));
    assert!(link.is_symlink());
    assert_eq!(folder.names(), ["link.json", "real.json"]);
}

#[test]
fn a_file_that_may_not_be_written_is_kept() {
    let folder = Folder::new("kept");
    let path = folder.0.join("summary.json");
    fs::write(&path, "old").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("set");
    // Root may write anything, and is told nothing.
    if let Err(error) = Sinks::open(Some(&path), None, None) {
        assert!(error.to_string().contains("this user may write"), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).expect("there"), "old");
}

#[test]
fn a_dash_is_standard_output() {
    let sinks = Sinks::open(Some(Path::new("-")), None, None).expect("always there");
    assert!(sinks.take_stdout());
    let sinks = Sinks::open(Some(Path::new("/dev/stdout")), None, None).expect("always there");
    assert!(sinks.take_stdout());
}
