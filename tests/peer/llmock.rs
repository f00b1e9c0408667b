//! `llmock`: a server that breaks answers as it is told and judges how its client bears that.
//!
//! Each test is a run of the real binary against faults; the verdict must be without a warning, over as many tries as
//! are right, and what landed must be what a whole answer said. Where a first answer is cut, its text writes `cut.txt`.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    peers::{self, Server},
    support::{Ran, Sandbox, whole},
};

/// After so many pieces of `cut()` its first file is complete, and the second has not begun.
const FIRST_FILE: u32 = 6;

/// A server of `llmock`.
pub struct Llmock {
    server: Server,
}

impl Llmock {
    /// Starts it.
    pub fn start(options: &[&str]) -> Self {
        let mut command = Command::new(peers::find("llmock"));
        command
            .args(["serve", "--host", "127.0.0.1", "--port", "0"])
            .args(options);
        Self {
            server: Server::start(&mut command, "Uvicorn running on "),
        }
    }

    /// Starts one that behaves as told, and whose every further reply writes `a.txt`.
    fn scripted(behaviors: Vec<Value>) -> Self {
        Self::scripted_with(&[], behaviors)
    }

    /// As `scripted`, with options.
    fn scripted_with(options: &[&str], mut behaviors: Vec<Value>) -> Self {
        let server = Self::start(options);
        behaviors.push(json!({"type": "reply", "text": whole("a.txt", "a\n"), "times": null}));
        server.behave(&behaviors);
        server
    }

    /// Tells it how to behave, one thing after another.
    pub fn behave(&self, behaviors: &[Value]) {
        let url = format!("{}/_llmock/scenario", self.server.url);
        ureq::post(url).send_json(json!({ "behaviors": behaviors })).unwrap();
    }

    /// A verdict without error and warning, over this many tries of which so many were broken. A server that nobody asked
    /// passes too, so the numbers are part of it.
    fn assert_passes(&self, tries: u32, faults: u32) {
        let mut command = Command::new(peers::find("llmock"));
        let ran = Ran::of(
            &command
                .args(["report", "--strict", "--url", &self.server.url])
                .output()
                .unwrap(),
        );
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code == 0 && all.contains("PASS"), "{all}\n{}", self.requests());
        assert!(
            all.contains(&format!("{tries} attempt(s), {faults} fault(s) injected")),
            "expected {tries} and {faults}\n{all}\n{}",
            self.requests()
        );
    }

    /// What it was asked, and how it answered.
    pub fn asked(&self) -> Vec<Value> {
        let url = format!("{}/_llmock/requests", self.server.url);
        let all: Value = ureq::get(url).call().unwrap().body_mut().read_json().unwrap();
        all["requests"].as_array().unwrap().clone()
    }

    fn requests(&self) -> String {
        let mut all = self.asked();
        for request in &mut all {
            request["body"].take();
        }
        format!("{:#}", Value::from(all))
    }
}

/// A repository with the goal `a` that asks the server, and has these settings besides.
pub fn asking(server: &Llmock, settings: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::ready();
    let url = format!("{}/v1", server.server.url);
    let of_all = [("provider", "openrouter"), ("base-url", &url), ("model", "gpt-4o")];
    for (name, value) in of_all.iter().chain(settings) {
        sandbox.git(&["config", &format!("invisigoth.llm.{name}"), value]);
    }
    sandbox.goal("a", &[]);
    sandbox.commit("goals");
    sandbox
}

fn run(sandbox: &Sandbox) -> Ran {
    sandbox.run_with(&["run"], &[("OPENROUTER_API_KEY", "sk-peer-0a1b2c3d4e5f")])
}

/// Runs, and asserts that a whole answer landed and nothing of a broken one.
fn assert_lands(server: &Llmock, settings: &[(&str, &str)]) {
    let sandbox = asking(server, settings);
    let ran = run(&sandbox);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(sandbox.git(&["show", "main:a.txt"]), "a");
    assert!(!sandbox.path("cut.txt").exists());
    assert!(!sandbox.code("main").iter().any(|line| line.ends_with("cut.txt")));
    sandbox.assert_sound();
}

/// Runs, and asserts the exit code, and that nothing became of whatever was answered.
fn assert_ends(server: &Llmock, code: i32, words: &str) {
    let sandbox = asking(server, &[]);
    let before = sandbox.id("main");
    let ran = run(&sandbox);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(ran.code == code && all.contains(words), "{}\n{all}", ran.code);
    assert_eq!(sandbox.id("main"), before);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert!(
        sandbox
            .refs()
            .keys()
            .all(|name| !name.starts_with("refs/heads/invisigoth/"))
    );
    sandbox.assert_sound();
}

/// An answer that is none.
pub fn fail(status: u16) -> Value {
    json!({"type": "fail", "status": status})
}

/// A stream that breaks.
pub fn stream_fault(kind: &str) -> Value {
    json!({"type": "stream_fault", "kind": kind, "after_chunks": FIRST_FILE, "stall_seconds": 600})
}

/// A reply of two files.
fn cut() -> Value {
    json!({"type": "reply", "text": whole("cut.txt", "cut\n") + &whole("a.txt", "not-this\n")})
}

#[test]
fn nothing_broken_is_asked_once() {
    for stream in ["true", "false"] {
        let server = Llmock::scripted(Vec::new());
        assert_lands(&server, &[("stream", stream)]);
        server.assert_passes(1, 0);
    }
}

