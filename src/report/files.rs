//! Result files: found writable before the run, whole or absent after it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::build::Report;
use super::jtl::{self, Jtl};
use super::{csv, hgrm, hlog, json, junit};
use crate::metrics::{Record, Trend};

/// Where results go; nowhere by default.
#[derive(Debug, Default)]
pub struct Sinks {
    sinks: Vec<Sink>,
    /// What `scenario.effective.yaml` holds.
    scenario: Option<String>,
}

/// One file that could not be opened or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {cause}; {}", shown(path), remedy(path, cause))]
pub struct SinkError {
    /// As the user wrote it.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

/// The files of a results folder.
const FOLDER: [(&str, Format); 6] = [
    ("summary.json", Format::Summary),
    ("series.csv", Format::Series),
    ("latency.hgrm", Format::Spectrum),
    ("histograms.hlog", Format::Log),
    ("events.ndjson", Format::Events),
    ("junit.xml", Format::Tests),
];

/// The file of a results folder that a run of a scenario has besides.
const SCENARIO: &str = "scenario.effective.yaml";

impl Sinks {
    /// Opens `json` (a file, or `-` for standard output) and all files of `folder`, which is made
    /// if it is not there. A path that cannot be written is told now, not after the run.
    ///
    /// # Errors
    /// The first path that cannot be written.
    pub fn open(
        json: Option<&Path>,
        folder: Option<&Path>,
        scenario: Option<String>,
    ) -> Result<Self, SinkError> {
        let mut sinks = Vec::new();
        if let Some(path) = json {
            sinks.push(Sink::open(path, Format::Summary)?);
        }
        if let Some(folder) = folder {
            fs::create_dir_all(folder)
                .map_err(|cause| SinkError { path: folder.to_owned(), cause })?;
            for (name, format) in FOLDER {
                sinks.push(Sink::open(&folder.join(name), format)?);
            }
            if scenario.is_some() {
                sinks.push(Sink::open(&folder.join(SCENARIO), Format::Scenario)?);
            }
        }
        Ok(Self { sinks, scenario })
    }

    /// Whether standard output belongs to a result, so that the summary has to go elsewhere.
    #[must_use]
    pub fn take_stdout(&self) -> bool {
        self.sinks.iter().any(|sink| matches!(sink.place, Place::Stdout))
    }

    /// Writes every result. One that fails leaves no file behind and does not keep the others.
    #[must_use = "a result that could not be written makes the run fail"]
    pub fn write(self, report: &Report<'_>) -> Vec<SinkError> {
        let scenario = self.scenario.unwrap_or_default();
        let write = |sink: Sink| {
            let Sink { path, format, place } = sink;
            let written = format.render(report, &scenario).and_then(|bytes| place.write(&bytes));
            written.err().map(|cause| SinkError { path, cause })
        };
        self.sinks.into_iter().filter_map(write).collect()
    }
}

/// `requests.jtl` while the run is on: written line by line, and in its place when it is whole.
#[derive(Debug)]
pub struct RequestLog {
    path: PathBuf,
    place: Growing,
    lines: u64,
    /// The first failure; nothing is written after it.
    failed: Option<io::Error>,
    text: Vec<u8>,
}

#[derive(Debug)]
enum Growing {
    Direct(File),
    Beside(Temporary, PathBuf),
}

impl RequestLog {
    /// Opens the file, beside its place if that is a regular file's.
    ///
    /// # Errors
    /// When it cannot be written, or is standard output or error, which have another use.
    pub fn open(path: &Path) -> Result<Self, SinkError> {
        let wrong = |cause| SinkError { path: path.to_owned(), cause };
        let place = match Place::open(path).map_err(wrong)? {
            Place::Stdout | Place::Stderr => {
                let what = "it is written while the run is on, which needs a file of its own";
                return Err(wrong(io::Error::new(ErrorKind::InvalidInput, what)));
            }
            Place::Direct(file) => Growing::Direct(file),
            Place::Beside(target) => {
                Growing::Beside(Temporary::beside(&target).map_err(wrong)?, target)
            }
        };
        let (path, text) = (path.to_owned(), format!("{}\n", jtl::COLUMNS).into_bytes());
        let mut log = Self { path, place, lines: 0, failed: None, text };
        log.flush();
        Ok(log)
    }

    /// Writes the lines of some records.
    pub fn write(&mut self, jtl: &Jtl, records: &[Record]) {
        if self.failed.is_none() {
            self.lines += jtl.lines(records, &mut self.text);
            self.flush();
        }
    }

    fn flush(&mut self) {
        let (Growing::Direct(file) | Growing::Beside(Temporary { file, .. }, _)) = &mut self.place;
        self.failed = file.write_all(&self.text).err();
        self.text.clear();
    }

