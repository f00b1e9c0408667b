//! The invariants 1 to 6 of `docs/ARCHITECTURE.md`, seen from outside: one test each bears its name, those beside it show
//! the invariant from another side. The others are in `invariants_of_replies`.

use std::fs;

use serde_json::json;

use crate::support::{NOT_BAD, Sandbox, whole};

/// What stock git and the disk say about what is the user's.
fn users(sandbox: &Sandbox, files: &[&str]) -> Vec<String> {
    let mut all = vec![
        sandbox.git(&["diff"]),
        sandbox.git(&["diff", "--cached"]),
        sandbox.git(&["status", "--porcelain=v2"]),
        sandbox.git(&["stash", "list"]),
        sandbox.git(&["ls-files", "--stage", "--debug", "--", "staged.txt", "intent.txt"]),
    ];
    all.extend(
        files
            .iter()
            .map(|file| format!("{:?}", fs::read(sandbox.path(file)).ok())),
    );
    all
}

/// Invariant 1.
#[test]
fn the_users_work_tree_and_index_are_never_touched() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    for name in ["staged.txt", "dirty.txt", "gone.txt", "stashed.txt"] {
        sandbox.write(name, "one\n");
    }
    sandbox.commit("files");
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    // Recorded first, so that the index stays as it is from here on.
    sandbox.run(&["run", "--max", "0"]);
    sandbox.write("stashed.txt", "stashed\n");
    sandbox.git(&["stash"]);
    sandbox.write("staged.txt", "two\n");
    sandbox.git(&["add", "staged.txt"]);
    sandbox.write("staged.txt", "three\n");
    sandbox.write("dirty.txt", b"not \xff UTF-8\r\n");
    sandbox.git(&["rm", "-q", "gone.txt"]);
    sandbox.write("untracked.txt", "mine\n");
    sandbox.write("intent.txt", "soon\n");
    sandbox.git(&["add", "-N", "intent.txt"]);
    let files = [
        "staged.txt",
        "dirty.txt",
        "gone.txt",
        "stashed.txt",
        "untracked.txt",
        "intent.txt",
    ];
    let before = users(&sandbox, &files);
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(users(&sandbox, &files), before, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        (sandbox.state("a"), sandbox.state("b")),
        ("landed".into(), "landed".into())
    );
    assert_eq!(
        sandbox.read("b.txt"),
        "b\n",
        "the checkout did not follow:\n{}",
        ran.stderr
    );
}

/// Invariant 1, where the landing meets the user's files: everything waits, nothing moves.
#[test]
fn what_would_overwrite_the_users_files_waits_beside_the_branch() {
    let sandbox = Sandbox::ready();
    sandbox.write(".gitignore", "ignored.txt\n");
    sandbox.commit("ignore");
    for (file, reply) in [
        ("greet.txt", "theirs\n"),
        ("new.txt", "theirs\n"),
        ("ignored.txt", "theirs\n"),
    ] {
        sandbox.script(json!({file: [whole(file, reply)]}));
        sandbox.goal(file, &[]);
        sandbox.run(&["run", "--max", "0"]);
        sandbox.write(file, "mine\n");
        let (before, head) = (users(&sandbox, &[file]), sandbox.id("HEAD"));
        let ran = sandbox.json(&["run"]);
        assert_eq!(sandbox.state(file), "landed", "{ran}");
        assert!(
            ran["beside"].as_str().unwrap().contains(file),
            "{ran} does not say what is in the way"
        );
        assert_eq!((users(&sandbox, &[file]), sandbox.id("HEAD")), (before, head), "{file}");
        assert!(sandbox.refs().contains_key("refs/invisigoth/landed/main"), "{file}");
        assert!(sandbox.ok(&["status"]).contains("beside main"));
        // Out of the way, the next command brings it in.
        fs::remove_file(sandbox.path(file)).unwrap();
        if file == "greet.txt" {
            sandbox.git(&["checkout", "-q", "--", file]);
        }
        sandbox.ok(&["run"]);
        assert_eq!(sandbox.read(file), "theirs\n");
        assert!(!sandbox.refs().contains_key("refs/invisigoth/landed/main"), "{file}");
        assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    }
    sandbox.assert_sound();
}

