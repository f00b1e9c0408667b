//! The command line as a whole: what goes to which stream, usage errors, completion, manual, and the demo.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::support::{Sandbox, whole};

#[test]
fn the_demo_ends_as_its_script_has_it_whatever_the_user_s_settings_say() {
    let sandbox = Sandbox::empty();
    let hostile = "[invisigoth \"check\"]\n\ttest = false\n[invisigoth \"llm\"]\n\tprovider = openrouter\n\
                   [invisigoth \"run\"]\n\tisolation = none\n[commit]\n\tgpgSign = true\n[core]\n\tautocrlf = true\n";
    fs::write(sandbox.home().join(".gitconfig"), hostile).unwrap();
    let ran = sandbox.run(&["demo", "--dir", "d"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let starts: Vec<String> = ran
        .stdout
        .lines()
        .take(4)
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("{} {}", words[0], words[2])
        })
        .collect();
    assert_eq!(starts, ["landed Slug", "landed Shorten", "failed Lower", "landed Link"]);
    assert!(
        ran.stdout.contains("lint ok  test 1 of 7 failed, repaired, ok 7"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("3 landed · 1 failed · $0.00 (scripted) · "),
        "{}",
        ran.stdout
    );
    let project = sandbox.path("d/project");
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(&project)
            .args(args)
            .env("HOME", sandbox.home())
            .output()
            .unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(git(&["log", "--first-parent", "--format=%s"]).lines().count(), 6);
    assert_eq!(git(&["notes", "--ref=invisigoth", "list"]).lines().count(), 3);
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(fs::read_to_string(sandbox.home().join(".gitconfig")).unwrap(), hostile);
    assert!(
        !sandbox.home().join(".cache").exists(),
        "the demo left slots in the user's cache"
    );
}

#[test]
fn the_demo_keeps_away_from_a_repository_that_git_dir_names() {
    let sandbox = Sandbox::new();
    let before = sandbox.read(".git/HEAD");
    let done = sandbox
        .invisigoth(&["demo", "--dir", "d"])
        .env("GIT_DIR", sandbox.path(".git"))
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(!sandbox.path("d").exists());
    assert_eq!(sandbox.read(".git/HEAD"), before);
    sandbox.write("full/x", "mine");
    assert_eq!(sandbox.run(&["demo", "--dir", "full"]).code, 2);
    assert_eq!(sandbox.read("full/x"), "mine");
}

#[test]
fn mistakes_on_the_command_line_exit_with_2_and_say_what_to_type() {
    let sandbox = Sandbox::empty();
    for args in [
        &["statu"][..],
        &["show"],
        &["list", "--state", "odd"],
        &["run", "--set", "x"],
        &["-C", "nowhere", "list"],
    ] {
        let ran = sandbox.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        assert!(ran.stderr.starts_with("error: "), "{args:?}: {}", ran.stderr);
    }
    let ran = sandbox.run(&["statu", "--json"]);
    let error: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (error["schema"].as_str(), error["error"]["kind"].as_str()),
        (Some("invisigoth.error/1"), Some("usage"))
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn without_a_command_it_names_three_to_go_on_with() {
    for (sandbox, words) in [
        (Sandbox::empty(), ["demo", "init", "doctor"]),
        (Sandbox::ready(), ["status", "add", "run"]),
    ] {
        let text = sandbox.ok(&[]);
        for word in words {
            assert!(text.contains(&format!("  git invisigoth {word} ")), "{word}: {text}");
        }
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let sandbox = Sandbox::empty();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = sandbox.invisigoth(&["man"]).stdout(full).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn files_are_named_from_the_top_when_added_in_a_folder() {
    let sandbox = Sandbox::ready();
    fs::create_dir_all(sandbox.path("a/b")).unwrap();
    sandbox.ok(&["-C", "a/b", "add", "--id", "x", "--file", "../c.rs", "Mend c"]);
    assert_eq!(sandbox.json(&["show", "x"])["goal"]["filename"], "a/c.rs");
    sandbox.git(&[
        "config",
        "alias.inv",
        &format!("!{}", env!("CARGO_BIN_EXE_git-invisigoth")),
    ]);
    let through_alias = ["-C", "a/b", "inv", "add", "--id", "y", "--file", "d.rs", "Mend d"];
    sandbox.git(&through_alias);
    assert_eq!(sandbox.json(&["show", "y"])["goal"]["filename"], "a/b/d.rs");
}

/// A goal in each of six states, by its name.
fn in_every_state() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "landed": [whole("a.txt", "a\n")] }));
    for id in ["landed", "failed", "ready", "held", "rejected", "proposed"] {
        sandbox.goal(id, &[]);
    }
    sandbox.run(&["run", "landed", "failed"]);
    sandbox.ok(&["hold", "held"]);
    sandbox.ok(&["reject", "rejected", "--why", "no"]);
    let rows = sandbox.read("memory/pending_goals.json");
    let proposed = |row: &str| row.replace("\"pending\"", "\"proposed\"");
    let rows = rows
        .split_inclusive('\n')
        .map(|row| match row.contains("\"proposed\"") {
            true => proposed(row),
            false => row.to_owned(),
        });
    sandbox.write("memory/pending_goals.json", rows.collect::<String>());
    sandbox
}

