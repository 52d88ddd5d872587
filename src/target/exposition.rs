//! The counts as Prometheus reads them (text format 0.0.4).

use std::fmt::{Display, Write as _};

use super::counters::{Did, STATUSES, Totals};
use super::misbehave::Lie;
use super::routes::Path;

/// What it is.
pub(super) const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The body of `/metrics`. Series of requests stand there once they were met, all others always.
/// The request that asks for it is not among the replies yet.
pub(super) fn exposition(totals: &Totals) -> String {
    let mut page = Page(String::with_capacity(4096));
    page.family("requests_total", "counter", "Replies by path and status.");
    for path in Path::COUNTED {
        for (status, label) in STATUSES {
            let count = totals.replies(path, status);
            if count > 0 {
                let name = path.name();
                page.row(
                    "requests_total",
                    &format!("{{path=\"{name}\",status=\"{label}\"}}"),
                    count,
                );
            }
        }
    }
    page.family("lies_total", "counter", "Lies told, by kind.");
    for lie in Lie::ALL {
        page.row("lies_total", &format!("{{lie=\"{}\"}}", lie.name()), totals.lies(lie));
    }
    for what in Did::ALL {
        let name = format!("{}_total", what.name());
        page.family(&name, "counter", help(what));
        page.row(&name, "", totals.did(what));
    }
    let open = |opened: u64, closed: u64| opened.saturating_sub(closed);
    let gauges = [
        ("accounts", "Accounts there are.", totals.did(Did::UsersCreated)),
        (
            "ws_open",
            "WebSockets open now.",
            open(totals.did(Did::WsOpened), totals.did(Did::WsClosed)),
        ),
        ("connections_open", "Connections open now.", open(totals.accepted, totals.ended)),
    ];
    for (name, help, value) in gauges {
        page.family(name, "gauge", help);
        page.row(name, "", value);
    }
    for (name, help, value) in [
        ("connections_total", "Connections accepted.", totals.accepted),
        ("refused_total", "Requests refused as malformed or too large.", totals.refused),
        ("overruns_total", "Connections closed because a limit was reached.", totals.overruns),
    ] {
        page.family(name, "counter", help);
        page.row(name, "", value);
    }
    page.0
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let Self(text) = self;
        let _ = write!(
            text,
            "# HELP onslaught_target_{name} {help}\n# TYPE onslaught_target_{name} {kind}\n"
        );
    }

    fn row(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "onslaught_target_{name}{labels} {value}");
    }
}

const fn help(what: Did) -> &'static str {
    match what {
        Did::UsersCreated => "Accounts made.",
        Did::UsersExisting => "Accounts asked for that were there already.",
        Did::Logins => "Tokens given for a password.",
        Did::LoginFailures => "Logins with a wrong password or address.",
        Did::Refreshes => "Tokens given for a refresh token.",
        Did::RefreshFailures => "Refresh tokens that were unknown or void.",
        Did::Logouts => "Logouts.",
        Did::Unauthorized => "Requests and upgrades without a good access token.",
        Did::TokensRejectedEarly => "Access tokens rejected before their time.",
        Did::TasksCreated => "Tasks made.",
        Did::WsOpened => "WebSockets opened.",
        Did::WsRefused => "Upgrades to WebSocket refused.",
        Did::WsClosed => "WebSockets that have ended.",
        Did::WsMessagesIn => "Text and binary messages received.",
        Did::WsMessagesOut => "Text and binary messages sent.",
        Did::Subscriptions => "Subscriptions to a task asked for.",
        Did::SubscriptionsDropped => "Subscriptions that gave way to newer ones.",
    }
}
