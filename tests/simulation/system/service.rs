//! Accounts, tokens and tasks: what the system answers to a request.

use std::collections::{BTreeMap, BTreeSet};

use onslaught::protocol::jwt;
use onslaught::stdx::Nanos;
use serde_json::json;

use super::super::dice::Dice;
use super::heard::Heard;
use super::manners::{Manners, Tells, WALL, nth};

/// All shards' system.
#[derive(Default)]
pub(super) struct Service {
    registered: BTreeSet<String>,
    tokens: BTreeMap<String, Token>,
    /// Good refresh tokens, each with its user.
    refreshes: BTreeMap<String, String>,
    serial: u64,
    logins: u64,
    renewals: u64,
    registrations: u64,
    /// Refusals of a token that would have been good.
    pub(super) early: u64,
}

struct Token {
    user: String,
    until: Nanos,
    /// It is refused whatever its end is.
    dead: bool,
}

/// A token that was given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) user: String,
    pub(super) token: String,
    pub(super) refresh: String,
}

/// What a reply is about.
#[derive(Clone, Debug)]
pub(super) enum What {
    Register,
    /// A login or a renewal; no token is a refusal.
    Login(Option<Given>),
    Refresh(Option<Given>),
    Logout,
    Task,
    Plain,
    /// The token with which the request came is not taken.
    Refused(String),
}

/// A reply.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) what: What,
}

const SECOND: u64 = 1_000_000_000;

impl Service {
    /// What the request is answered with.
    pub(super) fn answer(
        &mut self,
        heard: &Heard,
        now: Nanos,
        manners: &Manners,
        dice: &mut Dice,
    ) -> Answer {
        match (heard.method.as_str(), heard.path.as_str()) {
            ("POST", "/auth/register") => self.register(heard, manners),
            ("POST", "/auth/login") => self.log_in(heard, now, manners),
            ("POST", "/auth/refresh") => self.refresh(heard, now, manners),
            ("POST", "/auth/logout") => self.log_out(heard, now),
            _ => self.business(heard, now, manners, dice),
        }
    }

    fn register(&mut self, heard: &Heard, manners: &Manners) -> Answer {
        let user = heard.text("email").to_owned();
        let fails = nth(&mut self.registrations, manners.registrations_fail);
        let status = match (fails, self.registered.insert(user)) {
            (true, _) => 500,
            (false, true) => 201,
            (false, false) => 409,
        };
        Answer { status, body: "{}".to_owned(), what: What::Register }
    }

    fn log_in(&mut self, heard: &Heard, now: Nanos, manners: &Manners) -> Answer {
        let user = heard.text("email").to_owned();
        assert_eq!(heard.text("password"), "secret");
        if nth(&mut self.logins, manners.logins_fail) {
            return Answer { status: 401, body: "{}".to_owned(), what: What::Login(None) };
        }
        let (body, given) = self.give(&user, now, manners);
        Answer { status: 200, body, what: What::Login(Some(given)) }
    }

    fn refresh(&mut self, heard: &Heard, now: Nanos, manners: &Manners) -> Answer {
        let old = heard.text("refreshToken");
        let user = self.refreshes.get(old).cloned();
        let fails = nth(&mut self.renewals, manners.refreshes_fail);
        let Some(user) = user.filter(|_| !fails) else {
            let what = What::Refresh(None);
            return Answer { status: 401, body: "{}".to_owned(), what };
        };
        if manners.rotates {
            self.refreshes.remove(old);
        }
        let (body, given) = self.give(&user, now, manners);
        Answer { status: 200, body, what: What::Refresh(Some(given)) }
    }

    fn log_out(&mut self, heard: &Heard, now: Nanos) -> Answer {
        let token = heard.token.as_deref().unwrap_or_default();
        let known = self.tokens.get_mut(token).filter(|token| !token.dead && now < token.until);
        let status = if known.is_some() { 204 } else { 401 };
        known.into_iter().for_each(|token| token.dead = true);
        Answer { status, body: String::new(), what: What::Logout }
    }

    /// A request that is no call for tokens.
    fn business(
        &mut self,
        heard: &Heard,
        now: Nanos,
        manners: &Manners,
        dice: &mut Dice,
    ) -> Answer {
        if let Some(token) = &heard.token
            && !self.takes(token, now, manners, dice)
        {
            let what = What::Refused(token.clone());
            return Answer { status: 401, body: "{}".to_owned(), what };
        }
        if dice.chance(manners.fails) {
            return Answer { status: 500, body: "{}".to_owned(), what: What::Plain };
        }
        self.serial += 1;
        let id = self.serial;
        let (status, body, what) = match (heard.method.as_str(), heard.path.as_str()) {
            ("POST", "/tasks") => (201, json!({"taskId": format!("task{id}")}), What::Task),
            (_, "/item") => (200, json!({"id": id}), What::Plain),
            (_, "/large") => (200, json!("x".repeat(70_000)), What::Plain),
            _ => (200, json!({"ok": true}), What::Plain),
        };
        Answer { status, body: body.to_string(), what }
    }

    /// Whether a token is good, and for an upgrade too.
    pub(super) fn takes(
        &mut self,
        token: &str,
        now: Nanos,
        manners: &Manners,
        dice: &mut Dice,
    ) -> bool {
        let Some(known) = self.tokens.get_mut(token) else { return false };
        let good = !known.dead && now < known.until;
        if good && dice.chance(manners.early) {
            known.dead = true;
            self.early += 1;
            return false;
        }
        good
    }

    /// Whose token it is.
    pub(super) fn owner(&self, token: &str) -> Option<&str> {
        self.tokens.get(token).map(|token| &*token.user)
    }

    pub(super) fn refreshes_for(&self, refresh: &str) -> Option<&str> {
        self.refreshes.get(refresh).map(|user| &**user)
    }

    fn give(&mut self, user: &str, now: Nanos, manners: &Manners) -> (String, Given) {
        self.serial += 1;
        let serial = self.serial;
        let wall = WALL + now.0 / 1_000_000;
        let (token, until) = match manners.tells {
            Tells::Reply | Tells::Nobody => (format!("t{serial}"), now + manners.life()),
            Tells::Token => {
                let end = wall / 1_000 + manners.token_life;
                let claims = json!({"jti": serial.to_string(), "exp": end}).to_string();
                let mut token = String::new();
                jwt::sign_json(&claims, &jwt::Key::new(b"simulated"), &mut token);
                (token, Nanos((end - WALL / 1_000) * SECOND))
            }
        };
        let refresh = format!("r{serial}");
        self.refreshes.insert(refresh.clone(), user.to_owned());
        let known = Token { user: user.to_owned(), until, dead: false };
        self.tokens.insert(token.clone(), known);
        let mut body = json!({"accessToken": token, "refreshToken": refresh});
        if manners.tells == Tells::Reply {
            body["expiresIn"] = manners.token_life.into();
        }
        (body.to_string(), Given { user: user.to_owned(), token, refresh })
    }
}
