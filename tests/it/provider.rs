//! Providers over HTTP: a run against a stub of an endpoint that speaks the real protocol on this machine; what is sent,
//! what is counted, and where the key goes.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{
    Ran, Sandbox,
    server::{Scripted, Server},
    shown::shown,
    whole,
};

const KEY: &str = "sk-canary-0a1b2c3d4e5f";

/// A repository with goals `a` and `b` that asks `server`.
fn asking(server: &Server) -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.llm.provider", "openrouter"]);
    sandbox.git(&["config", "invisigoth.llm.base-url", &server.url()]);
    sandbox.git(&["config", "invisigoth.llm.model", "stub"]);
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.commit("goals");
    sandbox
}

fn replies() -> Server {
    Server::start(vec![
        // Models repeat what they should not know.
        Scripted::reply(&format!("I need to think about {KEY}.")),
        Scripted::reply(&whole("a.txt", "a\n")),
        Scripted::reply(&whole("b.txt", "b\n")),
    ])
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Ran {
    sandbox.run_with(&[&["run"], args].concat(), &[("OPENROUTER_API_KEY", KEY)])
}

#[test]
fn a_whole_run_over_http_with_the_key_in_one_header_only() {
    let server = replies();
    let sandbox = asking(&server);
    let ran = run(&sandbox, &["--max-calls", "9"]);
    assert_snapshot!(shown(&ran, sandbox.home()), @r#"
    landed   a          Goal a                      test ok                                      [id]
    landed   b          Goal b                      test ok                                      [id]
    undo     git invisigoth undo a b
    took     2 checks in [time]; 1 reply refused; $0.375 a landed goal, failures counted
    2 landed · $0.75 · [time]
    -- stderr
    checking [id] before anything is asked
    working  a  Goal a
    asked    a  round 1, [n] bytes
    refused  a  round 1, the reply holds a secret of this machine; leave it out
    asked    a  round 2, [n] bytes
    checked  a  round 2, test ok
    working  b  Goal b
    asked    b  round 1, [n] bytes
    checked  b  round 1, test ok
    -- exit 0
    "#);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    for request in &asked {
        assert!(
            request.head.starts_with("POST /v1/chat/completions HTTP/1.1"),
            "{}",
            request.head
        );
        let with_key: Vec<&str> = request.head.lines().filter(|line| line.contains(KEY)).collect();
        assert_eq!(with_key.len(), 1, "{}", request.head);
        assert!(
            with_key[0].eq_ignore_ascii_case(&format!("authorization: Bearer {KEY}")),
            "{}",
            request.head
        );
        assert!(!request.body.contains(KEY));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["model"], "stub");
        assert!(body["messages"][1]["content"].is_string(), "{body}");
    }
    let record = sandbox.json(&["show", "a"])["record"].clone();
    assert_eq!(
        (&record["provider"], &record["model"]),
        (&"openrouter".into(), &"stub-1".into()),
        "{record}"
    );
    assert_eq!(
        (&record["attempts"], &record["tokens"], &record["cost_usd"]),
        (&2.into(), &220.into(), &0.5.into())
    );
    assert!(!sandbox.holds(KEY) && !format!("{}{}", ran.stdout, ran.stderr).contains(KEY));
    sandbox.assert_sound();
}

#[test]
fn a_dry_run_asks_nothing_and_changes_nothing() {
    let server = replies();
    let sandbox = asking(&server);
    let refs = sandbox.git(&["for-each-ref"]);
    let ran = run(&sandbox, &["--dry-run"]);
    assert_snapshot!(shown(&ran, sandbox.home()), @r#"
    ready    a  Goal a                                    prompt [n] bytes
    blocked  b  needs a (ready)
    about 2 goals, price unknown, no cap
    -- stderr
    dry run: no model was asked, nothing was changed
    -- exit 0
    "#);
    assert_eq!(server.asked().len(), 0);
    assert_eq!(sandbox.git(&["for-each-ref"]), refs);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_budget_of_one_call_ends_with_6_and_the_goal_stays_ready() {
    let server = replies();
    let sandbox = asking(&server);
    let ran = run(&sandbox, &["--set", "budget.max_calls=1"]);
    assert_snapshot!(shown(&ran, sandbox.home()), @r#"
    blocked  b  needs a (ready)
    took     1 reply refused
    0 landed · 1 waiting · $0.25 · [time]
    -- stderr
    checking [id] before anything is asked
    working  a  Goal a
    asked    a  round 1, [n] bytes
    refused  a  round 1, the reply holds a secret of this machine; leave it out
    error: the budget of this run is used up: 1 of 1 model calls made
    hint: `git invisigoth budget raise --run --calls 2`, then run again
    -- exit 6
    "#);
    assert_eq!(server.asked().len(), 1);
    assert_eq!(sandbox.state("a"), "ready");
    sandbox.assert_sound();
}

#[test]
fn an_untracked_dotenv_is_read_and_only_for_the_key() {
    let server = Server::start(vec![Scripted::reply(&whole("a.txt", "a\n"))]);
    let sandbox = asking(&server);
    sandbox.write(
        ".env",
        format!("INVISIGOTH_LLM_MODEL=other\nexport OPENROUTER_API_KEY=\"{KEY}\"\n"),
    );
    sandbox.write(".git/info/exclude", ".env\n");
    sandbox.ok(&["run", "a", "--max-calls", "1"]);
    let asked = server.asked();
    assert!(asked[0].head.contains(&format!("Bearer {KEY}")), "{}", asked[0].head);
    assert!(asked[0].body.contains("\"stub\""), "{}", asked[0].body);
}

#[test]
fn a_tracked_dotenv_is_refused() {
    let server = replies();
    let sandbox = asking(&server);
    sandbox.write(".env", format!("OPENROUTER_API_KEY={KEY}\n"));
    sandbox.commit("oops");
    assert_snapshot!(sandbox.shows(&["run", "--max-calls", "1"]), @r#"
    -- stderr
    error: .env is tracked by git and holds OPENROUTER_API_KEY
    hint: `git rm --cached .env && echo .env >> .gitignore`, then make a new key: this one is in history
    -- exit 7
    "#);
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn what_is_meant_for_this_machine_goes_through_no_proxy() {
    let server = Server::start(vec![Scripted::reply(&whole("a.txt", "a\n"))]);
    let proxy = Server::start(vec![Scripted::status(407, "")]);
    let sandbox = asking(&server);
    let at = proxy.url();
    let names = [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ];
    let env: Vec<(&str, &str)> = names.iter().map(|name| (*name, at.as_str())).collect();
    let ran = sandbox.run_with(&["run", "a", "--max-calls", "1"], &env);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!((server.asked().len(), proxy.asked().len()), (1, 0));
}

#[test]
fn routing_that_is_no_json_is_told_before_anything_is_asked() {
    let server = replies();
    let sandbox = asking(&server);
    sandbox.git(&["config", "invisigoth.llm.routing", "sort: price"]);
    let ran = run(&sandbox, &["--max-calls", "1"]);
    assert_snapshot!(shown(&ran, sandbox.home()), @r#"
    -- stderr
    error: `llm.routing` is not a JSON object: expected value at line 1 column 1
    hint: `git invisigoth doctor` shows where each setting comes from
    -- exit 7
    "#);
    assert_eq!(server.asked().len(), 0);
}
