//! Pagers, colours and readers that go away: as git does it.
//!
//! Terminals are made by `script` of util-linux.

use std::{ffi::OsString, fs, io, os::unix::process::ExitStatusExt as _, process::Command};

use serde_json::json;

use crate::support::{Ran, Sandbox, whole};

/// What SIGPIPE is.
const SIGPIPE: i32 = 13;
/// A pager that keeps what it is given, and how it was called.
const KEEPS: &str = "{ echo \"LESS=$LESS LV=$LV USE=$GIT_PAGER_IN_USE\"; cat; } > \"$HOME/paged\"; echo paged";

fn landed() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    sandbox
}

/// The `PATH` on which `git invisigoth` and the pager `pg` are.
fn path(sandbox: &Sandbox) -> OsString {
    let path = sandbox.with_program("pg", KEEPS);
    let line = format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_git-invisigoth"));
    sandbox.with_program("git-invisigoth", &line);
    path
}

/// Runs a line of shell at a terminal, and returns its exit code and what the terminal showed.
fn at_terminal(sandbox: &Sandbox, line: &str, env: &[(&str, &str)]) -> Ran {
    let _ = fs::remove_file(sandbox.home().join("paged"));
    let mut command: Command = sandbox.command("script");
    command.args(["-qec", line, "/dev/null"]);
    command
        .env("PATH", path(sandbox))
        .env("TERM", "xterm")
        .envs(env.iter().copied());
    let mut ran = Ran::of(&command.output().unwrap());
    ran.stdout = ran.stdout.replace('\r', "");
    ran
}

fn paged(sandbox: &Sandbox) -> Option<String> {
    fs::read_to_string(sandbox.home().join("paged")).ok()
}

#[test]
fn long_answers_go_through_the_pager_of_git_at_a_terminal() {
    let sandbox = landed();
    for (line, env) in [
        ("git-invisigoth log", &[("GIT_PAGER", "pg"), ("PAGER", "false")][..]),
        ("git invisigoth log", &[("PAGER", "pg")]),
        ("git -c core.pager=pg invisigoth log", &[("PAGER", "false")]),
        ("git -c pager.invisigoth=pg invisigoth log", &[("PAGER", "false")]),
        ("git -p invisigoth log", &[("GIT_PAGER", "pg")]),
        ("git invisigoth show a", &[("GIT_PAGER", "exec pg")]),
        ("git invisigoth help log", &[("GIT_PAGER", "pg")]),
        ("git invisigoth diff a", &[("GIT_PAGER", "pg")]),
    ] {
        let ran = at_terminal(&sandbox, line, env);
        let paged = paged(&sandbox).unwrap_or_else(|| panic!("{line}: {}", ran.stdout));
        assert_eq!(
            (ran.code, ran.stdout.matches("paged").count()),
            (0, 1),
            "{line}: {}",
            ran.stdout
        );
        assert!(paged.starts_with("LESS=FRX LV=-c USE="), "{line}: {paged}");
        let word = if line.contains("help") { "Usage:" } else { "a" };
        assert!(paged.lines().skip(1).any(|line| line.contains(word)), "{line}: {paged}");
        let is_painted = paged.contains("\u{1b}[");
        assert_eq!(is_painted, !line.contains("help"), "{line}: {paged}");
    }
    let kept = at_terminal(
        &sandbox,
        "git invisigoth log",
        &[("GIT_PAGER", "pg"), ("LESS", "S"), ("LV", "")],
    );
    assert_eq!(kept.code, 0);
    assert!(
        paged(&sandbox).unwrap().starts_with("LESS=S LV= USE"),
        "what is set stays"
    );
}

#[test]
fn nothing_is_paged_where_a_person_said_so_or_a_program_reads_it() {
    let sandbox = landed();
    for (line, env) in [
        ("git --no-pager invisigoth log", &[("GIT_PAGER", "pg")][..]),
        ("git invisigoth --no-pager log", &[("GIT_PAGER", "pg")]),
        ("git invisigoth diff a --no-pager", &[("GIT_PAGER", "pg")]),
        ("git invisigoth --no-pager help log", &[("GIT_PAGER", "pg")]),
        ("git invisigoth --json log", &[("GIT_PAGER", "pg")]),
        ("git invisigoth log | cat", &[("GIT_PAGER", "pg")]),
        ("git invisigoth log", &[("GIT_PAGER", "cat"), ("PAGER", "pg")]),
        ("git invisigoth log", &[("GIT_PAGER", ""), ("PAGER", "pg")]),
        (
            "git-invisigoth log",
            &[("GIT_PAGER", "pg"), ("GIT_PAGER_IN_USE", "true")],
        ),
        ("git -c pager.invisigoth=false invisigoth log", &[("GIT_PAGER", "pg")]),
        ("git invisigoth status", &[("GIT_PAGER", "pg")]),
    ] {
        let ran = at_terminal(&sandbox, line, env);
        assert_eq!((ran.code, paged(&sandbox)), (0, None), "{line}: {}", ran.stdout);
        assert!(ran.stdout.contains('a'), "{line}: {}", ran.stdout);
    }
    sandbox.git(&["config", "pager.invisigoth", "false"]);
    at_terminal(&sandbox, "git-invisigoth log", &[("GIT_PAGER", "pg")]);
    assert_eq!(paged(&sandbox), None, "without git in between, too");
}

