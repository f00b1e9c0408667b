//! Tests against a server on this machine that sends scripted bytes. Nothing here waits between tries.

use std::sync::{Arc, Mutex};

use super::*;
use crate::{
    door::http::stub::{Act, Stub, act, nobody, response},
    money::{Came, Refused, Ticket},
    provider::openai::OpenAi,
    transcript::{Message, Role},
};

const KEY: &str = "sk-or-v1-hush-hush";
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

fn settings(url: &str) -> Llm {
    Llm {
        provider: "openrouter".to_owned(),
        model: "asked".to_owned(),
        base_url: format!("{url}/v1/"),
        key_env: "KEY".to_owned(),
        timeout: LONG,
        connect_timeout: LONG,
        first_byte_timeout: LONG,
        idle_timeout: LONG,
        stream: true,
        ..Llm::default()
    }
}

fn request() -> Request {
    Request {
        model: "asked".to_owned(),
        messages: vec![Message {
            role: Role::User,
            content: "1234567".to_owned(),
        }],
        max_tokens: Some(100),
        reasoning: None,
        schema: None,
    }
}

/// Keeps what each try came to: `answer`, `nothing` or `unknown`.
#[derive(Default)]
struct Booked(Mutex<Vec<&'static str>>);

impl Meter for Booked {
    fn reserve(&self, _request: &Request) -> Result<Ticket, Refused> {
        Ok(Ticket(0))
    }

    fn settle(&self, _ticket: Ticket, came: Came<'_>) {
        self.0.lock().unwrap().push(match came {
            Came::Answer(_) => "answer",
            Came::Nothing => "nothing",
            Came::Unknown => "unknown",
        });
    }
}

/// What a call came to: the outcome, the waits between tries in seconds, what the meter booked.
struct Asked {
    outcome: Result<Answer, ProviderError>,
    waits: Vec<f64>,
    booked: Vec<&'static str>,
}

impl Asked {
    fn error(&self) -> &ProviderError {
        self.outcome.as_ref().unwrap_err()
    }

    fn text(&self) -> &str {
        &self.outcome.as_ref().unwrap().text
    }
}

fn ask_with(llm: &Llm) -> Asked {
    let waits = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&waits);
    let pause = Pause(Box::new(move |wait, _| {
        log.lock().unwrap().push(wait.as_secs_f64());
        true
    }));
    let dialect = Box::new(OpenAi::open(llm).unwrap());
    let endpoint = Endpoint::open(dialect, llm, Some(Secret::new(KEY)), pause).unwrap();
    let booked = Booked::default();
    let outcome = endpoint
        .falling_back_to(&llm.fallback)
        .ask(&request(), &booked, &Stop::default());
    if let Err(error) = &outcome {
        let said = format!("{error} {error:?} {:?}", error.hint());
        assert!(!said.contains("hush"), "{said}");
    }
    let waits = waits.lock().unwrap().clone();
    Asked {
        outcome,
        waits,
        booked: booked.0.into_inner().unwrap(),
    }
}

fn ask(acts: Vec<Act>) -> Asked {
    ask_with(&settings(&Stub::start(acts).url))
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

fn delta(text: &str) -> String {
    format!("data: {{\"choices\": [{{\"delta\": {{\"content\": \"{text}\"}}}}]}}\n\n")
}

const ENDED: &str = "data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn stream(parts: &[&str]) -> Vec<u8> {
    response(200, "Content-Type: text/event-stream\r\n", parts.concat())
}

fn hi() -> Act {
    Act::Send(stream(&[&delta("hi"), ENDED, DONE]))
}

#[test]
fn a_stream_is_asked_for_and_read() {
    let usage = "data: {\"model\": \"served\", \"choices\": [], \"usage\": {\"prompt_tokens\": 3, \"completion_tokens\": 4, \"cost\": 0.5}}\n\n";
    let stub = Stub::start(vec![Act::Send(stream(&[
        ": PROCESSING\n\n",
        &delta("h"),
        &delta("i"),
        ENDED,
        usage,
        DONE,
        &delta("after"),
    ]))]);
    let asked = ask_with(&settings(&stub.url));
    let answer = asked.outcome.unwrap();
    assert_eq!(
        (answer.text.as_str(), answer.model.as_str(), answer.finish),
        ("hi", "served", Finish::Stop)
    );
    assert_eq!(
        (answer.usage.tokens(), answer.usage.cost_usd, answer.usage.estimated),
        (7, Some(0.5), false)
    );
    assert!(answer.raw.starts_with(b": PROCESSING"));
    let seen = stub.seen().remove(0);
    assert!(seen.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("\"stream\":true"), "{seen}");
    let seen = seen.to_ascii_lowercase();
    assert!(seen.contains("authorization: bearer sk-or-v1-hush-hush\r\n"), "{seen}");
    assert!(seen.contains("accept-encoding: identity\r\n"), "{seen}");
}