/// Invariant 2.
#[test]
fn code_tree_first() {
    let check = "
[ ! -e memory/pending_goals.json ] || { echo 'the memory is here'; exit 1; }
[ ! -e left.txt ] && [ \"$(cat greet.txt)\" = hello ] || { echo 'an earlier check is still here'; exit 1; }
echo x > left.txt; echo x >> greet.txt; rm check.sh
mkdir -p memory; echo x > memory/history.json; echo x > memory/pending_goals.json
";
    let sandbox = Sandbox::checking(check);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    let before = sandbox.code("HEAD");
    sandbox.ok(&["run"]);
    let mut expected = before;
    for name in ["a", "b"] {
        let blob = sandbox.id(&format!("HEAD:{name}.txt"));
        expected.push(format!("100644 blob {blob}\t{name}.txt"));
    }
    let path = |line: &String| line.split('\t').nth(1).unwrap().to_owned();
    expected.sort_by_key(path);
    assert_eq!(sandbox.code("HEAD"), expected);
    // The candidate holds the very code tree that was judged, and no memory of ours.
    let base = sandbox.git(&["diff", "--name-only", "HEAD^2^", "HEAD^2"]);
    assert_eq!(base, "b.txt");
    assert_eq!(sandbox.read("memory/pending_goals.json"), "[]\n");
}

/// Checks out every first-parent commit of `main` with stock git and runs its `check.sh` there; returns how many.
fn check_each_commit(sandbox: &Sandbox) -> usize {
    let log = sandbox.git(&["rev-list", "--first-parent", "main", "--", "check.sh", "."]);
    let out = sandbox.home().join("out");
    sandbox.git(&["clone", "-q", ".", out.to_str().unwrap()]);
    let dir = out.to_str().unwrap();
    for commit in log.lines() {
        sandbox.git(&["-C", dir, "checkout", "-q", commit]);
        let ran = sandbox.sh("sh", &["-c", &format!("cd '{dir}' && sh check.sh")]);
        assert_eq!(ran.code, 0, "{commit} is red: {}", ran.stdout);
    }
    fs::remove_dir_all(out).unwrap();
    log.lines().count()
}

/// Invariant 3.
#[test]
fn no_commit_and_no_landing_without_a_passing_check() {
    let sandbox = Sandbox::ready();
    let repaired = format!("DELETE bad\n\n{}", whole("b.txt", "b\n"));
    sandbox.script(json!({
        "a": [whole("a.txt", "a\n")],
        "b": [whole("bad", "x\n"), repaired],
        "c": [whole("bad", "x\n")],
        "d": [whole("d.txt", "d\n")],
    }));
    for goal in ["a", "b", "c", "d"] {
        sandbox.goal(goal, &[]);
    }
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), ["a", "b", "d"]);
    assert!(check_each_commit(&sandbox) >= 5);
    assert_eq!(
        sandbox.git(&["rev-list", "--all", "--", "bad"]),
        "",
        "a commit holds code that did not pass"
    );
}

/// Invariant 3: two candidates that pass alone and fail together.
#[test]
fn the_merged_code_is_what_must_pass() {
    let sandbox = Sandbox::checking("[ ! -e a.txt ] || [ ! -e b.txt ] || { echo together; exit 1; }\n");
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.ok(&["run", "--no-merge"]);
    let ran = sandbox.run(&["merge"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), ["a"]);
    let evicted = sandbox.attempt("b", 1, "attempt.json");
    assert_eq!(evicted["standing"], "evicted");
    assert!(evicted["reason"].as_str().unwrap().contains("merged"), "{evicted}");
    check_each_commit(&sandbox);
}

