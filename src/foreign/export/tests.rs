use super::*;
use crate::{
    backlog::Backlog,
    foreign::{Read, beads::Reader, take::Here, taskmaster},
};

const AT: &str = "2026-01-02T03:04:05Z";

/// Imports what was read into an empty backlog.
fn backlog(read: &Read, format: Format) -> Backlog {
    let empty = Backlog::default();
    let here = Here {
        backlog: &empty,
        landed: &Default::default(),
        landed_rows: &[],
        busy: &Default::default(),
    };
    take::take(read, format, false, &here).unwrap().backlog
}

fn ours(backlog: &Backlog, landed: &[&str]) -> Vec<Ours> {
    let all = backlog.rows();
    all.map(|(id, row)| {
        let done = landed
            .contains(&id.as_str())
            .then(|| ("c0ffee".to_owned(), AT.to_owned()));
        Ours::read(id, row, done).unwrap()
    })
    .collect()
}

fn issues_of(text: &str) -> Read {
    let mut reader = Reader::default();
    text.lines()
        .for_each(|line| reader.line(line.as_bytes(), true).unwrap());
    reader.end()
}

const ISSUES: &str = "{ \"id\":\"b-1\", \"title\":\"One\", \"odd\" : [1, 2.50],\"status\":\"open\"}\n\
    {\"id\":\"b-2\",\"title\":\"Two\",\"status\":\"closed\",\"x\":\"\\u00e9\"}\n\
    {\"id\":\"b-3\",\"title\":\"Three\",\"status\":\"in_progress\",\"dependencies\":[{\"depends_on_id\":\"b-1\",\"type\":\"blocks\"}]}\n";

#[test]
fn what_was_imported_goes_back_byte_for_byte() {
    let backlog = backlog(&issues_of(ISSUES), Format::Beads);
    let back = issues(ISSUES, &ours(&backlog, &[]), AT).unwrap();
    assert_eq!(back.files[0].1, ISSUES);
    assert_eq!((back.told.len(), back.added.len()), (0, 0));
}

#[test]
fn the_first_issue_behind_a_byte_order_mark_is_told_as_others_are() {
    let backlog = backlog(&issues_of(ISSUES), Format::Beads);
    let base = format!("\u{feff}{ISSUES}");
    let back = issues(&base, &ours(&backlog, &["b-1"]), AT).unwrap();
    assert_eq!(back.told.len(), 1);
    let first = back.files[0].1.lines().next().unwrap();
    assert!(first.starts_with("\u{feff}{ \"id\":\"b-1\""), "{first}");
    assert!(first.contains("landed as c0ffee"), "{first}");
}

#[test]
fn landing_closes_there_and_decisions_go_back() {
    let backlog = backlog(&issues_of(ISSUES), Format::Beads);
    let id: GoalId = "b-3".parse().unwrap();
    let backlog = backlog
        .set(&id, "status", &"pending".into())
        .unwrap()
        .with(&["{\"id\":\"own\",\"description\":\"O\",\"dependencies\":[\"b-3\"]}"])
        .unwrap();
    let back = issues(ISSUES, &ours(&backlog, &["b-1"]), AT).unwrap();
    let lines: Vec<&str> = back.files[0].1.lines().collect();
    assert!(
        lines[0].starts_with("{ \"id\":\"b-1\", \"title\":\"One\", \"odd\" : [1, 2.50],\"status\":\"closed\""),
        "{}",
        lines[0]
    );
    assert!(lines[0].contains("\"close_reason\":\"landed as c0ffee\""));
    assert_eq!(lines[1], ISSUES.lines().nth(1).unwrap());
    assert!(lines[2].contains("\"status\":\"open\""));
    assert!(lines[3].contains("\"external_ref\":\"invisigoth:own\"") && lines[3].contains("\"depends_on_id\":\"b-3\""));
    let again = issues(&back.files[0].1, &ours(&backlog, &["b-1"]), AT).unwrap();
    assert_eq!(again.files, back.files);
    let read = issues_of(&back.files[0].1);
    assert_eq!(read.items[3].ours.as_ref().map(GoalId::as_str), Some("own"));
}

#[test]
fn without_a_base_every_foreign_key_is_there() {
    let backlog = backlog(&issues_of(ISSUES), Format::Beads);
    let back = issues("", &ours(&backlog, &[]), AT).unwrap();
    let get = |text: &str, id: &str| -> Map<String, Value> {
        let all = text
            .lines()
            .map(|line| serde_json::from_str::<Map<String, Value>>(line).unwrap());
        all.into_iter().find(|issue| issue["id"] == id).unwrap()
    };
    for id in ["b-1", "b-3"] {
        for (key, value) in get(ISSUES, id) {
            assert_eq!(get(&back.files[0].1, id).get(&key), Some(&value), "{id} {key}");
        }
    }
}

