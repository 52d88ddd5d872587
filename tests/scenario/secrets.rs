//! No rendering shows a secret, wherever it stands and whatever is wrong around it.

use onslaught::scenario::{Ink, Part, Source, read};

use crate::files::with_steps;

const CANARY: &str = "kept-out-of-sight";

fn lookup(name: &str) -> Option<String> {
    (name == "PW").then(|| CANARY.to_owned())
}

/// Secrets from the environment and from the file itself, at any place.
const SECRETS: [&str; 2] = ["${secret:PW}", "${secret:NONE:-kept-out-of-sight}"];

/// Places, each with `@` where a secret goes; most are wrong.
const PLACES: [&str; 14] = [
    "name: x\ntarget: \"@\"\n",
    "name: \"@\"\n",
    "name: x\nusers: {count: \"@\", password: \"@\", emial: \"@\"}\n",
    "name: x\nworkloads: {a: {load: {connections: \"@\", for: \"@\", open: \"@\"}}}\n",
    "name: x\nworkloads: {a: {user: \"@\", mix: [{get: \"@\", chance: \"@\", think: \"@\"}]}}\n",
    "name: x\nworkloads: {a: {mix: [{get: /, when: \"@\", save: {a: \"@\"}}]}}\n",
    "name: x\nworkloads: {a: {mix: [{get: /, expect: {status: \"@\", json: {$.a..: \"@\"}}}]}}\n",
    "name: x\nworkloads: {a: {mix: [{think: \"@\"}, {get: /, headers: {a: \"@\\n\"}}]}}\n",
    "name: x\nthresholds: [\"@\"]\n",
    "name: x\ntags: {a: \"@\"}\n",
    "name: x\nworkloads: \"@\"\n",
    "name: x\nauth: {login: {post: /, json: {a: \"@${usr.x}\"}, accept: \"@\", token: \"@\"}}\n",
    "name: x\nprofiles: {a: {users: {count: \"@\"}}}\n",
    "name: \"x\nusers: {password: \"@\"\n",
];

#[test]
fn no_message_shows_a_secret() {
    for place in PLACES {
        for secret in SECRETS {
            let text = place.replace('@', secret);
            let source = Source { name: "load.yaml", text: &text };
            let problems = read(&source, &lookup, None).expect_err(place);
            for ink in [Ink::Plain, Ink::Coloured] {
                let shown = problems.render(&source, ink);
                assert!(!shown.contains(CANARY), "{text}\n{shown}");
            }
            assert!(!format!("{problems:?}").contains(CANARY), "{text}\n{problems:?}");
        }
    }
}

#[test]
fn a_scenario_does_not_show_its_secrets() {
    for secret in SECRETS {
        let headers = format!("headers: {{Authorization: \"Bearer {secret}\"}}");
        let steps = format!("      - {{post: /, {headers}, json: {{a: \"{secret}\"}}}}\n");
        let users = format!("users: {{count: 1, password: \"{secret}\"}}\n");
        let text = with_steps(&steps) + &users;
        let scenario = read(&Source { name: "load.yaml", text: &text }, &lookup, None).unwrap();
        let shown = format!("{scenario:?}{scenario:#?}");
        assert!(!shown.contains(CANARY), "{shown}");
        let Some(Part::Secret(kept)) =
            scenario.users[0].password.as_ref().and_then(|it| it.parts.first())
        else {
            panic!("no secret")
        };
        assert_eq!(kept.expose(), CANARY);
    }
}

#[test]
fn only_long_secrets_show_their_end() {
    let shown = |value: &str| {
        let text =
            with_steps("      - get: /\n") + "users: {count: 1, password: \"${secret:A}\"}\n";
        let lookup = |_: &str| Some(value.to_owned());
        let scenario = read(&Source { name: "a.yaml", text: &text }, &lookup, None).unwrap();
        match scenario.users[0].password.as_ref().unwrap().parts.first() {
            Some(Part::Secret(secret)) => secret.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(shown("short"), "***");
    assert_eq!(shown("fifteen letters"), "***");
    assert_eq!(shown("sixteen letters!"), "***ers!");
}