/// A check that lets a person act in the repository once, while it judges code where `condition` holds.
fn meanwhile(condition: &str, act: &str) -> String {
    format!(
        "{NOT_BAD}
if [ {condition} ] && [ ! -e \"$HOME/once\" ]; then
    : > \"$HOME/once\"
    cd \"$HOME/repo\" || exit 1
    {act}
fi
"
    )
}

/// Invariant 4.
#[test]
fn refs_move_last_and_by_compare_and_swap() {
    let act = "echo byhand > byhand.txt && git add byhand.txt && git commit -q -m 'By hand' || exit 1";
    let sandbox = Sandbox::checking(&meanwhile("-e a.txt", act));
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(sandbox.home().join("once").exists());
    assert_eq!(sandbox.git(&["log", "-1", "--format=%s", "HEAD^1"]), "By hand");
    assert_eq!(
        (sandbox.read("byhand.txt"), sandbox.read("a.txt")),
        ("byhand\n".into(), "a\n".into())
    );
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    sandbox.assert_sound();
}

/// Invariant 4: the target moves between the last look at it and the landing, while the merged code is checked.
#[test]
fn a_target_that_moves_during_the_last_check_is_not_overwritten() {
    let act = "made=$(git commit-tree -p trunk -m 'By hand' 'trunk^{tree}') && git update-ref refs/heads/trunk $made";
    for target in ["trunk", "main"] {
        let act = act.replace("trunk", target);
        let sandbox = Sandbox::checking(&meanwhile("-e a.txt ] && [ -e b.txt", &act));
        sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
        sandbox.goal("a", &[]);
        sandbox.goal("b", &[]);
        sandbox.run(&["run", "--max", "0"]);
        if target == "trunk" {
            sandbox.git(&["branch", target]);
        }
        sandbox.git(&["config", "invisigoth.land.target", target]);
        sandbox.ok(&["run", "--no-merge"]);
        let first = sandbox.run(&["merge"]);
        // Where the branch is checked out, results wait beside it and land anew with the next command.
        let then = sandbox.run(&["run"]);
        assert!(sandbox.home().join("once").exists());
        let said = format!(
            "{target}: {}{}{}{}",
            first.stdout, first.stderr, then.stdout, then.stderr
        );
        let subjects = sandbox.git(&["log", "--first-parent", "--format=%s", target]);
        assert!(
            subjects.lines().any(|line| line == "By hand"),
            "a person's commit is lost\n{subjects}\n{said}"
        );
        let mut landed = sandbox.landings(target);
        landed.sort();
        assert_eq!(landed, ["a", "b"], "{said}");
        sandbox.assert_sound();
    }
}

/// Invariants 4 and 6: the base itself is taken out of the target while a goal is checked.
#[test]
fn a_candidate_whose_base_left_the_target_is_replayed_not_merged() {
    let act = "git reset -q --hard HEAD~1 && echo byhand > byhand.txt && git add byhand.txt && git commit -q -m Other";
    let sandbox = Sandbox::checking(&meanwhile("-e a.txt", act));
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.run(&["run", "--max", "0"]);
    sandbox.write("regretted.txt", "x\n");
    sandbox.commit("Regretted");
    let regretted = sandbox.id("HEAD");
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        (sandbox.read("byhand.txt"), sandbox.read("a.txt")),
        ("byhand\n".into(), "a\n".into())
    );
    let all = sandbox.git(&["rev-list", "main"]);
    assert!(!all.contains(&regretted), "what a person dropped came back");
    assert_eq!(sandbox.git(&["log", "-1", "--format=%s", "main^2^"]), "Other");
}

