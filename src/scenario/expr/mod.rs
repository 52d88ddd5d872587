//! Expressions of the run: `${user.email}`, `${pick(urls)}`, `${tasks.any || uuid()}`.
//!
//! Parsed here, with errors at their very column; what the names stand for is the plan's business.

mod lex;
mod parse;
mod show;
mod template;

use super::place::Spanned;
pub(super) use parse::parse;
pub use template::{Part, Secret, Template};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A text in quotes.
    Text(String),
    /// A number.
    Number(f64),
    /// A field of the user at hand.
    User(UserField),
    /// A name by itself: something saved before, or a row of data.
    Name(Spanned<String>),
    /// An id out of a pool.
    Pool {
        /// The pool.
        name: Spanned<String>,
        /// Which of its ids.
        choice: Choice,
    },
    /// A function of arguments.
    Call {
        /// Which.
        function: Function,
        /// As many as it takes.
        arguments: Vec<Spanned<Self>>,
    },
    /// The left one if there is such a thing, else the right one: `a || b`.
    Or(Box<Spanned<Self>>, Box<Spanned<Self>>),
    /// Two values with an operator between them.
    Binary(Operator, Box<Spanned<Self>>, Box<Spanned<Self>>),
}

/// Words of the language, each with its name in files.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All, with the words for them.
            pub const WORDS: &[(&'static str, Self)] = &[$(($word, Self::$variant)),*];

            /// The one with that word.
            #[must_use]
            pub fn of(word: &str) -> Option<Self> {
                Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
            }
        }
    };
}

words! {
    /// What is known of a user.
    UserField {
        /// Its number within its group, from 1.
        Number = "n",
        /// Its number among all users, from 0.
        Index = "index",
        /// `user-N`.
        Id = "id",
        /// Its address.
        Email = "email",
        /// Its password.
        Password = "password",
        /// Its group's role.
        Role = "role",
        /// Its group's name.
        Group = "group",
        /// What it was given at login.
        Token = "token",
        /// What renews the token.
        RefreshToken = "refresh_token",
    }
}

words! {
    /// Which id of a pool.
    Choice {
        /// Any, the user's own first.
        Any = "any",
        /// The newest of the user's own.
        Last = "last",
        /// The oldest of the user's own.
        First = "first",
        /// Any of another user: to see that it is refused.
        Foreign = "foreign",
    }
}

words! {
    /// A function.
    Function {
        /// One of a list of data.
        Pick = "pick",
        /// A whole number between two, both included.
        RandomInt = "random_int",
        /// A random UUID.
        Uuid = "uuid",
        /// Milliseconds since 1970.
        Now = "now",
        /// The number of the request or message in the run.
        Sequence = "sequence",
        /// So many random letters and digits.
        RandomString = "random_string",
        /// A whole number in base 36.
        Base36 = "base36",
    }
}

words! {
    /// What stands between two values.
    Operator {
        /// Equal.
        Equal = "==",
        /// Not equal.
        NotEqual = "!=",
        /// At most.
        AtMost = "<=",
        /// At least.
        AtLeast = ">=",
        /// Less.
        Less = "<",
        /// More.
        More = ">",
        /// The sum.
        Plus = "+",
        /// The difference.
        Minus = "-",
        /// The product.
        Times = "*",
        /// The quotient.
        Over = "/",
        /// What a division leaves.
        Modulo = "%",
    }
}

impl Function {
    /// How many arguments it takes, and how that is written.
    #[must_use]
    pub const fn arguments(self) -> (usize, &'static str) {
        match self {
            Self::Pick => (1, "pick(data)"),
            Self::RandomInt => (2, "random_int(1, 6)"),
            Self::Uuid => (0, "uuid()"),
            Self::Now => (0, "now()"),
            Self::Sequence => (0, "sequence()"),
            Self::RandomString => (1, "random_string(8)"),
            Self::Base36 => (1, "base36(now())"),
        }
    }
}
