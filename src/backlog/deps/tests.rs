use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{
    backlog::deps::{DepFault, check},
    id::GoalId,
};

type Goals = Vec<(GoalId, Vec<GoalId>)>;

fn id(text: &str) -> GoalId {
    text.parse().unwrap()
}

fn faults_of(goals: &Goals, landed: &BTreeSet<GoalId>) -> Vec<DepFault> {
    let open: Vec<(&GoalId, &[GoalId])> = goals.iter().map(|(id, needs)| (id, needs.as_slice())).collect();
    check(&open, landed)
}

fn faults(goals: &[(&str, &[&str])]) -> Vec<String> {
    let goals = goals
        .iter()
        .map(|(name, needs)| (id(name), needs.iter().copied().map(id).collect()))
        .collect();
    faults_of(&goals, &BTreeSet::from([id("done")]))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn unknown_self_and_cyclic_dependencies_are_named() {
    assert_eq!(faults(&[("b", &["done", "c"]), ("c", &[])]), Vec::<String>::new());
    assert_eq!(
        faults(&[("a", &["a", "no"])]),
        [
            "goal `a` depends on itself",
            "goal `a` depends on `no`, which is no goal"
        ]
    );
    assert_eq!(
        faults(&[
            ("x", &["a"]),
            ("a", &["b"]),
            ("b", &["c", "d"]),
            ("c", &["a"]),
            ("d", &[])
        ]),
        ["goals depend on each other: a → b → c → a"]
    );
}

#[test]
fn a_chain_of_100_000_goals_needs_no_deep_stack() {
    let name = |nth: usize| id(&format!("g{nth}"));
    let goals: Goals = (0..100_000)
        .map(|nth| (name(nth), if nth == 99_999 { Vec::new() } else { vec![name(nth + 1)] }))
        .collect();
    assert_eq!(faults_of(&goals, &BTreeSet::new()), []);
}

proptest! {
    #[test]
    fn cycles_are_found_exactly_where_no_order_puts_every_dependency_first(
        edges in prop::collection::vec((0_usize..9, 0_usize..9), 0..16), acyclic in any::<bool>(),
    ) {
        let edges: Vec<(usize, usize)> = edges.into_iter().filter(|(from, to)| !acyclic || from > to).collect();
        let needs = |nth: usize| edges.iter().filter(move |(from, to)| *from == nth && from != to);
        let goals: Goals = (0..9)
            .map(|nth| (id(&format!("g{nth}")), needs(nth).map(|(_, to)| id(&format!("g{to}"))).collect()))
            .collect();
        let mut done = BTreeSet::new();
        for _ in 0..9 {
            let met = goals.iter().filter(|(_, needs)| needs.iter().all(|need| done.contains(need)));
            let met: Vec<GoalId> = met.map(|(id, _)| id.clone()).collect();
            done.extend(met);
        }
        prop_assert_eq!(faults_of(&goals, &BTreeSet::new()).is_empty(), done.len() == 9);
        prop_assert!(done.len() == 9 || !acyclic);
    }
}