#[test]
fn a_pager_that_is_not_there_costs_no_answer_and_one_that_ends_at_once_no_error() {
    let sandbox = landed();
    for pager in ["no-such-pager", "no-such-pager --now"] {
        let ran = at_terminal(&sandbox, "git invisigoth --color never log", &[("GIT_PAGER", pager)]);
        let warning = format!("warning: the pager cannot be started: {pager}\n");
        assert!(ran.code == 0 && ran.stdout.contains(&warning), "{}", ran.stdout);
        assert!(ran.stdout.contains("a  Goal a  mock"), "{}", ran.stdout);
    }
    for pager in ["true", "false", "head -c 1 >/dev/null"] {
        let ran = at_terminal(&sandbox, "git invisigoth log", &[("GIT_PAGER", pager)]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{pager}");
    }
    let ran = at_terminal(&sandbox, "git invisigoth show nobody", &[("GIT_PAGER", "pg")]);
    assert_eq!(
        (ran.code, paged(&sandbox)),
        (1, None),
        "an error is not paged: {}",
        ran.stdout
    );
}

#[test]
fn colours_follow_the_flag_then_the_environment_then_git_then_the_terminal() {
    let sandbox = landed();
    let is_painted = |line: &str, env: &[(&str, &str)]| {
        let ran = at_terminal(&sandbox, line, env);
        assert_eq!(ran.code, 0, "{line}: {}", ran.stdout);
        (ran.stdout + &paged(&sandbox).unwrap_or_default()).contains("\u{1b}[")
    };
    for (expected, line, env) in [
        (true, "git invisigoth log", &[("GIT_PAGER", "cat")][..]),
        (false, "git invisigoth log", &[("GIT_PAGER", "cat"), ("TERM", "dumb")]),
        (false, "git invisigoth log", &[("GIT_PAGER", "cat"), ("NO_COLOR", "1")]),
        (true, "git invisigoth --color always log | cat", &[("NO_COLOR", "1")]),
        (
            false,
            "git -c color.ui=always invisigoth log | cat",
            &[("NO_COLOR", "1")],
        ),
        (
            true,
            "git -c color.ui=false invisigoth log | cat",
            &[("CLICOLOR_FORCE", "1")],
        ),
        (true, "git -c color.ui=always invisigoth log | cat", &[("TERM", "dumb")]),
        (
            false,
            "git -c color.ui=always -c color.invisigoth=false invisigoth log",
            &[("GIT_PAGER", "cat")],
        ),
        (
            true,
            "git -c color.ui=false -c color.invisigoth=auto invisigoth log",
            &[("GIT_PAGER", "cat")],
        ),
        (false, "git -c color.ui=never invisigoth log", &[("GIT_PAGER", "cat")]),
        (false, "git invisigoth log | cat", &[]),
        (false, "git -c color.pager=false invisigoth log", &[("GIT_PAGER", "pg")]),
        (
            false,
            "git -c color.pager=false -p invisigoth log",
            &[("GIT_PAGER", "pg")],
        ),
        (true, "git -c color.pager=false invisigoth log", &[("GIT_PAGER", "cat")]),
        (
            false,
            "git invisigoth diff a",
            &[("GIT_PAGER", "cat"), ("NO_COLOR", "1")],
        ),
        (true, "git invisigoth diff a | cat", &[("CLICOLOR_FORCE", "1")]),
    ] {
        assert_eq!(is_painted(line, env), expected, "{line} {env:?}");
    }
}

#[test]
fn a_reader_that_went_away_ends_a_command_without_a_word() {
    let sandbox = landed();
    sandbox.goal("b", &[]);
    for args in [
        &["log"][..],
        &["status"],
        &["status", "--graph"],
        &["list"],
        &["show", "a"],
        &["diff", "a"],
        &["report"],
        &["logs"],
        &["cost"],
        &["budget"],
        &["config", "list"],
        &["prompt", "b"],
        &["run", "--dry-run"],
        &["--json", "list"],
        &["help"],
        &["help", "run"],
        &["--version"],
        &["man"],
        &["completion", "bash"],
        &["add", "one more"],
    ] {
        let ended = without_reader(&sandbox, args);
        let said = String::from_utf8_lossy(&ended.stderr);
        let said: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with("error") || line.contains("ipe"))
            .collect();
        assert_eq!((ended.status.signal(), said), (Some(SIGPIPE), vec![]), "{args:?}");
    }
    let bash = "git-invisigoth log | true; echo ${PIPESTATUS[0]} >&2";
    let ran = sandbox
        .command("bash")
        .args(["-c", bash])
        .env("PATH", path(&sandbox))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(["0\n", "141\n"].contains(&&*said), "{said}");
}

#[test]
fn a_run_goes_on_without_anybody_who_reads_it() {
    let sandbox = landed();
    sandbox.script(json!({"b": [whole("b.txt", "b\n")], "c": ["none", "none", "none"]}));
    sandbox.goal("b", &[]);
    sandbox.goal("c", &["b"]);
    let ended = without_reader(&sandbox, &["--json", "run"]);
    assert_eq!(
        ended.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
}

fn without_reader(sandbox: &Sandbox, args: &[&str]) -> std::process::Output {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = sandbox.invisigoth(args);
    command.stdout(writer).stderr(std::process::Stdio::piped());
    command.spawn().unwrap().wait_with_output().unwrap()
}
