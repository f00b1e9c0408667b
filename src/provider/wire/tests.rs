//! Tests of what bodies say, in all the dialects that are known.

use super::*;
use crate::transcript::{Message, Role};

fn request() -> Request {
    Request {
        model: "asked".to_owned(),
        messages: vec![Message {
            role: Role::User,
            content: "1234567".to_owned(),
        }],
        max_tokens: Some(9),
        reasoning: None,
        schema: None,
    }
}

fn reader() -> Reader {
    Reader {
        prices: Prices::Unknown,
        key: Some(Secret::new("sk-hush")),
    }
}

fn answer(body: &str) -> Result<Answer, ProviderError> {
    reader().answer(&request(), body.as_bytes().to_vec())
}

fn plain(content: &str) -> String {
    format!(r#"{{"choices": [{{"message": {{"content": {content}}}, "finish_reason": "stop"}}]}}"#)
}

#[test]
fn a_request_holds_what_decides_the_answer_in_a_fixed_order() {
    let text = |ask_cost| String::from_utf8(body(&request(), ask_cost)).unwrap();
    let start = r#"{"model":"asked","messages":[{"role":"user","content":"1234567"}],"max_tokens":9,"stream":false"#;
    assert_eq!(text(false), format!("{start}}}"));
    assert_eq!(text(true), format!(r#"{start},"usage":{{"include":true}}}}"#));
}

#[test]
fn content_is_a_string_or_parts_and_thoughts_are_left_out() {
    for (content, text) in [
        (r#""plain""#, "plain"),
        (r#"[{"type": "text", "text": "a"}, {"type": "image"}, "b"]"#, "ab"),
        (r#""<think>\nx\n</think>\n\nanswer""#, "answer"),
        (r#""about <think> tags""#, "about <think> tags"),
        ("null", ""),
    ] {
        let answer = answer(&plain(content)).unwrap();
        assert_eq!((answer.text.as_str(), answer.finish), (text, Finish::Stop), "{content}");
    }
}

#[test]
fn missing_usage_is_estimated_and_says_so() {
    let usage = answer(&plain(r#""12345678""#)).unwrap().usage;
    let expected = Usage {
        cached_tokens: 0,
        reasoning_tokens: 0,
        prompt_tokens: 2,
        completion_tokens: 3,
        cost_usd: None,
        estimated: true,
    };
    assert_eq!(usage, expected);
}

#[test]
fn cost_is_what_the_endpoint_says_else_what_prices_say() {
    let with = |usage: &str| plain(r#""x""#).replacen('{', &format!(r#"{{"usage": {usage}, "#), 1);
    let priced = Reader {
        prices: Prices::PerMillion {
            input: 1e6,
            output: 1e7,
        },
        key: None,
    };
    for (usage, unpriced, priced_at) in [
        (
            r#"{"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.5}"#,
            Some(0.5),
            0.5,
        ),
        (
            r#"{"prompt_tokens": 3, "completion_tokens": 2, "cost": "0.25"}"#,
            Some(0.25),
            0.25,
        ),
        (
            r#"{"prompt_tokens": 3, "completion_tokens": 2, "cost": -1}"#,
            None,
            23.0,
        ),
        (r#"{"prompt_tokens": 3, "completion_tokens": 2}"#, None, 23.0),
    ] {
        let body = with(usage);
        let said = answer(&body).unwrap().usage;
        assert_eq!(
            (said.tokens(), said.cost_usd, said.estimated),
            (5, unpriced, false),
            "{usage}"
        );
        let said = priced.answer(&request(), body.into_bytes()).unwrap().usage;
        assert_eq!(said.cost_usd, Some(priced_at), "{usage}");
    }
}

#[test]
fn the_served_models_name_cannot_add_a_trailer() {
    let body = plain(r#""x""#).replacen('{', r#"{"model": "m\nUndo: goal-1", "#, 1);
    assert_eq!(answer(&body).unwrap().model, "mUndo: goal-1");
    assert_eq!(answer(&plain(r#""x""#)).unwrap().model, "asked");
}

#[test]
fn unknown_finishes_are_tolerated() {
    for (finish, read) in [
        (r#""length""#, Finish::Length),
        (r#""content_filter""#, Finish::Filter),
        (r#""tool_calls""#, Finish::Other),
        ("null", Finish::Other),
    ] {
        let body = plain(r#""x""#).replace(r#""stop""#, finish);
        assert_eq!(answer(&body).unwrap().finish, read, "{finish}");
    }
}

#[test]
fn nonsense_is_malformed_with_a_short_excerpt() {
    let html = format!("<html>\n<body>{}</body>", "sk-hush ".repeat(90));
    for body in [
        "",
        "[]",
        "null",
        "{\"choices\": [{\"mess",
        "{}",
        r#"{"choices": []}"#,
        r#"{"choices": {"0": 1}}"#,
        r#"{"choices": [7]}"#,
        r#"{"choices": [{"message": {"content": 7}}]}"#,
        r#"{"choices": [{"message": {"content": [7]}}]}"#,
        html.as_str(),
    ] {
        let excerpt = match answer(body) {
            Err(ProviderError::Malformed { excerpt }) => excerpt,
            _ => String::new(),
        };
        assert!(!excerpt.is_empty() && excerpt.chars().count() <= 200, "{excerpt}");
        assert!(!excerpt.contains("hush") && !excerpt.contains('\n'), "{excerpt}");
    }
}

#[test]
fn errors_inside_a_body_of_success_are_errors() {
    let status = |body: &str| match answer(body).unwrap_err() {
        ProviderError::Unauthorized { .. } => 401,
        ProviderError::Credit { .. } => 402,
        ProviderError::RateLimited { .. } => 429,
        ProviderError::Unavailable { .. } => 503,
        ProviderError::BadRequest { .. } => 400,
        _ => 0,
    };
    for (body, read) in [
        (r#"{"error": {"code": 401, "message": "no"}}"#, 401),
        (r#"{"error": {"code": "429", "message": "slow"}}"#, 429),
        (r#"{"error": {"code": 502, "message": "x"}}"#, 503),
        (
            r#"{"error": {"message": "x", "metadata": {"error_type": "provider_overloaded"}}}"#,
            503,
        ),
        (r#"{"error": {"code": "rate_limit_exceeded", "message": "x"}}"#, 429),
        (r#"{"error": {"type": "insufficient_quota", "message": "x"}}"#, 402),
        (r#"{"error": "Unexpected endpoint"}"#, 400),
        (r#"{"choices": [{"error": {"code": 503, "message": "x"}}]}"#, 503),
        (
            r#"{"choices": [{"message": {"content": "half"}, "finish_reason": "error"}]}"#,
            503,
        ),
    ] {
        assert_eq!(status(body), read, "{body}");
    }
}

#[test]
fn a_status_of_failure_counts_before_the_bodys_own_code() {
    let body = br#"{"error": {"code": 500, "message": "sk-hush is\n wrong"}}"#;
    let error = reader().refusal(401, None, body);
    assert_eq!(
        error.to_string(),
        "the provider refuses the key (401): [redacted] is wrong"
    );
    let error = reader().refusal(400, None, b"plain text");
    assert_eq!(error.to_string(), "the provider refuses the request (400): plain text");
}

#[test]
fn what_concerns_the_account_and_what_the_request_are_told_apart() {
    let read = |status, body: &str| reader().refusal(status, None, body.as_bytes());
    let moderated = r#"{"error": {"message": "flagged", "metadata": {"reasons": ["x"]}}}"#;
    assert!(!read(403, moderated).is_fatal_for_run());
    assert!(read(403, "{}").is_fatal_for_run());
    let empty_account = r#"{"error": {"code": "insufficient_quota", "message": "x"}}"#;
    assert!(matches!(read(429, empty_account), ProviderError::Credit { .. }));
    assert!(matches!(read(429, "{}"), ProviderError::RateLimited { .. }));
    for status in [408, 500, 502, 503, 529] {
        assert!(read(status, "{}").is_outage(), "{status}");
    }
    assert!(read(404, "{}").is_fatal_for_run() && !read(400, "{}").is_fatal_for_run());
}
