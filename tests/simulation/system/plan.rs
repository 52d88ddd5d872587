//! Scenario files, drawn from a seed and compiled as the product compiles them.

use onslaught::plan::{Options, Plan, compile};
use onslaught::scenario::{Diagnostics, Ink, Source, read};

use super::super::dice::Dice;
use super::manners::{Manners, Tells};

/// What a scenario file says, and the plan that it is.
pub(super) struct Drawn {
    pub(super) text: String,
    pub(super) plan: Plan,
}

const AUTH: &str = r#"
users: {count: @USERS@, email: "u{n}@e.x", password: secret}
auth:
@REGISTER@  login:
    post: /auth/login
    json: {email: "${user.email}", password: "${user.password}"}
    token: $.accessToken
    refresh_token: $.refreshToken
@EXPIRES@@REFRESH@@LOGOUT@  expires_in: @LIFE@s
  ahead: @AHEAD@
  parallel: @PARALLEL@
"#;

const REGISTER: &str = r#"  register:
    post: /auth/register
    json: {email: "${user.email}", password: "${user.password}"}
    accept: [201, 409]
"#;

const REFRESH: &str = r#"  refresh:
    post: /auth/refresh
    json: {refreshToken: "${user.refresh_token}"}
    token: $.accessToken
    refresh_token: $.refreshToken
"#;

/// A scenario file in the making.
struct Pen<'d> {
    dice: &'d mut Dice,
    users: bool,
    text: String,
    names: u32,
}

/// The plan of a seed.
pub(super) fn draw(seed: u64, manners: &Manners, dice: &mut Dice) -> Drawn {
    let users = dice.chance(800);
    let timeout = dice.pick(&[100, 400, 1_000]);
    let text = format!("name: system\ntarget: http://10.0.0.1\ntimeout: {timeout}ms\n");
    let mut pen = Pen { dice, users, text, names: 0 };
    if users {
        pen.auth(manners);
    }
    pen.text.push_str("data: {words: [a, b, c]}\npools: {tasks: {keep: 5}}\nworkloads:\n");
    let count = pen.dice.between(1, 3);
    for index in 0..count {
        pen.workload(index);
    }
    let text = pen.text;
    let mut plan = of(&text, seed);
    plan.shards = u32::try_from(dice.pick(&[1, 1, 2, 3, 4])).expect("a few");
    if dice.chance(200) {
        plan.warmup = dice.up_to(onslaught::stdx::Nanos::from_millis(500));
    }
    Drawn { text, plan }
}

/// The plan of a text.
pub(super) fn of(text: &str, seed: u64) -> Plan {
    let source = Source { name: "drawn.yaml", text };
    let shown = |problems: Diagnostics| panic!("{}\n{text}", problems.render(&source, Ink::Plain));
    let scenario = read(&source, &|_: &str| None, None).unwrap_or_else(shown);
    let options = Options { seed, ..Options::default() };
    let compiled = compile(&scenario, &options);
    let mut plan = compiled.unwrap_or_else(|problems| shown_plan(&problems, &source)).plan;
    for target in &mut plan.targets {
        target.addresses = vec!["10.0.0.1:80".parse().expect("an address")];
    }
    plan
}

fn shown_plan(problems: &Diagnostics, source: &Source<'_>) -> ! {
    panic!("{}\n{}", problems.render(source, Ink::Plain), source.text)
}

