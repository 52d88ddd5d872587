//! Expressions as people read them: in the names of steps that have none of their own.

use std::fmt;

use super::{Choice, Expr, Function, Operator, UserField};
use crate::scenario::place::Spanned;

impl fmt::Display for Expr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(out, "'{text}'"),
            Self::Number(number) => write!(out, "{number}"),
            Self::User(field) => write!(out, "user.{}", word(UserField::WORDS, *field)),
            Self::Name(name) => write!(out, "{}", name.value),
            Self::Pool { name, choice } => {
                write!(out, "{}.{}", name.value, word(Choice::WORDS, *choice))
            }
            Self::Call { function, arguments } => {
                write!(out, "{}(", word(Function::WORDS, *function))?;
                for (at, argument) in arguments.iter().enumerate() {
                    write!(out, "{}{}", if at == 0 { "" } else { ", " }, argument.value)?;
                }
                write!(out, ")")
            }
            Self::Or(left, right) => write!(out, "{} || {}", left.value, right.value),
            Self::Binary(operator, left, right) => {
                inner(out, left)?;
                write!(out, " {} ", word(Operator::WORDS, *operator))?;
                inner(out, right)
            }
        }
    }
}

/// One side of an operator: what has an operator itself stands in parentheses.
fn inner(out: &mut fmt::Formatter<'_>, side: &Spanned<Expr>) -> fmt::Result {
    match &side.value {
        Expr::Or(..) | Expr::Binary(..) => write!(out, "({})", side.value),
        value => write!(out, "{value}"),
    }
}

fn word<T: PartialEq>(words: &[(&'static str, T)], wanted: T) -> &'static str {
    words.iter().find(|(_, each)| *each == wanted).map_or("", |(word, _)| word)
}
