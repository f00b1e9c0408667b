//! `report`: what came of runs; its totals are those of the server, the ledger and the notes.

use serde_json::{Value, json};

use crate::support::{
    Ran, Sandbox,
    server::{Scripted, Server},
    whole,
};

/// A repository with goals `a`, `b`, which asks `server` at known prices.
fn asking(server: &Server) -> Sandbox {
    let sandbox = Sandbox::ready();
    for (key, value) in [
        ("llm.provider", "openrouter"),
        ("llm.base-url", &server.url()),
        ("llm.model", "stub"),
        ("llm.stream", "false"),
    ] {
        sandbox.git(&["config", &format!("invisigoth.{key}"), value]);
    }
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Ran {
    sandbox.run_with(&[&["run"], args].concat(), &[("OPENROUTER_API_KEY", "sk-none-of-it")])
}

/// What the server charged: replies, tokens, dollars.
fn billed(server: &Server, answers: &[Scripted]) -> (u64, u64, f64) {
    let posts = server
        .asked()
        .iter()
        .filter(|asked| asked.head.starts_with("POST "))
        .count();
    let all = answers
        .iter()
        .chain(std::iter::repeat(answers.last().unwrap()))
        .take(posts);
    let mut bill = (0, 0, 0.0);
    for answer in all.filter(|answer| answer.status == 200) {
        let usage = serde_json::from_str::<Value>(&answer.body).unwrap()["usage"].clone();
        bill.0 += 1;
        bill.1 += usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
        bill.2 += usage["cost"].as_f64().unwrap();
    }
    bill
}

fn notes(sandbox: &Sandbox) -> Vec<Value> {
    let listed = sandbox.git(&["notes", "--ref", "invisigoth", "list"]);
    let lines = listed.lines().filter_map(|line| line.split_once(' '));
    let read = |(blob, _): (&str, &str)| sandbox.git(&["cat-file", "blob", blob]);
    let texts: Vec<String> = lines.map(read).collect();
    let rows = texts.iter().flat_map(|text| text.lines());
    rows.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn its_totals_are_those_of_the_server_the_ledger_and_the_notes() {
    let bad = Scripted::reply(&whole("bad", "x\n"));
    let answers = vec![
        // Not to be had at first, of no use then, wrong next, right at last.
        Scripted::status(503, "{}"),
        Scripted::reply("I would rather not."),
        bad.clone(),
        Scripted::reply(&format!("DELETE bad\n\n{}", whole("a.txt", "a\n"))),
        // The other goal never gets there: twice it says the same again, which is no change.
        bad,
    ];
    let server = Server::start(answers.clone());
    let sandbox = asking(&server);
    let ran = run(&sandbox, &["--json"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let summary: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let report = sandbox.json(&["report"]);
    let (calls, tokens, usd) = billed(&server, &answers);
    assert!(calls > 4, "{report}");
    let spent = &report["spent"];
    assert_eq!(
        (spent["calls"].as_u64(), spent["tokens"].as_u64()),
        (Some(calls), Some(tokens)),
        "{report}"
    );
    assert_eq!(spent["usd"], json!(usd));
    // One goal landed: everything is what it cost.
    assert_eq!(
        (&report["usd_per_landed"], &summary["usd_per_landed"]),
        (&json!(usd), &json!(usd))
    );
    assert_eq!((&summary["calls"], &summary["cost_usd"]), (&json!(calls), &json!(usd)));
    let noted = notes(&sandbox);
    let landed = report["landed"].as_array().unwrap();
    assert_eq!((noted.len(), landed.len()), (1, 1), "{noted:?}");
    for key in [
        "goal",
        "commit",
        "attempts",
        "tokens",
        "cost_usd",
        "landed_at",
        "checks",
    ] {
        assert_eq!(landed[0][key], noted[0][key], "{key}");
    }
    assert_eq!(landed[0]["undo"], "git invisigoth undo a");
    // What landed and what failed make up the whole.
    let failed = &report["failed"][0];
    assert_eq!(
        (&failed["goal"], &failed["state"], &failed["is_new"], &failed["next"]),
        (
            &json!("b"),
            &json!("failed"),
            &json!(true),
            &json!("git invisigoth retry b")
        )
    );
    let sum = |key: &str| landed[0][key].as_f64().unwrap() + failed[key].as_f64().unwrap();
    assert_eq!((sum("attempts"), sum("cost_usd")), (calls as f64, usd));
    let runs = &report["runs"];
    assert_eq!(
        (&runs["count"], &runs["killed"], &runs["refused"]),
        (&json!(1), &json!(0), &json!(3))
    );
    assert_eq!(
        (&runs["checks"], &runs["refused"]),
        (&summary["checks"], &summary["refused"])
    );
    assert!(runs["checks"].as_u64().unwrap() >= 3, "{runs}");
    sandbox.assert_sound();
}

#[test]
fn a_morning_reader_sees_what_happened_what_to_type_and_what_it_cost() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({
        "a": [whole("a.txt", "a\n")],
        "f": [whole("bad", "x\n"), whole("bad", "x\n")],
        "h": [whole("Makefile", "all:\n")],
    }));
    for (goal, needs) in [("a", &[][..]), ("f", &[]), ("h", &[]), ("w", &["f"])] {
        sandbox.goal(goal, needs);
    }
    assert_eq!(sandbox.run(&["run"]).code, 3);
    let text = sandbox.run_with(&["report"], &[("COLUMNS", "80")]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("1 landed · 1 failed · 1 held · $0.00 · "),
        "{text}"
    );
    for (row, what) in lines[1..].iter().zip([
        "landed     a  Goal a",
        "           git invisigoth undo a",
        "failed     f  Goal f",
        "           ",
        "           git invisigoth retry f",
        "held       h  Goal h",
        "           touches Makefile",
        "           git invisigoth merge h",
        "waiting    1 blocked",
        "           w  needs f (failed)",
        "spent      $0.00, ",
        "runs       1 in ",
    ]) {
        assert!(row.starts_with(what), "{row}: {text}");
    }
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
    // What it names does what it says.
    sandbox.ok(&["undo", "a"]);
    let report = sandbox.json(&["report"]);
    assert!(
        report["landed"][0]["undone_at"].is_string() && report["landed"][0]["undo"].is_null(),
        "{report}"
    );
    assert!(
        sandbox
            .ok(&["report"])
            .starts_with("0 landed · 1 undone · 1 failed · 2 held")
    );
}

#[test]
fn the_end_of_a_run_names_what_takes_it_back_and_what_it_took() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "f": ["no", "no"]}));
    sandbox.goal("a", &[]);
    sandbox.goal("f", &[]);
    let ran = sandbox.run(&["run"]);
    let said: Vec<&str> = ran.stdout.lines().rev().take(4).collect();
    assert!(
        said[0].starts_with("1 landed · 1 failed · $0.00 (scripted) · "),
        "{}",
        ran.stdout
    );
    assert!(
        said[1].starts_with("took     ") && said[1].ends_with("replies refused"),
        "{}",
        ran.stdout
    );
    assert_eq!(said[2], "retry    git invisigoth retry f");
    assert_eq!(said[3], "undo     git invisigoth undo a");
}

