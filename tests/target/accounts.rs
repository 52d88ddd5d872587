use crate::client::{Tokens, ask, credentials, get_as, login, post, register, task, user};
use crate::kit::{EPOCH, World, realm, split};
use onslaught::protocol::jwt;
use onslaught::stdx::Nanos;
use onslaught::target::{Did, Path, Share, Terms};
use serde_json::{Value, json};

const SECOND: Nanos = Nanos::from_secs(1);

fn life(token_life: Nanos) -> Terms {
    Terms { token_life, ..Terms::default() }
}

#[test]
fn an_account_is_made_once() {
    let mut world = World::new();
    let new = post("/auth/register", None, &credentials("a@b.c"));
    assert_eq!(ask(&mut world, &new), (201, json!({"id": 1, "email": "a@b.c"})));
    assert_eq!(ask(&mut world, &new).0, 409);
    let odd = "ö\"\\u0041\n@b.c";
    let (status, body) = ask(&mut world, &post("/auth/register", None, &credentials(odd)));
    assert_eq!((status, body), (201, json!({"id": 2, "email": odd})));
    let totals = world.totals();
    assert_eq!((totals.did(Did::UsersCreated), totals.did(Did::UsersExisting)), (2, 1));
    assert_eq!(totals.by_path[Path::Register as usize], 3);
}

#[test]
fn credentials_that_are_none() {
    let mut world = World::new();
    let long = |len: usize| "x".repeat(len);
    let pair = |email: &str, password: &str| json!({"email": email, "password": password});
    for path in ["/auth/register", "/auth/login"] {
        for body in [
            String::new(),
            "{".to_owned(),
            "[]".to_owned(),
            json!({"email": "a"}).to_string(),
            json!({"email": "a", "password": 7}).to_string(),
            pair("", "b").to_string(),
            pair("a", "").to_string(),
            pair(&long(255), "b").to_string(),
            pair("a", &long(1025)).to_string(),
        ] {
            assert_eq!(ask(&mut world, &post(path, None, &body)).0, 400, "{path} {body}");
        }
    }
    let most = pair(&long(254), &long(1024)).to_string();
    assert_eq!(ask(&mut world, &post("/auth/register", None, &most)).0, 201);
    assert_eq!(ask(&mut world, &post("/auth/login", None, &most)).0, 200);
    let bodiless = "POST /auth/login HTTP/1.1\r\nHost: t\r\n\r\n";
    assert_eq!(ask(&mut world, bodiless).0, 400);
    assert_eq!(world.totals().replies(Path::Login, 400), 10);
}

#[test]
fn a_login_gives_a_true_token() {
    let mut world = World::on_terms(life(Nanos::from_secs(90)), "");
    register(&mut world, "a@b.c");
    let (status, body) = ask(&mut world, &post("/auth/login", None, &credentials("a@b.c")));
    assert_eq!((status, &body["expiresIn"]), (200, &Value::from(90)));
    let tokens = Tokens::of((status, body));
    // The kit's clock stands at one second.
    assert_eq!(jwt::expiry(&tokens.access), Some(EPOCH + 91));
    let claims = jwt::verify(&tokens.access, &jwt::Key::new(&[7; 32]), EPOCH).unwrap();
    assert_eq!((claims.sub.as_deref(), claims.iat), (Some("a@b.c"), Some(jwt::Seconds(EPOCH + 1))));
    for (email, password) in [("a@b.c", "Secret"), ("b@b.c", "secret")] {
        let wrong = json!({"email": email, "password": password}).to_string();
        assert_eq!(ask(&mut world, &post("/auth/login", None, &wrong)).0, 401);
    }
    let totals = world.totals();
    assert_eq!((totals.did(Did::Logins), totals.did(Did::LoginFailures)), (1, 2));
    assert_eq!(totals.did(Did::Unauthorized), 0, "nobody's token was wrong");
}

#[test]
fn a_token_is_good_until_it_expires() {
    let mut world = World::on_terms(life(SECOND), "");
    let tokens = user(&mut world, "a@b.c");
    let task = format!("/tasks/{}", task(&mut world, &tokens.access));
    world.pass(Nanos(SECOND.0 - 1));
    assert_eq!(ask(&mut world, &get_as(&task, &tokens.access)).0, 200);
    world.pass(Nanos(1));
    assert_eq!(ask(&mut world, &get_as(&task, &tokens.access)).0, 401);
    let fresh = Tokens::of(refresh(&mut world, &tokens.refresh));
    assert_eq!(ask(&mut world, &get_as(&task, &fresh.access)).0, 200);
    assert_eq!(world.totals().did(Did::Unauthorized), 1);
}

#[track_caller]
fn refresh(world: &mut World, token: &str) -> (u16, Value) {
    ask(world, &post("/auth/refresh", None, &json!({"refreshToken": token}).to_string()))
}

