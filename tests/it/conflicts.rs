//! Backlogs that grow on two sides: merged with and without our driver, by landings, and by `settle`.
//!
//! Not here: which value wins, which is `src/backlog/merge`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, whole};

const PENDING: &str = "memory/pending_goals.json";
const DRIVER: &str = concat!(env!("CARGO_BIN_EXE_git-invisigoth"), " merge-driver %O %A %B %P");

/// Git in a folder, with the driver; without one where `driver` is none.
fn git(sandbox: &Sandbox, folder: &Path, driver: Option<&str>, args: &[&str]) -> Ran {
    let mut command = sandbox.command("git");
    command.args(["-c", "user.name=U", "-c", "user.email=u@example.com"]);
    // A driver that fails is a conflict: git's own way of merging takes its place.
    let driver = driver.map(|driver| format!("merge.invisigoth.driver={driver}"));
    match &driver {
        Some(driver) => command.args(["-c", driver]),
        None => command.args(["-c", "core.attributesFile=/dev/null"]),
    };
    Ran::of(&command.args(args).current_dir(folder).output().unwrap())
}

fn merged(sandbox: &Sandbox, folder: &Path, driver: Option<&str>, args: &[&str]) {
    let ran = git(sandbox, folder, driver, args);
    assert_eq!(ran.code, 0, "{args:?}\n{}{}", ran.stdout, ran.stderr);
    let status = git(sandbox, folder, driver, &["status", "--porcelain"]);
    assert_eq!(status.stdout, "");
}

fn rows(goals: &BTreeMap<String, Value>) -> String {
    let rows: Vec<String> = goals.values().map(ToString::to_string).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

fn numbered(prefix: &str) -> impl Iterator<Item = (String, Value)> + '_ {
    (0..1000).map(move |nth| {
        let id = format!("{prefix}-{nth:04}");
        (
            id.clone(),
            json!({ "id": id, "description": format!("Goal {id}"), "labels": ["old"] }),
        )
    })
}

/// Git without the attributes by which `init` names the driver.
fn without_driver(sandbox: &Sandbox) {
    fs::remove_file(sandbox.path(".git/info/attributes")).unwrap();
}

#[test]
fn two_clones_that_add_and_edit_a_thousand_goals_merge_without_conflict_and_say_the_same() {
    let sandbox = Sandbox::ready();
    let base: BTreeMap<String, Value> = numbered("old").collect();
    sandbox.write(PENDING, rows(&base));
    sandbox.commit("goals");
    let other = sandbox.home().join("other");
    sandbox.git(&["clone", "-q", ".", other.to_str().unwrap()]);
    fs::copy(sandbox.path(".git/info/attributes"), other.join(".git/info/attributes")).unwrap();
    let (mut ours, mut theirs) = (base.clone(), base);
    ours.extend(numbered("our"));
    theirs.extend(numbered("their"));
    for nth in 0..1000 {
        let id = format!("old-{nth:04}");
        let (our, their) = (ours.get_mut(&id).unwrap(), theirs.get_mut(&id).unwrap());
        // Some goals on one side, some on both in other keys, a list on both.
        if nth % 3 > 0 {
            our["prompt"] = json!(format!("Ours {nth}"));
            our["labels"] = json!(["old", "ours"]);
        }
        if nth % 3 < 2 {
            their["priority"] = json!(nth);
            their["labels"] = json!(["theirs"]);
        }
    }
    sandbox.write(PENDING, rows(&ours));
    sandbox.commit("ours");
    fs::write(other.join(PENDING), rows(&theirs)).unwrap();
    merged(&sandbox, &other, Some(DRIVER), &["commit", "-q", "-a", "-m", "theirs"]);
    let here = sandbox.repo();
    sandbox.git(&["fetch", "-q", other.to_str().unwrap(), "main:theirs"]);
    merged(&sandbox, &other, Some(DRIVER), &["fetch", "-q", "origin", "main:ours"]);
    merged(&sandbox, &here, Some(DRIVER), &["merge", "-q", "--no-edit", "theirs"]);
    merged(&sandbox, &other, Some(DRIVER), &["merge", "-q", "--no-edit", "ours"]);
    let goals = |folder: &Path| -> Vec<Value> {
        let text = fs::read_to_string(folder.join(PENDING)).unwrap();
        let mut all: Vec<Value> = serde_json::from_str(&text).unwrap();
        for goal in &mut all {
            let labels = goal["labels"].as_array_mut().unwrap();
            labels.sort_by_key(ToString::to_string);
        }
        all
    };
    let (one, two) = (goals(&here), goals(&other));
    assert_eq!(one.len(), 3000);
    assert!(one == two, "both clones say the same");
    assert!(one.iter().all(|goal| goal.get("conflict").is_none()));
    let both = json!({"id": "old-0001", "description": "Goal old-0001", "labels": ["ours", "theirs"], "prompt": "Ours 1", "priority": 1});
    assert_eq!(one[1], both);
    // Once merged, the other side has nothing left to merge.
    merged(
        &sandbox,
        &other,
        Some(DRIVER),
        &["pull", "-q", "--no-edit", "--no-rebase", "origin", "main"],
    );
    assert!(goals(&other) == one);
    assert_eq!(sandbox.json(&["list"])["goals"].as_array().unwrap().len(), 3000);
}

