use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{
    backlog::{
        Backlog,
        deps::{check, check_file, dependents, order},
    },
    goal::Goal,
    id::GoalId,
};

fn id(text: &str) -> GoalId {
    text.parse().unwrap()
}

fn open(goals: &[(&str, &[&str])]) -> Vec<(GoalId, Goal)> {
    let goal = |needs: &[&str]| Goal {
        dependencies: needs.iter().copied().map(id).collect(),
        ..Goal::default()
    };
    goals.iter().map(|(name, needs)| (id(name), goal(needs))).collect()
}

fn faults(goals: &[(&str, &[&str])]) -> Vec<String> {
    let landed = BTreeSet::from([id("done")]);
    check(&open(goals), &landed).iter().map(ToString::to_string).collect()
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
fn faults_in_a_file_have_the_place_of_the_row() {
    let text = b"[\n{\"id\":\"a\",\"dependencies\":[\"b\"]},\n  {\"id\":\"b\",\"dependencies\":[\"no\",\"a\"]}\n]\n";
    let all = check_file(&Backlog::parse(text).unwrap(), &BTreeSet::new());
    let all: Vec<String> = all.iter().map(|(at, fault)| format!("{at}: {fault}")).collect();
    assert_eq!(
        all,
        [
            "line 3, column 3: goal `b` depends on `no`, which is no goal",
            "line 2, column 1: goals depend on each other: a → b → a"
        ]
    );
}

#[test]
fn a_chain_of_100_000_goals_needs_no_deep_stack() {
    let name = |nth: usize| id(&format!("g{nth}"));
    let goals: Vec<(GoalId, Goal)> = (0..100_000)
        .map(|nth| {
            let dependencies = if nth == 99_999 { Vec::new() } else { vec![name(nth + 1)] };
            (
                name(nth),
                Goal {
                    dependencies,
                    ..Goal::default()
                },
            )
        })
        .collect();
    assert_eq!(check(&goals, &BTreeSet::new()), []);
    assert_eq!(order(&goals).first(), Some(&&name(99_999)));
    assert_eq!(dependents(&goals, &name(99_999)).len(), 99_999);
}

#[test]
fn dependents_are_found_through_others() {
    let goals = open(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]);
    assert_eq!(dependents(&goals, &id("a")), [&id("b"), &id("c")]);
    let landed = open(&[("b", &["a"]), ("c", &["b"]), ("d", &[])]);
    assert_eq!(dependents(&landed, &id("a")), [&id("b"), &id("c")]);
}

proptest! {
    #[test]
    fn order_puts_every_dependency_first_and_cycles_are_found_exactly_where_they_are(
        edges in prop::collection::vec((0_usize..9, 0_usize..9), 0..16), acyclic in any::<bool>(),
    ) {
        let edges: Vec<(usize, usize)> = edges.into_iter().filter(|(from, to)| !acyclic || from > to).collect();
        let goals: Vec<(GoalId, Goal)> = (0..9)
            .map(|nth| {
                let needs = edges.iter().filter(|(from, to)| *from == nth && from != to);
                let dependencies = needs.map(|(_, to)| id(&format!("g{to}"))).collect();
                (id(&format!("g{nth}")), Goal { dependencies, ..Goal::default() })
            })
            .collect();
        let order = order(&goals);
        prop_assert_eq!(order.len(), 9);
        let at = |id: &GoalId| order.iter().position(|other| *other == id).unwrap();
        let sorted = goals.iter().all(|(id, goal)| goal.dependencies.iter().all(|need| at(need) < at(id)));
        prop_assert_eq!(check(&goals, &BTreeSet::new()).is_empty(), sorted);
        prop_assert!(sorted || !acyclic);
    }
}
