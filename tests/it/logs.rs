//! `logs`: what a run leaves, how it is shown and followed, and what goes wrong with it.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::MetadataExt as _,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{NOT_BAD, Ran, Sandbox, whole};

/// The files of the log, the oldest first.
fn files(sandbox: &Sandbox) -> Vec<PathBuf> {
    let Ok(repos) = fs::read_dir(sandbox.home().join(".local/state/invisigoth")) else {
        return Vec::new();
    };
    let folder = repos.map(|repo| repo.unwrap().path().join("log")).next().unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// A goal that lands and one that fails; returns what the run did.
fn one_each(sandbox: &Sandbox) -> Ran {
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": ["no edit"]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.run(&["run"])
}

/// What `logs` shows, without times and the heading.
fn told(sandbox: &Sandbox, args: &[&str]) -> String {
    let all = sandbox.ok(args);
    let lines = all.lines().filter(|line| !line.contains(", run "));
    lines.map(|line| format!("{}\n", line.split_at(10).1)).collect()
}

#[test]
fn what_a_run_did_is_there_after_it_and_a_failure_says_where() {
    let sandbox = Sandbox::ready();
    let ran = one_each(&sandbox);
    assert_eq!(ran.code, 3);
    let [file] = files(&sandbox).try_into().unwrap();
    let said = ran.stderr.lines().filter(|line| line.starts_with("log: "));
    assert_eq!(said.collect::<Vec<_>>(), [format!("log: {}", file.display())]);
    let all = told(&sandbox, &["logs"]);
    let expected = [
        "info   -          `run` began, git-invisigoth",
        "info   a          landed ",
        "warn   b          reply refused, round 1: no-edit",
        "error  b          failed: 3 rounds, reply: no-edit",
        "error  -          ended with exit code 3",
    ];
    let places = expected.map(|line| all.find(line).unwrap_or_else(|| panic!("{line}\n{all}")));
    assert!(places.is_sorted(), "{all}");
    let of_b = told(&sandbox, &["logs", "b"]);
    assert!(
        of_b.lines().count() > 5 && of_b.lines().all(|line| line.split_at(7).1.starts_with("b ")),
        "{of_b}"
    );
    for line in fs::read_to_string(&file).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let keys = ["at", "level", "run", "pid", "event"];
        assert!(keys.iter().all(|key| !line[key].is_null()), "{line}");
    }
}

#[test]
fn each_run_has_its_own_file_and_what_only_looks_has_none() {
    let sandbox = Sandbox::ready();
    for args in [&["status"][..], &["list"], &["run"], &["doctor"]] {
        sandbox.run_with(args, &[("INVISIGOTH_LOG", "debug")]);
    }
    assert_eq!(files(&sandbox), Vec::<PathBuf>::new());
    one_each(&sandbox);
    sandbox.ok(&["retry", "b"]);
    let ran = sandbox.run(&["run"]);
    assert_eq!((ran.code, files(&sandbox).len()), (3, 2));
    let newest = sandbox.json(&["logs"]);
    assert_eq!(newest["schema"], "invisigoth.logs/1");
    let lines = newest["lines"].as_array().unwrap();
    let run = files(&sandbox)[1].file_stem().unwrap().to_str().unwrap().to_owned();
    assert!(lines.iter().all(|line| line["run"] == run.as_str()), "{newest}");
    let since = sandbox.json(&["logs", "--since", "1d"]);
    assert!(since["lines"].as_array().unwrap().len() > lines.len() + 5);
}

