//! The plan's hash: equal for runs that may be merged, different for runs of different load.

use std::fmt::Write as _;

use crate::plan::Plan;
use crate::stdx::Fnv;

/// 16 hex digits over what defines the load: the target's URL, each request's name and bytes, the
/// mix, the load, connections, the end, warm-up, timeout, `cold` and the seed.
///
/// Outside it is what may differ between runs of one plan: the run's name, where the target's
/// name resolved to, and the number of shards.
#[must_use]
pub fn plan_hash(plan: &Plan) -> String {
    let mut hash = Fnv::new();
    // Writing to a hash cannot fail. The parts end in a byte that no text contains.
    let _never = write!(hash, "{}\0", plan.url);
    for named in &plan.requests {
        let _never = write!(hash, "{}\0{:?}\0", named.name, named.request);
    }
    let _never = write!(
        hash,
        "{:?}\0{:?}\0{}\0{:?}\0{}\0{}\0{}\0{}",
        plan.mix,
        plan.load,
        plan.connections,
        plan.until,
        plan.warmup.0,
        plan.timeout.0,
        plan.cold,
        plan.seed,
    );
    format!("{:016x}", hash.value())
}

/// The URL without its password.
#[must_use]
pub fn masked(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority);
    let Some((user_info, host)) = authority.rsplit_once('@') else { return url.to_owned() };
    let user = user_info.split_once(':').map_or(user_info, |(user, _)| user);
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{separator}{user}:***@{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn passwords_stay_out() {
        assert_eq!(masked("http://host/a@b"), "http://host/a@b");
        assert_eq!(masked("http://me:pw@host:1/x"), "http://me:***@host:1/x");
        assert_eq!(masked("http://me:p@w@host"), "http://me:***@host");
        assert_eq!(masked("me:pw@host/x"), "me:***@host/x");
    }
}
