//! The life of tokens: each rule by itself, then whole crowds against targets of every mood.

use super::{CallKind, CallOutcome, Ended, Need, News, Refused, Tokens};
use crate::metrics::Counter;
use crate::plan::{Auth, Content, Text};
use crate::protocol::Failure;
use crate::session::kit;
use crate::session::share::Share;
use crate::stdx::Nanos;
use crate::stdx::rng::Rng;

mod crowd;

const S: u64 = 1_000_000_000;
const WALL_MS: u64 = 1_700_000_000_000;

fn tokens(auth: &Auth) -> Tokens {
    Tokens::new(auth, Share::new(20, 0, 1), 1)
}

fn at(seconds: u64) -> Nanos {
    Nanos(seconds * S)
}

fn reply(status: u16, body: &str) -> CallOutcome<'_> {
    CallOutcome::Reply { status, body: body.as_bytes() }
}

fn end(tokens: &mut Tokens, user: u32, kind: CallKind, body: &str, now: Nanos) -> Ended {
    tokens.ended(user, kind, reply(200, body), now, WALL_MS)
}

const GOOD: &str = r#"{"token":"t1","refresh":"r1","expires":100}"#;

/// Users one of whom is logged in at 0 for 100 s: renewal is due after 80.
fn logged_in() -> Tokens {
    let mut tokens = tokens(&kit::auth());
    assert_eq!(tokens.need(3, at(0)), Need::Wait);
    assert_eq!(tokens.next_call(at(0)), Some((3, CallKind::Login)));
    let ended = end(&mut tokens, 3, CallKind::Login, GOOD, at(0));
    let next_look = Some(at(80));
    assert_eq!(ended, Ended { count: Some(Counter::Logins), news: News::Token, next_look });
    assert_eq!(tokens.token(3), Some("t1"));
    assert_eq!(tokens.refresh_token(3), Some("r1"));
    tokens
}

#[test]
fn one_call_however_many_wait() {
    let mut tokens = tokens(&kit::auth());
    for _ in 0..5 {
        assert_eq!(tokens.need(3, at(0)), Need::Wait);
    }
    assert_eq!(tokens.next_call(at(0)), Some((3, CallKind::Login)));
    assert_eq!(tokens.calls_under_way(), 1);
    for _ in 0..5 {
        assert_eq!(tokens.need(3, at(0)), Need::Wait);
        assert_eq!(tokens.next_call(at(0)), None);
    }
    assert_eq!(end(&mut tokens, 3, CallKind::Login, GOOD, at(1)).news, News::Token);
    assert_eq!(tokens.need(3, at(1)), Need::Ready { generation: 1 });
    assert_eq!(tokens.next_call(at(1)), None);
}

