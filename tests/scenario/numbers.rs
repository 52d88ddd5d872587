//! Thresholds and loads: what their numbers become.

use onslaught::scenario::{
    Aggregate, Amount, Bound, Comparison, Length, Load, Quantity, Shape, Threshold,
};
use onslaught::stdx::Nanos;

use crate::files::{with_steps, yaml};

fn threshold(text: &str) -> Threshold {
    let text = with_steps("      - get: /\n") + &format!("thresholds:\n  - '{text}'\n");
    yaml(&text).unwrap().thresholds.remove(0).value
}

fn load(text: &str) -> Load {
    let text = with_steps("      - get: /\n").replace("{connections: 1, for: 1s}", text);
    yaml(&text).unwrap().workloads.remove(0).value.load.unwrap()
}

#[test]
fn a_threshold_with_everything() {
    let full = "http_req_duration{name:login, phase:peak} p(99.9)<=1.5s over 10s for 30s abort \
                min_samples 1k allow_empty";
    let threshold = threshold(full);
    assert_eq!(threshold.measured.metric.value, "http_req_duration");
    let labels = threshold.measured.labels.iter();
    let labels: Vec<_> =
        labels.map(|(key, value)| format!("{}={}", key.value, value.value)).collect();
    assert_eq!(labels, ["name=login", "phase=peak"]);
    assert_eq!(threshold.measured.aggregate, Aggregate::Percentile(99.9));
    assert_eq!(threshold.comparison, Comparison::AtMost);
    assert_eq!(threshold.bound, Bound::Fixed(Quantity::Time(Nanos::from_millis(1_500))));
    assert_eq!(threshold.over, Some(Nanos::from_secs(10)));
    assert_eq!(threshold.lasting, Some(Nanos::from_secs(30)));
    assert_eq!(threshold.min_samples, Some(1_000));
    assert!(threshold.abort && threshold.allow_empty);
}

#[test]
fn bounds_of_each_kind() {
    let bound = |text: &str| threshold(&format!("m rate > {text}")).bound;
    assert_eq!(bound("1%"), Bound::Fixed(Quantity::Share(0.01)));
    assert_eq!(bound("0.5"), Bound::Fixed(Quantity::Number(0.5)));
    assert_eq!(bound("10k"), Bound::Fixed(Quantity::Number(10_000.0)));
    assert!(matches!(bound("500/s"), Bound::Fixed(Quantity::Rate(_))));
    let Bound::Relative { factor, measured } = bound("1.5 * m{phase:a} max") else {
        panic!("not relative")
    };
    assert_eq!((factor, measured.aggregate), (1.5, Aggregate::Max));
}

#[test]
fn loads_of_each_kind() {
    let closed = load("{connections: 5, for: 60}");
    assert_eq!(closed.level.value, Amount::Connections(5));
    let Shape::Constant(time) = closed.shape else { panic!("not constant") };
    assert_eq!(time.value, Nanos::from_secs(60));
    let open = load("{rate: 300/m, stages: [{exponential: 1k/s, double: 5s}, {hold: 1s}]}");
    assert!(matches!(open.level.value, Amount::Rate(rate) if rate.milli_per_s == 5_000));
    let Shape::Stages(stages) = open.shape else { panic!("no stages") };
    assert!(matches!(stages[0].length, Length::Doubling(_)));
    assert!(stages[1].to.is_none());
}
