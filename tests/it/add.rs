//! `add`: the id alone on standard output, and a row in the backlog that keeps what was there.

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn it_shows_the_id_and_writes_the_row() {
    let sandbox = Sandbox::ready();
    let add = [
        "add",
        "Greet by name",
        "--id",
        "greet",
        "-f",
        "greet.txt",
        "--accept",
        "It has a name",
        "--priority",
        "2",
    ];
    assert_snapshot!(sandbox.shows(&add), @r#"
    greet
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "add", "Part", "--id", "part", "--needs", "greet", "-p", "Say part"]), @r#"
    {"schema":"invisigoth.add/1","id":"part","goal":{"id":"part","description":"Part","prompt":"Say part","dependencies":["greet"],"status":"pending","created_at":"[time]"}}
    -- exit 0
    "#);
    let backlog = sandbox.read("memory/pending_goals.json");
    assert_eq!(backlog.lines().count(), 4, "one goal a line: {backlog}");
    sandbox.assert_sound();
}

#[test]
fn an_id_made_up_is_a_hash_and_the_prompt_may_come_from_a_file_or_standard_input() {
    let sandbox = Sandbox::ready();
    let id = sandbox.ok(&["add", "One"]);
    assert!(id.starts_with("goal-") && id.lines().count() == 1, "{id}");
    sandbox.write("ask.md", "asked in a file\n");
    sandbox.ok(&["add", "Two", "--id", "two", "-p", "@ask.md"]);
    let ran = sandbox.fed(&["add", "Three", "--id", "three", "-p", "-"], "asked on stdin\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "three\n"));
    let prompt = |goal: &str| {
        sandbox.json(&["show", goal])["goal"]["prompt"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        [prompt("two").trim(), prompt("three").trim()],
        ["asked in a file", "asked on stdin"]
    );
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_written() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let before = sandbox.read("memory/pending_goals.json");
    assert_snapshot!(sandbox.shows(&["add", "Again", "--id", "a"]), @r#"
    -- stderr
    error: there is a goal a already
    hint: `git invisigoth show a`
    -- exit 2
    "#);
    assert_snapshot!(sandbox.shows(&["add", "Lost", "--needs", "nobody"]), @r#"
    -- stderr
    error: there is no goal nobody
    hint: `git invisigoth list` shows them
    -- exit 1
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "add", "Odd", "--id", "a\tb"]), @r#"
    {"schema":"invisigoth.error/1","error":{"kind":"usage","message":"`a\\tb` is not a goal id: it holds a control character","hints":["`git invisigoth help` lists all commands"]}}
    -- exit 2
    "#);
    assert_eq!(sandbox.read("memory/pending_goals.json"), before);
}
