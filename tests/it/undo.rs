//! `undo`: landed goals come out again as if they had never landed, checked, and held. What stands in the way is said, and
//! changes nothing.
//!
//! Not here: what people do with git instead, which is `settle`, and what happens meanwhile, which is `undo_meanwhile`.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{NOT_BAD, Sandbox, whole};

const PENDING: &str = "memory/pending_goals.json";
const TEST: &str = "[check]\ntest = [\"sh check.sh\"]\n";

/// Goals that each write a file of their name and have landed.
pub fn landed(sandbox: &Sandbox, all: &[(&str, &[&str])]) {
    let replies = all
        .iter()
        .map(|(id, _)| ((*id).to_owned(), json!([whole(&format!("{id}.txt"), "x\n")])));
    sandbox.script(Value::Object(replies.collect()));
    for (id, needs) in all {
        sandbox.goal(id, needs);
    }
    sandbox.ok(&["run"]);
}

/// A person lets held goals go again.
fn release(sandbox: &Sandbox) {
    let pending = sandbox.read(PENDING);
    sandbox.write(PENDING, pending.replace("\"held\"", "\"pending\""));
}

/// The lines of `history.json` that say that a goal was undone.
fn undone_rows(sandbox: &Sandbox, commit: &str) -> Vec<Value> {
    let rows: Vec<Value> =
        serde_json::from_str(&sandbox.git(&["show", &format!("{commit}:memory/history.json")])).unwrap();
    rows.into_iter().filter(|row| row["kind"] == "undo").collect()
}

/// The tree of each first-parent commit of `main` since `start` passes the check.
fn all_green(sandbox: &Sandbox, start: &str) {
    let range = format!("{start}..main");
    for commit in sandbox.git(&["rev-list", "--first-parent", &range]).lines() {
        let folder = sandbox.home().join("each").join(commit);
        let line = format!(
            "mkdir -p {0} && git archive {commit} | tar -x -C {0} && cd {0} && sh check.sh",
            folder.display()
        );
        let ran = sandbox.sh("sh", &["-c", &line]);
        assert_eq!(ran.code, 0, "{commit}: {}{}", ran.stdout, ran.stderr);
    }
}

/// A file of ten lines, far from each other.
fn ten_lines() -> String {
    (0..10).map(|n| format!("line {n}\n\n\n\n\n")).collect()
}

#[test]
fn the_first_a_middle_and_the_last_of_ten_come_out_as_if_they_had_never_landed() {
    let sandbox = Sandbox::set_up("[ \"$(grep -c . list.txt)\" = 10 ]\n", TEST);
    sandbox.write("list.txt", ten_lines());
    sandbox.commit("ten lines");
    let reply = |n: usize| format!("list.txt\n<<<<<<< SEARCH\nline {n}\n=======\nLINE {n}\n>>>>>>> REPLACE\n");
    let replies = (0..10).map(|n| (format!("g{n}"), json!([reply(n)])));
    sandbox.script(Value::Object(replies.collect()));
    for n in 0..10 {
        sandbox.goal(&format!("g{n}"), &[]);
    }
    sandbox.run(&["run", "--max", "0"]);
    let start = sandbox.id("main");
    sandbox.ok(&["run"]);
    let (full, attempts) = (sandbox.id("main"), sandbox.id("refs/invisigoth/attempts"));
    for n in [0, 5, 9] {
        let goal = format!("g{n}");
        sandbox.git(&["reset", "-q", "--hard", &full]);
        sandbox.git(&["update-ref", "refs/invisigoth/attempts", &attempts]);
        // What stock git makes of the other nine.
        sandbox.git(&["switch", "-q", "-C", "without", &start]);
        let landed = sandbox.git(&[
            "log",
            "--reverse",
            "--format=%(trailers:key=Landed,valueonly)",
            "--first-parent",
            &full,
        ]);
        for line in landed
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with(&goal))
        {
            sandbox.git(&["cherry-pick", line.split_once(' ').unwrap().1]);
        }
        sandbox.git(&["switch", "-q", "main"]);

        sandbox.ok(&["undo", &goal, "--why", "not yet"]);
        assert_eq!(sandbox.code("main"), sandbox.code("without"), "{goal}");
        assert_eq!(sandbox.git(&["diff", "--stat"]), "");
        assert_eq!(sandbox.state(&goal), "held");
        let shown = sandbox.json(&["show", &goal]);
        assert!(
            shown["reason"].as_str().unwrap().ends_with("was undone: not yet"),
            "{shown}"
        );
        let row = &undone_rows(&sandbox, "main")[0];
        let commit = row["commit"].as_str().unwrap();
        assert_eq!((&row["goal"], &row["why"]), (&json!(goal), &json!("not yet")));
        let noted = sandbox.git(&["notes", "--ref", "invisigoth", "show", commit]);
        assert!(
            noted
                .lines()
                .any(|line| serde_json::from_str::<Value>(line).unwrap() == *row),
            "{noted}"
        );

        // It lands again, by an attempt of its own.
        release(&sandbox);
        let ran = sandbox.json(&["run"]);
        assert_eq!(
            (&ran["calls"], sandbox.state(&goal).as_str()),
            (&json!(1), "landed"),
            "{ran}"
        );
        assert_eq!(sandbox.code("main"), sandbox.code(&full));
        assert_eq!(sandbox.attempt(&goal, 2, "attempt.json")["rounds"], json!(1));
        all_green(&sandbox, &start);
        sandbox.assert_sound();
    }
}

