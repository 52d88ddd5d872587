//! The paths of the target.
//!
//! | path                | methods   | reply                                                     |
//! |---------------------|-----------|-----------------------------------------------------------|
//! | `/health`           | GET, HEAD | 200, `{"status":"ok"}`                                    |
//! | `/bytes/N`          | GET, HEAD | 200, N bytes of a known pattern; N up to 64 MiB (`64KiB`) |
//! | `/chunked/N`        | GET, HEAD | the same in chunks of 16 KiB, with a trailer              |
//! | `/delay/DURATION`   | GET, HEAD | as `/health`, so much later; up to 60 s (`500us`, `5ms`)  |
//! | `/queue/MEAN`       | GET, HEAD | as `/health`, after those before it: see below            |
//! | `/status/CODE`      | GET, HEAD | that status, 200 to 599                                   |
//! | `/echo`             | POST      | 200, the body, up to 1 MiB                                |
//! | `/echo`, upgrade    | GET       | 101, a WebSocket that gives every message back            |
//! | `/auth/…`           | POST      | accounts: see [`super::desk`]                             |
//! | `/tasks`            | POST      | a new task: see [`super::desk`]                           |
//! | `/tasks/{id}`       | GET, HEAD | how far it has come                                       |
//! | `/ws?token=…`       | GET       | 101, the status of tasks: see `connection/gateway.rs`     |
//! | `/metrics`          | GET, HEAD | 200, the counts for Prometheus                            |
//! | `/count`            | GET, HEAD | 200, what this target has done; does not count itself     |
//!
//! `/queue` is a counter with one clerk: the i-th request is answered at D(i) = max(A(i), D(i−1)) +
//! S(i) (Lindley, 1952), A the arrival and S drawn from the exponential distribution of that mean,
//! by the seed of the target. Each core has a clerk of its own; a lie of `delay` comes on top.
//!
//! Anything else is 404, a wrong method 405, a wrong argument 400, no upgrade where one is needed
//! 426; all are served as any other reply is: counted, and subject to lies. A body that came with a
//! request that needs none is read and thrown away.

use super::limits::{BYTES_MAX, DELAY_MAX, QUEUE_MEAN_MAX};
use crate::protocol::http::server::{Method, Request};
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
    /// `/queue/MEAN`
    Queue,
    /// `/status/CODE`
    Status,
    /// `/echo`
    Echo,
    /// `/auth/register`
    Register,
    /// `/auth/login`
    Login,
    /// `/auth/refresh`
    Refresh,
    /// `/auth/logout`
    Logout,
    /// `/tasks`
    Tasks,
    /// `/tasks/{id}`
    Task,
    /// `/ws`
    Ws,
    /// `/metrics`
    Metrics,
    /// Any path that the target does not have.
    #[default]
    Other,
    /// `/count`, which is never counted.
    Count,
}

impl Path {
    /// All that are counted.
    pub const COUNTED: [Self; 16] = [
        Self::Health,
        Self::Bytes,
        Self::Chunked,
        Self::Delay,
        Self::Queue,
        Self::Status,
        Self::Echo,
        Self::Register,
        Self::Login,
        Self::Refresh,
        Self::Logout,
        Self::Tasks,
        Self::Task,
        Self::Ws,
        Self::Metrics,
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
            Self::Queue => "/queue",
            Self::Status => "/status",
            Self::Echo => "/echo",
            Self::Register => "/auth/register",
            Self::Login => "/auth/login",
            Self::Refresh => "/auth/refresh",
            Self::Logout => "/auth/logout",
            Self::Tasks => "/tasks",
            Self::Task => "/tasks/{id}",
            Self::Ws => "/ws",
            Self::Metrics => "/metrics",
            Self::Other => "other",
            Self::Count => "/count",
        }
    }

    /// The methods that it takes (RFC 9110 section 10.2.1); none where any will do.
    pub(super) const fn methods(self) -> Option<&'static str> {
        match self {
            Self::Echo
            | Self::Register
            | Self::Login
            | Self::Refresh
            | Self::Logout
            | Self::Tasks => Some("POST"),
            Self::Ws => Some("GET"),
            Self::Health
            | Self::Bytes
            | Self::Chunked
            | Self::Delay
            | Self::Queue
            | Self::Status
            | Self::Task
            | Self::Metrics
            | Self::Count => Some("GET, HEAD"),
            Self::Other => None,
        }
    }

    fn takes(self, method: Method) -> bool {
        self.methods().is_none_or(|methods| match method {
            Method::Get => methods.starts_with("GET"),
            Method::Head => methods.ends_with("HEAD"),
            Method::Post => methods == "POST",
            Method::Other => false,
        })
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
    /// The small reply, after those before it and a time of this mean.
    Queue(Nanos),
    /// This status.
    Status(u16),
    /// The request's body.
    Echo,
    /// The counts.
    Count,
    /// The counts for Prometheus.
    Metrics,
    /// A new account.
    Register,
    /// Tokens for a password.
    Login,
    /// Tokens for a refresh token.
    Refresh,
    /// An end to all tokens.
    Logout,
    /// A new task.
    CreateTask,
    /// How far a task has come.
    Task,
    /// A WebSocket that tells how far tasks have come.
    Gateway,
    /// A WebSocket that gives back what it gets.
    EchoSocket,
    /// 404.
    #[default]
    Unknown,
    /// 405.
    WrongMethod,
    /// 400: the path's argument is not one.
    WrongArgument,
}

