//! `init`: what it shows; twice is as once; it commits exactly its own files and takes back exactly those.

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn it_shows_what_it_made_and_twice_is_as_once() {
    let sandbox = Sandbox::new();
    sandbox.write("invisigoth.toml", "[check]\ntest = [\"sh check.sh\"]\n");
    sandbox.commit("settings");
    assert_snapshot!(sandbox.shows(&["init", "--yes"]), @r#"
    wrote      memory/pending_goals.json
    wrote      memory/completed_goals.json
    wrote      memory/history.json
    wrote      memory/master_prompt.txt
    commit     [id]
    detected   nothing; the checks of invisigoth.toml stand
    green      the base passes its checks
    next       `git invisigoth add "what to do"`, then `git invisigoth run --dry-run`
    undo       git invisigoth init --undo
    -- exit 0
    "#);
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    assert_snapshot!(sandbox.shows(&["init", "--yes"]), @r#"
    unchanged  everything was here already
    detected   nothing; the checks of invisigoth.toml stand
    green      the base passes its checks
    next       `git invisigoth add "what to do"`, then `git invisigoth run --dry-run`
    undo       git invisigoth init --undo
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "init", "--yes"]), @r#"
    {"schema":"invisigoth.init/1","files":[],"detected":[],"checks":[],"notes":[],"base":"green","undone":false}
    -- exit 0
    "#);
    assert_eq!(sandbox.git(&["rev-parse", "HEAD"]), head);
    sandbox.assert_sound();
}

#[test]
fn it_asks_and_without_a_terminal_it_does_nothing() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.shows(&["init"]), @r#"
    -- stderr
    error: `init` asks before it writes, and there is no terminal to ask at
    hint: `git invisigoth init --yes`
    -- exit 2
    "#);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
}

#[test]
fn it_commits_exactly_its_own_files_and_takes_them_back() {
    let sandbox = Sandbox::new();
    sandbox.write("staged.txt", "s\n");
    sandbox.git(&["add", "staged.txt"]);
    sandbox.write("greet.txt", "dirty\n");
    let (config, tree) = (sandbox.read(".git/config"), sandbox.git(&["rev-parse", "HEAD^{tree}"]));
    sandbox.ok(&["init", "--yes"]);
    assert_snapshot!(sandbox.git(&["show", "--name-status", "--format=%s", "HEAD"]), @r#"
    Set up git-invisigoth

    A	invisigoth.toml
    A	memory/completed_goals.json
    A	memory/history.json
    A	memory/master_prompt.txt
    A	memory/pending_goals.json
    "#);
    let dirty = "A  staged.txt\n M greet.txt";
    let sorted = |text: &str| text.lines().rev().collect::<Vec<_>>().join("\n");
    assert_eq!(sorted(&sandbox.git(&["status", "--porcelain"])), dirty);
    assert_snapshot!(sandbox.shows(&["init", "--yes", "--undo"]), @r#"
    removed    invisigoth.toml
    removed    memory/pending_goals.json
    removed    memory/completed_goals.json
    removed    memory/history.json
    removed    memory/master_prompt.txt
    commit     [id]
    -- exit 0
    "#);
    assert_eq!(sandbox.git(&["rev-parse", "HEAD^{tree}"]), tree);
    assert_eq!(sorted(&sandbox.git(&["status", "--porcelain"])), dirty);
    assert_eq!(sandbox.read(".git/config"), config);
    sandbox.assert_sound();
}

#[test]
fn a_checkout_of_another_branch_stays_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.git(&["switch", "-q", "-c", "mine"]);
    sandbox.ok(&["init", "--yes"]);
    assert_eq!(
        sandbox.git(&["log", "-1", "--format=%s", "main"]),
        "Set up git-invisigoth"
    );
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    // Nothing is in the way of the branch that has the files now.
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["switch", "-q", "-C", "mine"]);
    sandbox.ok(&["init", "--yes", "--undo"]);
    assert!(!sandbox.git(&["ls-tree", "--name-only", "main"]).contains("memory"));
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert!(sandbox.path("memory/pending_goals.json").exists());
    sandbox.assert_sound();
}

#[test]
fn a_bare_repository_has_nowhere_to_leave_files_uncommitted() {
    let sandbox = Sandbox::new();
    sandbox.git(&["clone", "-q", "--bare", ".", "bare.git"]);
    for (key, value) in [("user.name", "a"), ("user.email", "a@b")] {
        sandbox.git(&["-C", "bare.git", "config", key, value]);
    }
    let before = sandbox.git(&["-C", "bare.git", "for-each-ref"]);
    assert_snapshot!(sandbox.shows(&["-C", "bare.git", "init", "--yes", "--no-commit"]), @r"
    -- stderr
    error: a bare repository has no working tree to leave files in
    hint: `git invisigoth init --yes` commits them
    -- exit 2
    ");
    assert_eq!(sandbox.git(&["-C", "bare.git", "for-each-ref"]), before);
}
