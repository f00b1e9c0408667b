//! Undos, landings and rows that people took to other lines of history, or laid out anew: no divergence.

use crate::{
    support::Sandbox,
    verify::{COMPLETED, HISTORY, more},
};

impl Sandbox {
    /// Another clone, set up as this one is, with its notes.
    fn other(&self) -> String {
        let other = self.home().join("other").to_str().unwrap().to_owned();
        self.git(&["clone", "-q", ".", &other]);
        let configured = self.git(&["config", "--local", "--list"]);
        let ours = ["user.", "invisigoth.", "merge.", "notes."];
        for (key, value) in configured.lines().filter_map(|line| line.split_once('=')) {
            if ours.iter().any(|own| key.starts_with(own)) {
                self.git(&["-C", &other, "config", key, value]);
            }
        }
        self.git(&["-C", &other, "fetch", "-q", "origin", "refs/notes/*:refs/notes/*"]);
        other
    }

    /// Runs stock git where it finds the merge driver.
    fn driven(&self, args: &[&str]) {
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_git-invisigoth"));
        let path = format!(
            "{}:{}",
            program.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let out = self.command("git").env("PATH", path).args(args).output().unwrap();
        assert!(
            out.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }

    /// What a host makes of a branch by a squash: one commit with all messages as they are.
    fn squash_as_a_host(&self, branch: &str) {
        let range = format!("main..{branch}");
        let all = self.git(&["log", "--reverse", "--first-parent", "--format=* %B", &range]);
        self.git(&["switch", "-q", "main"]);
        self.git(&["merge", "-q", "--squash", branch]);
        self.commit(&format!("Topic (#3)\n\n{all}"));
    }
}

#[test]
fn an_undo_that_people_take_elsewhere_or_back_is_no_divergence() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a", "b"]);
    sandbox.git(&["branch", "release"]);
    sandbox.git(&["tag", "before"]);
    more(&sandbox, &["c"]);
    sandbox.ok(&["undo", "a", "--why", "later\n\nGoal: c"]);
    sandbox.green();
    sandbox.git(&["switch", "-q", "release"]);
    sandbox.driven(&["cherry-pick", "main"]);
    sandbox.green();
    sandbox.git(&["switch", "-q", "-C", "again", "main"]);
    sandbox.driven(&["rebase", "-q", "--force-rebase", "before"]);
    sandbox.green();
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    sandbox.ok(&["settle"]);
    sandbox.green();
    sandbox.ok(&["undo", "a"]);
    sandbox.green();
}

#[test]
fn a_squash_by_a_host_is_no_divergence_though_it_ends_with_trailers() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a"]);
    sandbox.git(&["switch", "-q", "-c", "topic"]);
    more(&sandbox, &["b", "c"]);
    sandbox.squash_as_a_host("topic");
    sandbox.green();
    sandbox.ok(&["settle"]);
    sandbox.git(&["switch", "-q", "-c", "other"]);
    more(&sandbox, &["d"]);
    sandbox.ok(&["undo", "a"]);
    sandbox.squash_as_a_host("other");
    sandbox.green();
    // The files of the squash are believed, for its trailers are those of its last commit alone.
    assert_eq!(["a", "d"].map(|goal| sandbox.state(goal)), ["held", "landed"]);
    more(&sandbox, &["e"]);
    sandbox.green();
}

#[test]
fn a_landing_that_people_pick_onto_another_line_is_theirs() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a"]);
    sandbox.git(&["branch", "release"]);
    more(&sandbox, &["b"]);
    sandbox.git(&["switch", "-q", "release"]);
    sandbox.driven(&["cherry-pick", "-m", "1", "main"]);
    let json = sandbox.json(&["verify"]);
    assert_eq!(json["findings"], serde_json::json!([]), "{json}");
    assert!(json["remarks"].to_string().contains("1 landed by people"), "{json}");
    sandbox.driven(&["merge", "-q", "--no-edit", "main"]);
    sandbox.green();
}

#[test]
fn what_another_clone_did_with_the_same_goal_is_no_divergence() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a"]);
    sandbox.git(&["branch", "feature"]);
    sandbox.git(&["switch", "-q", "feature"]);
    sandbox.write("f.txt", "f\n");
    sandbox.commit("Add f");
    sandbox.git(&["switch", "-q", "main"]);
    let other = sandbox.other();
    sandbox.ok(&["adopt", "feature"]);
    sandbox.ok(&["-C", &other, "undo", "a"]);
    sandbox.ok(&["-C", &other, "adopt", "origin/feature"]);
    sandbox.git(&["fetch", "-q", &other, "main:theirs"]);
    sandbox.driven(&["merge", "-q", "--no-edit", "theirs"]);
    let json = sandbox.json(&["verify"]);
    assert_eq!(json["findings"], serde_json::json!([]), "{json}");
    assert!(json["remarks"].to_string().contains("merged later"), "{json}");
    // The undo hangs on a commit that has a note here, which does not say so yet.
    assert!(json["remarks"].to_string().contains("without a note here"), "{json}");
}

#[test]
fn a_file_that_people_lay_out_anew_changes_no_row_and_no_note() {
    let sandbox = Sandbox::ready();
    more(&sandbox, &["a", "b"]);
    for file in [HISTORY, COMPLETED] {
        sandbox.edit(file, |text| {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            format!("{}\n", serde_json::to_string_pretty(&value).unwrap())
        });
    }
    sandbox.green();
    let notes = sandbox.id("refs/notes/invisigoth");
    sandbox.ok(&["status"]);
    sandbox.ok(&["rebuild"]);
    assert_eq!(sandbox.id("refs/notes/invisigoth"), notes);
    more(&sandbox, &["c"]);
    sandbox.green();
}