#[test]
fn renewed_ahead_of_its_end() {
    let mut tokens = logged_in();
    assert_eq!(tokens.due(3, at(79)), Some(at(80)), "too early");
    assert_eq!(tokens.due(3, at(80)), None);
    assert_eq!(tokens.due(3, at(80)), None, "it is queued");
    assert_eq!(tokens.next_call(at(80)), Some((3, CallKind::Refresh)));
    assert_eq!(tokens.next_call(at(80)), None);
    assert_eq!(tokens.need(3, at(90)), Need::Ready { generation: 1 }, "no request waits for it");
    let ended = end(&mut tokens, 3, CallKind::Refresh, r#"{"token":"t2","expires":100}"#, at(91));
    assert_eq!(ended.count, Some(Counter::TokenRefreshes));
    assert_eq!(ended.next_look, Some(at(171)));
    assert_eq!(tokens.token(3), Some("t2"));
    assert_eq!(tokens.refresh_token(3), Some("r1"), "the one that stays good");
    assert_eq!(tokens.need(3, at(91)), Need::Ready { generation: 2 });
}

#[test]
fn a_need_renews_where_no_timer_did() {
    let mut tokens = logged_in();
    assert_eq!(tokens.need(3, at(85)), Need::Ready { generation: 1 });
    assert_eq!(tokens.next_call(at(85)), Some((3, CallKind::Refresh)));
}

#[test]
fn never_handed_out_at_its_end() {
    let mut tokens = logged_in();
    assert_eq!(tokens.need(3, Nanos(100 * S - 1)), Need::Ready { generation: 1 });
    assert_eq!(tokens.need(3, at(100)), Need::Wait);
    assert_eq!(tokens.next_call(at(100)), Some((3, CallKind::Refresh)), "T22: it may still do");
}

#[test]
fn who_waits_comes_before_who_renews() {
    let mut tokens = logged_in();
    assert_eq!(tokens.due(3, at(80)), None);
    assert_eq!(tokens.need(4, at(80)), Need::Wait);
    assert_eq!(tokens.need(5, at(80)), Need::Wait);
    // The token of 3 ends while it stands in the queue: now an operation waits for it.
    assert_eq!(tokens.need(3, at(100)), Need::Wait);
    let order: Vec<_> = std::iter::from_fn(|| tokens.next_call(at(100))).collect();
    let login = |user| (user, CallKind::Login);
    assert_eq!(order, [login(4), login(5), (3, CallKind::Refresh)], "and 3 once");
}

#[test]
fn a_refresh_that_fails_is_a_login() {
    for outcome in [reply(401, "{}"), reply(200, "{}"), CallOutcome::Failed(Failure::Reset)] {
        let mut tokens = logged_in();
        assert_eq!(tokens.due(3, at(80)), None);
        assert_eq!(tokens.next_call(at(80)), Some((3, CallKind::Refresh)));
        let ended = tokens.ended(3, CallKind::Refresh, outcome, at(81), WALL_MS);
        let count = Some(Counter::TokenRefreshesFailed);
        assert_eq!(ended, Ended { count, news: News::None, next_look: None });
        assert_eq!(tokens.need(3, at(81)), Need::Ready { generation: 1 }, "the old one is good");
        assert_eq!(tokens.next_call(at(81)), Some((3, CallKind::Login)), "at once");
        // The login fails as well: the user backs off, its token is still good.
        let ended = tokens.ended(3, CallKind::Login, reply(500, ""), at(82), WALL_MS);
        assert_eq!(ended.count, Some(Counter::AuthFailures));
        assert_eq!(ended.news, News::None);
        let look = ended.next_look.expect("it is tried again before the token ends");
        assert_eq!(tokens.need(3, at(82)), Need::Ready { generation: 1 });
        assert_eq!(tokens.next_call(at(82)), None);
        assert_eq!(tokens.due(3, look), None);
        assert_eq!(tokens.next_call(look), Some((3, CallKind::Login)));
    }
}

#[test]
fn failed_logins_back_off() {
    let mut tokens = tokens(&kit::auth());
    let mut now = at(0);
    let mut waits = Vec::new();
    for outcome in [reply(401, "{}"), reply(200, "{}"), reply(200, r#"{"token":""}"#)]
        .into_iter()
        .cycle()
        .take(9)
    {
        assert_eq!(tokens.need(3, now), Need::Wait);
        assert_eq!(tokens.next_call(now), Some((3, CallKind::Login)));
        let ended = tokens.ended(3, CallKind::Login, outcome, now, WALL_MS);
        assert_eq!(ended.count, Some(Counter::AuthFailures), "{outcome:?} has no token");
        let News::Barred { until } = ended.news else { panic!("{ended:?}") };
        assert_eq!(tokens.need(3, now), Need::Barred { until });
        assert_eq!(tokens.need(3, Nanos(until.0 - 1)), Need::Barred { until });
        assert_eq!(tokens.next_call(now), None);
        waits.push(until.since(now).as_secs_f64());
        now = until;
    }
    for (wait, whole) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]) {
        assert!((0.75 * whole..1.25 * whole).contains(wait), "{waits:?}");
    }
    assert!(waits[5] != waits[6], "they do not come back in step: {waits:?}");
    assert_eq!(tokens.need(3, now), Need::Wait);
    assert_eq!(tokens.next_call(now), Some((3, CallKind::Login)));
    let ended = end(&mut tokens, 3, CallKind::Login, GOOD, now);
    assert_eq!(ended.news, News::Token, "and all is forgotten");
}

#[test]
fn a_refused_token_is_renewed_once_for_all() {
    let mut tokens = logged_in();
    for _ in 0..3 {
        assert_eq!(tokens.refused(3, 1, at(10)), Refused::Retry);
        assert_eq!(tokens.need(3, at(10)), Need::Wait);
    }
    assert_eq!(tokens.token(3), None);
    assert_eq!(tokens.next_call(at(10)), Some((3, CallKind::Refresh)));
    assert_eq!(tokens.refused(3, 1, at(10)), Refused::Retry, "while it is under way");
    assert_eq!(tokens.next_call(at(10)), None);
    let ended = end(&mut tokens, 3, CallKind::Refresh, GOOD, at(11));
    assert_eq!(ended.news, News::Token);
    // An answer to a request from before comes late.
    assert_eq!(tokens.refused(3, 1, at(12)), Refused::Retry);
    assert_eq!(tokens.need(3, at(12)), Need::Ready { generation: 2 });
    // Refused long after it came: it ended early, that is all.
    assert_eq!(tokens.refused(3, 2, at(20)), Refused::Retry);
    assert_eq!(tokens.next_call(at(20)), Some((3, CallKind::Refresh)));
}

#[test]
fn new_tokens_refused_at_once_are_no_storm() {
    let mut tokens = logged_in();
    let (mut now, mut generation, mut calls) = (at(10), 1, 0);
    assert_eq!(tokens.refused(3, generation, now), Refused::Retry);
    let end_of_test = now + at(600);
    while now < end_of_test {
        match tokens.need(3, now) {
            Need::Ready { generation: new } => {
                generation = new;
                assert_eq!(tokens.refused(3, generation, now), Refused::Fail);
                assert_eq!(tokens.refused(3, generation, now), Refused::Fail, "others, too");
                assert!(matches!(tokens.need(3, now), Need::Barred { .. }));
            }
            Need::Wait => {
                let (user, kind) = tokens.next_call(now).unwrap();
                calls += 1;
                now += Nanos(S / 1_000);
                assert_eq!(end(&mut tokens, user, kind, GOOD, now).news, News::Token);
            }
            Need::Barred { until } => now = until,
        }
    }
    assert!((20..40).contains(&calls), "{calls} calls in ten minutes");
    assert!(generation > 10);
}

#[test]
fn how_long_a_token_lives() {
    let lives = |body: &str| {
        let mut tokens = tokens(&kit::auth());
        assert_eq!(tokens.need(0, at(0)), Need::Wait);
        assert_eq!(tokens.next_call(at(0)), Some((0, CallKind::Login)));
        assert_eq!(end(&mut tokens, 0, CallKind::Login, body, at(0)).news, News::Token);
        let is_ready = |now| matches!(tokens.clone().need(0, now), Need::Ready { .. });
        (0..2_000_000).find(|ms| !is_ready(Nanos::from_millis(*ms))).unwrap()
    };
    let jwt = |exp: u64| {
        let payload =
            data_encoding::BASE64URL_NOPAD.encode(format!(r#"{{"exp":{exp}}}"#).as_bytes());
        format!("eyJhbGciOiJIUzI1NiJ9.{payload}.s")
    };
    let wall = WALL_MS / 1_000;
    assert_eq!(lives(r#"{"token":"t","expires":9}"#), 9_000, "the reply says it");
    assert_eq!(lives(r#"{"token":"t","expires":"1.5"}"#), 1_500);
    let both = format!(r#"{{"token":"{}","expires":9}}"#, jwt(wall + 5));
    assert_eq!(lives(&both), 9_000, "the reply before the token");
    let says = |exp| format!(r#"{{"token":"{}","expires":null}}"#, jwt(exp));
    assert_eq!(lives(&says(wall + 5)), 5_000, "the token says it");
    assert_eq!(lives(&says(wall - 5)), 840_000, "another clock: the plan says it");
    assert_eq!(lives(r#"{"token":"opaque","expires":-1}"#), 840_000);
    assert_eq!(lives(r#"{"token":"opaque"}"#), 840_000, "14 minutes");
}

#[test]
fn how_a_renewal_is_authorised() {
    // A renewal by the token itself works only as long as that is good.
    let mut auth = kit::auth();
    let mut head = Text::default();
    head.push_value(
        crate::plan::Value::User(crate::plan::text::UserField::Token),
        crate::plan::Encoding::Header,
    );
    auth.refresh.as_mut().unwrap().request.content = Content::Made { head, body: None };
    for (now, kind) in [(at(80), CallKind::Refresh), (at(100), CallKind::Login)] {
        let mut tokens = tokens(&auth);
        assert_eq!(tokens.need(3, at(0)), Need::Wait);
        assert!(tokens.next_call(at(0)).is_some());
        assert_eq!(end(&mut tokens, 3, CallKind::Login, GOOD, at(0)).news, News::Token);
        let _ = tokens.need(3, now);
        assert_eq!(tokens.next_call(now), Some((3, kind)));
    }
    // Without a refresh token in the reply there is nothing to renew with.
    let mut tokens = tokens(&kit::auth());
    assert_eq!(tokens.need(3, at(0)), Need::Wait);
    assert!(tokens.next_call(at(0)).is_some());
    let body = r#"{"token":"t","expires":100}"#;
    assert_eq!(end(&mut tokens, 3, CallKind::Login, body, at(0)).next_look, Some(at(80)));
    assert_eq!(tokens.due(3, at(80)), None);
    assert_eq!(tokens.next_call(at(80)), Some((3, CallKind::Login)));
}

#[test]
fn set_up_and_end() {
    let mut tokens = tokens(&kit::auth());
    assert!(tokens.setup_done(), "nothing is asked for yet");
    tokens.start_setup();
    assert!(!tokens.setup_done());
    let begun: Vec<_> = std::iter::from_fn(|| tokens.next_call(at(0))).collect();
    let registered: Vec<_> = (0..20).map(|user| (user, CallKind::Register)).collect();
    assert_eq!(begun, registered, "no login before all are registered");
    // One is needed meanwhile: its login follows its registration at once.
    assert_eq!(tokens.need(19, at(0)), Need::Wait);
    for (user, _) in begun {
        let (status, count) = match user {
            0 => (409, None),
            1 => (500, Some(Counter::RegistrationsFailed)),
            _ => (201, Some(Counter::UsersCreated)),
        };
        let ended = tokens.ended(user, CallKind::Register, reply(status, ""), at(1), WALL_MS);
        assert_eq!(ended, Ended { count, news: News::None, next_look: None }, "{user}");
    }
    assert!(!tokens.setup_done());
    let begun: Vec<_> = std::iter::from_fn(|| tokens.next_call(at(1))).collect();
    let ahead = (0..10).map(|user| (user, CallKind::Login));
    let expected: Vec<_> = std::iter::once((19, CallKind::Login)).chain(ahead).collect();
    assert_eq!(begun, expected);
    for (user, kind) in begun {
        let body = if user == 5 { "{}" } else { GOOD };
        let _ = end(&mut tokens, user, kind, body, at(2));
    }
    assert!(tokens.setup_done(), "one that fails is left for later");
    assert_eq!(tokens.next_call(at(2)), None);

    // A renewal is under way when the end comes, and a login is queued.
    assert_eq!(tokens.due(2, at(82)), None);
    assert_eq!(tokens.next_call(at(82)), Some((2, CallKind::Refresh)));
    assert_eq!(tokens.need(12, at(82)), Need::Wait);
    tokens.start_logout();
    assert_eq!(tokens.need(12, at(82)), Need::Barred { until: Nanos::MAX });
    let begun: Vec<_> = std::iter::from_fn(|| tokens.next_call(at(82))).collect();
    let holders = [0, 1, 3, 4, 6, 7, 8, 9, 19].map(|user| (user, CallKind::Logout));
    assert_eq!(begun, holders);
    assert_eq!(end(&mut tokens, 2, CallKind::Refresh, GOOD, at(83)).next_look, None);
    assert!(!tokens.logouts_done());
    assert_eq!(tokens.next_call(at(83)), Some((2, CallKind::Logout)));
    for (user, kind) in begun.into_iter().chain([(2, CallKind::Logout)]) {
        assert!(!tokens.logouts_done());
        let (status, count) = if user == 3 { (500, None) } else { (204, Some(Counter::Logouts)) };
        let ended = tokens.ended(user, kind, reply(status, ""), at(84), WALL_MS);
        assert_eq!(ended, Ended { count, news: News::None, next_look: None });
        assert_eq!(tokens.token(user), None);
    }
    assert!(tokens.logouts_done());
    assert_eq!(tokens.next_call(at(84)), None);
}

#[test]
fn a_plan_without_register_and_logout() {
    let mut auth = kit::auth();
    (auth.register, auth.logout) = (None, None);
    let mut tokens = Tokens::new(&auth, Share::new(20, 1, 3), 1);
    tokens.start_setup();
    let begun: Vec<_> = std::iter::from_fn(|| tokens.next_call(at(0))).collect();
    assert_eq!(begun, [1, 4, 7].map(|user| (user, CallKind::Login)), "of the first ten, our own");
    for (user, kind) in begun {
        let _ = end(&mut tokens, user, kind, GOOD, at(0));
    }
    assert!(tokens.setup_done());
    assert_eq!(tokens.need(2, at(0)), Need::Barred { until: Nanos::MAX }, "it lives elsewhere");
    tokens.start_logout();
    assert!(tokens.logouts_done());
}

#[test]
fn who_is_not_registered_ahead_is_when_needed_first() {
    let mut auth = kit::auth();
    (auth.ahead, auth.register_ahead) = (1, 3);
    let mut tokens = tokens(&auth);
    tokens.start_setup();
    for user in 0..3 {
        assert_eq!(tokens.next_call(at(0)), Some((user, CallKind::Register)));
        let _ = tokens.ended(user, CallKind::Register, reply(201, ""), at(0), WALL_MS);
    }
    assert_eq!(tokens.next_call(at(0)), Some((0, CallKind::Login)));
    let _ = end(&mut tokens, 0, CallKind::Login, GOOD, at(0));
    assert!(tokens.setup_done() && tokens.next_call(at(0)).is_none());

    // The load: one that is registered, and one that is not.
    assert_eq!((tokens.need(2, at(5)), tokens.need(7, at(5))), (Need::Wait, Need::Wait));
    assert_eq!(tokens.next_call(at(5)), Some((2, CallKind::Login)));
    assert_eq!(tokens.next_call(at(5)), Some((7, CallKind::Register)));
    assert_eq!((tokens.need(7, at(5)), tokens.next_call(at(5))), (Need::Wait, None));
    let ended = tokens.ended(7, CallKind::Register, reply(201, ""), at(6), WALL_MS);
    let created = Some(Counter::UsersCreated);
    assert_eq!(ended, Ended { count: created, news: News::None, next_look: None });
    assert_eq!(tokens.next_call(at(6)), Some((7, CallKind::Login)));
    assert_eq!(end(&mut tokens, 7, CallKind::Login, GOOD, at(7)).news, News::Token);
    assert_eq!(tokens.need(7, at(7)), Need::Ready { generation: 1 });

    // Unheard it is tried again, after a while; refused it logs in.
    let failed = Some(Counter::RegistrationsFailed);
    for (user, outcome, next) in [
        (8, CallOutcome::Failed(Failure::Reset), None),
        (9, reply(503, ""), None),
        (10, reply(422, ""), Some((10, CallKind::Login))),
    ] {
        assert_eq!(tokens.need(user, at(8)), Need::Wait);
        assert_eq!(tokens.next_call(at(8)), Some((user, CallKind::Register)));
        let ended = tokens.ended(user, CallKind::Register, outcome, at(8), WALL_MS);
        assert_eq!((ended.count, ended.news != News::None), (failed, next.is_none()));
        assert_eq!(tokens.next_call(at(8)), next);
    }
    assert_eq!(tokens.need(8, at(60)), Need::Wait);
    assert_eq!(tokens.next_call(at(60)), Some((8, CallKind::Register)));
    tokens.start_logout();
    let _ = tokens.ended(8, CallKind::Register, reply(201, ""), at(61), WALL_MS);
    assert!(!tokens.logouts_done(), "there are tokens to give back");
}

#[test]
fn a_registration_may_log_in() {
    let mut auth = kit::auth();
    auth.register.as_mut().unwrap().token = Some(kit::place(&["token"]));
    let mut tokens = tokens(&auth);
    tokens.start_setup();
    assert_eq!(tokens.next_call(at(0)), Some((0, CallKind::Register)));
    let ended = end(&mut tokens, 0, CallKind::Register, GOOD, at(0));
    assert_eq!((ended.count, ended.news), (Some(Counter::UsersCreated), News::Token));
    assert_eq!(tokens.need(0, at(0)), Need::Ready { generation: 1 });
}

#[test]
fn memory_of_a_million_users() {
    let users = 1_000_000;
    let tokens = Tokens::new(&kit::auth(), Share::new(users, 0, 1), 1);
    assert!(tokens.bytes_per_user() <= 80, "{} bytes before any token", tokens.bytes_per_user());
    assert!(logged_in().bytes_per_user() > tokens.bytes_per_user(), "texts count");
}
