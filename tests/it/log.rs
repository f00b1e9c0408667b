//! `log`: what landed and what it took.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Sandbox, whole};

#[test]
fn it_shows_what_landed_the_newest_first() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["log"]), @r#"
    -- stderr
    nothing has landed yet
    -- exit 0
    "#);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": ["no edit", whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.ok(&["run"]);
    assert_snapshot!(sandbox.shows(&["log"]), @r#"
    [id]  b  Goal b  mock  2 replies  [n] tokens  $0.00  test ok
    [id]  a  Goal a  mock  1 reply  [n] tokens  $0.00  test ok
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["log", "-n", "1"]), @r#"
    [id]  b  Goal b  mock  2 replies  [n] tokens  $0.00  test ok
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "log", "-n", "1"]), @r#"
    {"schema":"invisigoth.log/1","landed":[{"goal":"b","commit":"[id]","subject":"Goal b","at":"[time]","record":{"goal":"b","commit":"[id]","target":"main","base":"[id]","started_at":"[time]","landed_at":"[time]","provider":"mock","model":"mock","attempts":2,"tokens":[n],"cost_usd":0.0,"checks":[{"stage":"test","cmd":"sh check.sh","exit":0,"seconds":[time]}],"prompt_hash":"[id]","sandbox":"[bwrap or none]","version":"0.1.0"}}]}
    -- exit 0
    "#);
}

#[test]
fn commits_of_people_stand_beside_ours() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"done": [whole("a.txt", "a\n")]}));
    sandbox.goal("done", &[]);
    sandbox.ok(&["run"]);
    sandbox.write("p.txt", "p\n");
    sandbox.commit("By hand");
    sandbox.ok(&["undo", "done"]);
    let lines = |args: &[&str]| -> Vec<String> {
        let all = sandbox.ok(&[&["log", "--all"], args].concat());
        let rest = |line: &str| {
            line.split_once("  ")
                .map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        all.lines().filter_map(rest).collect()
    };
    let all = lines(&[]);
    assert_eq!(
        all[..3],
        [
            "Undo done: Goal done took back done",
            "By hand by A U Thor <author@example.com>",
            "Land done: Goal done landed done"
        ]
    );
    assert_eq!(
        lines(&["--grep", "BY HAND"]),
        ["By hand by A U Thor <author@example.com>"]
    );
    let page = sandbox.json(&["log", "--all", "-n", "2"]);
    let next = page["next"].as_str().unwrap();
    assert_eq!(
        lines(&["--before", next]),
        all[2..],
        "the next page goes on where the first ended"
    );
    assert_eq!(page["commits"][1]["what"], "person");
    let landed = &sandbox.json(&["log", "--all", "--before", next])["commits"][0];
    assert_eq!(
        (&landed["what"], &landed["landed"][0]["goal"]),
        (&json!("landing"), &json!("done"))
    );
    for (bad, code) in [
        ("nothing-of-the-sort", 2),
        ("HEAD^{tree}", 2),
        ("refs/notes/invisigoth", 2),
    ] {
        assert_eq!(sandbox.run(&["log", "--all", "--before", bad]).code, code, "{bad}");
    }
    assert_eq!(sandbox.run(&["log", "--before", "HEAD"]).code, 2, "only with --all");
}
