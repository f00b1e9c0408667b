use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    backlog::{Backlog, error::BacklogError, read::ids_in},
    goal::Decision,
    id::GoalId,
};

const ROWS: &str =
    "[\n{\"id\":\"goal-1\",\"description\":\"One\",\"x\":{ \"b\" : 1.50, \"a\":[ ] }},\n{\"id\":\"goal-3\"}\n]\n";
const PRETTY: &str = include_str!("fixtures/pretty.json");

fn id(text: &str) -> GoalId {
    text.parse().unwrap()
}

fn read(text: &str) -> Backlog {
    Backlog::parse(text.as_bytes()).unwrap()
}

fn fault(text: &str) -> String {
    Backlog::parse(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_new_goal_is_one_more_line_in_the_order_of_ids() {
    let after = read(ROWS)
        .with(&["{\"id\":\"goal-2\"}", "{\"id\":\"goal-0\"}"])
        .unwrap();
    let want = ROWS
        .replace("[\n", "[\n{\"id\":\"goal-0\"},\n")
        .replace("{\"id\":\"goal-3", "{\"id\":\"goal-2\"},\n{\"id\":\"goal-3");
    assert_eq!(after.text(), want);
    assert_eq!(after.raw(&id("goal-2")), Some("{\"id\":\"goal-2\"}"));
    let empty = Backlog::default().with(&["{\n  \"id\": \"a\"\n}"]).unwrap();
    assert_eq!(empty.text(), "[\n{\"id\": \"a\"}\n]\n");
    assert_eq!(empty.without(&[id("a")]).text(), "[]\n");
}

#[test]
fn an_unsorted_file_gets_new_goals_at_its_end() {
    let text = "[\n{\"id\":\"goal-2\"},\n{\"id\":\"goal-10\"}\n]\n";
    let after = read(text).with(&["{\"id\":\"a\"}"]).unwrap();
    assert_eq!(after.text(), text.replace("\n]", ",\n{\"id\":\"a\"}\n]"));
}

#[test]
fn unknown_keys_keep_their_bytes_when_another_key_is_set() {
    let after = read(ROWS).set(&id("goal-1"), "status", &json!("held")).unwrap();
    assert_eq!(after.text(), ROWS.replace("[ ] }}", "[ ] },\"status\":\"held\"}"));
    assert_eq!(after.get(&id("goal-1")).unwrap().status, Decision::Held);
    let back = after.set(&id("goal-1"), "status", &Value::Null).unwrap();
    assert_eq!(back.text(), ROWS);
}

#[test]
fn pretty_printed_crlf_in_an_object_is_read_and_spliced_in_its_own_layout() {
    for text in [
        PRETTY.to_owned(),
        PRETTY.replace('\n', "\r\n"),
        format!("\u{feff}{PRETTY}"),
    ] {
        let backlog = read(&text);
        let ids: Vec<&str> = backlog.ids().iter().map(GoalId::as_str).collect();
        assert_eq!(ids, ["goal-1", "goal-2", "goal-3"]);
        let eol = if text.contains('\r') { "\r\n" } else { "\n" };
        let held = backlog.set(&id("goal-2"), "reason", &json!("later")).unwrap();
        let after_status = "\"status\": \"pending\"";
        let mut parts = text.splitn(3, after_status);
        let want: Vec<&str> = parts.by_ref().collect();
        let want = format!(
            "{}{after_status}{}{after_status},{eol}      \"reason\": \"later\"{}",
            want[0], want[1], want[2]
        );
        assert_eq!(held.text(), want);
        let without = backlog.without(&[id("goal-2")]);
        let (head, rest) = text.split_once(backlog.raw(&id("goal-2")).unwrap()).unwrap();
        let head = head.trim_end().strip_suffix(',').unwrap();
        assert_eq!(without.text(), format!("{head}{rest}"));
        let again = without.with(&[backlog.raw(&id("goal-2")).unwrap()]).unwrap();
        assert_eq!(read(again.text()).get(&id("goal-2")), backlog.get(&id("goal-2")));
        assert_eq!(again.raw(&id("goal-3")), backlog.raw(&id("goal-3")));
    }
}

#[test]
fn null_counts_as_absent() {
    let backlog = read("[{\"id\":\"a\",\"prompt\":null,\"filename\":null,\"priority\":2,\"status\":null}]");
    let goal = backlog.get(&id("a")).unwrap();
    assert_eq!((goal.prompt.as_str(), goal.filename, goal.priority), ("", None, 2));
    let (_, head) = backlog.heads().next().unwrap();
    assert_eq!((head.priority, head.status), (2, Decision::Pending));
    let twice = read("[{\"id\":\"a\",\"status\":null,\"status\":\"held\"}]");
    assert_eq!(twice.goals().next().unwrap().1.status, Decision::Held);
    assert_eq!(twice.heads().next().unwrap().1.status, Decision::Held);
}

#[test]
fn heads_say_what_goals_say() {
    let backlog = read(r#"[{"id":"a","description":"a \"b\" \u00e4","dependencies":["x","\u0079"],"status":"held"}]"#);
    let (goal, head) = (backlog.get(&id("a")).unwrap(), backlog.heads().next().unwrap().1);
    assert_eq!(head.description, goal.description);
    assert_eq!(
        head.dependencies,
        goal.dependencies.iter().map(GoalId::as_str).collect::<Vec<_>>()
    );
    assert_eq!(head.status, goal.status);
}

#[test]
fn faults_name_line_column_goal_and_key() {
    let cases = [
        (
            "[\n{\"id\":\"a\"},\n{\"id\" \"b\"}\n]",
            "line 3, column 7: broken JSON: expected `:`",
        ),
        (
            "[\n<<<<<<< ours\n{\"id\":\"a\"}\n]",
            "line 2: a conflict marker; the file is not merged yet",
        ),
        ("", "line 1, column 0: broken JSON: EOF while parsing a value"),
        (
            "\"x\"",
            "line 1, column 1: expected an array of rows, or an object with an array `goals`",
        ),
        (
            " {\"goals\": {}}",
            "line 1, column 12: expected an array of rows, or an object with an array `goals`",
        ),
        ("[\n 1]", "line 2, column 2: a row must be an object `{…}`"),
        ("[[\"a\"]]", "line 1, column 2: a row must be an object `{…}`"),
        ("[\n{\"description\":\"\"}]", "line 2, column 1: this row has no `id`"),
        ("[{\"id\":null}]", "line 1, column 2: this row has no `id`"),
        (
            "[{\"id\":\" a\"}]",
            "line 1, column 8: ` a` is not a goal id: it starts or ends with a space",
        ),
        (
            "[{\"id\":7}]",
            "line 1, column 8: goal `7`, key `id`: invalid type: integer `7`, expected a string",
        ),
        (
            "[\n{\"id\":\"a\"},\n{\"id\":\"b\"},\n {\"id\":\"a\"}]",
            "goal `a` is there twice: line 2, column 1, and line 4, column 2",
        ),
        (
            "[{\"id\":\"a\",\n \"priority\": \"high\"}]",
            "line 2, column 14: goal `a`, key `priority`: invalid type: string \"high\", expected i64",
        ),
        (
            "[{\"id\":\"a\",\"status\":\"done\"}]",
            "line 1, column 21: goal `a`, key `status`: unknown variant `done`, expected one of `pending`, `proposed`, \
             `rejected`, `held`",
        ),
        (
            "[{\"id\":\"a\",\"id\":\"b\"}]",
            "line 1, column 17: goal `b` has the key `id` twice",
        ),
    ];
    for (text, want) in cases {
        assert_eq!(fault(text), want, "{text}");
    }
    let error = Backlog::parse(b"[\n\xff]").unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 1: this is not UTF-8 text");
}

#[test]
fn a_change_that_would_break_the_file_is_refused() {
    let backlog = read(ROWS);
    assert!(matches!(
        backlog.with(&["{\"id\":\"goal-1\"}"]),
        Err(BacklogError::DuplicateId { .. })
    ));
    assert!(matches!(backlog.with(&["[]"]), Err(BacklogError::NotAnObject { .. })));
    assert!(matches!(
        backlog.set(&id("no"), "reason", &json!("")),
        Err(BacklogError::NoSuchGoal { .. })
    ));
    assert!(matches!(
        backlog.set(&id("goal-1"), "id", &json!("x")),
        Err(BacklogError::FixedId { .. })
    ));
    assert!(matches!(
        backlog.set(&id("goal-1"), "prompt", &json!(1)),
        Err(BacklogError::WrongType { .. })
    ));
}

fn extra() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        "[ -~äß€\\n\"\\\\]{0,8}".prop_map(Value::from),
        prop::collection::vec("[a-c,\\]\\[{}\"]{0,3}", 0..3).prop_map(Value::from),
    ]
}

fn goals() -> impl Strategy<Value = BTreeMap<u8, (String, Value)>> {
    prop::collection::btree_map(0_u8..12, ("[ -~\\n\"]{0,10}", extra()), 0..7)
}

fn value(nth: u8, (description, extra): &(String, Value)) -> Value {
    json!({ "id": format!("g{nth}"), "x-own": extra, "description": description })
}

fn laid_out(rows: &[Value], layout: u8) -> String {
    let all = Value::from(rows.to_vec());
    match layout {
        0 => all.to_string(),
        1 => serde_json::to_string_pretty(&all).unwrap(),
        2 => serde_json::to_string_pretty(&json!({ "v": 1, "goals": all, "z": [] }))
            .unwrap()
            .replace('\n', "\r\n"),
        _ => {
            let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
            format!("[\n{}\n]\n", lines.join(",\n"))
        }
    }
}

fn model(backlog: &Backlog) -> Vec<Value> {
    let all: Value = serde_json::from_str(backlog.text()).unwrap();
    let rows = if all.is_array() { &all } else { &all["goals"] };
    rows.as_array().unwrap().clone()
}

proptest! {
    #[test]
    fn splices_do_what_the_model_does_and_touch_no_other_row(
        old in goals(), new in goals(), gone in prop::collection::vec(0_u8..12, 0..4),
        at in 0_u8..12, to in extra(), layout in 0_u8..4,
    ) {
        let rows: Vec<Value> = old.iter().map(|(nth, goal)| value(*nth, goal)).collect();
        let mut before = read(&laid_out(&rows, layout));
        prop_assert_eq!(model(&before), rows.clone());

        let fresh: Vec<(&u8, &(String, Value))> = new.iter().filter(|(nth, _)| !old.contains_key(nth)).collect();
        let texts: Vec<String> = fresh.iter().map(|(nth, goal)| value(**nth, goal).to_string()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let ids: Vec<GoalId> = gone.iter().map(|nth| id(&format!("g{nth}"))).collect();
        let sorted = before.ids().is_sorted();
        let mut after = before.with(&texts).unwrap().without(&ids);

        let mut want = rows;
        want.extend(fresh.iter().map(|(nth, goal)| value(**nth, goal)));
        if sorted {
            want.sort_by(|one, two| one["id"].as_str().cmp(&two["id"].as_str()));
        }
        want.retain(|row| !ids.iter().any(|id| row["id"] == id.as_str()));
        prop_assert_eq!(model(&after), want.clone());

        let target = id(&format!("g{at}"));
        if after.raw(&target).is_some() {
            before = after.clone();
            after = after.set(&target, "x-own", &to).unwrap();
            let row = want.iter_mut().find(|row| row["id"] == target.as_str()).unwrap();
            if to.is_null() {
                row.as_object_mut().unwrap().shift_remove("x-own");
            } else {
                row["x-own"] = to;
            }
            prop_assert_eq!(model(&after), want);
        }
        let again = read(after.text());
        for (other, row) in before.rows().filter(|(other, _)| **other != target && !ids.contains(other)) {
            prop_assert_eq!(after.raw(other), Some(row));
            prop_assert_eq!(again.raw(other), Some(row));
        }
    }
}

#[test]
fn ids_alone_are_those_of_the_whole_reading() {
    for text in [
        "[]",
        "",
        "[{\"id\":\"a\"},{\"x\":[{\"id\":\"no\"}],\"id\":\"\\u0062\"}]",
        "{\"goals\":[{\"id\":\"a\"}],\"id\":\"no\"}",
        "\u{feff}[{\"id\":\"a\"}]",
        "[{\"id\":null}]",
        "[{\"id\":\"a\"},",
    ] {
        let whole = Backlog::parse(text.as_bytes()).unwrap_or_default();
        let whole: HashSet<String> = whole.ids().iter().map(ToString::to_string).collect();
        assert_eq!(ids_in(text.as_bytes()), whole, "{text}");
    }
}