#[test]
fn a_run_that_was_killed_is_told_from_one_that_ended() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    let killed = sandbox.run_with(&["run"], &[("INVISIGOTH_FAULT", "landed-moved:kill:2")]);
    assert_ne!(killed.code, 0);
    let runs = sandbox.json(&["report"])["runs"].clone();
    assert_eq!((&runs["count"], &runs["killed"]), (&json!(1), &json!(1)), "{runs}");
    // It had come to the end of the first goal.
    assert_eq!(runs["checks"], 1, "{runs}");
    assert_eq!(sandbox.run(&["run"]).code, 0);
    let text = sandbox.ok(&["report"]);
    assert!(
        text.starts_with("2 landed · ") && text.contains("; 1 was killed"),
        "{text}"
    );
    sandbox.assert_sound();
}

#[test]
fn a_fresh_clone_reports_what_the_records_say() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    assert_eq!(sandbox.run(&["run"]).code, 0);
    sandbox.git(&["clone", "-q", ".", "../clone"]);
    let there = sandbox.home().join("clone");
    let report = sandbox.json(&["-C", there.to_str().unwrap(), "report"]);
    assert_eq!(report["landed"][0]["goal"], "a");
    assert_eq!(
        (&report["runs"]["count"], &report["spent"]["calls"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn a_time_that_is_none_is_refused_and_nothing_changes() {
    let sandbox = Sandbox::ready();
    let refs = sandbox.refs();
    for (since, code, what) in [
        ("nonsense", 2, "`nonsense` is no time"),
        ("", 2, "`` is no time"),
        ("1 month", 2, "`1 month` is no time"),
        ("2999-01-01", 2, "2999-01-01T00:00:00Z has not come yet"),
        ("2026-13-01", 2, "is no time"),
        ("1970-01-01", 0, ""),
        ("-2h", 0, ""),
        ("36 hours", 0, ""),
    ] {
        let ran = sandbox.run(&["report", "--since", since]);
        assert_eq!(ran.code, code, "{since}: {}", ran.stderr);
        assert!(ran.stderr.contains(what), "{since}: {}", ran.stderr);
    }
    let bare = Sandbox::empty();
    let ran = bare.run(&["-C", bare.home().to_str().unwrap(), "report"]);
    assert!(
        ran.code == 1 && ran.stderr.contains("not in a git repository"),
        "{}",
        ran.stderr
    );
    // Nothing ran: that is said, and no file is made.
    let text = sandbox.run(&["report"]);
    assert!(text.stdout.starts_with("0 landed · $0.00, since "), "{}", text.stdout);
    assert!(text.stderr.contains("nothing ran"), "{}", text.stderr);
    assert_eq!(sandbox.refs(), refs);
    assert!(!sandbox.path(".git/invisigoth/runs.jsonl").exists());
}
