//! `undo` beside a checkout that cannot follow, while the target moves, and where the process dies.
//!
//! Not here: what is undone and what is refused, which is `undo`.

use serde_json::json;

use crate::{
    support::{
        Sandbox,
        pause::{PAUSE, Pause},
        whole,
    },
    undo::landed,
};

#[test]
fn beside_a_dirty_checkout_it_waits_and_is_done_anew_when_the_branch_moves() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[]), ("b", &["a"])]);
    sandbox.script(json!({"c": [whole("c.txt", "c\n")]}));
    sandbox.goal("needs-b", &["b"]);
    sandbox.commit("another goal");
    // Files that the undo deletes are changed here.
    sandbox.write("b.txt", "mine\n");
    let (head, dirty) = (sandbox.id("main"), sandbox.git(&["status", "--porcelain=v2"]));
    let ran = sandbox.run(&["undo", "b", "--why", "wrong"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("results are beside the branch"), "{}", ran.stdout);
    assert_eq!(
        (sandbox.id("main"), sandbox.git(&["status", "--porcelain=v2"])),
        (head, dirty)
    );
    assert_eq!([sandbox.state("b"), sandbox.state("needs-b")], ["held", "blocked"]);
    assert!(
        sandbox.json(&["show", "b"])["reason"]
            .as_str()
            .unwrap()
            .ends_with("wrong")
    );
    // His work is another one, and goes on the branch.
    sandbox.git(&["restore", "b.txt"]);
    sandbox.write("mine.txt", "mine\n");
    sandbox.commit("mine");
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(!sandbox.path("b.txt").exists() && sandbox.path("mine.txt").exists());
    assert_eq!([sandbox.state("b"), sandbox.state("a")], ["held", "landed"]);
    assert!(
        sandbox.json(&["show", "b"])["reason"]
            .as_str()
            .unwrap()
            .ends_with("wrong")
    );
    let waiting = [
        "refs/invisigoth/undone",
        "refs/invisigoth/landed",
        "refs/invisigoth/base",
    ];
    assert_eq!(sandbox.git(&[&["for-each-ref"][..], &waiting].concat()), "");
    sandbox.assert_sound();
}

#[test]
fn what_landed_and_was_undone_beside_the_branch_does_not_start_again_by_itself() {
    for diverges in [false, true] {
        let sandbox = Sandbox::ready();
        sandbox.script(json!({"a": [whole("greet.txt", "a\n")]}));
        sandbox.goal("a", &[]);
        sandbox.commit("the goal");
        sandbox.write("greet.txt", "mine\n");
        sandbox.ok(&["run"]);
        assert_eq!(sandbox.state("a"), "landed");
        sandbox.ok(&["undo", "a"]);
        assert_eq!(sandbox.state("a"), "held", "beside");
        if diverges {
            sandbox.git(&["add", "greet.txt"]);
            sandbox.git(&["commit", "-q", "-m", "mine"]);
        } else {
            sandbox.git(&["restore", "greet.txt"]);
        }
        let ran = sandbox.json(&["run"]);
        assert_eq!(ran["calls"], json!(0), "{ran}");
        assert_eq!(sandbox.state("a"), "held", "on the branch");
        assert_eq!(sandbox.read("greet.txt"), if diverges { "mine\n" } else { "hello\n" });
        assert!(!sandbox.refs().contains_key("refs/heads/invisigoth/a"));
        sandbox.assert_sound();
    }
}

#[test]
fn a_target_that_moves_meanwhile_is_not_overwritten() {
    let sandbox = Sandbox::checking(&format!("[ ! -e \"$HOME/armed\" ] || {{\n{PAUSE}\n}}\n"));
    landed(&sandbox, &[("a", &[])]);
    // Code that was not judged yet.
    sandbox.write("z.txt", "z\n");
    sandbox.commit("more");
    let mut pause = Pause::new(&sandbox);
    std::fs::write(sandbox.home().join("armed"), "").unwrap();
    let running = pause.start(&sandbox, &["undo", "a"]);
    sandbox.write("meanwhile.txt", "x\n");
    sandbox.git(&["add", "meanwhile.txt"]);
    sandbox.git(&["commit", "-q", "-m", "meanwhile"]);
    pause.go();
    let ran = running.end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.git(&["log", "-2", "--format=%s"]), "Undo a: Goal a\nmeanwhile");
    assert!(sandbox.path("meanwhile.txt").exists() && !sandbox.path("a.txt").exists());
}

#[test]
fn killed_before_the_notes_the_next_command_writes_them_and_rebuild_unites_both() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    let notes = sandbox.id("refs/notes/invisigoth");
    sandbox.ok(&["undo", "a"]);
    let whole = sandbox.git(&["show", "refs/notes/invisigoth^{tree}"]);
    sandbox.git(&["update-ref", "refs/notes/invisigoth", &notes]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.git(&["show", "refs/notes/invisigoth^{tree}"]), whole);

    let full = sandbox.read("memory/history.json");
    sandbox.write("memory/history.json", "[]\n");
    sandbox.commit("Lose the mirror");
    assert_eq!(sandbox.json(&["rebuild"])["rows_added"], json!(2));
    assert_eq!(sandbox.read("memory/history.json"), full);
}

