//! `run`: the sentence, end to end.

use serde_json::json;

use crate::support::{Sandbox, whole};

#[test]
fn a_run_of_named_goals_tells_of_no_others() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "hello\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    assert!(sandbox.run(&["run", "b"]).stdout.contains("blocked"));
    let ran = sandbox.run(&["run", "--no-merge", "a"]);
    assert_eq!((ran.code, ran.stdout.contains("blocked")), (0, false), "{}", ran.stdout);
}

#[test]
fn a_goal_lands_as_one_commit_with_its_note_and_its_move() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "hello\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.read("a.txt"), "hello\n");
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(sandbox.git(&["log", "-1", "--format=%s"]), "Land a: Goal a");
    let note = sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"]);
    assert!(sandbox.read("memory/history.json").contains(&note), "{note}");
    assert_eq!(sandbox.read("memory/pending_goals.json"), "[]\n");
    assert_eq!(sandbox.state("a"), "landed");
    sandbox.assert_sound();
}
