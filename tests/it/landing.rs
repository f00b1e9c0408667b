//! Landing: order, selection, conflicts, and every place that a target can be in.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{
    NOT_BAD, Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

/// A sandbox whose goals each write a file of their name; those in `failing` write one that the check refuses.
fn goals(sandbox: &Sandbox, all: &[(&str, &[&str])], failing: &[&str]) {
    let replies = all.iter().map(|(id, _)| {
        let file = if failing.contains(id) {
            "bad".to_owned()
        } else {
            format!("{id}.txt")
        };
        ((*id).to_owned(), json!([whole(&file, "x\n")]))
    });
    sandbox.script(Value::Object(replies.collect()));
    // Added so that every goal is there before one that needs it.
    for (id, needs) in all {
        sandbox.goal(id, needs);
    }
}

#[test]
fn goals_land_when_their_needs_have_landed_and_a_failure_stops_only_what_needs_it() {
    let sandbox = Sandbox::ready();
    let all: [(&str, &[&str]); 6] = [
        ("z", &[]),
        ("broken", &[]),
        ("m", &["z"]),
        ("a", &["m", "z"]),
        ("b", &["broken"]),
        ("c", &["b"]),
    ];
    goals(&sandbox, &all, &["broken"]);
    let ran = sandbox.run(&["--json", "run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), ["z", "m", "a"]);
    let summary: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let worked: Vec<&str> = summary["goals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["goal"].as_str().unwrap())
        .collect();
    assert_eq!(worked, ["broken", "z", "m", "a"]);
    assert_eq!(
        summary["waiting"],
        json!([["b", "needs broken (failed)"], ["c", "needs b (blocked)"]])
    );
    assert!(
        summary["goals"][0]["reason"].as_str().unwrap().contains("3 rounds"),
        "{summary}"
    );
    // A failed goal does not run again by itself, and what landed does not either.
    let again = sandbox.json(&["run"]);
    assert_eq!((&again["calls"], &again["goals"]), (&json!(0), &json!([])));
    assert_eq!(
        sandbox.git(&["rev-list", "--count", "--first-parent", "--grep=^Landed:", "main"]),
        "3"
    );
    sandbox.assert_sound();
}

#[test]
fn the_dependency_is_in_the_base_of_what_needs_it() {
    let sandbox = Sandbox::checking("[ ! -e b.txt ] || [ -e a.txt ] || exit 1\n");
    goals(&sandbox, &[("a", &[]), ("b", &["a"])], &[]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(
        sandbox.id("main^2^"),
        sandbox.id("main^"),
        "b was made on the landing of a"
    );
}

#[test]
fn a_run_can_be_told_which_and_how_many() {
    let sandbox = Sandbox::ready();
    goals(
        &sandbox,
        &[("a", &[]), ("b", &[]), ("c", &[]), ("d", &["c"]), ("e", &["a"])],
        &[],
    );
    sandbox.ok(&["run", "b"]);
    assert_eq!(sandbox.landings("main"), ["b"]);
    let ran = sandbox.run(&["run", "--max", "1"]);
    assert_eq!(sandbox.landings("main"), ["b", "a"], "{}", ran.stderr);
    let ran = sandbox.run(&["run", "d"]);
    assert_eq!(sandbox.landings("main"), ["b", "a"]);
    assert!(ran.stdout.contains("needs c (ready)"), "{}", ran.stdout);
    let ran = sandbox.run(&["run", "nosuch"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("there is no goal nosuch"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_asks_nobody_and_changes_nothing() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[]), ("b", &["a"])], &[]);
    let (refs, status) = (sandbox.refs(), sandbox.git(&["status", "--porcelain=v2"]));
    let dry = sandbox.json(&["run", "--dry-run"]);
    assert_eq!(dry["would_run"][0]["goal"], "a");
    assert!(dry["would_run"][0]["prompt_bytes"].as_u64().unwrap() > 500);
    assert_eq!(dry["waiting"], json!([["b", "needs a (ready)"]]));
    assert_eq!(
        (sandbox.refs(), sandbox.git(&["status", "--porcelain=v2"])),
        (refs, status)
    );
}

#[test]
fn candidates_wait_for_merge_with_no_merge() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[]), ("b", &[]), ("c", &["a"])], &[]);
    let head = sandbox.id("main");
    sandbox.run(&["run", "--no-merge"]);
    assert_eq!(sandbox.landings("main"), [""; 0]);
    assert_eq!(
        sandbox.git(&["diff", "--name-only", &head, "main"]),
        "memory/pending_goals.json"
    );
    assert_eq!(
        (sandbox.state("a"), sandbox.state("c")),
        ("candidate".into(), "blocked".into())
    );
    assert_eq!(
        sandbox.id("refs/heads/invisigoth/a^"),
        sandbox.id("main"),
        "one commit on its base"
    );
    sandbox.ok(&["merge", "b"]);
    assert_eq!(sandbox.landings("main"), ["b"]);
    sandbox.ok(&["merge"]);
    assert_eq!(sandbox.landings("main"), ["b", "a"]);
    let ran = sandbox.run(&["merge", "c"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(
        !sandbox
            .refs()
            .keys()
            .any(|name| name.starts_with("refs/heads/invisigoth/"))
    );
}

#[test]
fn without_isolation_a_goal_is_one_plain_commit_and_its_row_comes_with_the_next() {
    for (key, value) in [
        ("invisigoth.run.isolation", "none"),
        ("invisigoth.land.style", "linear"),
    ] {
        let sandbox = Sandbox::ready();
        sandbox.git(&["config", key, value]);
        goals(&sandbox, &[("a", &[]), ("b", &["a"])], &[]);
        sandbox.run(&["run", "--max", "1"]);
        let first = sandbox.id("main");
        assert_eq!(
            sandbox.git(&["log", "-1", "--format=%s%x20%(trailers:key=Goal,valueonly)"]),
            "Goal a a",
            "{key}"
        );
        assert_eq!(
            sandbox.git(&["rev-list", "--parents", "-1", "main"]).split(' ').count(),
            2,
            "one parent"
        );
        let changed = sandbox.git(&["show", "--name-only", "--format=", "main"]);
        assert_eq!(changed, "a.txt\nmemory/completed_goals.json\nmemory/pending_goals.json");
        let note = sandbox.git(&["notes", "--ref", "invisigoth", "show", &first]);
        let record: Value = serde_json::from_str(&note).unwrap();
        assert_eq!((&record["goal"], &record["commit"]), (&json!("a"), &json!(first)));
        assert_eq!(
            (
                sandbox.read("memory/history.json").as_str(),
                sandbox.state("a").as_str()
            ),
            ("[]\n", "landed")
        );
        // Another process, so what is late is known from facts alone.
        sandbox.ok(&["run"]);
        assert!(sandbox.read("memory/history.json").contains(&note), "{key}");
        assert_eq!(sandbox.read("memory/history.json").matches("\"goal\"").count(), 1);
        assert_eq!(sandbox.git(&["rev-list", "--min-parents=2", "--count", "main"]), "0");
        assert!(
            !sandbox
                .refs()
                .keys()
                .any(|name| name.starts_with("refs/heads/invisigoth/")),
            "{key}"
        );
        sandbox.assert_sound();
    }
}

#[test]
fn a_target_that_nobody_has_checked_out_moves_directly() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[])], &[]);
    sandbox.run(&["run", "--max", "0"]);
    sandbox.git(&["branch", "trunk"]);
    sandbox.git(&["config", "invisigoth.land.target", "trunk"]);
    sandbox.write("greet.txt", "dirty\n");
    let head = sandbox.id("main");
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("trunk"), ["a"]);
    assert_eq!(
        (sandbox.id("main"), sandbox.read("greet.txt")),
        (head, "dirty\n".into())
    );
    assert!(!sandbox.path("a.txt").exists());
    assert!(
        !sandbox
            .refs()
            .keys()
            .any(|name| name.starts_with("refs/invisigoth/landed/"))
    );
    assert_eq!(sandbox.state("a"), "landed");
}

