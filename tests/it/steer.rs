//! The commands by which a person steers the backlog: every command on a goal of every state, all of several goals or none.
//!
//! Not here: the editor, which is `edit`.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{
    NOT_BAD, Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

const BACKLOG: &str = "memory/pending_goals.json";

/// A goal in each state that stands while no run is at work, by the state's name. `paths` is held by the paths its candidate
/// touches, `person` by a person.
fn every_state() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "1"]);
    let bad = [whole("bad", "x\n"), whole("bad", "y\n")];
    sandbox.script(json!({
        "paths": [whole("Makefile", "all:\n")], "candidate": [whole("c.txt", "c\n")], "landed": [whole("l.txt", "l\n")],
        "failed": bad, "paused": bad,
    }));
    for id in [
        "proposed",
        "rejected",
        "person",
        "paths",
        "candidate",
        "ready",
        "failed",
        "paused",
        "landed",
    ] {
        sandbox.goal(id, &[]);
    }
    sandbox.goal("blocked", &["ready"]);
    sandbox.run(&["run", "landed"]);
    sandbox.run(&["run", "paths", "candidate", "paused", "--no-merge"]);
    sandbox.run(&["run", "failed", "--set", "run.max_attempts=1"]);
    sandbox.ok(&["hold", "person", "--why", "wait"]);
    sandbox.ok(&["reject", "rejected", "--why", "no use"]);
    let row = sandbox.read(BACKLOG);
    let (id, rest) = row.split_once("\"proposed\"").unwrap();
    let rest = rest.replacen(
        "\"pending\"",
        "\"proposed\",\"reason\":\"a promise\",\"evidence\":[\"greet.txt:1: hello\"]",
        1,
    );
    sandbox.write(BACKLOG, [id, "\"proposed\"", &rest].concat());
    sandbox
}

#[test]
fn what_status_says_to_type_next_works() {
    let sandbox = every_state();
    let goals = sandbox.json(&["status"])["goals"].clone();
    let next = |row: &serde_json::Value| Some(row["next"].as_str()?.strip_prefix("git invisigoth ")?.to_owned());
    let next: Vec<String> = goals.as_array().unwrap().iter().filter_map(next).collect();
    assert_eq!(
        next,
        ["merge paths", "release person", "retry failed", "approve proposed"]
    );
    for line in next {
        sandbox.ok(&line.split(' ').collect::<Vec<_>>());
    }
}

/// Everything that a command may change.
fn all(sandbox: &Sandbox) -> (String, BTreeMap<String, String>) {
    (sandbox.read(BACKLOG), sandbox.refs())
}

fn put_back(sandbox: &Sandbox, (backlog, refs): &(String, BTreeMap<String, String>)) {
    sandbox.write(BACKLOG, backlog);
    for (name, id) in refs {
        sandbox.git(&["update-ref", name, id]);
    }
}

/// What came of a command on a goal: its state then, or the hint of the error.
fn came(sandbox: &Sandbox, args: &[&str], goal: &str) -> String {
    let before = all(sandbox);
    let ran = sandbox.run(args);
    if ran.code == 0 {
        let state = sandbox.state(goal).replace('?', "gone");
        put_back(sandbox, &before);
        return state;
    }
    assert_eq!(all(sandbox), before, "{args:?} failed and changed something");
    let hint = ran.stderr.lines().find_map(|line| line.strip_prefix("hint: "));
    let hint = hint
        .unwrap_or(&ran.stderr)
        .replace("git invisigoth ", "")
        .replace(goal, "ID");
    format!("{}: {hint}", ran.code)
}

/// What each command makes of a goal in each state: the state afterwards, or exit code and hint.
const TABLE: &str = "\
approve
  proposed   ready
  rejected   ready
  person     1: `release ID`
  paths      1: `merge ID` approves and lands it
  candidate  1: `merge ID` lands it
  ready      1: `run ID`
  blocked    1: `show ID`
  paused     1: `show ID` says which cap to raise
  failed     1: `retry ID` lets it be tried again
  landed     1: `diff ID` shows what it changed, `undo ID` takes it back
  nobody     1: `list` shows them
reject
  proposed   rejected
  rejected   rejected
  person     rejected
  paths      rejected
  candidate  rejected
  ready      rejected
  blocked    rejected
  paused     rejected
  failed     rejected
  landed     1: `diff ID` shows what it changed, `undo ID` takes it back
  nobody     1: `list` shows them
