//! What is done over the dashboard: the same as by the command line, by whoever may, and a run that outlives it.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    NOT_BAD, Sandbox,
    pause::{PAUSE, Pause},
    served::Served,
    whole,
};

/// Asks until `is` holds, of what goes on in another process.
fn until(sandbox: &Sandbox, what: &str, is: impl Fn(&Value) -> bool) {
    let mut looks = (0..2_000).map(|_| sandbox.json(&["status"]));
    assert!(looks.any(|status| is(&status)), "never: {what}");
}

#[test]
fn a_form_does_what_the_command_does_and_goes_back() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let served = Served::start(&sandbox, &[]);
    let cookie = served.cookie();
    let done = |verb: &str, body: &str| {
        let answer = served.form(&format!("/do/{verb}"), &cookie, body);
        assert_eq!(answer.status, 303, "{verb} {body}: {answer:?}");
        answer.line("location").unwrap().to_owned()
    };
    let at = done("hold", "id=a&why=not+now&back=%2Fgoals%3Fstate%3Dheld");
    assert!(at.starts_with("/goals?said=") && at.ends_with("&state=held"), "{at}");
    let shown = sandbox.json(&["show", "a"]);
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("held"), &json!("not now")));
    let page = served.get(&done("release", "id=a&back=/"), &format!("Cookie: {cookie}\r\n"));
    assert!(page.body.contains("a is ready"), "{}", page.body);
    done("pause", "why=lunch");
    assert_eq!(sandbox.json(&["status"])["paused"]["why"], "lunch");
    done("resume", "");
    assert_eq!(sandbox.json(&["status"])["paused"], Value::Null);
    done("raise", "asked=yes&id=a&usd=2.5");
    assert_eq!(sandbox.json(&["show", "a"])["goal"]["budget_usd"], 2.5);
    done("comment", "asked=yes&id=a&text=one%0D%0Atwo");
    assert_eq!(sandbox.json(&["show", "a"])["goal"]["comments"], json!(["one\ntwo"]));
    done(
        "add",
        "asked=yes&description=B&files=x.txt%0D%0Ay.txt&needs=a&accept=it+works&priority=3",
    );
    let added = sandbox.json(&["list"])["goals"].as_array().unwrap().clone();
    let added = added.iter().find(|row| row["description"] == "B").unwrap();
    assert_eq!((&added["priority"], &added["needs"]), (&json!(3), &json!(["a"])));
    done("reject", "asked=yes&id=a&why=never");
    assert_eq!(sandbox.json(&["show", "a"])["state"], "rejected");
    done("approve", "id=a");
    assert_eq!(sandbox.json(&["show", "a"])["state"], "ready");
    let gone = done("drop", "asked=yes&id=a&cascade=true&back=%2Fgoals%2Fa");
    assert!(gone.starts_with("/?said="), "{gone}");
    assert_eq!(sandbox.json(&["list"])["goals"], json!([]));
}

#[test]
fn nobody_is_sent_to_another_site() {
    let sandbox = Sandbox::ready();
    let served = Served::start(&sandbox, &[]);
    let cookie = served.cookie();
    for back in [
        "//evil.test",
        "https://evil.test",
        "/%5Cevil.test",
        "%09//evil.test",
        "/%0D%0ALocation:%20http://evil.test",
    ] {
        let answer = served.form("/do/resume", &cookie, &format!("back={back}"));
        let at = answer.line("location").unwrap();
        assert!(at.starts_with('/') && !at.starts_with("//"), "{back}: {at}");
        assert!(
            !at.contains('\\') && answer.head.matches("location:").count() == 1,
            "{back}: {answer:?}"
        );
    }
}

#[test]
fn what_takes_something_away_is_asked_about_first() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let served = Served::start(&sandbox, &[]);
    let cookie = served.cookie();
    for verb in ["drop", "reject", "undo"] {
        let answer = served.form(&format!("/do/{verb}"), &cookie, "id=a&back=/goals");
        assert_eq!(
            answer.line("location"),
            Some(format!("/ask/{verb}/a?back=%2fgoals").as_str())
        );
        let page = served.get(
            &format!("/ask/{verb}/a?back=%2Fgoals"),
            &format!("Cookie: {cookie}\r\n"),
        );
        assert!(
            page.body.contains("name=\"asked\"") && page.body.contains("Goal a"),
            "{}",
            page.body
        );
    }
    assert_eq!(sandbox.json(&["show", "a"])["state"], "ready");
}

