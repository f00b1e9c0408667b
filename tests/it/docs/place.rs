//! Where the blocks of pages run: few places, each a sandbox with scripted replies.
//!
//! Owns what is in them, which pages rely on. Knows no page.

use std::{ffi::OsString, fs, iter, path::Path};

use serde_json::json;

use crate::{
    docs::page::Step,
    support::{Ran, Sandbox, whole},
};

/// A place by the words of its mark.
type Place = (&'static str, fn() -> Sandbox);

/// Every place there is.
pub const PLACES: &[Place] = &[
    ("in an empty folder", Sandbox::empty),
    ("in a repository", || answered(Sandbox::started_with(SETTINGS))),
    ("in a repository that is set up", set_up),
    ("in a repository with goals", with_goals),
    ("in a clone with a remote", with_a_remote),
    ("in a bare repository", bare),
];

/// What a repository says of its checks.
const SETTINGS: &str = "[check]\ntest = [\"sh check.sh\"]\n";

/// Answers any goal with a file of its own, and any plan with one goal, which the README of `set_up` promises.
const ANSWER: &str = r#"asked=$(cat)
case $asked in
*'Plan: '*)
    printf '%s\n' '```json' '{"goals": [{"handle": "wave", "description": "Wave on the second day", "filename": "greet.txt",' \
        '"acceptance": ["greet.txt waves"], "needs": [], "reason": "The README promises it.",' \
        '"evidence": [{"path": "README.md", "line": 3, "quote": "waves on the second day"}]}]}' '```'
    ;;
*)
    goal=$(printf %s "$asked" | grep -o 'Goal: [^ ]* (round' | tail -n 1 | cut -d ' ' -f 2)
    printf 'File: made/%s.txt\n````text\n%s\n````\n' "$goal" "$goal"
    ;;
esac
"#;

fn answered(sandbox: Sandbox) -> Sandbox {
    let path = sandbox.home().join("answer.sh");
    fs::write(&path, ANSWER).unwrap();
    sandbox.git(&["config", "invisigoth.llm.provider", "mock"]);
    sandbox.sh("git", &["config", "--unset-all", "invisigoth.llm.script"]);
    sandbox.git(&["config", "invisigoth.llm.command", &format!("sh '{}'", path.display())]);
    sandbox
}

fn set_up() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.write(
        "README.md",
        "# Greetings\n\n`greet` says hello, and waves on the second day.\n",
    );
    sandbox.commit("Say what is to come");
    answered(sandbox)
}

/// Goals `slug` (landed), `fold` (held for what it touches), `wide` (failed), `title` (ready), `link` (needs `title`) and
/// `emoji` (proposed); a branch `fix-typo` of a colleague.
fn with_goals() -> Sandbox {
    let sandbox = Sandbox::ready();
    for (id, needs) in [("slug", &[][..]), ("fold", &[]), ("wide", &[])] {
        sandbox.goal(id, needs);
    }
    sandbox.script(json!({
        "slug": [whole("slug.txt", "slug\n")],
        "fold": [whole("Makefile", "test:\n\tsh check.sh\n")],
        "wide": [whole("bad", "bad\n")],
    }));
    sandbox.run(&["run"]);
    sandbox.goal("title", &[]);
    sandbox.goal("link", &["title"]);
    sandbox.goal("emoji", &[]);
    // No command of ours proposes without a model; a person can.
    let backlog = "memory/pending_goals.json";
    let rows = sandbox.read(backlog);
    let rows = rows.lines().map(|row| {
        let is_it = row.contains("\"id\":\"emoji\"");
        if is_it {
            row.replace("\"pending\"", "\"proposed\"")
        } else {
            row.to_owned()
        }
    });
    sandbox.write(backlog, rows.collect::<Vec<_>>().join("\n") + "\n");
    sandbox.git(&["switch", "-q", "-c", "fix-typo"]);
    sandbox.write("hello.txt", "hello\n");
    sandbox.git(&["add", "hello.txt"]);
    sandbox.git(&["commit", "-q", "-m", "Say hello in a file of its own"]);
    sandbox.git(&["switch", "-q", "main"]);
    answered(sandbox)
}

/// As `with_goals`, with all of it at a remote `origin`.
fn with_a_remote() -> Sandbox {
    let sandbox = with_goals();
    sandbox.commit("Add goals");
    sandbox.git(&["init", "-q", "--bare", "-b", "main", "../origin"]);
    sandbox.git(&["remote", "add", "origin", "../origin"]);
    sandbox.git(&["push", "-q", "-u", "origin", "main"]);
    sandbox
}

fn bare() -> Sandbox {
    let sandbox = Sandbox::started_with(SETTINGS);
    sandbox.git(&["clone", "-q", "--bare", ".", "../bare"]);
    fs::rename(sandbox.repo(), sandbox.home().join("was")).unwrap();
    fs::rename(sandbox.home().join("bare"), sandbox.repo()).unwrap();
    sandbox.git(&["config", "user.name", "A U Thor"]);
    sandbox.git(&["config", "user.email", "author@example.com"]);
    sandbox
}

fn with_ours_first() -> OsString {
    let binary = Path::new(env!("CARGO_BIN_EXE_git-invisigoth"));
    let own = binary.parent().unwrap().to_path_buf();
    let all = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(iter::once(own).chain(std::env::split_paths(&all))).unwrap()
}

/// Runs a step in a shell that knows what the steps before it set (variables and the folder), and is ended after a minute.
pub fn typed(sandbox: &Sandbox, before: &[&str], step: &Step) -> Ran {
    let kept: Vec<&str> = before.iter().copied().filter(|line| sets(line)).collect();
    let text = format!("set -eu\n{}\n{}\n", kept.join("\n"), step.command);
    let mut command = sandbox.command("timeout");
    command
        .args(["60", "sh", "-c", &text])
        .env("PATH", with_ours_first())
        .env("EDITOR", "true")
        .env("TMPDIR", sandbox.home());
    Ran::of(&command.output().unwrap())
}

/// True for a command that does nothing but change what later ones find.
fn sets(line: &str) -> bool {
    line.starts_with("cd ") || line.starts_with("export ")
}