hold
  proposed   1: `approve ID`, or `reject ID --why TEXT`
  rejected   1: `approve ID` takes it up after all
  person     1: `release ID`
  paths      held
  candidate  held
  ready      held
  blocked    held
  paused     held
  failed     held
  landed     1: `diff ID` shows what it changed, `undo ID` takes it back
  nobody     1: `list` shows them
release
  proposed   1: `approve ID`, or `reject ID --why TEXT`
  rejected   1: `approve ID` takes it up after all
  person     ready
  paths      1: `merge ID` approves and lands it
  candidate  1: `merge ID` lands it
  ready      1: `run ID`
  blocked    1: `show ID`
  paused     1: `show ID` says which cap to raise
  failed     1: `retry ID` lets it be tried again
  landed     1: `diff ID` shows what it changed, `undo ID` takes it back
  nobody     1: `list` shows them
retry
  proposed   1: `approve ID`, or `reject ID --why TEXT`
  rejected   1: `approve ID` takes it up after all
  person     1: `release ID`
  paths      1: `merge ID` approves and lands it
  candidate  1: `merge ID` lands it
  ready      1: `run ID`
  blocked    1: `show ID`
  paused     6: `budget raise --goals --calls 2` lets it go on
  failed     ready
  landed     1: `diff ID` shows what it changed, `undo ID` takes it back
  nobody     1: `list` shows them
comment
  proposed   proposed
  rejected   rejected
  person     held
  paths      held
  candidate  candidate
  ready      ready
  blocked    blocked
  paused     blocked
  failed     failed
  landed     1: `diff ID` shows what it changed, `undo ID` takes it back
  nobody     1: `list` shows them
drop
  proposed   gone
  rejected   gone
  person     gone
  paths      gone
  candidate  gone
  ready      gone
  blocked    gone
  paused     gone
  failed     gone
  landed     1: `diff ID` shows what it changed, `undo ID` takes it back
  nobody     1: `list` shows them
";

#[test]
fn every_command_fits_or_says_which_one_does() {
    let sandbox = every_state();
    let states = [
        "proposed",
        "rejected",
        "person",
        "paths",
        "candidate",
        "ready",
        "blocked",
        "paused",
        "failed",
        "landed",
        "nobody",
    ];
    let commands: [(&str, &[&str]); 7] = [
        ("approve", &[]),
        ("reject", &["--why", "no"]),
        ("hold", &[]),
        ("release", &[]),
        ("retry", &[]),
        ("comment", &["Mind the gap"]),
        ("drop", &["--cascade"]),
    ];
    let mut table = String::new();
    for (command, more) in commands {
        table.extend([command, "\n"]);
        for state in states {
            let args = [&[command, state], more].concat();
            table.extend([format!("  {state:<10} {}\n", came(&sandbox, &args, state))]);
        }
    }
    assert_eq!(table, TABLE);
    sandbox.assert_sound();
}

