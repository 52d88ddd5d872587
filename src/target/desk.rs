//! Accounts and tasks over HTTP: JSON in, JSON out.
//!
//! | request              | good                                                | else          |
//! |----------------------|-----------------------------------------------------|---------------|
//! | POST /auth/register  | 201 `{"id":1,"email":…}`                            | 400, 409, 507 |
//! | POST /auth/login     | 200 `{"accessToken":…,"refreshToken":…,"expiresIn":900}` | 400, 401 |
//! | POST /auth/refresh   | 200, the same; the refresh token given is void      | 400, 401      |
//! | POST /auth/logout    | 204; voids all tokens of the account made until then | 401          |
//! | POST /tasks          | 201 `{"taskId":…,"status":"queued"}`                | 400, 401, 507 |
//! | GET /tasks/{id}      | 200 `{"taskId":…,"type":…,"status":…,"progress":0}` | 401, 403, 404 |
//!
//! Whatever is not good has `{"status":401,"error":"…"}`. A request whose reply is lost by a lie
//! (`close`, `5xx`) is not carried out; one whose reply is only spoiled is.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;

use super::accounts::{Refused, Session};
use super::counters::{Counters, Did};
use super::limits::{EMAIL_MAX, KIND_NAME_MAX, PASSWORD_MAX};
use super::misbehave::Misbehaviour;
use super::realm::Realm;
use super::routes::Route;
use super::tasks::{Task, TaskId};
use super::tokens::{self, Caller, Judged, Life, Tokens, bearer, quote};
use crate::protocol::http::server::Request;
use crate::stdx::Nanos;

/// One server's place where requests of accounts and tasks are answered.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) realm: Arc<Realm>,
    tokens: Tokens,
    /// Which of the servers this is, for the ids of tasks.
    server: u16,
    /// Tasks made so far, modulo 2^16.
    tasks: u16,
    /// Access tokens made so far.
    issued: u64,
}

/// What a head says that has to be kept until the request is whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Admission {
    pub(super) caller: Option<Caller>,
    task: Option<TaskId>,
}

/// What an answer needs besides the desk.
pub(super) struct Around<'a> {
    pub(super) counters: &'a Counters,
    pub(super) lies: &'a Misbehaviour,
    pub(super) now: Nanos,
}

#[derive(Deserialize)]
struct Credentials<'a> {
    #[serde(borrow)]
    email: Cow<'a, str>,
    #[serde(borrow)]
    password: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refresh<'a> {
    #[serde(borrow)]
    refresh_token: Cow<'a, str>,
}