const TASKS: &str = "{\n  \"master\": {\n    \"tasks\": [\n      {\n        \"id\": 1, \"title\": \"One\",\n        \"status\": \"pending\"\n      },\n      \
    {\"id\":2,\"title\":\"Two\",\"subtasks\":[ {\"id\":1,\"title\":\"P\",\"status\":\"pending\",\"w\":1.0}, {\"id\":2,\"title\":\"Q\"}]}\n    ],\n    \"metadata\": {}\n  },\n  \"other\": 1\n}\n";

#[test]
fn tasks_change_where_they_stand() {
    let read = taskmaster::read(TASKS, None).unwrap();
    let backlog = backlog(&read, Format::Taskmaster);
    let base = Base {
        main: TASKS,
        ..Base::default()
    };
    assert_eq!(tasks::export(base, &ours(&backlog, &[])).unwrap().files[0].1, TASKS);
    let backlog = backlog
        .with(&["{\"id\":\"own\",\"description\":\"O\",\"dependencies\":[\"tm-2.1\",\"tm-1\"]}"])
        .unwrap();
    let back = tasks::export(base, &ours(&backlog, &["tm-2.1"])).unwrap();
    let text = &back.files[0].1;
    let document: Value = serde_json::from_str(text).unwrap();
    let all = &document["master"]["tasks"];
    assert_eq!(all[1]["subtasks"][0]["status"], "done");
    assert_eq!(all[1]["subtasks"][0]["metadata"]["invisigoth"]["commit"], "c0ffee");
    assert_eq!(all[2]["dependencies"], serde_json::json!(["2.1", 1]));
    assert_eq!(all[2]["id"], 3);
    assert!(
        text.contains("\"w\":1.0") && text.starts_with(TASKS.get(..90).unwrap()),
        "{text}"
    );
    let again = tasks::export(
        Base {
            main: text,
            ..Base::default()
        },
        &ours(&backlog, &["tm-2.1"]),
    )
    .unwrap();
    assert_eq!(&again.files[0].1, text);
}

#[test]
fn the_original_gets_goals_in_the_order_in_which_they_can_run() {
    let rows = [
        "{\"id\":\"b\",\"description\":\"B\",\"dependencies\":[\"a\"],\"odd\":1}",
        "{\"id\":\"a\",\"description\":\"A\"}",
        "{\"id\":\"h\",\"description\":\"H\",\"status\":\"held\"}",
    ];
    let backlog = Backlog::parse(format!("[{}]", rows.join(",")).as_bytes()).unwrap();
    let completed = "[{\"id\": \"old\", \"status\": \"complete\", \"z\": 1}]";
    let base = Base {
        completed,
        ..Base::default()
    };
    let back = seed::export(base, &ours(&backlog, &[])).unwrap();
    let pending: Vec<Map<String, Value>> = serde_json::from_str(&back.files[0].1).unwrap();
    let ids: Vec<&Value> = pending.iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(
        (&pending[0]["filename"], &pending[0]["prompt"], &pending[1]["odd"]),
        (&"".into(), &"A".into(), &1.into())
    );
    assert_eq!(back.files[1].1, completed);
    assert!(back.notes[0].contains("h is left out"));
    let landed = seed::export(base, &ours(&backlog, &["a"])).unwrap();
    assert!(landed.files[1].1.contains("\"commit\": \"c0ffee\""));
}

#[test]
fn what_was_undone_is_opened_again_unless_somebody_there_closed_it() {
    let backlog = backlog(&issues_of(ISSUES), Format::Beads);
    let closed = issues(ISSUES, &ours(&backlog, &["b-1"]), AT).unwrap().files[0]
        .1
        .clone();
    let opened = issues(&closed, &ours(&backlog, &[]), AT).unwrap();
    assert_eq!(words(&opened.told), ["b-1"]);
    let line: Value = serde_json::from_str(opened.files[0].1.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["status"], &line["closed_at"], &line["close_reason"]),
        (&"open".into(), &Value::Null, &"".into())
    );
    let theirs = closed.replace("landed as c0ffee", "no need");
    assert_eq!(issues(&theirs, &ours(&backlog, &[]), AT).unwrap().files[0].1, theirs);
}

fn words(ids: &[GoalId]) -> Vec<&str> {
    ids.iter().map(GoalId::as_str).collect()
}
