//! Likeness against pairs that people labelled: `tests/fixtures/duplicates.json`. One half was used to choose words and
//! weights, the other one only to measure.

use serde::Deserialize;

use super::*;

const PAIRS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/duplicates.json"));

#[derive(Deserialize)]
struct Pair {
    set: String,
    same: bool,
    kind: String,
    a: Goal,
    b: Goal,
}

/// How alike two goals are in an index with goals that have nothing to do with them.
fn likeness(a: &Goal, b: &Goal, others: &[Goal]) -> f64 {
    let mut index = Index::default();
    others.iter().for_each(|goal| index.add(goal));
    index.add(a);
    let traits = index.traits(b);
    index.likeness(index.goals.last().unwrap(), &traits)
}

fn goal(description: &str) -> Goal {
    Goal {
        description: description.to_owned(),
        ..Goal::default()
    }
}

/// Precision and recall over a set, with what was judged wrongly.
fn measure(set: &str) -> (f64, f64, String) {
    let pairs: Vec<Pair> = serde_json::from_str(PAIRS).unwrap();
    assert!(pairs.len() >= 120);
    let others: Vec<Goal> = (0..20)
        .map(|n| goal(&format!("Make widget{n} of page{n} better")))
        .collect();
    let (mut hits, mut misses, mut alarms, mut said) = (0, 0, 0, String::new());
    for pair in pairs.iter().filter(|pair| pair.set == set) {
        let alike = likeness(&pair.a, &pair.b, &others);
        let (a, b, kind) = (&pair.a.description, &pair.b.description, &pair.kind);
        match (pair.same, alike >= DUPLICATE) {
            (true, true) => hits += 1,
            (true, false) => misses += 1,
            (false, true) => alarms += 1,
            (false, false) => {}
        }
        if pair.same != (alike >= DUPLICATE) {
            let what = if pair.same { "missed" } else { "alarm " };
            said.push_str(&format!("{what} {alike:.2} {kind}: {a} | {b}\n"));
        }
    }
    let part = |of: i32| f64::from(hits) / f64::from(hits + of);
    (part(alarms), part(misses), said)
}

#[test]
fn few_alarms_are_false_and_most_duplicates_are_found() {
    for (set, least_precision, least_recall) in [("fit", 0.95, 0.7), ("held_out", 0.5, 0.5)] {
        let (precision, recall, said) = measure(set);
        println!("{set}: precision {precision:.3}, recall {recall:.3}\n{said}");
        assert!(precision >= least_precision && recall >= least_recall, "{set}\n{said}");
    }
}