#[test]
fn the_server_chooses_the_shape_whatever_it_was_asked_for_and_however_it_calls_it() {
    let text = stream(&[&delta("hi"), ENDED, DONE]);
    let json = r#"{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}"#;
    for (name, bytes) in [
        ("a whole answer to a stream", response(200, "", json)),
        (
            "a whole answer called a stream",
            response(200, "Content-Type: text/event-stream\r\n", json),
        ),
        (
            "a whole answer behind white space and a BOM",
            response(200, "", format!("\u{feff}\n \n{json}")),
        ),
        (
            "a whole answer called HTML",
            response(200, "Content-Type: text/html\r\n", json),
        ),
        (
            "a key that is there twice",
            response(200, "", json.replacen('{', r#"{"choices": 7, "#, 1)),
        ),
        ("a stream", text.clone()),
        (
            "a stream called JSON",
            response(
                200,
                "Content-Type: application/json\r\n",
                [&delta("hi"), ENDED, DONE].concat(),
            ),
        ),
        ("a stream without its end", stream(&[&delta("hi"), ENDED])),
        ("a stream without a reason", stream(&[&delta("hi"), DONE])),
        (
            "a stream whose last line has no end",
            stream(&[&delta("hi"), "data: [DONE]"]),
        ),
        (
            "a stream with CR alone",
            stream(&[&delta("hi").replace('\n', "\r"), &DONE.replace('\n', "\r")]),
        ),
    ] {
        for streamed in [true, false] {
            let llm = Llm {
                stream: streamed,
                ..settings(&Stub::start(vec![Act::Send(bytes.clone())]).url)
            };
            let asked = ask_with(&llm);
            assert_eq!(
                asked.outcome.map(|answer| answer.text),
                Ok("hi".to_owned()),
                "{name}, {streamed}"
            );
            assert_eq!(asked.booked, ["answer"], "{name}");
        }
    }
}

#[test]
fn usage_that_nobody_counted_is_estimated_and_says_so() {
    let none = r#"{"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}"#;
    let huge = r#"{"choices": [], "usage": {"prompt_tokens": 4000000000000000, "completion_tokens": -1}}"#;
    let none = format!("data: {none}\n\n");
    let huge = format!("data: {huge}\n\n");
    for counts in ["", &none, &huge] {
        let usage = ask(vec![Act::Send(stream(&[&delta("12345678"), ENDED, counts, DONE]))])
            .outcome
            .unwrap()
            .usage;
        let expected = Usage {
            prompt_tokens: 2,
            completion_tokens: 3,
            estimated: true,
            ..Usage::default()
        };
        assert_eq!(usage, expected, "{counts}");
    }
}

/// Rows L01: what asking again cannot change.
#[test]
fn failures_of_key_credit_and_request_are_not_tried_again() {
    for status in [400, 401, 402, 403, 404, 422] {
        let asked = ask(vec![error(status), hi()]);
        assert_eq!(
            asked.error().is_fatal_for_run(),
            !matches!(status, 400 | 422),
            "{status}"
        );
        assert_eq!((asked.waits.len(), asked.booked), (0, vec!["nothing"]), "{status}");
    }
}

/// Rows L02: what asking again may change, and how long to wait for it.
#[test]
fn failures_that_pass_are_tried_again_and_the_waits_are_as_told() {
    let in_flight =
        r#"{"error": {"code": 402, "message": "x", "metadata": {"limit_source": "openrouter_in_flight_budget"}}}"#;
    let told = |status, header: &str| Act::Send(response(status, header, "<html>busy</html>"));
    let dates = "Date: Sun, 22 Nov 2026 09:20:56 GMT\r\nRetry-After: Sun, 22 Nov 2026 09:21:06 GMT\r\n";
    for (name, act, wait) in [
        ("408", told(408, ""), None),
        ("429 in seconds", told(429, "Retry-After: 7\r\n"), Some(7.0)),
        ("429 with a date", told(429, dates), Some(10.0)),
        ("429 with a negative wait", told(429, "Retry-After: -5\r\n"), None),
        ("429 without a wait", told(429, ""), None),
        (
            "402 in flight",
            Act::Send(response(402, "Retry-After: 3\r\n", in_flight)),
            Some(3.0),
        ),
        ("500", told(500, ""), None),
        ("502", told(502, ""), None),
        ("503", told(503, "Retry-After: 2\r\n"), Some(2.0)),
        ("504", told(504, ""), None),
        ("520", told(520, ""), None),
        ("529", told(529, ""), None),
    ] {
        let asked = ask(vec![act, hi()]);
        assert_eq!(asked.text(), "hi", "{name}");
        let first = match name {
            // Nobody knows what the model did while the gateway waited.
            "408" | "504" | "520" => "unknown",
            _ => "nothing",
        };
        assert_eq!((asked.waits.len(), asked.booked), (1, vec![first, "answer"]), "{name}");
        match wait {
            Some(wait) => assert_eq!(asked.waits, [wait], "{name}"),
            None => assert!((0.5..=1.0).contains(&asked.waits[0]), "{name}: {:?}", asked.waits),
        }
    }
    let huge = ask(vec![told(429, "Retry-After: 86400\r\n"), hi()]);
    assert!(matches!(huge.error(), ProviderError::RateLimited { .. }) && huge.waits.is_empty());
}

/// Rows L03 to L06: answers that are none. `unknown`: they may have cost something.
#[test]
fn broken_answers_are_tried_again_and_nonsense_is_not() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}".to_vec();
    let amid = "data: {\"error\": {\"message\": \"it broke\"}, \"choices\": [{\"finish_reason\": \"error\"}]}\n\n";
    let part = delta("ha");
    let said = r#"{"error": {"code": 529, "message": "x"}}"#;
    let deep = format!("{{\"choices\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    for (name, again, bytes) in [
        ("cut amid the body", true, half),
        ("cut before the head", true, Vec::new()),
        ("bad chunks", true, chunked),
        (
            "compressed",
            true,
            response(200, "Content-Encoding: gzip\r\n", "\x1f\x08"),
        ),
        ("empty", true, response(200, "", "")),
        (
            "truncated JSON",
            true,
            response(200, "", r#"{"choices": [{"message": {"con"#),
        ),
        ("an error in a body of success", true, response(200, "", said)),
        ("a stream that only ends", true, stream(&[&part])),
        (
            "a stream that was cut amid a line",
            true,
            stream(&[&part, "data: {\"choi"]),
        ),
        ("an error amid the stream", true, stream(&[&part, amid])),
        (
            "a part that is no JSON",
            true,
            stream(&[&part, "data: {]}\n\n", ENDED, DONE]),
        ),
        ("bytes that are no text", true, {
            let mut bytes = stream(&[&part, "data: \u{1}\n\n", ENDED, DONE]);
            let at = bytes.iter().position(|byte| *byte == 1).unwrap();
            bytes[at] = 0xff;
            bytes
        }),
        ("a page", false, response(200, "", "<!doctype html><p>Sign in</p>")),
        ("another document", false, response(200, "", "[]")),
        ("no choices", false, response(200, "", "{}")),
        ("too deep", false, response(200, "", deep)),
        ("too large", false, response(200, "", vec![b' '; 11 * 1024 * 1024])),
    ] {
        let asked = ask(vec![Act::Cut(bytes), hi()]);
        if again {
            assert_eq!(asked.outcome.map(|answer| answer.text), Ok("hi".to_owned()), "{name}");
            assert_eq!(
                (asked.waits.len(), asked.booked),
                (1, vec!["unknown", "answer"]),
                "{name}"
            );
        } else {
            assert!(
                matches!(asked.error(), ProviderError::Malformed { .. }),
                "{name}: {:?}",
                asked.error()
            );
            assert_eq!(asked.booked, ["unknown"], "{name}");
        }
    }
}

#[test]
fn an_outage_that_lasts_is_an_error_after_five_tries() {
    let asked = ask((0..9).map(|_| error(503)).collect());
    assert!(asked.error().is_outage());
    assert_eq!((asked.waits.len(), asked.booked.len()), (4, 5));
    let asked = ask_with(&settings(&nobody()));
    assert!(
        matches!(asked.error(), ProviderError::Connect { .. }),
        "{:?}",
        asked.error()
    );
    assert_eq!((asked.waits.len(), asked.booked), (4, vec!["nothing"; 5]));
}

#[test]
fn after_three_calls_in_a_row_an_endpoint_is_left_alone() {
    let stub = Stub::start((0..99).map(|_| error(503)).collect());
    let llm = settings(&stub.url);
    let pause = Pause(Box::new(|_, _| true));
    let endpoint = Endpoint::open(Box::new(OpenAi::open(&llm).unwrap()), &llm, None, pause).unwrap();
    for _ in 0..FAILURES {
        assert!(endpoint.ask(&request(), &Booked::default(), &Stop::default()).is_err());
    }
    let sent = stub.seen().len();
    let error = endpoint
        .ask(&request(), &Booked::default(), &Stop::default())
        .unwrap_err();
    assert!(
        error.is_outage() && error.to_string().contains("3 calls in a row failed"),
        "{error}"
    );
    assert_eq!(stub.seen().len(), sent);
}

#[test]
fn another_model_answers_while_the_first_is_out_of_order_and_only_then() {
    let fallback = |acts: Vec<Act>| {
        let stub = Stub::start(acts);
        let llm = Llm {
            fallback: vec!["asked".to_owned(), "other".to_owned()],
            ..settings(&stub.url)
        };
        let asked = ask_with(&llm);
        let models: Vec<bool> = stub
            .seen()
            .iter()
            .map(|seen| seen.contains("\"model\":\"other\""))
            .collect();
        (asked, models)
    };
    let (asked, models) = fallback((0..5).map(|_| error(503)).chain([hi()]).collect());
    assert_eq!(asked.text(), "hi");
    assert_eq!(models, [false, false, false, false, false, true]);
    let (asked, models) = fallback(vec![error(400), hi()]);
    assert!(matches!(asked.error(), ProviderError::BadRequest { .. }));
    assert_eq!(models, [false]);
}

#[test]
fn a_redirect_does_not_carry_the_key_elsewhere() {
    let elsewhere = Stub::start(vec![hi()]);
    for status in [301, 302, 303, 307, 308] {
        let to = format!("Location: {}/v1/chat/completions\r\n", elsewhere.url);
        let asked = ask(vec![Act::Send(response(status, &to, ""))]);
        assert!(asked.error().is_fatal_for_run(), "{status}");
    }
    assert_eq!(elsewhere.seen().len(), 0);
}

#[test]
fn silence_is_borne_once_and_a_slow_answer_is_not_paid_for_twice() {
    let begun = || Act::Hang(b"HTTP/1.1 200 OK\r\n\r\n: waiting\n\n".to_vec());
    let idle = |acts| Llm {
        idle_timeout: SHORT,
        ..settings(&Stub::start(acts).url)
    };
    let asked = ask_with(&idle(vec![begun(), hi()]));
    assert_eq!(
        (asked.text(), asked.booked.as_slice()),
        ("hi", ["unknown", "answer"].as_slice())
    );
    let asked = ask_with(&idle(vec![begun(), begun(), hi()]));
    assert_eq!(asked.error(), &ProviderError::Silent { limit: SHORT });
    let llm = Llm {
        timeout: SHORT,
        ..settings(&Stub::start(vec![begun(), hi()]).url)
    };
    let asked = ask_with(&llm);
    assert_eq!(asked.error(), &ProviderError::Timeout { limit: SHORT });
    assert_eq!((asked.waits.len(), asked.booked), (0, vec!["unknown"]));
}

#[test]
fn an_empty_answer_is_asked_for_once_more_and_both_are_booked() {
    let asked = ask(vec![completion("", "stop"), completion("hi", "stop")]);
    assert_eq!(asked.booked, ["answer", "answer"]);
    let usage = asked.outcome.unwrap().usage;
    assert_eq!((usage.tokens(), usage.cost_usd), (14, Some(1.0)));
    let asked = ask(vec![completion("", "stop"), error(401)]);
    assert_eq!(asked.error().answer().unwrap().usage.cost_usd, Some(0.5));
    let stub = Stub::start((0..3).map(|_| completion(" ", "stop")).collect());
    let asked = ask_with(&settings(&stub.url));
    assert!(matches!(asked.error(), ProviderError::Empty(_)), "{:?}", asked.error());
    assert_eq!(asked.error().answer().unwrap().usage.cost_usd, Some(1.0));
    assert_eq!(stub.seen().len(), 2);
}

#[test]
fn a_reply_that_was_cut_off_is_an_error_that_keeps_what_it_cost() {
    let asked = ask(vec![completion("half", "length")]);
    assert_eq!(asked.error().to_string(), "the reply was cut off after 4 tokens");
    assert_eq!(
        (asked.error().answer().unwrap().text.as_str(), asked.booked.len()),
        ("half", 1)
    );
    let length = ENDED.replace("stop", "length");
    let asked = ask(vec![Act::Send(stream(&[&delta("half"), &length, DONE]))]);
    assert!(matches!(asked.error(), ProviderError::Cut(_)), "{:?}", asked.error());
}

#[test]
fn thinking_without_end_is_left_and_thoughts_are_no_answer() {
    let thought = "data: {\"choices\": [{\"delta\": {\"content\": \"\", \"reasoning\": \"hm\"}}]}\n\n";
    let asked = ask(vec![Act::Hang(
        [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), thought.repeat(1300).as_bytes()].concat(),
    )]);
    assert!(matches!(asked.error(), ProviderError::Cut(_)), "{:?}", asked.error());
    let answer = asked.error().answer().unwrap();
    assert_eq!((answer.text.as_str(), answer.usage.completion_tokens), ("", 1200));
    assert_eq!(asked.booked, ["unknown"]);
    let think = delta("<think>no</think>yes");
    assert_eq!(ask(vec![Act::Send(stream(&[&think, ENDED, DONE]))]).text(), "yes");
}