#[test]
fn goals_added_on_branches_merge_without_any_driver_and_a_landing_folds_them_in() {
    let sandbox = Sandbox::ready();
    without_driver(&sandbox);
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    let checklist = |branch: &str| {
        let items: String = (0..1000).map(|nth| format!("- [ ] {branch} {nth}\n")).collect();
        let path = sandbox.home().join(format!("{branch}.md"));
        fs::write(&path, items).unwrap();
        path
    };
    for branch in ["one", "two"] {
        sandbox.git(&["switch", "-q", "-c", branch, "main"]);
        let said = sandbox.run(&["import", "checklist", checklist(branch).to_str().unwrap()]);
        assert!(
            said.stderr.contains("1000 new goals are in memory/inbox/"),
            "{}",
            said.stderr
        );
        assert_eq!(sandbox.git(&["status", "--porcelain"]), "?? memory/inbox/");
        sandbox.commit(branch);
    }
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.ok(&["import", "checklist", checklist("main").to_str().unwrap()]);
    sandbox.commit("main");
    for branch in ["one", "two"] {
        merged(&sandbox, &sandbox.repo(), None, &["merge", "-q", "--no-edit", branch]);
    }
    let open = |sandbox: &Sandbox| sandbox.json(&["list"])["goals"].as_array().unwrap().len();
    assert_eq!(open(&sandbox), 3000);
    sandbox.script(json!({"a": [whole("a.txt", "x\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run", "a"]);
    assert_eq!(open(&sandbox), 3000);
    assert_eq!(sandbox.git(&["ls-tree", "--name-only", "HEAD", "memory/inbox"]), "");
    assert!(!sandbox.path("memory/inbox").exists());
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(sandbox.read(PENDING).lines().count(), 3002);
    sandbox.ok(&["verify"]);
    sandbox.assert_sound();
}

#[test]
fn a_goal_of_a_branch_can_be_worded_there_and_is_open_once_the_target_has_it() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"x": [whole("x.txt", "x\n")], "y": [whole("y.txt", "y\n")]}));
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.git(&["switch", "-q", "-c", "feature"]);
    let before = sandbox.id("main");
    let said = sandbox.run(&["add", "--id", "x", "Make x"]);
    let file = "x is in memory/inbox/x.json: commit it with this branch; open once `main` has it";
    assert!(said.stderr.contains(file), "{}", said.stderr);
    assert_eq!(said.stdout, "x\n");
    assert_eq!(sandbox.run(&["add", "--id", "x", "Again"]).code, 2, "the id is taken");
    sandbox.goal("y", &["x"]);
    sandbox.ok(&["hold", "y", "--why", "not yet"]);
    assert!(sandbox.read("memory/inbox/y.json").contains("\"held\""));
    sandbox.ok(&["drop", "y"]);
    assert!(!sandbox.path("memory/inbox/y.json").exists());
    assert!(sandbox.ok(&["list"]).contains("(on this branch)"));
    let shown = sandbox.ok(&["show", "x"]);
    assert!(
        shown.contains("memory/inbox/x.json of this branch; open once it is merged"),
        "{shown}"
    );
    assert!(sandbox.ok(&["status"]).contains("none yet"), "it is not open");
    sandbox.run(&["run"]);
    assert_eq!(sandbox.id("main"), before, "nobody works at it");
    sandbox.commit("feature");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-ff", "--no-edit", "feature"]);
    assert_eq!(sandbox.state("x"), "ready");
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["x"]);
    assert_eq!(sandbox.git(&["ls-files", "memory/inbox"]), "");
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    sandbox.ok(&["verify"]);
}

