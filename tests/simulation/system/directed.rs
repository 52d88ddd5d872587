//! One thing happens, and exact figures follow.

use std::collections::BTreeMap;
use std::sync::Arc;

use onslaught::stdx::Nanos;

use super::super::scenario::Scenario;
use super::super::world::Words;
use super::manners::Manners;
use super::plan::of;
use super::run::run;

/// What a reply takes.
const WORK: Nanos = Nanos::from_millis(20);

const JOURNEY: &str = r#"
name: choices
target: http://10.0.0.1
data: {words: [a, b, c]}
workloads:
  shop:
    load: {connections: 7, for: 3s}
    steps:
      - {get: /first}
      - {think: 1ms..30ms}
      - {get: "/items?q=${pick(words)}", chance: 40%}
      - repeat: 2
        steps:
          - one_of:
              - {weight: 1, get: /left}
              - {weight: 3, get: /right}
"#;

/// What a session asks for does not depend on the number of shards.
#[test]
fn any_number_of_shards_makes_the_same_choices() {
    let asked = |shards: u32| {
        let mut plan = of(JOURNEY, 5);
        plan.shards = shards;
        let plan = Arc::new(plan);
        let mut scenario = Scenario::calm((*plan).clone());
        scenario.target.work = (WORK, WORK);
        let finished = run(scenario, Manners::good(1), Words::None);
        let mut sessions = BTreeMap::new();
        for ((shard, slot), paths) in finished.world.asked {
            let shard = u32::try_from(shard).expect("a few");
            let session = plan.workloads[0].sessions_on(shard, shards).nth(slot as usize);
            sessions.insert(session.expect("a slot of a session"), paths);
        }
        sessions
    };
    let whole = asked(1);
    assert_eq!(whole.len(), 7);
    for shards in 2..=4 {
        let parts = asked(shards);
        for (session, paths) in &whole {
            let common = paths.len().min(parts[session].len()) - 1;
            assert!(common > 20, "session {session}: {common} requests");
            assert_eq!(paths[..common], parts[session][..common], "session {session}");
        }
    }
}