#[test]
fn what_was_typed_is_there_again_where_it_cannot_be_taken() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let served = Served::start(&sandbox, &[]);
    let cookie = served.cookie();
    let answer = served.form(
        "/do/add",
        &cookie,
        "asked=yes&description=x&prompt=long%20words&needs=nothing-of-it",
    );
    assert_eq!(answer.status, 409, "{answer:?}");
    assert!(
        answer.body.contains("long words") && answer.body.contains("no goal nothing-of-it"),
        "{}",
        answer.body
    );
    let wrong = served.form("/do/edit", &cookie, "asked=yes&id=a&text=description+%3D+%22x");
    assert_eq!(wrong.status, 400, "{wrong:?}");
    assert!(wrong.body.contains("line 1"), "{}", wrong.body);
    let page = served.get("/ask/edit/a", &format!("Cookie: {cookie}\r\n")).body;
    let version = page
        .split("name=\"version\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    sandbox.ok(&["hold", "a"]);
    let late = served.form(
        "/do/edit",
        &cookie,
        &format!("asked=yes&id=a&version={version}&text=description+%3D+%22x%22"),
    );
    assert_eq!(late.status, 409, "{late:?}");
    assert!(late.body.contains("changed by others meanwhile"), "{}", late.body);
    let fine = served.form(
        "/do/edit",
        &cookie,
        "asked=yes&id=a&text=description+%3D+%22Other+words%22",
    );
    assert_eq!(fine.status, 303, "{fine:?}");
    assert_eq!(sandbox.json(&["show", "a"])["goal"]["description"], "Other words");
}

#[test]
fn a_site_that_is_read_only_changes_nothing() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let served = Served::start(&sandbox, &["--read-only"]);
    let cookie = served.cookie();
    let before = (sandbox.refs(), sandbox.read("memory/pending_goals.json"));
    for verb in ["hold", "drop", "run", "merge", "pause", "plan", "stop", "undo"] {
        assert_eq!(
            served.form(&format!("/do/{verb}"), &cookie, "asked=yes&id=a").status,
            403,
            "{verb}"
        );
        assert_eq!(
            served.json(&format!("/api/v1/do/{verb}"), &json!({})).status,
            403,
            "{verb}"
        );
    }
    assert_eq!((sandbox.refs(), sandbox.read("memory/pending_goals.json")), before);
    let cookie = format!("Cookie: {cookie}\r\n");
    for page in ["/", "/ask/drop/a"] {
        assert!(!served.get(page, &cookie).body.contains("method=\"post\""), "{page}");
    }
    assert_eq!(sandbox.run(&["serve", "--read-only"]).code, 0, "a link of it");
}

#[test]
fn a_run_that_is_started_here_outlives_the_server() {
    let sandbox = Sandbox::checking(&format!("[ -e a.txt ] || exit 0\n{PAUSE}\n{NOT_BAD}"));
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
    sandbox.goal("a", &[]);
    let mut pause = Pause::new(&sandbox);
    let served = Served::start(&sandbox, &[]);
    let cookie = served.cookie();
    let answer = served.form("/do/run", &cookie, "id=a&back=/");
    assert_eq!(answer.status, 303, "{answer:?}");
    pause.reached();
    let told = served.json("/api/v1/do/run", &json!({}));
    assert!(
        matches!(told.status, 200 | 409),
        "a second one is told what it meets: {told:?}"
    );
    assert_eq!(served.end(&sandbox, "KILL"), None);
    assert_eq!(sandbox.json(&["status"])["runs"].as_array().map(Vec::len), Some(1));
    pause.go();
    until(&sandbox, "the run ends", |status| status["runs"].is_null());
    assert_eq!(sandbox.landings("main"), ["a"]);
    let started = sandbox.json(&["report"])["triggers"].clone();
    assert_eq!(
        (&started[0]["by"], &started[0]["result"]),
        (&json!("dashboard"), &json!("ended"))
    );
}

#[test]
fn after_an_upgrade_it_starts_the_new_program() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
    sandbox.goal("a", &[]);
    let (program, new) = (sandbox.home().join("git-invisigoth"), sandbox.home().join("new"));
    fs::copy(env!("CARGO_BIN_EXE_git-invisigoth"), &program).unwrap();
    let served = Served::of(&mut sandbox.command(program.to_str().unwrap()), &[]);
    fs::copy(env!("CARGO_BIN_EXE_git-invisigoth"), &new).unwrap();
    fs::rename(&new, &program).unwrap();
    let told = served.json("/api/v1/do/run", &json!({ "id": "a" }));
    assert_eq!(told.status, 200, "{told:?}");
    until(&sandbox, "the goal lands", |status| status["counts"]["landed"] == 1);
    fs::remove_file(&program).unwrap();
    let told = served.json("/api/v1/do/run", &json!({}));
    assert!(told.body.contains("is gone"), "it says what is not there: {told:?}");
}

#[test]
fn a_run_that_ends_at_once_says_what_it_came_to() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.ok(&["pause", "--why", "tea"]);
    let served = Served::start(&sandbox, &[]);
    let cookie = served.cookie();
    let answer = served.form("/do/run", &cookie, "back=/");
    let page = served.get(answer.line("location").unwrap(), &format!("Cookie: {cookie}\r\n"));
    for part in ["has ended: a person is needed", "runs are paused in this clone: tea"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
}

#[test]
fn what_cannot_start_says_why_at_once() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({}));
    let served = Served::start(&sandbox, &[]);
    let told = served.json("/api/v1/do/merge", &json!({ "id": "nothing-of-it" }));
    assert_eq!(told.status, 409, "{told:?}");
    let error = &told.value()["error"];
    assert!(error["message"].as_str().unwrap().contains("nothing-of-it"), "{error}");
}
