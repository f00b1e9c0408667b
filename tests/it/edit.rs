//! `edit`: a goal in an editor that behaves, and in editors that do not.
//!
//! Not here: what a sheet says, which is `src/backlog/sheet`.

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Ran, Sandbox, shown::shown, whole};

const BACKLOG: &str = "memory/pending_goals.json";
const ROW: &str = r#"{"odd":1.50,"id":"a","description":"Goal a","prompt":"One\ntwo\n","x":{"y":[null]}}"#;

fn one_goal() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.write(
        BACKLOG,
        format!("[\n{ROW},\n{}\n]\n", r#"{"id":"b","description":"Goal b"}"#),
    );
    sandbox
}

/// Runs `edit a` with `script` as editor: a line of shell in which `$1` is the file.
fn edit(sandbox: &Sandbox, script: &str) -> Ran {
    let path = sandbox.home().join("editor.sh");
    fs::write(&path, script).unwrap();
    sandbox.run_with(&["edit", "a"], &[("GIT_EDITOR", &format!("sh {}", path.display()))])
}

/// The texts that were kept.
fn kept(sandbox: &Sandbox) -> Vec<String> {
    let folder = sandbox.path(".git/invisigoth/edit");
    let files = fs::read_dir(folder).into_iter().flatten();
    files
        .map(|file| String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap()).into_owned())
        .collect()
}

