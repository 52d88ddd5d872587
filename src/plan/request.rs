//! A request of the plan: its bytes or what they are made from, and what is asked of its reply.

use std::sync::Arc;

use super::{Expect, Save, Text, Value};
use crate::protocol::http::{self, ReplyTo, Reuse};
use crate::stdx::Nanos;

pub use crate::scenario::UserField;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name in results.
    pub name: String,
    /// What its operations are recorded under: an index into the plan's leaves.
    pub leaf: u16,
    /// Which of the plan's targets it goes to.
    pub target: u16,
    /// Which of its session's connections carries it.
    pub channel: u8,
    /// Its bytes, or what they are made from.
    pub content: Content,
    /// How its reply is framed.
    pub reply_to: ReplyTo,
    /// Whether the connection can serve again, as far as the request decides it.
    pub reuse: Reuse,
    /// From the beginning of the attempt until the reply has ended.
    pub timeout: Nanos,
    /// What must be true of the reply.
    pub expect: Expect,
    /// What is kept of the reply.
    pub saves: Vec<Save>,
    /// Whether a reply of status 201 has created something that is counted (`tasks_created`).
    pub creates: bool,
}

/// The bytes of a request.
#[derive(Clone, Debug)]
pub enum Content {
    /// The same each time.
    Fixed(Arc<[u8]>),
    /// Made each time.
    Made {
        /// Request line and headers, each with its end of line; neither the length of the body
        /// nor the empty line at the end.
        head: Text,
        /// What stands behind the empty line, with its length in the head; none is a request
        /// without a body and without a length.
        body: Option<Text>,
    },
}

impl Request {
    /// One that is the same each time and of whose reply nothing is asked.
    #[must_use]
    pub fn fixed(name: String, leaf: u16, request: &http::Request, timeout: Nanos) -> Self {
        Self {
            name,
            leaf,
            target: 0,
            channel: 0,
            content: Content::Fixed(request.bytes().clone()),
            reply_to: request.reply_to(),
            reuse: request.reuse,
            timeout,
            expect: Expect::default(),
            saves: Vec::new(),
            creates: false,
        }
    }

    /// Whether anything reads the body of its reply.
    #[must_use]
    pub const fn reads_body(&self) -> bool {
        !self.saves.is_empty() || !self.expect.json.is_empty()
    }

    /// Whether it can be made only for a user who has a token.
    #[must_use]
    pub fn needs_token(&self) -> bool {
        let Content::Made { head, body } = &self.content else { return false };
        needs_token(head) || body.as_ref().is_some_and(needs_token)
    }
}

/// Whether a text holds a token of its user.
#[must_use]
pub fn needs_token(text: &Text) -> bool {
    let is_token =
        |value: &Value| matches!(value, Value::User(UserField::Token | UserField::RefreshToken));
    text.values().any(|value| value.any(&mut { is_token }))
}
