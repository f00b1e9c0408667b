//! `sync` and `run --remote`: several clones and one remote.
//!
//! Not here: what one clone does alone; many clones at once with kills, which is `tests/peer`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Ran, Sandbox, whole};

/// Two clones, `one` (which made the remote) and `two`, each with goals `a`, `b`, `c` and a script for them.
struct Clones {
    one: Sandbox,
    two: Sandbox,
}

impl Clones {
    fn new() -> Self {
        Self::with(&["a", "b", "c"])
    }

    fn with(goals: &[&str]) -> Self {
        let one = Sandbox::ready();
        for goal in goals {
            one.goal(goal, &[]);
        }
        one.git(&["init", "-q", "--bare", "-b", "main", "../there"]);
        one.git(&["remote", "add", "origin", "../there"]);
        one.git(&["add", "-A"]);
        one.git(&["commit", "-q", "--allow-empty", "-m", "goals"]);
        one.git(&["push", "-q", "origin", "main"]);
        let two = Sandbox::empty();
        let there = one.home().join("there");
        fs::remove_dir(two.repo()).unwrap();
        let cloned = two
            .command("git")
            .args(["clone", "-q"])
            .arg(&there)
            .arg(two.repo())
            .current_dir(two.home())
            .output();
        assert_eq!(Ran::of(&cloned.unwrap()).code, 0);
        two.git(&["config", "user.name", "B"]);
        two.git(&["config", "user.email", "b@example.com"]);
        let script = || {
            let reply = |goal: &&str| {
                (
                    (*goal).to_owned(),
                    json!([whole(&format!("{goal}.txt"), &format!("{goal}\n"))]),
                )
            };
            json!(goals.iter().map(reply).collect::<serde_json::Map<_, _>>())
        };
        one.script(script());
        two.script(script());
        Self { one, two }
    }

    fn both(&self) -> [&Sandbox; 2] {
        [&self.one, &self.two]
    }

    /// Runs git in the remote.
    fn there(&self, args: &[&str]) -> String {
        let all: Vec<&str> = ["-C", "../there"].iter().chain(args).copied().collect();
        self.one.git(&all)
    }

