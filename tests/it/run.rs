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

#[test]
fn a_named_goal_that_waits_for_a_person_says_so() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.ok(&["hold", "b"]);
    let ran = sandbox.run(&["run", "a", "b"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "error: goal b is held, so nothing was run\nhint: `git invisigoth release b`\n"
    );
}

#[test]
fn a_setting_holds_before_and_behind_the_command() {
    let sandbox = Sandbox::ready();
    let both = [
        "--set",
        "check.timeout=5",
        "config",
        "--set",
        "llm.model=m",
        "list",
        "--set=run.turns=7",
    ];
    let said = sandbox.ok(&both);
    for line in ["check.timeout=5", "llm.model=m", "run.turns=7"] {
        assert!(said.lines().any(|said| said == line), "{line}\n{said}");
    }
}