#[test]
fn several_goals_change_together_or_not_at_all() {
    let sandbox = every_state();
    let before = all(&sandbox);
    for args in [
        &["approve", "proposed", "ready"][..],
        &["approve", "proposed", "nobody"],
        &["reject", "ready", "landed", "--why", "no"],
        &["hold", "ready", "blocked", "proposed"],
        &["release", "person", "paths"],
        &["retry", "failed", "ready"],
        &["retry", "failed", "paused"],
        &["drop", "failed", "landed"],
        &["drop", "failed", "ready"],
    ] {
        let ran = sandbox.run(args);
        assert!(ran.code == 1 || ran.code == 6, "{args:?} {}", ran.code);
        assert!(ran.stderr.contains("hint: nothing was changed"), "{}", ran.stderr);
        assert_eq!(all(&sandbox), before, "{args:?}");
    }
    assert_snapshot!(sandbox.shows(&["approve", "rejected", "proposed", "rejected"]), @r#"
    approved   rejected  Goal rejected  (ready)
    approved   proposed  Goal proposed  (ready)
    -- exit 0
    "#);
    assert_eq!(
        [sandbox.state("rejected"), sandbox.state("proposed")],
        ["ready", "ready"]
    );
    assert_snapshot!(sandbox.shows(&["--json", "hold", "ready", "blocked", "--why", "later"]), @r#"
    {"schema":"invisigoth.hold/1","goals":[{"goal":"ready","description":"Goal ready","before":"ready","state":"held","reason":"later","needed_by":["blocked"]},{"goal":"blocked","description":"Goal blocked","before":"blocked","state":"held","reason":"later"}]}
    -- exit 0
    "#);
}

#[test]
fn list_and_show_tell_reasons_evidence_and_comments() {
    let sandbox = every_state();
    sandbox.ok(&["comment", "proposed", "Yes,\nplease"]);
    assert_snapshot!(sandbox.shows(&["list", "-s", "proposed", "-s", "rejected", "-s", "held"]), @r#"
    held      paths     Goal paths  (touches Makefile (it is build configura…)
    held      person    Goal person  (wait)
    proposed  proposed  Goal proposed  (a promise)
    rejected  rejected  Goal rejected  (no use)
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["show", "proposed"]), @r#"
    proposed   proposed  a promise
    asks       Goal proposed
    evidence   greet.txt:1: hello
    comment
        Yes,
        please
    next       `git invisigoth approve proposed`, or `git invisigoth reject proposed --why TEXT`
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["show", "rejected"]), @r#"
    rejected   rejected  no use
    asks       Goal rejected
    next       `git invisigoth approve rejected` takes it up after all
    -- exit 0
    "#);
}

#[test]
fn retry_makes_a_new_attempt_that_knows_why_the_last_one_failed() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.script(json!({ "a": [whole("bad", "x\n"), whole("a.txt", "a\n")] }));
    assert_eq!(sandbox.run(&["run", "--set", "run.max_attempts=1"]).code, 3);
    assert_eq!(sandbox.run(&["run", "--exit-code"]).code, 4, "a failed goal waits");
    assert_snapshot!(sandbox.shows(&["retry", "--all"]), @r#"
    retry      a  Goal a  (ready)
    -- exit 0
    "#);
    assert_eq!(sandbox.attempt("a", 1, "attempt.json")["standing"], "retried");
    assert_snapshot!(sandbox.shows(&["retry", "--all"]), @r#"
    -- stderr
    no goal has failed or is parked
    -- exit 0
    "#);
    let prompt = sandbox.ok(&["prompt", "a"]);
    assert!(
        prompt.contains("Attempt 1 failed: ") && prompt.contains("test: exit 1"),
        "{prompt}"
    );
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(sandbox.attempt("a", 2, "attempt.json")["rounds"], 1);
    sandbox.assert_sound();
}

#[test]
fn a_comment_reaches_the_prompt_also_of_an_attempt_that_is_taken_up_again() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.script(json!({ "a": [whole("bad", "x\n"), whole("a.txt", "a\n")] }));
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "1"]);
    sandbox.run(&["run"]);
    assert_eq!(sandbox.attempt("a", 1, "attempt.json")["standing"], "paused");
    assert_snapshot!(sandbox.shows(&["retry", "a"]), @r#"
    -- stderr
    error: goal a is paused: 1 of 1 model calls made; another try would pause again
    hint: `git invisigoth budget raise --goals --calls 2` lets it go on
    -- exit 6
    "#);
    sandbox.write("say.md", "Not bad.txt,\nplease\n");
    assert_snapshot!(sandbox.shows(&["comment", "a", "@say.md"]), @r#"
    comment    a  Goal a  (blocked)
    -- exit 0
    "#);
    assert_eq!(sandbox.fed(&["comment", "a", "-"], "and soon\n").code, 0);
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "9"]);
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
    sandbox.ok(&["run"]);
    let asked = sandbox.attempt("a", 1, "001.json").to_string();
    assert!(asked.contains("Not bad.txt") && asked.contains("and soon"), "{asked}");
    let again = sandbox.json(&["comment", "a", "x"]);
    assert_eq!(again["error"]["message"], "goal a has landed");
    for (args, why) in [
        (["comment", "a", " \n"], "empty"),
        (["comment", "a", "@none"], "there is no file"),
    ] {
        let ran = sandbox.run(&args);
        assert!(ran.code == 2 && ran.stderr.contains(why), "{}", ran.stderr);
    }
}

