//! The backlog in a person's hands: edits of the file while nothing runs and while a run goes on.

use serde_json::{Value, json};

use crate::support::{NOT_BAD, Sandbox, whole};

const PENDING: &str = "memory/pending_goals.json";

/// Rows as a person writes them: odd spacing, keys that nobody knows.
const ODD: &str = r#"{"id":"odd",   "description":"Odd",  "x-team":{"b":1,"a":[1,  2]}, "weird":1.50e5,"é":"é\/" }"#;

#[test]
fn a_goal_written_into_the_file_counts_at_once_and_is_recorded_alone() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"odd": [whole("odd.txt", "x\n")]}));
    sandbox.write(PENDING, format!("[\n{ODD}\n]\n"));
    assert_eq!(sandbox.state("odd"), "ready");
    sandbox.write("other.txt", "x\n");
    sandbox.git(&["add", "other.txt"]);
    sandbox.write("greet.txt", "dirty\n");
    let before = sandbox.id("HEAD");
    sandbox.run(&["run", "--max", "0"]);
    assert_eq!(
        sandbox.git(&["log", "--format=%s", &format!("{before}..")]),
        "Record edits of the backlog"
    );
    assert_eq!(sandbox.git(&["show", "--name-only", "--format=", "HEAD"]), PENDING);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), " M greet.txt\nA  other.txt");
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), " M greet.txt\nA  other.txt");
    assert_eq!(sandbox.landings("main"), ["odd"]);
}

#[test]
fn an_edited_root_prompt_is_recorded_too_and_shows_in_the_record() {
    let sandbox = Sandbox::ready();
    let hash = |goal: &str| {
        sandbox.script(json!({goal: [whole(&format!("{goal}.txt"), "x\n")]}));
        sandbox.write(
            PENDING,
            format!("[\n{{\"id\":\"{goal}\",\"description\":\"Same\"}}\n]\n"),
        );
        sandbox.ok(&["run", goal]);
        let note: Value =
            serde_json::from_str(&sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"])).unwrap();
        note["prompt_hash"].as_str().unwrap().to_owned()
    };
    let first = hash("a");
    sandbox.write("memory/master_prompt.txt", "Write no more than you must.\n");
    assert!(sandbox.run(&["prompt", "a"]).code != 0, "a has landed");
    assert_ne!(hash("b"), first);
    assert_eq!(
        sandbox.git(&["show", "HEAD:memory/master_prompt.txt"]),
        "Write no more than you must."
    );
    let sent = sandbox.attempt("b", 1, "000.json")["request"]["messages"].to_string();
    assert!(sent.contains("Write no more than you must."));
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_backlog_staged_with_other_content_is_left_alone_and_said() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"mine": [whole("mine.txt", "x\n")]}));
    sandbox.write(PENDING, "[\n{\"id\":\"staged\",\"status\":\"held\"}\n]\n");
    sandbox.git(&["add", PENDING]);
    sandbox.write(PENDING, "[\n{\"id\":\"mine\",\"description\":\"Mine\"}\n]\n");
    let users = || {
        let diffs = [&["diff"][..], &["diff", "--cached"], &["status", "--porcelain=v2"]];
        (diffs.map(|args| sandbox.git(args)), sandbox.read(PENDING))
    };
    let before = users();
    let ran = sandbox.run(&["run"]);
    assert!(ran.stderr.contains("staged with other content"), "{}", ran.stderr);
    assert_eq!(users(), before);
    // What is on disk counts all the same.
    assert_eq!(sandbox.landings("main"), ["mine"], "{}{}", ran.stdout, ran.stderr);
    // Its row is recorded after it landed: it must not be open again then.
    sandbox.git(&["reset", "-q"]);
    sandbox.script(json!({"mine": [whole("mine.txt", "again\n")], "b": [whole("b.txt", "x\n")]}));
    sandbox.goal("b", &[]);
    for _ in 0..2 {
        sandbox.ok(&["run"]);
        assert_eq!(sandbox.landings("main"), ["mine", "b"]);
    }
    assert_eq!(
        (sandbox.state("mine"), sandbox.read(PENDING)),
        ("landed".into(), "[]\n".into())
    );
}

