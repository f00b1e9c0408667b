use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::backlog::{
    Backlog,
    close::PENDING,
    conflict,
    merge::{file as merged_file, merge},
};

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
fn an_edit_beats_a_deletion_and_so_does_a_need_of_it() {
    let note = "goal `a` was taken out on one side and changed or needed on the other; it stays";
    assert_eq!(merged(&[A], &[A_NEW], &[]), (vec![A_NEW.into()], vec![note.into()]));
    assert_eq!(merged(&[A], &[], &[A_NEW]), (vec![A_NEW.into()], vec![note.into()]));
    let needs = r#"{"id":"n","dependencies":["a"]}"#;
    for (ours, theirs) in [(&[][..], &[A, needs][..]), (&[A, needs], &[])] {
        let both = vec![A.to_owned(), needs.to_owned()];
        assert_eq!(merged(&[A], ours, theirs), (both, vec![note.into()]));
    }
    // What landed is gone too; that it was needed before keeps nothing.
    assert_eq!(merged(&[A, needs], &[needs], &[A, needs]), (vec![needs.into()], vec![]));
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
fn one_key_changed_on_both_sides_stays_as_ours_has_it_and_theirs_is_kept() {
    let mine = r#"{"id":"a","prompt":"mine","x":[ 1 ]}"#;
    let kept = |other: &str| mine.replace("1 ]}", &format!("1 ],\"conflict\":{{\"prompt\":[{other}]}}}}"));
    let note = "goal `a`: both sides changed `prompt`; ours stays, theirs is kept under `conflict`";
    let new = kept("\"new\"");
    assert_eq!(merged(&[A], &[mine], &[A_NEW]), (vec![new.clone()], vec![note.into()]));
    assert_eq!(merged(&[], &[mine], &[A_NEW]), (vec![new.clone()], vec![note.into()]));
    let none = r#"{"id":"a","x":[ 1 ]}"#;
    assert_eq!(merged(&[A], &[mine], &[none]), (vec![kept("null")], vec![note.into()]));
    // A further side adds its value, and a side that settled it has settled it.
    let third = r#"{"id":"a","prompt":"third","x":[ 1 ]}"#;
    assert_eq!(merged(&[A], &[&new], &[third]).0, [kept("\"new\",\"third\"")]);
    assert_eq!(merged(&[&new], &[mine], &[&new]), (vec![mine.into()], vec![]));
    assert_eq!(merged(&[&new], &[&new], &[mine]), (vec![mine.into()], vec![]));
}

#[test]
fn lists_are_joined_as_sets_and_sentences_only_where_none_was_taken_out() {
    let row = |needs: &str, accept: &str| format!(r#"{{"id":"a","labels":{needs},"acceptance":{accept}}}"#);
    let of = |side: &str| row(side, "[]");
    let rows = merged(
        &[&of(r#"["x","y"]"#)],
        &[&of(r#"["y","m"]"#)],
        &[&of(r#"["x","y","t"]"#)],
    );
    assert_eq!(rows, (vec![of(r#"["y","m","t"]"#)], vec![]));
    let of = |side: &str| row("[]", side);
    let rows = merged(&[&of(r#"["x"]"#)], &[&of(r#"["x","m"]"#)], &[&of(r#"["x","t"]"#)]);
    assert_eq!(rows, (vec![of(r#"["x","m","t"]"#)], vec![]));
    let rows = merged(&[&of(r#"["x"]"#)], &[&of(r#"["m"]"#)], &[&of(r#"["x","t"]"#)]).0;
    assert!(
        rows[0].ends_with(r#""conflict":{"acceptance":[["x","t"]]}}"#),
        "{rows:?}"
    );
}

#[test]
fn needs_of_both_sides_never_make_a_circle() {
    let row = |id: &str, needs: &str| format!(r#"{{"id":"{id}","dependencies":[{needs}]}}"#);
    let base = [row("a", ""), row("b", "")];
    let ours = [row("a", "\"b\""), row("b", "")];
    let theirs = [row("a", ""), row("b", "\"a\"")];
    let of = |side: &[String; 2]| file(&[side[0].as_str(), side[1].as_str()]);
    let (joined, notes) = merge(&of(&base), &of(&ours), &of(&theirs));
    let kept = r#"{"id":"b","dependencies":[],"conflict":{"dependencies":[["a"]]}}"#;
    assert_eq!(joined.text(), format!("[\n{},\n{kept}\n]\n", ours[0]));
    assert_eq!(notes.len(), 1);
}

#[test]
fn files_that_only_grow_get_what_is_new_and_nothing_that_was_sealed() {
    let log = |rows: &[u32]| {
        let rows: Vec<String> = rows
            .iter()
            .map(|nth| format!(r#"{{"goal":"g","commit":"{nth}"}}"#))
            .collect();
        format!("[\n{}\n]\n", rows.join(",\n"))
    };
    let merged = |base: &[u32], ours: &[u32], theirs: &[u32]| {
        let sides = [log(base), log(ours), log(theirs)];
        let sides = [sides[0].as_bytes(), sides[1].as_bytes(), sides[2].as_bytes()];
        String::from_utf8(merged_file("memory/history.json", sides).unwrap()).unwrap()
    };
    assert_eq!(merged(&[1], &[1, 2], &[1, 3]), log(&[1, 2, 3]));
    assert_eq!(merged(&[1], &[1, 2], &[1, 2]), log(&[1, 2]));
    // Ours sealed 1 and 2.
    assert_eq!(merged(&[1, 2], &[3], &[1, 2, 4]), log(&[3, 4]));
    let two = [&b""[..], b"[\n1\n]\n", b"[\n2\n]\n"];
    assert_eq!(
        merged_file("memory/completed/0001.json", two).unwrap(),
        b"[\n1,\n2\n]\n"
    );
}

#[test]
fn a_side_that_is_broken_is_an_error_and_an_absent_one_is_empty() {
    let goals = format!("[\n{A}\n]\n");
    assert!(merged_file(PENDING, [b"[]", goals.as_bytes(), b"[{"]).is_err());
    let merged = merged_file(PENDING, [b"", goals.as_bytes(), b"[\n{\"id\":\"b\"}\n]\n"]).unwrap();
    assert_eq!(Backlog::parse(&merged).unwrap().ids().len(), 2);
    let one = |row: &str| merged_file("memory/inbox/a.json", [b"", A.as_bytes(), row.as_bytes()]);
    let joined = String::from_utf8(one(A_HELD).unwrap()).unwrap();
    assert_eq!(joined, format!("{A_HELD}\n"));
    assert!(one(B).is_err(), "another goal");
}

const IDS: [&str; 5] = ["g0", "g1", "g2", "g3", "g4"];
type Keys = (Option<u8>, Option<u8>, Vec<u8>);

fn side() -> impl Strategy<Value = Backlog> {
    let row = |(id, (one, two, labels)): (&str, Keys)| {
        let mut row = json!({ "id": id });
        for (key, value) in [("one", one), ("two", two)] {
            value.into_iter().for_each(|value| row[key] = value.into());
        }
        if !labels.is_empty() {
            let labels: BTreeSet<String> = labels.iter().map(ToString::to_string).collect();
            row["labels"] = json!(labels);
        }
        row.to_string()
    };
    let keys = (
        prop::option::of(0_u8..3),
        prop::option::of(0_u8..3),
        prop::collection::vec(0_u8..3, 0..3),
    );
    prop::collection::vec(prop::option::of(keys), IDS.len()).prop_map(move |rows| {
        let rows = IDS
            .into_iter()
            .zip(rows)
            .filter_map(|(id, keys)| Some(row((id, keys?))));
        let rows: Vec<String> = rows.collect();
        file(&rows.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

/// What a backlog says: every value of every key, those under `conflict` among them, whichever of them stands.
fn said(backlog: &Backlog) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let of_row = |row: &str| {
        let fields: Map<String, Value> = serde_json::from_str(row).unwrap();
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, value) in fields.into_iter().filter(|(key, _)| key != conflict::KEY) {
            let mut items: Vec<String> = match value {
                Value::Array(list) => list.iter().map(ToString::to_string).collect(),
                value => vec![value.to_string()],
            };
            items.sort();
            all.entry(key).or_default().insert(items.join(","));
        }
        for (key, values) in conflict::of(row).values() {
            let words = values.iter().map(ToString::to_string);
            let own = all
                .entry(key.to_owned())
                .or_insert_with(|| BTreeSet::from(["null".to_owned()]));
            own.extend(words);
        }
        all
    };
    backlog.rows().map(|(id, row)| (id.to_string(), of_row(row))).collect()
}

proptest! {
    #[test]
    fn a_side_that_did_nothing_changes_nothing_and_a_merge_done_again_is_the_same(
        base in side(), ours in side(), theirs in side(),
    ) {
        let model = |backlog: &Backlog| serde_json::from_str::<Value>(backlog.text()).unwrap();
        let (same, notes) = merge(&base, &ours, &base);
        prop_assert_eq!((same.text(), notes.len()), (ours.text(), 0));
        let (same, notes) = merge(&base, &base, &theirs);
        prop_assert_eq!((model(&same), notes.len()), (model(&theirs), 0));
        let (once, _) = merge(&base, &ours, &theirs);
        prop_assert!(Backlog::parse(&once.to_bytes()).is_ok());
        for again in [merge(&base, &once, &theirs), merge(&base, &once, &once), merge(&ours, &once, &ours)] {
            prop_assert_eq!(again.0.text(), once.text());
        }
    }

    #[test]
    fn whichever_side_is_the_target_the_same_goals_say_the_same_and_none_is_lost(
        base in side(), ours in side(), theirs in side(),
    ) {
        let (one, _) = merge(&base, &ours, &theirs);
        let (two, _) = merge(&base, &theirs, &ours);
        prop_assert_eq!(said(&one), said(&two));
        for (side, other) in [(&ours, &theirs), (&theirs, &ours)] {
            for (id, row) in side.rows() {
                let read = |row: &str| serde_json::from_str::<Value>(row).unwrap();
                let is_changed = base.raw(id).is_none_or(|old| read(old) != read(row));
                let is_there = one.raw(id).is_some();
                prop_assert!(is_there || !is_changed && other.raw(id).is_none(), "{} is lost", id);
            }
        }
        // What a side set a key to stands, or is kept, unless only the other side changed it.
        let (all, was) = (said(&one), said(&base));
        for (id, keys) in said(&ours) {
            for (key, values) in keys.iter().filter(|(key, _)| *key != "labels") {
                let before = was.get(&id).and_then(|keys| keys.get(key));
                if before != Some(values) {
                    let now = all.get(&id).and_then(|keys| keys.get(key));
                    prop_assert!(now.is_some_and(|now| now.is_superset(values)), "{} {}", id, key);
                }
            }
        }
    }
}
