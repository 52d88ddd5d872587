//! What is loaded: the embedded target and nginx, each alone on its core.

use super::cpu::pinned;
use super::kit::nginx::Nginx;
use super::kit::target;
use super::options::Options;

/// A running target.
pub(crate) struct Target {
    /// Its name in tables.
    pub(crate) name: &'static str,
    /// The path that is asked for.
    pub(crate) page: &'static str,
    port: u16,
    _server: Server,
}

/// What ends when the target is dropped.
#[expect(dead_code, reason = "held for its end")]
enum Server {
    Embedded(target::Target),
    Nginx(Nginx),
}

/// The settings that let nginx answer as fast as it can.
const FAST: &str = "  access_log off;\n  keepalive_requests 1000000000;\n";

/// All of them, started one after the other as they are asked for.
pub(crate) fn all(options: &Options) -> impl Iterator<Item = Target> {
    let core = options.target_core;
    let embedded = move || {
        let server = target::target(&format!("--cores {core}"));
        let (port, page) = (server.port, "/health");
        Target { name: "embedded", page, port, _server: Server::Embedded(server) }
    };
    let nginx = move || {
        let server = pinned(core, || Nginx::start(FAST));
        Target { name: "nginx", page: "/", port: server.port, _server: Server::Nginx(server) }
    };
    [Box::new(embedded) as Box<dyn Fn() -> Target>, Box::new(nginx)].into_iter().map(|it| it())
}

impl Target {
    /// Its address and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL that is asked for.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address(), self.page)
    }
}
