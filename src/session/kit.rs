//! A plan for the tests of this room.

use crate::plan::text::{Choice, UserField};
use crate::plan::{
    Auth, Call, Content, Encoding, Expect, Group, List, Load, Opening, Pacing, People, Place, Plan,
    Pool, Program, Request, Segment, Spacing, Statuses, Strategy, Text, Until, Value, Workload,
};
use crate::protocol::http::{ReplyTo, Reuse};
use crate::session::{Draw, Pools, Speaker, Users, Variables};
use crate::stdx::Nanos;

/// Two groups of users, three pools, two lists, and logins.
pub(super) fn plan(shards: u32) -> Plan {
    Plan {
        people: Some(people()),
        pools: ["tasks", "rooms", "files"].map(pool).to_vec(),
        lists: lists(),
        variables: vec!["a".to_owned(), "b".to_owned()],
        shards,
        ..Plan::empty()
    }
}

/// A closed load on one connection a session.
pub(super) fn workload() -> Workload {
    Workload {
        name: "work".to_owned(),
        load: Load::Closed,
        sessions: 1,
        levels: None,
        spacing: Spacing::default(),
        pacing: Pacing::default(),
        stages: Vec::new(),
        steer: None,
        until: Until::Elapsed(Nanos::from_secs(1)),
        start: Nanos::ZERO,
        opening: Opening::Ahead,
        channels: vec![0],
        program: Program::default(),
        fleet: None,
        strategy: Strategy::default(),
        users: 0..0,
    }
}

fn pool(name: &str) -> Pool {
    Pool { name: name.to_owned(), keep: 3 }
}

fn lists() -> Vec<List> {
    let list = |name: &str, json: &str| List {
        name: name.to_owned(),
        values: serde_json::from_str(json).unwrap(),
    };
    vec![list("one", r#"["a \"b\" ü"]"#), list("object", r#"[{"k": [1, "x y"]}]"#)]
}

fn people() -> People {
    let mut password = Text::fixed("pw-");
    password.push_value(Value::User(UserField::Number), Encoding::Raw);
    let email = ("loadtest".to_owned(), "@example.com".to_owned());
    let staff = ("staff+".to_owned(), "@example.com".to_owned());
    People {
        groups: vec![
            Group {
                name: String::new(),
                role: String::new(),
                count: 20,
                first: 1,
                weight: 1,
                email,
                password: password.clone(),
                sources: Vec::new(),
            },
            Group {
                name: "staff".to_owned(),
                role: "admin".to_owned(),
                count: 5,
                first: 100,
                weight: 1,
                email: staff,
                password,
                sources: Vec::new(),
            },
        ],
        auth: Some(auth()),
    }
}

/// Registers, logs in, renews by the refresh token, logs out.
pub(super) fn auth() -> Auth {
    let mut login = call(&[], (200, 299));
    login.token = Some(place(&["token"]));
    login.refresh_token = Some(place(&["refresh"]));
    login.expires = Some(place(&["expires"]));
    let mut register = call(&[], (200, 299));
    register.accept.push(Statuses { from: 409, to: 409 });
    Auth {
        register: Some(register),
        login,
        refresh: Some(call(&[UserField::RefreshToken], (200, 299))),
        logout: Some(call(&[UserField::Token], (200, 299))),
        expires_in: Nanos::from_secs(14 * 60),
        parallel: 4,
        ahead: 10,
        register_ahead: u32::MAX,
    }
}

fn call(fields: &[UserField], (from, to): (u16, u16)) -> Call {
    let mut body = Text::default();
    for field in fields {
        body.push_value(Value::User(*field), Encoding::Json);
    }
    let request = Request {
        name: "call".to_owned(),
        leaf: 0,
        target: 0,
        channel: 0,
        content: Content::Made { head: Text::fixed("POST / HTTP/1.1\r\n"), body: Some(body) },
        reply_to: ReplyTo::Other,
        reuse: Reuse::Keep,
        timeout: Nanos::from_secs(1),
        expect: Expect::default(),
        saves: Vec::new(),
        creates: false,
    };
    let accept = vec![Statuses { from, to }];
    Call { request, accept, token: None, refresh_token: None, expires: None }
}

/// A way along keys; digits are places in lists.
pub(super) fn place(path: &[&str]) -> Place {
    let segment = |part: &&str| match part.parse() {
        Ok(index) => Segment::Index(index),
        Err(_) => Segment::Key((*part).to_owned()),
    };
    Place(path.iter().map(segment).collect())
}

/// All that a text can speak of.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) users: Users,
    pub(super) variables: Variables,
    pub(super) pools: Pools,
    pub(super) user: Option<u32>,
}

impl World {
    pub(super) fn new() -> Self {
        let plan = plan(1);
        let (users, pools) = (Users::new(&plan, 0), Pools::new(&plan, 0));
        Self { plan, users, variables: Variables::default(), pools, user: Some(2) }
    }

    pub(super) fn speaker(&self) -> Speaker<'_> {
        Speaker {
            plan: &self.plan,
            user: self.user,
            users: &self.users,
            variables: &self.variables,
            pools: &self.pools,
            wall_ms: 1_700_000_000_123,
            sequence: Some(42),
        }
    }

    /// A value, rendered.
    pub(super) fn say(&self, value: Value, encoding: Encoding) -> String {
        let mut text = Text::fixed("<");
        text.push_value(value, encoding);
        text.push(b">");
        let mut out = b"before".to_vec();
        super::render(&text, &self.speaker(), &mut Draw::new(1, 2, 3), &mut out);
        let said = String::from_utf8(out).unwrap();
        said.strip_prefix("before<").unwrap().strip_suffix('>').unwrap().to_owned()
    }
}

/// All choices of an id.
pub(super) const CHOICES: [Choice; 4] = [Choice::Any, Choice::Last, Choice::First, Choice::Foreign];
