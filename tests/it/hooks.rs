//! Hooks of git: each as stock git calls it, with the scripts that `hooks install` put there.

/// `hooks`: beside hooks of others, and away again.
mod beside;
/// Pushes: notes that travel, verdicts, and what a server lands.
mod pushes;

use std::{ffi::OsString, fs, path::Path, process::Command};

use insta::assert_snapshot;
use invisigoth::door::env::Env;
use serde_json::json;

use crate::support::{Ran, Sandbox, shown, whole};

/// A `PATH` on which git finds the binary, as `git invisigoth`.
fn path() -> OsString {
    let binary = Path::new(env!("CARGO_BIN_EXE_git-invisigoth"))
        .parent()
        .unwrap()
        .to_owned();
    let all = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([binary].into_iter().chain(std::env::split_paths(&all))).unwrap()
}

/// Stock git whose hooks find the binary, not started yet.
fn git(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut command = sandbox.command("git");
    command.env("PATH", path()).args(args);
    command
}

/// Runs it.
fn hooked(sandbox: &Sandbox, args: &[&str]) -> Ran {
    Ran::of(&git(sandbox, args).output().unwrap())
}

/// Runs it; it must exit with 0.
fn done(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let ran = hooked(sandbox, args);
    assert_eq!(ran.code, 0, "git {args:?}\n{}{}", ran.stdout, ran.stderr);
    ran
}

/// The lines of the record of a commit.
fn note(sandbox: &Sandbox, place: &Path, commit: &str) -> String {
    let place = place.to_str().unwrap();
    sandbox.git(&["-C", place, "notes", "--ref", "invisigoth", "show", commit])
}

/// Waits until what a hook started in the background says in its log that a goal landed.
fn until_landed(sandbox: &Sandbox, git_dir: &Path) {
    let mut logs = fs::read_dir(git_dir.join("invisigoth/hooks")).unwrap();
    let log = logs.next().unwrap().unwrap().path();
    let look = "open(F, '<', $ARGV[0]) or die; local $/; $t = <F>; select(undef, undef, undef, 0.05)";
    let wait = format!("until ($t =~ /1 landed/) {{ {look} }}");
    assert_eq!(sandbox.sh("perl", &["-e", &wait, log.to_str().unwrap()]).code, 0);
}

#[test]
fn no_child_gets_what_names_a_repository() {
    let sandbox = Sandbox::bare_git();
    let local = sandbox.git(&["rev-parse", "--local-env-vars"]);
    let names: Vec<String> = local.lines().map(str::to_owned).collect();
    assert!(names.iter().any(|name| name == "GIT_INDEX_FILE"), "{local}");
    let env = Env::from_pairs(names.iter().map(|name| (name, "x")).chain([(&"HOME".to_owned(), "/h")]));
    for (whose, vars) in [
        ("git", env.for_git()),
        ("checks", env.for_checks(&names)),
        ("people", env.for_people()),
        ("background", env.for_background()),
    ] {
        assert!(vars.iter().any(|(name, _)| name == "HOME"), "{whose}");
        let left = vars
            .iter()
            .find(|(name, _)| names.iter().any(|local| name == local.as_str()));
        assert_eq!(left, None, "{whose}");
    }
}