#[test]
fn files_of_the_inbox_are_edited_by_hand_as_the_backlog_is() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"b": [whole("b.txt", "x\n")]}));
    sandbox.write(
        "memory/inbox/a.json",
        "{\n  \"id\": \"a\",\n  \"description\": \"A\"\n}\n",
    );
    sandbox.write("memory/inbox/b.json", "{\"id\":\"b\",\"description\":\"B\"}\n");
    sandbox.write("memory/inbox/c.json", "{\"id\":\"c\",\"description\":\"C\"}\n");
    assert_eq!(sandbox.state("a"), "ready");
    sandbox.commit("three");
    // What a command writes of such a goal goes into its file; what a person takes away is taken away.
    sandbox.ok(&["hold", "a"]);
    assert!(sandbox.read("memory/inbox/a.json").contains("\"held\""));
    fs::remove_file(sandbox.path("memory/inbox/c.json")).unwrap();
    assert_eq!(sandbox.read(PENDING), "[]\n");
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["b"]);
    assert_eq!(
        (sandbox.state("a").as_str(), sandbox.run(&["show", "c"]).code),
        ("held", 1)
    );
    assert_eq!(sandbox.read(PENDING).lines().count(), 3);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    sandbox.ok(&["verify"]);
    sandbox.write("memory/inbox/d.json", "{\"id\":\n");
    let ran = sandbox.run(&["list"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("memory/inbox/d.json: line 2"), "{}", ran.stderr);
    sandbox.assert_sound();
}

/// Two branches that set the prompt of `a` differently, merged: ours says `mine`, theirs `yours`.
fn in_conflict() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "merge.invisigoth.driver", DRIVER]);
    let of = |prompt: &str| format!("[\n{{\"id\":\"a\",\"description\":\"A\",\"prompt\":\"{prompt}\"}}\n]\n");
    sandbox.write(PENDING, of("base"));
    sandbox.commit("base");
    sandbox.git(&["switch", "-q", "-c", "theirs"]);
    sandbox.write(PENDING, of("yours"));
    sandbox.commit("theirs");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.write(PENDING, of("mine"));
    sandbox.commit("ours");
    sandbox.git(&["merge", "-q", "--no-edit", "theirs"]);
    sandbox
}

#[test]
fn a_key_set_on_both_sides_stays_as_the_target_has_it_and_the_other_is_shown_until_settled() {
    let sandbox = in_conflict();
    let row = |conflict: &str| format!("[\n{{\"id\":\"a\",\"description\":\"A\",\"prompt\":\"mine\"{conflict}}}\n]\n");
    let kept = row(",\"conflict\":{\"prompt\":[\"yours\"]}");
    assert_eq!(sandbox.read(PENDING), kept);
    assert!(sandbox.ok(&["list"]).contains("(conflict: prompt)"));
    assert!(
        sandbox
            .ok(&["status"])
            .contains("conflict   a (prompt): git invisigoth show a")
    );
    let shown = sandbox.ok(&["show", "a"]);
    assert!(
        shown.contains("another side set prompt to") && shown.contains("yours"),
        "{shown}"
    );
    assert!(shown.contains("edit a"), "{shown}");
    assert_eq!(sandbox.json(&["show", "a"])["conflict"], json!({"prompt": ["yours"]}));
    // Another key settles nothing.
    sandbox.ok(&["hold", "a"]);
    assert!(sandbox.read(PENDING).contains("\"conflict\""));
    sandbox.ok(&["edit", "a", "--keep"]);
    assert_eq!(sandbox.read(PENDING), row(",\"status\":\"held\""));
    let again = sandbox.run(&["edit", "a", "--keep"]);
    assert!(
        again.code == 1 && again.stderr.contains("goal a has no conflict"),
        "{}",
        again.stderr
    );
    // An editor shows what the other side said, and changing that key settles it.
    sandbox.write(PENDING, kept);
    let editor = "sh -c 'cp \"$1\" \"$HOME/seen\"; sed -i s/mine/ours/ \"$1\"' sh";
    sandbox.run_with(&["edit", "a"], &[("GIT_EDITOR", editor)]);
    let seen = fs::read_to_string(sandbox.home().join("seen")).unwrap();
    assert!(
        seen.contains("# Conflict: another side set `prompt` to:\n#   yours\n"),
        "{seen}"
    );
    assert_eq!(sandbox.read(PENDING), row("").replace("mine", "ours"));
}

