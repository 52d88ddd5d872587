//! The scenario itself: targets, users, auth, data, pools, workloads, sequence.

use super::names::Kind;
use super::{Fields, Reader};
use std::net::IpAddr;

use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::keys::{AUTH, LEVEL, POOL, PROBE, SCENARIO, Shape, USERS, WORKLOAD};
use crate::scenario::model::{
    Allowed, Ask, Auth, Level, Named, Pool, Probe, Scenario, Sessions, Strategy, Target, Threshold,
    Users, Work, Workload,
};
use crate::scenario::place::Spanned;
use crate::scenario::tree::Node;
use crate::stdx::Nanos;

impl Reader<'_> {
    /// The whole file.
    pub(in crate::scenario) fn scenario(&mut self, node: &Node) -> Option<Scenario> {
        let fields = self.fields(node, &SCENARIO)?;
        let name = self.text(&fields, "name");
        let about = self.text(&fields, "about").map(|about| about.value);
        let targets = self.targets(&fields);
        let allow =
            fields.get("allow").map(|node| self.items(node, fields.shape("allow"), Self::allowed));
        let timeout = self.lasting(&fields, "timeout");
        let warmup = self.warmup(&fields);
        let users = fields
            .get("users")
            .map(|node| self.one_or_many(node, fields.shape("users"), Self::users));
        let auth = fields.get("auth").map(|node| self.auth(node));
        let data = self.named(&fields, "data", |reader, node| {
            reader.items(node, &Shape::List(&Shape::Json), Self::json)
        });
        let pools = self.named(&fields, "pools", Self::pool);
        let workloads = self.named(&fields, "workloads", Self::workload);
        let thresholds = self.thresholds(&fields);
        let sequence = fields
            .get("sequence")
            .map(|node| self.items(node, fields.shape("sequence"), Self::level));
        let probes =
            fields.get("probes").map(|node| self.items(node, fields.shape("probes"), Self::probe));
        let tags = self.named(&fields, "tags", |reader, node| {
            reader.text_of(node, &Shape::Text).map(|text| text.value)
        });
        // Profiles that are a mapping were taken out of the tree before.
        if let Some(node) = fields.get("profiles") {
            self.wrong(node, &Shape::Map(&Shape::Overlay));
        }
        self.resolve(&fields);
        let scenario = Scenario {
            name: name?,
            about,
            targets: targets?,
            allow: allow.unwrap_or_else(|| Some(Vec::new()))?,
            timeout,
            warmup,
            users: users.unwrap_or_else(|| Some(Vec::new()))?,
            auth: auth.map_or(Some(None), |auth| auth.map(Some))?,
            data: data?,
            pools: pools?,
            workloads: workloads?,
            thresholds: thresholds?,
            sequence: sequence.unwrap_or_else(|| Some(Vec::new()))?,
            probes: probes.unwrap_or_else(|| Some(Vec::new()))?,
            tags: tags?,
            profile: None,
        };
        self.whole(&scenario, &fields);
        Some(scenario)
    }

    /// What can only be seen in the whole.
    fn whole(&mut self, scenario: &Scenario, fields: &Fields<'_>) {
        self.one_search(scenario);
        if scenario.workloads.is_empty() && fields.get("workloads").is_some() {
            let what = "a scenario without workloads";
            self.add(Diagnostic::new(fields.place_of("workloads"), what, "at least one workload"));
        }
        let mut loadless = scenario.workloads.iter().filter(|each| each.value.load.is_none());
        if let (Some(workload), true) = (loadless.next(), scenario.sequence.is_empty()) {
            let what = format!("the workload '{}' has no load", workload.name.value);
            let expected = "load: {connections: 50, for: 60s}";
            let help = "only the levels of a 'sequence' can stand in for it";
            self.add(Diagnostic::new(workload.name.span, what, expected).help(help));
        }
        if let (Some(auth), true) = (fields.get("auth"), scenario.users.is_empty()) {
            let place = crate::scenario::place::Span { end: auth.span.start, ..auth.span };
            let what = "'auth' without 'users'";
            let help =
                "say who logs in: users: {count: 20, email: user{n}@example.com, password: …}";
            self.add(Diagnostic::new(place, what, "only beside 'users'").help(help));
        }
        self.weights(scenario);
    }

    /// Weights of groups need somebody who draws by them, and who draws by them needs weights.
    fn weights(&mut self, scenario: &Scenario) {
        let draws = |each: &&Named<Workload>| each.value.user.value == Strategy::Weighted;
        let drawing: Vec<_> = scenario.workloads.iter().filter(draws).collect();
        let given = scenario.users.iter().filter_map(|users| users.weight.as_ref());
        if let (Some(weight), true) = (given.clone().next(), drawing.is_empty()) {
            let what = "'weight' of a group that no workload draws by weight";
            let help = "say so in a workload: user: weighted; or leave the weights out";
            let expected = "only beside 'user: weighted' in a workload";
            self.add(Diagnostic::new(weight.span, what, expected).help(help));
        }
        let Some(first) = drawing.first() else { return };
        let given: Vec<_> = given.collect();
        if let [weight, ..] = given[..]
            && given.len() == scenario.users.len()
            && given.iter().all(|weight| weight.value == 0)
        {
            let what = "all weights of 'users' are 0";
            let help = "weights are shares of their sum: one of them must be more than 0";
            let diagnostic = Diagnostic::new(weight.span, what, "more than 0, somewhere");
            self.add(diagnostic.also(first.value.user.span, "drawn by weight here").help(help));
        }
        for workload in drawing {
            let what = match &workload.value.users {
                _ if scenario.users.is_empty() => "'user: weighted' without 'users'",
                None if scenario.users.len() > 1 => continue,
                _ => "'user: weighted' with one group of users: there is nothing to weigh",
            };
            let help = "give several groups a weight each: users: [{name: a, weight: 3, …}, …]; or \
                        draw any user: user: random";
            let expected = "only where a workload is of several groups of users";
            self.add(Diagnostic::new(workload.value.user.span, what, expected).help(help));
        }
    }

    fn targets(&mut self, fields: &Fields<'_>) -> Option<Vec<Target>> {
        if let Some(node) = fields.get("target") {
            let url = self.address(node)?;
            let name = Spanned::new("default".to_owned(), url.span);
            return Some(vec![Target { name, url }]);
        }
        let node = fields.get("targets")?;
        let targets = self.map(node, fields.shape("targets"), Self::address)?;
        if targets.is_empty() {
            self.add(Diagnostic::new(node.span, "no targets", fields.shape("targets").expected()));
        }
        Some(targets.into_iter().map(|(name, url)| Target { name, url }).collect())
    }

    fn allowed(&mut self, node: &Node) -> Option<Allowed> {
        let text = self.text_of(node, &Shape::Text)?.value;
        if let Ok(network) = text.parse() {
            return Some(Allowed::Network(network));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        // What the resolver reads as an address is written as one, so that it is seen here.
        let is_number = text.starts_with(|first: char| first.is_ascii_digit())
            && text.split('.').all(|part| {
                let hex = part.strip_prefix("0x").unwrap_or(part);
                !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
            });
        if text.bytes().all(is_name) && !is_number {
            return Some(Allowed::Host(text.to_ascii_lowercase()));
        }
        let what = format!("'{text}' is no host, address or network");
        let expected = "a name, an address or a network such as 203.0.113.0/24";
        let help = "without a scheme and a port: each target's host as it stands in its URL";
        self.add(Diagnostic::new(node.span, what, expected).help(help));
        None
    }

    /// Names of the user's, each with a value; none if the key is not there.
    fn named<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<Named<T>>> {
        let Some(node) = fields.get(key) else { return Some(Vec::new()) };
        let map = self.map(node, fields.shape(key), read)?;
        Some(map.into_iter().map(|(name, value)| Named { name, value }).collect())
    }

    fn users(&mut self, node: &Node) -> Option<Users> {
        let fields = self.fields(node, &USERS)?;
        let name = self.text(&fields, "name");
        name.iter().for_each(|name| self.names.declare(Kind::Group, &name.value));
        let role = self.text(&fields, "role").map(|role| role.value);
        let count = self.count(&fields, "count");
        let first = self.count(&fields, "first").map_or(1, |first| first.value);
        let weight = self.count(&fields, "weight");
        let prefix = self.text(&fields, "prefix");
        let email = self.text(&fields, "email");
        let password = self.hidden(&fields, "password");
        let several = count.as_ref().is_some_and(|count| count.value > 1);
        if let Some(email) = email.as_ref().filter(|it| several && !it.value.contains("{n}")) {
            let what = "all users of the group would have the same address";
            let expected = "an address with {n}, such as loadtest{n}@example.com";
            self.add(Diagnostic::new(email.span, what, expected));
        }
        let prefixed = prefix.map(|it| Spanned::new(it.value + "{n}@example.com", it.span));
        let email = email.or(prefixed);
        let source = fields
            .get("source")
            .map(|node| self.one_or_many(node, fields.shape("source"), Self::source));
        let source = source.unwrap_or_else(|| Some(Vec::new()))?;
        Some(Users { name, role, count: count?, first, weight, email, password, source })
    }

    /// An address of this host.
    fn source(&mut self, node: &Node) -> Option<Spanned<IpAddr>> {
        let text = self.text_of(node, &Shape::Text)?;
        match text.value.parse::<IpAddr>() {
            Ok(address) => Some(Spanned::new(address, text.span)),
            Err(_) => {
                let what = format!("'{}' is no address", text.value);
                let expected = "an address of this host such as 127.0.0.2 or fd00::2";
                self.add(Diagnostic::new(text.span, what, expected));
                None
            }
        }
    }

    fn auth(&mut self, node: &Node) -> Option<Auth> {
        let fields = self.fields(node, &AUTH)?;
        let mut call = |key: &str| {
            let call = fields.get(key).map(|node| self.auth_call(node));
            call.map_or(Some(None), |call| call.map(Some))
        };
        let (register, login) = (call("register"), call("login"));
        let (refresh, logout) = (call("refresh"), call("logout"));
        let expires_in = self.lasting(&fields, "expires_in");
        let parallel = self.count(&fields, "parallel");
        let ahead = self.count(&fields, "ahead");
        let register_ahead = self.count(&fields, "register_ahead");
        let login = login??;
        let (register, refresh, logout) = (register?, refresh?, logout?);
        Some(Auth { register, login, refresh, logout, expires_in, parallel, ahead, register_ahead })
    }

    fn probe(&mut self, node: &Node) -> Option<Probe> {
        let fields = self.fields(node, &PROBE)?;
        let name = self.text(&fields, "name");
        let tcp = self.text(&fields, "tcp").map(Ask::Tcp);
        let http = fields.get("http").and_then(|node| self.address(node)).map(Ask::Http);
        Some(Probe { name: name?, ask: tcp.or(http)? })
    }

    fn pool(&mut self, node: &Node) -> Option<Pool> {
        let keep = if node.is_null() {
            None
        } else {
            let fields = self.fields(node, &POOL)?;
            self.count(&fields, "keep")
        };
        Some(Pool { keep: keep.map_or(100, |keep| keep.value) })
    }

    fn workload(&mut self, node: &Node) -> Option<Workload> {
        let fields = self.fields(node, &WORKLOAD)?;
        let users = self.text(&fields, "users");
        self.names.note(Kind::Group, users.as_ref());
        let user = self.word_at(&fields, "user");
        let strategy = match user.as_ref().map(|word| word.value) {
            Some("weighted") => Strategy::Weighted,
            Some("round-robin") => Strategy::RoundRobin,
            Some("sticky") => Strategy::Sticky,
            Some("unique") => Strategy::Unique,
            Some(_) | None => Strategy::Random,
        };
        let user = Spanned::new(strategy, user.map_or(fields.span, |word| word.span));
        let load = fields.get("load").map(|node| self.load(node));
        let start = self.duration(&fields, "start").map_or(Nanos::ZERO, |start| start.value);
        let work = self.work(&fields);
        let think = fields.get("think").map(|_| self.think(&fields, "think"));
        let think = think.map_or(Some(None), |think| think.map(Some));
        let measure = fields.get("measure").map(|node| self.measure(node));
        let load = load.map_or(Some(None), |load| load.map(Some))?;
        let measure = measure.map_or(Some(None), |measure| measure.map(Some))?;
        Some(Workload { users, user, load, start, work: work?, think: think?, measure })
    }

    fn work(&mut self, fields: &Fields<'_>) -> Option<Work> {
        let mix = fields.get("mix").map(|_| self.weighted(fields, "mix"));
        let steps = fields.get("steps").map(|_| self.steps(fields, "steps"));
        [&mix, &steps].into_iter().flatten().flatten().for_each(|steps| self.sockets(steps));
        let mix = mix.map(|steps| steps.map(Work::Mix));
        let steps = steps.map(|steps| steps.map(Work::Journey));
        let sessions = fields.get("websocket").map(|node| self.sessions(node, fields));
        mix.or(steps).or(sessions)?
    }

    fn sessions(&mut self, node: &Node, fields: &Fields<'_>) -> Option<Work> {
        let websocket = self.websocket(node);
        let every = self.lasting(fields, "every");
        let sample = self.count(fields, "sample");
        let send = fields.get("send").map(|node| self.message(node));
        let answer = fields.get("answer").map(|node| self.answer(node));
        let expect = fields.get("expect").map(|node| self.expect_message(node));
        if let (Some(node), true, true) = (fields.get("every"), send.is_none(), expect.is_none()) {
            let help = "send: {json: {type: ping}}";
            let what = "'every' without anything to do";
            self.add(Diagnostic::new(node.span, what, "only beside 'send'").help(help));
        }
        let send = send.map_or(Some(None), |send| send.map(Some))?;
        let answer = answer.map_or(Some(None), |answer| answer.map(Some))?;
        let expect = expect.map_or(Some(None), |expect| expect.map(Some))?;
        let sessions = Sessions { websocket: websocket?, every, sample, send, answer, expect };
        Some(Work::Sessions(Box::new(sessions)))
    }

    fn level(&mut self, node: &Node) -> Option<Level> {
        let fields = self.fields(node, &LEVEL)?;
        let name = self.text(&fields, "name");
        let load = fields.get("load").and_then(|node| self.load(node));
        let workload = self.text(&fields, "workload");
        self.names.note(Kind::Workload, workload.as_ref());
        let thresholds = self.thresholds(&fields);
        let cooldown = self.duration(&fields, "cooldown");
        let cooldown = cooldown.map_or(Nanos::ZERO, |cooldown| cooldown.value);
        Some(Level { name: name?, load: load?, workload, thresholds: thresholds?, cooldown })
    }

    fn thresholds(&mut self, fields: &Fields<'_>) -> Option<Vec<Spanned<Threshold>>> {
        let Some(node) = fields.get("thresholds") else { return Some(Vec::new()) };
        self.items(node, fields.shape("thresholds"), Self::threshold)
    }
}