#[test]
fn an_unsafe_endpoint_is_refused_before_anything_is_sent() {
    let open = |url: &str, key: Option<&str>, allow_http| {
        let llm = Llm {
            allow_http,
            ..settings(url)
        };
        let dialect = Box::new(OpenAi::open(&llm).unwrap());
        Endpoint::open(dialect, &llm, key.map(Secret::new), Pause(Box::new(|_, _| true))).err()
    };
    assert!(matches!(
        open("http://10.0.0.1", Some(KEY), false),
        Some(ProviderError::Insecure { .. })
    ));
    assert_eq!(open("http://10.0.0.1", Some(KEY), true), None);
    assert!(matches!(
        open("https://example.com", None, false),
        Some(ProviderError::NoKey { .. })
    ));
    assert_eq!(open("http://[::1]:9", None, false), None);
    assert!(matches!(
        open("no url", Some(KEY), false),
        Some(ProviderError::Connect { .. })
    ));
}

#[test]
fn without_a_key_none_is_sent_and_once_asked_to_stop_nothing_is() {
    let stub = Stub::start(vec![hi()]);
    let llm = settings(&stub.url);
    let pause = Pause(Box::new(|_, _| true));
    let endpoint = Endpoint::open(Box::new(OpenAi::open(&llm).unwrap()), &llm, None, pause).unwrap();
    let stop = Stop::default();
    endpoint.ask(&request(), &Booked::default(), &stop).unwrap();
    assert!(!stub.seen().remove(0).to_ascii_lowercase().contains("authorization"));
    stop.press();
    let booked = Booked::default();
    assert_eq!(endpoint.ask(&request(), &booked, &stop), Err(ProviderError::Stopped));
    assert_eq!((stub.seen().len(), booked.0.into_inner().unwrap().len()), (1, 0));
}

#[test]
fn lists_are_asked_for_once_and_failures_are_worded_as_ever() {
    let stub = Stub::start(vec![
        act(200, r#"{"data": [{"id": "a"}]}"#),
        error(503),
        act(200, "<html>"),
        error(404),
        error(401),
    ]);
    let llm = settings(&stub.url);
    let pause = Pause(Box::new(|_, _| true));
    let endpoint = Endpoint::open(Box::new(OpenAi::open(&llm).unwrap()), &llm, None, pause).unwrap();
    let stop = Stop::default();
    assert_eq!(endpoint.models(&stop).unwrap()[0].id, "a");
    assert!(
        stub.seen()[0].starts_with("GET /v1/models HTTP/1.1\r\n"),
        "{:?}",
        stub.seen()
    );
    assert!(endpoint.models(&stop).unwrap_err().is_outage());
    assert!(matches!(endpoint.models(&stop), Err(ProviderError::Malformed { .. })));
    assert_eq!(endpoint.account(&stop), Ok(None), "it does not know the question");
    assert!(matches!(
        endpoint.account(&stop),
        Err(ProviderError::Unauthorized { .. })
    ));
}