impl Pen<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn auth(&mut self, manners: &Manners) {
        let users = self.dice.between(1, 9);
        let or = |dice: &mut Dice, text: &str| match dice.chance(800) {
            true => text.to_owned(),
            false => String::new(),
        };
        let expires = match manners.tells {
            Tells::Reply => "    expires: $.expiresIn\n",
            Tells::Token | Tells::Nobody => "",
        };
        let register = or(self.dice, REGISTER);
        let refresh = or(self.dice, REFRESH);
        let logout = or(self.dice, "  logout: {post: /auth/logout, json: {}}\n");
        let auth = AUTH
            .replace("@USERS@", &users.to_string())
            .replace("@REGISTER@", &register)
            .replace("@EXPIRES@", expires)
            .replace("@REFRESH@", &refresh)
            .replace("@LOGOUT@", &logout)
            .replace("@LIFE@", &manners.token_life.to_string())
            .replace("@AHEAD@", &self.dice.between(0, users).to_string())
            .replace("@PARALLEL@", &self.dice.pick(&[1, 2, 20]).to_string());
        self.text.push_str(&auth);
    }

    fn workload(&mut self, index: u64) {
        let what = self.dice.between(0, 3);
        self.line(&format!("  w{index}:"));
        if self.users {
            let strategy = self.dice.pick(&["random", "round-robin", "sticky"]);
            self.line(&format!("    user: {strategy}"));
        }
        if self.dice.chance(250) {
            let start = self.dice.between(1, 700);
            self.line(&format!("    start: {start}ms"));
        }
        match what {
            0 => {
                self.closed();
                self.mix();
            }
            1 => {
                self.open();
                self.mix();
            }
            2 => {
                if self.dice.chance(300) {
                    self.open()
                } else {
                    self.closed()
                }
                self.line("    steps:");
                self.line(
                    "      - {get: /first, anonymous: true}"
                        .replace(", anonymous: true", self.bare())
                        .as_str(),
                );
                self.steps(6, 2);
            }
            _ => self.fleet(),
        }
    }

    /// What a request that needs no token says.
    const fn bare(&self) -> &'static str {
        if self.users { ", anonymous: true" } else { "" }
    }

    fn span(&mut self) -> u64 {
        self.dice.between(1_000, 4_000)
    }

    fn closed(&mut self) {
        if self.dice.chance(300) {
            let stages = self.stages("connections", 8, "");
            return self.line(&format!("    load: {{{stages}}}"));
        }
        let (connections, span) = (self.dice.between(1, 8), self.span());
        let open = match self.dice.chance(200) {
            true => ", open: 2 per 50ms",
            false => "",
        };
        self.line(&format!("    load: {{connections: {connections}, for: {span}ms{open}}}"));
    }

    fn open(&mut self) {
        let (rate, span) = (self.dice.pick(&[5, 40, 150]), self.span());
        let (most, patience) = (self.dice.between(1, 12), self.dice.pick(&[1, 50, 500]));
        let load = match self.dice.chance(300) {
            true => self.stages("rate", 150, "/s"),
            false => format!("rate: {rate}/s, for: {span}ms"),
        };
        let arrivals = self.dice.pick(&["", "", ", arrivals: poisson", ", pacing: efficient"]);
        let rest = format!("max: {most}, patience: {patience}ms{arrivals}");
        self.line(&format!("    load: {{{load}, {rest}}}"));
    }

    /// A level that changes, from a first one on.
    fn stages(&mut self, level: &str, most: u64, unit: &str) -> String {
        let first = self.dice.between(1, most);
        let stages = (0..self.dice.between(1, 4)).map(|_| {
            let (to, span) = (self.dice.between(0, most), self.dice.between(50, 900));
            let name = self.dice.pick(&["", ", name: up", ", name: down"]);
            match self.dice.between(0, 3) {
                0 => format!("{{linear: {to}{unit}, for: {span}ms{name}}}"),
                1 => format!("{{step: {to}{unit}, for: {span}ms{name}}}"),
                _ => format!("{{hold: {span}ms{name}}}"),
            }
        });
        let stages: Vec<String> = stages.collect();
        format!("{level}: {first}{unit}, stages: [{}]", stages.join(", "))
    }

    fn mix(&mut self) {
        self.line("    mix:");
        for _ in 0..self.dice.between(1, 4) {
            let weight = self.dice.between(1, 5);
            self.request(6, Some(weight));
        }
    }

    /// A request, indented so far.
    fn request(&mut self, indent: usize, weight: Option<u64>) {
        let pad = " ".repeat(indent);
        let weight = weight.map_or(String::new(), |weight| format!("weight: {weight}, "));
        let (bare, users) = (self.bare(), self.users);
        let who = if users { ", headers: {X-User: \"${user.email}\"}" } else { "" };
        self.names += 1;
        let name = self.names;
        let line = match self.dice.between(0, 5) {
            0 => format!("{{{weight}get: /health{bare}}}"),
            1 => format!("{{{weight}get: /large{bare}}}"),
            2 => format!("{{{weight}get: \"/items?q=${{pick(words)}}\", name: i{name}{who}}}"),
            3 => {
                format!("{{{weight}get: \"/tasks/${{tasks.any || uuid()}}\", name: t{name}{who}}}")
            }
            _ => format!(
                "{{{weight}post: /tasks, name: c{name}{who}, json: {{type: x}}, \
                 expect: {{status: 201}}, save: {{tasks: [$.taskId]}}}}"
            ),
        };
        self.line(&format!("{pad}- {line}"));
    }

    fn steps(&mut self, indent: usize, depth: u32) {
        let pad = " ".repeat(indent);
        for _ in 0..self.dice.between(1, 4) {
            match self.dice.between(0, if depth > 0 { 7 } else { 2 }) {
                0 => self.line(&format!("{pad}- {{think: 1ms..80ms}}")),
                1 | 2 => self.request(indent, None),
                3 => {
                    self.names += 1;
                    let name = self.names;
                    self.line(&format!("{pad}- {{group: g{name}, steps: ["));
                    self.text.pop();
                    self.line(
                        "{think: 5ms}, {get: /grouped@}]}".replace('@', self.bare()).as_str(),
                    );
                }
                4 => {
                    let often = self.dice.between(1, 3);
                    self.line(&format!("{pad}- repeat: {often}"));
                    self.line(&format!("{pad}  steps:"));
                    self.steps(indent + 4, depth - 1);
                }
                5 => {
                    let line = "- {get: /item, chance: 40%, save: {it: $.id}@}";
                    self.line(&format!("{pad}{}", line.replace('@', self.bare())));
                    let line = "- {get: \"/item/${it}\", name: one@}";
                    let line = line.replace('@', self.bare());
                    self.names += 1;
                    let line = line.replace("one", &format!("one{}", self.names));
                    self.line(&format!("{pad}{line}"));
                }
                _ => self.talk(&pad),
            }
        }
    }

    /// A WebSocket within a journey.
    fn talk(&mut self, pad: &str) {
        let url = self.url();
        self.line(&format!("{pad}- {{websocket: {{url: \"{url}\", connect_timeout: 300ms}}}}"));
        for _ in 0..self.dice.between(0, 3) {
            let text = "{type: subscribe, taskId: \"${tasks.any || uuid()}\"}";
            self.line(&format!("{pad}- {{send: {{json: {text}}}}}"));
            if self.dice.chance(600) {
                let json = "{json: {$.type: status}, time: 200ms}";
                self.line(&format!("{pad}- {{expect: {json}}}"));
            }
            if self.dice.chance(300) {
                self.line(&format!("{pad}- {{think: 10ms..60ms}}"));
            }
        }
        if self.dice.chance(700) {
            self.line(&format!("{pad}- {{close: 1000}}"));
        }
    }

    const fn url(&self) -> &'static str {
        if self.users { "/ws?token=${user.token}&user=${user.email}" } else { "/ws" }
    }

    fn fleet(&mut self) {
        let (connections, span) = (self.dice.between(1, 10), self.span());
        let pace = self.dice.pick(&["", ", open: 3 per 40ms"]);
        let load = match self.dice.chance(300) {
            true => self.stages("connections", 10, ""),
            false => format!("connections: {connections}, for: {span}ms"),
        };
        self.line(&format!("    load: {{{load}{pace}}}"));
        let url = self.url();
        self.line(&format!("    websocket: {{url: \"{url}\", connect_timeout: 300ms}}"));
        let every = self.dice.pick(&[20, 100, 700]);
        self.line(&format!("    every: {every}ms"));
        if self.dice.chance(400) {
            let sample = self.dice.between(1, connections);
            self.line(&format!("    sample: {sample}"));
        }
        if self.dice.chance(850) {
            let text = "{type: subscribe, taskId: \"${tasks.any || uuid()}\"}";
            self.line(&format!("    send: {{json: {text}}}"));
            match self.dice.between(0, 2) {
                0 => {}
                1 => self.line("    answer: next"),
                _ => self.line("    answer: $.taskId"),
            }
        } else {
            self.line("    send: {json: {type: ping}}");
        }
    }
}
