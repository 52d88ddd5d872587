//! The closed list of metrics: the only place where a metric is named.
//!
//! The names are k6's where k6 has one, so that dashboards and habits carry over.

/// A timed metric: a histogram of milliseconds in the results, of microseconds inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Trend {
    /// done − intended.
    Duration,
    /// done − sent.
    Service,
    /// first_byte − sent.
    Waiting,
    /// free − intended.
    Blocked,
    /// Opening a connection, recorded by the operations that had to open one.
    Connecting,
    /// sent − free − connect.
    Lag,
}

impl Trend {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Duration, Self::Service, Self::Waiting, Self::Blocked, Self::Connecting, Self::Lag];

    /// The key in the results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duration => "http_req_duration",
            Self::Service => "http_req_service",
            Self::Waiting => "http_req_waiting",
            Self::Blocked => "http_req_blocked",
            Self::Connecting => "http_req_connecting",
            Self::Lag => "schedule_lag",
        }
    }

    /// One line for people.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Duration => "response time: from when the request was due until its reply ended",
            Self::Service => "service time: from the first byte sent until the reply ended",
            Self::Waiting => "from the first byte sent until the first byte of the reply",
            Self::Blocked => "due, but no connection was free",
            Self::Connecting => "opening a connection, where a request had to open one",
            Self::Lag => "the load generator's own lateness",
        }
    }
}

/// What is counted beside the operations of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Counter {
    /// Users that a registration has created.
    UsersCreated,
    /// Registrations that failed; a user who exists already is none.
    RegistrationsFailed,
    /// Logins that gave a token.
    Logins,
    /// Logins that gave none.
    AuthFailures,
    /// Tokens renewed.
    TokenRefreshes,
    /// Renewals that failed; a login follows.
    TokenRefreshesFailed,
    /// Tokens given back.
    Logouts,
    /// Requests sent again with a new token after a 401.
    RetriesUnauthorized,
    /// Operations that had to wait for a token.
    TokenWaits,
    /// Replies of status 201 to requests that save an id.
    TasksCreated,
    /// Subscriptions sent.
    Subscriptions,
    /// WebSockets opened.
    WsSessions,
    /// WebSockets that could not be opened, or broke.
    WsErrors,
    /// WebSockets opened again by a session that had lost its own.
    WsReconnects,
    /// Messages sent.
    WsMsgsSent,
    /// Messages received.
    WsMsgsReceived,
    /// Messages due on a WebSocket that was not open, so not sent.
    WsMsgsSkipped,
    /// Messages received that answered nothing.
    WsMsgsUnasked,
    /// Iterations that came to their end.
    Iterations,
}

impl Counter {
    /// All, in the order of reports.
    pub const ALL: [Self; 19] = [
        Self::UsersCreated,
        Self::RegistrationsFailed,
        Self::Logins,
        Self::AuthFailures,
        Self::TokenRefreshes,
        Self::TokenRefreshesFailed,
        Self::Logouts,
        Self::RetriesUnauthorized,
        Self::TokenWaits,
        Self::TasksCreated,
        Self::Subscriptions,
        Self::WsSessions,
        Self::WsErrors,
        Self::WsReconnects,
        Self::WsMsgsSent,
        Self::WsMsgsReceived,
        Self::WsMsgsSkipped,
        Self::WsMsgsUnasked,
        Self::Iterations,
    ];

    /// The key in the results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsersCreated => "users_created",
            Self::RegistrationsFailed => "registrations_failed",
            Self::Logins => "logins",
            Self::AuthFailures => "auth_failures",
            Self::TokenRefreshes => "token_refreshes",
            Self::TokenRefreshesFailed => "token_refreshes_failed",
            Self::Logouts => "logouts",
            Self::RetriesUnauthorized => "http_retries_unauthorized",
            Self::TokenWaits => "token_waits",
            Self::TasksCreated => "tasks_created",
            Self::Subscriptions => "subscriptions",
            Self::WsSessions => "ws_sessions",
            Self::WsErrors => "ws_errors",
            Self::WsReconnects => "ws_reconnects",
            Self::WsMsgsSent => "ws_msgs_sent",
            Self::WsMsgsReceived => "ws_msgs_received",
            Self::WsMsgsSkipped => "ws_msgs_skipped",
            Self::WsMsgsUnasked => "ws_msgs_unasked",
            Self::Iterations => "iterations",
        }
    }

    /// What is counted, in the plural.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::UsersCreated => "users",
            Self::RegistrationsFailed | Self::RetriesUnauthorized => "requests",
            Self::Logins | Self::AuthFailures => "logins",
            Self::TokenRefreshes | Self::TokenRefreshesFailed | Self::Logouts => "tokens",
            Self::TokenWaits => "operations",
            Self::TasksCreated => "tasks",
            Self::WsSessions | Self::WsErrors | Self::WsReconnects => "sessions",
            Self::Subscriptions
            | Self::WsMsgsSent
            | Self::WsMsgsReceived
            | Self::WsMsgsSkipped
            | Self::WsMsgsUnasked => "messages",
            Self::Iterations => "iterations",
        }
    }
}

/// Names of the metrics that are no [`Trend`] and no [`Counter`].
pub mod names {
    /// Replies on the wire.
    pub const HTTP_REQS: &str = "http_reqs";
    /// Share of operations that failed by no fault of this host.
    pub const HTTP_REQ_FAILED: &str = "http_req_failed";
    /// Replies by status code.
    pub const STATUS_CODES: &str = "status_codes";
    /// Bytes of requests handed to the kernel.
    pub const DATA_SENT: &str = "data_sent";
    /// Bytes of replies.
    pub const DATA_RECEIVED: &str = "data_received";
    /// Operations that ended.
    pub const ITERATIONS: &str = "iterations";
    /// Due operations that found nothing free within their patience.
    pub const DROPPED_ITERATIONS: &str = "dropped_iterations";
    /// Checks on replies.
    pub const CHECKS: &str = "checks";
    /// One pass of what a session does; under an HTTP load, one operation.
    pub const ITERATION_DURATION: &str = "iteration_duration";
    /// Attempts to connect that failed.
    pub const CONNECTS_FAILED: &str = "connects_failed";
    /// Receives with bytes on connections that awaited none.
    pub const UNASKED_RECEIVES: &str = "unasked_receives";
    /// Receives that found no buffer free: armed again, nothing lost.
    pub const RECEIVES_WITHOUT_BUFFER: &str = "receives_without_buffer";
    /// Times that the completion queue overflowed: nothing lost.
    pub const QUEUE_OVERFLOWS: &str = "queue_overflows";
    /// Sessions (virtual users) at work.
    pub const VUS: &str = "vus";
    /// Opening a WebSocket: from when it was due until it was open.
    pub const WS_CONNECTING: &str = "ws_connecting";
    /// From when a message was due until its answer was there.
    pub const WS_MSG_LATENCY: &str = "ws_msg_latency";
    /// From when a ping was due until its pong was there.
    pub const WS_PING: &str = "ws_ping";
    /// A WebSocket, from open to closed.
    pub const WS_SESSION_DURATION: &str = "ws_session_duration";
    /// A request for a token.
    pub const AUTH_DURATION: &str = "auth_duration";
    /// A group of steps.
    pub const GROUP_DURATION: &str = "group_duration";
}
