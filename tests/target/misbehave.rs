use onslaught::stdx::Nanos;
use onslaught::target::{Lie, Misbehaviour};

#[test]
fn a_list_is_read() {
    let lies = Misbehaviour::parse("delay:2:5ms, 5xx:3,close:5,truncate:7,corrupt:11").unwrap();
    assert_eq!(lies.hold(), Nanos::from_millis(5));
    assert_eq!(lies.due(1), None);
    assert_eq!(lies.due(2), Some(Lie::Delay));
    assert_eq!(lies.due(3), Some(Lie::Fail));
    assert_eq!(lies.due(6), Some(Lie::Fail), "before delay");
    assert_eq!(lies.due(21), Some(Lie::Truncate), "before 5xx");
    assert_eq!(lies.due(77), Some(Lie::Corrupt), "before truncate");
    assert_eq!(lies.due(55), Some(Lie::Close), "before corrupt");
    assert_eq!(Misbehaviour::default().due(1), None);
}

#[test]
fn every_problem_is_named() {
    let wrong = "delay:10,lie:3,5xx:0,close,truncate:1:2,corrupt:4,corrupt:5,delay:1:2m,";
    let told = Misbehaviour::parse(wrong).unwrap_err().to_string();
    let expected = "\
'delay:10': the delay is ''; expected a duration of at most 60s, \
    for example delay:100:5ms
'lie:3': unknown lie; expected delay, 5xx, close, truncate or corrupt, \
    for example 5xx:50
'5xx:0': the period is '0'; expected a whole number of requests, at least 1, \
    for example 5xx:50
'close': the period is ''; expected a whole number of requests, at least 1, \
    for example close:1000
'truncate:1:2': more than this lie takes; for example truncate:500
'corrupt:5': corrupt was given before; each lie has one period
'delay:1:2m': the delay is '2m'; expected a duration of at most 60s, \
    for example delay:100:5ms
'': unknown lie; expected delay, 5xx, close, truncate or corrupt, \
    for example 5xx:50";
    assert_eq!(told, expected);
}
