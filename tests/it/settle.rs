//! `settle`: the memory files, in line with what people did to landed goals with stock git.
//!
//! Not here: what state is computed from without it, which is `invariants`.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Sandbox, whole};

const PENDING: &str = "memory/pending_goals.json";
const COMPLETED: &str = "memory/completed_goals.json";

/// Goals `a` and `b` that have landed; returns what `main` was before.
fn two_landed() -> (Sandbox, String) {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.run(&["run", "--max", "0"]);
    let start = sandbox.id("main");
    sandbox.ok(&["run"]);
    (sandbox, start)
}

/// The commit, made by a person, that has this goal's trailer.
fn commit_of(sandbox: &Sandbox, goal: &str) -> String {
    sandbox.git(&["log", "-1", "--format=%H", &format!("--grep=^Goal: {goal}$")])
}

fn rows(sandbox: &Sandbox, file: &str) -> Vec<Value> {
    serde_json::from_str(&sandbox.read(file)).unwrap()
}

/// What must hold once it is settled: files and state agree, nothing else changed, and doing it again does nothing.
fn settled(sandbox: &Sandbox, what: &str) {
    let code = sandbox.code("main");
    let said = sandbox.json(&["settle"]);
    assert!(said["commit"].is_string(), "{what}: {said}");
    assert_eq!(sandbox.code("main"), code, "{what}");
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "", "{what}");
    let again = sandbox.run(&["settle", "--exit-code"]);
    assert_eq!(again.code, 4, "{what}: {}{}", again.stdout, again.stderr);
    sandbox.assert_sound();
}

