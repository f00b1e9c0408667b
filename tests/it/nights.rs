//! Nights: what a person does while a run goes on unattended, and input that must not end it. Nothing is lost, nothing is
//! paid for in vain, and nothing lands that a check did not pass.
//!
//! Not here: kills, which are `resume`.

use serde_json::json;

use crate::support::{NOT_BAD, Sandbox, whole};

/// Reads, as a runner of Rust tests words it, as one failing test.
const RED: &str = r#"echo "running 1 test"; echo "test t::x ... FAILED"; echo; echo "failures:"; echo "    t::x"; echo
echo "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"; exit 101
"#;
const TWO_TESTS: &str = "[check]\ntest = [\"sh red.sh\", \"sh check.sh\"]\n";

/// Goals `a` and `b`, each of which writes a file of its name.
fn two_goals(sandbox: &Sandbox) {
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")] }));
}

/// A check that does `what` in the user's checkout once `b.txt` is there.
fn meanwhile(what: &str) -> String {
    format!("if [ -e b.txt ] && [ ! -e \"$HOME/done\" ]; then : > \"$HOME/done\"; (cd \"$HOME/repo\" && {what}); fi\n")
}

fn known_red() -> Sandbox {
    let sandbox = Sandbox::set_up(NOT_BAD, TWO_TESTS);
    sandbox.write("red.sh", RED);
    sandbox.commit("a red test");
    sandbox
}

#[test]
fn a_known_red_command_hides_no_other() {
    let sandbox = known_red();
    sandbox.goal("a", &[]);
    sandbox.script(json!({ "a": [whole("bad", "x\n")] }));
    assert_eq!(sandbox.run(&["run"]).code, 3);
    assert_eq!(sandbox.landings("main"), Vec::<String>::new());
}

