//! Likeness against pairs that people labelled: `tests/fixtures/duplicates.json`. One half was used to choose words and
//! weights, the other one only to measure.

use std::fmt::Write as _;

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
            writeln!(said, "{what} {alike:.2} {kind}: {a} | {b}").unwrap();
        }
    }
    let part = |of: i32| f64::from(hits) / f64::from(hits + of);
    (part(alarms), part(misses), said)
}

#[test]
fn few_alarms_are_false_and_most_duplicates_are_found() {
    for (set, least_precision, least_recall) in [("fit", 0.95, 0.7), ("held_out", 0.9, 0.7)] {
        let (precision, recall, said) = measure(set);
        println!("{set}: precision {precision:.3}, recall {recall:.3}\n{said}");
        assert!(precision >= least_precision && recall >= least_recall, "{set}\n{said}");
    }
}

#[test]
fn the_nearest_of_a_thousand_is_found_and_of_two_alike_the_first() {
    let mut index = Index::default();
    for n in 0..1000 {
        index.add(&goal(&format!("Render widget{n}a of page{n}b with theme{}c", n % 7)));
    }
    let wanted = goal("Please render widget400a of page400b with theme1c");
    let near = index.nearest(&wanted).unwrap();
    assert_eq!(near.nth, 400);
    assert!(near.is_duplicate(), "{near:?}");
    index.add(&wanted);
    index.add(&wanted);
    assert_eq!(index.nearest(&wanted).unwrap().nth, 1000);
    assert_eq!(Index::default().nearest(&wanted), None);
}

#[test]
fn prompts_that_are_worded_anew_do_not_hide_a_duplicate_and_make_none() {
    let with = |description: &str, prompt: &str| Goal {
        prompt: prompt.to_owned(),
        filename: Some("src/slug.rs".to_owned()),
        ..goal(description)
    };
    let one = with(
        "Fold accents in slugs",
        "Use a table of letters and keep what is ASCII already.",
    );
    let other = with(
        "Implement folding of accents in slugs",
        "Replace é by e before the filter runs; add a test.",
    );
    let third = with("Improve slugs", "Replace é by e before the filter runs; add a test.");
    let fourth = with(
        "Better slugs",
        "Collapse repeated dashes into one and trim them at both ends.",
    );
    assert!(likeness(&one, &other, &[]) >= DUPLICATE);
    assert!(likeness(&third, &fourth, &[]) < DUPLICATE);
}

#[test]
fn goals_about_other_names_of_code_are_others() {
    let about = |what: &str| Goal {
        filename: Some("src/list.rs".to_owned()),
        ..goal(what)
    };
    let table = [
        (
            "Test no_captures() with an empty input",
            "Test captures() with an empty input",
        ),
        (
            "Test new_regex_set() with an empty input",
            "Test new_regex() with an empty input",
        ),
        (
            "Test from_key_val_list() with an empty input",
            "Test to_key_val_list() with an empty input",
        ),
        (
            "Let remove_matching_bytes() accept bytes",
            "Test remove_matching_bytes() with an empty input",
        ),
        (
            "Explain exit codes for test_dirs_in_deep()",
            "Test test_dirs_in_deep() with an empty input",
        ),
    ];
    for (one, other) in table {
        let alike = likeness(&about(one), &about(other), &[]);
        assert!(alike < DUPLICATE, "{alike}: {one} | {other}");
    }
    let renamed = likeness(
        &about("Test newRegexSet() with an empty input"),
        &about("Cover new_regex_set() with a test of an empty input"),
        &[],
    );
    assert!(renamed >= DUPLICATE, "{renamed}");
}

#[test]
fn numbers_opposites_and_evidence_weigh() {
    let alike = |one: &str, other: &str| likeness(&goal(one), &goal(other), &[]);
    for (one, other) in [
        ("Pad columns to 20 characters", "Pad columns to 40 characters"),
        ("Encode slugs as JSON", "Decode slugs as JSON"),
        ("Sort rows ascending by date", "Sort rows descending by date"),
        ("Complete branch names in bash", "Complete branch names in zsh"),
    ] {
        assert!(alike(one, other) < DUPLICATE, "{one} | {other}");
    }
    let seen = |description: &str, line: &str| Goal {
        evidence: vec![line.to_owned()],
        ..goal(description)
    };
    let one = seen("Fold accents of headings", "src/slug.rs:3: // TODO: fold accents");
    let moved = seen("Strip accents of titles", "src/slug.rs:9: // TODO: fold accents");
    let other = seen("Strip accents of titles", "src/slug.rs:3: // TODO: titles");
    assert!(
        likeness(&one, &moved, &[]) > 1.1 * likeness(&one, &other, &[]),
        "the same quote says that it is about the same"
    );
}
