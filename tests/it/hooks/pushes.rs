//! Pushes with our hooks on both sides: plain repositories, stock git, the file protocol.

use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::json;

use crate::{
    hooks::{done, hooked, note, until_landed},
    support::{Ran, Sandbox, whole},
};

/// A bare copy of the repository, where somebody is named and our hook is installed.
fn server(sandbox: &Sandbox) -> PathBuf {
    let server = sandbox.home().join("server.git");
    let at = server.to_str().unwrap();
    sandbox.git(&["clone", "-q", "--bare", ".", at]);
    sandbox.git(&["remote", "add", "server", at]);
    sandbox.git(&["-C", at, "config", "user.name", "Server"]);
    sandbox.git(&["-C", at, "config", "user.email", "server@example.org"]);
    server
}

/// A candidate as a person would make it: one commit on the target, with the goal's trailer.
fn candidate(sandbox: &Sandbox, goal: &str, file: &str) -> String {
    let branch = format!("invisigoth/{goal}");
    sandbox.git(&["switch", "-q", "-c", &branch]);
    sandbox.write(file, "new\n");
    sandbox.git(&["add", file]);
    sandbox.git(&["commit", "-q", "-m", "Do it", "--trailer", &format!("Goal: {goal}")]);
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.id(&branch)
}

