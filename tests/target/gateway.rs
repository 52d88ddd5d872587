use crate::client::{Came, Peer, Tokens, ask, message, post, task, upgrade, user};
use crate::kit::{World, realm};
use onslaught::protocol::ws::Kind;
use onslaught::stdx::Nanos;
use onslaught::target::{Did, Path, Share, Terms};
use serde_json::{Value, json};

const SECOND: Nanos = Nanos::from_secs(1);

/// A world in which tasks take a second.
fn quick(lies: &str) -> World {
    World::on_terms(Terms { task_time: SECOND, ..Terms::default() }, lies)
}

#[track_caller]
fn open(world: &mut World, slot: u32, tokens: &Tokens) -> Peer {
    Peer::open(world, slot, &format!("/ws?token={}", tokens.access))
}

fn subscribe(id: &str) -> String {
    json!({"type": "subscribe", "taskId": id}).to_string()
}

fn status(id: &str, status: &str, progress: u64) -> Value {
    json!({"type": "status", "taskId": id, "status": status, "progress": progress})
}

#[test]
fn who_has_no_good_token_is_not_let_in() {
    let mut world = World::on_terms(Terms { token_life: SECOND, ..Terms::default() }, "");
    let tokens = user(&mut world, "a@b.c");
    for query in ["", "?token=", "?token=opaque", &format!("?token={}", tokens.refresh)] {
        assert_eq!(ask(&mut world, &upgrade(&format!("/ws{query}"))).0, 401, "{query}");
    }
    let escaped = tokens.access.replace('.', "%2E").replace('_', "%5f");
    open(&mut world, 1, &Tokens { access: escaped, ..tokens.clone() });
    world.pass(SECOND);
    let path = format!("/ws?token={}", tokens.access);
    assert_eq!(ask(&mut world, &upgrade(&path)).0, 401, "its time is over");
    let totals = world.totals();
    assert_eq!(totals.replies(Path::Ws, 401), 5);
    let did = [Did::WsRefused, Did::Unauthorized, Did::WsOpened];
    assert_eq!(did.map(|what| totals.did(what)), [5, 5, 1]);
}

#[test]
fn a_task_is_told_of_until_it_is_completed() {
    let mut world = quick("");
    let tokens = user(&mut world, "a@b.c");
    let id = task(&mut world, &tokens.access);
    let mut peer = open(&mut world, 1, &tokens);
    assert_eq!(peer.ask(&mut world, &subscribe(&id)), status(&id, "queued", 0));
    world.pass(Nanos(SECOND.0 / 10 - 1));
    assert_eq!(peer.heard(&mut world), [], "nothing has changed");
    for (wait, name, progress) in [
        (1, "processing", 0),
        (225_000_000, "processing", 25),
        (225_000_000, "processing", 50),
        (225_000_000, "processing", 75),
        (225_000_000, "completed", 100),
    ] {
        world.pass(Nanos(wait));
        assert_eq!(peer.heard_json(&mut world), [status(&id, name, progress)]);
    }
    world.pass(Nanos::from_secs(10));
    assert_eq!(peer.heard(&mut world), [], "it is completed");
    assert_eq!(peer.ask(&mut world, &subscribe(&id)), status(&id, "completed", 100));
    assert_eq!(world.wake_at, None, "an idle gateway sets no timer");
}

#[test]
fn subscribing_again_is_answered_and_told_once() {
    let mut world = quick("");
    let tokens = user(&mut world, "a@b.c");
    let id = task(&mut world, &tokens.access);
    let mut peer = open(&mut world, 1, &tokens);
    for _ in 0..3 {
        assert_eq!(peer.ask(&mut world, &subscribe(&id)), status(&id, "queued", 0));
    }
    world.pass(Nanos::from_millis(100));
    assert_eq!(peer.heard_json(&mut world), [status(&id, "processing", 0)]);
    assert_eq!(world.totals().did(Did::Subscriptions), 3);
}

#[test]
fn several_tasks_are_told_of_each_in_its_time() {
    let mut world = quick("");
    let tokens = user(&mut world, "a@b.c");
    let first = task(&mut world, &tokens.access);
    world.pass(Nanos::from_millis(50));
    let second = task(&mut world, &tokens.access);
    let mut peer = open(&mut world, 1, &tokens);
    // The later one first, so that the timer that is out has to be overtaken.
    peer.ask(&mut world, &subscribe(&second));
    peer.ask(&mut world, &subscribe(&first));
    world.pass(Nanos::from_millis(50));
    assert_eq!(peer.heard_json(&mut world), [status(&first, "processing", 0)]);
    world.pass(Nanos::from_millis(50));
    assert_eq!(peer.heard_json(&mut world), [status(&second, "processing", 0)]);
    world.pass(Nanos::from_secs(1));
    assert_eq!(peer.heard(&mut world).len(), 8);
}

#[test]
fn what_nobody_knows_and_what_is_anothers() {
    let mut world = quick("");
    let tokens = ["a@b.c", "b@b.c"].map(|email| user(&mut world, email));
    let id = task(&mut world, &tokens[0].access);
    let mut peer = open(&mut world, 1, &tokens[1]);
    let forbidden = json!({"type": "status", "taskId": id, "status": "forbidden"});
    assert_eq!(peer.ask(&mut world, &subscribe(&id)), forbidden);
    for unknown in ["00000000-0000-4000-8000-000000000000", "ö\"\n", ""] {
        let answer = json!({"type": "status", "taskId": unknown, "status": "unknown"});
        assert_eq!(peer.ask(&mut world, &subscribe(unknown)), answer);
    }
    world.pass(SECOND);
    assert_eq!(peer.heard(&mut world), []);
    assert_eq!(world.totals().did(Did::Subscriptions), 4);
}

