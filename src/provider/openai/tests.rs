//! Tests against a server on this machine that sends scripted bytes. Nothing here waits between tries.

use std::sync::{Arc, Mutex};

use super::*;
use crate::{
    door::http::stub::{Act, Stub, act, nobody, response},
    money::Unmetered,
    transcript::{Message, Role},
};

const KEY: &str = "sk-or-v1-hush-hush";
const LONG: Duration = Duration::from_secs(20);

fn settings(url: &str, timeout: Duration) -> Llm {
    Llm {
        provider: "openrouter".to_owned(),
        model: "asked".to_owned(),
        base_url: format!("{url}/v1/"),
        max_tokens: 100,
        timeout,
        context: 1000,
        usd_per_mtok_in: None,
        usd_per_mtok_out: None,
        ..Llm::default()
    }
}

fn request() -> Request {
    Request {
        model: "asked".to_owned(),
        messages: vec![Message {
            role: Role::User,
            content: "hello".to_owned(),
        }],
        max_tokens: Some(100),
        reasoning: None,
        schema: None,
    }
}

/// Asks once and returns the outcome and the waits in seconds. No error may show the key.
fn ask_at(url: &str, timeout: Duration) -> (Result<Answer, ProviderError>, Vec<f64>) {
    let waits = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&waits);
    let pause = Pause(Box::new(move |wait, _| {
        log.lock().unwrap().push(wait.as_secs_f64());
        true
    }));
    let provider = OpenAi::open(&settings(url, timeout), Some(Secret::new(KEY)), pause).unwrap();
    let outcome = provider.ask(&request(), &Unmetered, &Stop::default());
    if let Err(error) = &outcome {
        assert!(
            !format!("{error} {error:?} {:?}", error.hint()).contains("hush"),
            "{error:?}"
        );
    }
    let waits = waits.lock().unwrap().clone();
    (outcome, waits)
}

fn ask(acts: Vec<Act>) -> (Result<Answer, ProviderError>, Vec<f64>) {
    ask_at(&Stub::start(acts).url, LONG)
}

