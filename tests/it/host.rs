//! `land.via = "host"`: candidates become pull requests, and what the host merged counts as landed.
//!
//! The host is stock git, and its program `gh` a line of shell that writes down what it was asked.

use std::{ffi::OsString, fs};

use serde_json::{Map, json};

use crate::support::{Ran, Sandbox, whole};

const URL: &str = "https://host.example/o/r/pull/1";

/// A candidate for goal `a` that waits, a remote, and `land.via = host`.
fn with_candidate() -> Sandbox {
    let sandbox = with_goals(&[("a", &[])]);
    sandbox.ok(&["run", "--no-merge"]);
    sandbox
}

/// Goals that write a file each, a remote, and `land.via = host`.
fn with_goals(goals: &[(&str, &[&str])]) -> Sandbox {
    let sandbox = Sandbox::set_up(
        "[ ! -e bad ]\n",
        "[check]\ntest = [\"sh check.sh\"]\n[land]\nvia = \"host\"\n",
    );
    let reply = |id: &str| (id.to_owned(), json!([whole(&format!("{id}.txt"), &format!("{id}\n"))]));
    sandbox.script(goals.iter().map(|(id, _)| reply(id)).collect::<Map<_, _>>().into());
    for (id, needs) in goals {
        sandbox.goal(id, needs);
    }
    sandbox.git(&["commit", "-q", "-am", "goals"]);
    sandbox.git(&["init", "-q", "--bare", "-b", "main", "../origin.git"]);
    sandbox.git(&["remote", "add", "origin", "../origin.git"]);
    sandbox.git(&["push", "-q", "origin", "main"]);
    sandbox
}

/// A `gh` that keeps its calls in `$HOME/gh.log`, what it is given on stdin in `gh.body`, and one request of each branch.
fn with_gh(sandbox: &Sandbox) -> OsString {
    let program = format!(
        r#"for word in "$@"; do printf '[%s]' "$word"; done >> "$HOME/gh.log"; echo >> "$HOME/gh.log"
open=$HOME/gh.$(basename "$4")
case "$2" in
list) if [ -e "$open" ]; then echo '[{{"url":"{URL}"}}]'; else echo '[]'; fi ;;
create) cat > "$HOME/gh.body"; : > "$open"; echo "{URL}" ;;
edit) cat > "$HOME/gh.body" ;;
esac"#
    );
    sandbox.with_program("gh", &program)
}

/// A `PATH` with git and sh on it, and no program of a host.
fn without_gh(sandbox: &Sandbox) -> OsString {
    let bin = sandbox.home().join("few");
    fs::create_dir_all(&bin).unwrap();
    for program in ["git", "sh", "bwrap", "cat"] {
        let found = sandbox
            .sh("sh", &["-c", &format!("command -v {program} || true")])
            .stdout;
        if !found.trim().is_empty() {
            let _ = std::os::unix::fs::symlink(found.trim(), bin.join(program));
        }
    }
    bin.into()
}

fn land(sandbox: &Sandbox, path: &OsString) -> Ran {
    ran(sandbox, path, &["ci", "land"])
}

fn ran(sandbox: &Sandbox, path: &OsString, args: &[&str]) -> Ran {
    Ran::of(&sandbox.invisigoth(args).env("PATH", path).output().unwrap())
}

/// The branches for which a request was opened, in order.
fn opened(sandbox: &Sandbox) -> Vec<String> {
    let log = fs::read_to_string(sandbox.home().join("gh.log")).unwrap_or_default();
    let opened = log
        .lines()
        .filter_map(|call| call.strip_prefix("[pr][create][--head]["));
    opened.map(|rest| rest.split(']').next().unwrap().to_owned()).collect()
}

/// The others' branch of goal `a` at the remote, which is not to be pushed away.
fn of_others(sandbox: &Sandbox) -> String {
    let theirs = "git clone -q ../origin.git ../they && cd ../they && git switch -q -c invisigoth/a && \
                  git -c user.name=B -c user.email=b@c commit -q --allow-empty -m theirs && git push -q origin invisigoth/a";
    assert_eq!(sandbox.sh("sh", &["-c", theirs]).code, 0);
    sandbox.git(&["-C", "../origin.git", "rev-parse", "invisigoth/a"])
}