#[test]
fn a_backlog_with_conflict_markers_is_named_and_settle_merges_it() {
    for style in ["merge", "diff3", "zdiff3"] {
        let sandbox = Sandbox::ready();
        without_driver(&sandbox);
        sandbox.git(&["config", "merge.conflictStyle", style]);
        sandbox.goal("m", &[]);
        sandbox.commit("base");
        sandbox.git(&["switch", "-q", "-c", "other"]);
        sandbox.goal("x", &[]);
        sandbox.goal("y", &[]);
        sandbox.commit("other");
        sandbox.git(&["switch", "-q", "main"]);
        sandbox.goal("z", &[]);
        sandbox.commit("main");
        assert_ne!(
            sandbox.sh("git", &["merge", "-q", "--no-edit", "other"]).code,
            0,
            "{style}"
        );
        for command in ["list", "status", "run"] {
            let ran = sandbox.run(&[command]);
            assert_eq!(ran.code, 1, "{style} {command}");
            assert!(
                ran.stderr.contains(": a conflict marker; the file is not merged yet"),
                "{}",
                ran.stderr
            );
            assert!(ran.stderr.contains("`git invisigoth settle`"), "{}", ran.stderr);
        }
        let said = sandbox.ok(&["settle"]);
        assert!(
            said.contains("both sides are in it") && said.contains("git add memory/pending_goals.json"),
            "{said}"
        );
        sandbox.git(&["add", PENDING]);
        sandbox.git(&["commit", "-q", "--no-edit"]);
        let goals = sandbox.json(&["list"])["goals"].clone();
        let ids: Vec<&str> = goals
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|row| row["goal"].as_str())
            .collect();
        assert_eq!(ids, ["m", "x", "y", "z"], "{style}");
    }
}

#[test]
fn a_goal_both_open_and_completed_is_an_error_nowhere_and_the_next_landing_clears_it() {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "merge.invisigoth.driver", DRIVER]);
    sandbox.script(json!({"a": [whole("a.txt", "x\n")], "b": [whole("b.txt", "x\n")]}));
    sandbox.goal("a", &[]);
    sandbox.commit("goal");
    sandbox.git(&["switch", "-q", "-c", "other"]);
    let edited = sandbox.read(PENDING).replace("Goal a", "Goal a, edited");
    sandbox.write(PENDING, edited);
    sandbox.write("memory/inbox/a.json", "{\"id\":\"a\",\"description\":\"Again\"}\n");
    sandbox.commit("edited");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.ok(&["run"]);
    sandbox.git(&["merge", "-q", "--no-edit", "other"]);
    assert!(sandbox.read(PENDING).contains("edited") && sandbox.read("memory/completed_goals.json").contains("\"a\""));
    for command in [
        &["list"][..],
        &["list", "--state", "landed"],
        &["status"],
        &["status", "--graph"],
        &["show", "a"],
        &["log"],
        &["cost"],
        &["budget"],
        &["verify"],
        &["check"],
        &["plan", "--dry-run"],
        &["merge"],
        &["diff", "a"],
        &["rebuild"],
    ] {
        let ran = sandbox.run(command);
        assert_eq!(ran.code, 0, "{command:?}\n{}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(sandbox.state("a"), "landed");
    let shown = sandbox.ok(&["show", "a"]);
    assert!(shown.contains("edited     after it had landed"), "{shown}");
    let refused = sandbox.run(&["edit", "a", "--keep"]);
    assert!(refused.stderr.contains("goal a has landed"), "{}", refused.stderr);
    sandbox.goal("b", &["a"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(
        (sandbox.read(PENDING).as_str(), sandbox.state("a").as_str()),
        ("[]\n", "landed")
    );
    assert_eq!(sandbox.git(&["ls-files", "memory/inbox"]), "");
    sandbox.ok(&["verify"]);
}
