//! `verify` finds nothing after whatever people and machines do in good faith. What it must find is in `verify`.

/// Undos, landings and rows that people took elsewhere.
mod taken_back;

use serde_json::json;

use crate::{
    support::{Sandbox, whole},
    verify::{COMPLETED, HISTORY, landed, more, reply},
};

#[test]
fn what_people_do_in_good_faith_is_no_divergence() {
    let sandbox = landed();
    // Edits of the backlog and the settings, by hand and by command, before a landing.
    sandbox.goal("later", &[]);
    sandbox.edit("memory/pending_goals.json", |text| {
        text.replace("Goal later", "Goal in other words")
    });
    sandbox.goal("held", &[]);
    sandbox.write(
        "invisigoth.toml",
        "[check]\nlint = [\"true\"]\ntest = [\"sh check.sh\"]\n",
    );
    sandbox.commit("another gate");
    more(&sandbox, &["k"]);
    sandbox.green();
    // A revert of the newest landing and one of an older goal's own commit; both come back and land again.
    sandbox.git(&["revert", "--no-edit", "-m", "1", "HEAD"]);
    sandbox.green();
    let (b, _) = sandbox.noted("b");
    sandbox.git(&["revert", "--no-edit", &b]);
    sandbox.green();
    more(&sandbox, &["l"]);
    sandbox.green();
    sandbox.ok(&["rebuild"]);
    sandbox.green();
    // Somebody's branch is merged, and results wait beside a dirty checkout.
    sandbox.git(&["switch", "-q", "-c", "topic", "HEAD~2"]);
    sandbox.write("topic.txt", "t\n");
    sandbox.commit("topic");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    sandbox.green();
    sandbox.write("m.txt", "mine\n");
    more(&sandbox, &["m"]);
    assert!(sandbox.refs().contains_key("refs/invisigoth/landed/main"));
    sandbox.green();
    std::fs::remove_file(sandbox.path("m.txt")).unwrap();
    more(&sandbox, &["n"]);
    sandbox.green();
    // A branch of one's own name, and goals that do not merge but are one commit.
    sandbox.git(&["config", "invisigoth.run.isolation", "none"]);
    more(&sandbox, &["o", "p"]);
    sandbox.green();
    sandbox.git(&["config", "--unset", "invisigoth.run.isolation"]);
    more(&sandbox, &["q"]);
    sandbox.green();
    sandbox.git(&["branch", "-m", "main", "trunk"]);
    sandbox.green();
}

#[test]
fn a_rebase_by_people_leaves_goals_without_records_and_is_said() {
    for isolation in ["branch", "none"] {
        let sandbox = Sandbox::ready();
        sandbox.git(&["config", "invisigoth.run.isolation", isolation]);
        more(&sandbox, &["a", "b"]);
        sandbox.git(&["tag", "before"]);
        more(&sandbox, &["c", "d"]);
        sandbox
            .command("git")
            .env("GIT_COMMITTER_DATE", "2027-01-01T00:00:00Z")
            .args(["rebase", "-q", "--force-rebase", "before"])
            .status()
            .unwrap();
        assert_ne!(sandbox.id("main"), sandbox.id("ORIG_HEAD"));
        let json = sandbox.json(&["verify"]);
        assert_eq!(json["findings"], json!([]), "{isolation}: {json}");
        assert!(
            json["remarks"][0].as_str().unwrap().contains("2 landed by people"),
            "{json}"
        );
        more(&sandbox, &["e"]);
        sandbox.green();
    }
}

#[test]
fn a_squash_brings_rows_without_their_commits() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a"]);
    sandbox.git(&["switch", "-q", "-c", "topic"]);
    more(&sandbox, &["b", "c"]);
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--squash", "topic"]);
    sandbox.commit("squashed");
    sandbox.green();
    more(&sandbox, &["d"]);
    sandbox.green();
}

#[test]
fn what_was_red_before_is_no_divergence() {
    let sandbox = Sandbox::checking(super::landing::RED);
    more(&sandbox, &["a", "b"]);
    sandbox.green();
    assert_eq!(sandbox.run(&["verify", "--rerun"]).code, 0);
}