#[test]
fn a_refresh_token_is_good_once() {
    let mut world = World::new();
    let first = user(&mut world, "a@b.c");
    let other = login(&mut world, "a@b.c");
    let second = Tokens::of(refresh(&mut world, &first.refresh));
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(refresh(&mut world, &first.refresh).0, 401, "it was used");
    let third = Tokens::of(refresh(&mut world, &second.refresh));
    assert_eq!(refresh(&mut world, &other.refresh).0, 200, "another login is another session");
    for tokens in [&first, &second, &third] {
        task(&mut world, &tokens.access);
    }
    for unknown in ["", "opaque", &third.access, &third.refresh[1..]] {
        assert_eq!(refresh(&mut world, unknown).0, 401, "{unknown}");
    }
    for wrong in ["", "{}", "{\"refreshToken\":null}"] {
        assert_eq!(ask(&mut world, &post("/auth/refresh", None, wrong)).0, 400);
    }
    let totals = world.totals();
    assert_eq!((totals.did(Did::Refreshes), totals.did(Did::RefreshFailures)), (3, 5));
}

#[test]
fn a_logout_voids_what_was_given_until_then() {
    let mut world = World::new();
    let tokens = user(&mut world, "a@b.c");
    let other = login(&mut world, "a@b.c");
    let stranger = user(&mut world, "b@b.c");
    let bodiless = post("/auth/logout", Some(&tokens.access), "");
    world.feed(0, &bodiless);
    assert_eq!(world.text(0), "HTTP/1.1 204 No Content\r\n\r\n");
    for void in [&tokens, &other] {
        assert_eq!(ask(&mut world, &post("/auth/logout", Some(&void.access), "")).0, 401);
        assert_eq!(refresh(&mut world, &void.refresh).0, 401);
    }
    task(&mut world, &stranger.access);
    let again = login(&mut world, "a@b.c");
    task(&mut world, &again.access);
    assert_eq!(ask(&mut world, &post("/auth/logout", None, "")).0, 401);
    let totals = world.totals();
    assert_eq!((totals.did(Did::Logouts), totals.did(Did::Unauthorized)), (1, 3));
}

#[test]
fn what_one_core_knows_all_know() {
    let mut shares = Share::among(2);
    let realm = realm(Terms::default());
    let mut first = World::sharing("", shares.remove(0), realm.clone());
    let mut second = World::sharing("", shares.remove(0), realm);
    register(&mut first, "a@b.c");
    let again = post("/auth/register", None, &credentials("a@b.c"));
    assert_eq!(ask(&mut second, &again).0, 409);
    let tokens = login(&mut second, "a@b.c");
    let id = task(&mut first, &tokens.access);
    let (status, body) = ask(&mut second, &get_as(&format!("/tasks/{id}"), &tokens.access));
    assert_eq!((status, &body["type"]), (200, &Value::from("generate-pdf")));
    let fresh = Tokens::of(refresh(&mut first, &tokens.refresh));
    assert_eq!(refresh(&mut second, &tokens.refresh).0, 401, "it was used on the other core");
    // The first core has found this token good, and remembers it.
    task(&mut first, &fresh.access);
    assert_eq!(ask(&mut second, &post("/auth/logout", Some(&fresh.access), "")).0, 204);
    assert_eq!(ask(&mut first, &post("/tasks", Some(&fresh.access), "{}")).0, 401);
    assert_eq!(ask(&mut first, &post("/auth/logout", Some(&tokens.access), "")).0, 401);
    let totals = first.totals();
    assert_eq!(totals, second.totals());
    let did = [Did::UsersCreated, Did::UsersExisting, Did::Logins, Did::Logouts];
    assert_eq!(did.map(|what| totals.did(what)), [1; 4]);
}

#[test]
fn a_request_whose_reply_is_lost_is_not_carried_out() {
    for (lies, made) in [("5xx:1", 0), ("close:1", 0), ("delay:1:5ms", 1), ("corrupt:1", 1)] {
        let mut world = World::lying(lies);
        world.connect(0);
        world.feed(0, post("/auth/register", None, &credentials("a@b.c")));
        world.pass(Nanos::from_millis(5));
        assert_eq!(world.totals().did(Did::UsersCreated), made, "{lies}");
        let told = world.text(0);
        assert_eq!(told.contains("\"id\":1"), made == 1, "{told}");
    }
}

#[test]
fn a_body_in_pieces_is_the_same() {
    let mut world = World::new();
    world.connect(0);
    for piece in post("/auth/register", None, &credentials("a@b.c")).as_bytes().chunks(1) {
        world.feed(0, piece);
    }
    let reply = world.text(0);
    assert_eq!(split(reply.as_bytes()).1, b"{\"id\":1,\"email\":\"a@b.c\"}");
    let chunked = "POST /auth/login HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = credentials("a@b.c");
    let (front, back) = body.split_at(7);
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let request = [chunked, &chunk(front), &chunk(back), "0\r\n\r\n"].concat();
    assert_eq!(ask(&mut world, &request).0, 200);
    let large = format!("POST /tasks HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", 1 << 21);
    assert_eq!(ask(&mut world, &large).0, 413);
}