#[test]
fn what_was_red_stays_known_in_the_next_run() {
    let sandbox = known_red();
    two_goals(&sandbox);
    sandbox.ok(&["run", "a"]);
    sandbox.ok(&["run", "b"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
}

#[test]
fn merge_knows_what_was_red_before() {
    let sandbox = known_red();
    two_goals(&sandbox);
    sandbox.ok(&["run", "a", "--no-merge"]);
    sandbox.write("z.txt", "z\n");
    sandbox.commit("meanwhile");
    sandbox.ok(&["merge"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
}

#[test]
fn another_branch_in_the_checkout_does_not_get_what_lands() {
    let sandbox = Sandbox::checking(&meanwhile("git switch -q -c feature"));
    two_goals(&sandbox);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(sandbox.landings("feature"), Vec::<String>::new());
    assert_eq!(sandbox.git(&["status", "--short"]), "");
}

#[test]
fn a_branch_that_is_checked_out_meanwhile_does_not_move_under_its_user() {
    let sandbox = Sandbox::checking(&meanwhile("git switch -q main"));
    two_goals(&sandbox);
    sandbox.commit("goals");
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.git(&["switch", "-q", "-c", "other"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(sandbox.git(&["status", "--short"]), "");
}

#[test]
fn a_red_commit_of_a_person_fails_no_goal() {
    let check = format!(
        "{}{NOT_BAD}",
        meanwhile(": > bad && git add bad && git commit -q -m oops")
    );
    let sandbox = Sandbox::checking(&check);
    two_goals(&sandbox);
    sandbox.goal("c", &[]);
    assert_eq!(sandbox.run(&["run"]).code, 7);
    assert_eq!(sandbox.state("b"), "candidate");
    assert_eq!(sandbox.state("c"), "ready");
}

#[test]
fn a_backlog_saved_half_way_does_not_end_a_run() {
    let sandbox = Sandbox::checking(&meanwhile("echo '[{' > memory/pending_goals.json"));
    two_goals(&sandbox);
    sandbox.goal("c", &[]);
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")], "c": [whole("c.txt", "c\n")] }));
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("refs/invisigoth/landed/main"), ["a", "b", "c"]);
}

#[test]
fn a_candidate_whose_goal_was_rejected_does_not_land() {
    let sandbox = Sandbox::ready();
    two_goals(&sandbox);
    sandbox.ok(&["run", "a", "--no-merge"]);
    let rejected = sandbox
        .read("memory/pending_goals.json")
        .replacen("\"pending\"", "\"rejected\"", 1);
    sandbox.write("memory/pending_goals.json", rejected);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["b"]);
}

#[test]
fn a_goal_too_large_to_ask_keeps_no_other_from_its_turn() {
    let sandbox = Sandbox::ready();
    two_goals(&sandbox);
    let large = format!("\"prompt\":\"{}\"", "x".repeat(1_000_000));
    let backlog = sandbox
        .read("memory/pending_goals.json")
        .replacen("\"prompt\":\"\"", &large, 1);
    sandbox.write("memory/pending_goals.json", backlog);
    assert_eq!(sandbox.run(&["run"]).code, 3);
    assert_eq!(sandbox.state("a"), "failed");
    assert_eq!(sandbox.landings("main"), ["b"]);
}

#[test]
fn a_persons_commit_on_a_candidate_is_never_written_over() {
    let sandbox = Sandbox::ready();
    two_goals(&sandbox);
    sandbox.ok(&["run", "a", "--no-merge"]);
    sandbox.git(&["switch", "-q", "invisigoth/a"]);
    sandbox.write("mine.txt", "mine\n");
    sandbox.git(&["add", "mine.txt"]);
    sandbox.git(&["commit", "-q", "-m", "my own words"]);
    let mine = sandbox.id("HEAD");
    sandbox.git(&["switch", "-q", "main"]);
    assert_eq!(sandbox.run(&["run"]).code, 3);
    assert_eq!(sandbox.id("invisigoth/a"), mine);
}

#[test]
fn a_goal_taken_back_stays_so_when_an_older_branch_is_merged() {
    let sandbox = Sandbox::ready();
    two_goals(&sandbox);
    sandbox.ok(&["run", "a"]);
    sandbox.git(&["branch", "older"]);
    sandbox.git(&["revert", "-m1", "--no-edit", "HEAD"]);
    sandbox.ok(&["run", "b"]);
    sandbox.git(&["switch", "-q", "older"]);
    sandbox.write("f.txt", "f\n");
    sandbox.commit("on an older branch");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-edit", "older"]);
    assert_eq!(sandbox.state("a"), "held");
}

#[test]
fn goals_added_at_the_same_time_are_all_there() {
    let sandbox = Sandbox::ready();
    let all: Vec<_> = (0..8)
        .map(|n| sandbox.spawn(&["add", "--id", &format!("g{n}"), "a goal"]))
        .collect();
    for mut child in all {
        assert!(child.wait().unwrap().success());
    }
    let backlog = sandbox.read("memory/pending_goals.json");
    assert_eq!(backlog.matches("\"id\"").count(), 8, "{backlog}");
}

#[test]
fn a_candidate_that_somebody_looks_at_keeps_its_branch() {
    let sandbox = Sandbox::ready();
    two_goals(&sandbox);
    sandbox.ok(&["run", "a", "--no-merge"]);
    let candidate = sandbox.id("invisigoth/a");
    sandbox.git(&["worktree", "add", "-q", "../look", "invisigoth/a"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(sandbox.id("invisigoth/a"), candidate);
    sandbox.git(&["worktree", "remove", "../look"]);
    sandbox.ok(&["run"]);
    assert!(!sandbox.refs().contains_key("refs/heads/invisigoth/a"));
}

#[test]
fn a_path_that_is_held_since_a_person_said_so_during_the_run_does_not_land_by_itself() {
    let hold = r#"printf '[paths]
hold = ["b.txt"]
' >> invisigoth.toml && git commit -qm 'Hold b' invisigoth.toml"#;
    let sandbox = Sandbox::checking(&format!("{NOT_BAD}{}", meanwhile(hold)));
    sandbox.script(json!({"b": [whole("b.txt", "b\n")]}));
    sandbox.goal("b", &[]);
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(sandbox.landings("main").is_empty());
    assert_eq!(sandbox.state("b"), "held");
    sandbox.ok(&["merge", "b"]);
    assert_eq!(sandbox.landings("main"), ["b"]);
    sandbox.assert_sound();
}
