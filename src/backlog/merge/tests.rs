use proptest::prelude::*;
use serde_json::{Value, json};

use crate::backlog::{Backlog, merge::merge};

fn file(rows: &[&str]) -> Backlog {
    let text = format!("[\n{}\n]\n", rows.join(",\n"));
    Backlog::parse(text.as_bytes()).unwrap()
}

fn merged(base: &[&str], ours: &[&str], theirs: &[&str]) -> (Vec<String>, Vec<String>) {
    let (backlog, notes) = merge(&file(base), &file(ours), &file(theirs));
    let again = Backlog::parse(&backlog.to_bytes()).unwrap();
    let rows = again.rows().map(|(_, row)| row.to_owned()).collect();
    (rows, notes.iter().map(ToString::to_string).collect())
}

const A: &str = r#"{"id":"a","prompt":"p","x":[ 1 ]}"#;
const A_HELD: &str = r#"{"id":"a","prompt":"p","x":[ 1 ],"status":"held"}"#;
const A_NEW: &str = r#"{"id":"a","prompt":"new","x":[ 1 ]}"#;
const B: &str = r#"{"id":"b"}"#;
const C: &str = r#"{"id":"c"}"#;

#[test]
fn goals_added_on_either_side_are_kept() {
    assert_eq!(
        merged(&[A], &[A, C], &[A, B]),
        (vec![A.into(), B.into(), C.into()], vec![])
    );
}

#[test]
fn a_goal_taken_out_on_one_side_and_unchanged_on_the_other_is_gone() {
    assert_eq!(merged(&[A, B], &[A], &[A, B]).0, [A]);
    assert_eq!(merged(&[A, B], &[A, B], &[A]).0, [A]);
    let reformatted = A.replace(':', ": ");
    assert_eq!(merged(&[A, B], &[&reformatted, B], &[B]).0, [B]);
}

#[test]
fn a_goal_taken_out_on_one_side_and_changed_on_the_other_stays_with_a_note() {
    let note = "goal `a` was taken out on one side and changed on the other; it stays";
    assert_eq!(merged(&[A], &[A_NEW], &[]), (vec![A_NEW.into()], vec![note.into()]));
    assert_eq!(merged(&[A], &[], &[A_NEW]), (vec![A_NEW.into()], vec![note.into()]));
}

#[test]
fn the_side_that_changed_wins_and_different_keys_are_joined() {
    assert_eq!(merged(&[A], &[A_NEW], &[A]), (vec![A_NEW.into()], vec![]));
    assert_eq!(merged(&[A], &[A], &[A_NEW]), (vec![A_NEW.into()], vec![]));
    let joined = r#"{"id":"a","prompt":"new","x":[ 1 ],"status":"held"}"#;
    assert_eq!(merged(&[A], &[A_HELD], &[A_NEW]), (vec![joined.into()], vec![]));
    assert_eq!(merged(&[A_HELD], &[A], &[joined]), (vec![A_NEW.into()], vec![]));
}

#[test]
fn one_key_changed_on_both_sides_is_theirs_with_a_note() {
    let mine = r#"{"id":"a","prompt":"mine","x":[ 1 ]}"#;
    let note = "goal `a`: both sides changed `prompt`; theirs counts";
    assert_eq!(merged(&[A], &[mine], &[A_NEW]), (vec![A_NEW.into()], vec![note.into()]));
    assert_eq!(merged(&[], &[mine], &[A_NEW]), (vec![A_NEW.into()], vec![note.into()]));
    let none = r#"{"id":"a","x":[ 1 ]}"#;
    assert_eq!(merged(&[A], &[mine], &[none]), (vec![none.into()], vec![note.into()]));
}

fn side() -> impl Strategy<Value = Backlog> {
    let row = |(at, (one, two)): (usize, (Option<u8>, Option<u8>))| {
        let mut row = json!({ "id": format!("g{at}") });
        for (key, value) in [("one", one), ("two", two)] {
            value.into_iter().for_each(|value| row[key] = value.into());
        }
        row.to_string()
    };
    let keys = (prop::option::of(0_u8..3), prop::option::of(0_u8..3));
    prop::collection::vec(prop::option::of(keys), 5).prop_map(move |rows| {
        let rows = rows
            .into_iter()
            .enumerate()
            .filter_map(|(at, keys)| Some(row((at, keys?))));
        let rows: Vec<String> = rows.collect();
        file(&rows.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

proptest! {
    #[test]
    fn a_side_that_did_nothing_changes_nothing_and_both_orders_keep_the_same_goals(
        base in side(), ours in side(), theirs in side(),
    ) {
        let model = |backlog: &Backlog| serde_json::from_str::<Value>(backlog.text()).unwrap();
        let (same, notes) = merge(&base, &ours, &base);
        prop_assert_eq!((same.text(), notes.len()), (ours.text(), 0));
        let (same, notes) = merge(&base, &base, &theirs);
        prop_assert_eq!((model(&same), notes.len()), (model(&theirs), 0));
        let (one, notes) = merge(&base, &ours, &theirs);
        let (two, _) = merge(&base, &theirs, &ours);
        prop_assert_eq!(one.ids(), two.ids());
        if notes.is_empty() {
            let lined = |backlog: &Backlog| backlog.goals().map(|(_, goal)| goal).collect::<Vec<_>>();
            prop_assert_eq!(lined(&one), lined(&two));
        }
        prop_assert!(Backlog::parse(&one.to_bytes()).is_ok());
    }
}
