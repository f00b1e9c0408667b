use proptest::prelude::*;

use super::*;
use crate::context::{
    past::known::{Changed, Commit},
    terms::Terms,
    votes::votes,
};

pub(crate) fn id(number: usize) -> CommitId {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    CommitId(crate::id::Oid::from_bytes(&bytes).unwrap())
}

fn path(name: &str) -> RepoPath {
    RepoPath::from_git(name)
}

/// A commit; `a<b` is a path `a` that was `b` before.
pub(crate) fn commit(number: usize, parents: &[usize], at: i64, said: &str, paths: &[&str]) -> Commit {
    let side = |name: &&str| match name.split_once('<') {
        Some((now, was)) => (path(now), Some(path(was))),
        None => (path(name), None),
    };
    Commit {
        id: id(number),
        parents: parents.iter().copied().map(id).collect(),
        at,
        words: message::read(&mut Terms::default(), said.as_bytes()),
        changed: Changed {
            count: paths.len() as u32,
            paths: paths.iter().map(side).collect(),
        },
    }
}

/// Follows `tip` over what is known.
fn follow(past: &mut Past, tip: usize, most: usize) {
    let known = past.known();
    let look = |id| Ok::<_, ()>(known.line(id).map(|(at, parents)| (at, parents.to_vec())));
    let order = walk::newest(id(tip), most, look).unwrap();
    past.follow(&order);
}

/// The past of the last of `commits`.
pub(crate) fn past_of(commits: Vec<Commit>) -> Past {
    let mut past = Past::default();
    let tip = commits.len();
    for commit in commits {
        past.known_mut().add(commit);
    }
    follow(&mut past, tip, MOST);
    past
}

fn query(text: &str) -> Vec<(Term, f32)> {
    let counted = Terms::default().counted(text.as_bytes());
    counted.into_iter().map(|(term, _)| (term, 1.0)).collect()
}

fn touched(past: &Past, name: &str) -> Vec<CommitId> {
    past.touched([&path(name)])
        .into_iter()
        .map(|(_, commit)| commit)
        .collect()
}

#[test]
fn a_rename_brings_what_was_before_to_the_name_of_today() {
    let past = past_of(vec![
        commit(1, &[], 1, "lexer", &["old"]),
        commit(2, &[1], 2, "x", &["mid<old"]),
        commit(3, &[2], 3, "x", &["new<mid", "other"]),
        // The name is taken again by another file.
        commit(4, &[3], 4, "x", &["old"]),
    ]);
    assert_eq!(touched(&past, "new"), [id(3), id(2), id(1)]);
    assert_eq!(touched(&past, "old"), [id(4)]);
    assert!(touched(&past, "mid").is_empty());
    let voted = votes(&past, &query("lexer"));
    assert!(voted.of(&path("new")).message > 0.0);
    assert_eq!(voted.of(&path("old")).message, 0.0);
}

#[test]
fn two_files_can_change_places() {
    let past = past_of(vec![
        commit(1, &[], 1, "x", &["a"]),
        commit(2, &[1], 2, "x", &["a<b", "b<a"]),
        commit(3, &[2], 3, "x", &["b"]),
    ]);
    assert_eq!(touched(&past, "b"), [id(3), id(2), id(1)]);
    assert_eq!(touched(&past, "a"), [id(2)]);
}

