//! Only loopback and private addresses are loaded unasked.

use std::time::Duration;

use crate::kit::{Onslaught, forbidding};

/// Refused by a process that could not have opened a socket: so no packet was sent.
fn assert_refused(url: &str, flags: &str) {
    eprintln!("http {url} {flags}");
    let load = Onslaught::http(url).line("-c 4 -d 1s").line(flags).within(Duration::from_secs(5));
    let run = load.under(forbidding(&["socket", "io_uring_setup"])).run().exits([113]);
    run.says(["--allow-remote"]);
}

#[test]
fn public_addresses_are_refused() {
    for url in ["http://93.184.216.34/", "http://8.8.8.8:8080/", "http://[2606:2800:220:1::1]/"] {
        assert_refused(url, "");
    }
}

/// As numbers, as IPv4 in IPv6: one address has many spellings.
#[test]
fn public_addresses_in_disguise_are_refused() {
    for url in ["http://134744072/", "http://0x08080808/", "http://[::ffff:8.8.8.8]/"] {
        assert_refused(url, "");
    }
}

/// The cloud's metadata service and its like, multicast, and no address at all.
#[test]
fn special_addresses_are_refused() {
    let special = ["169.254.169.254", "224.0.0.1", "0.0.0.0", "[fe80::1]", "[ff02::1]", "[::]"];
    for address in special {
        let load = Onslaught::http(format!("http://{address}/")).line("-c 4 -d 1s --allow-remote");
        let load = load.within(Duration::from_secs(5));
        load.under(forbidding(&["socket", "io_uring_setup"])).run().exits([113]).says(["allow"]);
    }
}
