//! The scenarios inside of the program are fine, and say what they are there to say.

use onslaught::scenario::{
    Amount, Diagnostics, Ink, Scenario, Source, Strategy, Work, examples, read,
};

fn example(name: &str, profile: Option<&str>) -> Scenario {
    let (_, text) = examples::ALL.iter().find(|(each, _)| *each == name).expect("an example");
    let source = Source { name: "example.yaml", text };
    let show = |problems: Diagnostics| problems.render(&source, Ink::Plain);
    read(&source, &|_| None, profile)
        .map_err(show)
        .unwrap_or_else(|shown| panic!("{name}: {shown}"))
}

fn connections(scenario: &Scenario) -> Vec<Amount> {
    let loads = scenario.workloads.iter().filter_map(|each| each.value.load.as_ref());
    loads.map(|load| load.level.value).take(2).collect()
}

#[test]
fn all_are_fine() {
    for (name, _) in examples::ALL {
        assert_eq!(example(name, None).name.value, name);
    }
}

#[test]
fn taskforge_has_its_mix_its_users_and_its_sessions() {
    let scenario = example("taskforge", None);
    assert_eq!(scenario.users[0].count.value, 20);
    assert_eq!(scenario.users[0].email.as_ref().unwrap().value, "loadtest{n}@example.com");
    let auth = scenario.auth.as_ref().unwrap();
    assert_eq!(auth.ahead.as_ref().unwrap().value, 10);
    assert_eq!(auth.expires_in.as_ref().unwrap().value.to_string(), "840s");
    let Work::Mix(mix) = &scenario.workloads[0].value.work else { panic!("no mix") };
    let weights: Vec<u64> = mix.iter().map(|step| step.weight.value).collect();
    assert_eq!(weights, [10, 30, 25, 35, 5]);
    let status = &scenario.workloads[1].value;
    assert_eq!(status.user.value, Strategy::RoundRobin);
    let Work::Sessions(sessions) = &status.work else { panic!("no sessions") };
    assert_eq!(sessions.every.as_ref().unwrap().value.to_string(), "2s");
    assert_eq!(status.load.as_ref().unwrap().open.unwrap().count, 10);
}

#[test]
fn taskforge_has_three_profiles() {
    let sizes = |profile| {
        let scenario = example("taskforge", profile);
        (scenario.users[0].count.value, connections(&scenario))
    };
    let both = |count| vec![Amount::Connections(count); 2];
    assert_eq!(sizes(None), (20, both(50)));
    assert_eq!(sizes(Some("development")), (20, both(50)));
    assert_eq!(sizes(Some("staging")), (50, both(100)));
    assert_eq!(sizes(Some("production")), (100, both(200)));
}