#[test]
fn a_broken_backlog_is_named_with_its_place_and_nothing_happens() {
    let sandbox = Sandbox::ready();
    for (text, says) in [
        ("[\n{\"id\":\"a\"},\n{\"id\":\n]\n", "4"),
        ("[\n{\"id\":\"a\"},\n{\"id\":\"a\"}\n]\n", "a"),
        (
            "[\n{\"id\":\"a\",\"dependencies\":[\"b\"]},\n{\"id\":\"b\",\"dependencies\":[\"a\"]}\n]\n",
            "a",
        ),
        ("[\n{\"id\":\"a\",\"dependencies\":[\"nobody\"]}\n]\n", "nobody"),
    ] {
        sandbox.write(PENDING, text);
        let refs = sandbox.refs();
        let ran = sandbox.run(&["run"]);
        assert_eq!(ran.code, 1, "{text}{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains(PENDING) && ran.stderr.contains(says),
            "{text}{}",
            ran.stderr
        );
        assert_eq!(
            (sandbox.read(PENDING).as_str(), sandbox.refs()["refs/heads/main"].len()),
            (text, 40)
        );
        assert_eq!(
            sandbox.refs().get("refs/invisigoth/attempts"),
            refs.get("refs/invisigoth/attempts")
        );
    }
}

#[test]
fn unknown_keys_survive_add_run_and_landing_byte_for_byte() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "x\n")], "odd": [whole("odd.txt", "x\n")]}));
    sandbox.write(PENDING, format!("[\n{ODD}\n]\n"));
    let has_row = |file: &str| sandbox.read(file).lines().any(|line| line.trim_end_matches(',') == ODD);
    sandbox.goal("a", &[]);
    assert!(has_row(PENDING), "add:\n{}", sandbox.read(PENDING));
    sandbox.ok(&["run", "a"]);
    assert!(has_row(PENDING), "another landing:\n{}", sandbox.read(PENDING));
    sandbox.ok(&["run"]);
    let done = sandbox.read("memory/completed_goals.json");
    for bytes in [
        r#""description":"Odd",  "x-team":{"b":1,"a":[1,  2]}, "weird":1.50e5"#,
        r#""é":"é\/""#,
    ] {
        assert!(done.contains(bytes), "landing:\n{done}");
    }
}

#[test]
fn a_goal_added_while_a_run_goes_on_is_worked_on_by_that_run() {
    let binary = env!("CARGO_BIN_EXE_git-invisigoth");
    let check = format!(
        "{NOT_BAD}
if [ -e a.txt ] && [ ! -e \"$HOME/once\" ]; then
    : > \"$HOME/once\"
    '{binary}' -C \"$HOME/repo\" add --id late --needs a 'Added meanwhile' || exit 1
fi
"
    );
    let sandbox = Sandbox::checking(&check);
    sandbox.script(json!({"a": [whole("a.txt", "x\n")], "late": [whole("late.txt", "x\n")]}));
    sandbox.goal("a", &[]);
    let ran = sandbox.run(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "late"], "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(sandbox.read(PENDING), "[]\n");
    sandbox.assert_sound();
}

#[test]
fn a_goal_reworded_while_it_is_worked_on_does_not_land_as_it_was_worded() {
    let check = format!(
        "{NOT_BAD}
if [ -e a.txt ] && [ ! -e \"$HOME/once\" ]; then
    : > \"$HOME/once\"
    sed -i 's/Goal a/Another goal/' \"$HOME/repo/{PENDING}\"
fi
"
    );
    let sandbox = Sandbox::checking(&check);
    sandbox.script(json!({"a": [whole("a.txt", "x\n")]}));
    sandbox.goal("a", &[]);
    let first = sandbox.run(&["run"]);
    assert!(sandbox.landings("main").is_empty(), "{}{}", first.stdout, first.stderr);
    assert!(first.stderr.contains("a does not land"), "{}", first.stderr);
    assert_eq!(sandbox.state("a"), "ready");
    let merged = sandbox.run(&["merge", "a"]);
    assert_eq!(merged.code, 5, "{}{}", merged.stdout, merged.stderr);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(sandbox.git(&["log", "-1", "--format=%s", "main^2"]), "Another goal");
    sandbox.assert_sound();
}
