//! The API: the same documents as `--json`, described by one file.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Sandbox, served::Served, whole};

fn landed() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.ok(&["run", "a"]);
    sandbox
}

/// Without what every reading of the clock changes.
fn steady(mut document: Value) -> Value {
    for key in ["at", "since"] {
        document.as_object_mut().unwrap().remove(key);
    }
    document
}

#[test]
fn it_says_what_the_command_line_says() {
    let sandbox = landed();
    let served = Served::start(&sandbox, &[]);
    for (path, args) in [
        ("status", &["status"][..]),
        ("goals", &["list"]),
        ("goals?state=blocked", &["list", "--state", "blocked"]),
        ("goals/a", &["show", "a"]),
        ("goals/a/diff", &["diff", "a"]),
        ("goals/b/prompt", &["prompt", "b"]),
        ("log", &["log"]),
        ("log?max=1", &["log", "-n", "1"]),
        ("report", &["report"]),
        ("cost?by=model", &["cost", "--by", "model"]),
        ("budget", &["budget"]),
        ("config", &["config", "list", "--show-origin"]),
        ("doctor", &["doctor"]),
    ] {
        let answer = served.read(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.line("content-type"), Some("application/json"), "{path}");
        assert_eq!(steady(answer.value()), steady(sandbox.json(args)), "{path}");
    }
}

#[test]
fn what_is_wrong_is_said_as_the_command_line_says_it() {
    let sandbox = landed();
    let served = Served::start(&sandbox, &[]);
    for (path, status) in [
        ("goals/nothing", 404),
        ("goals/nothing/diff", 404),
        ("goals/%2F", 404),
        ("goals?state=odd", 400),
        ("goals?odd=1", 400),
        ("log?max=0", 400),
        ("log?max=x", 400),
        ("cost?by=odd", 400),
        ("cost?since=odd", 400),
        ("report?since=odd", 400),
        ("report?since=", 400),
        ("odd", 404),
        ("", 404),
    ] {
        let answer = served.read(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        let document = answer.value();
        assert_eq!(document["schema"], "invisigoth.error/1", "{path}");
        assert!(document["error"]["message"].is_string(), "{path}");
    }
    for (verb, body, status) in [
        ("hold", json!({}), 400),
        ("hold", json!({ "id": "a" }), 409),
        ("hold", json!({ "id": "b", "odd": 1 }), 400),
        ("hold", json!([]), 400),
        ("hold", json!({ "id": [] }), 400),
        ("hold", json!({ "id": null }), 400),
        ("hold", json!({ "id": "b", "why": "\u{0}" }), 400),
        ("merge", json!({ "id": "" }), 400),
        ("merge", json!({ "id": [""] }), 400),
        ("undo", json!({ "id": "b", "cascade": "yes" }), 400),
        ("undo", json!({ "id": "b", "why": "\u{0}" }), 400),
        ("odd", json!({}), 404),
        ("raise", json!({ "id": "b", "usd": "much" }), 400),
        ("retry", json!({}), 400),
        ("stop", json!({}), 409),
    ] {
        let answer = served.json(&format!("/api/v1/do/{verb}"), &body);
        assert_eq!(answer.status, status, "{verb} {body}: {answer:?}");
        assert_eq!(answer.value()["schema"], "invisigoth.error/1", "{verb}");
    }
    let held = served.json("/api/v1/do/hold", &json!({ "id": ["b"], "why": "later" }));
    assert_eq!(
        (held.status, &held.value()["schema"]),
        (200, &json!("invisigoth.hold/1")),
        "{held:?}"
    );
    assert_eq!(sandbox.json(&["show", "b"])["reason"], "later");
}

#[test]
fn its_description_names_what_is_there_and_nothing_else() {
    let sandbox = landed();
    let served = Served::start(&sandbox, &["--read-only"]);
    let described = served.read("/api/v1/openapi.json").value();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let kept: Value = serde_json::from_str(&fs::read_to_string(kept).unwrap()).unwrap();
    assert_eq!(described, kept);
    let paths = described["paths"].as_object().unwrap();
    for (path, operations) in paths {
        let path = path.replace("{id}", "a");
        for method in operations.as_object().unwrap().keys() {
            let answer = match method.as_str() {
                "get" => served.read(&path),
                // Read-only, so that nothing is done; what is not there is not read-only either.
                _ => served.json(&path, &json!({})),
            };
            let right = if method == "get" { 200 } else { 403 };
            assert!(
                answer.status == right || path.ends_with("/prompt"),
                "{method} {path}: {answer:?}"
            );
        }
    }
    let all: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    assert!(
        all.contains("/api/v1/goals/{id}/diff") && all.contains("/api/v1/do/undo"),
        "{all:?}"
    );
}

#[test]
fn health_is_for_all_and_says_no_more_than_that() {
    let sandbox = landed();
    let served = Served::start(&sandbox, &[]);
    let answer = served.get("/healthz", "");
    assert_eq!(
        answer.value(),
        json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })
    );
}

#[test]
fn metrics_count_what_is_on_record() {
    let sandbox = landed();
    let served = Served::start(&sandbox, &[]);
    let answer = served.read("/metrics");
    assert_eq!(
        answer.line("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    for line in [
        "invisigoth_goals{state=\"landed\"} 1",
        "invisigoth_goals{state=\"ready\"} 1",
        "invisigoth_queue_depth 0",
        "invisigoth_attempts_total 1",
        "invisigoth_runs_total{by=\"person\"} 1",
        "invisigoth_runs_live 0",
        "# TYPE invisigoth_check_seconds_total counter",
    ] {
        assert!(
            answer.body.lines().any(|other| other == line),
            "{line}\n{}",
            answer.body
        );
    }
}