/// Lets `merge`, lines of shell in a clone of the host's, do what a host does, and brings it here.
fn host_does(sandbox: &Sandbox, merge: &str) {
    let script = format!(
        "set -e\ngit clone -q ../origin.git ../host\ncd ../host\ngit config user.name Host\ngit config user.email host@example.com\n\
         export GIT_AUTHOR_DATE=2026-01-03T00:00:00Z GIT_COMMITTER_DATE=2026-01-03T00:00:00Z\n{merge}\ngit push -q origin main :invisigoth/a\n"
    );
    let ran = sandbox.sh("sh", &["-c", &script]);
    assert_eq!(ran.code, 0, "{merge}: {}{}", ran.stdout, ran.stderr);
    sandbox.git(&["pull", "-q", "--ff-only", "origin", "main"]);
}

#[test]
fn a_candidate_becomes_one_request_however_often_it_is_asked_for() {
    let sandbox = with_candidate();
    let path = with_gh(&sandbox);
    let main = sandbox.id("main");
    let first = land(&sandbox, &path);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(first.stdout, format!("proposed   a  waits at the host: {URL}\n"));
    assert_eq!(
        sandbox.git(&["-C", "../origin.git", "rev-parse", "invisigoth/a"]),
        sandbox.id("invisigoth/a")
    );
    land(&sandbox, &path);
    let log = fs::read_to_string(sandbox.home().join("gh.log")).unwrap();
    assert_eq!(
        log.lines().collect::<Vec<_>>(),
        [
            "[pr][list][--head][invisigoth/a][--base][main][--state][open][--json][url]",
            "[pr][create][--head][invisigoth/a][--base][main][--title][Goal a][--body-file][-]",
            "[pr][list][--head][invisigoth/a][--base][main][--state][open][--json][url]",
        ]
    );
    let body = fs::read_to_string(sandbox.home().join("gh.body")).unwrap();
    let last = body.trim_end().rsplit_once("\n\n").unwrap().1;
    let message = sandbox.git(&["log", "-1", "--format=%B", "invisigoth/a"]);
    assert_eq!(
        last,
        message.trim_end().rsplit_once("\n\n").unwrap().1,
        "trailers stand last"
    );
    assert!(body.contains("- its checks passed on "), "{body}");
    assert_eq!(sandbox.id("main"), main, "nothing landed here");
}

#[test]
fn a_later_candidate_takes_the_place_of_an_earlier_one() {
    let sandbox = with_candidate();
    let path = with_gh(&sandbox);
    land(&sandbox, &path);
    sandbox.script(json!({"a": [whole("a.txt", "better\n")]}));
    let pending = sandbox.read("memory/pending_goals.json");
    sandbox.write("memory/pending_goals.json", pending.replace("Goal a", "Goal a, better"));
    sandbox.ok(&["run", "--no-merge"]);
    let ran = land(&sandbox, &path);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        sandbox.git(&["-C", "../origin.git", "show", "invisigoth/a:a.txt"]),
        "better"
    );
    let body = fs::read_to_string(sandbox.home().join("gh.body")).unwrap();
    assert!(body.contains("Goal a, better"), "{body}");
    let log = fs::read_to_string(sandbox.home().join("gh.log")).unwrap();
    assert!(log.contains(&format!("[pr][edit][{URL}]")), "{log}");
}

#[test]
fn commits_of_others_on_the_branch_are_never_pushed_away() {
    let sandbox = with_candidate();
    let before = of_others(&sandbox);
    let ran = land(&sandbox, &with_gh(&sandbox));
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout
            .contains("refused    a  `invisigoth/a` of `origin` has commits of somebody else"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        sandbox.git(&["-C", "../origin.git", "rev-parse", "invisigoth/a"]),
        before
    );
}

#[test]
fn a_candidate_that_somebody_amended_is_not_pushed_away() {
    let sandbox = with_candidate();
    let path = with_gh(&sandbox);
    land(&sandbox, &path);
    let amend = "git clone -q ../origin.git ../they && cd ../they && git switch -q invisigoth/a && echo better > a.txt && \
                 git -c user.name=B -c user.email=b@c commit -q --no-edit --amend -a && git push -q --force origin invisigoth/a";
    assert_eq!(sandbox.sh("sh", &["-c", amend]).code, 0);
    let before = sandbox.git(&["-C", "../origin.git", "rev-parse", "invisigoth/a"]);
    let ran = land(&sandbox, &path);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("has commits of somebody else"), "{}", ran.stdout);
    assert_eq!(
        sandbox.git(&["-C", "../origin.git", "rev-parse", "invisigoth/a"]),
        before
    );
}

