//! Probes of services behind the targets.

use super::Compiler;
use crate::plan::{Ask, Probe};
use crate::scenario::{self, Diagnostic, Spanned};

impl Compiler<'_> {
    pub(super) fn probes(&mut self) {
        for probe in &self.scenario.probes {
            self.room(self.plan.probes.len(), "probes", probe.name.span);
            let compiled = self.probe(probe);
            self.plan.probes.extend(compiled);
        }
    }

    fn probe(&mut self, probe: &scenario::Probe) -> Option<Probe> {
        let name = probe.name.value.clone();
        match &probe.ask {
            scenario::Ask::Tcp(place) => {
                let (host, port) = self.host_and_port(place)?;
                Some(Probe { name, host, port, ask: Ask::Connect })
            }
            scenario::Ask::Http(url) => {
                // Unlike that of a target, its path is all that is asked for.
                let bare = url.value.split('?').next().unwrap_or_default();
                let query = url.value.get(bare.len()..).unwrap_or_default();
                let address = self.address(bare, url.span)?;
                if !url.value.starts_with("http://") {
                    let what = "a probe that is no http:// address";
                    let help = "give 'tcp: HOST:PORT' to ask for a connection alone";
                    self.add(Diagnostic::new(url.span, what, "http://HOST[:PORT]/PATH").help(help));
                    return None;
                }
                let path = format!("{}{query}", address.site.base);
                let path = if path.starts_with('/') { path } else { format!("/{path}") };
                let builder = crate::protocol::http::Request::builder(
                    http::Method::GET,
                    &path,
                    &address.site.authority,
                );
                let request = builder.header("Connection", "close").build().map_err(|error| {
                    let expected = "a URL that can be asked for";
                    self.add(Diagnostic::new(url.span, error.to_string(), expected));
                });
                let ask = Ask::Get(request.ok()?.bytes().clone());
                Some(Probe { name, host: address.host, port: address.port, ask })
            }
        }
    }

    fn host_and_port(&mut self, place: &Spanned<String>) -> Option<(String, u16)> {
        let found = place.value.rsplit_once(':').and_then(|(host, port)| {
            let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
            let plain = !host.is_empty() && !host.contains(['/', '@', ' ', '?']);
            let bracketed = host.starts_with('[') && host.ends_with(']');
            (plain && (bracketed || !host.contains(':'))).then(|| (host.to_owned(), port))
        });
        if found.is_none() {
            let what = format!("'{}' is no host and port", place.value);
            let expected = "a host and a port such as 127.0.0.1:5432";
            self.add(Diagnostic::new(place.span, what, expected));
        }
        found
    }
}
