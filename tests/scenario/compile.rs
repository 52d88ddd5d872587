//! From files to plans: what is sent, in which order, on which connections.

use onslaught::plan::think::{THINK_MAX, Times};
use onslaught::plan::{
    Answer, Compiled, Content, Encoding, Expected, Instruction, Kind, Load, Opening, Options,
    Piece, Plan, Saved, Sent, Strategy, Text, Think, Until, Value, compile,
};
use onslaught::scenario::{Ink, Source, examples, read};
use onslaught::stdx::Nanos;

use crate::files::{environment, with_steps};

#[track_caller]
fn compiled(text: &str, profile: Option<&str>, options: &Options) -> Compiled {
    let source = Source { name: "load.yaml", text };
    let show = |problems: onslaught::scenario::Diagnostics| problems.render(&source, Ink::Plain);
    let scenario = read(&source, &environment, profile).map_err(show);
    let scenario = scenario.unwrap_or_else(|shown| panic!("{shown}"));
    compile(&scenario, options).map_err(show).unwrap_or_else(|shown| panic!("{shown}"))
}

#[track_caller]
fn plan(text: &str) -> Plan {
    compiled(text, None, &Options::default()).plan
}

fn taskforge(profile: Option<&str>) -> Compiled {
    compiled(examples::text("taskforge").unwrap(), profile, &Options::default())
}

/// A text with its values in guillemets.
fn shown(text: &Text) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Fixed(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Piece::Made(value, encoding) => format!("«{value:?} {encoding:?}»"),
    };
    text.pieces.iter().map(piece).collect()
}

fn made(content: &Content) -> (String, String) {
    let Content::Made { head, body } = content else { panic!("{content:?} is fixed") };
    (shown(head), body.as_ref().map_or_else(String::new, shown))
}

fn fixed(content: &Content) -> String {
    let Content::Fixed(bytes) = content else { panic!("{content:?} is made each time") };
    String::from_utf8(bytes.to_vec()).unwrap()
}

const AGENT: &str = concat!("onslaught/", env!("CARGO_PKG_VERSION"));

#[test]
fn all_presets_compile() {
    for preset in examples::PRESETS {
        let text = examples::text(preset.example).unwrap();
        let compiled = compiled(text, preset.profile, &Options::default());
        assert!(!compiled.plan.workloads.is_empty(), "{}", preset.name);
        assert!(compiled.warnings.is_empty(), "{}: {:?}", preset.name, compiled.warnings);
    }
}

#[test]
fn the_taskforge_mix_has_the_shape_of_a_mix() {
    let plan = taskforge(None).plan;
    let api = &plan.workloads[0];
    let [Instruction::Choose { to, .. }, rest @ ..] = api.program.instructions.as_slice() else {
        panic!("{:?}", api.program)
    };
    assert_eq!(to, &[1, 3, 5, 7, 9]);
    for (index, pair) in (0..5).zip(rest.chunks(2)) {
        assert!(
            matches!(pair, [Instruction::Http(at), Instruction::Jump(11)] if *at == index),
            "{pair:?}"
        );
    }
    assert!(matches!(rest.last(), Some(Instruction::End)));
    let names: Vec<&str> = plan.requests.iter().map(|request| request.name.as_str()).collect();
    let wanted =
        ["health", "generate-pdf", "compress-video", "resize-image", "metrics", "foreign-task"];
    assert_eq!(names, wanted);
    assert_eq!(api.channels, [0], "one connection to the only target of its steps");
    assert_eq!((api.sessions, api.load), (50, Load::Closed));
    assert_eq!(api.until, Until::Elapsed(Nanos::from_secs(60)));
    assert_eq!((api.users.clone(), api.strategy), (0..20, Strategy::Random));
    assert_eq!(
        plan.checks,
        [
            "generate-pdf: status",
            "compress-video: status",
            "resize-image: status",
            "foreign-task: status"
        ]
    );
}

