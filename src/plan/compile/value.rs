//! Expressions and the texts around them.

use super::Compiler;
use crate::plan::{Encoding, Function, Text, Value};
use crate::scenario::{self, Choice, Diagnostic, Expr, Part, Span, Spanned, Template};

/// Longest text that `random_string` makes: what fits a URL or a header of most servers.
const RANDOM_TEXT_MAX: f64 = 65_536.0;

impl Compiler<'_> {
    /// A text; what is fixed in it stands as it is.
    pub(super) fn text(&mut self, template: &Template, encoding: Encoding) -> Option<Text> {
        self.encoded(template, encoding, &|text, out| out.push(text.as_bytes()))
    }

    /// A text; what is fixed in it is written by `fixed`.
    pub(super) fn encoded(
        &mut self,
        template: &Template,
        encoding: Encoding,
        fixed: &dyn Fn(&str, &mut Text),
    ) -> Option<Text> {
        let mut text = Text::default();
        let mut whole = true;
        for part in &template.parts {
            match part {
                Part::Text(part) => fixed(part, &mut text),
                Part::Secret(secret) => fixed(secret.expose(), &mut text),
                Part::Expr(expr) => match self.value(expr) {
                    Some(value) => text.push_value(value, encoding),
                    None => whole = false,
                },
            }
        }
        whole.then_some(text)
    }

    /// What an expression computes.
    pub(super) fn value(&mut self, expr: &Spanned<Expr>) -> Option<Value> {
        Some(match &expr.value {
            Expr::Text(text) => Value::Text(text.as_str().into()),
            Expr::Number(number) => Value::Number(*number),
            Expr::User(field) => Value::User(*field),
            Expr::Name(name) => match self.pool(&name.value) {
                Some(pool) => Value::Pool(pool, Choice::Any),
                None => Value::Variable(self.variable(&name.value, name.span)),
            },
            Expr::Pool { name, choice } => Value::Pool(self.pool(&name.value)?, *choice),
            Expr::Call { function, arguments } => {
                Value::Call(self.function(*function, arguments, expr.span)?)
            }
            Expr::Or(left, right) => Value::Or(Box::new(self.pair(left, right)?)),
            Expr::Binary(operator, left, right) => {
                Value::Binary(*operator, Box::new(self.pair(left, right)?))
            }
        })
    }

    fn pair(&mut self, left: &Spanned<Expr>, right: &Spanned<Expr>) -> Option<(Value, Value)> {
        let (left, right) = (self.value(left), self.value(right));
        Some((left?, right?))
    }

    fn function(
        &mut self,
        function: scenario::Function,
        arguments: &[Spanned<Expr>],
        place: Span,
    ) -> Option<Function> {
        use scenario::Function as Word;
        match (function, arguments) {
            (Word::Uuid, []) => Some(Function::Uuid),
            (Word::Now, []) => Some(Function::Now),
            (Word::Sequence, []) => Some(Function::Sequence),
            (Word::Pick, [list]) => self.pick(list),
            (Word::RandomInt, [least, most]) => self.random_int(least, most, place),
            (Word::RandomString, [length]) => {
                if let Expr::Number(number) = length.value
                    && !(1.0..=RANDOM_TEXT_MAX).contains(&number)
                {
                    let what = format!("a random text of {number} characters");
                    let expected = format!("a length from 1 to {RANDOM_TEXT_MAX}");
                    self.add(Diagnostic::new(length.span, what, expected));
                    return None;
                }
                Some(Function::RandomString(Box::new(self.value(length)?)))
            }
            (Word::Base36, [number]) => Some(Function::Base36(Box::new(self.value(number)?))),
            (function, _) => {
                let (_, example) = function.arguments();
                let what = "a function with other arguments than it takes";
                self.add(Diagnostic::new(place, what, example));
                None
            }
        }
    }

    fn pick(&mut self, list: &Spanned<Expr>) -> Option<Function> {
        let Expr::Name(name) = &list.value else {
            let what = "pick takes the name of a list of data";
            let help = "declare the list at the top: data: {words: [one, two]}";
            self.add(Diagnostic::new(list.span, what, "a name under 'data'").help(help));
            return None;
        };
        let at = self.scenario.data.iter().position(|list| list.name.value == name.value)?;
        u16::try_from(at).ok().map(Function::Pick)
    }

    fn random_int(
        &mut self,
        least: &Spanned<Expr>,
        most: &Spanned<Expr>,
        place: Span,
    ) -> Option<Function> {
        if let (Expr::Number(from), Expr::Number(to)) = (&least.value, &most.value)
            && from > to
        {
            let what = format!("random_int from {from} to {to} is backwards");
            let help = format!("write random_int({to}, {from})");
            self.add(Diagnostic::new(place, what, "the smaller one first").help(help));
        }
        self.pair(least, most).map(|pair| Function::RandomInt(Box::new(pair)))
    }
}