#[test]
fn a_linked_worktree_with_the_target_follows_from_wherever_it_is_run() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[]), ("b", &[])], &[]);
    sandbox.run(&["run", "--max", "0"]);
    sandbox.git(&["switch", "-q", "-c", "other"]);
    let tree = sandbox.home().join("linked");
    let dir = tree.to_str().unwrap();
    sandbox.git(&["worktree", "add", "-q", dir, "main"]);
    let clean = || assert_eq!(sandbox.git(&["-C", dir, "status", "--porcelain"]), "");
    sandbox.ok(&["-C", dir, "run", "a"]);
    assert!(tree.join("a.txt").exists() && !sandbox.path("a.txt").exists());
    clean();
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.ok(&["run"]);
    assert!(tree.join("b.txt").exists() && !sandbox.path("b.txt").exists());
    clean();
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert!(
        !sandbox
            .refs()
            .keys()
            .any(|name| name.starts_with("refs/invisigoth/landed/"))
    );
}

/// Holds `a` from another worktree while `main` is checked out, so that the edit waits beside it.
fn held_from_another_worktree(sandbox: &Sandbox) {
    let tree = sandbox.home().join("side");
    let dir = tree.to_str().unwrap();
    sandbox.git(&["worktree", "add", "-q", "-b", "side", dir]);
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.ok(&["-C", dir, "hold", "a", "--why", "wait"]);
    assert!(!sandbox.read("memory/pending_goals.json").contains("held"));
}