#[test]
fn only_anonymous_requests_carry_no_token() {
    let plan = taskforge(None).plan;
    let health = fixed(&plan.requests[0].content);
    let wanted = format!(
        "GET /health HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: {AGENT}\r\n\
         Accept: */*\r\n\r\n"
    );
    assert_eq!(health, wanted);
    let (head, body) = made(&plan.requests[3].content);
    let wanted = format!(
        "POST /tasks HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n\
         Content-Type: application/json\r\n\
         Authorization: Bearer «User(Token) Header»\r\n"
    );
    assert_eq!(head, wanted);
    let width = "«Call(RandomInt((Number(100.0), Number(1920.0)))) Json»";
    let payload = format!("{{\"url\":«Call(Pick(2)) Json»,\"width\":{width}}}");
    let wanted = format!("{{\"type\":\"resize-image\",\"payload\":{payload}}}");
    assert_eq!(body, wanted);
    assert!(plan.requests[3].creates && plan.requests[3].needs_token());
    assert!(!plan.requests[0].needs_token());
    let (head, body) = made(&plan.requests[5].content);
    assert!(head.starts_with("GET /tasks/«Or((Pool(0, Foreign), Call(Uuid))) Percent» HTTP"));
    assert_eq!(body, "");
    assert!(!plan.requests[5].creates);
    assert!(matches!(&plan.requests[5].content, Content::Made { body: None, .. }));
}

#[test]
fn the_taskforge_sessions_subscribe_and_are_measured() {
    let plan = taskforge(None).plan;
    let status = &plan.workloads[1];
    let every = Nanos::from_millis(100);
    assert_eq!(status.opening, Opening::Paced { count: 10, every });
    assert_eq!((status.channels.as_slice(), status.strategy), (&[1][..], Strategy::RoundRobin));
    let fleet = status.fleet.as_ref().unwrap();
    assert_eq!((fleet.every, fleet.sample), (Nanos::from_secs(2), Some(10)));
    let socket = &plan.sockets[usize::from(fleet.socket)];
    let wanted = format!(
        "GET /ws?token=«User(Token) Percent» HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\
         User-Agent: {AGENT}\r\nAccept: */*\r\n"
    );
    assert_eq!((shown(&socket.head), socket.target, socket.channel), (wanted, 1, 0));
    assert_eq!((socket.name.as_str(), socket.timeout), ("WS /ws", Nanos::from_secs(10)));
    assert!(socket.needs_token());
    let message = &plan.messages[usize::from(fleet.message.unwrap())];
    let Some(Sent::Text(text)) = &message.content else { panic!("{message:?}") };
    let task = "«Or((Pool(0, Any), Call(Uuid))) JsonText»";
    let wanted = format!("{{\"type\":\"subscribe\",\"taskId\":\"{task}\"}}");
    assert_eq!(shown(text), wanted);
    assert!(message.subscribes && message.name == "send subscribe");
    let Answer::Same(place) = &message.answer else { panic!("{message:?}") };
    let [measure] = plan.measures.as_slice() else { panic!("{:?}", plan.measures) };
    assert_eq!((measure.name.as_str(), measure.pool, measure.workload), ("task_completion", 0, 1));
    assert_eq!(measure.from, [1, 2, 3]);
    assert_eq!(measure.by, std::slice::from_ref(place));
    let [until] = measure.until.as_slice() else { panic!("{measure:?}") };
    assert!(matches!(&until.expected, Expected::Fixed(value) if value == "completed"));
    assert_eq!(until.check, None, "it tells messages apart, and checks nothing");
}

