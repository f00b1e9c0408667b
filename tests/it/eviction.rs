//! Eviction: what becomes of a goal whose candidate does not land, from the conflict to the third time.

use serde_json::{Value, json};

use crate::support::{NOT_BAD, Sandbox, whole};

/// The messages of the first call of an attempt.
fn asked(sandbox: &Sandbox, goal: &str, number: u32) -> String {
    let call = sandbox.attempt(goal, number, "000.json");
    let messages = call["request"]["messages"].as_array().unwrap().iter();
    messages.map(|message| message["content"].as_str().unwrap()).collect()
}

/// Candidates of goals `a` and `b`, both made on the same head.
fn candidates(sandbox: &Sandbox) {
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.ok(&["run", "--no-merge"]);
}

/// As `candidates`, of which each writes the same line otherwise.
fn conflicting() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("greet.txt", "from a\n")], "b": [whole("greet.txt", "from b\n")]}));
    candidates(&sandbox);
    sandbox
}

/// The lines of a command that streams, the summary last.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_goal_whose_candidate_conflicts_is_done_again_in_the_same_run_and_lands() {
    let sandbox = conflicting();
    let ran = sandbox.run(&["--json", "run"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(sandbox.read("greet.txt"), "from b\n");
    let lines = lines(&ran.stdout);
    let evicted = lines.iter().find(|line| line["event"] == "evicted").unwrap();
    let expected = json!({
        "event": "evicted", "goal": "b", "description": "Goal b", "attempt": 1,
        "why": "conflicts with what landed since, in greet.txt", "alone": false,
    });
    assert_eq!(*evicted, expected);
    let summary = lines.last().unwrap();
    // One goal, one row, though it came to an end twice; and the one call of the second attempt.
    assert_eq!(
        (&summary["goals"][1]["state"], &summary["calls"]),
        (&json!("landed"), &json!(1))
    );
    assert_eq!(summary["goals"].as_array().unwrap().len(), 2, "{summary}");

    let stored = sandbox.attempt("b", 1, "attempt.json");
    assert_eq!(stored["standing"], "evicted");
    assert_eq!(
        stored["evicted"]["conflict"],
        "greet.txt\n<<<<<<< target\nfrom a\n=======\nfrom b\n>>>>>>> candidate\n\n"
    );
    assert_eq!(stored["evicted"]["against"], json!([sandbox.id("main^")]));
    let asked = asked(&sandbox, "b", 2);
    for told in [
        "Attempt 1 passed its checks and did not land: conflicts with what landed since, in greet.txt",
        "<<<<<<< target\nfrom a\n=======\nfrom b\n>>>>>>> candidate",
        "What it had changed\n```\n--- a/greet.txt\n+++ b/greet.txt\n@@ -1 +1 @@\n-hello\n+from b\n",
        "What landed meanwhile: Land a: Goal a\n```\n--- a/greet.txt\n+++ b/greet.txt\n@@ -1 +1 @@\n-hello\n+from a\n",
    ] {
        assert!(asked.contains(told), "{told}\n---\n{asked}");
    }
    let shown = sandbox.run(&["show", "b"]).stdout;
    assert!(shown.contains("passed, and did not land: conflicts"), "{shown}");
    let record = sandbox.json(&["show", "b"])["record"].clone();
    assert_eq!((&record["evictions"], &record["attempts"]), (&json!(1), &json!(2)));
    assert!(sandbox.run(&["log"]).stdout.contains("evicted once"));
    assert!(sandbox.json(&["show", "a"])["record"].get("evictions").is_none());
    sandbox.assert_sound();
}

#[test]
fn changes_that_fit_onto_the_new_head_ask_nobody() {
    let sandbox = Sandbox::ready();
    sandbox.write("list.txt", "one\ntwo\nthree\nfour\nfive\n");
    sandbox.commit("a list");
    sandbox.script(json!({
        "a": [whole("list.txt", "ONE\ntwo\nthree\nfour\nfive\n")],
        "b": [whole("list.txt", "one\ntwo\nthree\nfour\nFIVE\n")],
    }));
    candidates(&sandbox);
    let summary = sandbox.json(&["run"]);
    assert_eq!(summary["calls"], 0, "{summary}");
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(sandbox.read("list.txt"), "ONE\ntwo\nthree\nfour\nFIVE\n");
}

/// Files `a.txt` and `b.txt` must not both be there.
const NOT_BOTH: &str = "if [ -e a.txt ] && [ -e b.txt ]; then echo 'a and b clash: 4711'; exit 1; fi\n";

#[test]
fn a_goal_that_is_red_on_the_merged_code_only_gets_the_log_and_the_others_changes() {
    let sandbox = Sandbox::checking(NOT_BOTH);
    let instead = format!("DELETE b.txt\n{}", whole("c.txt", "instead\n"));
    sandbox.script(json!({"a": [whole("a.txt", "by a\n")], "b": [whole("b.txt", "by b\n"), instead]}));
    candidates(&sandbox);
    let merged = sandbox.run(&["merge"]);
    assert_eq!(merged.code, 3, "{}{}", merged.stdout, merged.stderr);
    assert!(
        merged.stdout.contains("1 landed · 0 failed · 1 evicted"),
        "{}",
        merged.stdout
    );
    assert!(merged.stderr.contains("git invisigoth run b"), "{}", merged.stderr);
    assert_eq!(sandbox.state("b"), "ready");
    assert!(!sandbox.refs().contains_key("refs/heads/invisigoth/b"));
    // What the next attempt would be told can be seen before.
    let prompt = sandbox.run(&["prompt", "b"]).stdout;
    assert!(prompt.contains("a and b clash: 4711"), "{prompt}");

    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert!(sandbox.path("c.txt").exists() && !sandbox.path("b.txt").exists());
    let asked = asked(&sandbox, "b", 2);
    for told in [
        "What the checks of the merged code printed\n```\n$ sh check.sh\ntest: exit 1\na and b clash: 4711\n",
        "What landed meanwhile: Land a: Goal a\n```\n--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1 @@\n+by a\n",
        "+by b\n",
    ] {
        assert!(asked.contains(told), "{told}\n---\n{asked}");
    }
    sandbox.assert_sound();
}

/// While `b` is checked, somebody commits another `b.txt`, until the file `stop` is in the home.
const RIVAL: &str = r#"if grep -qs model b.txt && [ ! -e "$HOME/stop" ]; then
    cd "$HOME/repo" && echo x >> n.txt && { echo person; cat n.txt; } > b.txt && git add n.txt b.txt && git commit -q -m rival
fi
"#;

#[test]
fn the_third_time_a_goal_is_parked_until_a_person_says_to_try_again() {
    let sandbox = Sandbox::checking(RIVAL);
    sandbox.script(json!({"b": [whole("b.txt", "model\n")]}));
    sandbox.goal("b", &[]);
    sandbox.commit("a goal");
    let ran = sandbox.run(&["--json", "run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let lines = lines(&ran.stdout);
    let alone: Vec<&Value> = lines
        .iter()
        .filter(|line| line["event"] == "evicted")
        .map(|line| &line["alone"])
        .collect();
    assert_eq!(alone, [&json!(false), &json!(true)]);
    let parked = lines.iter().find(|line| line["event"] == "parked").unwrap();
    let why = parked["why"].as_str().unwrap();
    assert_eq!(
        why,
        "did not land 3 times: conflicts with what landed since, in b.txt; `git invisigoth retry b` lets it be tried again"
    );
    let summary = lines.last().unwrap();
    assert_eq!(
        (&summary["goals"][0]["state"], &summary["calls"]),
        (&json!("parked"), &json!(3))
    );

    assert_eq!(sandbox.state("b"), "parked");
    assert_eq!(sandbox.json(&["list", "--state", "parked"])["goals"][0]["goal"], "b");
    let status = sandbox.run(&["status"]).stdout;
    assert!(
        status.contains("parked") && status.contains("git invisigoth retry b"),
        "{status}"
    );
    assert_eq!(sandbox.json(&["run"])["calls"], 0);

    sandbox.ok(&["retry", "b"]);
    assert_eq!(sandbox.state("b"), "ready");
    // The count starts anew: the next eviction is the first one.
    let again = sandbox.run(&["--json", "run", "b"]);
    assert_eq!(
        again.stdout.matches("\"event\":\"evicted\"").count(),
        2,
        "{}",
        again.stdout
    );
    assert_eq!(sandbox.state("b"), "parked");
    sandbox.ok(&["retry", "--all"]);
    sandbox.write("../stop", "");
    sandbox.ok(&["run"]);
    assert_eq!(
        (sandbox.state("b").as_str(), sandbox.read("b.txt").as_str()),
        ("landed", "model\n")
    );
    assert_eq!(sandbox.json(&["show", "b"])["record"]["evictions"], 6);
}

#[test]
fn rewording_an_evicted_goal_begins_a_new_count_and_drops_what_it_met_with() {
    let sandbox = conflicting();
    sandbox.run(&["merge"]);
    let backlog = sandbox
        .read("memory/pending_goals.json")
        .replace("Goal b", "Goal b in other words");
    sandbox.write("memory/pending_goals.json", backlog);
    let prompt = sandbox.run(&["prompt", "b"]).stdout;
    assert!(!prompt.contains("What the last attempt met with"), "{prompt}");
    assert!(
        prompt.contains("Attempt 1, when the goal was worded otherwise, passed its checks"),
        "{prompt}"
    );
}

#[test]
fn a_kill_between_the_attempt_and_its_branch_lands_the_goal_once() {
    let sandbox = conflicting();
    let candidate = sandbox.id("invisigoth/b");
    sandbox.run(&["merge"]);
    assert!(!sandbox.refs().contains_key("refs/heads/invisigoth/b"));
    sandbox.git(&["branch", "invisigoth/b", &candidate]);
    assert_eq!(sandbox.state("b"), "ready");
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    assert_eq!(sandbox.json(&["show", "b"])["record"]["evictions"], 1);
    sandbox.assert_sound();
}

#[test]
fn a_candidate_that_a_person_changed_stays_and_waits() {
    let sandbox = conflicting();
    sandbox.git(&["switch", "-q", "invisigoth/b"]);
    sandbox.write("mine.txt", "mine\n");
    sandbox.git(&["add", "mine.txt"]);
    sandbox.git(&["commit", "-q", "--amend", "--no-edit"]);
    let mine = sandbox.id("HEAD");
    sandbox.git(&["switch", "-q", "main"]);
    // Whatever date the person's commit has.
    let goals = sandbox.read("memory/pending_goals.json");
    sandbox.write(
        "memory/pending_goals.json",
        goals.replacen("\"id\":\"a\"", "\"id\":\"a\",\"priority\":1", 1),
    );
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("its commits are not ours, so they stay"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        (sandbox.id("invisigoth/b"), sandbox.state("b")),
        (mine.clone(), "held".into())
    );
    assert_eq!(sandbox.json(&["run"])["calls"], 0);
    // Once it fits, naming it is enough, and there was nothing to approve.
    sandbox.git(&["revert", "--no-edit", "-m1", "HEAD"]);
    sandbox.ok(&["merge", "b"]);
    assert_eq!(sandbox.state("b"), "landed");
    assert!(sandbox.json(&["show", "b"])["record"].get("remark").is_none());
}

#[test]
fn an_adopted_branch_that_does_not_fit_any_more_stays_and_waits() {
    let settings = "[check]\ntest = [\"sh check.sh\"]\n\n[paths]\nhold = [\"greet.txt\"]\n";
    for how in [&["--as-is"][..], &[]] {
        let sandbox = Sandbox::set_up(NOT_BAD, settings);
        sandbox.git(&["switch", "-q", "-c", "feature"]);
        sandbox.write("greet.txt", "by a person\n");
        sandbox.commit("Greet otherwise");
        let head = sandbox.id("HEAD");
        sandbox.git(&["switch", "-q", "main"]);
        let adopted = sandbox.run(&[&["--json", "adopt", "feature"], how].concat());
        assert_eq!(adopted.code, 5, "{}{}", adopted.stdout, adopted.stderr);
        let adopted: Value = serde_json::from_str(&adopted.stdout).unwrap();
        let (goal, commit) = (adopted["goal"].as_str().unwrap(), adopted["commit"].as_str().unwrap());
        sandbox.ok(&["release", goal]);
        sandbox.commit("a goal");
        sandbox.write("greet.txt", "by somebody else\n");
        sandbox.commit("meanwhile");
        let merged = sandbox.run(&["merge", goal]);
        assert_eq!(merged.code, 5, "{how:?}: {}{}", merged.stdout, merged.stderr);
        assert!(
            merged.stdout.contains("conflicts with what landed since"),
            "{}",
            merged.stdout
        );
        assert_eq!(sandbox.id(&format!("invisigoth/{goal}")), commit, "{how:?}");
        assert_eq!(sandbox.state(goal), "held");
        let ran = sandbox.json(&["run"]);
        assert_eq!((&ran["calls"], &ran["goals"]), (&json!(0), &json!([])), "{how:?}");
        assert_eq!(sandbox.id("feature"), head, "{how:?}");
        sandbox.assert_sound();
    }
}

/// Fails the first time that `a.txt` and `b.txt` are both there.
const FLAKY: &str = r#"if [ -e a.txt ] && [ -e b.txt ] && [ ! -e "$HOME/once" ]; then : > "$HOME/once"; echo chance; exit 1; fi
echo run >> "$HOME/runs"
"#;

#[test]
fn checks_that_pass_on_the_second_run_land_on_record_and_their_verdict_is_void() {
    let sandbox = Sandbox::checking(FLAKY);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    candidates(&sandbox);
    let ran = sandbox.run(&["merge"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    let remark = |goal: &str| sandbox.json(&["show", goal])["record"].get("remark").cloned();
    // They were checked and landed together.
    let second = Some(json!("checks passed on the second run"));
    assert_eq!((remark("a"), remark("b")), (second.clone(), second));

    // Both verdicts are kept, and no run relies on the one that passed.
    let notes = sandbox.git(&["notes", "--ref", "invisigoth-tested", "list"]);
    let verdicts: Vec<String> = notes
        .lines()
        .map(|line| sandbox.git(&["cat-file", "blob", line.split_once(' ').unwrap().0]))
        .filter(|verdicts| verdicts.lines().count() == 2)
        .collect();
    assert_eq!(verdicts.len(), 1, "{notes}");
    let exits: Vec<Value> = lines(&verdicts[0])
        .iter()
        .map(|verdict| verdict["checks"][0]["exit"].clone())
        .collect();
    assert_eq!(exits, [json!(1), json!(0)]);
    let runs = || {
        std::fs::read_to_string(sandbox.home().join("runs"))
            .unwrap()
            .lines()
            .count()
    };
    let before = runs();
    sandbox.script(json!({"c": [whole("c.txt", "c\n")]}));
    sandbox.goal("c", &[]);
    sandbox.ok(&["run"]);
    // The base, whose verdict is void, and the candidate.
    assert_eq!(runs() - before, 2);
}

#[test]
fn secrets_in_a_conflict_are_kept_from_the_attempt_and_the_prompt() {
    let sandbox = Sandbox::ready();
    sandbox.write(".env", "SERVICE_API_KEY=live-0123456789abcdef\n");
    sandbox.write(".gitignore", ".env\n");
    sandbox.commit("ignore");
    sandbox.script(json!({"b": [whole("greet.txt", "from b\n")]}));
    sandbox.goal("b", &[]);
    sandbox.ok(&["run", "--no-merge"]);
    sandbox.write("greet.txt", "key live-0123456789abcdef\n");
    sandbox.commit("a leak");
    sandbox.run(&["merge"]);
    let stored = sandbox.attempt("b", 1, "attempt.json").to_string();
    assert!(stored.contains("<<<<<<< target\\nkey [redacted]"), "{stored}");
    let prompt = sandbox.run(&["prompt", "b"]).stdout;
    assert!(!prompt.contains("live-0123456789abcdef"), "{prompt}");
}
