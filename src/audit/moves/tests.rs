//! Tests of `moves`.

use super::*;

const AT: &str = "2026-01-01T00:01:00Z";

struct Nothing;

impl Before for Nothing {
    fn landed(&self, goal: &GoalId) -> bool {
        goal.as_str() == "old"
    }

    fn recorded(&self, head: &Head) -> bool {
        head.goal.as_str() == "old"
    }
}

fn commit() -> CommitId {
    "1111111111111111111111111111111111111111".parse().unwrap()
}

fn landing() -> Moves {
    let open = r#"{"id":"a","description":"x","status":"pending"}"#;
    let record = format!(r#"{{"goal":"a","commit":"{}"}}"#, commit());
    Moves {
        pending: Delta {
            gone: vec![open.into()],
            added: vec![],
        },
        completed: Delta {
            gone: vec![],
            added: vec![completed_row(open, Some(&commit()), AT)],
        },
        history: Delta {
            gone: vec![],
            added: vec![record],
        },
    }
}

fn judged(moves: &Moves) -> Vec<String> {
    let goal: GoalId = "a".parse().unwrap();
    let one = Member {
        goal: &goal,
        commit: Some(commit()),
        landed_at: AT,
    };
    let all = member(moves, &one).into_iter().chain(others(moves, &[one], &Nothing));
    all.map(|one| format!("{} | {}", one.expected, one.found)).collect()
}

#[test]
fn a_landing_moves_its_goal_and_nothing_else() {
    assert!(judged(&landing()).is_empty());
    let mut people = landing();
    people.pending.added.push(r#"{"id":"old","status":"held"}"#.into());
    people.completed.added.push(r#"{"id":"old"}"#.into());
    assert!(
        judged(&people).is_empty(),
        "what people landed or took back is settled by the next landing"
    );
}

#[test]
fn each_other_move_is_named() {
    let change = |change: fn(&mut Moves)| {
        let mut moves = landing();
        change(&mut moves);
        judged(&moves).len()
    };
    assert_eq!(change(|m| m.completed.added.clear()), 1);
    assert_eq!(change(|m| m.pending.added.push(r#"{"id":"a"}"#.into())), 1);
    assert_eq!(change(|m| m.pending.gone.push(r#"{"id":"b"}"#.into())), 1);
    assert_eq!(change(|m| m.completed.added.push(r#"{"id":"b"}"#.into())), 1);
    assert_eq!(
        change(|m| m.completed.added[0] = m.completed.added[0].replace("\"x\"", "\"y\"")),
        1
    );
    assert_eq!(
        change(|m| m.completed.added[0] = m.completed.added[0].replace(AT, "2027-01-01T00:01:00Z")),
        1
    );
    let other = r#"{"goal":"b","commit":"1111111111111111111111111111111111111111"}"#;
    let mut moves = landing();
    moves.history.added.push(other.into());
    assert_eq!(
        judged(&moves),
        [format!("no record of what did not land | {}", cut(other))]
    );
}

#[test]
fn a_lost_row_is_named_unless_its_goal_was_taken_back_or_the_other_side_has_it() {
    let row = |tokens: u32| format!(r#"{{"goal":"a","commit":"{}","tokens":{tokens}}}"#, commit());
    let gone = Delta {
        gone: vec![row(1)],
        added: vec![],
    };
    let changed = Delta {
        gone: vec![row(1)],
        added: vec![row(2)],
    };
    let none = BTreeSet::new();
    let of = |delta: &Delta, excused: &BTreeSet<GoalId>, side| {
        let found = lost(delta, "f", excused, side);
        found
            .into_iter()
            .map(|one| format!("{} | {}", one.divergence.expected, one.divergence.found))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&changed, &none, false), ["f: tokens 1 | tokens 2"]);
    assert_eq!(of(&gone, &none, true).len(), 1);
    assert!(of(&changed, &none, true).is_empty());
    assert!(of(&gone, &BTreeSet::from(["a".parse().unwrap()]), false).is_empty());
}
