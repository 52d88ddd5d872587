//! Addresses: `http://HOST[:PORT][/BASE]`, `ws://…`.

use http::Uri;

use super::{Compiler, next};
use crate::plan::Target;
use crate::scenario::{Diagnostic, Span, Spanned};

/// What an address says beside host and port.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// Host, and port as it was written: the `Host` header.
    pub(super) authority: String,
    /// What all paths begin with, without a slash at its end.
    pub(super) base: String,
}

/// An address in its parts.
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) site: Site,
}

const EXAMPLE: &str = "an address such as http://127.0.0.1:8080";

impl Compiler<'_> {
    /// The file's targets, each by its index.
    pub(super) fn targets(&mut self) {
        for target in &self.scenario.targets {
            self.target(&target.name.value, &target.url);
        }
    }

    /// One more target; one whose address is wrong stands there, too, so that indices agree.
    pub(super) fn target(&mut self, name: &str, url: &Spanned<String>) -> u16 {
        self.room(self.plan.targets.len(), "targets", url.span);
        let address = self.address(&url.value, url.span);
        let index = next(&self.plan.targets);
        let (host, port, site) = address.map_or_else(
            || (String::new(), 0, Site { authority: "unknown".to_owned(), base: String::new() }),
            |address| (address.host, address.port, address.site),
        );
        self.plan.targets.push(Target {
            name: name.to_owned(),
            url: url.value.clone(),
            host,
            port,
            addresses: Vec::new(),
        });
        self.sites.push(site);
        index
    }

    /// The parts of an address, or what is wrong with it.
    pub(super) fn address(&mut self, text: &str, place: Span) -> Option<Address> {
        parse(text).map_err(|wrong| self.add(wrong.diagnostic(text, place))).ok()
    }

    /// The index of a target that a step names; the first is the default.
    pub(super) fn target_named(&self, name: Option<&Spanned<String>>) -> u16 {
        let found = name.and_then(|name| {
            self.scenario.targets.iter().position(|target| target.name.value == name.value)
        });
        u16::try_from(found.unwrap_or(0)).unwrap_or(u16::MAX)
    }

    /// What the address of a target says beside host and port.
    pub(super) fn site(&self, target: u16) -> Site {
        let unknown = || Site { authority: "unknown".to_owned(), base: String::new() };
        self.sites.get(usize::from(target)).cloned().unwrap_or_else(unknown)
    }
}

/// Why an address cannot be loaded.
enum Wrong {
    Tls,
    Postgres,
    NoAddress(String),
    User,
    Port(String),
    Query,
}

impl Wrong {
    fn diagnostic(&self, text: &str, place: Span) -> Diagnostic {
        let scheme = text.split("://").next().unwrap_or_default();
        match self {
            Self::Tls => Diagnostic::new(
                place,
                format!("{scheme}:// needs TLS, which this version does not speak yet"),
                "an http:// or ws:// address",
            )
            .help("load the service behind its TLS proxy, where it speaks plain HTTP"),
            Self::Postgres => Diagnostic::new(
                place,
                "this version loads HTTP and WebSocket services, no databases",
                "an http:// or ws:// address",
            )
            .help("a database behind the target can be a probe: probes: [{name: db, tcp: …}]"),
            Self::NoAddress(why) => {
                Diagnostic::new(place, format!("'{text}' is no address: {why}"), EXAMPLE)
            }
            Self::User => {
                let what = "an address with a user name or a password in it";
                Diagnostic::new(place, what, EXAMPLE)
                    .help("send it as a header: headers: {Authorization: \"Basic …\"}")
            }
            Self::Port(port) => {
                Diagnostic::new(place, format!("'{port}' is no port"), "a port from 1 to 65535")
            }
            Self::Query => Diagnostic::new(place, "an address with a query or a fragment", EXAMPLE)
                .help("it belongs to the paths of the steps"),
        }
    }
}

fn parse(text: &str) -> Result<Address, Wrong> {
    let scheme = text.split("://").next().unwrap_or_default();
    let port = match scheme {
        "http" | "ws" => 80,
        "https" | "wss" => return Err(Wrong::Tls),
        "postgres" | "postgresql" => return Err(Wrong::Postgres),
        _ => return Err(Wrong::NoAddress("it has an unknown scheme".to_owned())),
    };
    if text.contains('#') {
        return Err(Wrong::Query);
    }
    let uri = text.parse::<Uri>().map_err(|error| Wrong::NoAddress(error.to_string()))?;
    let Some(authority) = uri.authority() else {
        return Err(Wrong::NoAddress("it names no host".to_owned()));
    };
    if authority.as_str().contains('@') {
        return Err(Wrong::User);
    }
    let written = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    if authority.host().is_empty() {
        return Err(Wrong::NoAddress("it names no host".to_owned()));
    }
    let port = match written.strip_prefix(':') {
        None => port,
        Some(digits) => {
            let number = digits.parse().ok().filter(|port| *port > 0);
            number.ok_or_else(|| Wrong::Port(digits.to_owned()))?
        }
    };
    if uri.query().is_some() {
        return Err(Wrong::Query);
    }
    let base = uri.path().trim_end_matches('/').to_owned();
    let host = authority.host().to_owned();
    Ok(Address { host, port, site: Site { authority: authority.as_str().to_owned(), base } })
}

#[cfg(test)]
mod tests {
    use super::{Wrong, parse};

    #[test]
    fn hosts_ports_and_bases() {
        for (text, host, port, base) in [
            ("http://127.0.0.1:8080", "127.0.0.1", 8080, ""),
            ("ws://a.example/live/", "a.example", 80, "/live"),
            ("http://[::1]:81/api", "[::1]", 81, "/api"),
        ] {
            let Ok(address) = parse(text) else { panic!("{text}") };
            assert_eq!((address.host.as_str(), address.port), (host, port));
            assert_eq!(address.site.base, base);
        }
        assert!(matches!(parse("https://a"), Err(Wrong::Tls)));
        assert!(matches!(parse("http://u:p@a"), Err(Wrong::User)));
        assert!(matches!(parse("http://a:0"), Err(Wrong::Port(_))));
        assert!(matches!(parse("http://a:99999"), Err(Wrong::Port(_) | Wrong::NoAddress(_))));
        assert!(matches!(parse("http://a/?b"), Err(Wrong::Query)));
        assert!(matches!(parse("http://a/#b"), Err(Wrong::Query)));
    }
}