#[derive(Deserialize)]
struct NewTask<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// A status that is an error, and its sentence.
type Wrong = (u16, &'static str);

const NO_TOKEN: Wrong = (401, "the access token is missing, expired or void");
const NO_TASK: Wrong = (404, "no task has this id");
const NO_CREDENTIALS: Wrong = (
    400,
    "expected a JSON object with the texts \\\"email\\\" (up to 254 bytes) and \\\"password\\\" \
     (up to 1024), neither empty",
);

impl Desk {
    pub(super) fn new(realm: Arc<Realm>, server: u16) -> Self {
        Self { realm, tokens: Tokens::default(), server, tasks: 0, issued: 0 }
    }

    /// Reads what a head says about who asks, and for which task.
    pub(super) fn admit(&mut self, request: &Request<'_>, around: &Around<'_>) -> Admission {
        let token = request.authorization.and_then(bearer);
        let caller = token.and_then(|token| self.caller(token, around));
        let task = request.path.strip_prefix("/tasks/").and_then(TaskId::parse);
        Admission { caller, task }
    }

    /// Whose access token it is, if it is good.
    pub(super) fn caller(&mut self, token: &str, around: &Around<'_>) -> Option<Caller> {
        match self.tokens.judge(token, &self.realm, around.now) {
            Judged::Good(caller) => Some(caller),
            Judged::Void => None,
            Judged::Early => {
                around.counters.did(Did::TokensRejectedEarly);
                None
            }
        }
    }

    /// Carries out a request; appends the reply's body and gives its status.
    pub(super) fn answer(
        &mut self,
        route: Route,
        admission: &Admission,
        body: &[u8],
        around: &Around<'_>,
        out: &mut String,
    ) -> u16 {
        let answered = match route {
            Route::Register => self.register(body, around, out),
            Route::Login => self.login(body, around, out),
            Route::Refresh => self.refresh(body, around, out),
            Route::Logout => self.logout(admission, around),
            Route::CreateTask => self.create(admission, body, around, out),
            Route::Task => self.task(admission, around, out),
            // The one that comes here is a gateway whose token is not good.
            _ => Err(NO_TOKEN),
        };
        answered.unwrap_or_else(|(status, why)| {
            if (status, why) == NO_TOKEN {
                around.counters.did(Did::Unauthorized);
            }
            let _ = write!(out, "{{\"status\":{status},\"error\":\"{why}\"}}");
            status
        })
    }

    fn register(&self, body: &[u8], around: &Around<'_>, out: &mut String) -> Result<u16, Wrong> {
        let Credentials { email, password } = credentials(body)?;
        let password = self.realm.password(&email, &password);
        let number =
            self.realm.accounts.register(&email, password).map_err(|refused| match refused {
                Refused::Exists => {
                    around.counters.did(Did::UsersExisting);
                    (409, "the address is registered already")
                }
                Refused::Full => (507, "1048576 accounts are all that this target holds"),
            })?;
        around.counters.did(Did::UsersCreated);
        let _ = write!(out, "{{\"id\":{},\"email\":", u64::from(number) + 1);
        quote(&email, out);
        out.push('}');
        Ok(201)
    }

    fn login(&mut self, body: &[u8], around: &Around<'_>, out: &mut String) -> Result<u16, Wrong> {
        let Credentials { email, password } = credentials(body)?;
        let password = self.realm.password(&email, &password);
        let Some(number) = self.realm.accounts.find(&email, &password) else {
            around.counters.did(Did::LoginFailures);
            return Err((401, "no account has this address and password"));
        };
        around.counters.did(Did::Logins);
        let session = self.realm.accounts.get(number).map(super::accounts::Account::open);
        self.issue(number, session, around, out)
    }

    fn refresh(
        &mut self,
        body: &[u8],
        around: &Around<'_>,
        out: &mut String,
    ) -> Result<u16, Wrong> {
        let Refresh { refresh_token } = serde_json::from_slice(body)
            .map_err(|_| (400, "expected a JSON object with the text \\\"refreshToken\\\""))?;
        let renewed =
            tokens::read_refresh(&refresh_token, &self.realm).and_then(|(number, old)| {
                let account = self.realm.accounts.get(number)?;
                Some((number, account.renew(old)?))
            });
        let Some((number, session)) = renewed else {
            around.counters.did(Did::RefreshFailures);
            return Err((401, "the refresh token is unknown or void"));
        };
        around.counters.did(Did::Refreshes);
        self.issue(number, Some(session), around, out)
    }

    /// A pair of tokens for a session.
    fn issue(
        &mut self,
        account: u32,
        session: Option<Session>,
        around: &Around<'_>,
        out: &mut String,
    ) -> Result<u16, Wrong> {
        let Some(session) = session else { return Err(NO_TOKEN) };
        self.issued += 1;
        let life = match around.lies.due_at_token(self.issued) {
            Some(lie) => {
                around.counters.lie(lie);
                Life::Tenth
            }
            None => Life::Whole,
        };
        out.push_str("{\"accessToken\":\"");
        tokens::access(account, session, life, &self.realm, around.now, out);
        out.push_str("\",\"refreshToken\":\"");
        tokens::refresh(account, session, &self.realm, out);
        let seconds = self.realm.terms.token_life.0 / 1_000_000_000;
        let _ = write!(out, "\",\"expiresIn\":{seconds}}}");
        Ok(200)
    }

    fn logout(&self, admission: &Admission, around: &Around<'_>) -> Result<u16, Wrong> {
        let caller = admission.caller.ok_or(NO_TOKEN)?;
        self.realm.accounts.get(caller.account).ok_or(NO_TOKEN)?.end();
        around.counters.did(Did::Logouts);
        Ok(204)
    }

    fn create(
        &mut self,
        admission: &Admission,
        body: &[u8],
        around: &Around<'_>,
        out: &mut String,
    ) -> Result<u16, Wrong> {
        let caller = admission.caller.ok_or(NO_TOKEN)?;
        let new: Option<NewTask<'_>> = serde_json::from_slice(body).ok();
        let sized = |new: &NewTask<'_>| (1..=KIND_NAME_MAX).contains(&new.kind.len());
        let NewTask { kind } = new
            .filter(sized)
            .ok_or((400, "expected a JSON object with the text \\\"type\\\" of 1 to 64 bytes"))?;
        let kind = self.realm.kinds.number(&kind);
        let kind = kind.ok_or((507, "256 types of tasks are all that this target holds"))?;
        self.tasks = self.tasks.wrapping_add(1);
        let task = Task {
            made: around.now,
            account: caller.account,
            kind,
            server: self.server,
            sequence: self.tasks,
        };
        around.counters.did(Did::TasksCreated);
        out.push_str("{\"taskId\":\"");
        task.id(&self.realm).write(out);
        out.push_str("\",\"status\":\"queued\"}");
        Ok(201)
    }

    fn task(
        &self,
        admission: &Admission,
        around: &Around<'_>,
        out: &mut String,
    ) -> Result<u16, Wrong> {
        let caller = admission.caller.ok_or(NO_TOKEN)?;
        let id = admission.task.ok_or(NO_TASK)?;
        let task = Task::of(id, &self.realm).ok_or(NO_TASK)?;
        if task.account != caller.account {
            return Err((403, "the task is another account's"));
        }
        let (status, _) = task.status(self.realm.terms.task_time, around.now);
        out.push_str("{\"taskId\":\"");
        id.write(out);
        out.push_str("\",\"type\":");
        quote(self.realm.kinds.name(task.kind).unwrap_or_default(), out);
        let (name, progress) = (status.name, status.progress);
        let _ = write!(out, ",\"status\":\"{name}\",\"progress\":{progress}}}");
        Ok(200)
    }
}

fn credentials(body: &[u8]) -> Result<Credentials<'_>, Wrong> {
    let read: Credentials<'_> = serde_json::from_slice(body).map_err(|_| NO_CREDENTIALS)?;
    let fits = (1..=EMAIL_MAX).contains(&read.email.len())
        && (1..=PASSWORD_MAX).contains(&read.password.len());
    if fits { Ok(read) } else { Err(NO_CREDENTIALS) }
}
