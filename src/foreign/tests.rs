use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::*;
use crate::{
    backlog::Backlog,
    foreign::{
        beads::Reader,
        export::{Base, Ours, export},
        take::{Here, Taken, take},
    },
    goal::Decision,
};

/// Any JSON.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-z_]{0,6}", inner), 0..4).prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

/// Objects that look like those of the tools: keys that they know, with values that fit now and then.
fn item() -> impl Strategy<Value = Value> {
    let keys = [
        "id",
        "number",
        "title",
        "status",
        "state",
        "priority",
        "dependencies",
        "labels",
        "description",
        "subtasks",
        "issue_type",
        "metadata",
        "external_ref",
        "prompt",
        "filename",
        "files",
        "acceptance",
        "imported",
        "odd",
    ];
    let words = [
        "a",
        "b",
        "c",
        "open",
        "closed",
        "done",
        "deferred",
        "blocks",
        "parent-child",
        "high",
        "",
    ];
    let plain = prop_oneof![
        proptest::sample::select(words.to_vec()).prop_map(Value::from),
        (0..4_u8).prop_map(Value::from),
        (
            proptest::sample::select(words.to_vec()),
            proptest::sample::select(words.to_vec())
        )
            .prop_map(|(on, kind)| json!([{ "depends_on_id": on, "type": kind }, on])),
        value(),
    ];
    vec((proptest::sample::select(keys.to_vec()), plain), 0..8)
        .prop_map(|all| Value::Object(all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

fn issues_of(text: &str) -> Result<Read, ForeignError> {
    let mut reader = Reader::default();
    for line in text.split_inclusive('\n') {
        let bare = line.strip_suffix('\n');
        reader.line(bare.unwrap_or(line).as_bytes(), bare.is_some())?;
    }
    Ok(reader.end())
}

fn taken(mut read: Read, format: Format, backlog: &Backlog) -> Result<Taken, ForeignError> {
    read.unite();
    let (landed, busy) = (BTreeSet::new(), BTreeSet::new());
    let here = Here {
        backlog,
        landed: &landed,
        landed_rows: &[],
        busy: &busy,
    };
    take(&read, format, false, &here)
}

/// Reads `text` in every format that takes such text.
fn read_all(text: &str) -> Vec<(Format, Result<Read, ForeignError>)> {
    vec![
        (Format::Beads, issues_of(text)),
        (Format::Taskmaster, taskmaster::read(text, None)),
        (Format::Issues, issues::read(text, &[])),
        (Format::Seed, seed::read(text, "")),
        (Format::Speckit, speckit::read("001-x", text)),
        (Format::Checklist, Ok(checklist::read(text))),
    ]
}

/// Imports twice: the second time must change nothing.
fn twice(text: &str) {
    for (format, read) in read_all(text) {
        let Ok(read) = read else { continue };
        let Ok(first) = taken(read.clone(), format, &Backlog::default()) else {
            continue;
        };
        let again = taken(read, format, &first.backlog).unwrap();
        assert_eq!(again.backlog.text(), first.backlog.text(), "{format}");
        assert_eq!(
            (again.added.len(), again.updated.len(), again.left.len()),
            (0, 0, 0),
            "{format}"
        );
        Backlog::parse(&first.backlog.to_bytes()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_an_import_panic(text in "(?s).{0,200}", items in vec(item(), 0..6), odd in value()) {
        twice(&text);
        let _ = config::read(&text);
        twice(&odd.to_string());
        let lines: Vec<String> = items.iter().map(Value::to_string).collect();
        twice(&lines.join("\n"));
        twice(&Value::from(items.clone()).to_string());
        twice(&json!({ "master": { "tasks": items } }).to_string());
    }

    #[test]
    fn no_markdown_makes_an_import_panic(lines in vec("(- \\[[ x-]\\] |  - \\[ \\] |## |```|<!--|\t|T001 |\\[P\\] |[a-z()-]){0,9}", 0..20)) {
        twice(&lines.join("\n"));
    }

    #[test]
    fn what_came_goes_back_with_every_foreign_key(items in vec(item(), 0..6)) {
        let lines: Vec<String> = items.iter().map(|item| item.to_string() + "\n").collect();
        let text = lines.concat();
        let Ok(read) = issues_of(&text) else { return Ok(()) };
        let Ok(here) = taken(read, Format::Beads, &Backlog::default()) else { return Ok(()) };
        let ours: Vec<Ours> = here.backlog.rows().filter_map(|(id, row)| Ours::read(id, row, None)).collect();
        prop_assert_eq!(ours.len(), here.backlog.ids().len());
        let back = export(Format::Beads, Base { main: &text, ..Base::default() }, &ours, "now").unwrap();
        prop_assert_eq!(&back.files[0].1, &text);
        let alone = export(Format::Beads, Base::default(), &ours, "now").unwrap();
        for line in alone.files[0].1.lines() {
            let after: Value = serde_json::from_str(line).unwrap();
            // The later one of two counts.
            let before = items.iter().rev().find(|item| json::word(&item["id"]) == json::word(&after["id"])).unwrap();
            for (key, value) in before.as_object().unwrap().iter().filter(|(key, _)| *key != "id") {
                prop_assert_eq!(&after[key], value, "{}", key);
            }
        }
    }

    #[test]
    fn tasks_that_came_go_back_byte_for_byte(items in vec(item(), 0..6)) {
        let text = serde_json::to_string_pretty(&json!({ "master": { "tasks": items } })).unwrap();
        let read = taskmaster::read(&text, None).unwrap();
        let Ok(here) = taken(read, Format::Taskmaster, &Backlog::default()) else { return Ok(()) };
        let ours: Vec<Ours> = here.backlog.rows().filter_map(|(id, row)| Ours::read(id, row, None)).collect();
        let back = export(Format::Taskmaster, Base { main: &text, ..Base::default() }, &ours, "now").unwrap();
        prop_assert_eq!(&back.files[0].1, &text);
    }
}

fn issue(id: &str, more: &str) -> String {
    format!("{{\"id\":\"{id}\",\"title\":\"Do {id}\"{more}}}\n")
}

fn needs(id: &str, on: &[(&str, &str)]) -> String {
    let edges: Vec<Value> = on
        .iter()
        .map(|(on, kind)| json!({ "depends_on_id": on, "type": kind }))
        .collect();
    issue(id, &format!(",\"dependencies\":{}", Value::from(edges)))
}

fn row(backlog: &Backlog, id: &str) -> Goal {
    backlog.get(&id.parse().unwrap()).unwrap()
}

fn words(ids: &[GoalId]) -> Vec<&str> {
    ids.iter().map(GoalId::as_str).collect()
}

#[test]
fn wholes_hand_on_what_they_need_and_what_needs_them() {
    let text = [
        issue("first", ""),
        needs("epic", &[("first", "blocks"), ("p1", "blocks")]),
        needs("p1", &[("epic", "parent-child")]),
        needs("p2", &[("epic", "parent-child"), ("epic", "blocks"), ("p1", "related")]),
        needs("last", &[("epic", "blocks")]),
    ];
    let here = taken(issues_of(&text.concat()).unwrap(), Format::Beads, &Backlog::default()).unwrap();
    assert_eq!(here.backlog.ids().len(), 4);
    assert_eq!(words(&row(&here.backlog, "p1").dependencies), ["first"]);
    assert_eq!(words(&row(&here.backlog, "p2").dependencies), ["first"]);
    assert_eq!(words(&row(&here.backlog, "last").dependencies), ["p1", "p2"]);
}

#[test]
fn what_is_done_is_met_and_what_nobody_knows_holds() {
    let text = [
        issue("done", ",\"status\":\"closed\""),
        needs("a", &[("done", "blocks")]),
        needs("b", &[("gone", "blocks")]),
        needs("c", &[("b", "blocks"), ("gone", "related")]),
    ];
    let here = taken(issues_of(&text.concat()).unwrap(), Format::Beads, &Backlog::default()).unwrap();
    assert!(row(&here.backlog, "a").dependencies.is_empty());
    let held = row(&here.backlog, "b");
    assert_eq!(
        (held.status, held.reason.as_deref()),
        (Decision::Held, Some("needs gone, which is not there"))
    );
    assert_eq!(words(&row(&here.backlog, "c").dependencies), ["b"]);
    assert_eq!(here.notes, ["b is held: it needs gone, which is not there"]);
}

#[test]
fn goals_that_need_each_other_are_refused_by_name() {
    let text = [
        needs("a", &[("b", "blocks")]),
        needs("b", &[("c", "blocks")]),
        needs("c", &[("a", "blocks")]),
    ];
    let fault = taken(issues_of(&text.concat()).unwrap(), Format::Beads, &Backlog::default()).unwrap_err();
    assert_eq!(fault.to_string(), "goals depend on each other: a → b → c → a");
    let parts = [
        needs("a", &[("b", "parent-child")]),
        needs("b", &[("a", "parent-child")]),
    ];
    let fault = taken(issues_of(&parts.concat()).unwrap(), Format::Beads, &Backlog::default()).unwrap_err();
    assert_eq!(fault.to_string(), "items are parts of each other: a, b");
}

#[test]
fn what_changed_there_follows_unless_it_was_edited_here() {
    let first = [
        issue("a", ""),
        issue("b", ""),
        issue("c", ""),
        issue("d", ""),
        needs("e", &[("d", "blocks")]),
    ]
    .concat();
    let here = taken(issues_of(&first).unwrap(), Format::Beads, &Backlog::default())
        .unwrap()
        .backlog;
    let id = |id: &str| -> GoalId { id.parse().unwrap() };
    let here = here
        .set(&id("b"), "prompt", &json!("Mine"))
        .unwrap()
        .set(&id("a"), "budget_usd", &json!(3))
        .unwrap();
    let newer = [
        issue("a", ",\"description\":\"More\""),
        issue("b", ",\"description\":\"More\""),
        issue("c", ",\"status\":\"closed\""),
        issue("d", ",\"status\":\"closed\""),
        needs("e", &[("d", "blocks")]),
    ];
    let after = taken(issues_of(&newer.concat()).unwrap(), Format::Beads, &here).unwrap();
    assert_eq!(words(&after.updated), ["a", "e"]);
    assert_eq!(words(&after.removed), ["c", "d"]);
    assert_eq!(
        after.left.iter().map(|left| left.goal.as_str()).collect::<Vec<_>>(),
        ["b"]
    );
    let a = row(&after.backlog, "a");
    assert_eq!((a.prompt.as_str(), a.budget_usd), ("More", Some(3.0)));
    assert_eq!(row(&after.backlog, "b").prompt, "Mine");
    assert!(row(&after.backlog, "e").dependencies.is_empty());
}

#[test]
fn how_goals_come_is_asked_for_new_ones_only() {
    let text = [issue("a", ""), issue("b", "")].concat();
    let import = |text: &str, proposed: bool, backlog: &Backlog| {
        let (landed, busy) = (BTreeSet::new(), BTreeSet::new());
        let here = Here {
            backlog,
            landed: &landed,
            landed_rows: &[],
            busy: &busy,
        };
        take(&issues_of(text).unwrap(), Format::Beads, proposed, &here).unwrap()
    };
    let here = import(&text, true, &Backlog::default()).backlog;
    let id: GoalId = "a".parse().unwrap();
    let here = here.set(&id, "status", &json!("pending")).unwrap();
    for proposed in [true, false] {
        let again = import(&text, proposed, &here);
        assert_eq!((again.unchanged, again.backlog.text()), (2, here.text()));
    }
    let newer = [
        issue("a", ",\"description\":\"More\""),
        issue("b", ",\"description\":\"More\""),
    ]
    .concat();
    let after = import(&newer, false, &here);
    assert_eq!(words(&after.updated), ["b"]);
    assert_eq!(row(&after.backlog, "b").status, Decision::Proposed);
    let again = import(&newer, true, &after.backlog);
    assert_eq!((again.unchanged, again.left.len()), (1, 1));
}

#[test]
fn another_goal_of_the_same_id_is_named_and_not_taken_for_the_one_here() {
    let own = Backlog::default()
        .with(&[
            "{\"id\":\"a\",\"description\":\"Own\"}",
            "{\"id\":\"b\",\"description\":\"Same\"}",
        ])
        .unwrap();
    let text = "[{\"id\":\"a\",\"description\":\"Theirs\"},{\"id\":\"b\",\"description\":\"Same\"}]";
    let after = taken(seed::read(text, "").unwrap(), Format::Seed, &own).unwrap();
    assert_eq!((after.unchanged, after.left.len()), (1, 1));
    assert_eq!(after.backlog.text(), own.text());
}

#[test]
fn a_box_in_other_words_is_another_goal_and_the_old_one_is_named() {
    let here = taken(
        checklist::read("- [ ] Sing\n- [ ] Dance\n"),
        Format::Checklist,
        &Backlog::default(),
    )
    .unwrap();
    let after = taken(
        checklist::read("- [ ] Sing loudly\n- [x] Dance\n"),
        Format::Checklist,
        &here.backlog,
    )
    .unwrap();
    let old = here.added.first().unwrap().goal.clone();
    assert_eq!((after.added.len(), after.removed.len(), after.notes.len()), (1, 1, 1));
    assert!(
        after.notes.concat().ends_with(&format!("git invisigoth drop {old}")),
        "{:?}",
        after.notes
    );
}

#[test]
fn an_id_that_is_taken_gets_a_tail() {
    let own = Backlog::default()
        .with(&["{\"id\":\"a\",\"description\":\"Own\"}"])
        .unwrap();
    let after = taken(issues_of(&issue("a", "")).unwrap(), Format::Beads, &own).unwrap();
    let came = after.added[0].goal.as_str();
    assert!(came.starts_with("a-") && came.len() == 10, "{came}");
    assert_eq!(row(&after.backlog, "a").description, "Own");
}
