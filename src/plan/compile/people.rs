//! Users and the life of their tokens.

use super::Compiler;
use super::expect::place;
use super::request::{Encoded, Token, name_of};
use crate::plan::{Auth, Call, Encoding, Expect, Group, People, Place, Request, Text, Value};
use crate::scenario::{
    self, AuthCall, Diagnostic, JsonPath, Part, Segment, Statuses, Template, UserField, Users,
};
use crate::stdx::Nanos;

/// Users of a plan: each has an identity, tokens and pools in memory.
const USERS_MAX: u64 = 10_000_000;
/// Users who register or log in at once.
const PARALLEL: u64 = 64;
/// Users logged in before a closed load.
const AHEAD: u64 = 10;
/// A token's life, when nothing else says it.
const EXPIRES_IN: Nanos = Nanos::from_secs(14 * 60);
/// Statuses of a call that worked.
const FINE: Statuses = Statuses { from: 200, to: 299 };
/// What stands for the number in an address.
const NUMBER: &str = "{n}";

impl Compiler<'_> {
    pub(super) fn people(&mut self) {
        if self.scenario.users.is_empty() {
            return;
        }
        let written: u64 = self.scenario.users.iter().map(|users| users.count.value).sum();
        if let (Some(users), true) = (self.scenario.users.last(), written > USERS_MAX) {
            let what = format!("{written} users");
            let expected = format!("at most {USERS_MAX} in all groups together");
            self.add(Diagnostic::new(users.count.span, what, expected));
            return;
        }
        let groups = self.scenario.users.iter().map(|users| self.users(users)).collect();
        let mut people = People { groups, auth: None };
        let count = people.count();
        people.auth = self.scenario.auth.as_ref().and_then(|auth| self.auth(auth, count));
        self.plan.people = Some(people);
    }

    fn users(&mut self, users: &Users) -> Group {
        let email = users.email.as_ref().map_or(("", ""), |email| {
            let cut = email.value.split_once(NUMBER);
            if cut.is_none() {
                let what = "an address without the user's number in it";
                let expected = "an address with {n}, such as loadtest{n}@example.com";
                let help = "a group of one user has a number, too: first: 7 makes it 7";
                self.add(Diagnostic::new(email.span, what, expected).help(help));
            }
            cut.unwrap_or_default()
        });
        Group {
            name: users.name.as_ref().map_or_else(String::new, |name| name.value.clone()),
            role: users.role.clone().unwrap_or_default(),
            count: self.count(users.count.value),
            first: users.first,
            weight: users
                .weight
                .as_ref()
                .map_or(1, |it| u32::try_from(it.value).unwrap_or(u32::MAX)),
            email: (email.0.to_owned(), email.1.to_owned()),
            password: users.password.as_ref().map_or_else(Text::default, password),
            sources: users.source.iter().map(|source| source.value).collect(),
        }
    }

    fn auth(&mut self, auth: &scenario::Auth, users: u32) -> Option<Auth> {
        let login = self.call(&auth.login, Token::Left);
        let mut other =
            |call: &Option<AuthCall>, token| call.as_ref().map(|call| self.call(call, token));
        let register = other(&auth.register, Token::Left);
        let refresh = other(&auth.refresh, Token::Left);
        let logout = other(&auth.logout, Token::Carried);
        let expires_in = auth.expires_in.as_ref();
        let expires_in = expires_in.map_or(EXPIRES_IN, |it| self.life(it));
        let parallel = auth.parallel.as_ref().map_or(PARALLEL, |it| it.value);
        let parallel = u32::try_from(parallel).unwrap_or(u32::MAX).min(users);
        let ahead = match &auth.ahead {
            Some(ahead) => self.count(ahead.value),
            None if self.is_open() => users,
            None => self.count(AHEAD),
        };
        let register_ahead = auth.register_ahead.as_ref();
        let register_ahead = register_ahead.map_or(users, |it| self.count(it.value).min(users));
        self.registered_first(auth);
        let mut login = login?;
        login.token = login.token.or_else(|| Some(key("accessToken")));
        // A call that is wrong is no call that is left out.
        let whole = |call: Option<Option<Call>>| call.map_or(Some(None), |call| call.map(Some));
        let (register, logout) = (whole(register)?, whole(logout)?);
        let refresh = whole(refresh)?.map(|call| {
            login.refresh_token = login.refresh_token.take().or_else(|| Some(key("refreshToken")));
            Call {
                token: call.token.or_else(|| login.token.clone()),
                refresh_token: call.refresh_token.or_else(|| login.refresh_token.clone()),
                expires: call.expires.or_else(|| login.expires.clone()),
                ..call
            }
        });
        Some(Auth {
            register,
            login,
            refresh,
            logout,
            expires_in,
            parallel,
            ahead: ahead.min(register_ahead),
            register_ahead,
        })
    }

    /// Nobody logs in ahead who is registered later.
    fn registered_first(&mut self, auth: &scenario::Auth) {
        if let (Some(ahead), Some(registered)) = (&auth.ahead, &auth.register_ahead)
            && ahead.value > registered.value
        {
            let (logged_in, registered_ahead) = (ahead.value, registered.value);
            let what = format!("{logged_in} users logged in ahead, {registered_ahead} registered");
            let expected = format!("at most {registered_ahead}");
            let help = "lower 'ahead', or raise 'register_ahead'";
            let diagnostic = Diagnostic::new(ahead.span, what, expected);
            self.add(diagnostic.also(registered.span, "registered ahead").help(help));
        }
    }

    /// Whether any load is open: then nobody waits for a login in the middle of it.
    fn is_open(&self) -> bool {
        let loads = self.scenario.workloads.iter().filter_map(|each| each.value.load.as_ref());
        loads.into_iter().any(|load| matches!(load.level.value, scenario::Amount::Rate(_)))
    }

    fn call(&mut self, call: &AuthCall, token: Token) -> Option<Call> {
        let Encoded { content, reply_to, reuse } = self.encode(&call.request, 0, token)?;
        let request = Request {
            name: name_of(None, &call.request),
            leaf: 0,
            target: 0,
            channel: 0,
            content,
            reply_to,
            reuse,
            timeout: self.plan.timeout,
            expect: Expect { statuses: accepted(&call.accept), ..Expect::default() },
            saves: Vec::new(),
            creates: false,
        };
        let path = |path: &Option<JsonPath>| path.as_ref().map(place);
        Some(Call {
            request,
            accept: accepted(&call.accept),
            token: path(&call.token),
            refresh_token: path(&call.refresh_token),
            expires: path(&call.expires),
        })
    }
}

fn accepted(written: &[Statuses]) -> Vec<Statuses> {
    if written.is_empty() { vec![FINE] } else { written.to_vec() }
}

/// `$.name`
fn key(name: &str) -> Place {
    Place(vec![Segment::Key(name.to_owned())])
}

/// A password; each `{n}` in it is the user's number.
fn password(template: &Template) -> Text {
    let mut text = Text::default();
    for part in &template.parts {
        let fixed = match part {
            Part::Text(text) => text.as_str(),
            Part::Secret(secret) => secret.expose(),
            // The reader lets none pass: a password is known before the run.
            Part::Expr(_) => "",
        };
        for (at, piece) in fixed.split(NUMBER).enumerate() {
            if at > 0 {
                text.push_value(Value::User(UserField::Number), Encoding::Raw);
            }
            text.push(piece.as_bytes());
        }
    }
    text
}
