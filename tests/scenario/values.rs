//! One scenario in three forms, variables, profiles, expressions and JSON: what values become.

use onslaught::scenario::{
    Action, Body, Expr, Function, Goal, Json, Part, Scenario, Shape, Source, Template, Work, read,
};
use onslaught::stdx::Nanos;

use crate::files::{complaints, environment, files, with_steps, yaml};

/// The only step's only JSON value.
fn json(value: &str) -> Json {
    let scenario = yaml(&with_steps(&format!("      - post: /\n        json: {value}\n"))).unwrap();
    let Work::Journey(steps) = &scenario.workloads[0].value.work else { panic!("no journey") };
    let Action::Request(request) = &steps[0].action.value else { panic!("no request") };
    let Body::Json(json) = &request.body else { panic!("no JSON") };
    json.clone()
}

fn target(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Scenario {
    let text = with_steps("      - get: /\n").replace("http://127.0.0.1", text);
    read(&Source { name: "a.yaml", text: &text }, lookup, None).unwrap()
}

#[test]
fn three_forms_are_one_scenario() {
    let forms: Vec<Scenario> = files("valid", &["yaml", "json", "toml"])
        .iter()
        .map(|file| {
            read(&file.source(), &environment, None).unwrap_or_else(|problems| {
                panic!("{}", problems.render(&file.source(), onslaught::scenario::Ink::Plain))
            })
        })
        .collect();
    assert_eq!(forms.len(), 3);
    assert_eq!(forms[0], forms[1]);
    assert_eq!(forms[1], forms[2]);
}

#[test]
fn variables_defaults_and_dollars() {
    let set = |name: &str| (name == "HOST").then(|| "10.0.0.7".to_owned());
    assert_eq!(target("http://${HOST}:80", &set).targets[0].url.value, "http://10.0.0.7:80");
    assert_eq!(target("${BASE:-http://a}", &set).targets[0].url.value, "http://a");
    assert_eq!(target("http://${host:-b}/$$x", &set).targets[0].url.value, "http://b/$x");
    // What comes from the environment is not looked into again.
    let sly = |name: &str| (name == "HOST").then(|| "${uuid()}".to_owned());
    assert_eq!(target("http://${HOST}", &sly).targets[0].url.value, "http://${uuid()}");
}

#[test]
fn json_keeps_its_types() {
    assert_eq!(json("5"), Json::Number(5.into()));
    assert_eq!(json("1e3"), Json::Number(serde_json::Number::from_f64(1000.0).unwrap()));
    assert_eq!(json("true"), Json::Truth(true));
    for text in ["\"5\"", "007", "v1", "2024-01-01", "\"true\"", "12:30"] {
        assert!(matches!(json(text), Json::Text(_)), "{text}");
    }
    let Json::List(items) = json("[~, 1, {a: null}]") else { panic!("no list") };
    assert_eq!(items[..2], [Json::Null, Json::Number(1.into())]);
    assert!(matches!(&items[2], Json::Object(pairs) if pairs[0].1 == Json::Null));
}

#[test]
fn expressions_become_parts() {
    let Json::Text(template) = json("\"a ${now() || 'x'} b$$\"") else { panic!("no text") };
    let [Part::Text(a), Part::Expr(expr), Part::Text(b)] = template.parts.as_slice() else {
        panic!("{template:?}")
    };
    assert_eq!((a.as_str(), b.as_str()), ("a ", " b$"));
    let Expr::Or(left, right) = &expr.value else { panic!("{expr:?}") };
    let call = Expr::Call { function: Function::Now, arguments: Vec::new() };
    assert_eq!(left.value, call);
    assert_eq!(right.value, Expr::Text("x".to_owned()));
    let fixed = Template { parts: vec![Part::Text("${a}".to_owned())], text: false };
    assert_eq!(json("\"$${a}\""), Json::Text(fixed));
}

#[test]
fn an_expression_alone_says_whether_it_is_a_text() {
    let text = |value: &str| match json(value) {
        Json::Text(template) => template.text,
        other => panic!("{other:?}"),
    };
    assert!(text("\"${random_int(1, 2)}\""));
    assert!(!text("${now()}"));
}

#[test]
fn a_profile_takes_away_with_nothing() {
    let text = with_steps("      - get: /\n") + "tags: {a: b}\nprofiles:\n  bare: {tags: ~}\n";
    let source = Source { name: "a.yaml", text: &text };
    assert_eq!(read(&source, &environment, None).unwrap().tags.len(), 1);
    let bare = read(&source, &environment, Some("bare")).unwrap();
    assert_eq!((bare.tags.len(), bare.profile.as_deref()), (0, Some("bare")));
    let problems = read(&source, &environment, Some("bar")).unwrap_err();
    assert_eq!(problems.iter().next().unwrap().did_you_mean.as_deref(), Some("bare"));
}

#[test]
fn a_profile_that_is_not_chosen_may_lack_variables() {
    let text = "profiles:\n  far: {target: \"${FAR}\", users: {count: \"${N}\"}}\n";
    let text = with_steps("      - get: /\n") + text;
    let source = Source { name: "a.yaml", text: &text };
    assert!(read(&source, &environment, None).is_ok());
    assert_eq!(read(&source, &environment, Some("far")).unwrap_err().iter().len(), 2);
}

#[test]
fn aliases_repeat_values() {
    let text = with_steps("      - &a {get: /a}\n      - *a\n");
    let scenario = yaml(&text).unwrap();
    let Work::Journey(steps) = &scenario.workloads[0].value.work else { panic!("no journey") };
    assert_eq!(steps[0].action, steps[1].action);
}

#[test]
fn all_problems_at_once() {
    let text = complaints(&with_steps("      - {gett: /}\n      - {get: x, chance: 2}\n"));
    assert_eq!(text.matches("error: ").count(), 3, "{text}");
}

#[test]
fn a_file_may_begin_with_a_mark_and_end_lines_as_windows_does() {
    let text = "\u{feff}".to_owned() + &with_steps("      - get: /\n").replace('\n', "\r\n");
    assert!(yaml(&text).is_ok(), "{:?}", yaml(&text));
    let json = serde_json::json!({
        "name": "\u{1f600}", "target": "http://a",
        "workloads": {"a": {"load": {"connections": 1, "for": 1}, "mix": [{"get": "/\u{e9}"}]}}
    });
    let escaped = json.to_string().replace('\u{1f600}', "\\ud83d\\ude00");
    let read = read(&Source { name: "a.json", text: &escaped }, &environment, None).unwrap();
    assert_eq!(read.name.value, "\u{1f600}");
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    assert!(complaints(&"# \n".repeat(400_000)).contains("1200000 bytes"));
}

#[test]
fn loads_that_search_and_adapt() {
    let shape = |load: &str| {
        let head = "name: x\ntarget: http://127.0.0.1\nworkloads:\n  a:\n    load:\n";
        let text = format!("{head}{load}    mix:\n      - get: /\n");
        yaml(&text).unwrap().workloads[0].value.load.clone().unwrap().shape
    };
    let slo = "slo: [http_req_duration p(95) < 200ms, http_req_failed rate < 1%]";
    let brief =
        shape(&format!("      rate: 50/s\n      search:\n        {slo}\n        to: 5k/s\n"));
    let Shape::Search(search) = brief else { panic!("{brief:?}") };
    assert_eq!((search.slo.len(), search.to.value.number(), search.max_trials), (2, 5_000_000, 30));
    assert_eq!((search.trial, search.settle), (Nanos::from_secs(10), Nanos::from_secs(2)));
    assert!((search.resolution - 0.05).abs() < 1e-12);
    let ramp = "connections: 5\n      adapt: {slow_above: 100ms, step: 5, to: 90, for: 60s}\n";
    let Shape::Adapt(adapt) = shape(&format!("      {ramp}")) else { panic!("no ramp") };
    assert_eq!((adapt.step.value.number(), adapt.every), (5, Nanos::from_secs(5)));
    let Goal::Ramp { slow_above, stop_above } = adapt.goal else { panic!("no ramp") };
    assert_eq!(slow_above.value, Nanos::from_millis(100));
    assert!((stop_above - 0.02).abs() < 1e-12);
}
