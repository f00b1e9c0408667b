//! A run that dies at some instant, and the next one: what was paid for is not paid again, what landed does not land twice.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    NOT_BAD, Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

/// A check that pauses at the first candidate that it sees, never at the base.
fn pausing() -> String {
    format!("{NOT_BAD}[ -e a.txt ] || [ -e late ] || exit 0\n{PAUSE}")
}

#[test]
fn killed_while_its_reply_is_checked_a_run_does_not_ask_for_it_again() {
    let sandbox = Sandbox::checking(&pausing());
    sandbox.script(json!({"a": [whole("a.txt", "paid for\n")]}));
    sandbox.goal("a", &[]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    running.signal(&sandbox, "KILL");
    assert_eq!(running.end().code, -1);
    assert_eq!(sandbox.landings("main"), [""; 0]);
    sandbox.git(&["fsck", "--strict"]);
    assert_eq!(sandbox.attempt("a", 1, "attempt.json")["standing"], "open");
    // Asked again, the model would say something else.
    sandbox.script(json!({"a": [whole("a.txt", "asked again\n")]}));
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (sandbox.landings("main"), sandbox.read("a.txt")),
        (vec!["a".into()], "paid for\n".into())
    );
    assert_eq!(summary["calls"], json!(0), "{summary}");
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    let note: Value = serde_json::from_str(&sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"])).unwrap();
    assert_eq!(note["attempts"], json!(1), "the record counts what was paid for once");
    sandbox.assert_sound();
}

#[test]
fn killed_in_its_second_round_a_run_goes_on_in_that_round() {
    let sandbox = Sandbox::checking(&pausing());
    let tokens = |reply: String| json!({"reply": reply, "tokens": [100, 10]});
    let repaired = |text: &str| tokens(format!("DELETE bad\n\n{}", whole("a.txt", text)));
    sandbox.script(json!({"a": [tokens(whole("bad", "x\n")), repaired("second\n")]}));
    sandbox.goal("a", &[]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    running.signal(&sandbox, "KILL");
    running.end();
    sandbox.script(json!({"a": [tokens(whole("other.txt", "x\n")), repaired("asked again\n")]}));
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (sandbox.landings("main"), sandbox.read("a.txt")),
        (vec!["a".into()], "second\n".into())
    );
    assert_eq!(summary["calls"], json!(0), "{summary}");
    let note: Value = serde_json::from_str(&sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"])).unwrap();
    assert_eq!((&note["attempts"], &note["tokens"]), (&json!(2), &json!(220)));
}

#[test]
fn a_reply_that_was_cut_before_the_kill_is_not_applied_after_it() {
    let sandbox = Sandbox::checking(&pausing());
    let cut = json!({"reply": whole("half.txt", "x\n"), "finish": "length"});
    sandbox.script(json!({"a": [cut, whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    running.signal(&sandbox, "KILL");
    running.end();
    let summary = sandbox.json(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert!(!sandbox.path("half.txt").exists());
    assert_eq!(summary["calls"], json!(0), "{summary}");
}

#[test]
fn answers_to_what_a_killed_run_asked_otherwise_stay_on_record_and_out_of_the_code() {
    let sandbox = Sandbox::checking(&pausing());
    let tokens = |reply: String| json!({"reply": reply, "tokens": [100, 10]});
    let repaired = format!("DELETE bad\n\n{}", whole("a.txt", "old\n"));
    sandbox.script(json!({"a": [tokens(whole("bad", "x\n")), tokens(repaired)]}));
    sandbox.goal("a", &[]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    running.signal(&sandbox, "KILL");
    running.end();
    let replies = [
        tokens(whole("bad", "y\n")),
        tokens(format!("DELETE bad\n\n{}", whole("b.txt", "new\n"))),
    ];
    sandbox.script(json!({"a": replies}));
    sandbox.git(&["config", "invisigoth.llm.max-tokens", "777"]);
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (sandbox.landings("main"), &summary["calls"]),
        (vec!["a".into()], &json!(2))
    );
    let note: Value = serde_json::from_str(&sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"])).unwrap();
    assert_eq!((&note["attempts"], &note["tokens"]), (&json!(4), &json!(440)));
    assert_eq!(sandbox.attempt("a", 1, "attempt.json")["taken_back"], json!([0, 1]));
    assert_eq!(sandbox.json(&["replay", "a"])["goals"][0]["verdict"], "same");
}

#[test]
fn a_goal_worded_anew_after_the_kill_is_asked_anew() {
    let sandbox = Sandbox::checking(&pausing());
    sandbox.script(json!({"a": [whole("a.txt", "to the old question\n")]}));
    sandbox.goal("a", &[]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    running.signal(&sandbox, "KILL");
    running.end();
    let worded = sandbox
        .read("memory/pending_goals.json")
        .replace("Goal a", "Another goal");
    sandbox.write("memory/pending_goals.json", worded);
    sandbox.script(json!({"a": [whole("a.txt", "to the new question\n")]}));
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (sandbox.read("a.txt").as_str(), &summary["calls"]),
        ("to the new question\n", &json!(1))
    );
}

#[test]
fn a_candidate_made_before_the_kill_lands_without_a_question() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run", "--no-merge"]);
    let candidate = sandbox.id("refs/heads/invisigoth/a");
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (sandbox.landings("main"), &summary["calls"]),
        (vec!["a".into()], &json!(0))
    );
    assert_eq!(sandbox.id("main^2"), candidate);
}

/// Every state that a kill can leave between the steps of a landing, made by hand from the state after it.
#[test]
fn killed_between_the_steps_of_a_landing_the_next_command_takes_the_steps_that_are_missing() {
    for missing in ["notes", "notes and fast-forward", "fast-forward", "clean-up"] {
        let sandbox = Sandbox::ready();
        sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
        sandbox.goal("a", &[]);
        sandbox.goal("b", &["a"]);
        sandbox.run(&["run", "a"]);
        let (landed, candidate) = (sandbox.id("main"), sandbox.id("main^2"));
        let note = sandbox.git(&["notes", "--ref", "invisigoth", "show", &candidate]);
        if missing.contains("notes") {
            sandbox.git(&["update-ref", "-d", "refs/notes/invisigoth"]);
        }
        if missing.contains("fast-forward") {
            sandbox.git(&["reset", "-q", "--hard", "main^"]);
        }
        sandbox.git(&["update-ref", "refs/invisigoth/landed/main", &landed]);
        sandbox.git(&["update-ref", "refs/heads/invisigoth/a", &candidate]);
        assert_eq!(sandbox.state("a"), "landed", "{missing}");
        let summary = sandbox.json(&["run"]);
        assert_eq!(sandbox.landings("main"), ["a", "b"], "{missing}: {summary}");
        assert_eq!(summary["calls"], json!(1), "{missing}: {summary}");
        assert_eq!(sandbox.id("main^"), landed, "{missing}: what had landed landed anew");
        assert_eq!(
            sandbox.git(&["notes", "--ref", "invisigoth", "show", &candidate]),
            note,
            "{missing}"
        );
        let left: Vec<String> = sandbox
            .refs()
            .into_keys()
            .filter(|name| name.contains("/invisigoth/"))
            .collect();
        assert_eq!(left, ["refs/invisigoth/attempts"], "{missing}");
        assert_eq!(sandbox.git(&["status", "--porcelain"]), "", "{missing}");
    }
}

#[test]
fn a_signal_stops_the_check_and_keeps_what_was_paid_for() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let sandbox = Sandbox::checking(&pausing());
        sandbox.script(json!({"a": [whole("a.txt", "paid for\n")]}));
        sandbox.goal("a", &[]);
        let mut pause = Pause::new(&sandbox);
        let running = pause.start(&sandbox, &["run"]);
        running.signal(&sandbox, signal);
        if signal == "INT" {
            // Once means: finish what is at hand.
            pause.go();
        }
        let ran = running.end();
        assert!(
            [0, code].contains(&ran.code),
            "{signal}: exit {}\n{}{}",
            ran.code,
            ran.stdout,
            ran.stderr
        );
        sandbox.assert_sound();
        sandbox.script(json!({"a": [whole("a.txt", "asked again\n")]}));
        sandbox.run(&["run"]);
        assert_eq!(
            (sandbox.landings("main"), sandbox.read("a.txt")),
            (vec!["a".into()], "paid for\n".into())
        );
        assert!(
            fs::read_dir(sandbox.repo().join(".git"))
                .unwrap()
                .all(|e| !e.unwrap().path().ends_with("index.lock"))
        );
    }
}
