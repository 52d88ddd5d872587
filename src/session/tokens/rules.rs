//! What the plan says about tokens, and what a reply says.

use super::life::Life;
use super::{CallKind, CallOutcome};
use crate::plan::text::UserField;
use crate::plan::{Auth, Call, Content, Place, Value};
use crate::protocol::jwt;
use crate::session::extract;
use crate::session::limits::TOKEN_BYTES_MAX;
use crate::session::share::Share;
use crate::stdx::Nanos;

/// What the plan says.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// By kind.
    calls: [Option<Call>; 4],
    refresh_by: RefreshBy,
    expires_in: Nanos,
    /// Users of this shard that are logged in ahead.
    pub(super) ahead: u32,
    /// Users of this shard that are registered ahead; all, if none is registered.
    pub(super) register_ahead: u32,
}

/// What a renewal needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefreshBy {
    /// The refresh token.
    RefreshToken,
    /// The token itself, as long as it is good.
    Token,
    /// That there has been a token.
    Nothing,
}

/// What a call has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Took {
    /// A token.
    Token,
    /// A status that is fine, no token.
    Accepted {
        /// It.
        status: u16,
    },
    /// Nothing.
    Nothing,
}

impl Rules {
    pub(super) fn new(auth: &Auth, share: Share) -> Self {
        let speaks_of = |field: UserField| {
            auth.refresh.as_ref().is_some_and(|call| speaks_of(&call.request.content, field))
        };
        let refresh_by = if speaks_of(UserField::RefreshToken) {
            RefreshBy::RefreshToken
        } else if speaks_of(UserField::Token) {
            RefreshBy::Token
        } else {
            RefreshBy::Nothing
        };
        let login = Some(auth.login.clone());
        let calls = [auth.register.clone(), login, auth.refresh.clone(), auth.logout.clone()];
        let ahead = share.of_first(auth.ahead);
        let register_ahead = match auth.register {
            Some(_) => share.of_first(auth.register_ahead),
            None => share.count,
        };
        Self { calls, refresh_by, expires_in: auth.expires_in, ahead, register_ahead }
    }

    pub(super) fn call(&self, kind: CallKind) -> Option<&Call> {
        self.calls[kind as usize].as_ref()
    }

    /// The call that gives a user its next token, or leads to it.
    pub(super) fn kind(&self, life: &Life, now: Nanos) -> CallKind {
        if life.is_new {
            return CallKind::Register;
        }
        let can_refresh = match self.refresh_by {
            RefreshBy::RefreshToken => !life.refresh.is_empty(),
            RefreshBy::Token => life.is_good(now),
            RefreshBy::Nothing => life.generation > 0,
        };
        if can_refresh && !life.must_log_in && self.call(CallKind::Refresh).is_some() {
            CallKind::Refresh
        } else {
            CallKind::Login
        }
    }

    /// Takes out of a reply what belongs to the user.
    pub(super) fn take(
        &self,
        life: &mut Life,
        kind: CallKind,
        outcome: CallOutcome<'_>,
        now: Nanos,
        wall_ms: u64,
    ) -> Took {
        let CallOutcome::Reply { status, body } = outcome else { return Took::Nothing };
        if !self.call(kind).is_some_and(|call| call.takes(status)) {
            return Took::Nothing;
        }
        let mut buffer = String::new();
        let place = self.place(kind, |call| call.token.as_ref());
        let token = place.and_then(|place| text(body, place, &mut buffer));
        let Some(token) = token else { return Took::Accepted { status } };
        let span = self.span(kind, body, token, wall_ms);
        life.renew(token, span, now);
        let place = self.place(kind, |call| call.refresh_token.as_ref());
        if let Some(refresh) = place.and_then(|place| text(body, place, &mut buffer)) {
            life.refresh = refresh.into();
        }
        Took::Token
    }

    /// Where something stands in the reply to a call; a renewal's reply is like a login's unless
    /// the plan says otherwise.
    fn place(&self, kind: CallKind, of: impl Fn(&Call) -> Option<&Place>) -> Option<&Place> {
        let own = self.call(kind).and_then(&of);
        let like_login = kind == CallKind::Refresh;
        own.or_else(|| self.call(CallKind::Login).filter(|_| like_login).and_then(&of))
    }

    /// The life of a new token: what the reply says, else the token, else the plan. A moment that
    /// has passed says that the target's clock is not ours, not that the token is dead.
    fn span(&self, kind: CallKind, body: &[u8], token: &str, wall_ms: u64) -> Nanos {
        let place = self.place(kind, |call| call.expires.as_ref());
        let mut buffer = String::new();
        let seconds = place.and_then(|place| text(body, place, &mut buffer)?.parse::<f64>().ok());
        if let Some(seconds) = seconds.filter(|seconds| *seconds > 0.0) {
            let span = std::time::Duration::try_from_secs_f64(seconds);
            return span.map_or(Nanos::MAX, Nanos::from);
        }
        let expiry_ms = jwt::expiry(token).map(|seconds| seconds.saturating_mul(1_000));
        let left_ms = expiry_ms.and_then(|ms| ms.checked_sub(wall_ms)).filter(|ms| *ms > 0);
        left_ms.map_or(self.expires_in, Nanos::from_millis)
    }
}

/// A text of a reply that may be a token.
fn text<'b>(body: &'b [u8], place: &Place, buffer: &'b mut String) -> Option<&'b str> {
    let text = extract::find(body, place)?.text(buffer)?;
    (1..=TOKEN_BYTES_MAX).contains(&text.len()).then_some(text)
}

/// Whether a request holds a field of its user.
fn speaks_of(content: &Content, field: UserField) -> bool {
    let Content::Made { head, body } = content else { return false };
    let mut is_it = |value: &Value| *value == Value::User(field);
    head.values().chain(body.iter().flat_map(|body| body.values())).any(|it| it.any(&mut is_it))
}
