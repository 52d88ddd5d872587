//! The words of an expression, each with where it stands in its text.

use std::ops::Range;

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Number(f64),
    Text(String),
    /// An operator or a bracket, as it is written.
    Sign(&'static str),
}

/// What cannot be read, in which range.
pub(super) struct Unreadable {
    pub(super) range: Range<usize>,
    pub(super) what: String,
}

/// The longer ones first.
const SIGNS: [&str; 17] =
    ["||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ",", ".", "&&"];

/// All words of the text.
pub(super) fn lex(text: &str) -> Result<Vec<(Token, Range<usize>)>, Unreadable> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        let wrong = |len: usize, what: String| Unreadable { range: at..at + len, what };
        let (token, len) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '\'' | '"' => {
                let inner = rest.get(1..).unwrap_or_default();
                let Some(end) = inner.find(first) else {
                    return Err(wrong(rest.len(), "a text without its closing quote".to_owned()));
                };
                (Token::Text(inner.get(..end).unwrap_or_default().to_owned()), end + 2)
            }
            '0'..='9' => {
                let len = span(rest, |each| each.is_ascii_alphanumeric() || each == '.');
                let digits = rest.get(..len).unwrap_or_default();
                let number = digits.parse().ok().filter(|number: &f64| number.is_finite());
                let decimal = digits.chars().all(|each| each.is_ascii_digit() || each == '.');
                match number {
                    Some(number) if decimal => (Token::Number(number), len),
                    Some(_) | None => return Err(wrong(len, format!("'{digits}' is no number"))),
                }
            }
            _ if first.is_ascii_alphabetic() || first == '_' => {
                let len = span(rest, |each| each.is_ascii_alphanumeric() || each == '_');
                (Token::Name(rest.get(..len).unwrap_or_default().to_owned()), len)
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => {
                    let what = format!("'{first}' has no meaning in an expression");
                    return Err(wrong(first.len_utf8(), what));
                }
            },
        };
        tokens.push((token, at..at + len));
        at += len;
    }
    Ok(tokens)
}

fn span(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|each| !belongs(each)).unwrap_or(text.len())
}
