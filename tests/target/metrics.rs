use crate::client::{Peer, ask, credentials, get_as, post, task, user};
use crate::kit::{World, get, split};
use onslaught::stdx::Nanos;

#[test]
fn the_page_says_what_was_done() {
    let mut world = World::lying("5xx:7");
    let tokens = user(&mut world, "a@b.c");
    let id = task(&mut world, &tokens.access);
    ask(&mut world, &get_as(&format!("/tasks/{id}"), &tokens.access));
    ask(&mut world, &post("/auth/register", None, &credentials("a@b.c")));
    let mut peer = Peer::open(&mut world, 1, &format!("/ws?token={}", tokens.access));
    peer.ask(&mut world, "{\"type\":\"ping\",\"id\":1}");
    ask(&mut world, &get("/status/503"));
    ask(&mut world, &get("/status/418"));
    world.feed(0, get("/metrics"));
    let reply = world.text(0);
    let (head, page) = split(reply.as_bytes());
    let page = std::str::from_utf8(page).unwrap();
    assert!(head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    for row in [
        "requests_total{path=\"/auth/register\",status=\"201\"} 1",
        "requests_total{path=\"/auth/register\",status=\"409\"} 1",
        "requests_total{path=\"/auth/login\",status=\"200\"} 1",
        "requests_total{path=\"/tasks\",status=\"201\"} 1",
        "requests_total{path=\"/tasks/{id}\",status=\"200\"} 1",
        "requests_total{path=\"/ws\",status=\"101\"} 1",
        "requests_total{path=\"/status\",status=\"503\"} 1",
        "requests_total{path=\"/status\",status=\"other\"} 1",
        "lies_total{lie=\"5xx\"} 1",
        "logins_total 1",
        "refreshes_total 0",
        "tasks_created_total 1",
        "ws_messages_in_total 1",
        "ws_messages_out_total 1",
        "accounts 1",
        "ws_open 1",
        "connections_open 2",
    ] {
        assert!(
            page.lines().any(|line| line == format!("onslaught_target_{row}")),
            "{row}\n{page}"
        );
    }
    world.pass(Nanos::from_secs(1));
}

#[test]
fn the_page_is_in_order() {
    let mut world = World::new();
    world.connect(0);
    world.feed(0, get("/health").repeat(3));
    world.got(0);
    world.feed(0, get("/metrics"));
    let reply = world.text(0);
    let page = std::str::from_utf8(split(reply.as_bytes()).1).unwrap();
    let mut family = String::new();
    let mut families = Vec::new();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap().to_owned();
            families.push(family.clone());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let counter = family.ends_with("_total");
            let expected = if counter { "counter" } else { "gauge" };
            assert_eq!(kind, format!("{family} {expected}"));
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            assert_eq!(name.split('{').next(), Some(family.as_str()), "{line}");
            value.parse::<u64>().expect("a count");
        }
    }
    assert!(page.ends_with('\n'));
    let count = families.len();
    families.sort();
    families.dedup();
    assert_eq!(families.len(), count, "each family once");
    assert!(page.contains("{path=\"/health\",status=\"200\"} 3\n"));
}