#[test]
fn an_undo_on_one_line_of_history_holds_where_lines_are_merged() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[]), ("b", &[])]);
    let driver = format!("{} merge-driver %O %A %B %P", env!("CARGO_BIN_EXE_git-invisigoth"));
    sandbox.git(&["config", "merge.invisigoth.driver", &driver]);
    sandbox.git(&["branch", "colleague"]);
    sandbox.ok(&["undo", "a"]);
    sandbox.git(&["switch", "-q", "colleague"]);
    sandbox.goal("c", &[]);
    sandbox.commit("his goal");
    sandbox.script(json!({"c": [whole("c.txt", "c\n")]}));
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.state("a"), "landed", "there");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-edit", "colleague"]);
    let states = ["a", "b", "c"].map(|goal| sandbox.state(goal));
    assert_eq!(states, ["held", "landed", "landed"]);
}

#[test]
fn what_waits_beside_a_checkout_cannot_be_released_there_and_says_so() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    sandbox.write("a.txt", "mine\n");
    sandbox.ok(&["undo", "a"]);
    for args in [&["release", "a"][..], &["comment", "a", "why"]] {
        let ran = sandbox.run(args);
        let said = "error: goal a came back by results that your checkout does not have yet";
        assert_eq!((ran.code, ran.stderr.lines().next()), (5, Some(said)), "{args:?}");
    }
    sandbox.git(&["checkout", "-q", "a.txt"]);
    sandbox.ok(&["settle"]);
    sandbox.ok(&["release", "a"]);
}

#[test]
fn rebuilding_beside_a_checkout_notes_where_results_began_to_wait() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[])]);
    sandbox.write("memory/history.json", "[]\n");
    sandbox.commit("Lose the mirror");
    sandbox.write("memory/history.json", "[]\n\n");
    let (head, rebuilt) = (sandbox.id("main"), sandbox.json(&["rebuild"]));
    assert_eq!(rebuilt["rows_added"], json!(1));
    assert!(
        rebuilt["beside"].as_str().unwrap().contains("history.json"),
        "{rebuilt}"
    );
    assert_eq!(sandbox.id("refs/invisigoth/base/main"), head);
}

#[test]
fn locks_that_a_killed_command_left_on_refs_of_ours_hinder_nobody() {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[]), ("b", &[])]);
    let lock = |name: &str| sandbox.path(&format!(".git/{name}.lock"));
    let ours = [
        "refs/invisigoth/landed/main",
        "refs/invisigoth/base/main",
        "refs/invisigoth/attempts",
        "refs/heads/invisigoth/a",
        "refs/notes/invisigoth",
        "refs/notes/invisigoth-tested",
    ];
    for name in ours {
        std::fs::create_dir_all(lock(name).parent().unwrap()).unwrap();
        std::fs::write(lock(name), "").unwrap();
    }
    std::fs::write(lock("refs/heads/other"), "").unwrap();
    sandbox.ok(&["undo", "a"]);
    assert_eq!(sandbox.state("a"), "held");
    assert!(ours.iter().all(|name| !lock(name).exists()));
    assert!(lock("refs/heads/other").exists(), "not ours");

    // Where nobody has the target checked out, its lock says what it was for.
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.git(&["switch", "-q", "-c", "elsewhere"]);
    std::fs::write(lock("refs/heads/main"), format!("{}\n", sandbox.id("main"))).unwrap();
    sandbox.ok(&["undo", "b"]);
    assert_eq!(sandbox.state("b"), "held");
}

/// Two lines of history after `a` and `b` landed: what `colleague` does there, then what is done on `main`, merged.
fn merged(theirs: impl FnOnce(&Sandbox), ours: impl FnOnce(&Sandbox)) -> Sandbox {
    let sandbox = Sandbox::ready();
    landed(&sandbox, &[("a", &[]), ("b", &[])]);
    let driver = format!("{} merge-driver %O %A %B %P", env!("CARGO_BIN_EXE_git-invisigoth"));
    sandbox.git(&["config", "merge.invisigoth.driver", &driver]);
    sandbox.git(&["switch", "-q", "-c", "colleague"]);
    theirs(&sandbox);
    sandbox.git(&["switch", "-q", "main"]);
    ours(&sandbox);
    sandbox.git(&["merge", "-q", "--no-edit", "colleague"]);
    sandbox
}

#[test]
fn two_that_undo_the_same_goal_both_stay_on_record() {
    let sandbox = merged(
        |there| _ = there.ok(&["undo", "a", "--why", "theirs"]),
        |here| _ = here.ok(&["undo", "a", "--why", "ours"]),
    );
    let history = sandbox.read("memory/history.json");
    assert!(
        history.contains("\"theirs\"") && history.contains("\"ours\""),
        "{history}"
    );
    assert_eq!(sandbox.state("a"), "held");
    sandbox.ok(&["verify"]);
}

#[test]
fn work_that_a_merge_left_out_has_not_landed_though_one_line_landed_it_anew() {
    let sandbox = merged(
        |there| {
            there.ok(&["undo", "a"]);
            there.ok(&["release", "a"]);
            there.script(json!({"a": [whole("a.txt", "x\n")]}));
            there.ok(&["run"]);
        },
        |here| _ = here.ok(&["undo", "a"]),
    );
    assert!(!sandbox.path("a.txt").exists(), "git takes our side");
    assert_eq!(sandbox.state("a"), "held");
    let sandbox = merged(
        |there| {
            there.ok(&["undo", "a"]);
            there.ok(&["release", "a"]);
            there.script(json!({"a": [whole("other.txt", "something else\n")]}));
            there.ok(&["run"]);
        },
        |here| _ = here.ok(&["undo", "a"]),
    );
    assert!(sandbox.path("other.txt").exists());
    assert_eq!(sandbox.state("a"), "landed");
}