#[test]
fn only_goals_that_a_command_is_for_are_offered() {
    let states = in_every_state();
    let asked_in_every_state = |verb: &str| -> Vec<String> {
        let text = states.ok(&["complete", "2", "--", "x", verb, ""]);
        let ids = text.lines().filter_map(|line| line.split('\t').next());
        let mut ids: Vec<String> = ids.map(str::to_owned).collect();
        ids.sort();
        ids
    };
    for (verb, fits) in [
        ("show", "ready failed rejected proposed held landed"),
        ("logs", "ready failed rejected proposed held landed"),
        ("diff", "ready failed rejected proposed held landed"),
        ("reject", "ready failed rejected proposed held"),
        ("approve", "rejected proposed"),
        ("hold", "ready failed held"),
        ("release", "held"),
        ("retry", "failed"),
        ("run", "ready failed"),
        ("undo", "landed"),
        ("edit", "ready failed rejected proposed held"),
    ] {
        let said = asked_in_every_state(verb);
        let mut fits: Vec<&str> = fits.split(' ').collect();
        fits.sort_unstable();
        assert_eq!(said, fits, "{verb}");
    }
}

#[test]
fn what_may_stand_at_a_place_is_said_with_its_meaning() {
    let sandbox = Sandbox::ready();
    sandbox.goal("alpha", &[]);
    let asked = |at: &str, words: &[&str]| {
        let fixed = ["complete", at, "--", "git-invisigoth"];
        sandbox.ok(&fixed.iter().chain(words).copied().collect::<Vec<_>>())
    };
    assert_eq!(asked("2", &["show", ""]), "alpha\tready: Goal alpha\n");
    assert_eq!(asked("2", &["undo", ""]).matches("alpha").count(), 0);
    assert!(asked("1", &["conf"]).starts_with("config\tShow or set the settings"));
    assert_eq!(asked("2", &["list", "--state=fa"]), "--state=failed\t\n");
    assert_eq!(asked("3", &["add", "--id", "al"]), "", "a new goal has a new id");
    assert_eq!(asked("3", &["add", "--needs", "al"]), "alpha\tready: Goal alpha\n");
    let key = "check.timeout\tlongest time of one command, in seconds\n";
    for verb in ["get", "set", "unset"] {
        assert_eq!(asked("3", &["config", verb, "check.tim"]), key, "{verb}");
    }
    assert_eq!(asked("4", &["config", "set", "plan.approve", ""]), "ask\t\nauto\t\n");
    assert_eq!(asked("4", &["config", "set", "llm.stream", "f"]), "false\t\n");
    assert_eq!(asked("4", &["config", "set", "check.timeout", "1"]), "");
    assert_eq!(
        asked("2", &["--set", "land.st"]).split('\t').next(),
        Some("land.style=")
    );
    assert_eq!(asked("2", &["--set", "land.style=l"]), "land.style=linear\t\n");
    let hidden = asked("1", &[""]);
    assert!(!hidden.contains("complete\t") && !hidden.contains("hook\t"), "{hidden}");
    // Outside a repository there are no goals, and no complaint.
    assert_eq!(Sandbox::empty().ok(&["complete", "2", "--", "x", "show", "a"]), "");
    let script = sandbox.ok(&["completion", "bash"]);
    let placed = sandbox.ok(&["completion", "bash", "--install"]);
    assert_eq!(fs::read_to_string(placed.trim_end()).unwrap(), script);
}

#[test]
fn init_without_a_terminal_asks_for_a_flag_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["init"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.ends_with("hint: `git invisigoth init --yes`\n"),
        "{}",
        ran.stderr
    );
    assert!(!sandbox.path("invisigoth.toml").exists());
}

#[test]
fn doctor_names_what_is_missing_and_exits_with_7() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["doctor"]);
    assert_eq!(ran.code, 7, "{}", ran.stdout);
    for start in ["ok    repository", "fail  settings", "fail  checks", "warn  cap"] {
        assert!(
            ran.stdout.lines().any(|line| line.starts_with(start)),
            "{start}: {}",
            ran.stdout
        );
    }
    let ready = Sandbox::ready().run(&["doctor"]);
    assert_eq!(ready.code, 0, "{}", ready.stdout);
}
