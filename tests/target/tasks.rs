use std::collections::BTreeSet;

use crate::client::{ask, get_as, post, task, user};
use crate::kit::{World, get, realm};
use onslaught::stdx::Nanos;
use onslaught::target::{Did, Share, Terms};
use serde_json::json;

#[test]
fn a_task_is_seen_by_its_owner_alone() {
    let mut world = World::new();
    let [owner, other] = ["a@b.c", "b@b.c"].map(|email| user(&mut world, email).access);
    let id = task(&mut world, &owner);
    let path = format!("/tasks/{id}");
    let expected = json!({
        "taskId": id, "type": "generate-pdf", "status": "queued", "progress": 0,
    });
    assert_eq!(ask(&mut world, &get_as(&path, &owner)), (200, expected.clone()));
    let shouted = format!("/tasks/{}", id.to_uppercase());
    assert_eq!(ask(&mut world, &get_as(&shouted, &owner)), (200, expected));
    assert_eq!(ask(&mut world, &get_as(&path, &other)).0, 403);
    assert_eq!(ask(&mut world, &get(&path)).0, 401);
    for nobodys in [
        "00000000-0000-4000-8000-000000000000".to_owned(),
        id.replacen(&id[..1], if id.starts_with('f') { "e" } else { "f" }, 1),
        "garbage".to_owned(),
        String::new(),
    ] {
        let path = format!("/tasks/{nobodys}");
        assert_eq!(ask(&mut world, &get_as(&path, &owner)).0, 404, "{nobodys}");
        assert_eq!(ask(&mut world, &get(&path)).0, 401, "{nobodys}");
    }
    assert_eq!(world.totals().did(Did::Unauthorized), 5);
}

#[test]
fn a_task_takes_its_time() {
    let terms = Terms { task_time: Nanos::from_millis(1_000), ..Terms::default() };
    let mut world = World::on_terms(terms, "");
    let owner = user(&mut world, "a@b.c").access;
    let path = format!("/tasks/{}", task(&mut world, &owner));
    let mut seen = Vec::new();
    for _ in 0..=11 {
        let (_, body) = ask(&mut world, &get_as(&path, &owner));
        seen.push((
            body["status"].as_str().unwrap().to_owned(),
            body["progress"].as_u64().unwrap(),
        ));
        world.pass(Nanos::from_millis(100));
    }
    let steps = [
        ("queued", 1, 0),
        ("processing", 3, 0),
        ("processing", 2, 25),
        ("processing", 2, 50),
        ("processing", 2, 75),
        ("completed", 2, 100),
    ];
    let expected: Vec<(String, u64)> = steps
        .iter()
        .flat_map(|&(name, times, progress)| vec![(name.to_owned(), progress); times])
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn what_is_no_task() {
    let mut world = World::new();
    let owner = user(&mut world, "a@b.c").access;
    let long = json!({"type": "x".repeat(65)}).to_string();
    for body in ["", "{}", "7", "{\"type\":7}", "{\"type\":\"\"}", "{\"type\":\"x\"", &long] {
        assert_eq!(ask(&mut world, &post("/tasks", Some(&owner), body)).0, 400, "{body}");
        assert_eq!(ask(&mut world, &post("/tasks", None, body)).0, 401, "{body}");
    }
    let odd = json!({"type": "ö\"x\n", "payload": {"url": [1, 2]}}).to_string();
    let (status, made) = ask(&mut world, &post("/tasks", Some(&owner), &odd));
    assert_eq!(status, 201);
    let path = format!("/tasks/{}", made["taskId"].as_str().unwrap());
    assert_eq!(ask(&mut world, &get_as(&path, &owner)).1["type"], "ö\"x\n");
    for (number, expected) in [(255, 201), (256, 507)] {
        for number in 1..number {
            let body = json!({"type": format!("kind {number}")}).to_string();
            assert_eq!(ask(&mut world, &post("/tasks", Some(&owner), &body)).0, 201);
        }
        let body = json!({"type": format!("kind {number}")}).to_string();
        assert_eq!(ask(&mut world, &post("/tasks", Some(&owner), &body)).0, expected);
    }
}

#[test]
fn ids_made_at_one_instant_on_two_cores_differ() {
    let mut shares = Share::among(2);
    let realm = realm(Terms::default());
    let mut worlds = [0, 0].map(|_| World::sharing("", shares.remove(0), realm.clone()));
    let token = user(&mut worlds[0], "a@b.c").access;
    let mut ids = BTreeSet::new();
    for world in &mut worlds {
        for _ in 0..2_000 {
            assert!(ids.insert(task(world, &token)), "an id came twice");
        }
    }
    assert_eq!(worlds[0].totals().did(Did::TasksCreated), 4_000);
}