#[test]
fn the_taskforge_users_have_tokens() {
    let people = taskforge(None).plan.people.unwrap();
    assert_eq!(people.count(), 20);
    assert_eq!(people.groups[0].email, ("loadtest".into(), "@example.com".into()));
    let auth = people.auth.unwrap();
    assert_eq!((auth.ahead, auth.parallel), (10, 20));
    assert_eq!(auth.expires_in, Nanos::from_secs(840));
    let register = auth.register.unwrap();
    assert!(register.takes(409) && register.takes(200) && !register.takes(404));
    assert!(!register.request.needs_token() && !auth.login.request.needs_token());
    let refresh = auth.refresh.unwrap();
    assert_eq!(refresh.token, auth.login.token, "refresh says what login says");
    let (_, body) = made(&refresh.request.content);
    assert_eq!(body, "{\"refreshToken\":\"«User(RefreshToken) JsonText»\"}");
    assert!(!made(&refresh.request.content).0.contains("Authorization"));
    let (head, body) = made(&auth.logout.unwrap().request.content);
    assert!(head.contains("Authorization: Bearer «User(Token) Header»\r\n"), "{head}");
    assert_eq!(body, "{}");
}

#[test]
fn more_connections_than_the_most_are_cut_with_a_warning() {
    let text = examples::text("taskforge").unwrap();
    let text = text.replace("max: 200, for: 600s", "for: 600s");
    let compiled = compiled(&text, Some("production"), &Options::default());
    assert_eq!(compiled.plan.workloads[1].sessions, 100);
    let source = Source { name: "load.yaml", text: &text };
    let shown = compiled.warnings.render(&source, Ink::Plain);
    assert!(shown.starts_with("warning: 200 connections are cut to 100"), "{shown}");
}

#[test]
fn windows_of_thresholds_shrink_with_the_run_and_fit_into_it() {
    let text = examples::text("minimal").unwrap().replace("< 1%", "< 1% over 8s for 5s abort");
    let windows = |scale_time| {
        let options = Options { scale_time, ..Options::default() };
        let compiled = compiled(&text, None, &options);
        assert!(compiled.warnings.is_empty(), "{:?}", compiled.warnings);
        let threshold = compiled.plan.thresholds[0].clone();
        assert!(threshold.abort);
        (threshold.over.unwrap(), threshold.lasting.unwrap())
    };
    assert_eq!(windows(1.0), (Nanos::from_secs(8), Nanos::from_secs(5)));
    assert_eq!(windows(0.25), (Nanos::from_secs(2), Nanos::from_millis(1_250)));
    assert_eq!(windows(0.01), (Nanos::from_secs(1), Nanos::from_secs(1)), "judged by the second");
    let long = text.replace("over 8s", "over 1m");
    let compiled = compiled(&long, None, &Options::default());
    let source = Source { name: "load.yaml", text: &long };
    let shown = compiled.warnings.render(&source, Ink::Plain);
    assert!(shown.starts_with("warning: 60s is longer than the run of 10s"), "{shown}");
}

#[test]
fn scales_shrink_counts_and_times_and_leave_timeouts() {
    let options = Options { scale_load: 0.1, scale_time: 0.05, ..Options::default() };
    let plan = compiled(examples::text("taskforge").unwrap(), None, &options).plan;
    let [api, status, isolation] = plan.workloads.as_slice() else { panic!("three workloads") };
    assert_eq!((api.sessions, api.until), (5, Until::Elapsed(Nanos::from_secs(3))));
    assert_eq!((isolation.sessions, plan.people.as_ref().unwrap().count()), (1, 2));
    let fleet = status.fleet.as_ref().unwrap();
    assert_eq!((fleet.every, fleet.sample), (Nanos::from_millis(100), Some(1)));
    assert_eq!(status.opening, Opening::Paced { count: 1, every: Nanos::from_millis(5) });
    assert_eq!(plan.sockets[0].timeout, Nanos::from_secs(10));
    let least = Options { scale_time: 1e-9, ..Options::default() };
    let plan = compiled(examples::text("taskforge").unwrap(), None, &least).plan;
    assert_eq!(plan.workloads[0].until, Until::Elapsed(Nanos::from_secs(1)));
}

