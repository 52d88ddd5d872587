//! The host that made the load: what one must know to compare two runs.

use std::fs;

use serde::{Deserialize, Serialize};

/// Facts about this host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The distribution.
    pub os: String,
    /// Kernel name and release.
    pub kernel: String,
    /// The processor's model.
    pub cpu: String,
    /// Processors that are online.
    pub cores: u64,
    /// Physical memory.
    pub memory_bytes: u64,
}

impl Host {
    /// Those of this host; what cannot be read is `unknown` or 0.
    #[must_use]
    pub fn read() -> Self {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let uname = rustix::system::uname();
        let kernel =
            format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy());
        Self::parse(
            &text("/etc/os-release"),
            &text("/proc/cpuinfo"),
            &text("/proc/meminfo"),
            kernel,
        )
    }

    /// From the texts of `os-release`, `cpuinfo` and `meminfo`.
    #[must_use]
    pub fn parse(os_release: &str, cpuinfo: &str, meminfo: &str, kernel: String) -> Self {
        let os = value(os_release, "PRETTY_NAME", '=').map(|name| name.trim_matches('"'));
        // Arm kernels give no model name.
        let cpu = value(cpuinfo, "model name", ':').or_else(|| value(cpuinfo, "Hardware", ':'));
        let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
        let memory_kib = value(meminfo, "MemTotal", ':')
            .and_then(|amount| amount.trim_end_matches("kB").trim().parse::<u64>().ok());
        Self {
            os: os.unwrap_or("unknown").into(),
            kernel,
            cpu: cpu.unwrap_or("unknown").into(),
            cores: u64::try_from(cores).unwrap_or(0),
            memory_bytes: memory_kib.unwrap_or(0).saturating_mul(1_024),
        }
    }
}

/// The first `key` of lines such as `key : value`.
fn value<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(separator)?;
        (name.trim() == key).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn reads_the_kernels_tables() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Fast: CPU @ 3 GHz\nprocessor\t: 1\n";
        let host = Host::parse(
            "NAME=Debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n",
            cpuinfo,
            "MemTotal:        2048 kB\nMemFree:  1 kB\n",
            "Linux 6.1".into(),
        );
        assert_eq!(host.os, "Debian GNU/Linux 12");
        assert_eq!(host.cpu, "Fast: CPU @ 3 GHz");
        assert_eq!((host.cores, host.memory_bytes), (2, 2_097_152));
    }

    #[test]
    fn what_is_not_there_is_unknown() {
        let host = Host::parse("", "", "", "Linux".into());
        assert_eq!((host.os.as_str(), host.cpu.as_str(), host.cores), ("unknown", "unknown", 0));
    }
}