#[test]
fn it_says_what_it_took_out() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[]), ("b", &["a"])]);
    assert_snapshot!(sandbox.shows(&["undo", "a", "--cascade"]), @r#"
    undone     b  [id]  Goal b
    undone     a  [id]  Goal a
    commit     [id]  test ok
    held       until `git invisigoth release b a`
    -- stderr
    checking the code without b, a
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["undo", "a", "--exit-code"]), @r#"
    nothing    a: it was taken back before
    -- stderr
    nothing to undo
    -- exit 4
    "#);
    assert_snapshot!(sandbox.shows(&["log"]), @r#"
    [id]  b  Goal b  undone [time]  mock  1 reply  [n] tokens  $0.00  test ok
    [id]  a  Goal a  undone [time]  mock  1 reply  [n] tokens  $0.00  test ok
    -- exit 0
    "#);
    assert_eq!(sandbox.json(&["cost"])["rows"].as_array().unwrap().len(), 2);
    sandbox.ok(&["release", "a"]);
    assert_snapshot!(sandbox.shows(&["show", "a"]), @r#"
    ready      a
    asks       Goal a
    attempt 1  [time], 1 reply, mock, [n] tokens, $0.00, passed
    commit     [id]
    landed     on main at [time]
    model      mock (mock)
    took       1 reply, [n] tokens, $0.00
    checks     test ok
    undone     at [time]
    next       git invisigoth run a
    -- exit 0
    "#);
}

/// A row of bad input: how the repository is, what is typed, the exit code, and what is said.
type Row = (
    &'static str,
    fn() -> Sandbox,
    &'static [&'static str],
    i32,
    &'static str,
);

const BAD: &[Row] = &[
    (
        "unknown",
        Sandbox::ready,
        &["undo", "nosuch"],
        1,
        "there is no goal nosuch",
    ),
    ("no id", Sandbox::ready, &["undo"], 2, "<ID>"),
    ("never landed", open, &["undo", "a"], 1, "`git invisigoth drop a`"),
    (
        "depended on",
        chain,
        &["undo", "a"],
        1,
        "a cannot be undone alone: b depends on a, c depends on b",
    ),
    ("one of a chain", chain, &["undo", "a", "b"], 1, "c depends on b"),
    (
        "conflict",
        changed_since,
        &["undo", "a"],
        1,
        "undoing a conflicts in greet.txt, changed since by",
    ),
    (
        "red",
        built_upon,
        &["undo", "a"],
        1,
        "without a the checks fail: test: exit 1",
    ),
    (
        "one commit for two",
        squashed,
        &["undo", "a"],
        1,
        "b landed in one commit with a",
    ),
    ("no gate", no_gate, &["undo", "a"], 7, "no checks are configured"),
    ("shallow", shallow, &["undo", "a"], 1, "`git fetch --unshallow`"),
];

fn open() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox
}

fn chain() -> Sandbox {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[]), ("b", &["a"]), ("c", &["b"])]);
    sandbox
}