#[test]
fn what_is_held_or_dropped_while_a_run_works_at_it_does_not_land() {
    for (args, state) in [(vec!["hold", "a"], "held"), (vec!["drop", "a"], "gone")] {
        for is_here in [true, false] {
            let sandbox = Sandbox::checking(&format!("[ ! -e a.txt ] || {{ {PAUSE} }}\n{NOT_BAD}"));
            sandbox.goal("a", &[]);
            sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
            if !is_here {
                sandbox.commit("goals");
                sandbox.git(&["config", "invisigoth.land.target", "main"]);
                sandbox.git(&["switch", "-q", "-c", "mine"]);
            }
            let mut pause = Pause::new(&sandbox);
            let run = pause.start(&sandbox, &["run"]);
            assert_eq!(sandbox.state("a"), "running");
            let busy = sandbox.run(&["retry", "a"]);
            assert!(busy.stderr.contains("goal a is running"), "{}", busy.stderr);
            let ran = sandbox.run(&args);
            assert!(
                ran.code == 0 && ran.stderr.contains("it looks again before it lands"),
                "{}",
                ran.stderr
            );
            pause.go();
            let ran = run.end();
            assert_eq!(
                sandbox.landings("main"),
                Vec::<String>::new(),
                "{args:?} {is_here}: {}{}",
                ran.stdout,
                ran.stderr
            );
            let now = sandbox.run(&["show", "a"]);
            assert_eq!(now.code == 0, state == "held", "{}{}", now.stdout, now.stderr);
            if state == "gone" {
                sandbox.ok(&["drop", "a"]);
                assert!(
                    !sandbox.refs().contains_key("refs/heads/invisigoth/a"),
                    "what the run left goes too"
                );
            }
            sandbox.assert_sound();
        }
    }
}

#[test]
fn drop_takes_the_candidate_along_but_no_commit_of_a_person() {
    let sandbox = every_state();
    let candidate = sandbox.id("refs/heads/invisigoth/candidate");
    sandbox.git(&["switch", "-q", "invisigoth/paths"]);
    sandbox.write("mine.txt", "mine\n");
    sandbox.git(&["add", "mine.txt"]);
    sandbox.git(&["commit", "-q", "-m", "Mine"]);
    sandbox.git(&["switch", "-q", "main"]);
    assert_snapshot!(sandbox.shows(&["drop", "candidate", "paths"]), @r#"
    dropped    candidate  Goal candidate  (its candidate was [id])
    dropped    paths  Goal paths
    -- stderr
    branch invisigoth/paths: it has commits of yours, so it stays
    -- exit 0
    "#);
    let refs = sandbox.refs();
    assert!(!refs.contains_key("refs/heads/invisigoth/candidate"));
    assert!(refs.contains_key("refs/heads/invisigoth/paths"));
    assert_eq!(
        sandbox.attempt("candidate", 1, "attempt.json")["rounds"],
        1,
        "what was tried is kept"
    );
    assert!(!candidate.is_empty());
    assert_snapshot!(sandbox.shows(&["drop", "ready"]), @r#"
    -- stderr
    error: open goals need what would be dropped: blocked
    hint: `git invisigoth drop --cascade ready` drops it too
    -- exit 1
    "#);
    assert_snapshot!(sandbox.shows(&["drop", "ready", "--cascade"]), @r#"
    dropped    blocked  Goal blocked
    dropped    ready  Goal ready
    -- exit 0
    "#);
    sandbox.assert_sound();
}

#[test]
fn diff_is_gits_own_of_candidates_landed_commits_and_failed_attempts() {
    let sandbox = every_state();
    sandbox.git(&["config", "diff.noprefix", "true"]);
    assert_snapshot!(sandbox.shows(&["diff", "candidate"]), @r#"
    diff --git c.txt c.txt
    new file mode 100644
    index [id]..[id]
    --- /dev/null
    +++ c.txt
    @@ -0,0 +1 @@
    +c
    -- stderr
    candidate: candidate [id], which has not landed, on [id]
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["diff", "landed", "--stat"]), @r#"
     l.txt | 1 +
     1 file changed, 1 insertion(+)
    -- stderr
    landed: commit [id], which landed
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "diff", "failed"]), @r#"
    {"schema":"invisigoth.diff/1","goal":"failed","what":"attempt","attempt":1,"base":"[id]","files":[{"path":"bad","added":1,"removed":0,"became":"added","new":"[id]","bytes":[n],"hunks":[{"old":0,"new":1,"lines":[{"kind":"added","new":1,"pieces":[{"text":"x"}]}]}]}]}
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["diff", "ready"]), @r#"
    -- stderr
    error: goal ready is ready, and nothing was changed for it yet
    hint: `git invisigoth show ready` says why it is so
    -- exit 1
    "#);
    assert!(
        sandbox
            .ok(&["diff", "candidate", "--color", "always"])
            .contains("\u{1b}[")
    );
    let head = sandbox.id("main");
    sandbox.git(&["clone", "-q", "--bare", ".", "../bare"]);
    let ran = sandbox.run(&["-C", "../bare", "diff", "landed"]);
    assert!(ran.stdout.contains("+l"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.id("main"), head);
}

#[test]
fn the_target_need_not_be_checked_out() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.commit("goals");
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.git(&["switch", "-q", "-c", "mine"]);
    let before = sandbox.id("mine");
    sandbox.ok(&["hold", "a", "--why", "later"]);
    sandbox.ok(&["comment", "b", "so"]);
    sandbox.ok(&["drop", "b"]);
    assert_eq!(
        (sandbox.state("a").as_str(), sandbox.run(&["show", "b"]).code),
        ("held", 1)
    );
    assert_eq!(sandbox.id("mine"), before);
    assert_eq!(sandbox.git(&["status", "--short"]), "");
    assert_eq!(sandbox.git(&["log", "--format=%s", "mine..main"]).lines().count(), 3);
    sandbox.assert_sound();
}

