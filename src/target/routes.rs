//! The paths of the target.
//!
//! | path                | methods   | reply                                                     |
//! |---------------------|-----------|-----------------------------------------------------------|
//! | `/health`           | GET, HEAD | 200, `{"status":"ok"}`                                    |
//! | `/bytes/N`          | GET, HEAD | 200, N bytes of a known pattern; N up to 64 MiB (`64KiB`) |
//! | `/chunked/N`        | GET, HEAD | the same in chunks of 16 KiB, with a trailer              |
//! | `/delay/DURATION`   | GET, HEAD | as `/health`, so much later; up to 60 s (`500us`, `5ms`)  |
//! | `/status/CODE`      | GET, HEAD | that status, 200 to 599                                   |
//! | `/echo`             | POST      | 200, the body, up to 1 MiB                                |
//! | `/count`            | GET, HEAD | 200, what this target has done; does not count itself     |
//!
//! Anything else is 404, a wrong method 405, a wrong argument 400; all three are served as any
//! other reply is: counted, and subject to lies. A body that came with a request that needs none
//! is read and thrown away.

use super::limits::{BYTES_MAX, DELAY_MAX};
use crate::protocol::http::server::Method;
use crate::stdx::{Nanos, units};

/// Under which path a request is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Path {
    /// `/health`
    Health,
    /// `/bytes/N`
    Bytes,
    /// `/chunked/N`
    Chunked,
    /// `/delay/DURATION`
    Delay,
    /// `/status/CODE`
    Status,
    /// `/echo`
    Echo,
    /// Any path that the target does not have.
    #[default]
    Other,
    /// `/count`, which is never counted.
    Count,
}

impl Path {
    /// All that are counted.
    pub const COUNTED: [Self; 7] = [
        Self::Health,
        Self::Bytes,
        Self::Chunked,
        Self::Delay,
        Self::Status,
        Self::Echo,
        Self::Other,
    ];

    /// As it is called in the counts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "/health",
            Self::Bytes => "/bytes",
            Self::Chunked => "/chunked",
            Self::Delay => "/delay",
            Self::Status => "/status",
            Self::Echo => "/echo",
            Self::Other => "other",
            Self::Count => "/count",
        }
    }

    const fn takes(self, method: Method) -> bool {
        match (self, method) {
            (Self::Echo, Method::Post) | (Self::Other, _) => true,
            (Self::Echo, _) | (_, Method::Post | Method::Other) => false,
            (_, Method::Get | Method::Head) => true,
        }
    }
}

/// What a request is to be answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Route {
    /// The small reply.
    Health,
    /// So many bytes.
    Bytes(u64),
    /// So many bytes in chunks.
    Chunked(u64),
    /// The small reply, so much later.
    Delay(Nanos),
    /// This status.
    Status(u16),
    /// The request's body.
    Echo,
    /// The counts.
    Count,
    /// 404.
    #[default]
    Unknown,
    /// 405.
    WrongMethod,
    /// 400: the path's argument is not one.
    WrongArgument,
}

/// Where a request goes, and under which path it is counted.
pub(super) fn route(method: Method, path: &str) -> (Path, Route) {
    if path == "/health" && method == Method::Get {
        return (Path::Health, Route::Health);
    }
    let (path, argument) = split(path);
    if !path.takes(method) {
        return (path, Route::WrongMethod);
    }
    let size = |text| units::bytes(text).ok().filter(|&size| size <= BYTES_MAX);
    let span = |text| units::duration(text).ok().filter(|&span| span <= DELAY_MAX);
    let code = |text: &str| text.parse().ok().filter(|code| (200..600).contains(code));
    let route = match path {
        Path::Health => Some(Route::Health),
        Path::Bytes => size(argument).map(Route::Bytes),
        Path::Chunked => size(argument).map(Route::Chunked),
        Path::Delay => span(argument).map(Route::Delay),
        Path::Status => code(argument).map(Route::Status),
        Path::Echo => Some(Route::Echo),
        Path::Count => Some(Route::Count),
        Path::Other => Some(Route::Unknown),
    };
    (path, route.unwrap_or(Route::WrongArgument))
}

/// The path, and what stands behind its second slash.
fn split(path: &str) -> (Path, &str) {
    match path {
        "/health" => return (Path::Health, ""),
        "/echo" => return (Path::Echo, ""),
        "/count" => return (Path::Count, ""),
        _ => {}
    }
    let (room, argument) = path.strip_prefix('/').unwrap_or("").split_once('/').unwrap_or(("", ""));
    match room {
        "bytes" => (Path::Bytes, argument),
        "chunked" => (Path::Chunked, argument),
        "delay" => (Path::Delay, argument),
        "status" => (Path::Status, argument),
        _ => (Path::Other, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, Nanos, Path, Route, route};

    #[test]
    fn every_path_and_every_way_to_miss_it() {
        let get = |path| route(Method::Get, path);
        assert_eq!(get("/health"), (Path::Health, Route::Health));
        assert_eq!(get("/bytes/0"), (Path::Bytes, Route::Bytes(0)));
        assert_eq!(get("/bytes/64MiB"), (Path::Bytes, Route::Bytes(64 << 20)));
        assert_eq!(get("/bytes/67108865"), (Path::Bytes, Route::WrongArgument));
        assert_eq!(get("/bytes/"), (Path::Bytes, Route::WrongArgument));
        assert_eq!(get("/bytes"), (Path::Other, Route::Unknown));
        assert_eq!(get("/chunked/3"), (Path::Chunked, Route::Chunked(3)));
        assert_eq!(get("/delay/500us"), (Path::Delay, Route::Delay(Nanos(500_000))));
        assert_eq!(get("/delay/61s"), (Path::Delay, Route::WrongArgument));
        assert_eq!(get("/status/599"), (Path::Status, Route::Status(599)));
        assert_eq!(get("/status/199"), (Path::Status, Route::WrongArgument));
        assert_eq!(get("/status/600"), (Path::Status, Route::WrongArgument));
        assert_eq!(get("/count"), (Path::Count, Route::Count));
        assert_eq!(get("/echo"), (Path::Echo, Route::WrongMethod));
        assert_eq!(get("/healthy"), (Path::Other, Route::Unknown));
        assert_eq!(get("*"), (Path::Other, Route::Unknown));
        assert_eq!(route(Method::Post, "/echo"), (Path::Echo, Route::Echo));
        assert_eq!(route(Method::Post, "/health"), (Path::Health, Route::WrongMethod));
        assert_eq!(route(Method::Head, "/health"), (Path::Health, Route::Health));
        assert_eq!(route(Method::Other, "/nowhere"), (Path::Other, Route::Unknown));
    }
}