fn changed_since() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("greet.txt", "a\n")], "b": [whole("greet.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.ok(&["run"]);
    sandbox
}

/// `b` works only with `a`, which nobody said.
fn built_upon() -> Sandbox {
    let sandbox = Sandbox::checking("[ ! -e b.txt ] || [ -e a.txt ] || exit 1\n");
    landed(&sandbox, &[("a", &[]), ("b", &[])]);
    sandbox
}

fn squashed() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.write("both.txt", "x\n");
    sandbox.git(&["add", "both.txt"]);
    sandbox.git(&[
        "commit",
        "-q",
        "-m",
        "Both",
        "--trailer",
        "Goal: a",
        "--trailer",
        "Goal: b",
    ]);
    sandbox.ok(&["settle"]);
    sandbox
}

fn no_gate() -> Sandbox {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    sandbox.write("invisigoth.toml", "");
    sandbox.commit("no checks");
    sandbox
}

fn shallow() -> Sandbox {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    let origin = sandbox.home().join("origin");
    sandbox.git(&["clone", "-q", "--bare", ".", origin.to_str().unwrap()]);
    std::fs::remove_dir_all(sandbox.repo()).unwrap();
    let url = format!("file://{}", origin.display());
    let made = sandbox
        .command("git")
        .args(["clone", "-q", "--depth", "1", &url, sandbox.repo().to_str().unwrap()])
        .current_dir(sandbox.home())
        .status();
    assert!(made.unwrap().success());
    sandbox.git(&["config", "user.name", "A U Thor"]);
    sandbox.git(&["config", "user.email", "author@example.com"]);
    sandbox
}

#[test]
fn what_stands_in_the_way_is_said_and_changes_nothing() {
    for (name, scene, args, code, said) in BAD {
        let sandbox = scene();
        sandbox.run(&["run", "--max", "0"]);
        let before = (branches(&sandbox), sandbox.git(&["status", "--porcelain=v2"]));
        let ran = sandbox.run(args);
        assert_eq!(ran.code, *code, "{name}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{name}: {}", ran.stderr);
        assert_eq!(
            (branches(&sandbox), sandbox.git(&["status", "--porcelain=v2"])),
            before,
            "{name}"
        );
        sandbox.assert_sound();
    }
}

/// All refs but notes.
fn branches(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let mut refs = sandbox.refs();
    refs.retain(|name, _| !name.starts_with("refs/notes/"));
    refs
}

#[test]
fn a_conflict_names_what_landed_since_and_undoing_both_works() {
    let sandbox = changed_since();
    let ran = sandbox.run(&["undo", "a"]);
    assert!(ran.stderr.contains(" of b\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`git invisigoth undo a b`"), "{}", ran.stderr);
    sandbox.ok(&["undo", "a", "b"]);
    assert_eq!(sandbox.read("greet.txt"), "hello\n");
}

#[test]
fn what_was_red_before_keeps_no_undo_from_landing() {
    let red = "if [ -e a.txt ]; then echo 'test result: FAILED'; exit 3; fi\n";
    let sandbox = Sandbox::checking(NOT_BAD);
    landed(&sandbox, &[("a", &[])]);
    sandbox.write("check.sh", red);
    sandbox.commit("now it is red, and nobody can read why");
    sandbox.ok(&["undo", "a"]);
    assert!(!sandbox.path("a.txt").exists());
}

#[test]
fn a_goal_that_landed_twice_is_undone_by_its_newest_commit() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    sandbox.ok(&["undo", "a"]);
    release(&sandbox);
    sandbox.script(json!({"a": [whole("other.txt", "y\n")]}));
    sandbox.ok(&["run"]);
    sandbox.ok(&["undo", "a"]);
    assert!(!sandbox.path("other.txt").exists() && !sandbox.path("a.txt").exists());
    assert_eq!(undone_rows(&sandbox, "main").len(), 2);
    assert_eq!(sandbox.state("a"), "held");
}