    /// Puts the file in its place; gives the number of its lines, without the first.
    ///
    /// # Errors
    /// When it could not be written: then it is not there.
    pub fn finish(self) -> Result<u64, SinkError> {
        let Self { path, place, lines, failed, .. } = self;
        let ended = match (failed, place) {
            (Some(cause), _) => Err(cause),
            (None, Growing::Direct(_)) => Ok(()),
            (None, Growing::Beside(temporary, target)) => {
                temporary.file.sync_all().and_then(|()| temporary.rename(&target))
            }
        };
        ended.map(|()| lines).map_err(|cause| SinkError { path, cause })
    }
}

#[derive(Debug)]
struct Sink {
    /// As the user wrote it.
    path: PathBuf,
    format: Format,
    place: Place,
}

impl Sink {
    fn open(path: &Path, format: Format) -> Result<Self, SinkError> {
        let place =
            Place::open(path).map_err(|cause| SinkError { path: path.to_owned(), cause })?;
        Ok(Self { path: path.to_owned(), format, place })
    }
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Summary,
    Series,
    Spectrum,
    Log,
    Events,
    Tests,
    Scenario,
}

impl Format {
    fn render(self, report: &Report<'_>, scenario: &str) -> io::Result<Vec<u8>> {
        match self {
            Self::Summary => json::summary(&report.document),
            Self::Series => csv::series(&report.document),
            Self::Spectrum => hgrm::spectrum(report.load.trend(Trend::Duration)),
            Self::Log => hlog::log(report),
            Self::Events => json::events(&report.document),
            Self::Tests => Ok(junit::suite(&report.document).into_bytes()),
            Self::Scenario => Ok(scenario.as_bytes().to_vec()),
        }
    }
}

/// What stands behind a path.
#[derive(Debug)]
enum Place {
    Stdout,
    Stderr,
    /// A device, a pipe, a socket: nothing that could be renamed over.
    Direct(File),
    /// A regular file, links followed: replaced in one step.
    Beside(PathBuf),
}

impl Place {
    fn open(path: &Path) -> io::Result<Self> {
        // Opened by name they would be other descriptions, with a position of their own.
        match path.to_str() {
            Some("-" | "/dev/stdout") => return Ok(Self::Stdout),
            Some("/dev/stderr") => return Ok(Self::Stderr),
            _ => {}
        }
        let target = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Ok(found) if found.is_file() => {
                // Renaming would replace even a file that may not be written.
                drop(OpenOptions::new().append(true).open(path)?);
                fs::canonicalize(path)?
            }
            Ok(_) => return Ok(Self::Direct(OpenOptions::new().append(true).open(path)?)),
            Err(cause) if cause.kind() == ErrorKind::NotFound => path.to_owned(),
            Err(cause) => return Err(cause),
        };
        // Whether the folder takes files; nothing of it stays through the run.
        drop(Temporary::beside(&target)?);
        Ok(Self::Beside(target))
    }

    fn write(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            // Whoever closes a pipe has read enough.
            Self::Stdout => match to_stream(&mut io::stdout().lock(), bytes) {
                Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(()),
                written => written,
            },
            Self::Stderr => to_stream(&mut io::stderr().lock(), bytes),
            Self::Direct(mut file) => to_stream(&mut file, bytes),
            Self::Beside(target) => {
                let mut temporary = Temporary::beside(&target)?;
                temporary.file.write_all(bytes)?;
                temporary.file.sync_all()?;
                temporary.rename(&target)
            }
        }
    }
}

fn to_stream(stream: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

/// A file that goes away unless it is renamed.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    /// `.NAME.PID.tmp` in the same folder, since a rename does not cross file systems.
    fn beside(target: &Path) -> io::Result<Self> {
        let Some(name) = target.file_name() else { return Err(ErrorKind::IsADirectory.into()) };
        let name = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
        let path = target.with_file_name(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        Ok(Self { path, file })
    }

    fn rename(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _gone = fs::remove_file(&self.path);
    }
}

/// What a path is called.
fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard output".into() } else { path.display().to_string() }
}

/// What to do about it.
fn remedy(path: &Path, cause: &io::Error) -> String {
    match cause.kind() {
        ErrorKind::NotFound => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => {
                format!("create its folder first: mkdir -p {}", folder.display())
            }
            _ => "give the path of a file".into(),
        },
        ErrorKind::PermissionDenied => "choose a path that this user may write".into(),
        ErrorKind::ReadOnlyFilesystem => "choose a path on a file system that is writable".into(),
        ErrorKind::IsADirectory => {
            format!("give the path of a file, such as {}", path.join("summary.json").display())
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "a file stands where a folder is needed: choose another path".into()
        }
        _ if path == Path::new("-") => "redirect it to where there is room".into(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space, or choose a path with room".into()
        }
        ErrorKind::BrokenPipe => "its reader went away before the run had ended".into(),
        _ => "choose another path".into(),
    }
}
