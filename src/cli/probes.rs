//! Probes: is a service behind the targets there, before the load and after it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::say;
use crate::net::resolve::{Permit, resolve};
use crate::plan::{Ask, Probe};
use crate::stdx::Clock;

/// Longest wait for a connection, and for each part of a reply.
const PATIENCE: Duration = Duration::from_secs(2);
/// Statuses from here on mean that the service is not well.
const LEAST_FAILING: u16 = 500;

/// What a service answered: after how many milliseconds it was there, or why it was not.
type Answer = (String, Result<f64, String>);

/// Asks each; only where load may go. Blocks for 2 s each at most, twice that for a reply.
fn ask(probes: &[Probe], permit: &Permit) -> Vec<Answer> {
    probes.iter().map(|probe| (probe.name.clone(), one(probe, permit))).collect()
}

/// Asks, and tells what came of it: on standard error, and as lines for the results.
pub(super) fn asked(when: &str, probes: &[Probe], permit: &Permit) -> Vec<String> {
    let lines = lines(when, &ask(probes, permit));
    lines.iter().for_each(|line| say(line));
    lines
}

/// Answers as people read them.
fn lines(when: &str, answers: &[Answer]) -> Vec<String> {
    let line = |(name, answer): &Answer| match answer {
        Ok(ms) => format!("{when}: {name} is there ({ms:.1} ms)"),
        Err(why) => format!("{when}: {name} is not there: {why}"),
    };
    answers.iter().map(line).collect()
}

fn one(probe: &Probe, permit: &Permit) -> Result<f64, String> {
    let addresses = resolve(&probe.host, probe.port, permit).map_err(|error| error.to_string())?;
    let clock = Clock::start();
    let connection = connected(&addresses)?;
    if let Ask::Get(request) = &probe.ask {
        let status = status(connection, request).map_err(|error| error.to_string())?;
        match status {
            Some(status) if status < LEAST_FAILING => {}
            Some(status) => return Err(format!("it answers with status {status}")),
            None => return Err("what it answers is no HTTP".to_owned()),
        }
    }
    Ok(clock.now().as_secs_f64() * 1e3)
}

/// To the first address that takes a connection; all of them together are given the patience.
fn connected(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let each = PATIENCE / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut why = String::from("no address");
    for address in addresses {
        match TcpStream::connect_timeout(address, each.max(Duration::from_millis(1))) {
            Ok(connection) => return Ok(connection),
            Err(error) => why = format!("{address}: {error}"),
        }
    }
    Err(why)
}

/// The status of the reply; none, if it is no HTTP.
fn status(mut connection: TcpStream, request: &[u8]) -> std::io::Result<Option<u16>> {
    // "HTTP/1.1 200"
    const LINE: usize = 12;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    connection.write_all(request)?;
    let mut line = [0; LINE];
    match connection.read_exact(&mut line) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let text = std::str::from_utf8(&line).ok().filter(|text| text.starts_with("HTTP/1."));
    Ok(text.and_then(|text| text.get(9..)?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::{Ask, Probe, ask, lines};
    use crate::net::resolve::Reach;

    fn probe(port: u16, ask: Ask) -> Probe {
        Probe { name: "service".to_owned(), host: "127.0.0.1".to_owned(), port, ask }
    }

    fn served(reply: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = [0; 64];
            let read = connection.read(&mut request).unwrap();
            assert!(request[..read].starts_with(b"GET / HTTP/1.1"));
            connection.write_all(reply).unwrap();
        });
        port
    }

    #[test]
    fn who_listens_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(ask(&[probe(port, Ask::Connect)], &Reach::Local.into())[0].1.is_ok());
        drop(listener);
        let answers = ask(&[probe(port, Ask::Connect)], &Reach::Local.into());
        let [line] = lines("before the load", &answers).try_into().unwrap();
        assert!(line.starts_with("before the load: service is not there: 127.0.0.1:"), "{line}");
    }

    #[test]
    fn a_reply_is_judged_by_its_status() {
        let get = || Ask::Get(b"GET / HTTP/1.1\r\n\r\n".as_slice().into());
        let answer = |reply| ask(&[probe(served(reply), get())], &Reach::Local.into()).remove(0).1;
        assert!(answer(b"HTTP/1.1 404 Not Found\r\n\r\n").is_ok());
        assert_eq!(
            answer(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"),
            Err("it answers with status 503".to_owned())
        );
        assert_eq!(answer(b"AMQP"), Err("what it answers is no HTTP".to_owned()));
    }

    #[test]
    fn nobody_far_away_is_asked() {
        let far = Probe { host: "8.8.8.8".to_owned(), ..probe(53, Ask::Connect) };
        let answers = ask(&[far], &Reach::Local.into());
        assert!(answers[0].1.as_ref().is_err_and(|why| why.contains("--allow-remote")));
    }
}