#[test]
fn the_row_comes_back_with_all_its_bytes_even_out_of_a_sealed_segment() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "x\n")]}));
    let row = "{\"id\":\"a\", \"own\":  {\"k\": [1,2]}, \"description\":\"Goal a\", \"priority\": 3}";
    sandbox.write(PENDING, format!("[\n{row}\n]\n"));
    sandbox.ok(&["run"]);
    // As if 255 more had landed and the oldest were sealed.
    let completed = sandbox.read("memory/completed_goals.json");
    sandbox.write("memory/completed/0001.json", completed);
    sandbox.write("memory/completed_goals.json", "[\n]\n");
    sandbox.git(&["add", "-A"]);
    sandbox.git(&["commit", "-q", "-m", "Seal", "--trailer", "Settled: a"]);
    assert_eq!(sandbox.state("a"), "landed");
    sandbox.ok(&["undo", "a"]);
    let back = sandbox.read(PENDING);
    let kept = "{\"id\":\"a\", \"own\":  {\"k\": [1,2]}, \"description\":\"Goal a\", \"priority\": 3";
    assert!(back.contains(kept), "{back}");
    assert_eq!(sandbox.state("a"), "held");
}

#[test]
fn nothing_of_it_left_only_changes_the_backlog() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    sandbox.git(&["rm", "-q", "a.txt"]);
    sandbox.git(&["commit", "-q", "-m", "Away with it"]);
    let ran = sandbox.run(&["undo", "a"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("nothing of it was left in the code"),
        "{}",
        ran.stderr
    );
    assert_eq!(sandbox.code("main"), sandbox.code("main^"));
    assert_eq!(sandbox.state("a"), "held");
}

#[test]
fn what_a_person_reverted_is_nothing_to_undo_and_a_reverted_undo_lands_again() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[]), ("b", &[])]);
    let commit = sandbox.git(&["log", "--format=%H", "--grep=^Goal: a", "-1"]);
    sandbox.git(&["revert", "--no-edit", &commit]);
    let ran = sandbox.run(&["undo", "a"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("a: taken back by commit"), "{}", ran.stdout);
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(sandbox.state("a"), "landed", "the revert was reverted");

    sandbox.ok(&["undo", "b"]);
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(
        (sandbox.state("b"), sandbox.path("b.txt").exists()),
        ("landed".into(), true)
    );
    sandbox.ok(&["settle"]);
    sandbox.ok(&["undo", "b"]);
    assert_eq!(
        (sandbox.state("b"), sandbox.path("b.txt").exists()),
        ("held".into(), false)
    );
    sandbox.assert_sound();
}

#[test]
fn plain_landings_are_undone_as_well() {
    for settings in ["[run]\nisolation = \"none\"\n", "[land]\nstyle = \"linear\"\n"] {
        let sandbox = Sandbox::set_up(NOT_BAD, &format!("{TEST}{settings}"));
        landed(&sandbox, &[("a", &[]), ("b", &[])]);
        for goal in ["b", "a"] {
            sandbox.ok(&["undo", goal]);
            assert_eq!(sandbox.state(goal), "held");
        }
        assert!(!sandbox.path("a.txt").exists() && !sandbox.path("b.txt").exists());
        let rows: Vec<Value> = serde_json::from_str(&sandbox.read("memory/history.json")).unwrap();
        assert_eq!(rows.len(), 4, "both records and both undos: {rows:?}");
        release(&sandbox);
        sandbox.ok(&["run"]);
        assert_eq!([sandbox.state("a"), sandbox.state("b")], ["landed", "landed"]);
    }
}

