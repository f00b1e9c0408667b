//! The invariants 7 to 10 of `docs/ARCHITECTURE.md`, about replies and what is kept of them, seen from outside.

use std::{fs, path::Path};

use serde_json::json;

use crate::support::{Sandbox, whole};

/// Invariant 7: what no reply may touch.
#[test]
fn a_reply_cannot_weaken_its_gate() {
    let sandbox = Sandbox::ready();
    let denied = [
        "invisigoth.toml",
        ".github/workflows/ci.yml",
        "memory/pending_goals.json",
        "memory/master_prompt.txt",
        ".gitattributes",
        ".git/hooks/pre-commit",
        "AGENTS.md",
        ".vscode/tasks.json",
        ".env",
    ];
    for (at, path) in denied.iter().enumerate() {
        let goal = format!("g{at}");
        let reply = format!(
            "{}\n{}",
            whole("ok.txt", "x\n"),
            whole(path, "[check]\ntest = [\"true\"]\n")
        );
        sandbox.script(json!({&goal: [reply]}));
        sandbox.goal(&goal, &[]);
        let ran = sandbox.run(&["run"]);
        assert_eq!(ran.code, 3, "{path}: {}{}", ran.stdout, ran.stderr);
        let failed = sandbox.attempt(&goal, 1, "attempt.json");
        assert!(failed["reason"].as_str().unwrap().contains(path), "{path}: {failed}");
        assert!(
            !sandbox.code("HEAD").iter().any(|line| line.ends_with("\tok.txt")),
            "half of a reply landed"
        );
        fs::remove_file(sandbox.path("memory/pending_goals.json")).unwrap();
        sandbox.git(&["checkout", "-q", "--", "."]);
    }
}

/// Invariant 7: what a person must see first.
#[test]
fn build_files_and_weakened_tests_are_held_until_somebody_approves_them_by_name() {
    let tests = "def test_one():\n    assert 1\n\ndef test_two():\n    assert 2\n";
    let cases = [
        ("makefile", whole("Makefile", "all:\n")),
        ("package", whole("package.json", "{}\n")),
        ("conftest", whole("sub/conftest.py", "x = 1\n")),
        ("deleted", "DELETE test_x.py\n".to_owned()),
        ("shrunk", whole("test_x.py", "def test_one():\n    assert 1\n")),
        (
            "skipped",
            whole(
                "test_x.py",
                &tests.replace("def test_two", "@pytest.mark.skip\ndef test_two"),
            ),
        ),
    ];
    for (goal, reply) in cases {
        let sandbox = Sandbox::ready();
        sandbox.write("test_x.py", tests);
        sandbox.commit("tests");
        sandbox.script(json!({goal: [reply]}));
        sandbox.goal(goal, &[]);
        let code = sandbox.code("HEAD");
        let ran = sandbox.run(&["run"]);
        assert_eq!(ran.code, 5, "{goal}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(sandbox.state(goal), "held");
        for args in [&["merge"][..], &["run"]] {
            sandbox.run(args);
            assert_eq!(sandbox.code("HEAD"), code, "{goal} landed by {args:?} without approval");
        }
        sandbox.ok(&["merge", goal]);
        assert_ne!(sandbox.code("HEAD"), code, "{goal}");
        assert_eq!(sandbox.state(goal), "landed");
    }
}

/// Invariant 7: commands come from the target, whatever a candidate brings along.
#[test]
fn the_gate_is_the_targets_never_the_candidates() {
    let sandbox = Sandbox::ready();
    // A reply that writes what the gate runs passes by its own word, and waits for a person.
    let script = format!("{}\n{}", whole("check.sh", "true\n"), whole("bad", "x\n"));
    sandbox.script(json!({"late": [whole("late.txt", "x\n")], "script": [script]}));
    sandbox.goal("script", &[]);
    sandbox.run(&["run", "script"]);
    assert_eq!(sandbox.state("script"), "held");
    assert!(!sandbox.path("bad").exists());
    sandbox.goal("sly", &[]);
    sandbox.goal("soft", &[]);
    sandbox.goal("late", &[]);
    sandbox.ok(&["run", "late", "--no-merge"]);
    // Candidates that somebody else made, with a gate of their own.
    for (goal, brings) in [("sly", "bad"), ("soft", "good")] {
        sandbox.git(&["switch", "-q", "-c", &format!("invisigoth/{goal}")]);
        sandbox.write(brings, "x\n");
        sandbox.write("invisigoth.toml", "[check]\ntest = [\"true\"]\n");
        sandbox.git(&["add", brings, "invisigoth.toml"]);
        sandbox.git(&["commit", "-q", "-m", goal, "--trailer", &format!("Goal: {goal}")]);
        sandbox.git(&["switch", "-q", "main"]);
        let ran = sandbox.run(&["merge", goal]);
        assert_eq!(ran.code, 5, "{goal}: {}{}", ran.stdout, ran.stderr);
        assert!(!sandbox.path(brings).exists(), "{goal} landed");
        assert!(
            sandbox.read("invisigoth.toml").contains("check.sh"),
            "{goal} brought its gate"
        );
    }
    // One that passed, and a gate that a person made stricter since.
    sandbox.write(
        "invisigoth.toml",
        "[check]\ntest = [\"sh check.sh\", \"test ! -e late.txt\"]\n",
    );
    sandbox.commit("Stricter");
    let ran = sandbox.run(&["merge", "late"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), [""; 0]);
}

/// Invariant 8.
#[test]
fn every_attempt_leaves_a_record_with_its_cost() {
    let sandbox = Sandbox::ready();
    let bad = json!({"reply": whole("bad", "x\n"), "tokens": [1200, 80]});
    let useless = json!({"reply": "I would rather not.", "tokens": [1300, 7]});
    sandbox.script(json!({"a": [bad, useless]}));
    sandbox.goal("a", &[]);
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let failed = sandbox.attempt("a", 1, "attempt.json");
    assert_eq!((&failed["standing"], &failed["rounds"]), (&json!("failed"), &json!(3)));
    assert_eq!(failed["usage"]["prompt_tokens"], json!(1200 + 1300 + 1300));
    assert_eq!(failed["usage"]["completion_tokens"], json!(80 + 7 + 7));
    assert_eq!(failed["usage"]["cost_usd"], json!(0.0));
    assert!(failed["reason"].as_str().unwrap().contains("reply"), "{failed}");
    for call in ["000.json", "001.json", "002.json"] {
        assert!(
            sandbox.attempt("a", 1, call)["request"]["messages"].is_array(),
            "{call}"
        );
    }
    // Worded anew, it runs again, and the first record stays.
    let pending = sandbox
        .read("memory/pending_goals.json")
        .replace("Goal a", "Goal a, better");
    sandbox.write("memory/pending_goals.json", pending);
    sandbox.script(json!({"a": [whole("a.txt", "x\n")]}));
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.attempt("a", 1, "attempt.json"), failed);
    assert_eq!(sandbox.attempt("a", 2, "attempt.json")["rounds"], json!(1));
}

