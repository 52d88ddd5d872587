//! Which requests there are, and how often.

use std::collections::BTreeMap;

use super::limits::{KINDS, KINDS_LISTED, PATH_BYTES, PATHS_KEPT};
use super::template::{template, without_query};

/// One kind of request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// The method, in capitals.
    pub method: String,
    /// The path, with `{id}` for what differs.
    pub path: String,
    /// How often.
    pub count: u64,
    /// How often with a status from 400 on.
    pub errors: u64,
    /// Real paths of it that were answered well, without a query; a few different ones.
    pub paths: Vec<String>,
    /// Whether some had a query, which is left out.
    pub queries: bool,
}

/// All kinds, up to a bound.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    kinds: BTreeMap<(String, String), Kind>,
    rest: u64,
}

impl Kinds {
    /// One request more.
    pub fn add(&mut self, method: &str, path: &str, status: u16) {
        let plain = without_query(path);
        if plain.len() > PATH_BYTES {
            self.rest += 1;
            return;
        }
        let key = (method.to_owned(), template(plain));
        if self.kinds.len() >= KINDS && !self.kinds.contains_key(&key) {
            self.rest += 1;
            return;
        }
        let (method, template) = key.clone();
        let kind = self.kinds.entry(key);
        let kind = kind.or_insert_with(|| Kind { method, path: template, ..Kind::default() });
        kind.count += 1;
        kind.errors += u64::from(status >= 400);
        kind.queries |= plain.len() < path.len();
        let wanted = status < 400 && kind.paths.len() < PATHS_KEPT && kind.path != plain;
        if wanted && !kind.paths.iter().any(|known| known == plain) {
            kind.paths.push(plain.to_owned());
        }
    }

    /// The most frequent ones, and how many requests are none of them.
    #[must_use]
    pub fn most_frequent(&self) -> (Vec<Kind>, u64) {
        let mut all: Vec<&Kind> = self.kinds.values().collect();
        all.sort_by(|one, other| {
            let names = || (&one.path, &one.method).cmp(&(&other.path, &other.method));
            other.count.cmp(&one.count).then_with(names)
        });
        let cut = KINDS_LISTED.min(all.len());
        let rest: u64 = all[cut..].iter().map(|kind| kind.count).sum();
        (all[..cut].iter().copied().cloned().collect(), rest + self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, Kinds};

    #[test]
    fn counted_by_method_and_path() {
        let mut kinds = Kinds::default();
        for id in 0..50 {
            kinds.add("GET", &format!("/orders/{id}?full=1"), if id < 5 { 404 } else { 200 });
        }
        kinds.add("POST", "/orders", 201);
        let (listed, rest) = kinds.most_frequent();
        assert_eq!((listed.len(), rest), (2, 0));
        let orders = &listed[0];
        assert_eq!((&*orders.method, &*orders.path), ("GET", "/orders/{id}"));
        assert_eq!((orders.count, orders.errors, orders.queries), (50, 5, true));
        assert_eq!(orders.paths.len(), 20);
        assert_eq!(orders.paths[0], "/orders/5");
        assert!(listed[1].paths.is_empty());
    }

    #[test]
    fn what_is_not_listed_is_a_share() {
        let mut kinds = Kinds::default();
        for index in 0..KINDS + 10 {
            kinds.add("GET", &format!("/page-{index}.html"), 200);
        }
        kinds.add("GET", &"/x".repeat(1_000), 200);
        let (listed, rest) = kinds.most_frequent();
        assert_eq!((listed.len(), rest), (20, KINDS as u64 + 10 - 20 + 1));
    }
}