#[test]
fn open_dependents_block_again_with_their_candidates() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    sandbox.script(json!({"b": [whole("b.txt", "b\n")]}));
    sandbox.goal("b", &["a"]);
    sandbox.goal("c", &["a"]);
    sandbox.run(&["run", "b", "--no-merge"]);
    sandbox.ok(&["undo", "a"]);
    assert_eq!([sandbox.state("b"), sandbox.state("c")], ["blocked", "blocked"]);
    sandbox.run(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"], "its candidate does not land by itself");
    let ran = sandbox.run(&["merge", "b"]);
    assert_eq!(ran.code, 5);
    assert!(
        ran.stderr.contains("goal b is blocked: needs a (held)"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_people_landed_is_undone_without_settling_first() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.commit("goals");
    sandbox.write("a.txt", "by hand\n");
    sandbox.git(&["add", "a.txt"]);
    sandbox.git(&["commit", "-q", "-m", "By hand", "--trailer", "Goal: a"]);
    let commit = sandbox.id("main");
    assert_eq!(sandbox.state("b"), "ready");
    sandbox.ok(&["undo", "a"]);
    assert!(!sandbox.path("a.txt").exists());
    assert_eq!([sandbox.state("a"), sandbox.state("b")], ["held", "blocked"]);
    let completed: Vec<Value> = serde_json::from_str(&sandbox.read("memory/completed_goals.json")).unwrap();
    assert_eq!(
        (&completed[0]["id"], &completed[0]["commit"]),
        (&json!("a"), &json!(commit))
    );
    let pending: Vec<Value> = serde_json::from_str(&sandbox.read(PENDING)).unwrap();
    assert_eq!((&pending[0]["description"], pending.len()), (&json!("Goal a"), 2));
    assert_eq!(sandbox.run(&["settle", "--exit-code"]).code, 4);
}

#[test]
fn a_reason_leaves_without_secrets() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    let key = "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let ran = sandbox.run_with(
        &["undo", "a", "--why", &format!("it said {key}")],
        &[("OPENROUTER_API_KEY", key)],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(sandbox.git(&["log", "-1", "--format=%b"]).starts_with("it said "));
    assert!(!sandbox.holds(key));
}

#[test]
fn a_branch_that_landed_as_it_is_comes_out_whole_and_its_copies_can_come_again() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    sandbox.git(&["switch", "-q", "-c", "feature"]);
    for name in ["one", "two"] {
        sandbox.write(name, "x\n");
        sandbox.commit(name);
    }
    sandbox.git(&["switch", "-q", "main"]);
    let before = sandbox.code("main");
    sandbox.goal("g", &[]);
    sandbox.ok(&["adopt", "feature", "--as-is", "--goal", "g"]);
    sandbox.ok(&["undo", "g"]);
    assert_eq!(sandbox.code("main"), before);
    sandbox.ok(&["verify"]);

    let again = sandbox.run(&["adopt", "feature"]);
    let base = sandbox.git(&["rev-parse", "--short=7", "feature~2"]);
    let hint = format!(
        "goal g that it landed was undone; `git rebase --no-ff {base} feature` copies its commits, then `git invisigoth \
         adopt feature --goal g`"
    );
    assert!(again.stderr.contains(&hint), "{}", again.stderr);
    let later = [("GIT_COMMITTER_DATE", "2026-01-03T00:00:00Z")];
    let mut rebase = sandbox.command("git");
    rebase.envs(later).args(["rebase", "-q", "--no-ff", &base, "feature"]);
    assert!(rebase.status().unwrap().success());
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.ok(&["adopt", "feature", "--goal", "g"]);
    assert!(sandbox.path("one").exists() && sandbox.path("two").exists());
}

#[test]
fn a_plain_goal_that_lands_again_is_completed_again() {
    let sandbox = Sandbox::set_up(NOT_BAD, &format!("{TEST}[land]\nstyle = \"linear\"\n"));
    landed(&sandbox, &[("a", &[])]);
    sandbox.ok(&["undo", "a"]);
    release(&sandbox);
    sandbox.script(json!({"a": [whole("other.txt", "y\n")]}));
    sandbox.ok(&["run"]);
    let rows: Vec<Value> = serde_json::from_str(&sandbox.read("memory/completed_goals.json")).unwrap();
    assert_eq!(rows.len(), 2);
    sandbox.ok(&["verify"]);
}

#[test]
fn a_plain_landing_of_another_line_of_history_is_undone_where_both_are_merged() {
    let sandbox = Sandbox::set_up(NOT_BAD, &format!("{TEST}[land]\nstyle = \"linear\"\n"));
    let driver = format!("{} merge-driver %O %A %B %P", env!("CARGO_BIN_EXE_git-invisigoth"));
    sandbox.git(&["config", "merge.invisigoth.driver", &driver]);
    sandbox.git(&["branch", "colleague"]);
    landed(&sandbox, &[("a", &[])]);
    sandbox.git(&["switch", "-q", "colleague"]);
    landed(&sandbox, &[("b", &[])]);
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-edit", "colleague"]);
    sandbox.ok(&["undo", "b"]);
    assert!(sandbox.path("a.txt").exists() && !sandbox.path("b.txt").exists());
    assert_eq!(sandbox.state("b"), "held");
}
