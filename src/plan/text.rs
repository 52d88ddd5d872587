//! Texts with values in them, compiled: what a request or a message is made from each time.

use std::fmt;

pub use crate::scenario::{Choice, Operator, UserField};

/// A text in pieces.
#[derive(Clone, Default, PartialEq)]
pub struct Text {
    /// In order; no two fixed ones follow each other.
    pub pieces: Vec<Piece>,
}

/// A piece of a text.
#[derive(Clone, PartialEq)]
pub enum Piece {
    /// The same each time. May hold secrets.
    Fixed(Box<[u8]>),
    /// Made each time.
    Made(Value, Encoding),
}

/// How a value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Raw,
    /// As JSON: a number is a number, a text has quotes.
    Json,
    /// As a part of a text in JSON: escaped, without quotes (RFC 8259 section 7).
    JsonText,
    /// As a part of a URL: all but unreserved characters percent-encoded (RFC 3986 section 2.3).
    Percent,
    /// As a part of a header's value: control characters are left out, so that none can begin
    /// another header.
    Header,
}

/// What is computed anew each time.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(Box<str>),
    /// A number.
    Number(f64),
    /// A field of the session's user.
    User(UserField),
    /// What the session saved, by index into the plan's variables.
    Variable(u16),
    /// An id out of a pool, by index into the plan's pools.
    Pool(u16, Choice),
    /// A function of others.
    Call(Function),
    /// The first if there is such a thing, else the second.
    Or(Box<(Self, Self)>),
    /// Two with an operator between them.
    Binary(Operator, Box<(Self, Self)>),
}

/// A function, with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// One of a list of the plan's.
    Pick(u16),
    /// A whole number between two, both included.
    RandomInt(Box<(Value, Value)>),
    /// A random UUID (RFC 9562, version 4).
    Uuid,
    /// Milliseconds since 1970.
    Now,
    /// The number of the operation in the run; nothing where there is none, as in a condition.
    Sequence,
    /// So many random letters and digits.
    RandomString(Box<Value>),
    /// A whole number in base 36.
    Base36(Box<Value>),
}

/// A list of values, each as compact JSON: a text has quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Its name.
    pub name: String,
    /// At least one.
    pub values: Vec<serde_json::Value>,
}

/// Ids that replies gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// How many are kept for each user; the oldest leave.
    pub keep: u32,
}

impl Text {
    /// A text without values.
    #[must_use]
    pub fn fixed(text: impl Into<Vec<u8>>) -> Self {
        let bytes = text.into();
        let pieces = if bytes.is_empty() { Vec::new() } else { vec![Piece::Fixed(bytes.into())] };
        Self { pieces }
    }

    /// The bytes, if it has no values.
    #[must_use]
    pub fn as_fixed(&self) -> Option<&[u8]> {
        match self.pieces.as_slice() {
            [] => Some(&[]),
            [Piece::Fixed(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// Appends fixed bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Some(Piece::Fixed(last)) = self.pieces.last_mut() {
            *last = [last, bytes].concat().into();
        } else {
            self.pieces.push(Piece::Fixed(bytes.into()));
        }
    }

    /// Appends a value.
    pub fn push_value(&mut self, value: Value, encoding: Encoding) {
        self.pieces.push(Piece::Made(value, encoding));
    }

    /// Appends another text.
    pub fn append(&mut self, other: Self) {
        for piece in other.pieces {
            match piece {
                Piece::Fixed(bytes) => self.push(&bytes),
                Piece::Made(value, encoding) => self.push_value(value, encoding),
            }
        }
    }

    /// All values of it, those inside of others included.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Fixed(_) => None,
            Piece::Made(value, _) => Some(value),
        })
    }
}

impl Value {
    /// Whether it, or one that it is made of, holds for the question.
    pub fn any(&self, question: &mut dyn FnMut(&Self) -> bool) -> bool {
        if question(self) {
            return true;
        }
        match self {
            Self::Or(pair) | Self::Binary(_, pair) => pair.0.any(question) || pair.1.any(question),
            Self::Call(Function::RandomInt(pair)) => pair.0.any(question) || pair.1.any(question),
            Self::Call(Function::RandomString(inner) | Function::Base36(inner)) => {
                inner.any(question)
            }
            Self::Text(_)
            | Self::Number(_)
            | Self::User(_)
            | Self::Variable(_)
            | Self::Pool(..)
            | Self::Call(Function::Pick(_) | Function::Uuid)
            | Self::Call(Function::Now | Function::Sequence) => false,
        }
    }
}

impl fmt::Debug for Text {
    /// Without the fixed bytes: they may hold secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(&self.pieces).finish()
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(bytes) => write!(out, "{} bytes", bytes.len()),
            Self::Made(value, encoding) => write!(out, "{value:?} as {encoding:?}"),
        }
    }
}