fn completion(content: &str, finish: &str) -> Act {
    act(
        200,
        format!(
            r#"{{"model": "served", "choices": [{{"message": {{"content": "{content}"}}, "finish_reason": "{finish}"}}],
               "usage": {{"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.5}}}}"#
        ),
    )
}

fn error(status: u16) -> Act {
    act(
        status,
        format!(r#"{{"error": {{"code": {status}, "message": "key {KEY} said no"}}}}"#),
    )
}

#[test]
fn a_plain_answer_is_read_and_kept_as_it_came() {
    let stub = Stub::start(vec![completion("hi", "stop")]);
    let answer = ask_at(&stub.url, LONG).0.unwrap();
    assert_eq!((answer.text.as_str(), answer.model.as_str()), ("hi", "served"));
    assert_eq!((answer.usage.tokens(), answer.usage.cost_usd), (7, Some(0.5)));
    assert!(answer.raw.starts_with(b"{\"model\""));
    let seen = stub.seen().remove(0);
    assert!(seen.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{seen}");
    let seen = seen.to_ascii_lowercase();
    for header in [
        "authorization: bearer sk-or-v1-hush-hush\r\n",
        "http-referer: ",
        "x-title: ",
        "x-openrouter-title: ",
    ] {
        assert!(seen.contains(header), "{header} is not in {seen}");
    }
}

#[test]
fn without_a_key_none_is_sent() {
    let stub = Stub::start(vec![completion("hi", "stop")]);
    let pause = Pause(Box::new(|_, _| true));
    let provider = OpenAi::open(&settings(&stub.url, LONG), None, pause).unwrap();
    provider.ask(&request(), &Unmetered, &Stop::default()).unwrap();
    assert!(!stub.seen().remove(0).to_ascii_lowercase().contains("authorization"));
}

#[test]
fn failures_of_key_credit_and_request_are_not_tried_again() {
    for status in [400, 401, 402, 403, 404] {
        let (outcome, waits) = ask(vec![error(status), completion("hi", "stop")]);
        let error = outcome.unwrap_err();
        assert_eq!(error.is_fatal_for_run(), status != 400, "{error}");
        assert!(waits.is_empty(), "{status}");
    }
}

#[test]
fn busy_and_cut_are_tried_again_until_an_answer_comes() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    let slow = response(429, "Retry-After: 7\r\n", "{}");
    let (outcome, waits) = ask(vec![
        error(500),
        Act::Send(slow),
        Act::Cut(half),
        act(200, r#"{"error": {"code": 529, "message": "x"}}"#),
        completion("hi", "stop"),
    ]);
    assert_eq!(outcome.unwrap().text, "hi");
    assert_eq!((waits.len(), waits[1]), (4, 7.0));
}

#[test]
fn an_outage_that_lasts_is_an_error_after_five_tries() {
    let (outcome, waits) = ask((0..9).map(|_| error(503)).collect());
    assert!(outcome.unwrap_err().is_outage());
    assert_eq!(waits.len(), 4);
    let (outcome, waits) = ask_at(&nobody(), LONG);
    assert!(matches!(outcome, Err(ProviderError::Connect { .. })), "{outcome:?}");
    assert_eq!(waits.len(), 4);
}

#[test]
fn bodies_that_are_no_completion_are_malformed_and_not_tried_again() {
    for body in ["", "<!doctype html><p>Sign in</p>", r#"{"choices": [{"message": {"con"#] {
        let (outcome, waits) = ask(vec![act(200, body), completion("hi", "stop")]);
        assert!(matches!(outcome, Err(ProviderError::Malformed { .. })), "{outcome:?}");
        assert!(waits.is_empty());
    }
    let (outcome, _) = ask(vec![act(200, vec![b' '; 11 * 1024 * 1024])]);
    assert!(matches!(outcome, Err(ProviderError::Malformed { .. })), "{outcome:?}");
}

#[test]
fn a_redirect_does_not_carry_the_key_elsewhere() {
    let elsewhere = Stub::start(vec![completion("hi", "stop")]);
    let to = format!("Location: {}/v1/chat/completions\r\n", elsewhere.url);
    let (outcome, _) = ask(vec![Act::Send(response(307, &to, ""))]);
    assert!(outcome.unwrap_err().is_fatal_for_run());
    assert_eq!(elsewhere.seen().len(), 0);
}

#[test]
fn a_slow_answer_times_out_and_is_not_paid_for_twice() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    let stub = Stub::start(vec![Act::Hang(half), completion("hi", "stop")]);
    let (outcome, waits) = ask_at(&stub.url, Duration::from_millis(200));
    assert!(matches!(outcome, Err(ProviderError::Timeout { .. })), "{outcome:?}");
    assert!(waits.is_empty());
}

#[test]
fn an_empty_answer_is_asked_for_once_more_and_both_are_booked() {
    let (outcome, _) = ask(vec![completion("", "stop"), completion("hi", "stop")]);
    let usage = outcome.unwrap().usage;
    assert_eq!((usage.tokens(), usage.cost_usd), (14, Some(1.0)));
    let error = ask(vec![completion("", "stop"), error(401)]).0.unwrap_err();
    assert_eq!(error.answer().unwrap().usage.cost_usd, Some(0.5));
    let stub = Stub::start((0..3).map(|_| completion(" ", "stop")).collect());
    let error = ask_at(&stub.url, LONG).0.unwrap_err();
    assert!(matches!(error, ProviderError::Empty(_)), "{error:?}");
    assert_eq!(error.answer().unwrap().usage.cost_usd, Some(1.0));
    assert_eq!(stub.seen().len(), 2);
}

#[test]
fn a_reply_that_was_cut_off_is_an_error_that_keeps_what_it_cost() {
    let error = ask(vec![completion("half", "length")]).0.unwrap_err();
    assert_eq!(error.to_string(), "the reply was cut off after 4 tokens");
    assert_eq!(error.answer().unwrap().text, "half");
}

#[test]
fn an_unsafe_endpoint_is_refused_before_anything_is_sent() {
    let pause = Pause(Box::new(|_, _| true));
    let opened = OpenAi::open(&settings("http://example.com", LONG), Some(Secret::new(KEY)), pause);
    assert!(matches!(opened.err(), Some(ProviderError::Insecure { .. })));
}

#[test]
fn nothing_is_sent_once_the_run_is_asked_to_stop() {
    let stub = Stub::start(vec![completion("hi", "stop")]);
    let stop = Stop::default();
    stop.press();
    let pause = Pause(Box::new(|_, _| true));
    let provider = OpenAi::open(&settings(&stub.url, LONG), None, pause).unwrap();
    assert_eq!(provider.ask(&request(), &Unmetered, &stop), Err(ProviderError::Stopped));
    assert_eq!(stub.seen().len(), 0);
}
