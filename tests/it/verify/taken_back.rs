//! What tampering with an undo, and with what followed goals to commits of people, comes to.

use super::{Row, about, each, without};
use crate::{
    support::Sandbox,
    verify::{COMPLETED, HISTORY, more},
};

const PENDING: &str = "memory/pending_goals.json";

#[test]
fn each_change_of_an_undo_is_named_and_nothing_else_is() {
    let sandbox = Sandbox::ready();
    let s = &sandbox;
    more(s, &["a", "b", "c"]);
    s.goal("open", &[]);
    s.commit("a goal");
    s.ok(&["undo", "b", "--why", "not yet"]);
    let forged = |old: &'static str, new: &'static str| {
        Box::new(move || s.put(&s.forged("HEAD", |text| text.replacen(old, new, 1))))
    };
    let slipped =
        |path: &'static str, old: &'static str, new: &'static str| Box::new(move || s.slip_in(path, old, new));
    let rows: Vec<Row<'_>> = vec![
        (
            "its words",
            forged("Undo b: Goal b", "Undo b: Goal x"),
            vec![about("b", "message")],
        ),
        ("why", forged("not yet", "never"), vec![about("b", "message")]),
        (
            "its code",
            slipped("greet.txt", "hello", "bye"),
            vec![about("b", "code")],
        ),
        (
            "the code of another goal",
            slipped("a.txt", "1", "2"),
            vec![about("b", "code")],
        ),
        (
            "a goal that runs again at once",
            slipped(PENDING, "\"held\"", "\"pending\""),
            vec![about("b", "memory")],
        ),
        (
            "what the goal asks",
            slipped(
                PENDING,
                "\"dependencies\":[],\"status\":\"held\"",
                "\"dependencies\":[\"a\"],\"status\":\"held\"",
            ),
            vec![about("b", "memory")],
        ),
        (
            "a goal that is slipped in",
            slipped(PENDING, "[\n", "[\n{\"id\":\"aa\",\"status\":\"pending\"},\n"),
            vec![about("-", "memory")],
        ),
        (
            "its row",
            Box::new(|| {
                s.slip(HISTORY, |text| without(text, "\"kind\":\"undo\""));
            }),
            vec![about("b", "memory")],
        ),
        (
            "the date of its row",
            slipped(HISTORY, "\"undone_at\":\"2", "\"undone_at\":\"1"),
            vec![about("b", "note")],
        ),
        (
            "a row of another goal",
            Box::new(|| s.slip(COMPLETED, |text| without(text, "\"id\":\"a\""))),
            vec![about("a", "row")],
        ),
        (
            "an undo of what never landed",
            Box::new(|| {
                s.git(&["commit", "-q", "--allow-empty", "-m", "Undo z\n\nUndo: z\nSettled: z"]);
            }),
            vec![about("z", "message")],
        ),
    ];
    each(s, rows);
}

#[test]
fn a_replacement_of_objects_hides_nothing() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a", "b"]);
    let honest = sandbox.id("HEAD");
    sandbox.slip_in("greet.txt", "hello", "bye");
    sandbox.git(&["replace", "HEAD", &honest]);
    assert_eq!(sandbox.finds(&[]), ["b code"]);
}

#[test]
fn a_note_that_followed_its_goal_through_a_rebase_says_what_the_row_says() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a"]);
    sandbox.git(&["tag", "before"]);
    more(&sandbox, &["b"]);
    sandbox.git(&["rebase", "-q", "--force-rebase", "before"]);
    sandbox.ok(&["settle"]);
    sandbox.green();
    let commit = sandbox.git(&["log", "-1", "--format=%H", "--grep=^Goal: b$"]);
    let note = sandbox.git(&["notes", "--ref", "invisigoth", "show", &commit]);
    for changed in [note.replace("\"tokens\":15", "\"tokens\":1"), format!("{note}\nhello")] {
        sandbox.note(&commit, &changed);
        assert_eq!(sandbox.finds(&[]), ["b note"]);
    }
    sandbox.note(&commit, &note);
    sandbox.green();
}