#[test]
fn an_edit_from_another_worktree_outlives_a_commit_in_the_checkout() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[]), ("b", &[])], &[]);
    sandbox.run(&["run", "--max", "0"]);
    held_from_another_worktree(&sandbox);
    sandbox.write("beside.txt", "by a person\n");
    sandbox.commit("Beside");
    let dir = sandbox.home().join("side");
    let refused = sandbox.run(&["-C", dir.to_str().unwrap(), "hold", "b"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    sandbox.ok(&["run"]);
    assert_eq!(
        (sandbox.state("a"), sandbox.state("b")),
        ("held".into(), "landed".into())
    );
    assert!(sandbox.read("memory/pending_goals.json").contains("wait"));
    assert!(
        !sandbox
            .refs()
            .keys()
            .any(|name| name.starts_with("refs/invisigoth/landed/"))
    );
}

#[test]
fn an_edit_from_another_worktree_brings_back_no_commit_that_was_taken_away() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[]), ("b", &[])], &[]);
    sandbox.run(&["run", "--max", "0"]);
    sandbox.write("gone.txt", "not wanted\n");
    sandbox.commit("Not wanted");
    held_from_another_worktree(&sandbox);
    sandbox.git(&["reset", "-q", "--hard", "HEAD~1"]);
    sandbox.ok(&["run"]);
    assert!(!sandbox.path("gone.txt").exists());
    assert_eq!(
        (sandbox.state("a"), sandbox.state("b")),
        ("held".into(), "landed".into())
    );
}

#[test]
fn a_bare_repository_lands_too() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[]), ("b", &["a"])], &[]);
    sandbox.run(&["run", "--max", "0"]);
    let bare = sandbox.home().join("bare.git");
    let dir = bare.to_str().unwrap();
    sandbox.git(&["clone", "-q", "--bare", ".", dir]);
    for key in [
        "user.name",
        "user.email",
        "invisigoth.llm.provider",
        "invisigoth.llm.script",
    ] {
        let value = sandbox.git(&["config", key]);
        sandbox.git(&["-C", dir, "config", key, &value]);
    }
    sandbox.ok(&["-C", dir, "run"]);
    assert_eq!(sandbox.git(&["-C", dir, "show", "main:b.txt"]), "x");
    sandbox.ok(&["-C", dir, "add", "--id", "c", "Later"]);
    assert!(
        sandbox
            .git(&["-C", dir, "show", "main:memory/pending_goals.json"])
            .contains("Later")
    );
    sandbox.git(&["-C", dir, "fsck", "--strict"]);
    let stray = |path: &Path| fs::read_dir(path).unwrap().any(|e| e.unwrap().file_name() == "memory");
    assert!(!stray(&bare));
}

