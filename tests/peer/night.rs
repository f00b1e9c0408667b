//! A night in small: goals with dependencies, a server that breaks answers, a kill, a full disk, and what is left in the
//! morning. Everything strikes where it is told to, so that the night is the same each time.
//!
//! The large one, at 100 times its speed on a real repository, is `benches/night.py`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    llmock::{Llmock, asking, fail, stream_fault},
    support::{Ran, Sandbox, whole},
};

const CAP: f64 = 5.0;

/// A check that fails with what the server first answers to goal `f`.
const NOT_RED: &str = "! grep red f.txt\n";

/// Goals, what they need, and what is wrong with the server's first answers.
fn backlog() -> Vec<(&'static str, &'static [&'static str], Vec<Value>)> {
    let refused = json!({"type": "reply", "text": "I would rather not."});
    let red = json!({"type": "reply", "text": whole("f.txt", "red\n")});
    vec![
        (
            "b",
            &["a"],
            vec![json!({"type": "fail", "status": 429, "retry_after": 1})],
        ),
        ("c", &["a"], vec![fail(500), fail(503)]),
        ("d", &["b", "c"], vec![stream_fault("truncate")]),
        ("e", &[], vec![refused]),
        ("f", &["e"], vec![red]),
        ("h", &[], vec![stream_fault("disconnect")]),
        ("g", &["f"], vec![stream_fault("malformed")]),
    ]
}

/// Has the server answer each goal by the model that the goal names.
fn told() -> Vec<Value> {
    let mut told = Vec::new();
    for (goal, _, troubles) in backlog().into_iter().chain([("a", [].as_slice(), Vec::new())]) {
        // It fits whether the answer before it was used, or came while the disk was full and is gone.
        let text = whole(&format!("{goal}.txt"), &format!("{goal}\n"));
        let good = json!({"type": "reply", "text": text, "times": null});
        for mut behavior in troubles.into_iter().chain([good]) {
            behavior["match"] = json!({"model": format!("night-{goal}")});
            told.push(behavior);
        }
    }
    told
}

fn evening(server: &Llmock) -> Sandbox {
    let sandbox = asking(
        server,
        &[
            ("usd-per-mtok-in", "1"),
            ("usd-per-mtok-out", "4"),
            ("max-tokens", "2000"),
        ],
    );
    sandbox.git(&["config", "invisigoth.budget.day-max-usd", &CAP.to_string()]);
    sandbox.git(&["config", "invisigoth.run.jobs", "2"]);
    for (goal, needs, _) in backlog() {
        sandbox.goal(goal, needs);
    }
    let mut rows: Vec<Value> = serde_json::from_str(&sandbox.read("memory/pending_goals.json")).unwrap();
    for row in &mut rows {
        row["model"] = json!(format!("night-{}", row["id"].as_str().unwrap()));
    }
    sandbox.write("memory/pending_goals.json", json!(rows).to_string());
    sandbox.write("check.sh", NOT_RED);
    sandbox.commit("a backlog");
    sandbox.write("greet.txt", "half a sentence that\n");
    sandbox
}

fn run(sandbox: &Sandbox, fault: &str) -> Ran {
    let all = [
        ("OPENROUTER_API_KEY", "sk-peer-0a1b2c3d4e5f"),
        ("INVISIGOTH_FAULT", fault),
    ];
    let set: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    sandbox.run_with(&["run"], &set)
}

/// The target at each of its first-parent commits, judged by what the check looks at.
fn assert_green(sandbox: &Sandbox) {
    let needs: BTreeMap<&str, &[&str]> = backlog().iter().map(|(goal, needs, _)| (*goal, *needs)).collect();
    for commit in sandbox.git(&["rev-list", "--first-parent", "main"]).lines() {
        let code = sandbox.code(commit);
        let has = |name: &str| code.iter().any(|line| line.ends_with(&format!("\t{name}")));
        let reads_red = has("f.txt") && sandbox.git(&["show", &format!("{commit}:f.txt")]) == "red";
        assert!(!reads_red, "{commit} is red");
        for (goal, needs) in &needs {
            let lacks = needs.iter().find(|need| !has(&format!("{need}.txt")));
            assert!(
                !has(&format!("{goal}.txt")) || lacks.is_none(),
                "{goal} before {lacks:?}"
            );
        }
    }
}

#[test]
fn a_night_with_everything_that_goes_wrong_lands_each_goal_once() {
    let server = Llmock::start(&[]);
    server.behave(&told());
    let sandbox = evening(&server);
    // A reboot in a landing, and a disk that is full when an attempt is saved and when records are noted.
    let killed = run(&sandbox, "landed-moved:kill-after:1");
    assert_eq!(killed.code, -1, "{}{}", killed.stdout, killed.stderr);
    for point in [
        "attempt-saved:enospc:2",
        "records-noted:enospc:1",
        "checkout-follows:enospc:1",
    ] {
        let full = run(&sandbox, point);
        let all = format!("{}{}", full.stdout, full.stderr);
        assert!(
            [1, 0].contains(&full.code) && !all.contains("panicked"),
            "{point} {}\n{all}",
            full.code
        );
    }
    let ran = run(&sandbox, "");
    assert!([0, 3].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    morning(&server, &sandbox);
}

fn morning(server: &Llmock, sandbox: &Sandbox) {
    let mut landed = sandbox.landings("main");
    landed.sort();
    assert_eq!(landed, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    assert_green(sandbox);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), " M greet.txt");
    assert_eq!(sandbox.read("greet.txt"), "half a sentence that\n");
    sandbox.assert_sound();
    let verified = sandbox.run(&["verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    // Report, ledger and server: what was answered is what was counted, at worst where an answer was cut.
    let report = sandbox.json(&["report"]);
    let answered = server.asked().iter().filter(|request| request["status"] == 200).count();
    let calls = report["spent"]["calls"].as_u64().unwrap() as usize;
    assert!(
        (answered..=answered + 2).contains(&calls),
        "{answered} answered, {report}"
    );
    assert!(report["spent"]["usd"].as_f64().unwrap() <= CAP, "{report}");
    assert_eq!(report["runs"]["killed"], 1, "{report}");
    let reported = report["landed"].as_array().unwrap();
    assert_eq!(reported.len(), 8, "{report}");
    for row in reported {
        let note = sandbox.git(&["notes", "--ref=invisigoth", "show", row["commit"].as_str().unwrap()]);
        let note: Value = serde_json::from_str(note.lines().next().unwrap()).unwrap();
        for key in ["goal", "attempts", "tokens", "cost_usd"] {
            assert_eq!(row[key], note[key], "{key}");
        }
    }
}