#[test]
fn full_files_are_sealed_and_still_compared() {
    let sandbox = Sandbox::ready();
    let rows = |row: &dyn Fn(usize) -> String| format!("[\n{}\n]\n", (0..254).map(row).collect::<Vec<_>>().join(",\n"));
    sandbox.write(
        HISTORY,
        rows(&|nth| format!("{{\"goal\":\"old-{nth}\",\"commit\":\"{nth:040}\"}}")),
    );
    sandbox.write(
        COMPLETED,
        rows(&|nth| format!("{{\"id\":\"old-{nth}\",\"status\":\"completed\"}}")),
    );
    sandbox.commit("what landed elsewhere");
    more(&sandbox, &["a", "b", "c", "d"]);
    assert!(sandbox.path("memory/history/0001.json").exists());
    sandbox.green();
    sandbox.edit("memory/completed/0001.json", |text| {
        text.replacen("old-7\"", "new-7\"", 1)
    });
    assert_eq!(sandbox.finds(&[]), ["new-7 row", "old-7 row"]);
}

#[test]
fn a_clone_without_notes_or_with_little_history_says_what_it_lacks() {
    let sandbox = landed();
    let at = |name: &str| sandbox.home().join(name).to_str().unwrap().to_owned();
    let url = format!("file://{}", sandbox.repo().to_str().unwrap());
    let verify = |dir: &str| sandbox.run(&["-C", dir, "verify"]);
    sandbox.git(&["clone", "-q", &url, &at("plain")]);
    let plain = verify(&at("plain"));
    assert_eq!(plain.code, 0, "{}{}", plain.stdout, plain.stderr);
    let missing = "10 cannot be replayed (attempt not in this clone)\n";
    assert!(plain.stdout.ends_with(missing), "{}", plain.stdout);
    for said in [
        "no notes",
        "git fetch origin refs/notes/invisigoth",
        "git fetch origin refs/invisigoth/attempts",
    ] {
        assert!(plain.stderr.contains(said), "{said}: {}", plain.stderr);
    }
    sandbox.git(&["clone", "-q", "--depth", "5", &url, &at("shallow")]);
    let shallow = verify(&at("shallow"));
    assert_eq!(shallow.code, 0, "{}{}", shallow.stdout, shallow.stderr);
    assert!(shallow.stderr.contains("shallow"), "{}", shallow.stderr);
}

#[test]
fn two_clones_that_land_apart_and_merge_are_verified() {
    let sandbox = Sandbox::ready();
    for id in ["a", "b"] {
        sandbox.goal(id, &[]);
    }
    sandbox.commit("goals");
    let other = sandbox.home().join("other").to_str().unwrap().to_owned();
    sandbox.git(&["clone", "-q", ".", &other]);
    let configured = sandbox.git(&["config", "--local", "--list"]);
    for line in configured.lines().filter(|line| {
        ["user.", "invisigoth.", "merge.", "notes."]
            .iter()
            .any(|key| line.starts_with(key))
    }) {
        let (key, value) = line.split_once('=').unwrap();
        sandbox.git(&["-C", &other, "config", key, value]);
    }
    let script = |id: &str| json!([reply(&whole(&format!("{id}.txt"), "1\n"))]);
    sandbox.script(json!({ "a": script("a"), "b": script("b") }));
    sandbox.ok(&["run", "a"]);
    sandbox.ok(&["-C", &other, "run", "b"]);
    sandbox.git(&[
        "fetch",
        "-q",
        &other,
        "main:theirs",
        "refs/notes/invisigoth:refs/notes/other",
    ]);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_git-invisigoth"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let merge = ["merge", "-q", "--no-edit", "theirs"];
    assert!(
        sandbox
            .command("git")
            .env("PATH", path)
            .args(merge)
            .status()
            .unwrap()
            .success()
    );
    sandbox.green();
    sandbox.git(&[
        "notes",
        "--ref",
        "invisigoth",
        "merge",
        "-q",
        "-s",
        "cat_sort_uniq",
        "other",
    ]);
    let json = sandbox.json(&["verify"]);
    assert_eq!(
        (&json["goals"], &json["notes"], &json["findings"]),
        (&json!(2), &json!(2), &json!([])),
        "{json}"
    );
}

#[test]
fn rows_that_came_back_as_they_were_are_no_divergence() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a", "b"]);
    let before = sandbox.read(HISTORY);
    sandbox.edit(HISTORY, |_| "[]\n".into());
    assert_eq!(sandbox.finds(&[]), ["a row", "b row"]);
    sandbox.ok(&["rebuild"]);
    sandbox.green();
    sandbox.edit(HISTORY, |text| text.replacen("\"tokens\":15", "\"tokens\":1", 1));
    assert_eq!(sandbox.finds(&[]), ["a row"]);
    sandbox.edit(HISTORY, |_| before.clone());
    sandbox.green();
}
