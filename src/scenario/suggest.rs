//! "Did you mean": the known word that is nearest to an unknown one.

/// The nearest of `known`, if it is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let near = |known: &'a str| (distance(&word, &known.to_lowercase()), known);
    let best = known.into_iter().map(near).min_by_key(|(distance, _)| *distance)?;
    // A short word with every letter changed is near to everything.
    let changed = best.1.chars().count() <= best.0;
    (best.0 <= limit && !changed).then_some(best.1)
}

/// Letters to insert, delete, change or swap with their neighbour; from 64 letters on, far away.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().max(right.len()) > 64 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let changed = get(&above, j) + usize::from(a != b);
            let mut best = changed.min(get(&above, j + 1) + 1).min(get(&row, j) + 1);
            let crossed =
                i > 0 && j > 0 && left.get(i - 1) == Some(b) && right.get(j - 1) == Some(a);
            if crossed {
                best = best.min(get(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("load", "load"), 0);
        assert_eq!(distance("laod", "load"), 1);
        assert_eq!(distance("conections", "connections"), 1);
    }

    #[test]
    fn near_or_nothing() {
        let known = ["connections", "rate", "for", "open", "max"];
        assert_eq!(nearest("conections", known), Some("connections"));
        assert_eq!(nearest("Rate", known), Some("rate"));
        assert_eq!(nearest("fro", known), Some("for"));
        assert_eq!(nearest("x", known), None);
        assert_eq!(nearest("banana", known), None);
    }
}