#[test]
fn the_journey_is_flat() {
    let text = examples::text("journey").unwrap();
    let plan = plan(text);
    let [shop] = plan.workloads.as_slice() else { panic!("one workload") };
    assert_eq!(shop.sessions, 1_000);
    assert_eq!(shop.channels, [0, 0], "one for requests, one for the WebSocket");
    assert!(matches!(shop.load, Load::Open { patience, .. } if patience == Nanos::from_secs(5)));
    assert_eq!(plan.groups, ["browse", "order"]);
    let program = &shop.program.instructions;
    let end = u32::try_from(program.len()).unwrap() - 1;
    assert!(matches!(program.last(), Some(Instruction::End)));
    for instruction in program {
        let to: Vec<u32> = match instruction {
            Instruction::Jump(to)
            | Instruction::Chance { otherwise: to, .. }
            | Instruction::When { otherwise: to, .. }
            | Instruction::Again { to, .. } => vec![*to],
            Instruction::Choose { to, .. } => to.clone(),
            _ => Vec::new(),
        };
        assert!(to.iter().all(|to| *to <= end), "{instruction:?} leads out of the program");
    }
    let again = program.iter().position(|each| matches!(each, Instruction::Again { .. })).unwrap();
    let Instruction::Again { counter: 0, times: 3, to } = program[again] else { panic!("a loop") };
    assert!(matches!(program[to as usize - 1], Instruction::Begin(0)));
    let chance = program.iter().find_map(|each| match each {
        Instruction::Chance { share, otherwise } => Some((*share, *otherwise)),
        _ => None,
    });
    let (share, otherwise) = chance.unwrap();
    assert_eq!(share, 1_288_490_189, "0.3 of 2^32");
    assert!(matches!(program[otherwise as usize - 1], Instruction::Leave(1)));
    let sends = program.iter().filter(|each| matches!(each, Instruction::Send(_))).count();
    let receives = program.iter().any(|each| matches!(each, Instruction::Receive(_)));
    assert_eq!((sends, receives), (1, false), "a message and its answer are one");
    let message = &plan.messages[0];
    assert!(matches!(message.answer, Answer::Matching));
    assert_eq!((message.expect.json.len(), message.timeout), (1, Nanos::from_secs(10)));
    let product = plan.requests.iter().find(|request| request.name == "product").unwrap();
    let (head, _) = made(&product.content);
    assert!(head.starts_with("GET /products/«Variable(0) Percent» HTTP/1.1\r\n"), "{head}");
    let kinds: Vec<Kind> = plan.leaves.iter().map(|leaf| leaf.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::WsOpen).count(), 1);
    assert_eq!(plan.leaves[0].name, "GET /");
    assert_eq!(plan.leaves[1].name, "GET /search?q=${pick(searches)}");
}

#[test]
fn values_are_encoded_where_they_stand() {
    let text = with_steps("      - post: /a%20b?q=${now()}\n")
        + "        headers: {X-Id: \"x${uuid()}\"}\n        form: {a b: \"c&${now()}\", d: ü}\n\
         \x20     - put: /t\n        body: \"t${now()}\"\n      - delete: /t\n      - post: /e\n";
    let plan = plan(&text);
    let (head, body) = made(&plan.requests[0].content);
    assert!(head.starts_with("POST /a%20b?q=«Call(Now) Percent» HTTP/1.1\r\n"), "{head}");
    let types = "X-Id: x«Call(Uuid) Header»\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    assert!(head.ends_with(types), "{head}");
    assert!(!head.contains("Content-Length"), "{head}");
    assert_eq!(body, "a%20b=c%26«Call(Now) Percent»&d=%C3%BC");
    let (head, body) = made(&plan.requests[1].content);
    assert!(head.ends_with("Content-Type: text/plain; charset=utf-8\r\n"), "{head}");
    assert_eq!(body, "t«Call(Now) Raw»");
    assert!(!fixed(&plan.requests[2].content).contains("Content-Length"));
    assert!(fixed(&plan.requests[3].content).contains("\r\nContent-Length: 0\r\n"));
}

