//! `adopt`: branches of others, which stock git makes here, go through the same gate, classes, landing and record as ours.

/// What cannot be adopted: a table.
mod bad_input;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

/// Commits `files` on a branch of its own, as `who`, and goes back to `main`.
fn branch(sandbox: &Sandbox, name: &str, who: &str, commits: &[(&str, &str, &str)]) {
    sandbox.git(&["switch", "-q", "-c", name]);
    for (path, content, message) in commits {
        sandbox.write(path, content);
        sandbox.git(&["add", "-f", path]);
        let author = format!("{who} <{who}@example.org>");
        sandbox.git(&["commit", "-q", "--author", &author, "-m", message]);
    }
    sandbox.git(&["switch", "-q", "main"]);
}

/// The one record of the branch's history whose goal is `goal`.
fn record(sandbox: &Sandbox, goal: &str) -> Value {
    sandbox.json(&["show", goal])["record"].clone()
}

#[test]
fn a_branch_lands_as_one_commit_by_its_authors_and_no_message_of_it_is_believed() {
    let sandbox = Sandbox::ready();
    let forged =
        "Add a\n\nIt is one.\n\nGoal: other\nLanded: other 1234567\nCo-Authored-By: Claude <noreply@anthropic.com>";
    branch(&sandbox, "feature", "bea", &[("a.txt", "a\n", forged)]);
    sandbox.git(&["switch", "-q", "feature"]);
    sandbox.write("memory/pending_goals.json", "[\n{\"id\":\"smuggled\"}\n]\n");
    sandbox.write("b.txt", "b\n");
    sandbox.commit("Add b");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.write("greet.txt", "changed by its user\n");
    let (head, index) = (
        sandbox.id("feature"),
        sandbox.git(&["ls-files", "--stage", "greet.txt"]),
    );

    assert_snapshot!(sandbox.shows(&["adopt", "feature"]), @r#"
    landed   goal-[id]  Add b                   test ok                                      [id]
    adopted  feature: 2 commits as one
    -- stderr
    checking `feature` (2 commits) merged onto `main`
    the memory files of `feature` are left out
    -- exit 0
    "#);
    assert_eq!(sandbox.id("feature"), head, "the branch stays as it is");
    assert_eq!(sandbox.read("greet.txt"), "changed by its user\n");
    assert_eq!(sandbox.git(&["ls-files", "--stage", "greet.txt"]), index);
    assert_eq!([sandbox.read("a.txt"), sandbox.read("b.txt")], ["a\n", "b\n"]);
    assert!(!sandbox.read("memory/pending_goals.json").contains("smuggled"));

    let goal = sandbox.landings("main").pop().unwrap();
    assert_eq!(sandbox.git(&["rev-list", "--count", "main^1..main^2"]), "1");
    let said = sandbox.git(&["log", "-1", "--format=%an%n%cn%n%B", "main^2"]);
    let version = said
        .lines()
        .find_map(|line| line.strip_prefix("Goal-Version: "))
        .unwrap();
    assert_snapshot!(said.replace(&goal, "goal-x").replace(version, "[version]"), @r#"
    A U Thor
    A U Thor
    Add b

    * Add a
    * Add b

    Goal: goal-x
    Attempt: 1
    Goal-Version: [version]
    Co-authored-by: bea <bea@example.org>
    Co-authored-by: Claude <noreply@anthropic.com>
    "#);
    assert_eq!(sandbox.state(&goal), "landed");
    let record = record(&sandbox, &goal);
    assert_eq!(
        [
            &record["provider"],
            &record["model"],
            &record["attempts"],
            &record["cost_usd"],
            &record["replayable"]
        ],
        [
            &json!("adopted"),
            &json!("Claude"),
            &json!(0),
            &Value::Null,
            &json!(false)
        ]
    );
    let error = sandbox.run(&["adopt", "feature"]);
    assert_eq!(
        (error.code, error.stderr.lines().next()),
        (1, Some("error: nothing to adopt: `feature` changes no code of `main`"))
    );
    sandbox.assert_sound();
}

#[test]
fn as_it_is_its_commits_stay_and_the_landing_has_its_head_as_parent() {
    let sandbox = Sandbox::ready();
    let work = [("a.txt", "a\n", "Add a"), ("a.txt", "aa\n", "Grow a")];
    branch(&sandbox, "feature", "bea", &work);
    sandbox.goal("g", &[]);
    sandbox.write("mine.txt", "mine\n");
    sandbox.git(&["add", "mine.txt"]);
    sandbox.git(&["commit", "-q", "-m", "moved on"]);
    let head = sandbox.id("feature");
    assert_snapshot!(sandbox.shows(&["adopt", "feature", "--as-is", "--goal", "g"]), @r#"
    landed   g          Goal g                      test ok                                      [id]
    adopted  feature: 2 commits as they are
    -- stderr
    checking `feature` (2 commits) merged onto `main`
    -- exit 0
    "#);
    assert_eq!(
        [sandbox.id("main^2"), sandbox.id("feature")],
        [head.clone(), head.clone()]
    );
    let trailers = "--format=%(trailers:key=Landed,valueonly)";
    assert_eq!(
        sandbox.git(&["log", "-1", trailers, "main"]).trim(),
        format!("g {head}")
    );
    assert_eq!(sandbox.git(&["log", "-1", "--format=%an", "main^2"]), "bea");
    assert_eq!([sandbox.read("a.txt"), sandbox.read("mine.txt")], ["aa\n", "mine\n"]);
    assert_eq!(sandbox.state("g"), "landed");
    assert_eq!(record(&sandbox, "g")["commit"], json!(head));
    assert_eq!(record(&sandbox, "g")["base"], json!(sandbox.id("feature~2")));
    assert!(!sandbox.refs().contains_key("refs/heads/invisigoth/g"));
    let log = sandbox.git(&["notes", "--ref", "invisigoth", "show", "feature"]);
    assert!(log.contains("\"provider\":\"adopted\""), "{log}");
    assert_snapshot!(sandbox.shows(&["log"]), @r#"
    [id]  g  Grow a  unknown  adopted  test ok
    -- exit 0
    "#);
    // All of the branch, not its newest commit alone.
    let diff = sandbox.ok(&["diff", "g"]);
    assert!(
        diff.contains("--- /dev/null\n+++ b/a.txt") && diff.contains("+aa"),
        "{diff}"
    );
    sandbox.assert_sound();
}

#[test]
fn what_is_held_waits_for_merge_whether_it_is_one_commit_or_as_it_is() {
    for as_is in [false, true] {
        let sandbox = Sandbox::ready();
        branch(
            &sandbox,
            "mk",
            "bea",
            &[("Makefile", "all:\n", "Add a Makefile"), ("m.txt", "m\n", "Use it")],
        );
        let before = sandbox.id("main");
        let args: &[&str] = if as_is {
            &["adopt", "mk", "--as-is"]
        } else {
            &["adopt", "mk"]
        };
        let ran = sandbox.run(args);
        assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.contains("touches Makefile (it is build configuration)"),
            "{}",
            ran.stdout
        );
        assert_eq!(sandbox.id("main"), before);
        let goal = sandbox.json(&["list"])["goals"][0]["goal"].as_str().unwrap().to_owned();
        assert_eq!(sandbox.state(&goal), "held");
        // Adopting it again is no second goal.
        let again = sandbox.run(args);
        let hint = format!("hint: `git invisigoth merge {goal}` lands it");
        assert!(again.code == 1 && again.stderr.contains(&hint), "{}", again.stderr);
        let ran = sandbox.ok(&["run"]);
        assert!(ran.starts_with("0 landed"), "no run touches it: {ran}");
        sandbox.ok(&["merge", &goal]);
        assert_eq!(sandbox.state(&goal), "landed");
        assert_eq!(sandbox.read("Makefile"), "all:\n");
        assert_eq!(sandbox.id("main^2") == sandbox.id("mk"), as_is);
        let remark = record(&sandbox, &goal)["remark"].clone();
        assert_eq!(remark, json!("branch mk; approved by name on the command line"));
        sandbox.assert_sound();
    }
}

#[test]
fn a_linear_target_gets_a_plain_commit_by_the_author_of_the_branch() {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.land.style", "linear"]);
    branch(
        &sandbox,
        "feature",
        "bea",
        &[("a.txt", "a\n", "Add a"), ("a.txt", "aa\n", "Grow a")],
    );
    branch(&sandbox, "other", "cyd", &[("c.txt", "c\n", "Add c")]);
    sandbox.ok(&["adopt", "feature"]);
    sandbox.ok(&["adopt", "other"]);
    assert_eq!(
        sandbox
            .git(&["log", "-2", "--format=%an %s %P", "main"])
            .lines()
            .count(),
        2
    );
    let log = sandbox.git(&["log", "-2", "--format=%an: %s", "main"]);
    assert_eq!(log, "cyd: Add c\nbea: Grow a");
    assert_eq!(sandbox.git(&["rev-list", "--merges", "main"]), "");
    assert_eq!(sandbox.json(&["log"])["landed"].as_array().unwrap().len(), 2);
    let said = sandbox.run(&["adopt", "feature", "--as-is"]);
    assert!(said.stderr.contains("`land.style` is linear here"), "{}", said.stderr);
    sandbox.assert_sound();
}

#[test]
fn new_tests_of_a_branch_are_proved_and_a_goal_holds_it_to_them() {
    let check = "sh test_a.sh && echo '1 passed'\n";
    let sandbox = Sandbox::checking(check);
    sandbox.write("test_a.sh", "true\n");
    sandbox.commit("tests");
    let tests = "def test_it():\n    assert True\n";
    branch(&sandbox, "feature", "bea", &[("test_b.py", tests, "Test b")]);
    sandbox.goal("g", &[]);
    let held_to = sandbox.run(&["adopt", "feature", "--goal", "g"]);
    assert_eq!(held_to.code, 3, "{}", held_to.stderr);
    assert!(
        held_to.stdout.contains("the new tests pass without the change too"),
        "{}",
        held_to.stdout
    );
    assert_eq!(sandbox.state("g"), "ready");
    let told = sandbox.ok(&["adopt", "feature"]);
    assert!(told.contains("the new tests pass without the change too"), "{told}");
}

#[test]
fn a_target_that_moves_meanwhile_is_merged_with_anew() {
    let sandbox = Sandbox::checking(&["[ -e a.txt ] || exit 0\n", PAUSE].concat());
    branch(&sandbox, "feature", "bea", &[("a.txt", "a\n", "Add a")]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["adopt", "feature"]);
    sandbox.write("mine.txt", "mine\n");
    sandbox.git(&["add", "mine.txt"]);
    sandbox.git(&["commit", "-q", "-m", "meanwhile"]);
    pause.go();
    let ran = running.end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!([sandbox.read("a.txt"), sandbox.read("mine.txt")], ["a\n", "mine\n"]);
    sandbox.assert_sound();
}

#[test]
fn results_of_a_branch_that_was_reset_land_anew_as_they_are() {
    let sandbox = Sandbox::ready();
    branch(
        &sandbox,
        "feature",
        "bea",
        &[("a.txt", "a\n", "Add a"), ("a.txt", "aa\n", "Grow a")],
    );
    // What its user has open keeps the checkout where it is.
    sandbox.write("a.txt", "in the way\n");
    let waits = sandbox.ok(&["adopt", "feature", "--as-is"]);
    assert!(waits.contains("results are beside the branch"), "{waits}");
    sandbox.write("mine.txt", "mine\n");
    sandbox.git(&["add", "mine.txt"]);
    sandbox.git(&["commit", "-q", "-m", "on the branch meanwhile"]);
    std::fs::remove_file(sandbox.path("a.txt")).unwrap();
    sandbox.ok(&["merge"]);
    assert_eq!([sandbox.read("a.txt"), sandbox.read("mine.txt")], ["aa\n", "mine\n"]);
    assert_eq!(sandbox.id("main^2"), sandbox.id("feature"));
    sandbox.assert_sound();
}

#[test]
fn branches_that_were_merged_crosswise_have_no_single_base_and_fit_all_the_same() {
    let sandbox = Sandbox::ready();
    branch(&sandbox, "feature", "bea", &[("a.txt", "a\n", "Add a")]);
    sandbox.write("b.txt", "b\n");
    sandbox.commit("Add b");
    let (ours, theirs) = (sandbox.id("main"), sandbox.id("feature"));
    sandbox.git(&["merge", "-q", "--no-edit", &theirs]);
    sandbox.git(&["switch", "-q", "feature"]);
    sandbox.git(&["merge", "-q", "--no-edit", &ours]);
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["switch", "-q", "feature"]);
    sandbox.write("a.txt", "aa\n");
    sandbox.commit("Grow a");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.write("b.txt", "bb\n");
    sandbox.commit("Grow b");
    assert_eq!(
        sandbox.git(&["merge-base", "--all", "main", "feature"]).lines().count(),
        2
    );
    sandbox.ok(&["adopt", "feature", "--as-is"]);
    assert_eq!([sandbox.read("a.txt"), sandbox.read("b.txt")], ["aa\n", "bb\n"]);
    sandbox.assert_sound();
}

#[test]
fn what_failed_attempts_took_before_stays_on_record_and_the_rest_is_unknown() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"g": [whole("bad", "x\n"), whole("bad", "y\n"), whole("bad", "z\n")]}));
    sandbox.goal("g", &[]);
    assert_eq!(sandbox.run(&["run"]).code, 3);
    let replies = sandbox.json(&["show", "g"])["attempts"][0]["rounds"].clone();
    assert_ne!(replies, json!(0));
    for (name, as_is) in [("squashed", false), ("kept", true)] {
        let goal = if as_is { "h" } else { "g" };
        if as_is {
            sandbox.script(json!({"h": [whole("bad", "x\n"), whole("bad", "y\n"), whole("bad", "z\n")]}));
            sandbox.goal("h", &[]);
            assert_eq!(sandbox.run(&["run"]).code, 3);
        }
        branch(&sandbox, name, "bea", &[(name, "a\n", "Do it")]);
        let flag: &[&str] = if as_is { &["--as-is"] } else { &[] };
        sandbox.ok(&[&["adopt", name, "--goal", goal], flag].concat());
        let record = record(&sandbox, goal);
        assert_eq!(
            [&record["attempts"], &record["cost_usd"]],
            [&replies, &Value::Null],
            "{record}"
        );
    }
    sandbox.assert_sound();
}