#[test]
fn a_pushed_candidate_is_checked_landed_and_noted_there_with_no_other_command() {
    let sandbox = Sandbox::ready();
    for goal in ["x", "y"] {
        sandbox.goal(goal, &[]);
    }
    sandbox.commit("Goals");
    let server = server(&sandbox);
    let at = server.to_str().unwrap();
    assert_snapshot!(sandbox.shows(&["-C", at, "hooks", "install"]), @r"
    installed  hooks
    ours       post-receive  installed
    -- exit 0
    ");
    let (good, bad) = (candidate(&sandbox, "x", "x.txt"), candidate(&sandbox, "y", "bad"));

    let pushed = done(&sandbox, &["push", "-q", "server", "invisigoth/x", "invisigoth/y"]);
    assert!(pushed.stderr.contains("remote: landed   x"), "{}", pushed.stderr);
    assert!(pushed.stderr.contains("1 landed"), "{}", pushed.stderr);
    let there = |args: &[&str]| sandbox.git(&[&["-C", at], args].concat());
    assert_eq!(there(&["show", "main:x.txt"]), "new");
    let landed = "--format=%(trailers:key=Landed,valueonly)";
    assert_eq!(there(&["log", "-1", landed, "main"]).trim(), format!("x {good}"));
    assert!(note(&sandbox, &server, &good).contains("\"goal\":\"x\""));
    assert!(there(&["show", "main:memory/history.json"]).contains(&good));
    assert!(!there(&["ls-tree", "--name-only", "main"]).contains("bad"));
    assert_eq!(
        there(&["for-each-ref", "--format=%(refname)", "refs/heads/invisigoth/x"]),
        ""
    );
    assert!(!there(&["log", "main", "--format=%H"]).contains(&bad));
    there(&["fsck", "--strict"]);

    // Nothing new is no work, and what no hook is asked about is none either.
    let again = done(&sandbox, &["push", "-q", "server", "HEAD:refs/heads/else"]);
    assert_eq!(again.stderr, "");
}

#[test]
fn a_push_waits_no_longer_than_it_is_told_to() {
    let sandbox = Sandbox::ready();
    sandbox.goal("x", &[]);
    sandbox.commit("A goal");
    let server = server(&sandbox);
    let at = server.to_str().unwrap();
    sandbox.ok(&["-C", at, "hooks", "install"]);
    sandbox.git(&["-C", at, "config", "invisigoth.hooks.wait", "0"]);
    candidate(&sandbox, "x", "x.txt");
    // The landing meets this lock before it does anything.
    let lock = server.join("invisigoth/land.lock");
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let hold =
        "use Fcntl ':flock'; open(F, '>>', $ARGV[0]) or die; flock(F, LOCK_EX) or die; print \"held\\n\"; <STDIN>";
    let mut holder = sandbox
        .command("perl")
        .args(["-e", &format!("$| = 1; {hold}"), lock.to_str().unwrap()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = std::io::BufReader::new(holder.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert_eq!(line, "held\n");
    let pushed = done(&sandbox, &["push", "-q", "server", "invisigoth/x"]);
    assert!(pushed.stderr.contains("the landing goes on here"), "{}", pushed.stderr);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    // The landing has waited for that command to end, and says in its log that it landed.
    until_landed(&sandbox, &server);
    assert_eq!(sandbox.git(&["-C", at, "show", "main:x.txt"]), "new");
}

#[test]
fn notes_travel_with_the_target_and_are_united_with_those_there() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.commit("A goal");
    let server = server(&sandbox);
    let at = server.to_str().unwrap();
    sandbox.ok(&["run"]);
    sandbox.ok(&["hooks", "install", "pre-push"]);
    let first = sandbox.id("main~1");
    sandbox.git(&[
        "-C",
        at,
        "notes",
        "--ref",
        "invisigoth",
        "add",
        "-f",
        "-m",
        "theirs",
        &first,
    ]);
    let candidate = sandbox.git(&["log", "-1", "--format=%H", "--grep=^Goal: a"]);

    done(&sandbox, &["push", "-q", "server", "HEAD:refs/heads/else"]);
    let lists = || sandbox.git(&["-C", at, "notes", "--ref", "invisigoth", "list"]);
    assert!(!lists().contains(&candidate), "another branch brings no notes");
    let pushed = done(&sandbox, &["push", "-q", "server", "main"]);
    assert_snapshot!(pushed.stderr, @"invisigoth: notes went along");
    assert_eq!(note(&sandbox, &server, &first), "theirs");
    assert!(note(&sandbox, &server, &candidate).contains("\"goal\":\"a\""));
    assert_eq!(note(&sandbox, &sandbox.repo(), &first), "theirs", "they came here, too");

    sandbox.commit("More");
    let pushed = done(&sandbox, &["push", "-q", "server", "main"]);
    assert_eq!(pushed.stderr, "", "nothing new, nothing said");
    let moved = sandbox.git(&["-C", at, "rev-list", "--count", "refs/notes/invisigoth"]);
    assert_eq!(moved, sandbox.git(&["rev-list", "--count", "refs/notes/invisigoth"]));
}

#[test]
fn a_push_does_not_fail_because_notes_cannot_travel() {
    let sandbox = Sandbox::ready();
    let server = server(&sandbox);
    let update = server.join("hooks/update");
    std::fs::create_dir_all(update.parent().unwrap()).unwrap();
    std::fs::write(&update, "#!/bin/sh\ncase $1 in refs/notes/*) exit 1;; esac\n").unwrap();
    assert_eq!(sandbox.sh("chmod", &["755", update.to_str().unwrap()]).code, 0);
    sandbox.ok(&["hooks", "install", "pre-push"]);
    let first = sandbox.id("main");
    sandbox.git(&["notes", "--ref", "invisigoth", "add", "-m", "mine", &first]);
    sandbox.commit("More");
    let pushed = done(&sandbox, &["push", "-q", "server", "main"]);
    assert!(
        pushed.stderr.contains("invisigoth: notes stay here: "),
        "{}",
        pushed.stderr
    );
    assert_eq!(
        sandbox.git(&["-C", server.to_str().unwrap(), "rev-parse", "main"]),
        sandbox.id("main")
    );
}

#[test]
fn a_target_without_verdict_stays_where_that_is_asked_for() {
    let sandbox = Sandbox::ready();
    let server = server(&sandbox);
    sandbox.ok(&["hooks", "install", "pre-push"]);
    sandbox.write("greet.txt", "hi\n");
    sandbox.commit("By hand");
    sandbox.ok(&["config", "set", "hooks.require_verdict", "true"]);
    let short: String = sandbox.id("main").chars().take(10).collect();
    let refused: Ran = hooked(&sandbox, &["push", "-q", "server", "main"]);
    assert_eq!(refused.code, 1);
    let said: Vec<&str> = refused.stderr.lines().take(3).collect();
    assert!(said[0].contains("has no verdict"), "{said:?}");
    assert!(said[1].starts_with("hint: `git invisigoth check "), "{said:?}");
    assert!(
        short.starts_with(said[1].split(['`', ' ']).nth(5).unwrap_or("?")),
        "{said:?}"
    );
    done(&sandbox, &["push", "-q", "server", "main:refs/heads/else"]);
    sandbox.ok(&["check"]);
    done(&sandbox, &["push", "-q", "server", "main"]);
    sandbox.write("bad", "x\n");
    sandbox.commit("Red");
    assert_eq!(sandbox.run(&["check"]).code, 1);
    assert_eq!(
        hooked(&sandbox, &["push", "-q", "server", "main"]).code,
        1,
        "a red check is no verdict"
    );
    done(&sandbox, &["push", "-q", "--no-verify", "server", "main"]);
    done(&sandbox, &["push", "-q", "server", ":refs/heads/else"]);
    let _ = server;
}
