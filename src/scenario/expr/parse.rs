//! The grammar: `or` of comparisons of sums of products of names, calls and literals.

use std::ops::Range;

use super::lex::{Token, lex};
use super::{Choice, Expr, Function, Operator, UserField};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::limits::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX};
use crate::scenario::place::{Span, Spanned};
use crate::scenario::suggest::nearest;

const HELP: &str = "values are user.email, tasks.any, a saved name, 5, 'text', uuid(); operators \
                    are || for what stands in, + - * / % and == != < <= > >=";

/// The expression in `text`; `place` says where a part of it stands in the file.
pub(crate) fn parse(
    text: &str,
    place: &dyn Fn(Range<usize>) -> Span,
) -> Result<Spanned<Expr>, Diagnostic> {
    if text.len() > EXPRESSION_BYTES_MAX {
        let what = format!("an expression of {} bytes", text.len());
        let most = format!("at most {EXPRESSION_BYTES_MAX} bytes");
        return Err(Diagnostic::new(place(0..text.len()), what, most).help("say it in parts"));
    }
    let tokens = lex(text)
        .map_err(|it| Diagnostic::new(place(it.range), it.what, "an expression").help(HELP))?;
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.len(), depth: 0, place };
    let expr = parser.or()?;
    match parser.tokens.get(parser.at) {
        None => Ok(expr),
        Some((token, range)) => {
            let what = format!("{} behind a whole expression", described(token));
            Err(parser.wrong(range.clone(), what, "an operator, or the end"))
        }
    }
}

struct Parser<'a> {
    tokens: &'a [(Token, Range<usize>)],
    at: usize,
    end: usize,
    depth: usize,
    place: &'a dyn Fn(Range<usize>) -> Span,
}

type Parsed = Result<Spanned<Expr>, Diagnostic>;

const COMPARISONS: &[&str] = &["==", "!=", "<=", ">=", "<", ">"];
const SUMS: &[&str] = &["+", "-"];
const PRODUCTS: &[&str] = &["*", "/", "%"];