/// Invariant 5.
#[test]
fn state_is_computed_from_facts_and_the_two_replicas_are_united() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.ok(&["run"]);
    let notes = |sandbox: &Sandbox| {
        sandbox
            .git(&["log", "--notes=invisigoth", "--format=%H %N"])
            .lines()
            .filter(|l| l.contains('{'))
            .count()
    };
    assert_eq!(notes(&sandbox), 2);
    let noted = sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"]);
    sandbox.git(&["update-ref", "-d", "refs/notes/invisigoth"]);
    sandbox.ok(&["run"]);
    assert_eq!(notes(&sandbox), 2);
    assert_eq!(sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"]), noted);

    let full = sandbox.read("memory/history.json");
    sandbox.write("memory/history.json", "[]\n");
    sandbox.commit("Lose the mirror");
    let rebuilt = sandbox.json(&["rebuild"]);
    assert_eq!(
        (&rebuilt["rows_added"], &rebuilt["notes_added"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(sandbox.read("memory/history.json"), full);
    assert_eq!(
        sandbox.json(&["rebuild"])["rows_added"],
        json!(0),
        "uniting twice is uniting once"
    );
    sandbox.git(&[
        "notes",
        "--ref",
        "invisigoth",
        "append",
        "-m",
        "read on a train",
        "HEAD~2^2",
    ]);
    assert_eq!(
        sandbox.json(&["rebuild"])["rows_added"],
        json!(0),
        "what people write into a note is no record"
    );
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
}

/// Invariant 6.
#[test]
fn only_landing_closes_a_goal_and_a_revert_by_a_person_opens_it() {
    for which in [&["HEAD^2"][..], &["-m1", "HEAD"]] {
        let sandbox = Sandbox::ready();
        sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
        sandbox.goal("a", &[]);
        sandbox.ok(&["run"]);
        sandbox.git(&[&["revert", "--no-edit"], which].concat());
        assert_eq!(sandbox.state("a"), "held", "after revert {which:?}");
        // What depends on it waits again, and another landing writes it down.
        sandbox.goal("needs-a", &["a"]);
        sandbox.goal("b", &[]);
        let ran = sandbox.run(&["run"]);
        assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(sandbox.landings("main"), ["a", "b"], "after revert {which:?}");
        let pending = sandbox.read("memory/pending_goals.json");
        let row = pending
            .lines()
            .find(|line| line.contains("\"id\": \"a\"") || line.contains("\"id\":\"a\""));
        assert!(
            row.is_some_and(|row| row.contains("held")),
            "after revert {which:?}:\n{pending}"
        );
        assert_eq!(
            (sandbox.state("a"), sandbox.state("needs-a")),
            ("held".into(), "blocked".into())
        );
        // A person lets it go again.
        sandbox.write("memory/pending_goals.json", pending.replace("\"held\"", "\"pending\""));
        sandbox.script(json!({"a": [whole("a.txt", "again\n")], "needs-a": [whole("n.txt", "n\n")]}));
        let ran = sandbox.run(&["run"]);
        assert_eq!(ran.code, 0, "after revert {which:?}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(sandbox.read("a.txt"), "again\n");
        assert_eq!(sandbox.state("needs-a"), "landed");
    }
}

/// Invariant 6, where people rewrite history.
#[test]
fn what_landed_stays_landed_through_rebase_and_squash_and_is_open_again_after_a_reset() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.run(&["run", "--max", "0"]);
    let start = sandbox.id("HEAD");
    sandbox.ok(&["run"]);
    let landed = sandbox.id("HEAD");

    // A rebase drops the landing commit, and with it what it did to memory/.
    sandbox.git(&["switch", "-q", "-c", "upstream", &start]);
    sandbox.write("upstream.txt", "x\n");
    sandbox.commit("Upstream");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["rebase", "-q", "upstream"]);
    assert_eq!(sandbox.landings("main"), [""; 0]);
    assert!(sandbox.read("memory/pending_goals.json").contains("\"a\""));
    assert_eq!(sandbox.state("a"), "landed", "after a rebase");
    let ran = sandbox.json(&["run"]);
    assert_eq!(ran["calls"], json!(0), "{ran}");

    sandbox.git(&["reset", "-q", "--hard", &landed]);
    sandbox.git(&["reset", "-q", "--soft", &start]);
    sandbox.git(&["restore", "-q", "--source", &start, "--staged", "--worktree", "memory"]);
    sandbox.git(&["commit", "-q", "-m", "Squashed", "--trailer", "Goal: a"]);
    assert!(sandbox.read("memory/pending_goals.json").contains("\"a\""));
    assert_eq!(sandbox.state("a"), "landed", "after a squash");

    sandbox.git(&["reset", "-q", "--hard", &start]);
    assert_ne!(sandbox.state("a"), "landed", "after a reset");
}