#[test]
fn without_the_host_s_program_a_person_is_told_where_to_go() {
    let sandbox = with_candidate();
    let few = without_gh(&sandbox);
    let ran = land(&sandbox, &few);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        ran.stdout,
        "proposed   a  waits at the host; open a pull request from `invisigoth/a` onto `main` of `origin`\n"
    );
    // Most hosts name the address themselves when a branch is pushed.
    sandbox.git(&["push", "-q", "origin", ":invisigoth/a"]);
    let hook = sandbox.home().join("origin.git/hooks/post-receive");
    sandbox.write(
        "../origin.git/hooks/post-receive",
        "#!/bin/sh\necho 'Create it by visiting:'\necho '  https://host.example/new'\n",
    );
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(hook, executable).unwrap();
    let ran = land(&sandbox, &few);
    assert_eq!(
        ran.stdout,
        "proposed   a  waits at the host; open a pull request: https://host.example/new\n"
    );
}

#[test]
fn a_program_that_fails_leaves_the_branch_pushed_and_says_why() {
    let sandbox = with_candidate();
    let path = sandbox.with_program("gh", "echo 'not logged in to any host' >&2; exit 4");
    let ran = land(&sandbox, &path);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout
            .contains("gh pr list: not logged in to any host; open a pull request from"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        sandbox.git(&["-C", "../origin.git", "rev-parse", "invisigoth/a"]),
        sandbox.id("invisigoth/a")
    );
}

#[test]
fn without_a_remote_nothing_can_be_proposed() {
    let sandbox = with_candidate();
    sandbox.git(&["remote", "remove", "origin"]);
    let ran = land(&sandbox, &with_gh(&sandbox));
    assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("git remote add origin URL"), "{}", ran.stderr);
}

#[test]
fn a_run_opens_one_request_for_each_goal_and_lands_nothing() {
    let sandbox = with_goals(&[("a", &[]), ("b", &[]), ("c", &["a"])]);
    let path = with_gh(&sandbox);
    let main = sandbox.id("main");
    let first = ran(&sandbox, &path, &["run", "--jobs", "2"]);
    assert_eq!(first.code, 3, "{}{}", first.stdout, first.stderr);
    assert_eq!(first.stdout.matches(&format!("waits at the host: {URL}")).count(), 2);
    assert!(
        first.stdout.contains("blocked  c  needs a (candidate)\n"),
        "{}",
        first.stdout
    );
    let mut both = opened(&sandbox);
    both.sort();
    assert_eq!(both, ["invisigoth/a", "invisigoth/b"]);
    for args in [&["run"][..], &["merge"], &["run", "c"], &["ci", "land"]] {
        let again = ran(&sandbox, &path, args);
        assert_eq!(opened(&sandbox).len(), 2, "{args:?}: {}{}", again.stdout, again.stderr);
    }
    assert_eq!(sandbox.id("main"), main);
    assert_eq!(
        ["a", "b", "c"].map(|id| sandbox.state(id)),
        ["candidate", "candidate", "blocked"]
    );

    host_does(
        &sandbox,
        "git merge -q --no-ff -m 'Merge pull request #1' origin/invisigoth/a",
    );
    let then = ran(&sandbox, &path, &["run"]);
    assert_eq!(then.code, 0, "{}{}", then.stdout, then.stderr);
    assert_eq!(opened(&sandbox).last().unwrap(), "invisigoth/c");
    assert_eq!(sandbox.state("a"), "landed");
    sandbox.assert_sound();
}