#[test]
fn a_commit_of_many_files_says_only_how_common_its_words_are() {
    let many: Vec<String> = (0..41).map(|n| format!("f{n}")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.push("new<old");
    let past = past_of(vec![
        commit(1, &[], 1, "lexer", &["old"]),
        commit(2, &[1], 2, "lexer", &many),
    ]);
    assert!(touched(&past, "f3").is_empty());
    assert_eq!(touched(&past, "new"), [id(1)]);
    let lexer = query("lexer")[0].0;
    assert_eq!(past.postings(lexer).unwrap().live, 2);
    assert_eq!(votes(&past, &query("lexer")).iter().count(), 1);
}

#[test]
fn a_commit_of_more_than_twenty_files_is_recent_but_has_no_vote() {
    let names: Vec<String> = (0..25).map(|n| format!("f{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let past = past_of(vec![
        commit(1, &[], 1, "lexer", &names),
        commit(2, &[1], 2, "parser", &["f1"]),
    ]);
    let voted = votes(&past, &query("lexer"));
    let near = |name: &str, expected: f32| (voted.of(&path(name)).recent - expected.ln_1p()).abs() < 1e-6;
    assert!(near("f2", 1.0 / 5.0) && near("f1", 1.0 + 1.0 / 5.0), "{voted:?}");
    assert_eq!(voted.of(&path("f2")).message, 0.0);
}

#[test]
fn the_vote_of_a_message_is_its_likeness_over_the_root_of_its_files() {
    let past = past_of(vec![
        commit(1, &[], 1, "lexer", &["a", "b"]),
        commit(2, &[1], 2, "parser", &["c"]),
    ]);
    // Two messages of two terms each (the subject counts twice), one has the term.
    let rare = (1.0_f64 + 1.5 / 1.5).ln();
    let likeness = rare * 2.0 * 2.2 / (2.0 + 1.2);
    let expected = (likeness * likeness / 2.0_f64.sqrt()).sqrt();
    let vote = votes(&past, &query("lexer")).of(&path("a"));
    assert!((f64::from(vote.message) - expected).abs() < 1e-6, "{vote:?} {expected}");
    assert_eq!(votes(&past, &[(query("lexer")[0].0, 0.0)]).of(&path("a")).message, 0.0);
}

#[test]
fn sixty_of_those_with_a_vote_are_heard_and_fifty_are_recent() {
    let commits = (1..=70).map(|n| {
        let parents: &[usize] = if n == 1 { &[] } else { &[n - 1] };
        commit(n, parents, n as i64, "lexer", &[&format!("f{n}")])
    });
    let past = past_of(commits.collect());
    let voted = votes(&past, &query("lexer"));
    assert_eq!(voted.iter().filter(|(_, vote)| vote.message > 0.0).count(), 60);
    assert_eq!(voted.iter().filter(|(_, vote)| vote.recent > 0.0).count(), 50);
    // Of equals the newer ones are heard.
    assert_eq!(voted.of(&path("f10")).message, 0.0);
    assert!(voted.of(&path("f11")).message > 0.0);
}

#[test]
fn rarity_goes_from_none_to_all() {
    let term = |word: &str| query(word)[0].0;
    assert_eq!(Past::default().rarity(term("lexer")), 1.0);
    let past = past_of(vec![
        commit(1, &[], 1, "lexer", &["a"]),
        commit(2, &[1], 2, "lexer parser", &["a"]),
    ]);
    let (common, rare, unseen) = (
        past.rarity(term("lexer")),
        past.rarity(term("parser")),
        past.rarity(term("zig")),
    );
    assert!(common < rare && rare < unseen, "{common} {rare} {unseen}");
    assert_eq!(unseen, 1.0);
    assert_eq!(past.len(), 2);
}

#[test]
fn nothing_comes_of_no_history() {
    let past = past_of(Vec::new());
    assert!(past.is_empty());
    assert_eq!(votes(&past, &query("lexer")).iter().count(), 0);
    assert!(touched(&past, "a").is_empty());
}

#[test]
fn merges_are_passed_and_history_ends_where_nothing_is_told() {
    let mut past = past_of(vec![
        commit(1, &[99], 1, "one", &["a"]),
        commit(2, &[1], 5, "two", &["a"]),
        commit(3, &[1], 5, "three\n\nmore", &["a"]),
        commit(4, &[1], 4, "four", &["a"]),
        commit(5, &[2, 3, 4], 6, "", &[]),
    ]);
    let subjects: Vec<&str> = past.subjects().map(|(_, subject)| subject).collect();
    // Of equal times the earlier parent is first.
    assert_eq!(subjects, ["two", "three", "four", "one"]);
    follow(&mut past, 5, 2);
    assert_eq!(past.subjects().map(|(id, _)| id).collect::<Vec<_>>(), [id(2), id(3)]);
    assert_eq!(past.subject(id(1)), Some("one"));
}

const NAMES: [&str; 7] = ["a", "b", "c", "a<b", "b<c", "c<a", "d<a"];
const WORDS: [&str; 5] = ["lexer", "parser", "lexer parser", "walker of lexers", ""];

/// A history: for each commit how far back its parents are, how its time goes on, what it says and changes.
fn history() -> impl Strategy<Value = Vec<Commit>> {
    let one = (
        prop::collection::vec(1..6_usize, 0..3),
        -2..4_i64,
        0..WORDS.len(),
        prop::collection::btree_set(0..NAMES.len(), 0..4),
    );
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let made = all.into_iter().enumerate().map(|(at, (back, time, said, names))| {
            let number = at + 1;
            let parents: Vec<usize> = back.iter().filter_map(|back| number.checked_sub(*back)).collect();
            let parents: Vec<usize> = parents.into_iter().filter(|parent| *parent > 0).collect();
            let names: Vec<&str> = names.into_iter().map(|name| NAMES[name]).collect();
            commit(number, &parents, number as i64 + time, WORDS[said], &names)
        });
        made.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn following_from_tip_to_tip_is_as_reading_anew(
        commits in history(),
        tips in prop::collection::vec(0..40_usize, 1..8),
        most in 1..12_usize,
    ) {
        let mut advanced = Past::default();
        for tip in tips {
            let tip = tip % commits.len() + 1;
            let mut fresh = Past::default();
            for commit in &commits[..tip] {
                fresh.known_mut().add(commit.clone());
                advanced.known_mut().add(commit.clone());
            }
            follow(&mut fresh, tip, most);
            follow(&mut advanced, tip, most);
            prop_assert_eq!(advanced.subjects().collect::<Vec<_>>(), fresh.subjects().collect::<Vec<_>>());
            for text in ["lexer", "parser walker", "walker lexer"] {
                prop_assert_eq!(votes(&advanced, &query(text)), votes(&fresh, &query(text)));
                let term = query(text)[0].0;
                prop_assert_eq!(advanced.rarity(term), fresh.rarity(term));
            }
            for name in ["a", "b", "c", "d"] {
                prop_assert_eq!(touched(&advanced, name), touched(&fresh, name));
            }
        }
    }
}