#[test]
fn what_is_staged_is_checked_and_not_what_lies_there() {
    let sandbox = Sandbox::ready();
    sandbox.ok(&["hooks", "install", "pre-commit"]);
    sandbox.write("memory/pending_goals.json", "[\n{\"id\":\"a\"},\n{\"id\":\"a\"}\n]\n");
    sandbox.write("invisigoth.toml", "[check]\ntest = [\"sh check.sh\"]\nfoo = 1\n");
    sandbox.write("greet.txt", "hi\n");
    sandbox.git(&["add", "greet.txt"]);
    done(&sandbox, &["commit", "-q", "-m", "Broken files that are not staged"]);

    sandbox.git(&["add", "-A"]);
    sandbox.write("memory/pending_goals.json", "[]\n");
    let refused = hooked(&sandbox, &["commit", "-q", "-m", "Broken files that are staged"]);
    assert_snapshot!(shown::shown(&refused, sandbox.home()), @r"
    -- stderr
    error: invisigoth.toml, line 3: there is no setting `check.foo`; did you mean `check.copy`?
    memory/pending_goals.json: goal `a` is there twice: line 2, column 1, and line 3, column 1
    hint: mend it, `git add` it and commit again; `git commit --no-verify` commits it as it is
    -- exit 1
    ");
    assert_eq!(
        sandbox.git(&["log", "-1", "--format=%s"]),
        "Broken files that are not staged"
    );
}

#[test]
fn every_kind_of_file_is_named_with_the_place_that_is_wrong() {
    let sandbox = Sandbox::ready();
    sandbox.ok(&["hooks", "install", "pre-commit"]);
    let row = |needs: &str| format!("[\n{{\"id\":\"a\",\"description\":\"A\",\"dependencies\":[\"{needs}\"]}}\n]\n");
    for (file, content, wrong) in [
        (
            "memory/pending_goals.json",
            "[\n{\"id\":\"a\",}\n]\n".to_owned(),
            "line 2",
        ),
        (
            "memory/pending_goals.json",
            "[\n<<<<<<< ours\n]\n".to_owned(),
            "line 2: a conflict marker",
        ),
        (
            "memory/pending_goals.json",
            row("nobody"),
            "line 2, column 1: goal `a` depends on `nobody`",
        ),
        ("memory/pending_goals.json", row("a"), "goal `a` depends on itself"),
        (
            "memory/completed_goals.json",
            "[\n{\"commit\":1}\n]\n".to_owned(),
            "line 2, column 1: this row has no `id`",
        ),
        ("memory/history.json", "{}\n".to_owned(), "memory/history.json: line 1"),
        (
            "memory/history/0001.json",
            "[\n".to_owned(),
            "memory/history/0001.json: line 2",
        ),
        (
            "memory/inbox/x.json",
            "{\n\"id\": 7}\n".to_owned(),
            "memory/inbox/x.json: line 2",
        ),
        (
            "invisigoth.toml",
            "[run]\n\nmax_attempts = \"x\"\n".to_owned(),
            "line 3",
        ),
    ] {
        sandbox.write(file, content);
        sandbox.git(&["add", file]);
        let refused = hooked(&sandbox, &["commit", "-q", "-m", "x"]);
        assert_eq!(refused.code, 1, "{file}");
        assert!(
            refused.stderr.contains(file) && refused.stderr.contains(wrong),
            "{file}: {}",
            refused.stderr
        );
        done(&sandbox, &["commit", "-q", "--no-verify", "-m", "all the same"]);
        sandbox.git(&["reset", "-q", "--hard", "HEAD~"]);
    }
    fs::remove_file(sandbox.path("memory/history.json")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", sandbox.path("memory/history.json")).unwrap();
    sandbox.git(&["add", "-A"]);
    let refused = hooked(&sandbox, &["commit", "-q", "-m", "x"]);
    assert!(
        refused.stderr.contains("memory/history.json: it is no regular file"),
        "{}",
        refused.stderr
    );
}

#[test]
fn goals_that_landed_or_wait_in_the_inbox_may_be_needed() {
    let sandbox = Sandbox::ready();
    sandbox.ok(&["hooks", "install", "pre-commit"]);
    sandbox.write("memory/completed_goals.json", "[\n{\"id\":\"old\"}\n]\n");
    sandbox.write("memory/inbox/new.json", "{\"id\":\"new\",\"description\":\"New\"}\n");
    let goal = "[\n{\"id\":\"a\",\"description\":\"A\",\"dependencies\":[\"old\",\"new\"]}\n]\n";
    sandbox.write("memory/pending_goals.json", goal);
    sandbox.git(&["add", "-A"]);
    done(&sandbox, &["commit", "-q", "-m", "Needs both"]);
}

/// A `git-invisigoth` that compares the index which git hands to the hook with what it was before.
const COMPARING: &str = r#"
index=${GIT_INDEX_FILE:-$(git rev-parse --git-path index)}
cp "$index" "$HOME/before"
"$REAL" "$@"; code=$?
cmp "$index" "$HOME/before" && echo "$*" >> "$HOME/equal"
exit $code"#;

#[test]
fn the_index_of_a_linked_worktree_stays_byte_equal() {
    let sandbox = Sandbox::ready();
    sandbox.ok(&["hooks", "install", "pre-commit", "--run"]);
    sandbox.git(&["worktree", "add", "-q", "-b", "beside", "../beside"]);
    let tree = sandbox.home().join("beside");
    let comparing = sandbox.with_program("git-invisigoth", COMPARING);
    let all = std::env::join_paths(std::env::split_paths(&comparing)).unwrap();
    fs::write(tree.join("greet.txt"), "hi\n").unwrap();
    let pending = "[\n{\"id\":\"b\",\"description\":\"B\"}\n]\n";
    fs::write(tree.join("memory/pending_goals.json"), pending).unwrap();
    let real = env!("CARGO_BIN_EXE_git-invisigoth");
    for args in [
        &["commit", "-q", "--only", "greet.txt", "-m", "Only one"][..],
        &["commit", "-q", "-a", "-m", "All"],
    ] {
        let ran = sandbox
            .command("git")
            .args(args)
            .env("PATH", &all)
            .env("REAL", real)
            .current_dir(&tree)
            .output();
        let ran = Ran::of(&ran.unwrap());
        assert_eq!(ran.code, 0, "{args:?}\n{}", ran.stderr);
    }
    let equal = fs::read_to_string(sandbox.home().join("equal")).unwrap();
    assert_eq!(equal, "hook pre-commit\nhook pre-commit\n");
}

#[test]
fn a_run_from_a_pre_commit_hook_in_a_linked_worktree_leaves_its_index_alone() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.commit("A goal");
    sandbox.git(&["worktree", "add", "-q", "-b", "beside", "../beside"]);
    let tree = sandbox.home().join("beside");
    let hook = sandbox.path(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let script = "#!/bin/sh\ncp \"$GIT_INDEX_FILE\" \"$HOME/before\"\n\
        git invisigoth run >\"$HOME/said\" 2>&1 || exit 9\ncmp \"$GIT_INDEX_FILE\" \"$HOME/before\"\n";
    fs::write(&hook, script).unwrap();
    assert_eq!(sandbox.sh("chmod", &["755", hook.to_str().unwrap()]).code, 0);
    let main = (sandbox.id("main"), fs::read(sandbox.path(".git/index")).unwrap());
    fs::write(tree.join("greet.txt"), "hi\n").unwrap();
    let ran = Ran::of(
        &git(&sandbox, &["commit", "-q", "-a", "-m", "Mine"])
            .current_dir(&tree)
            .output()
            .unwrap(),
    );
    let said = fs::read_to_string(sandbox.home().join("said")).unwrap();
    assert_eq!(ran.code, 0, "{}{said}", ran.stderr);
    assert!(said.contains("1 landed"), "{said}");
    let changed = sandbox.git(&["show", "--format=", "--name-only", "beside"]);
    assert_eq!(changed, "greet.txt", "what was committed is what the person staged");
    assert_eq!(
        (sandbox.id("main"), fs::read(sandbox.path(".git/index")).unwrap()),
        main
    );
    let status = sandbox.git(&["-C", tree.to_str().unwrap(), "status", "--short"]);
    assert_eq!(status, "", "nothing of the run is in the person's files");
}

#[test]
fn notes_follow_what_an_amend_or_a_rebase_rewrote_where_git_lets_them_lie() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    sandbox.ok(&["hooks", "install", "post-rewrite"]);
    sandbox.git(&["config", "--unset-all", "notes.rewriteRef"]);
    let candidate = sandbox.git(&["log", "-1", "--format=%H", "--grep=^Goal: a"]);
    let record = note(&sandbox, &sandbox.repo(), &candidate);

    sandbox.git(&["switch", "-q", "-c", "mine", &candidate]);
    let refs_of_files = sandbox.git(&["status", "--short"]);
    let amended = done(&sandbox, &["commit", "-q", "--amend", "-m", "Reworded"]);
    assert_snapshot!(amended.stderr, @"notes      1 carried over");
    assert_eq!(note(&sandbox, &sandbox.repo(), "mine"), record);
    assert_eq!(
        note(&sandbox, &sandbox.repo(), &candidate),
        record,
        "the old one keeps its own"
    );

    sandbox.git(&["switch", "-q", "-c", "other", "main~1"]);
    sandbox.write("other.txt", "o\n");
    sandbox.commit("Other");
    sandbox.git(&["switch", "-q", "mine"]);
    done(&sandbox, &["rebase", "-q", "other"]);
    assert_eq!(note(&sandbox, &sandbox.repo(), "mine"), record);
    assert_eq!(sandbox.git(&["status", "--short"]), refs_of_files);
    let before = sandbox.refs()["refs/notes/invisigoth"].clone();
    done(&sandbox, &["commit", "-q", "--amend", "--allow-empty", "-m", "Again"]);
    sandbox.git(&["config", "notes.rewriteRef", "refs/notes/invisigoth"]);
    let now = sandbox.refs()["refs/notes/invisigoth"].clone();
    done(&sandbox, &["commit", "-q", "--amend", "-m", "By git itself"]);
    assert_ne!(before, now);
    assert_eq!(note(&sandbox, &sandbox.repo(), "mine"), record);
}

#[test]
fn our_own_fast_forward_fires_no_hook_and_a_pull_does() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.commit("A goal");
    sandbox.git(&["clone", "-q", ".", "../other"]);
    sandbox.ok(&["hooks", "install", "post-merge"]);
    let fired = "#!/bin/sh\necho \"$0\" >> \"$HOME/fired\"\n";
    for name in [
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "pre-merge-commit",
    ] {
        let hook = sandbox.path(&format!(".git/hooks/{name}"));
        fs::write(&hook, fired).unwrap();
        assert_eq!(sandbox.sh("chmod", &["755", hook.to_str().unwrap()]).code, 0);
    }
    let ran = Ran::of(&sandbox.invisigoth(&["run"]).env("PATH", path()).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(sandbox.read("a.txt"), "a\n", "the checkout followed");
    assert!(!sandbox.home().join("fired").exists());

    let other = sandbox.home().join("other");
    let at = other.to_str().unwrap();
    Ran::of(
        &sandbox
            .invisigoth(&["-C", at, "hooks", "install", "post-merge"])
            .output()
            .unwrap(),
    );
    let pulled = done(&sandbox, &["-C", at, "pull", "-q", "--ff-only"]);
    assert_eq!(pulled.stderr, "", "who only reads need not be named");
    sandbox.git(&["-C", at, "reset", "-q", "--hard", "HEAD~"]);
    sandbox.git(&["-C", at, "config", "user.name", "Other"]);
    sandbox.git(&["-C", at, "config", "user.email", "other@example.org"]);
    let pulled = done(&sandbox, &["-C", at, "pull", "-q", "--ff-only"]);
    assert_snapshot!(pulled.stderr, @"notes      1 added from history.json");
    let candidate = sandbox.git(&["log", "-1", "--format=%H", "--grep=^Goal: a"]);
    assert!(note(&sandbox, &other, &candidate).contains("\"goal\":\"a\""));
    let child = git(&sandbox, &["-C", at, "invisigoth", "hook", "post-merge", "0"])
        .env("INVISIGOTH_CHILD", "1")
        .output();
    assert_eq!(Ran::of(&child.unwrap()).code, 0);
}

#[test]
fn a_run_starts_after_a_commit_without_what_git_told_the_hook() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.commit("A goal");
    let pipe = sandbox.home().join("said");
    assert_eq!(sandbox.sh("mkfifo", &[pipe.to_str().unwrap()]).code, 0);
    let reply = sandbox.home().join("reply.json");
    fs::write(&reply, whole("a.txt", "a\n")).unwrap();
    let answer = format!(
        "env | grep -a '^GIT_' | cut -d= -f1 | sort | tr '\\n' ' ' > {0}; cat {1}",
        pipe.display(),
        reply.display()
    );
    sandbox.git(&["config", "invisigoth.llm.command", &answer]);
    sandbox.git(&["config", "--unset", "invisigoth.llm.script"]);
    assert_snapshot!(sandbox.shows(&["hooks", "install", "post-commit", "--run"]), @r"
    installed  .git/hooks
    ours       post-commit   installed
    starts     `run` in the background, after commits and merges
    -- exit 0
    ");
    sandbox.write("greet.txt", "hi\n");
    let who = [
        "-c",
        "user.name=Other",
        "commit",
        "-q",
        "-a",
        "--author",
        "B <b@example.org>",
        "-m",
        "Mine",
    ];
    let committed = done(&sandbox, &who);
    assert!(
        committed.stderr.contains("`run` works in the background"),
        "{}",
        committed.stderr
    );
    let seen = fs::read_to_string(&pipe).unwrap();
    assert!(!seen.contains("GIT_INDEX_FILE") && !seen.contains("GIT_DIR"), "{seen}");
    until_landed(&sandbox, &sandbox.path(".git"));
    assert_eq!(sandbox.state("a"), "landed");
    let author = sandbox.git(&["log", "-1", "--format=%an", "--grep=^Goal: a"]);
    assert_eq!(author, "A U Thor", "nobody who merely committed before it");
    sandbox.ok(&["hooks", "uninstall"]);
    assert_eq!(sandbox.sh("git", &["config", "invisigoth.hooks.start"]).code, 1);
}