    fn hook(&self, name: &str, text: &str) {
        let path = self.one.home().join("there/hooks").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What must hold once both are the same: target and records, on both and there; nobody's files lost; no claims left.
    fn same(&self) {
        let there = self.there(&["rev-parse", "main"]);
        for clone in self.both() {
            assert_eq!(clone.id("main"), there);
            assert_eq!(clone.git(&["status", "--porcelain"]), "");
            for notes in ["refs/notes/invisigoth^{tree}", "refs/notes/ai^{tree}"] {
                assert_eq!(clone.id(notes), self.there(&["rev-parse", notes]));
            }
            clone.assert_sound();
        }
        self.there(&["fsck", "--strict"]);
        assert_eq!(
            self.there(&["for-each-ref", "refs/invisigoth/claims", "refs/notes/invisigoth-tested"]),
            ""
        );
    }
}

fn noted(clone: &Sandbox) -> usize {
    clone.git(&["notes", "--ref=invisigoth", "list"]).lines().count()
}

#[test]
fn what_one_clone_landed_comes_to_the_other_with_its_records_and_attempts() {
    let clones = Clones::new();
    clones.one.ok(&["run", "a"]);
    assert_snapshot!(clones.one.shows(&["sync"]), @r"
    target     main at [id]  brought to origin
    records    0 came from origin, 1 went to it
    -- exit 0
    ");
    assert_snapshot!(clones.two.shows(&["sync", "--attempts"]), @r"
    target     main at [id]  brought from origin
    records    1 came from origin, 0 went to it
    attempts   the same already
    -- exit 0
    ");
    clones.same();
    assert_eq!((noted(&clones.two), clones.two.state("a")), (1, "landed".to_owned()));
    clones.one.ok(&["sync", "--attempts"]);
    clones.two.ok(&["sync", "origin", "--attempts"]);
    clones.two.attempt("a", 1, "attempt.json");
    assert_snapshot!(clones.two.shows(&["sync", "--attempts"]), @r"
    target     main at [id]  as it was, here and there
    records    the same already
    attempts   the same already
    -- exit 0
    ");
    clones.two.ok(&["replay", "a"]);
    clones.two.ok(&["verify"]);
}

#[test]
fn what_two_clones_landed_apart_lands_anew_and_each_goal_once() {
    let clones = Clones::new();
    clones.one.ok(&["run", "a"]);
    clones.two.ok(&["run", "b", "c"]);
    clones.one.ok(&["sync"]);
    assert_snapshot!(clones.two.shows(&["sync"]), @r"
    target     main at [id]  joined with that of origin
    landed     b  anew, on what origin had
    landed     c  anew, on what origin had
    records    1 came from origin, 2 went to it
    -- exit 0
    ");
    clones.one.ok(&["sync"]);
    clones.same();
    let landed = clones
        .one
        .git(&["log", "--format=%(trailers:key=Landed,valueonly)", "main"]);
    let mut landed: Vec<&str> = landed
        .lines()
        .filter_map(|line| Some(line.split_once(' ')?.0))
        .collect();
    landed.sort_unstable();
    assert_eq!(landed, ["a", "b", "c"]);
    for clone in clones.both() {
        assert_eq!(
            (noted(clone), clone.read("a.txt"), clone.read("c.txt")),
            (3, "a\n".to_owned(), "c\n".to_owned())
        );
        for goal in ["a", "b", "c"] {
            assert_eq!(clone.state(goal), "landed");
        }
        clone.ok(&["verify"]);
        assert_eq!(clone.run(&["settle", "--exit-code"]).code, 4);
        assert_eq!(clone.run(&["run", "--exit-code"]).code, 4);
    }
}

#[test]
fn a_goal_that_both_landed_counts_once() {
    let clones = Clones::new();
    clones.one.ok(&["run", "a"]);
    clones
        .two
        .script(json!({"a": [whole("a.txt", "otherwise\n")], "b": [whole("b.txt", "b\n")]}));
    clones.two.ok(&["run", "a", "b"]);
    clones.one.ok(&["sync"]);
    clones.two.ok(&["sync"]);
    clones.one.ok(&["sync"]);
    clones.same();
    assert_eq!(
        (clones.two.read("a.txt"), clones.two.read("b.txt")),
        ("a\n".to_owned(), "b\n".to_owned())
    );
    let backlog = clones.two.read("memory/completed_goals.json");
    assert_eq!(backlog.matches("\"id\":\"a\"").count(), 1, "{backlog}");
}

#[test]
fn a_landing_that_does_not_fit_what_the_remote_has_fails_and_the_rest_lands() {
    let clones = Clones::new();
    clones.one.script(json!({"a": [whole("same.txt", "one\n")]}));
    clones
        .two
        .script(json!({"b": [whole("same.txt", "two\n")], "c": [whole("c.txt", "c\n")]}));
    clones.one.ok(&["run", "a"]);
    clones.two.ok(&["run", "b", "c"]);
    clones.one.ok(&["sync"]);
    let ran = clones.two.run(&["sync"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("b  conflicts with what landed since, in same.txt"),
        "{}",
        ran.stdout
    );
    clones.one.ok(&["sync"]);
    clones.same();
    let states = ["a", "b", "c"].map(|goal| clones.two.state(goal));
    assert_eq!(states, ["landed", "ready", "landed"]);
    assert_eq!(
        (clones.two.read("same.txt"), clones.one.read("c.txt")),
        ("one\n".to_owned(), "c\n".to_owned())
    );
}

#[test]
fn commits_of_a_person_between_are_merged_with_the_code_that_landed() {
    let clones = Clones::new();
    clones.one.ok(&["run", "a"]);
    clones.two.ok(&["run", "b"]);
    clones.two.write("mine.txt", "mine\n");
    clones.two.commit("mine");
    clones.two.ok(&["run", "c"]);
    clones.two.goal("d", &[]);
    clones.one.ok(&["sync"]);
    clones.two.ok(&["sync"]);
    clones.one.ok(&["sync"]);
    clones.same();
    assert_eq!(
        (clones.one.read("mine.txt"), clones.one.state("d")),
        ("mine\n".to_owned(), "ready".to_owned())
    );
    assert_eq!(["a", "b", "c"].map(|goal| clones.one.state(goal)), ["landed"; 3]);
    clones.one.ok(&["verify"]);
}

#[test]
fn what_a_person_must_join_moves_nothing() {
    for (what, content) in [("conflict", ("greet.txt", "theirs\n")), ("red", ("bad", ""))] {
        let clones = Clones::new();
        clones.one.write("greet.txt", "mine\n");
        clones.one.commit("mine");
        clones.one.ok(&["sync"]);
        clones.two.write(content.0, content.1);
        clones.two.commit("theirs");
        let mut before = (clones.two.refs(), clones.there(&["for-each-ref"]));
        let ran = clones.two.run(&["sync"]);
        assert_ne!(ran.code, 0, "{what}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{what}: {}", ran.stderr);
        let mut after = clones.two.refs();
        after.retain(|name, _| before.0.contains_key(name) && !name.contains("origin"));
        before.0.retain(|name, _| !name.contains("origin"));
        assert_eq!((after, clones.there(&["for-each-ref"])), before, "{what}");
        clones.two.assert_sound();
    }
}

#[test]
fn bad_input_is_answered_with_what_to_type() {
    let clones = Clones::new();
    let alone = Sandbox::ready();
    assert_snapshot!(alone.shows(&["sync"]), @r"
    -- stderr
    error: there is no remote to sync with
    hint: `git remote add origin URL`, or name one: `git invisigoth sync REMOTE`
    -- exit 7
    ");
    assert_snapshot!(clones.two.shows(&["sync", "nobody"]), @r"
    -- stderr
    error: there is no remote `nobody`
    hint: `git remote -v` lists them, `git remote add NAME URL` adds one
    -- exit 7
    ");
    clones.hook(
        "update",
        "[ \"$1\" != refs/heads/main ] || { echo protected >&2; exit 1; }",
    );
    clones.two.ok(&["run", "a"]);
    let before = clones.two.id("main");
    assert_snapshot!(clones.two.shows(&["sync"]), @r#"
    -- stderr
    error: remote `origin` does not take it: refs/heads/main: [remote rejected] (hook declined)
    hint: a protected branch wants `land.via = "host"`; nothing moved there or here
    -- exit 5
    "#);
    assert_eq!(clones.two.id("main"), before);
    let ran = clones.two.run(&["run", "b", "--remote", "origin"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(clones.two.state("b"), "candidate");
    fs::rename(clones.one.home().join("there"), clones.one.home().join("gone")).unwrap();
    let ran = clones.two.run(&["sync"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.starts_with("error: remote `origin` cannot be reached: "),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("hint: `git ls-remote origin`"), "{}", ran.stderr);
    assert_eq!(clones.two.run(&["run", "--remote", "origin"]).code, 1);
    clones.two.assert_sound();
}

#[test]
fn a_dirty_tree_lets_the_result_wait_beside_the_branch() {
    let clones = Clones::new();
    clones.one.script(json!({"a": [whole("greet.txt", "hi\n")]}));
    clones.one.ok(&["run", "a"]);
    clones.one.ok(&["sync"]);
    clones.two.write("greet.txt", "half written");
    let ran = clones.two.run(&["sync"]);
    assert!(ran.stdout.contains("waiting"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        (clones.two.read("greet.txt").as_str(), clones.two.state("a").as_str()),
        ("half written", "landed")
    );
    clones.two.git(&["checkout", "-q", "greet.txt"]);
    clones.two.ok(&["sync"]);
    clones.one.ok(&["sync"]);
    clones.same();
}

#[test]
fn goals_added_in_both_clones_are_all_there() {
    let clones = Clones::new();
    clones.one.goal("one", &[]);
    clones.two.goal("two", &["a"]);
    clones.one.ok(&["sync"]);
    clones.two.ok(&["sync"]);
    clones.one.ok(&["sync"]);
    for clone in clones.both() {
        assert_eq!(
            (clone.state("one"), clone.state("two")),
            ("ready".to_owned(), "blocked".to_owned())
        );
    }
}

#[test]
fn a_goal_that_another_clone_added_is_done_although_the_checkout_cannot_have_it_yet() {
    let clones = Clones::with(&["a"]);
    clones.one.goal("new", &[]);
    clones.one.ok(&["run", "a"]);
    clones.one.ok(&["sync"]);
    let script = json!({"new": [whole("new.txt", "new\n")]});
    clones.two.script(script);
    // What landed touches it, so the branch stays where it is, and the backlog's file with it.
    clones.two.write("a.txt", "half written");
    clones.two.ok(&["sync"]);
    assert!(!clones.two.read("memory/pending_goals.json").contains("\"new\""));
    clones.two.ok(&["run"]);
    assert_eq!(clones.two.state("new"), "landed");
    assert_eq!(clones.two.landings("refs/invisigoth/landed/main"), ["a", "new"]);
    assert_eq!(clones.two.read("a.txt"), "half written");
    fs::remove_file(clones.two.path("a.txt")).unwrap();
    clones.two.ok(&["sync"]);
    clones.one.ok(&["sync"]);
    clones.same();
}

#[test]
fn a_run_lands_at_the_remote_first_and_sees_what_others_land() {
    let clones = Clones::with(&["a", "b", "c"]);
    clones.one.goal("d", &["a", "b"]);
    clones.one.ok(&["sync"]);
    clones.one.ok(&["run", "a", "--remote", "origin"]);
    assert_eq!(clones.there(&["rev-parse", "main"]), clones.one.id("main"));
    clones
        .two
        .script(json!({"b": [whole("b.txt", "b\n")], "c": [whole("c.txt", "c\n")], "d": [whole("d.txt", "d\n")]}));
    clones.two.git(&["config", "invisigoth.sync.remote", "origin"]);
    clones.two.ok(&["run"]);
    clones.one.ok(&["sync"]);
    clones.same();
    assert_eq!(noted(&clones.one), 4);
    assert_eq!(["a", "b", "c", "d"].map(|goal| clones.one.state(goal)), ["landed"; 4]);
    assert_eq!(clones.one.landings("main").len(), 4);
}

#[test]
fn a_goal_that_is_claimed_elsewhere_is_left_alone_and_one_of_a_dead_run_is_done() {
    let clones = Clones::with(&["a"]);
    // A run of another machine.
    let message = json!({
        "goal": "a",
        "holder": {"run": "far", "host": "elsewhere", "boot": "x", "pid": 1, "started": 1},
        "at": 1_900_000_000_000_i64,
        "nonce": "n",
    });
    let empty = clones.one.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let claim = clones.one.git(&["commit-tree", &empty, "-m", &message.to_string()]);
    clones
        .one
        .git(&["push", "-q", "origin", &format!("{claim}:refs/invisigoth/claims/a")]);
    let ran = clones.two.run(&["run", "--remote", "origin"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(clones.two.state("a"), "ready");
    assert_eq!(clones.there(&["rev-parse", "refs/invisigoth/claims/a"]), claim);
    // A run of this clone that was killed.
    let dead = message.to_string().replace("far", "dead");
    fs::create_dir_all(clones.two.path(".git/invisigoth/runs")).unwrap();
    fs::write(clones.two.path(".git/invisigoth/runs/dead.lock"), "").unwrap();
    let claim = clones.one.git(&["commit-tree", &empty, "-m", &dead]);
    clones
        .one
        .git(&["push", "-qf", "origin", &format!("{claim}:refs/invisigoth/claims/a")]);
    clones.two.ok(&["run", "--remote", "origin"]);
    clones.one.ok(&["sync"]);
    clones.same();
    assert_eq!(clones.one.state("a"), "landed");
}

/// Stands for git's own `upload-pack` where a ref goes between being told and being asked for, twice.
const REFS_THAT_GO: &str = r#"
echo x >> "$0.calls"
[ "$(wc -l < "$0.calls")" -gt 2 ] || { echo 'fatal: git upload-pack: not our ref 0' >&2; exit 128; }
exec git-upload-pack "$@"
"#;

#[test]
fn a_ref_that_goes_while_it_is_fetched_is_fetched_again() {
    let clones = Clones::new();
    let program = clones.one.home().join("upload-pack.sh");
    fs::write(&program, REFS_THAT_GO).unwrap();
    let program = program.display().to_string();
    clones
        .one
        .git(&["config", "remote.origin.uploadpack", &format!("sh {program}")]);
    clones.one.ok(&["sync"]);
    let calls = fs::read_to_string(format!("{program}.calls")).unwrap();
    assert_eq!(calls.lines().count(), 3);
}

#[test]
fn notes_for_other_programs_travel_unless_the_remote_refuses_them_or_nobody_is_told() {
    let clones = Clones::new();
    clones
        .one
        .git(&["notes", "--ref=ai", "add", "-m", "of a person", "HEAD"]);
    clones.one.ok(&["run", "a"]);
    clones
        .two
        .git(&["notes", "--ref=ai", "add", "-m", "of another", "HEAD~1"]);
    clones.two.ok(&["run", "b"]);
    clones.one.ok(&["sync"]);
    clones.two.ok(&["sync"]);
    clones.one.ok(&["sync"]);
    clones.same();
    let count = || clones.there(&["notes", "--ref=ai", "list"]).lines().count();
    assert_eq!(count(), 4, "two of people, two of ours");
    let refuse = "[ \"$1\" != refs/notes/ai ] || { echo no >&2; exit 1; }";
    clones.hook("update", refuse);
    let ran = clones.two.run(&["run", "c", "--remote", "origin"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("refs/notes/ai stays here: remote `origin`"),
        "{}",
        ran.stderr
    );
    assert_eq!((count(), clones.two.landings("origin/main").len()), (4, 2));
    assert_eq!(clones.there(&["log", "-1", "--format=%s", "main"]), "Land c: Goal c");
    clones.hook("update", "exit 0");
    clones.one.git(&["config", "invisigoth.land.provenance", "none"]);
    let before = clones.one.id("refs/notes/ai");
    clones.one.ok(&["sync"]);
    assert_eq!((clones.one.id("refs/notes/ai"), count()), (before, 4));
    clones.two.ok(&["sync"]);
    assert_eq!(count(), 5);
}
