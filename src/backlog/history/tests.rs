use crate::{
    backlog::history::{append, completed_row, landed_ids, rows, seal, union},
    id::CommitId,
};

fn row(nth: usize) -> String {
    format!("{{\"goal\":\"g{nth}\",\"commit\":\"{nth:040x}\"}}")
}

fn all(from: usize, to: usize) -> Vec<String> {
    (from..to).map(row).collect()
}

#[test]
fn rows_are_appended_one_a_line_and_old_bytes_stay() {
    let (one, two) = (row(1), row(2));
    let first = append("", std::slice::from_ref(&one)).unwrap();
    assert_eq!(first, format!("[\n{one}\n]\n"));
    assert_eq!(append("[]\n", std::slice::from_ref(&one)).unwrap(), first);
    assert_eq!(append("[\n]\n", std::slice::from_ref(&one)).unwrap(), first);
    let second = append(&first, std::slice::from_ref(&two)).unwrap();
    assert_eq!(second, format!("[\n{one},\n{two}\n]\n"));
    assert_eq!(append(&second, &[]).unwrap(), second);
    let windows = append(&first.replace('\n', "\r\n"), std::slice::from_ref(&two)).unwrap();
    assert_eq!(windows, second.replace('\n', "\r\n"));
    // Old rows are not even read: this one is no JSON.
    assert_eq!(
        append("[\n?\n]\n", std::slice::from_ref(&two)).unwrap(),
        format!("[\n?,\n{two}\n]\n")
    );
}

#[test]
fn an_object_with_goals_grows_inside_its_array() {
    let text = "{\n  \"goals\": [\n    {\"id\": \"a\"}\n  ],\n  \"note\": \"]\"\n}\n";
    let after = append(text, &["{\"id\":\"b\"}".to_owned()]).unwrap();
    assert_eq!(after, text.replace("\"a\"}", "\"a\"},\n    {\"id\":\"b\"}"));
    assert_eq!(
        append("{}", &[row(1)]).unwrap_err().to_string().split(':').next(),
        Some("line 1, column 1")
    );
}

#[test]
fn union_keeps_every_record_once_in_a_stable_order() {
    let (one, two, three) = (row(1), row(2), row(3));
    let spaced = one.replace(',', ", ");
    let undo = one.replace('}', ",\"kind\":\"undo\"}");
    let (ours, theirs) = (
        [two.as_str(), &one],
        [spaced.as_str(), &undo, "{\"x\":1}", &three, &two, "{\"x\":1}"],
    );
    assert_eq!(union(&ours, &theirs), [&two, &one, &undo, "{\"x\":1}", &three]);
    assert_eq!(union(&ours, &[]), ours);
}

#[test]
fn only_a_full_segment_is_sealed_and_nothing_is_lost() {
    let full = append("", &all(0, 256)).unwrap();
    assert!(seal(&full).unwrap().is_none());
    assert!(seal("").unwrap().is_none());
    let more = append(&full, &all(256, 259)).unwrap();
    let (segment, rest) = seal(&more).unwrap().unwrap();
    assert_eq!(segment, full);
    assert_eq!(rest, append("", &all(256, 259)).unwrap());
    assert_eq!(rows(&rest).unwrap(), all(256, 259));
}

#[test]
fn a_completed_row_keeps_what_the_goal_said() {
    let commit: CommitId = "ab".repeat(20).parse().unwrap();
    let raw = "{\n  \"id\": \"a\",\n  \"status\": \"pending\",\n  \"own\": \"x\\ny\"\n}";
    let want = format!(
        "{{\"id\": \"a\",\"status\": \"completed\",\"own\": \"x\\ny\",\"commit\": \"{commit}\",\"landed_at\": \"2026-01-02T03:04:05Z\"}}"
    );
    let row = completed_row(raw, Some(&commit), "2026-01-02T03:04:05Z");
    assert_eq!(row, want);
    assert_eq!(completed_row(&row, Some(&commit), "2026-01-02T03:04:05Z"), want);
}

#[test]
fn landed_ids_are_read_in_order_or_the_bad_row_is_named() {
    let ids = |text: &str| landed_ids(text).map(|ids| ids.map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(
        ids("[\n{\"id\":\"b\"},\n{\"id\":\"\\u0061\",\"commit\":1}\n]\n").unwrap(),
        ["b", "a"]
    );
    assert_eq!(ids("").unwrap(), Vec::<String>::new());
    assert_eq!(
        ids("[\n{}]").unwrap_err().to_string(),
        "line 2, column 1: this row has no `id`"
    );
}