impl Route {
    /// Whether the request's body is kept.
    pub(super) const fn takes_body(self) -> bool {
        matches!(self, Self::Echo | Self::Register | Self::Login | Self::Refresh | Self::CreateTask)
    }

    /// Whether it is answered at the desk of accounts and tasks.
    pub(super) const fn is_for_desk(self) -> bool {
        let auth = matches!(self, Self::Register | Self::Login | Self::Refresh | Self::Logout);
        auth || matches!(self, Self::CreateTask | Self::Task)
    }

    /// Whether the head says more that is needed: who asks, or for which task.
    pub(super) const fn needs_admission(self) -> bool {
        matches!(self, Self::Logout | Self::CreateTask | Self::Task)
    }

    pub(super) const fn is_socket(self) -> bool {
        matches!(self, Self::Gateway | Self::EchoSocket)
    }
}

/// Where a request goes, and under which path it is counted.
pub(super) fn route(request: &Request<'_>) -> (Path, Route) {
    let Request { method, path, upgrade, .. } = *request;
    if path == "/health" && method == Method::Get {
        return (Path::Health, Route::Health);
    }
    let (path, argument) = split(path);
    if path == Path::Echo && method == Method::Get && upgrade {
        return (path, Route::EchoSocket);
    }
    if !path.takes(method) {
        return (path, Route::WrongMethod);
    }
    let size = |text| units::bytes(text).ok().filter(|&size| size <= BYTES_MAX);
    let span = |text| units::duration(text).ok().filter(|&span| span <= DELAY_MAX);
    let mean = |text| span(text).filter(|&mean| mean <= QUEUE_MEAN_MAX);
    let code = |text: &str| text.parse().ok().filter(|code| (200..600).contains(code));
    let route = match path {
        Path::Health => Some(Route::Health),
        Path::Bytes => size(argument).map(Route::Bytes),
        Path::Chunked => size(argument).map(Route::Chunked),
        Path::Delay => span(argument).map(Route::Delay),
        Path::Queue => mean(argument).map(Route::Queue),
        Path::Status => code(argument).map(Route::Status),
        Path::Echo => Some(Route::Echo),
        Path::Count => Some(Route::Count),
        Path::Register => Some(Route::Register),
        Path::Login => Some(Route::Login),
        Path::Refresh => Some(Route::Refresh),
        Path::Logout => Some(Route::Logout),
        Path::Tasks => Some(Route::CreateTask),
        Path::Task => Some(Route::Task),
        Path::Ws => Some(Route::Gateway),
        Path::Metrics => Some(Route::Metrics),
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
        "/tasks" => return (Path::Tasks, ""),
        "/ws" => return (Path::Ws, ""),
        "/metrics" => return (Path::Metrics, ""),
        "/auth/register" => return (Path::Register, ""),
        "/auth/login" => return (Path::Login, ""),
        "/auth/refresh" => return (Path::Refresh, ""),
        "/auth/logout" => return (Path::Logout, ""),
        _ => {}
    }
    let (room, argument) = path.strip_prefix('/').unwrap_or("").split_once('/').unwrap_or(("", ""));
    match room {
        "bytes" => (Path::Bytes, argument),
        "chunked" => (Path::Chunked, argument),
        "delay" => (Path::Delay, argument),
        "queue" => (Path::Queue, argument),
        "status" => (Path::Status, argument),
        "tasks" => (Path::Task, argument),
        _ => (Path::Other, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, Nanos, Path, Request, Route};
    use crate::protocol::http::server::{Framing, Version};

    fn route(method: Method, path: &str) -> (Path, Route) {
        asked(method, path, false)
    }

    fn asked(method: Method, path: &str, upgrade: bool) -> (Path, Route) {
        super::route(&Request {
            method,
            path,
            version: Version::Http11,
            framing: Framing::None,
            persistent: true,
            expects_continue: false,
            upgrade,
            authorization: None,
            raw: b"",
        })
    }

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
        assert_eq!(get("/queue/1s"), (Path::Queue, Route::Queue(Nanos(1_000_000_000))));
        assert_eq!(get("/queue/1001ms"), (Path::Queue, Route::WrongArgument));
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
        for (path, expected) in [
            ("/auth/register", (Path::Register, Route::Register)),
            ("/auth/login", (Path::Login, Route::Login)),
            ("/auth/refresh", (Path::Refresh, Route::Refresh)),
            ("/auth/logout", (Path::Logout, Route::Logout)),
            ("/tasks", (Path::Tasks, Route::CreateTask)),
        ] {
            assert_eq!(route(Method::Post, path), expected);
            assert_eq!(get(path), (expected.0, Route::WrongMethod));
        }
        assert_eq!(get("/auth/else"), (Path::Other, Route::Unknown));
        assert_eq!(get("/tasks/x"), (Path::Task, Route::Task));
        assert_eq!(get("/metrics"), (Path::Metrics, Route::Metrics));
        assert_eq!(get("/ws"), (Path::Ws, Route::Gateway));
        assert_eq!(route(Method::Head, "/ws"), (Path::Ws, Route::WrongMethod));
        assert_eq!(asked(Method::Get, "/echo", true), (Path::Echo, Route::EchoSocket));
        assert_eq!(asked(Method::Post, "/echo", true), (Path::Echo, Route::Echo));
    }
}