#[test]
fn what_is_saved_and_expected_has_an_index() {
    let steps = "      - get: /a\n        name: first\n        save: {it: $.a, ids: [$.b, $.c]}\n\
        \x20       expect: {status: [200, 3xx], json: {$.x: 1, $.y: \"${it}\"}, time: 200ms}\n";
    let plan = plan(&(with_steps(steps) + "pools: {ids: {keep: 7}}\n"));
    let request = &plan.requests[0];
    assert_eq!(request.saves[0].into, Saved::Variable(0));
    assert_eq!(request.saves[1].into, Saved::Pool(0));
    assert_eq!(request.saves[1].places.len(), 2);
    assert_eq!((plan.variables.as_slice(), plan.pools[0].keep), (&["it".to_owned()][..], 7));
    let wanted = ["first: status", "first: $.x", "first: $.y", "first: time < 200ms"];
    assert_eq!(plan.checks, wanted);
    assert!(request.expect.takes(200) && request.expect.takes(302) && !request.expect.takes(201));
    assert_eq!(request.expect.status_check, Some(0));
    assert_eq!(request.expect.time.unwrap().most, Nanos::from_millis(200));
    let Expected::Made(text) = &request.expect.json[1].expected else { panic!("it is made") };
    let [_, Piece::Made(Value::Variable(0), Encoding::JsonText), _] = text.pieces.as_slice() else {
        panic!("{text:?}")
    };
    assert!(request.creates, "it saves an id into a pool");
}

#[test]
fn a_whole_address_is_a_target_of_its_own() {
    let steps = "      - get: /a\n      - websocket: {url: \"ws://127.0.0.1:9/b?c=${now()}\"}\n\
        \x20     - send: {text: hi}\n      - close: 1000\n      - get: /c\n";
    let plan = plan(&with_steps(steps));
    assert_eq!((plan.targets[1].host.as_str(), plan.targets[1].port), ("127.0.0.1", 9));
    assert_eq!(plan.workloads[0].channels, [0, 1]);
    assert_eq!((plan.sockets[0].target, plan.sockets[0].channel), (1, 1));
    assert!(shown(&plan.sockets[0].head).starts_with("GET /b?c=«Call(Now) Percent» HTTP"));
    assert!(matches!(plan.messages[0].answer, Answer::None));
    assert_eq!((plan.requests[1].target, plan.requests[1].channel), (0, 0));
}

#[test]
fn a_base_path_is_in_front_of_all_paths() {
    let text = with_steps("      - get: /a/${now()}\n      - get: /b\n");
    let plan = plan(&text.replace("http://127.0.0.1", "http://127.0.0.1:81/api/"));
    assert!(made(&plan.requests[0].content).0.starts_with("GET /api/a/«Call(Now) Percent» "));
    assert!(fixed(&plan.requests[1].content).starts_with("GET /api/b HTTP/1.1\r\n"));
    assert!(made(&plan.requests[0].content).0.contains("\r\nHost: 127.0.0.1:81\r\n"));
}

#[test]
fn open_loads_log_all_users_in_ahead() {
    let users = "users: {count: 9, email: \"a{n}@b.c\", password: \"p{n}!\"}\n\
        auth: {login: {post: /login}}\n";
    let text =
        with_steps("      - get: /\n").replace("connections: 1, for: 1s", "rate: 10/s, for: 1s");
    let plan = plan(&(text + users));
    let people = plan.people.as_ref().unwrap();
    let auth = people.auth.as_ref().unwrap();
    assert_eq!((auth.ahead, auth.parallel), (9, 9));
    assert_eq!(shown(&people.groups[0].password), "p«User(Number) Raw»!");
    assert_eq!(auth.login.token.as_ref().unwrap().0.len(), 1, "$.accessToken");
    assert!(auth.login.takes(204) && !auth.login.takes(302));
    assert_eq!(plan.workloads[0].sessions, 300, "10/s times a timeout of 30 s");
}

/// The think times of a workload.
fn thinks(plan: &Plan, workload: usize) -> Vec<Think> {
    let each = plan.workloads[workload].program.instructions.iter();
    let thinks = each.filter_map(|instruction| match instruction {
        Instruction::Think(think) => Some(think.clone()),
        _ => None,
    });
    thinks.collect()
}