#[test]
fn pings_come_back_as_they_were_written() {
    let mut world = quick("");
    let tokens = user(&mut world, "a@b.c");
    let mut peer = open(&mut world, 1, &tokens);
    for id in ["1", "1.50", "-1e400", "12345678901234567890123", "\"\\u00e4\"", "true", "null"] {
        peer.say(&mut world, &format!("{{\"id\": {id} ,\"type\":\"ping\",\"t\":[]}}"));
        let pong = format!("{{\"type\":\"pong\",\"id\":{id}}}");
        assert_eq!(peer.heard(&mut world), [Came::Text(pong)]);
    }
    peer.say(&mut world, "{\"type\":\"ping\"}");
    assert_eq!(peer.heard(&mut world), [Came::Text("{\"type\":\"pong\",\"id\":null}".to_owned())]);
}

#[test]
fn anything_else_is_an_error_and_the_gateway_lives_on() {
    let mut world = quick("");
    let tokens = user(&mut world, "a@b.c");
    let mut peer = open(&mut world, 1, &tokens);
    for text in [
        "",
        "hello",
        "{}",
        "{\"type\":\"else\"}",
        "{\"type\":\"subscribe\"}",
        "{\"type\":\"subscribe\",\"taskId\":7}",
        "{\"type\":\"ping\",\"id\":{}}",
        "{\"type\":\"ping\",\"id\":[]}",
    ] {
        assert_eq!(peer.ask(&mut world, text)["type"], "error", "{text}");
    }
    world.feed(1, message(Kind::Binary, b"{\"type\":\"ping\",\"id\":1}"));
    assert_eq!(peer.heard_json(&mut world)[0]["type"], "error");
    world.feed(1, message(Kind::Text, &[b' '; (64 << 10) + 1]));
    assert_eq!(peer.heard(&mut world), [Came::Close(Some(1009))]);
}

#[test]
fn the_oldest_of_too_many_subscriptions_gives_way() {
    let mut world = quick("");
    let tokens = user(&mut world, "a@b.c");
    let ids: Vec<String> = (0..65).map(|_| task(&mut world, &tokens.access)).collect();
    let mut peer = open(&mut world, 1, &tokens);
    for (number, id) in ids.iter().enumerate() {
        peer.ask(&mut world, &subscribe(id));
        let dropped = u64::from(number == 64);
        assert_eq!(world.totals().did(Did::SubscriptionsDropped), dropped);
    }
    let before = world.sockets[&1].sends;
    world.pass(Nanos::from_millis(100));
    let told = peer.heard_json(&mut world);
    let expected: Vec<Value> = ids[1..].iter().map(|id| status(id, "processing", 0)).collect();
    assert_eq!(told, expected);
    assert_eq!(world.sockets[&1].sends - before, 1, "all in one send");
}

#[test]
fn who_does_not_read_what_is_told_unasked_is_cut_off() {
    let mut world = quick("");
    let tokens = user(&mut world, "a@b.c");
    let id = task(&mut world, &tokens.access);
    let peer = open(&mut world, 1, &tokens);
    world.stuck = true;
    peer.say(&mut world, &subscribe(&id));
    let long = format!("{{\"type\":\"ping\",\"id\":\"{}\"}}", "x".repeat(60_000));
    for _ in 0..2 {
        peer.say(&mut world, &long);
    }
    assert!(!world.is_closed(1), "answers wait");
    world.pass(Nanos::from_millis(100));
    assert!(world.is_closed(1));
    assert_eq!((world.totals().overruns, world.totals().did(Did::WsClosed)), (1, 1));
}

#[test]
fn a_socket_that_has_ended_is_told_nothing() {
    let mut world = quick("");
    let tokens = user(&mut world, "a@b.c");
    let id = task(&mut world, &tokens.access);
    let peer = open(&mut world, 1, &tokens);
    peer.say(&mut world, &subscribe(&id));
    world.end(1);
    assert!(world.is_closed(1));
    world.got(1);
    let mut next = open(&mut world, 1, &tokens);
    world.pass(SECOND);
    assert_eq!(next.heard(&mut world), [], "the slot's next life hears nothing of it");
}

#[test]
fn a_task_of_one_core_is_told_of_by_the_other() {
    let mut shares = Share::among(2);
    let realm = realm(Terms { task_time: SECOND, ..Terms::default() });
    let mut first = World::sharing("", shares.remove(0), realm.clone());
    let mut second = World::sharing("", shares.remove(0), realm);
    let tokens = user(&mut first, "a@b.c");
    let id = task(&mut first, &tokens.access);
    let mut peer = open(&mut second, 1, &tokens);
    assert_eq!(peer.ask(&mut second, &subscribe(&id)), status(&id, "queued", 0));
    second.pass(SECOND);
    assert_eq!(peer.heard(&mut second).len(), 5);
    // A logout on the one core closes the door of the other.
    assert_eq!(ask(&mut first, &post("/auth/logout", Some(&tokens.access), "")).0, 204);
    let path = format!("/ws?token={}", tokens.access);
    assert_eq!(ask(&mut second, &upgrade(&path)).0, 401);
}