#[test]
fn one_that_the_host_does_not_take_stops_no_other() {
    let sandbox = with_goals(&[("a", &[]), ("b", &[])]);
    let theirs = of_others(&sandbox);
    let path = with_gh(&sandbox);
    let ran = ran(&sandbox, &path, &["run"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout
            .contains("`invisigoth/a` of `origin` has commits of somebody else; `git fetch origin"),
        "{}",
        ran.stdout
    );
    assert_eq!(opened(&sandbox), ["invisigoth/b"]);
    assert_eq!(
        sandbox.git(&["-C", "../origin.git", "rev-parse", "invisigoth/a"]),
        theirs
    );
}

#[test]
fn one_that_is_built_on_another_is_proposed_once_that_has_landed() {
    let sandbox = with_goals(&[("a", &[]), ("b", &["a"])]);
    sandbox.git(&["config", "invisigoth.run.stack", "1"]);
    let path = with_gh(&sandbox);
    ran(&sandbox, &path, &["run", "--jobs", "2"]);
    assert_eq!(
        sandbox.id("invisigoth/b^"),
        sandbox.id("invisigoth/a"),
        "it is built on it"
    );
    assert_eq!(opened(&sandbox), ["invisigoth/a"]);
    host_does(
        &sandbox,
        "git merge -q --no-ff -m 'Merge pull request #1' origin/invisigoth/a",
    );
    ran(&sandbox, &path, &["run"]);
    assert_eq!(opened(&sandbox), ["invisigoth/a", "invisigoth/b"]);
}

#[test]
fn a_goal_that_waits_for_a_request_is_named() {
    let sandbox = with_goals(&[("a", &[]), ("b", &[])]);
    let wording = |id: &str| format!("Goal {id}: change shared.txt");
    let pending = sandbox.read("memory/pending_goals.json");
    let pending = ["a", "b"].iter().fold(pending, |all, id| {
        all.replace(&format!("\"Goal {id}\""), &format!("\"{}\"", wording(id)))
    });
    sandbox.write("memory/pending_goals.json", pending);
    sandbox.script(json!({"a": [whole("shared.txt", "a\n")], "b": [whole("shared.txt", "b\n")]}));
    sandbox.git(&["commit", "-q", "-am", "goals of one file"]);
    let path = with_gh(&sandbox);
    let ran = ran(&sandbox, &path, &["run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("blocked  b  a is at shared.txt, too\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(opened(&sandbox), ["invisigoth/a"]);
}

#[test]
fn what_the_host_merged_has_landed() {
    let squash = "git merge -q --squash origin/invisigoth/a";
    let message = "$(git log -1 --format=%s origin/invisigoth/a) (#1)";
    let body = "$(git log -1 --format=%b origin/invisigoth/a)";
    let co = "Co-authored-by: A U Thor <author@example.com>";
    for (how, merge) in [
        (
            "merge",
            "git merge -q --no-ff -m 'Merge pull request #1 from o/invisigoth/a' -m 'Goal a' origin/invisigoth/a"
                .to_owned(),
        ),
        (
            "rebase",
            "git commit -q --allow-empty -m other; git cherry-pick origin/invisigoth/a >/dev/null".to_owned(),
        ),
        (
            "squash",
            format!("{squash}; git commit -q -m \"{message}\" -m \"{body}\""),
        ),
        (
            "squash of several people",
            format!("{squash}; git commit -q -m \"{message}\" -m \"{body}\" -m '{co}'"),
        ),
        (
            "squash with a rule",
            format!("{squash}; git commit -q -m \"{message}\" -m \"{body}\" -m --------- -m '{co}'"),
        ),
        (
            "squash with the request's words",
            format!("{squash}; git commit -q -m \"{message}\" -m \"$(cat \"$HOME/gh.body\")\""),
        ),
    ] {
        let sandbox = with_candidate();
        let path = with_gh(&sandbox);
        land(&sandbox, &path);
        host_does(&sandbox, &merge);
        assert_eq!(sandbox.state("a"), "landed", "{how}");
        let ran = land(&sandbox, &path);
        assert_eq!(ran.code, 0, "{how}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(
            ran.stdout, "settled    a  landed at the host\n",
            "{how}: {}",
            ran.stderr
        );
        assert_eq!(sandbox.read("memory/pending_goals.json").trim(), "[]", "{how}");
        assert!(sandbox.read("memory/completed_goals.json").contains("\"a\""), "{how}");
        let again = land(&sandbox, &path);
        assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{how}: {}", again.stderr);
        sandbox.assert_sound();
    }
}
