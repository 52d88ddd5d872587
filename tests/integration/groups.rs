//! Groups of users: roles, loads of their own, and users who come into being under load.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::kit::{Onslaught, shards, target, until};

/// Buyers and sellers of the example: registered before the load.
const KNOWN: u64 = 85;

#[test]
fn each_group_does_its_own_and_newcomers_register_under_load() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::preset("groups").set("BASE_URL", server.url(""));
        let load = load.line("--scale-time 0.2 --allow-untrusted").shards(count).start();
        // Under load both grow, one beside the other: users, and the tasks of those who are known.
        let both = || {
            let counts = server.count();
            (counts.of("users_created"), counts.of("tasks_created"))
        };
        let mut seen = Vec::new();
        for least in [KNOWN + 10, KNOWN + 30] {
            until("newcomers", Duration::from_secs(30), || both().0 >= least);
            seen.push(both());
        }
        let run = load.finish().exits([0]);
        assert!(seen[0].1 > 0 && seen[1].1 > seen[0].1, "{seen:?}{run}");

        let (report, counts) = (run.report(), server.count());
        let arrivals = report.metric_by("request", "first-order", "http_reqs");
        let created = report.metric("users_created", "count");
        // Who still waits to be registered when the load ends is dropped, and counted.
        let dropped = report.metric("dropped_iterations", "count");
        assert_eq!(arrivals + dropped, 60, "10 a second for 6 s{run}");
        assert!((KNOWN + arrivals..=KNOWN + 60).contains(&created), "others each time{run}");
        assert_eq!(counts.of("users_created"), created, "{counts}");
        assert_eq!(counts.of("logins"), report.metric("logins", "count"), "{counts}");
        for metric in ["auth_failures", "registrations_failed", "http_retries_unauthorized"] {
            assert_eq!(report.metric(metric, "count"), 0, "{metric}{run}");
        }
        // By workload, and each only its own: the role of sellers is checked in their replies.
        let by = |workload: &str| report.metric_by("workload", workload, "http_reqs");
        let named = |name: &str| report.metric_by("request", name, "http_reqs");
        assert_eq!(by("arriving"), arrivals + named("first-look"), "{run}");
        assert_eq!(by("buying"), named("order") + named("look"), "{run}");
        assert!(by("selling") >= named("offer") && named("offer") > 0, "{run}");
        assert_eq!(report.count("/metrics/checks/fails"), 0, "{run}");
        assert_eq!(counts.of("tasks_created"), named("order") + named("first-order"), "{counts}");
    });
}

/// A server that says from where it was asked for what. It ends with the test's process.
fn hearer() -> (SocketAddr, Receiver<(IpAddr, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind port 0");
    let address = listener.local_addr().expect("the bound address");
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            thread::spawn(move || hear(&stream, &tell));
        }
    });
    (address, told)
}

fn hear(stream: &TcpStream, tell: &Sender<(IpAddr, String)>) -> Option<()> {
    let peer = stream.peer_addr().ok()?.ip();
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        reader.read_line(&mut request).ok().filter(|read| *read > 0)?;
        let path = request.split(' ').nth(1)?.to_owned();
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        }
        tell.send((peer, path)).ok()?;
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

const FAR: &str = r"
name: near and far
target: ${BASE_URL}
users:
  - {name: near, count: 4, email: 'near{n}@e.x'}
  - {name: far, count: 4, email: 'far{n}@e.x', source: [127.0.0.2, 127.0.0.3]}
workloads:
  near:
    users: near
    load: {rate: 50/s, for: 2s, max: 4}
    mix: [{get: /near}]
  far:
    users: far
    load: {rate: 100/s, for: 2s, max: 4}
    mix: [{get: /far}]
";

#[test]
fn a_group_comes_from_its_own_addresses() {
    shards([1, 2], |count| {
        let (address, told) = hearer();
        let load = Onslaught::scenario(FAR).set("BASE_URL", format!("http://{address}"));
        let run = load.line("--allow-untrusted").shards(count).run().exits([0]);
        let mut heard: BTreeMap<(String, String), u64> = BTreeMap::new();
        for (peer, path) in told.try_iter() {
            *heard.entry((peer.to_string(), path)).or_default() += 1;
        }
        let of = |peer: &str, path: &str| {
            heard.get(&(peer.to_owned(), path.to_owned())).copied().unwrap_or(0)
        };
        let (second, third) = (of("127.0.0.2", "/far"), of("127.0.0.3", "/far"));
        assert_eq!(of("127.0.0.1", "/near"), 100, "{heard:?}{run}");
        assert_eq!(second + third, 200, "{heard:?}{run}");
        assert!(second > 0 && third > 0, "in turn: {heard:?}{run}");
        assert_eq!(heard.values().sum::<u64>(), 300, "{heard:?}{run}");
    });
}

#[test]
fn an_address_of_another_host_is_refused() {
    let (address, told) = hearer();
    let far = FAR.replace("127.0.0.2", "198.51.100.7");
    let load = Onslaught::scenario(far).set("BASE_URL", format!("http://{address}"));
    load.run().exits([113]).says(["198.51.100.7", "no address of this host", "ip address add"]);
    assert_eq!(told.try_iter().count(), 0, "nothing was asked for");
}