#[test]
fn what_cannot_be_shown_says_why() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["logs"]), @r"
    -- stderr
    error: nothing has been logged in this repository yet
    hint: `git invisigoth run` logs in $HOME/.local/state/invisigoth/[id]/log
    -- exit 1
    ");
    one_each(&sandbox);
    sandbox.ok(&["retry", "b"]);
    sandbox.run(&["run"]);
    assert_snapshot!(sandbox.shows(&["logs", "zzz"]), @r"
    -- stderr
    error: there is no goal zzz
    hint: `git invisigoth list` shows them
    -- exit 1
    ");
    assert_snapshot!(sandbox.shows(&["logs", "a"]), @r"
    -- stderr
    error: the newest log says nothing about goal a
    hint: `git invisigoth logs --since 7d a` looks into older ones
    hint: `git invisigoth show a` tells of its attempts
    -- exit 1
    ");
    let ran = sandbox.run(&["logs", "--since", "yesterday"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`yesterday` is no time"), "{}", ran.stderr);
    assert_snapshot!(sandbox.shows(&["logs", "--since", "2999-01-01"]), @r"
    -- stderr
    nothing was logged since then
    -- exit 0
    ");
    let loud = sandbox.run_with(&["status"], &[("INVISIGOTH_LOG", "info,providr=debug")]);
    assert_eq!(loud.code, 7);
    assert!(
        loud.stderr.contains("nothing is said about `providr`"),
        "{}",
        loud.stderr
    );
}

#[test]
fn damaged_and_torn_lines_are_left_out_and_counted() {
    let sandbox = Sandbox::ready();
    one_each(&sandbox);
    let whole = sandbox.ok(&["logs"]);
    let [file] = files(&sandbox).try_into().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let torn = text.replacen('\n', "\n\0\0not json\n", 1) + "{\"at\":\"2026-";
    fs::write(&file, torn).unwrap();
    let ran = sandbox.run(&["logs"]);
    assert_eq!((ran.code, ran.stdout), (0, whole));
    assert_eq!(ran.stderr, "2 damaged lines left out\n");
    assert_eq!(sandbox.json(&["logs"])["damaged"], 2);
}

#[test]
fn without_a_place_for_it_one_warning_is_said_and_the_run_goes_on() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    let place = sandbox.home().join("state");
    fs::write(&place, "a file").unwrap();
    let ran = sandbox.run_with(&["run"], &[("XDG_STATE_HOME", place.to_str().unwrap())]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let warnings: Vec<&str> = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 1, "{}", ran.stderr);
    assert!(
        warnings[0].starts_with("warning: nothing is logged in "),
        "{warnings:?}"
    );
    assert_eq!(sandbox.landings("main"), ["a"]);
}

#[test]
fn no_key_gets_into_the_log() {
    const KEY: &str = "q8Zr41xKw7Lm93TbQ5";
    let sandbox = Sandbox::checking(&format!("cat \"$HOME/key\"\n{NOT_BAD}"));
    fs::write(sandbox.home().join("key"), format!("FAILED test {KEY}\n")).unwrap();
    sandbox.script(json!({"a": [whole("bad", KEY), format!("no {KEY}"), whole("a.txt", "a\n")]}));
    sandbox.ok(&["add", "--id", "a", &format!("Goal {KEY}")]);
    let loud = [("INVISIGOTH_LOG", "trace"), ("SOME_API_KEY", KEY)];
    let ran = sandbox.run_with(&["run"], &loud);
    assert!(!ran.stderr.contains(KEY), "{}", ran.stderr);
    let [file] = files(&sandbox).try_into().unwrap();
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("Goal [redacted]") && !text.contains(KEY), "{text}");
}

#[test]
fn diagnoses_are_heard_and_kept_only_where_they_are_asked_for() {
    let sandbox = Sandbox::ready();
    one_each(&sandbox);
    let is_said = |text: &str| text.contains("check: sh check.sh");
    assert!(!is_said(&sandbox.ok(&["logs"])));
    sandbox.ok(&["retry", "b"]);
    sandbox.script(json!({"b": [whole("b.txt", "b\n")]}));
    let loud = sandbox.run_with(&["run"], &[("INVISIGOTH_LOG", "info,check=debug")]);
    assert_eq!(loud.code, 0, "{}", loud.stderr);
    assert!(
        loud.stderr.contains("debug check: b: sh check.sh: Exit(0)"),
        "{}",
        loud.stderr
    );
    assert!(is_said(&sandbox.ok(&["logs", "b"])));
    assert!(!sandbox.ok(&["logs"]).contains("provider:"));
    let silent = sandbox.run_with(&["retry", "zzz"], &[("INVISIGOTH_LOG", "off")]);
    assert!(!silent.stderr.contains("log: "), "{}", silent.stderr);
}

#[test]
fn a_tail_goes_on_from_run_to_run_until_it_is_interrupted() {
    let sandbox = Sandbox::ready();
    one_each(&sandbox);
    let mut tail = sandbox.spawn(&["logs", "-f", "b"]);
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut until = |words: &str| {
        let found = lines.by_ref().find(|line| line.as_ref().unwrap().contains(words));
        found.unwrap_or_else(|| panic!("no {words}")).unwrap()
    };
    until("failed: 3 rounds");
    sandbox.ok(&["retry", "b"]);
    sandbox.script(json!({"b": [whole("b.txt", "b\n")]}));
    sandbox.ok(&["run"]);
    until(", run ");
    until("landed ");
    let pid = tail.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(tail.wait().unwrap().code(), Some(130));
}

#[test]
fn a_tail_whose_reader_goes_away_ends_quietly() {
    let sandbox = Sandbox::ready();
    one_each(&sandbox);
    let mut tail = sandbox.spawn(&["logs", "-f"]);
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    drop(lines);
    sandbox.ok(&["retry", "b"]);
    sandbox.run(&["run"]);
    let ended = tail.wait_with_output().unwrap();
    // As whatever else prints into a pipe: by SIGPIPE, without a word.
    assert_eq!((ended.status.signal(), Ran::of(&ended).stderr.as_str()), (Some(13), ""));
}

#[test]
fn the_system_s_journal_is_told_priorities() {
    let sandbox = Sandbox::ready();
    let said = |name: &str, stream: &dyn Fn(&fs::Metadata) -> String| {
        let path = sandbox.home().join(name);
        let file = fs::File::create(&path).unwrap();
        let stream = stream(&file.metadata().unwrap());
        let mut command = sandbox.invisigoth(&["show", "zzz"]);
        command.env("JOURNAL_STREAM", stream).stdout(Stdio::null()).stderr(file);
        assert_eq!(command.status().unwrap().code(), Some(1));
        fs::read_to_string(path).unwrap()
    };
    let own = said("own", &|about| format!("{}:{}", about.dev(), about.ino()));
    assert_eq!(
        own,
        "<3>error: there is no goal zzz\n<6>hint: `git invisigoth list` shows them\n"
    );
    let other = said("other", &|about| format!("{}:{}", about.dev(), about.ino() + 1));
    assert!(other.starts_with("error: "), "{other}");
}