/// Returns the files below `folder` that hold `needle`.
fn holding(folder: &Path, needle: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            holding(&path, needle, found);
        } else if fs::read(&path).is_ok_and(|text| String::from_utf8_lossy(&text).contains(needle)) {
            found.push(path.display().to_string());
        }
    }
}

/// Invariant 9.
#[test]
fn what_leaves_went_through_the_redactor() {
    const CANARY: &str = "sk-or-v1-canary0123456789";
    let sandbox = Sandbox::checking("env > \"$HOME/env.txt\"; [ ! -e bad ] || { cat \"$HOME/key.txt\"; exit 1; }\n");
    fs::write(sandbox.home().join("key.txt"), format!("the key is {CANARY}\n")).unwrap();
    let repaired = format!("DELETE bad\n\n{}", whole("a.txt", "a\n"));
    sandbox.script(json!({
        // A check prints the key, a reply says it, a reply writes it into a file.
        "a": [whole("bad", "x\n"), repaired],
        "b": [format!("I saw {CANARY}\n\n{}", whole("b.txt", CANARY)), whole("b.txt", "b\n")],
        "c": [whole("c.txt", CANARY)],
    }));
    for goal in ["a", "b", "c"] {
        sandbox.goal(goal, &[]);
    }
    let mut said = String::new();
    for args in [
        &["--json", "run"][..],
        &["show", "a"],
        &["show", "c"],
        &["log"],
        &["prompt", "c"],
        &["doctor"],
    ] {
        let output = sandbox
            .invisigoth(args)
            .env("OPENROUTER_API_KEY", CANARY)
            .output()
            .unwrap();
        said.push_str(&String::from_utf8_lossy(&output.stdout));
        said.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(sandbox.landings("main"), ["a", "b"], "{said}");
    assert!(!said.contains(CANARY), "{said}");
    let objects = sandbox
        .sh("git", &["cat-file", "--batch-all-objects", "--batch"])
        .stdout;
    assert!(
        objects.contains("Goal a") && objects.contains("the key is"),
        "nothing was recorded"
    );
    assert!(!objects.contains(CANARY), "an object holds the key");
    let mut found = Vec::new();
    holding(&sandbox.repo(), CANARY, &mut found);
    holding(&sandbox.home().join(".cache"), CANARY, &mut found);
    assert_eq!(found, [""; 0]);
    let env = fs::read_to_string(sandbox.home().join("env.txt")).unwrap();
    assert!(env.contains("PATH=") && !env.contains(CANARY), "{env}");
}

/// Invariant 10, as far as it shows without a hand on the clock: times are part of commits, and commits of memory files and
/// prompts, so code trees and replies are compared, not ids. The `GIT_*_DATE` that every command of the sandbox gets must
/// not steer ours.
#[test]
fn same_repository_and_replies_same_trees() {
    let trees = || {
        let sandbox = Sandbox::ready();
        let repaired = format!("DELETE bad\n\n{}", whole("b.txt", "b\n"));
        sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("bad", "x\n"), repaired]}));
        sandbox.goal("a", &[]);
        sandbox.goal("b", &["a"]);
        sandbox.ok(&["run"]);
        assert!(
            !sandbox
                .git(&["log", "-1", "--format=%aI %cI"])
                .contains("2026-01-02T03:04:05")
        );
        let replies = ["000.json", "001.json"].map(|call| sandbox.attempt("b", 1, call)["reply"].clone());
        (
            ["HEAD", "HEAD^2", "HEAD^", "HEAD^^2"].map(|commit| sandbox.code(commit)),
            replies,
        )
    };
    assert_eq!(trees(), trees());
}
