//! Quantities, words and texts: each as the table of keys shapes it.

use super::{Fields, Reader};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expr::{self, Expr, Template};
use crate::scenario::keys::{PACE, PAUSE, Shape};
use crate::scenario::limits::{CONNECTIONS_MAX, QUANTILES_MAX};
use crate::scenario::model::{Amount, Answer, JsonPath, Pace, Statuses, Think, ThinkTimes};
use crate::scenario::place::Spanned;
use crate::scenario::suggest::nearest;
use crate::scenario::tree::{Node, Scalar, Value};
use crate::stdx::Nanos;
use crate::stdx::units::{self, Rate, UnitError};

impl Reader<'_> {
    /// A text that is known now and may be shown.
    pub(super) fn text_of(&mut self, node: &Node, shape: &Shape) -> Option<Spanned<String>> {
        let scalar = self.scalar(node, shape)?;
        if scalar.is_secret() {
            let what = "a secret in a text that results show";
            let help = "secrets belong into passwords, headers and bodies";
            self.add(Diagnostic::new(node.span, what, shape.expected()).help(help));
            return None;
        }
        let template = Template::read(scalar, self.problems)?;
        let Some(text) = template.fixed() else {
            let what = "an expression in a text that must be known before the run";
            let help =
                "${NAME} in capitals is a variable of the environment; '$${' is the text '${'";
            self.add(Diagnostic::new(node.span, what, shape.expected()).help(help));
            return None;
        };
        if text.is_empty() {
            self.add(Diagnostic::new(node.span, "an empty text", shape.expected()));
            return None;
        }
        Some(Spanned::new(text.to_owned(), node.span))
    }

    pub(super) fn text(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<String>> {
        self.keyed(fields, name, Self::text_of)
    }

    /// A text that is known now, and may be secret.
    pub(super) fn hidden(&mut self, fields: &Fields<'_>, name: &str) -> Option<Template> {
        self.keyed(fields, name, |reader, node, shape| {
            let template = reader.template(node)?;
            if template.parts.iter().any(|part| matches!(part, expr::Part::Expr(_))) {
                let what = "an expression in a text that must be known before the run";
                let help = "use ${NAME} or ${secret:NAME} in capitals for the environment";
                reader.add(Diagnostic::new(node.span, what, shape.expected()).help(help));
                return None;
            }
            Some(template)
        })
    }

    pub(super) fn address(&mut self, node: &Node) -> Option<Spanned<String>> {
        const SCHEMES: [&str; 6] = ["http", "https", "ws", "wss", "postgres", "postgresql"];
        let url = self.text_of(node, &Shape::Address)?;
        let host = url.value.split_once("://").filter(|(scheme, _)| SCHEMES.contains(scheme));
        let host = host.map(|(_, rest)| rest.split('/').next().unwrap_or_default());
        let well = host.is_some_and(|it| !it.is_empty() && !it.contains(char::is_whitespace));
        if !well {
            let schemes = SCHEMES.map(|scheme| format!("{scheme}://")).join(", ");
            let help = format!("an address begins with one of {schemes}, then the host");
            let what = format!("'{}' is no address", url.value);
            self.add(Diagnostic::new(node.span, what, Shape::Address.expected()).help(help));
        }
        well.then_some(url)
    }

    /// An expression by itself, with or without `${}` around it.
    pub(super) fn condition(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<Expr>> {
        let scalar = self.scalar(fields.get(name)?, fields.shape(name))?;
        let text = scalar.text.as_str();
        let braced = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let (inner, skip) = braced.map_or((text, 0), |inner| (inner, 2));
        let place =
            |range: std::ops::Range<usize>| scalar.place(skip + range.start..skip + range.end);
        let parsed = if scalar.is_secret() {
            Err(Diagnostic::new(place(0..inner.len()), "a secret in a condition", "an expression"))
        } else {
            expr::parse(inner, &place)
        };
        let expr = parsed.map_err(|diagnostic| self.add(diagnostic)).ok()?;
        self.names.note_expr(&expr);
        Some(expr)
    }

    /// A quantity by its own reader, and within what its shape allows.
    pub(super) fn quantity<T>(
        &mut self,
        node: &Node,
        shape: &Shape,
        read: impl Fn(&str) -> Result<T, UnitError>,
    ) -> Option<Spanned<T>> {
        let scalar = self.scalar(node, shape)?;
        if scalar.is_secret() || scalar.text.contains("${") {
            self.wrong(node, shape);
            return None;
        }
        match read(&scalar.text) {
            Ok(value) => Some(Spanned::new(value, node.span)),
            Err(error) => {
                self.misread(node, scalar, shape, &error);
                None
            }
        }
    }

    fn misread(&mut self, node: &Node, scalar: &Scalar, shape: &Shape, error: &UnitError) {
        let shown = scalar.shown();
        let diagnostic = match error {
            _ if scalar.text.starts_with('-') => {
                let what = format!("'{shown}' is negative");
                Diagnostic::new(node.span, what, shape.expected())
            }
            UnitError::NoNumber(..) => return self.wrong(node, shape),
            UnitError::UnknownUnit(_, unit, _) => {
                let what = format!("'{shown}' has the unknown unit '{unit}'");
                Diagnostic::new(node.span, what, shape.expected())
            }
            UnitError::TooLarge(_, largest) => {
                let what = format!("'{shown}' is too large");
                Diagnostic::new(node.span, what, shape.expected())
                    .help(format!("the largest is {largest}"))
            }
        };
        self.add(diagnostic);
    }

    pub(super) fn count_of(&mut self, node: &Node, shape: &Shape) -> Option<Spanned<u64>> {
        let count = self.quantity(node, shape, units::count)?;
        let Shape::Count(least, most) = shape else { return Some(count) };
        if (*least..=*most).contains(&count.value) {
            return Some(count);
        }
        let side = if count.value < *least { "too small" } else { "too large" };
        let what = format!("{} is {side}", count.value);
        self.add(Diagnostic::new(node.span, what, shape.expected()));
        None
    }

    pub(super) fn count(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<u64>> {
        self.keyed(fields, name, Self::count_of)
    }

    pub(super) fn duration(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<Nanos>> {
        self.keyed(fields, name, |reader, node, shape| {
            reader.quantity(node, shape, units::duration)
        })
    }

    /// A duration that is more than none.
    pub(super) fn lasting(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<Nanos>> {
        self.keyed(fields, name, |reader, node, shape| {
            let duration = reader.quantity(node, shape, units::duration)?;
            if duration.value == Nanos::ZERO {
                let what = format!("{} is no time at all", node.described());
                reader.add(Diagnostic::new(duration.span, what, "more than 0s"));
                return None;
            }
            Some(duration)
        })
    }

    /// `2s`, `2s..5s`, or a distribution.
    pub(super) fn think(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<Think>> {
        self.keyed(fields, name, |reader, node, shape| {
            if matches!(node.value, Value::Mapping(_)) {
                return Some(Spanned::new(reader.drawn(node)?, node.span));
            }
            let span = reader.quantity(node, shape, |text| {
                let (least, most) = text.split_once("..").unwrap_or((text, text));
                Ok((units::duration(least)?, units::duration(most)?))
            })?;
            let (least, most) = span.value;
            if least > most {
                let what = format!("from {least} to {most} is backwards");
                let help = format!("write {most}..{least}");
                reader.add(Diagnostic::new(node.span, what, "the shorter one first").help(help));
                return None;
            }
            let times = ThinkTimes::Even { least, most };
            Some(Spanned::new(Think { times, max: None }, node.span))
        })
    }

    fn drawn(&mut self, node: &Node) -> Option<Think> {
        let fields = self.fields(node, &PAUSE)?;
        let mean = self.lasting(&fields, "exponential").map(ThinkTimes::Exponential);
        let median = self.lasting(&fields, "lognormal");
        let sigma = self.sigma(&fields);
        let points = fields.get("quantiles").map(|_| self.quantiles(&fields));
        // A bound that is wrong is no bound that is left out.
        let max = fields.get("max").map(|_| self.lasting(&fields, "max"));
        let max = max.map_or(Some(None), |max| max.map(Some))?;
        let lognormal =
            median.zip(sigma).map(|(median, sigma)| ThinkTimes::Lognormal { median, sigma });
        let times = mean.or(lognormal).or_else(|| points.flatten().map(ThinkTimes::Quantiles))?;
        Some(Think { times, max })
    }

    fn sigma(&mut self, fields: &Fields<'_>) -> Option<f64> {
        // Beyond it one pause in a hundred is 10^10 times the median: a slip, not a user.
        const SIGMA_MAX: f64 = 10.0;
        self.keyed(fields, "sigma", |reader, node, shape| {
            let number = reader.scalar(node, shape)?.text.parse::<f64>().ok();
            let Some(sigma) = number.filter(|number| number.is_finite()) else {
                reader.wrong(node, shape);
                return None;
            };
            if sigma <= 0.0 || sigma > SIGMA_MAX {
                let what = format!("{} is no deviation of logarithms", node.described());
                let expected = format!("more than 0, and at most {SIGMA_MAX}");
                let help = "0.8 means that two of three pauses are between 0.45 and 2.2 medians";
                reader.add(Diagnostic::new(node.span, what, expected).help(help));
                return None;
            }
            Some(sigma)
        })
    }

    fn quantiles(&mut self, fields: &Fields<'_>) -> Option<Vec<Spanned<Nanos>>> {
        let node = fields.get("quantiles")?;
        let shape = &Shape::Duration;
        let points = self.items(node, fields.shape("quantiles"), |reader, node| {
            reader.quantity(node, shape, units::duration)
        })?;
        if points.len() < 2 || points.len() > QUANTILES_MAX {
            let what = format!("{} quantiles", points.len());
            let expected = format!("from 2 to {QUANTILES_MAX}");
            let help = "the shortest pause first, the longest last, the others at even steps";
            self.add(Diagnostic::new(node.span, what, expected).help(help));
            return None;
        }
        let pairs = points.iter().zip(points.iter().skip(1));
        if let Some((before, after)) = pairs.into_iter().find(|(it, next)| it.value > next.value) {
            let what = format!("{} behind {} is backwards", after.value, before.value);
            let help = "write them in ascending order, from the shortest pause to the longest";
            let diagnostic = Diagnostic::new(after.span, what, "none shorter than the one before");
            self.add(diagnostic.also(before.span, "the one before").help(help));
            return None;
        }
        Some(points)
    }

    pub(super) fn rate(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<Rate>> {
        self.keyed(fields, name, Self::rate_of)
    }

    fn rate_of(&mut self, node: &Node, shape: &Shape) -> Option<Spanned<Rate>> {
        self.quantity(node, shape, units::rate)
    }

    /// A level in the unit of the load that it belongs to.
    pub(super) fn amount(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        like: Amount,
    ) -> Option<Spanned<Amount>> {
        self.keyed(fields, name, |reader, node, _| match like {
            Amount::Connections(_) => {
                let count = reader.count_of(node, &Shape::Count(0, CONNECTIONS_MAX))?;
                Some(Spanned::new(Amount::Connections(count.value), count.span))
            }
            Amount::Rate(_) => {
                let rate = reader.rate_of(node, &Shape::Rate)?;
                Some(Spanned::new(Amount::Rate(rate.value), rate.span))
            }
        })
    }

    /// `10 per 100ms`.
    pub(super) fn pace(&mut self, fields: &Fields<'_>, name: &str) -> Option<Pace> {
        self.keyed(fields, name, |reader, node, shape| {
            let text = &reader.scalar(node, shape)?.text;
            let Some((count, every)) = text.split_once(PACE) else {
                reader.wrong(node, shape);
                return None;
            };
            let pace = reader.quantity(node, shape, |_| {
                Ok(Pace { count: units::count(count)?, every: units::duration(every)? })
            })?;
            if pace.value.count == 0 || pace.value.every == Nanos::ZERO {
                let what = format!("{} never gets anywhere", node.described());
                reader.add(Diagnostic::new(node.span, what, "more than 0 in more than 0s"));
                return None;
            }
            Some(pace.value)
        })
    }

    /// A number from 0 to 1, or a percentage.
    pub(super) fn share(&mut self, fields: &Fields<'_>, name: &str) -> Option<f64> {
        self.keyed(fields, name, |reader, node, shape| {
            let scalar = reader.scalar(node, shape)?;
            let Some(share) = share(&scalar.text) else {
                reader.wrong(node, shape);
                return None;
            };
            if !(0.0..=1.0).contains(&share) {
                let what = format!("{} is not between 0 and 1", node.described());
                reader.add(Diagnostic::new(node.span, what, shape.expected()));
                return None;
            }
            Some(share)
        })
    }

    /// One of several words, and where it stands.
    pub(super) fn word_at(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
    ) -> Option<Spanned<&'static str>> {
        self.keyed(fields, name, |reader, node, shape| {
            let Shape::Word(words) = shape else { return None };
            let scalar = reader.scalar(node, shape)?;
            let found = words.iter().find(|word| **word == scalar.text);
            if found.is_none() {
                let what = format!("'{}' is no known word", scalar.shown());
                let near = nearest(&scalar.text, words.iter().copied());
                let diagnostic = Diagnostic::new(node.span, what, shape.expected());
                reader.add(diagnostic.did_you_mean(near));
            }
            found.map(|word| Spanned::new(*word, node.span))
        })
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, fields: &Fields<'_>, name: &str) -> Option<bool> {
        let node = fields.get(name)?;
        match self.scalar(node, fields.shape(name))?.text.as_str() {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => {
                self.wrong(node, fields.shape(name));
                None
            }
        }
    }

    /// `next`, or a path.
    pub(super) fn answer(&mut self, node: &Node) -> Option<Spanned<Answer>> {
        let scalar = self.scalar(node, &Shape::Answer)?;
        if scalar.is_secret() || (scalar.text != "next" && !scalar.text.starts_with('$')) {
            self.wrong(node, &Shape::Answer);
            return None;
        }
        let answer = match scalar.text.as_str() {
            "next" => Answer::Next,
            _ => Answer::Same(self.path_of(node)?),
        };
        Some(Spanned::new(answer, node.span))
    }

    /// `201`, or `2xx`.
    pub(super) fn status(&mut self, node: &Node) -> Option<Statuses> {
        let scalar = self.scalar(node, &Shape::Status)?;
        let class = scalar.text.strip_suffix("xx").map(|first| (first, 100, 99));
        let (digits, size, more) = class.unwrap_or((&scalar.text, 1, 0));
        let from = digits.parse::<u16>().ok().and_then(|number| number.checked_mul(size));
        let Some(from) = from.filter(|from| (100..=599).contains(from)) else {
            self.wrong(node, &Shape::Status);
            return None;
        };
        Some(Statuses { from, to: from + more })
    }

    pub(super) fn path_of(&mut self, node: &Node) -> Option<JsonPath> {
        let scalar = self.scalar(node, &Shape::Path)?;
        if scalar.is_secret() {
            self.wrong(node, &Shape::Path);
            return None;
        }
        self.parse_path(&scalar.text, &|at| scalar.place(at..scalar.text.len()))
    }

    /// A path in a text; `place` says where the rest from a byte on stands.
    pub(super) fn parse_path(
        &mut self,
        text: &str,
        place: &dyn Fn(usize) -> crate::scenario::place::Span,
    ) -> Option<JsonPath> {
        let parsed = JsonPath::parse(text);
        let wrong = |(at, why)| {
            let what = format!("'{text}' is no JSON path: {why}");
            self.add(Diagnostic::new(place(at), what, Shape::Path.expected()));
        };
        parsed.map_err(wrong).ok()
    }

    pub(super) fn path(&mut self, fields: &Fields<'_>, name: &str) -> Option<JsonPath> {
        self.path_of(fields.get(name)?)
    }
}

/// `0.3`, or `30%`.
pub(super) fn share(text: &str) -> Option<f64> {
    let percent = text.strip_suffix('%');
    let number: f64 = percent.unwrap_or(text).trim().parse().ok()?;
    let share = if percent.is_some() { number / 100.0 } else { number };
    share.is_finite().then_some(share)
}