#[test]
fn retry_after_is_waited_for() {
    let limited = json!({"type": "fail", "status": 429, "retry_after": 2});
    let server = Llmock::scripted(vec![limited, json!({"type": "fail", "status": 503, "retry_after": 1})]);
    assert_lands(&server, &[]);
    server.assert_passes(3, 2);
}

#[test]
fn a_server_out_of_order_is_asked_again_later_and_later() {
    let server = Llmock::scripted(vec![fail(500), fail(502), fail(503)]);
    assert_lands(&server, &[]);
    server.assert_passes(4, 3);
}

#[test]
fn other_statuses_that_pass_are_tried_again_streaming_or_not() {
    for stream in ["true", "false"] {
        let server = Llmock::scripted(vec![fail(408), fail(529)]);
        assert_lands(&server, &[("stream", stream)]);
        server.assert_passes(3, 2);
    }
}

#[test]
fn what_cannot_change_is_asked_once_and_nothing_is_applied() {
    for (status, code, words) in [
        (400, 3, "400"),
        (401, 10, "refuses the key"),
        (402, 10, "no credit left"),
        (403, 10, "refuses the key"),
        (404, 10, "404"),
        (422, 3, "422"),
    ] {
        let server = Llmock::scripted(vec![json!({"type": "fail", "status": status, "times": null})]);
        assert_ends(&server, code, words);
        server.assert_passes(1, 1);
    }
}

#[test]
fn a_server_that_stays_out_of_order_ends_the_run_after_five_tries() {
    let server = Llmock::scripted(vec![json!({"type": "fail", "status": 503, "times": null})]);
    assert_ends(&server, 10, "not available");
    server.assert_passes(5, 5);
}

#[test]
fn a_stream_that_ends_early_is_no_answer() {
    let server = Llmock::scripted(vec![stream_fault("truncate"), cut()]);
    assert_lands(&server, &[]);
    server.assert_passes(2, 1);
}

#[test]
fn a_dropped_connection_is_no_answer() {
    let server = Llmock::scripted(vec![stream_fault("disconnect"), cut()]);
    assert_lands(&server, &[]);
    server.assert_passes(2, 1);
}

#[test]
fn a_piece_that_is_no_json_is_no_answer() {
    // Slowly, so that the server can notice that nobody listens any more: otherwise all is sent by then.
    let slowly = ["--stream-chunk-delay-ms", "500"];
    let server = Llmock::scripted_with(&slowly, vec![stream_fault("malformed"), cut()]);
    assert_lands(&server, &[]);
    server.assert_passes(2, 1);
}

#[test]
fn a_silent_stream_is_left() {
    let server = Llmock::scripted(vec![stream_fault("stall"), cut()]);
    assert_lands(&server, &[("idle-timeout", "3")]);
    server.assert_passes(2, 1);
}

#[test]
fn a_slow_first_token_is_waited_for() {
    let server = Llmock::scripted(vec![json!({"type": "slow_first_token", "seconds": 2})]);
    assert_lands(&server, &[]);
    server.assert_passes(1, 0);
}

#[test]
fn a_first_token_that_does_not_come_is_left() {
    let server = Llmock::scripted(vec![json!({"type": "slow_first_token", "seconds": 600}), cut()]);
    assert_lands(&server, &[("first-byte-timeout", "3"), ("idle-timeout", "3")]);
    server.assert_passes(2, 0);
}

#[test]
fn a_reply_that_reached_its_length_goes_back_to_the_model() {
    let mut long = cut();
    long["finish_reason"] = json!("length");
    let server = Llmock::scripted(vec![long]);
    assert_lands(&server, &[]);
    server.assert_passes(2, 0);
}

#[test]
fn replies_that_always_reach_their_length_fail_the_goal() {
    let mut long = cut();
    long["finish_reason"] = json!("length");
    long["times"] = Value::Null;
    let server = Llmock::scripted(vec![long]);
    assert_ends(&server, 3, "failed");
    server.assert_passes(2, 0);
}

#[test]
fn a_filtered_reply_is_not_applied() {
    let mut filtered = cut();
    filtered["finish_reason"] = json!("content_filter");
    let server = Llmock::scripted(vec![filtered]);
    assert_lands(&server, &[]);
    server.assert_passes(2, 0);
}

#[test]
fn calls_of_tools_that_nobody_offered_are_no_reply() {
    let call = json!({"type": "reply", "tool_calls": [{"name": "bash", "arguments": {"command": "touch cut.txt"}}]});
    let fault = json!({"type": "tool_fault", "kind": "malformed_arguments", "match": {}});
    let server = Llmock::scripted(vec![call, fault]);
    assert_lands(&server, &[]);
    server.assert_passes(2, 0);
}

#[test]
fn a_prompt_that_is_too_long_is_not_sent_again() {
    let server = Llmock::start(&["--context-window", "50"]);
    assert_ends(&server, 3, "maximum context length");
    server.assert_passes(1, 1);
}

#[test]
fn a_limit_on_requests_is_waited_out() {
    let server = Llmock::start(&["--rpm", "30"]);
    server.behave(&[json!({"type": "reply", "text": whole("a.txt", "a\n"), "times": null})]);
    // Others with the same key use up what may be asked in a moment.
    for number in 0..30 {
        let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": number.to_string()}]});
        let sent = ureq::post(format!("{}/v1/chat/completions", server.server.url))
            .header("Authorization", "Bearer sk-peer-0a1b2c3d4e5f")
            .send_json(body);
        sent.unwrap();
    }
    assert_lands(&server, &[]);
    server.assert_passes(32, 1);
}