#[test]
fn a_detached_head_needs_a_target_and_stays_where_it_is() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[])], &[]);
    sandbox.run(&["run", "--max", "0"]);
    sandbox.git(&["checkout", "-q", "--detach"]);
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("detached") && ran.stderr.contains("land.target"),
        "{}",
        ran.stderr
    );
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    let head = sandbox.id("HEAD");
    sandbox.ok(&["run"]);
    assert_eq!((sandbox.id("HEAD"), sandbox.landings("main")), (head, vec!["a".into()]));
    assert!(!sandbox.path("a.txt").exists());
}

#[test]
fn a_second_run_in_the_same_clone_takes_other_goals() {
    let sandbox = Sandbox::checking(&format!("{NOT_BAD}[ -e a.txt ] && [ ! -e b.txt ] || exit 0\n{PAUSE}"));
    goals(&sandbox, &[("a", &[]), ("b", &[])], &[]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    assert_eq!(sandbox.state("a"), "running");
    sandbox.ok(&["run"]);
    // Nothing that lands goals has to wait for an answer or a check of a goal. Where the other run looked about it just then, the
    // checkout follows only now.
    sandbox.ok(&["merge"]);
    assert_eq!(sandbox.landings("main"), ["b"]);
    sandbox.ok(&["rebuild"]);
    sandbox.goal("c", &[]);
    pause.go();
    let ran = running.end();
    assert_eq!(sandbox.landings("main"), ["b", "a"], "{}{}", ran.stdout, ran.stderr);
    sandbox.assert_sound();
}

/// A check whose output names its tests as cargo's do: `old` fails whatever is done, `new` fails where the file `bad` is.
pub const RED: &str = "printf '\\nrunning 2 tests\\n'
r=ok; [ ! -e bad ] || r=FAILED
echo \"test old ... FAILED\"; echo \"test new ... $r\"
f=1; p=1; [ $r = ok ] || { f=2; p=0; }
printf \"\\ntest result: FAILED. $p passed; $f failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\\n\"
exit 101
";

#[test]
fn what_was_red_before_keeps_nothing_from_landing_and_a_new_failure_does() {
    let sandbox = Sandbox::checking(RED);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("bad", "x\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("known red at the base: "), "{}", ran.stderr);
    assert_eq!(sandbox.state("a"), "landed");
    assert_eq!(sandbox.json(&["show", "a"])["record"]["known_red"], 1);
    let why = sandbox.json(&["show", "b"])["reason"].as_str().unwrap().to_owned();
    assert!(
        why.starts_with("3 rounds, test: 1 new failure; then reply: no-change"),
        "{why}"
    );
    sandbox.assert_sound();
}

#[test]
fn commits_that_a_person_took_away_do_not_come_back_with_the_results_that_wait() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("greet.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.run(&["run", "--max", "0"]);
    sandbox.write("leak.txt", "a password\n");
    sandbox.commit("leak");
    sandbox.write("greet.txt", "mine\n");
    sandbox.ok(&["run"]);
    assert!(
        sandbox.refs().contains_key("refs/invisigoth/landed/main"),
        "results do not wait"
    );
    sandbox.git(&["reset", "-q", "--hard", "HEAD~1"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.git(&["log", "--format=%s", "main", "--", "leak.txt"]), "");
    let mut landed = sandbox.landings("main");
    landed.sort();
    assert_eq!(landed, ["a", "b"]);
    assert_eq!(
        sandbox.git(&["for-each-ref", "refs/invisigoth/base", "refs/invisigoth/landed"]),
        ""
    );
    sandbox.assert_sound();
}

#[test]
fn a_commit_that_lands_anew_after_its_branch_moved_has_a_record_that_holds() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("greet.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.run(&["run", "--max", "0"]);
    sandbox.write("greet.txt", "mine\n");
    sandbox.ok(&["run"]);
    let noted = |sandbox: &Sandbox| {
        let listed = sandbox.git(&["notes", "--ref=invisigoth", "list"]);
        let commits: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(commits.len(), 1, "{listed}");
        sandbox.git(&["notes", "--ref=invisigoth", "show", commits[0]])
    };
    let record = noted(&sandbox);
    sandbox.write("mine.txt", "mine\n");
    sandbox.git(&["add", "mine.txt"]);
    sandbox.git(&["commit", "-q", "-m", "mine", "mine.txt"]);
    sandbox.git(&["checkout", "-q", "greet.txt"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert!(noted(&sandbox).contains(&record));
    sandbox.ok(&["verify"]);
    sandbox.assert_sound();
}

/// Moves the branch while git writes the files of a fast-forward, once.
const MOVES_THE_BRANCH: &str = r#"
if [ -n "$GIT_REFLOG_ACTION" ] && [ ! -e "$1" ]; then
    : > "$1"
    export GIT_INDEX_FILE="$1.index"
    blob() { printf "$1" | git hash-object -w --stdin; }
    git read-tree main
    git update-index --cacheinfo "100644,$(blob '[check]\nlint = ["true"]\ntest = ["sh check.sh"]\n'),invisigoth.toml"
    git update-index --add --cacheinfo "100644,$(blob 'mine\n'),mine.txt"
    git update-ref refs/heads/main "$(git commit-tree -p main -m mine "$(git write-tree)")"
fi >&2
cat
"#;

#[test]
fn a_branch_that_moves_while_its_checkout_follows_leaves_nothing_half_done() {
    let sandbox = Sandbox::ready();
    fs::write(sandbox.home().join("moves.sh"), MOVES_THE_BRANCH).unwrap();
    let (script, mark) = (sandbox.home().join("moves.sh"), sandbox.home().join("moved"));
    let smudge = format!("sh {} {}", script.display(), mark.display());
    sandbox.git(&["config", "filter.moves.smudge", &smudge]);
    sandbox.write(".gitattributes", "greet.txt filter=moves\n");
    sandbox.commit("attributes");
    sandbox.script(json!({"a": [whole("greet.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    fs::remove_file(&mark).ok();
    sandbox.run(&["run"]);
    assert!(mark.exists(), "git did not write the file");
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(
        (sandbox.read("greet.txt"), sandbox.git(&["show", "main:mine.txt"])),
        ("a\n".into(), "mine".into())
    );
    let status = sandbox.git(&["status", "--porcelain"]);
    // As git has it for a commit that was made elsewhere.
    assert_eq!(status, "M  invisigoth.toml\nD  mine.txt");
    sandbox.ok(&["verify"]);
    sandbox.assert_sound();
}

#[test]
fn while_a_person_writes_a_commit_message_results_wait_and_then_follow() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[])], &[]);
    sandbox.commit("goals");
    // As git does before it opens the editor.
    fs::write(sandbox.path(".git/COMMIT_EDITMSG"), "a mess").unwrap();
    let ran = sandbox.run(&["run"]);
    assert!(
        ran.stdout.contains("a commit is being written") || ran.stderr.contains("a commit is being written"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert!(sandbox.landings("main").is_empty());
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
}

#[test]
fn a_copied_repository_is_not_taken_for_one_in_which_a_commit_is_being_written() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &[("a", &[])], &[]);
    sandbox.commit("goals");
    // A copy keeps when files were written, and makes them in whichever order.
    let copied = sandbox.sh("chmod", &["600", ".git/COMMIT_EDITMSG"]);
    assert_eq!(copied.code, 0);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
}