impl Parser<'_> {
    fn or(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            let what = format!("more than {EXPRESSION_DEPTH_MAX} levels of brackets");
            return Err(self.wrong(self.here(), what, "fewer brackets"));
        }
        let mut left = self.level(&[COMPARISONS, SUMS, PRODUCTS])?;
        while self.take("||") {
            let right = self.level(&[COMPARISONS, SUMS, PRODUCTS])?;
            let span = Span { start: left.span.start, end: right.span.end };
            left = Spanned::new(Expr::Or(Box::new(left), Box::new(right)), span);
        }
        self.depth -= 1;
        Ok(left)
    }

    /// Operators of the first level, between what the other levels give.
    fn level(&mut self, levels: &[&[&str]]) -> Parsed {
        let Some((signs, higher)) = levels.split_first() else { return self.operand() };
        let mut left = self.level(higher)?;
        while let Some(operator) = self.operator(signs) {
            let right = self.level(higher)?;
            let span = Span { start: left.span.start, end: right.span.end };
            left = Spanned::new(Expr::Binary(operator, Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn operator(&mut self, signs: &[&str]) -> Option<Operator> {
        let sign = signs.iter().find(|sign| self.take(sign))?;
        Operator::of(sign)
    }

    fn operand(&mut self) -> Parsed {
        let Some((token, range)) = self.tokens.get(self.at).cloned() else {
            return Err(self.wrong(self.here(), "the expression ends here".to_owned(), "a value"));
        };
        self.at += 1;
        let expr = match token {
            Token::Text(text) => Expr::Text(text),
            Token::Number(number) => Expr::Number(number),
            Token::Name(name) => return self.name(name, range),
            Token::Sign("(") => {
                let inner = self.or()?;
                self.close(&range)?;
                return Ok(inner);
            }
            Token::Sign("-") => match self.tokens.get(self.at) {
                Some((Token::Number(number), _)) => {
                    self.at += 1;
                    Expr::Number(-number)
                }
                Some(_) | None => {
                    return Err(self.wrong(range, "'-' before no number".to_owned(), "a number"));
                }
            },
            Token::Sign(_) => {
                return Err(self.wrong(
                    range,
                    format!("{} has no value", described(&token)),
                    "a value",
                ));
            }
        };
        let end = self.before().end;
        Ok(Spanned::new(expr, (self.place)(range.start..end)))
    }

    /// A name alone, with a field, or with arguments.
    fn name(&mut self, name: String, range: Range<usize>) -> Parsed {
        if self.take("(") {
            return self.call(&name, range);
        }
        let spanned = Spanned::new(name, (self.place)(range.clone()));
        if !self.take(".") {
            if spanned.value == "user" {
                return Err(self.field(range, "'user' without a field", UserField::WORDS, None));
            }
            let span = spanned.span;
            return Ok(Spanned::new(Expr::Name(spanned), span));
        }
        let Some((Token::Name(field), at)) = self.tokens.get(self.at).cloned() else {
            return Err(self.wrong(self.here(), "nothing behind the dot".to_owned(), "a name"));
        };
        self.at += 1;
        let span = (self.place)(range.start..at.end);
        let unknown = format!("'{}' has no '{field}'", spanned.value);
        if spanned.value == "user" {
            let Some(field) = UserField::of(&field) else {
                return Err(self.field(at, &unknown, UserField::WORDS, Some(&field)));
            };
            return Ok(Spanned::new(Expr::User(field), span));
        }
        let Some(choice) = Choice::of(&field) else {
            if UserField::of(&field).is_some() {
                let meant = format!("user.{field}");
                let diagnostic = self.wrong(range, unknown, "'user'");
                return Err(diagnostic.did_you_mean(Some(&meant)));
            }
            return Err(self.field(at, &unknown, Choice::WORDS, Some(&field)));
        };
        Ok(Spanned::new(Expr::Pool { name: spanned, choice }, span))
    }

    fn field<T>(
        &self,
        at: Range<usize>,
        what: &str,
        words: &'static [(&'static str, T)],
        found: Option<&str>,
    ) -> Diagnostic {
        let names = words.iter().map(|(name, _)| *name);
        let list = names.clone().collect::<Vec<_>>().join(", ");
        let near = found.and_then(|found| nearest(found, names));
        self.wrong(at, what.to_owned(), &format!("one of {list}")).did_you_mean(near)
    }

    fn call(&mut self, name: &str, range: Range<usize>) -> Parsed {
        let Some(function) = Function::of(name) else {
            let what = format!("there is no function '{name}'");
            return Err(self.field(range, &what, Function::WORDS, Some(name)));
        };
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.or()?);
                if !self.take(",") {
                    break;
                }
            }
            self.close(&range)?;
        }
        let whole = range.start..self.before().end;
        let (wanted, example) = function.arguments();
        if arguments.len() != wanted {
            let s = if wanted == 1 { "" } else { "s" };
            let what = format!("{name} takes {wanted} argument{s}, not {}", arguments.len());
            return Err(Diagnostic::new((self.place)(whole), what, format!("as in {example}")));
        }
        Ok(Spanned::new(Expr::Call { function, arguments }, (self.place)(whole)))
    }

    fn close(&mut self, open: &Range<usize>) -> Result<(), Diagnostic> {
        if self.take(")") {
            return Ok(());
        }
        let what = "a bracket is not closed".to_owned();
        Err(self.wrong(self.here(), what, "')'").also((self.place)(open.clone()), "opened here"))
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some((Token::Sign(it), _)) if *it == sign);
        self.at += usize::from(found);
        found
    }

    fn here(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |(_, range)| range.clone())
    }

    fn before(&self) -> Range<usize> {
        let token = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        token.map_or(0..0, |(_, range)| range.clone())
    }

    fn wrong(&self, range: Range<usize>, what: String, expected: &str) -> Diagnostic {
        Diagnostic::new((self.place)(range), what, expected).help(HELP)
    }
}

fn described(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("'{name}'"),
        Token::Number(number) => format!("'{number}'"),
        Token::Text(text) => format!("the text '{text}'"),
        Token::Sign(sign) => format!("'{sign}'"),
    }
}
