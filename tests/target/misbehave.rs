use onslaught::stdx::Nanos;
use onslaught::target::{Lie, Misbehaviour};

#[test]
fn a_list_is_read() {
    let lies = Misbehaviour::parse("delay:2:5ms, 5xx:3,close:5,truncate:7,corrupt:11").unwrap();
    assert_eq!(lies.hold(Lie::Delay), Nanos::from_millis(5));
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
    let unknown = "unknown lie; expected delay, 5xx, close, truncate, corrupt, ws-drop, \
        ws-corrupt, ws-duplicate, ws-swap, token-early, deny-user or slow-user, for example 5xx:50";
    let expected = format!(
        "\
'delay:10': the delay is ''; expected a duration of at most 60s, \
    for example delay:100:5ms
'lie:3': {unknown}
'5xx:0': the period is '0'; expected a whole number, at least 1, for example 5xx:50
'close': the period is ''; expected a whole number, at least 1, for example close:1000
'truncate:1:2': more than this lie takes; for example truncate:500
'corrupt:5': corrupt was given before; each lie is given once
'delay:1:2m': the delay is '2m'; expected a duration of at most 60s, \
    for example delay:100:5ms
'': {unknown}"
    );
    assert_eq!(told, expected);
}

#[test]
fn messages_and_tokens_have_numbers_of_their_own() {
    let list = "ws-swap:2,ws-duplicate:3,ws-corrupt:5,ws-drop:7,token-early:11,close:13";
    let lies = Misbehaviour::parse(list).unwrap();
    assert_eq!(lies.due_at_message(1), None);
    assert_eq!(lies.due_at_message(2), Some(Lie::WsSwap));
    assert_eq!(lies.due_at_message(6), Some(Lie::WsDuplicate), "before swap");
    assert_eq!(lies.due_at_message(15), Some(Lie::WsCorrupt), "before duplicate");
    assert_eq!(lies.due_at_message(35), Some(Lie::WsDrop), "before corrupt");
    assert_eq!((lies.due_at_message(13), lies.due_at_message(11)), (None, None));
    assert_eq!((lies.due_at_token(11), lies.due_at_token(10)), (Some(Lie::TokenEarly), None));
    assert_eq!((lies.due(11), lies.due(13)), (None, Some(Lie::Close)));
}

#[test]
fn one_account_is_lied_to_by_its_address() {
    let list = "slow-user:a@example.com:50ms,deny-user:b@example.com,delay:2:5ms";
    let lies = Misbehaviour::parse(list).unwrap();
    assert_eq!(lies.due_for("a@example.com"), Some(Lie::SlowUser));
    assert_eq!(lies.due_for("b@example.com"), Some(Lie::DenyUser));
    assert_eq!((lies.due_for("c@example.com"), lies.due_for("")), (None, None));
    assert_eq!(lies.hold(Lie::SlowUser), Nanos::from_millis(50));
    assert_eq!(lies.hold(Lie::Delay), Nanos::from_millis(5));
    assert_eq!((lies.due(1), lies.due(2)), (None, Some(Lie::Delay)));
    assert!(lies.is_about_users() && !Misbehaviour::default().is_about_users());
    assert_eq!(Misbehaviour::parse("deny-user:b@c.d").unwrap().due_for(""), None);
    let wrong = "slow-user,slow-user:a@b.c,slow-user:a@b.c:2m,deny-user::,deny-user:a@b.c:1,\
        deny-user:a@b.c,deny-user:d@e.f";
    let told = Misbehaviour::parse(wrong).unwrap_err().to_string();
    let example = "for example slow-user:user7@example.com:50ms";
    let expected = format!(
        "\
'slow-user': whose? expected the address of an account, {example}
'slow-user:a@b.c': the delay is ''; expected a duration of at most 60s, {example}
'slow-user:a@b.c:2m': the delay is '2m'; expected a duration of at most 60s, {example}
'deny-user::': whose? expected the address of an account, for example \
    deny-user:user7@example.com
'deny-user:a@b.c:1': more than this lie takes; for example deny-user:user7@example.com
'deny-user:d@e.f': deny-user was given before; each lie is given once"
    );
    assert_eq!(told, expected);
}