#[test]
fn beside_results_that_wait_the_backlog_is_still_the_persons() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.script(json!({ "a": [whole("greet.txt", "hi\n")], "b": [whole("b.txt", "b\n")] }));
    sandbox.commit("goals");
    sandbox.write("greet.txt", "mine\n");
    sandbox.ok(&["run", "a"]);
    assert!(
        sandbox.refs().contains_key("refs/invisigoth/landed/main"),
        "results wait"
    );
    sandbox.ok(&["hold", "b"]);
    assert_eq!([sandbox.state("a"), sandbox.state("b")], ["landed", "held"]);
    assert_eq!(
        sandbox.run(&["hold", "a"]).code,
        1,
        "what landed beside the branch has landed"
    );
    sandbox.write("greet.txt", "hello\n");
    sandbox.ok(&["release", "b"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    sandbox.assert_sound();
}

#[test]
fn two_commands_at_once_both_count() {
    let sandbox = Sandbox::ready();
    let ids: Vec<String> = (0..6).map(|n| format!("g{n}")).collect();
    ids.iter().for_each(|id| sandbox.goal(id, &[]));
    let started: Vec<_> = ids.iter().map(|id| sandbox.spawn(&["hold", id, "--why", id])).collect();
    for child in started {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    for id in &ids {
        assert_eq!(sandbox.json(&["show", id])["reason"], json!(id));
    }
}

#[test]
fn a_goal_that_was_taken_back_is_released_or_rejected() {
    for back_in_row in [false, true] {
        let sandbox = Sandbox::ready();
        sandbox.goal("a", &[]);
        sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
        sandbox.ok(&["run"]);
        sandbox.git(&["revert", "--no-edit", "-m", "1", "HEAD"]);
        if !back_in_row {
            sandbox.write(BACKLOG, "[]\n");
            sandbox.git(&[
                "commit",
                "-qam",
                "Amended",
                "--amend",
                "-m",
                &format!("This reverts commit {}.", sandbox.id("HEAD~1")),
            ]);
        }
        assert_eq!(sandbox.state("a"), "held");
        let drop = sandbox.run(&["drop", "a"]);
        assert_eq!(drop.code == 0, back_in_row, "{}", drop.stderr);
        if back_in_row {
            sandbox.git(&["checkout", "-q", "--", BACKLOG]);
        }
        sandbox.ok(&["reject", "a", "--why", "not again"]);
        assert_eq!(sandbox.state("a"), "rejected");
        sandbox.git(&["checkout", "-q", "--", BACKLOG]);
        sandbox.ok(&["release", "a"]);
        assert_eq!(sandbox.state("a"), "ready");
        sandbox.script(json!({ "a": [whole("a.txt", "again\n")] }));
        sandbox.ok(&["run"]);
        assert_eq!(sandbox.landings("main"), ["a", "a"]);
        sandbox.assert_sound();
    }
}