#[test]
fn it_changes_what_was_edited_and_no_other_byte() {
    let sandbox = one_goal();
    let ran = edit(
        &sandbox,
        r#"cp "$1" "$HOME/seen"; sed -i -e 's/^two$/three/' -e 's/^priority.*/priority = 3/' "$1""#,
    );
    assert_snapshot!(shown(&ran, sandbox.home()), @r#"
    edited     a  Goal a  (ready)
    -- exit 0
    "#);
    assert_snapshot!(fs::read_to_string(sandbox.home().join("seen")).unwrap(), @r#"
    # Goal a. Save and leave to change it; an empty file changes nothing.
    # Also read: labels, model, executor, max_attempts, budget_usd, reason, comments.
    description = "Goal a"
    prompt = '''
    One
    two
    '''
    filename = ""
    files = []
    acceptance = []
    dependencies = []
    priority = 0
    status = "pending"  # pending, proposed, rejected or held
    odd = 1.5
    # Not shown, and kept: x
    "#);
    assert_snapshot!(sandbox.read(BACKLOG), @r#"
    [
    {"odd":1.50,"id":"a","description":"Goal a","prompt":"One\nthree\n","x":{"y":[null]},"priority":3},
    {"id":"b","description":"Goal b"}
    ]
    "#);
    assert_eq!(kept(&sandbox), Vec::<String>::new());
    let json = sandbox.run_with(
        &["--json", "edit", "a"],
        &[("GIT_EDITOR", "sed -i \"/^prompt/,/^'''/d\"")],
    );
    assert_snapshot!(shown(&json, sandbox.home()), @r#"
    {"schema":"invisigoth.edit/1","goal":"a","description":"Goal a","before":"ready","state":"ready","changed":["prompt"]}
    -- exit 0
    "#);
}

#[test]
fn the_editor_is_the_one_that_git_opens() {
    let sandbox = one_goal();
    sandbox.git(&["config", "core.editor", "sed -i 's/Goal a/by core.editor/'"]);
    let environments: [&[(&str, &str)]; 2] = [
        &[("VISUAL", "false"), ("EDITOR", "false"), ("TERM", "xterm")],
        &[
            ("GIT_EDITOR", "sed -i 's/by core.editor/by GIT_EDITOR/'"),
            ("GIT_INDEX_FILE", "/nowhere"),
        ],
    ];
    for (environment, description) in environments.into_iter().zip(["by core.editor", "by GIT_EDITOR"]) {
        let ran = sandbox.run_with(&["edit", "a"], environment);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(sandbox.read(BACKLOG).contains(description));
    }
    sandbox.git(&["config", "--unset", "core.editor"]);
    assert_snapshot!(shown(&sandbox.run_with(&["edit", "a"], &[("TERM", "dumb")]), sandbox.home()), @r#"
    -- stderr
    error: git knows no editor for this terminal
    hint: `git config core.editor NAME` chooses one
    -- exit 1
    "#);
    assert_snapshot!(shown(&sandbox.run_with(&["edit", "a"], &[("EDITOR", "no-such-editor")]), sandbox.home()), @r#"
    -- stderr
    no-such-editor: 1: no-such-editor: not found
    error: the editor `no-such-editor` ended with 127; nothing was changed
    hint: `git config core.editor NAME` chooses one
    -- exit 1
    "#);
}

#[test]
fn an_editor_that_does_not_do_changes_nothing() {
    let sandbox = one_goal();
    let before = sandbox.read(BACKLOG);
    // The script, the exit code, what is said, and whether a text is kept.
    for (script, code, said, is_kept) in [
        ("", 0, "nothing was changed", false),
        (": > \"$1\"", 0, "nothing was changed", false),
        ("rm \"$1\"", 0, "nothing was changed", false),
        ("echo '# x' > \"$1\"", 0, "nothing was changed", false),
        ("exit 3", 1, "ended with 3; nothing was changed", false),
        ("echo 'mine = 1' >> \"$1\"; exit 3", 1, "your text is in ", true),
        (
            "echo 'mine = 1' >> \"$1\"; kill -9 $PPID; kill -9 $$",
            1,
            "ended with 137",
            true,
        ),
        ("echo 'mine = ' >> \"$1\"", 1, "nothing was changed: ", true),
        ("printf 'mine = \"\\377\"' >> \"$1\"", 1, "UTF-8", true),
        (
            "grep -q '^id' \"$1\" || echo 'id = \"b\"' >> \"$1\"",
            1,
            "the id of a goal cannot change",
            true,
        ),
        (
            "sed -i 's/^dep.*/dependencies = [\"nobody\"]/' \"$1\"",
            1,
            "depends on `nobody`, which is no goal",
            true,
        ),
        (
            "sed -i 's/^dep.*/dependencies = [\"a\"]/' \"$1\"",
            1,
            "depends on itself",
            true,
        ),
    ] {
        let ran = edit(&sandbox, script);
        assert_eq!(ran.code, code, "{script}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{script}: {}", ran.stderr);
        assert_eq!(sandbox.read(BACKLOG), before, "{script}");
        assert_eq!(kept(&sandbox).len(), usize::from(is_kept), "{script}");
        for text in kept(&sandbox) {
            assert!(script.contains("377") || text.contains("One\ntwo"), "{script}: {text}");
        }
        let _ = fs::remove_dir_all(sandbox.path(".git/invisigoth/edit"));
    }
    sandbox.assert_sound();
}

#[test]
fn broken_twice_then_good_is_opened_again_with_what_is_wrong_on_top() {
    let sandbox = one_goal();
    let script = r#"
n=$(cat "$HOME/n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$HOME/n"; cp "$1" "$HOME/seen$n"
case $n in
1) sed -i 's/^priority = 0/priority = "high"/; s/^two$/mine/' "$1" ;;
2) sed -i 's/^priority = .*/priority = /' "$1" ;;
*) sed -i 's/^priority = .*/priority = 2/' "$1" ;;
esac"#;
    let ran = edit(&sandbox, script);
    assert_eq!((ran.code, ran.stdout.contains("edited")), (0, true), "{}", ran.stderr);
    let seen = |n: u32| fs::read_to_string(sandbox.home().join(format!("seen{n}"))).unwrap();
    assert_snapshot!(seen(2), @r#"
    # error: line 15: `priority`: invalid type: string "high", expected i64
    # Mend it and save; leave the file as it is, or empty, to change nothing.

    # Goal a. Save and leave to change it; an empty file changes nothing.
    # Also read: labels, model, executor, max_attempts, budget_usd, reason, comments.
    description = "Goal a"
    prompt = '''
    One
    mine
    '''
    filename = ""
    files = []
    acceptance = []
    dependencies = []
    priority = "high"
    status = "pending"  # pending, proposed, rejected or held
    odd = 1.5
    # Not shown, and kept: x
    "#);
    assert_snapshot!(seen(3).lines().take(3).collect::<Vec<_>>().join("\n"), @r#"
    # error: line 15: string values must be quoted, expected literal string
    # Mend it and save; leave the file as it is, or empty, to change nothing.
    "#);
    let goal = sandbox.json(&["show", "a"])["goal"].clone();
    assert_eq!((&goal["priority"], &goal["prompt"]), (&json!(2), &json!("One\nmine\n")));
    assert!(!sandbox.path(".git/invisigoth/edit").read_dir().unwrap().any(|_| true));
}

#[test]
fn what_others_do_meanwhile_stays() {
    let sandbox = one_goal();
    let exe = env!("CARGO_BIN_EXE_git-invisigoth");
    let ran = edit(
        &sandbox,
        &format!("{exe} hold b; {exe} add C --id c; sed -i 's/Goal a/Goal A/' \"$1\""),
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (first, second) = (sandbox.json(&["show", "a"]), sandbox.state("b"));
    assert_eq!(
        (&first["goal"]["description"], second.as_str()),
        (&json!("Goal A"), "held")
    );
    assert_eq!(sandbox.state("c"), "ready");
    let ran = edit(
        &sandbox,
        &format!("{exe} comment a other; echo 'labels = [\"mine\"]' >> \"$1\""),
    );
    assert!(
        ran.code == 8
            && ran.stderr.contains("goal a was changed by others meanwhile")
            && ran.stderr.contains("hint: `git invisigoth edit a` opens it"),
        "{}",
        ran.stderr
    );
    assert!(kept(&sandbox).concat().contains("labels = [\"mine\"]"));
    let ran = edit(&sandbox, &format!("{exe} drop a; echo 'labels = [\"mine\"]' >> \"$1\""));
    assert!(
        ran.code == 1 && ran.stderr.contains("there is no goal a"),
        "{}",
        ran.stderr
    );
    assert_eq!(kept(&sandbox).len(), 2);
}

#[test]
fn it_opens_no_editor_for_a_goal_that_is_not_open_and_a_failed_one_is_ready_once_reworded() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.script(json!({ "a": [whole("bad", "x\n")] }));
    sandbox.run(&["run", "--set", "run.max_attempts=1"]);
    assert_eq!(sandbox.state("a"), "failed");
    let ran = edit(&sandbox, "sed -i 's/^priority.*/priority = 1/' \"$1\"");
    assert!(
        ran.stdout.contains("(failed"),
        "what it asks is as it was: {}",
        ran.stdout
    );
    let ran = edit(&sandbox, "sed -i 's/Goal a/Goal A/' \"$1\"");
    assert!(ran.stdout.contains("(ready)"), "{}", ran.stdout);
    sandbox.script(json!({ "a": [whole("a.txt", "x\n")] }));
    sandbox.ok(&["run"]);
    for (id, said) in [("a", "goal a has landed"), ("zz", "there is no goal zz")] {
        let ran = sandbox.run_with(&["edit", id], &[("GIT_EDITOR", "touch ../opened; true")]);
        assert!(ran.code == 1 && ran.stderr.contains(said), "{}", ran.stderr);
        assert!(!sandbox.home().join("opened").exists());
    }
}

#[test]
fn with_the_target_elsewhere_it_is_a_commit() {
    let sandbox = one_goal();
    sandbox.commit("goals");
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.git(&["switch", "-q", "-c", "mine"]);
    assert_eq!(edit(&sandbox, "sed -i 's/Goal a/Goal A/' \"$1\"").code, 0);
    assert!(
        sandbox
            .git(&["show", "main:memory/pending_goals.json"])
            .contains("Goal A")
    );
    let moved = "sed -i 's/Goal A/Goal AA/' \"$1\"; git branch -f main HEAD";
    let ran = edit(&sandbox, moved);
    assert!(
        ran.code == 8 && ran.stderr.contains("changed by others"),
        "the target went back: {}",
        ran.stderr
    );
    assert_eq!(sandbox.git(&["status", "--short"]), "");
    sandbox.assert_sound();
}

#[test]
fn what_an_editor_adds_by_itself_is_no_change() {
    let sandbox = one_goal();
    let before = sandbox.read(BACKLOG);
    let foreign = r#"sed -i -e 's/$/\r/' -e '1s/^/\xef\xbb\xbf/' "$1""#;
    let ran = edit(&sandbox, foreign);
    assert_snapshot!(shown(&ran, sandbox.home()), @r"
    -- stderr
    nothing was changed
    -- exit 0
    ");
    assert_eq!(sandbox.read(BACKLOG), before);
    let ran = edit(&sandbox, &format!("sed -i 's/^two$/three/' \"$1\"; {foreign}"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(sandbox.read(BACKLOG).contains(r#""prompt":"One\nthree\n""#));
    // Wrong at first: the mark must not stand behind what is put on top.
    let twice = format!(
        "if [ -e \"$HOME/again\" ]; then sed -i 's/^priority.*/priority = 4/' \"$1\"; else touch \"$HOME/again\"; \
         sed -i 's/^priority.*/priority = \"high\"/' \"$1\"; fi; {foreign}"
    );
    let ran = edit(&sandbox, &twice);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(sandbox.read(BACKLOG).contains("\"priority\":4"));
}

#[test]
fn who_leaves_a_wrong_text_as_it_is_has_given_up() {
    let sandbox = one_goal();
    let script =
        "echo x >> \"$HOME/opened\"; grep -q high \"$1\" || sed -i 's/^priority.*/priority = \"high\"/' \"$1\"";
    assert_eq!(edit(&sandbox, script).code, 1);
    assert_eq!(fs::read_to_string(sandbox.home().join("opened")).unwrap(), "x\nx\n");
    assert_eq!(kept(&sandbox).len(), 1);
}