#[test]
fn nothing_to_settle_is_said() {
    let (sandbox, start) = two_landed();
    let head = sandbox.id("main");
    assert_snapshot!(sandbox.shows(&["settle"]), @r#"
    -- stderr
    nothing to settle: memory/ says what the commits say
    -- exit 0
    "#);
    // A reset takes the memory files back with the code.
    sandbox.git(&["reset", "-q", "--hard", &start]);
    assert_eq!(sandbox.run(&["settle", "--exit-code"]).code, 4);
    assert_eq!(sandbox.id("main"), start);
    sandbox.git(&["reset", "-q", "--hard", &head]);
    assert_eq!(sandbox.run(&["settle", "--exit-code"]).code, 4);
}

#[test]
fn a_rebase_drops_the_landings_and_their_goals_stay_landed() {
    let (sandbox, start) = two_landed();
    let records = sandbox.read("memory/history.json");
    sandbox.git(&["switch", "-q", "-c", "upstream", &start]);
    sandbox.write("upstream.txt", "x\n");
    sandbox.commit("Upstream");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["rebase", "-q", "upstream"]);
    assert_eq!(rows(&sandbox, COMPLETED), [json!(null); 0]);
    assert_snapshot!(sandbox.shows(&["settle"]), @r#"
    landed     a  by commit [id]
    landed     b  by commit [id]
    commit     [id]  2 records brought back
    -- exit 0
    "#);
    assert_eq!(rows(&sandbox, PENDING), [json!(null); 0]);
    let new: Vec<String> = rows(&sandbox, COMPLETED)
        .iter()
        .map(|row| row["commit"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(new, [commit_of(&sandbox, "a"), commit_of(&sandbox, "b")]);
    assert_eq!(
        sandbox.read("memory/history.json"),
        records,
        "records stay as they were"
    );
    let log = sandbox.json(&["log"]);
    assert!(
        log["landed"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["record"].is_object()),
        "{log}"
    );
    assert_eq!(sandbox.run(&["settle", "--exit-code"]).code, 4);
    // They can be undone by their new commits.
    sandbox.ok(&["undo", "a"]);
    assert_eq!(
        (sandbox.state("a"), sandbox.state("b")),
        ("held".into(), "landed".into())
    );
    assert!(!sandbox.path("a.txt").exists() && sandbox.path("b.txt").exists());
}

#[test]
fn a_squash_whose_message_keeps_the_trailers_lands_both() {
    let (sandbox, start) = two_landed();
    sandbox.git(&["switch", "-q", "-c", "upstream", &start]);
    sandbox.git(&["merge", "-q", "--squash", "main"]);
    // A host merges the branch without its memory files, and puts the trailers of the request into its commit.
    sandbox.git(&["restore", "-q", "--source", &start, "--staged", "--worktree", "memory"]);
    sandbox.git(&[
        "commit",
        "-q",
        "-m",
        "Both (#1)",
        "--trailer",
        "Goal: a",
        "--trailer",
        "Goal: b",
    ]);
    sandbox.git(&["branch", "-q", "-f", "main"]);
    sandbox.git(&["switch", "-q", "main"]);
    settled(&sandbox, "squash");
    let squash = sandbox.id("main^");
    for goal in ["a", "b"] {
        assert_eq!(sandbox.state(goal), "landed");
    }
    let noted = sandbox.git(&["notes", "--ref", "invisigoth", "show", &squash]);
    assert_eq!(noted.lines().count(), 2, "the record of each follows: {noted}");
    assert_eq!(rows(&sandbox, "memory/history.json").len(), 2);
    assert_eq!(sandbox.json(&["cost"])["rows"].as_array().unwrap().len(), 2);
    sandbox.ok(&["undo", "a", "--cascade"]);
    assert!(!sandbox.path("a.txt").exists() && !sandbox.path("b.txt").exists());
}

#[test]
fn a_revert_holds_the_goal_with_its_words() {
    for which in ["candidate", "landing"] {
        let (sandbox, _) = two_landed();
        let args: &[&str] = if which == "landing" {
            &["-m1", "HEAD"]
        } else {
            &["HEAD^2"]
        };
        sandbox.git(&[&["revert", "--no-edit"], args].concat());
        settled(&sandbox, which);
        assert_eq!(
            (sandbox.state("a"), sandbox.state("b")),
            ("landed".into(), "held".into()),
            "{which}"
        );
        let row = &rows(&sandbox, PENDING)[0];
        assert_eq!(
            (&row["description"], &row["status"]),
            (&json!("Goal b"), &json!("held")),
            "{which}"
        );
        assert!(
            row["reason"].as_str().unwrap().starts_with("taken back by commit"),
            "{row}"
        );
        // The grow-only set has lost nothing.
        assert_eq!(rows(&sandbox, "memory/history.json").len(), 2, "{which}");
    }
}

#[test]
fn a_goal_picked_onto_another_branch_lands_there() {
    let (sandbox, start) = two_landed();
    let commit = commit_of(&sandbox, "a");
    sandbox.git(&["switch", "-q", "-c", "release", &start]);
    sandbox.git(&["cherry-pick", &commit]);
    sandbox.ok(&["settle"]);
    assert_eq!(
        (sandbox.state("a"), sandbox.state("b")),
        ("landed".into(), "ready".into())
    );
    assert_eq!(rows(&sandbox, COMPLETED).len(), 1);
    assert_eq!(rows(&sandbox, PENDING).len(), 1);
    assert_eq!(rows(&sandbox, "memory/history.json").len(), 1, "only its record");
}

#[test]
fn a_landed_goal_that_has_a_row_again_leaves_the_backlog() {
    let (sandbox, _) = two_landed();
    // As a merge by hand leaves it.
    sandbox.write(PENDING, "[\n{\"id\":\"c\",\"description\":\"Goal c\"}\n]\n");
    sandbox.commit("A goal");
    sandbox.write("c.txt", "c\n");
    sandbox.git(&["add", "c.txt"]);
    sandbox.git(&["commit", "-q", "-m", "C", "--trailer", "Goal: c"]);
    settled(&sandbox, "by hand");
    assert_eq!(rows(&sandbox, PENDING), [json!(null); 0]);
    let last = rows(&sandbox, COMPLETED).pop().unwrap();
    assert_eq!(
        (&last["id"], &last["commit"]),
        (&json!("c"), &json!(sandbox.id("main^")))
    );
}

#[test]
fn in_a_dirty_checkout_it_waits_beside_the_branch() {
    let (sandbox, _) = two_landed();
    sandbox.git(&["revert", "--no-edit", "HEAD^2"]);
    sandbox.write("memory/completed_goals.json", "[\n]\n");
    let (head, dirty) = (sandbox.id("main"), sandbox.git(&["status", "--porcelain=v2"]));
    sandbox.write(PENDING, "[\n]\n \n");
    sandbox.git(&["add", PENDING]);
    sandbox.write(PENDING, "[\n]\n  \n");
    let said = sandbox.json(&["settle"]);
    assert!(said["beside"].is_string(), "{said}");
    sandbox.git(&["restore", "--staged", "--worktree", PENDING]);
    assert_eq!(
        (sandbox.id("main"), sandbox.git(&["status", "--porcelain=v2"])),
        (head, dirty)
    );
    assert_eq!(sandbox.state("b"), "held");
}

#[test]
fn a_rebased_undo_is_believed_for_its_goal_alone() {
    let sandbox = Sandbox::ready();
    let driver = format!("{} merge-driver %O %A %B %P", env!("CARGO_BIN_EXE_git-invisigoth"));
    sandbox.git(&["config", "merge.invisigoth.driver", &driver]);
    sandbox.git(&["switch", "-q", "-c", "upstream"]);
    sandbox.write("theirs.txt", "x\n");
    sandbox.commit("theirs");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.ok(&["run"]);
    sandbox.ok(&["undo", "a"]);
    // It drops the landings, and with them what their memory files said of `b`.
    sandbox.git(&["rebase", "-q", "upstream"]);
    let states = ["a", "b"].map(|goal| sandbox.state(goal));
    assert_eq!(states, ["held", "landed"]);
    sandbox.ok(&["settle"]);
    let states = ["a", "b"].map(|goal| sandbox.state(goal));
    assert_eq!(states, ["held", "landed"], "settled");
    assert!(!sandbox.read("memory/pending_goals.json").contains("\"b\""));
    assert!(!sandbox.path("a.txt").exists() && sandbox.path("b.txt").exists());
}

#[test]
fn landings_that_were_made_anew_with_their_merges_are_believed_for_their_goals() {
    let sandbox = Sandbox::ready();
    let driver = format!("{} merge-driver %O %A %B %P", env!("CARGO_BIN_EXE_git-invisigoth"));
    sandbox.git(&["config", "merge.invisigoth.driver", &driver]);
    sandbox.git(&["switch", "-q", "-c", "upstream"]);
    sandbox.write("theirs.txt", "x\n");
    sandbox.commit("theirs");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    sandbox.git(&["rebase", "-q", "--rebase-merges", "upstream"]);
    assert_eq!(sandbox.state("a"), "landed");
    sandbox.ok(&["settle"]);
    assert_eq!(sandbox.state("a"), "landed");
    assert!(!sandbox.read("memory/pending_goals.json").contains("\"a\""));
}

#[test]
fn only_the_line_that_git_writes_takes_something_back() {
    let sandbox = two_landed().0;
    let landing = sandbox.id("main");
    let said = format!("This reverts commit {landing}.");
    for message in [said.clone(), format!("quoted\n\n    {said}")] {
        sandbox.git(&["commit", "-q", "--allow-empty", "-m", &message]);
        assert_eq!(sandbox.state("b"), "landed", "{message}");
    }
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "Revert", "-m", &said]);
    assert_eq!(sandbox.state("b"), "held");
}

#[test]
fn reverts_of_reverts_are_read_once_each_however_often_they_are_named() {
    let sandbox = two_landed().0;
    // Each names the four before it: whoever reads those anew each time reads 4 to the power of 16, and comes to no end.
    let mut before = vec![sandbox.id("main")];
    for nth in 0..24 {
        let said: Vec<String> = before.iter().map(|id| format!("This reverts commit {id}.")).collect();
        let subject = format!("Revert {nth}");
        sandbox.git(&["commit", "-q", "--allow-empty", "-m", &subject, "-m", &said.join("\n")]);
        before.insert(0, sandbox.id("main"));
        before.truncate(4);
    }
    assert_eq!(sandbox.run(&["status"]).code, 0);
}
