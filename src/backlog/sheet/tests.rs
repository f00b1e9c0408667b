//! Tests of sheets.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn id() -> GoalId {
    "a".parse().unwrap()
}

const ROW: &str = r#"{"id":"a","description":"Make a","prompt":"One\n\"two\"\n","odd":1.50,"none":null,"deep":{"x":[1,null]},"box":{"k.y":true},"comments":["so"]}"#;

#[test]
fn a_row_reads_well_and_shows_what_else_it_could_say() {
    assert_snapshot!(write(&id(), ROW), @r#"
    # Goal a. Save and leave to change it; an empty file changes nothing.
    # Also read: labels, model, executor, max_attempts, budget_usd, reason, comments.
    description = "Make a"
    prompt = '''
    One
    "two"
    '''
    filename = ""
    files = []
    acceptance = []
    dependencies = []
    priority = 0
    status = "pending"  # pending, proposed, rejected or held
    odd = 1.5
    box = { "k.y" = true }
    comments = [
        "so",
    ]
    # Not shown, and kept: deep
    "#);
}

#[test]
fn only_what_was_touched_changes() {
    let sheet = write(&id(), ROW);
    assert_eq!(changes(&id(), ROW, &sheet), Ok(Vec::new()));
    let edited = sheet
        .replace("One\n", "Three\n")
        .replace("priority = 0\n", "")
        .replace("odd = 1.5\n", "model = \"m\"\n");
    assert_eq!(
        changes(&id(), ROW, &edited).unwrap(),
        [
            ("odd".to_owned(), Value::Null),
            ("prompt".to_owned(), json!("Three\n\"two\"\n")),
            ("model".to_owned(), json!("m"))
        ]
    );
}

#[test]
fn what_is_no_goal_is_named_with_its_line() {
    let sheet = write(&id(), ROW);
    let said = |old: &str, new: &str| {
        assert!(sheet.contains(old), "{old}");
        let error = changes(&id(), ROW, &sheet.replace(old, new)).unwrap_err();
        format!("{:?} {}", error.line, error.why)
    };
    assert_eq!(
        said("priority = 0", "priority = \"high\""),
        "Some(11) `priority`: invalid type: string \"high\", expected i64"
    );
    assert_eq!(said("\"Make a\"", "\" \""), "Some(2) a goal needs a description");
    assert_eq!(
        said("odd = 1.5", "id = \"b\""),
        "Some(13) the id of a goal cannot change"
    );
    assert!(said("files = []", "files = [\"../x\"]").starts_with("Some(8) `files`: "));
    assert!(said("files = []", "files = [\"x\", \"x\"]").ends_with("a file is there twice"));
    assert!(said("status = \"pending\"", "status = \"done\"").contains("unknown variant `done`"));
    assert!(said("odd = 1.5", "odd = nan").contains("none that JSON can say"));
    assert!(said("priority = 0", "priority = ").starts_with("Some(11) "));
}

#[test]
fn an_id_that_stays_is_no_change_and_comments_are_nothing() {
    let sheet = write(&id(), ROW) + "id = \"a\"\n";
    assert_eq!(changes(&id(), ROW, &sheet), Ok(Vec::new()));
    assert!(is_blank("# x\n\n  # y"));
    assert!(!is_blank("x = 1"));
}

#[test]
fn text_that_could_end_its_quotes_comes_back_as_it_was() {
    for prompt in [
        "one\n'''two",
        "one\ntwo'",
        "one\ntwo''",
        "one\n'''",
        "\none\n",
        "'''",
        "one\r\ntwo",
    ] {
        let row = json!({"id": "a", "description": "d", "prompt": prompt}).to_string();
        let sheet = write(&id(), &row);
        let read = fields(&sheet).unwrap();
        assert_eq!(read.get("prompt"), Some(&json!(prompt)), "{prompt:?} {sheet}");
    }
}

#[test]
fn what_another_side_or_a_key_says_cannot_break_out_of_its_comment() {
    let row = json!({
        "id": "a",
        "description": "d",
        "conflict": {"prompt": ["one\rtwo\u{7}\n\tthree"], "k\nstatus = \"held\"": ["x"]},
        "deep\nstatus = \"held\"": {"x": [1, null]},
    })
    .to_string();
    let sheet = write(&id(), &row);
    assert!(sheet.contains("#   one\\rtwo\\u{7}\n#   \tthree\n"), "{sheet}");
    assert_eq!(changes(&id(), &row, &sheet), Ok(Vec::new()), "{sheet}");
}

proptest! {
    #[test]
    fn any_text_comes_back_as_it_was(prompt in "(?s).{0,40}", key in "[a-z.\" ]{1,6}", list in prop::collection::vec("\\PC{0,8}", 0..3)) {
        prop_assume!(key != "id");
        let mut row = json!({"id": "a", "description": "d", "prompt": prompt, "acceptance": list});
        row[&key] = json!("x");
        let row = row.to_string();
        prop_assert_eq!(changes(&id(), &row, &write(&id(), &row)), Ok(Vec::new()));
        let read = fields(&write(&id(), &row)).unwrap();
        prop_assert_eq!(read.get("acceptance"), Some(&json!(list)));
        prop_assert_eq!(read.get(&key), Some(&json!("x")));
    }
}