#[test]
fn think_times_are_distributions_on_the_scale_of_time() {
    let steps = "      - get: /\n\
                 \x20     - think: {exponential: 3s, max: 10s}\n\
                 \x20     - think: {lognormal: 2s, sigma: 0.5}\n\
                 \x20     - think: {quantiles: [0s, 1s, 4s]}\n\
                 \x20     - think: 2s..4s";
    let options = Options { scale_time: 0.5, ..Options::default() };
    let plan = compiled(&with_steps(steps), None, &options).plan;
    let [half, one, two] = [500, 1_000, 2_000].map(Nanos::from_millis);
    let cut = |times, most| Think { times, most };
    let mean = Nanos::from_millis(1_500);
    let expected = [
        cut(Times::Exponential { mean }, Nanos::from_secs(5)),
        cut(Times::Lognormal { median: one, sigma: 0.5 }, THINK_MAX),
        cut(Times::Quantiles(Box::new([Nanos::ZERO, half, two])), THINK_MAX),
        Think::even(one, two),
    ];
    assert_eq!(thinks(&plan, 0), expected);
}

#[test]
fn a_mix_thinks_behind_each_request_and_costs_nothing_if_it_does_not() {
    let mix = |think: &str| {
        format!(
            "name: x
target: http://127.0.0.1:8080
workloads:
  api:
    load: {{connections: 1, for: 10s}}
    {think}
    mix: [{{get: /a}}, {{weight: 3, get: /b}}]"
        )
    };
    let plain = plan(&mix(""));
    assert!(plain.workloads[0].program.as_mix().is_some());
    let thinking = plan(&mix("think: {exponential: 3s}"));
    let program = &thinking.workloads[0].program;
    assert!(program.as_mix().is_none());
    let [.., Instruction::Jump(5), Instruction::Think(think), Instruction::End] =
        &program.instructions[..]
    else {
        panic!("{:?}", program.instructions);
    };
    assert_eq!(think.mean(), Nanos::from_secs(3));
    let pass = onslaught::plan::Pass::of(program);
    assert_eq!((pass.operations, pass.thinking), (1.0, Nanos::from_secs(3)));
}

#[test]
fn a_warmup_is_a_length_or_a_bound() {
    let text = |warmup: &str, load: &str| {
        format!(
            "name: x\ntarget: http://127.0.0.1\nwarmup: {warmup}\nworkloads:\n  a:\n    \
             load: {load}\n    mix: [{{get: /}}]\n"
        )
    };
    let constant = "{connections: 1, for: 10s}";
    let second = Nanos::from_secs(1);
    for (warmup, length, bound) in
        [("10s", 10, None), ("0s", 0, None), ("auto", 60, Some(60)), ("{auto: 20s}", 20, Some(20))]
    {
        let plan = plan(&text(warmup, constant));
        assert_eq!(plan.warmup, Nanos(length * second.0), "{warmup}");
        assert_eq!(plan.warmup_bound, bound.map(Nanos::from_secs), "{warmup}");
        assert_eq!(plan.span(), Nanos::from_secs(length + 10), "{warmup}");
    }
    let half = Options { scale_time: 0.5, ..Options::default() };
    let plan = compiled(&text("auto", constant), None, &half).plan;
    assert_eq!((plan.warmup, plan.span()), (Nanos(30 * second.0), Nanos(35 * second.0)));
    let stages = "{connections: 1, stages: [{linear: 5, for: 10s}]}";
    for (warmup, load, told) in [
        ("auto", stages, "load.yaml:3:9"),
        ("10s", stages, "a warm-up before a load whose level changes"),
        ("soon", constant, "a duration such as 10s, auto, or {auto: 60s}"),
        ("{auto: 0s}", constant, "more than 0s"),
        ("{bound: 3s}", constant, "bound"),
    ] {
        let text = text(warmup, load);
        let source = Source { name: "load.yaml", text: &text };
        let read = read(&source, &environment, None);
        let problems = read.and_then(|it| compile(&it, &Options::default())).unwrap_err();
        let shown = problems.render(&source, Ink::Plain);
        assert!(shown.contains(told), "{warmup}, {told}: {shown}");
    }
}
