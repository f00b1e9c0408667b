//! Tests of when rounds end and what they go on from.

use std::time::Duration;

use super::*;
use crate::{
    check::{End, Stage},
    id::{Oid, TreeId},
    secret::Redactor,
};

fn failed(output: &str, failures: &[&str]) -> Failed {
    Failed {
        ran: vec![Ran {
            stage: Stage::Test,
            command: "test".to_owned(),
            end: End::Exit(1),
            took: Duration::ZERO,
            output: Redactor::default().clean(output),
            tests: None,
        }],
        new_failures: failures.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn code(nth: u8) -> CodeTree {
    let id = TreeId(Oid::from_bytes(&[nth; 20]).unwrap());
    CodeTree { id, root: id }
}

fn rounds(most: u32, escalate: &[&str]) -> Rounds {
    let escalate: Vec<String> = escalate.iter().map(|model| (*model).to_owned()).collect();
    Rounds::new(most, "small".to_owned(), &escalate)
}

fn stopped(next: &Next) -> &str {
    match next {
        Next::Stop(why) => why,
        Next::Again | Next::TakenBack => "again",
    }
}

#[test]
fn the_same_failure_twice_ends_it_whatever_its_numbers() {
    let mut rounds = rounds(5, &[]);
    assert_eq!(rounds.failed(&failed("took 12 ms", &[]), code(7)), Next::Again);
    let next = rounds.failed(&failed("took 9 ms", &[]), code(7));
    assert_eq!(stopped(&next), "2 rounds, the same twice: test: exit 1");
}

#[test]
fn the_next_compile_error_is_another_failure() {
    let mut rounds = rounds(9, &[]);
    for place in [
        "error[E0308]: --> src/a.rs:12:5",
        "error[E0308]: --> src/a.rs:40:9",
        "a.py, line 3",
        "a.py, line 7",
    ] {
        assert_eq!(rounds.failed(&failed(place, &[]), code(7)), Next::Again, "{place}");
    }
}

#[test]
fn a_stronger_model_gets_its_turn_at_the_same_failure() {
    let mut rounds = rounds(5, &["large"]);
    assert_eq!(rounds.model(), "small");
    assert_eq!(rounds.failed(&failed("", &["a"]), code(7)), Next::Again);
    assert_eq!(rounds.model(), "large");
    let next = rounds.failed(&failed("", &["a"]), code(7));
    assert_eq!(stopped(&next), "2 rounds, no progress: test: 1 new failure");
}

#[test]
fn fewer_failures_are_progress_and_as_many_are_none() {
    let mut rounds = rounds(9, &[]);
    for names in [&["a", "b", "c"][..], &["b", "c"], &["d"]] {
        assert_eq!(rounds.failed(&failed("", names), code(7)), Next::Again);
    }
    let next = rounds.failed(&failed("", &["e"]), code(7));
    assert_eq!(stopped(&next), "4 rounds, no progress: test: 1 new failure");
}

#[test]
fn a_worse_tree_is_taken_back_and_the_best_is_kept() {
    let mut rounds = rounds(9, &["m", "n", "o"]);
    let (good, bad) = (code(1), code(2));
    assert_eq!(rounds.failed(&failed("", &["a"]), good), Next::Again);
    assert_eq!(rounds.failed(&failed("", &["a", "b"]), bad), Next::TakenBack);
    assert_eq!(rounds.best(), Some(good));
}

#[test]
fn the_last_round_still_tries_whole_files_after_the_same_refusal() {
    let mut rounds = rounds(3, &[]);
    assert_eq!(rounds.refused("x: not-found", false), Next::Again);
    assert_eq!(rounds.refused("x: not-found", false), Next::Again);
    let next = rounds.refused("x: not-found", false);
    assert_eq!(stopped(&next), "3 rounds, reply: x: not-found");
}

#[test]
fn a_reply_cut_off_twice_ends_it() {
    let mut rounds = rounds(5, &[]);
    assert_eq!(rounds.refused("cut", true), Next::Again);
    assert_eq!(stopped(&rounds.refused("cut too", true)), "2 rounds, reply: cut too");
}

#[test]
fn files_are_granted_once_and_cost_no_round() {
    let mut rounds = rounds(2, &["large"]);
    assert!(rounds.grant());
    assert_eq!((rounds.number(), rounds.model()), ((2, 3), "small"));
    assert!(!rounds.grant());
    assert_eq!(rounds.refused("x", false), Next::Again);
    assert_eq!((rounds.number(), rounds.model()), ((3, 3), "large"));
}

#[test]
fn what_the_checks_said_is_told_with_a_later_refusal() {
    let mut rounds = rounds(2, &[]);
    rounds.failed(&failed("", &["a"]), code(7));
    let next = rounds.refused("y: no-edit", false);
    assert_eq!(stopped(&next), "2 rounds, test: 1 new failure; then reply: y: no-edit");
}