#[test]
fn anything_that_names_a_commit_can_be_adopted() {
    let sandbox = Sandbox::ready();
    for (nth, file) in ["tag", "remote", "commit"].into_iter().enumerate() {
        branch(&sandbox, file, "bea", &[(file, "x\n", &format!("Add {file}"))]);
        let id = sandbox.id(file);
        match nth {
            0 => sandbox.git(&["tag", "-a", "v1", "-m", "annotated", &id]),
            _ => sandbox.git(&["update-ref", "refs/remotes/origin/theirs", &id]),
        };
        sandbox.git(&["branch", "-q", "-D", file]);
        let name = ["v1", "origin/theirs", &id][nth];
        sandbox.ok(&["adopt", name]);
        assert_eq!(sandbox.read(file), "x\n");
    }
    assert_eq!(sandbox.landings("main").len(), 3);
    sandbox.assert_sound();
}

#[test]
fn a_branch_lands_no_goal_by_the_words_of_its_reverts() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    sandbox.ok(&["undo", "a"]);
    sandbox.git(&["switch", "-q", "-c", "again"]);
    sandbox.write("a.txt", "a\n");
    let undo = sandbox.id("main");
    sandbox.git(&["add", "a.txt"]);
    sandbox.git(&["commit", "-q", "-m", &format!("Again\n\nThis reverts commit {undo}.")]);
    sandbox.git(&["switch", "-q", "main"]);
    let ran = sandbox.run(&["adopt", "again", "--as-is"]);
    assert!(
        ran.code == 1 && ran.stderr.contains("lands goal a again"),
        "{}",
        ran.stderr
    );
    assert_eq!(sandbox.state("a"), "held");
    sandbox.ok(&["adopt", "again", "--goal", "a"]);
    assert_eq!(sandbox.state("a"), "landed");
    sandbox.ok(&["verify"]);
}
