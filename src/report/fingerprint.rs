//! The plan's hash: equal for runs that may be merged, different for runs of different load.

use crate::plan::{Content, People, Plan, Request};
use crate::stdx::Fnv;

/// 16 hex digits over what defines the load: the targets' URLs, each request's name and bytes, what
/// is asked of its reply, the mix, the load, connections, the end, warm-up, timeout, `cold`, the
/// seed, WebSockets, messages, users, lists and pools.
///
/// Outside it is what may differ between runs of one plan: the run's name, where the target's
/// name resolved to, and the number of shards; and what must not be guessed from a report:
/// passwords in the URL and the values of headers that carry credentials.
#[must_use]
pub fn plan_hash(plan: &Plan) -> String {
    let mut hash = Fnv::new();
    for target in &plan.targets {
        hash.part(masked(&target.url).as_bytes());
    }
    plan.requests.iter().for_each(|request| part_of(&mut hash, request));
    if let Some(people) = &plan.people {
        users(&mut hash, people);
    }
    let Plan { workloads, sockets, messages, warmup, warmup_bound, timeout, seed, .. } = plan;
    hash.part(format!("{workloads:?} {sockets:?} {messages:?}").as_bytes());
    hash.part(format!("{:?} {:?}", plan.lists, plan.pools).as_bytes());
    // What a run finds is no part of its plan, and a bound is not the same as a length.
    let auto = if warmup_bound.is_some() { "auto " } else { "" };
    let warmup = warmup_bound.unwrap_or(*warmup);
    hash.part(format!("{auto}{} {} {seed}", warmup.0, timeout.0).as_bytes());
    format!("{:016x}", hash.value())
}

fn part_of(hash: &mut Fnv, request: &Request) {
    let Request { name, target, channel, content, timeout, expect, saves, .. } = request;
    hash.part(name.as_bytes());
    match content {
        Content::Fixed(bytes) => without_credentials(bytes, |line| hash.part(line)),
        // Its fixed pieces may hold secrets that no name betrays: they show their lengths.
        made @ Content::Made { .. } => hash.part(format!("{made:?}").as_bytes()),
    }
    hash.part(format!("{target} {channel} {} {expect:?} {saves:?}", timeout.0).as_bytes());
}

/// Passwords show their lengths, and the bodies of calls for tokens are made of them.
fn users(hash: &mut Fnv, People { groups, auth }: &People) {
    hash.part(format!("{groups:?}").as_bytes());
    let Some(auth) = auth else { return };
    let calls = [auth.register.as_ref(), Some(&auth.login), auth.refresh.as_ref()];
    for call in calls.into_iter().chain([auth.logout.as_ref()]).flatten() {
        part_of(hash, &call.request);
    }
    let (ahead, registered) = (auth.ahead, auth.register_ahead);
    let numbers = format!("{} {} {ahead} {registered}", auth.expires_in.0, auth.parallel);
    hash.part(numbers.as_bytes());
}

/// Parts of a header's name that say what its value is.
const SECRETS: [&[u8]; 6] = [b"authorization", b"cookie", b"token", b"key", b"secret", b"password"];

/// Each line of a request's head and its body, credentials left out.
fn without_credentials(request: &[u8], mut take: impl FnMut(&[u8])) {
    let mut rest = request;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, after) = rest.split_at(end);
        rest = after.get(2..).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let name = line.get(..colon).unwrap_or(line).to_ascii_lowercase();
        let is_secret = |part: &&[u8]| name.windows(part.len()).any(|window| window == *part);
        // The request line has no name, and its target may well hold such a word.
        let header = !name.contains(&b' ');
        take(if header && SECRETS.iter().any(is_secret) { &name } else { line });
    }
    take(rest);
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
    use super::{masked, without_credentials};

    #[test]
    fn passwords_stay_out() {
        assert_eq!(masked("http://host/a@b"), "http://host/a@b");
        assert_eq!(masked("http://me:pw@host:1/x"), "http://me:***@host:1/x");
        assert_eq!(masked("http://me:p@w@host"), "http://me:***@host");
        assert_eq!(masked("me:pw@host/x"), "me:***@host/x");
    }

    #[test]
    fn credentials_are_no_part_of_a_plan() {
        let parts = |request: &[u8]| {
            let mut parts = Vec::new();
            without_credentials(request, |part| {
                parts.push(String::from_utf8_lossy(part).into_owned());
            });
            parts
        };
        let head = b"GET /token:1 HTTP/1.1\r\nHost: a\r\nX-Api-Key: k\r\n\r\nbody: x\r\ny";
        assert_eq!(parts(head), ["GET /token:1 HTTP/1.1", "Host: a", "x-api-key", "body: x\r\ny"]);
        assert_eq!(parts(b""), [""]);
    }
}
