//! Tests of how failures are worded, in all the dialects that are known.

use serde_json::json;

use super::*;

fn reader() -> Reader {
    Reader {
        key: Some(Secret::new("sk-hush")),
    }
}

#[test]
fn thoughts_are_left_out_and_thoughts_without_an_end_are_all_there_is() {
    for (text, answer) in [
        ("<think>\nx\n</think>\n\nanswer", "answer"),
        (" <think>x</think>a </think> b", "a </think> b"),
        ("<think>\nand so on", ""),
        ("about <think> tags</think>", "about <think> tags</think>"),
    ] {
        assert_eq!(without_thoughts(text.to_owned()), answer, "{text}");
    }
}

#[test]
fn counts_and_dollars_that_cannot_be_are_none() {
    let usage = serde_json::json!({"a": 3, "b": -3, "c": 1e3, "d": u64::MAX, "e": "3"});
    let counts: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(|name| count(usage.get(name))).into();
    assert_eq!(counts, [Some(3), None, None, None, None, None]);
    for (value, dollars) in [
        ("0.5", Some(0.5)),
        ("\"0.25\"", Some(0.25)),
        ("-1", None),
        ("\"NaN\"", None),
        ("[]", None),
    ] {
        assert_eq!(number(&serde_json::from_str(value).unwrap()), dollars, "{value}");
    }
}

#[test]
fn a_models_name_cannot_add_a_trailer() {
    assert_eq!(model_name("m\nUndo: goal-1"), "mUndo: goal-1");
}

#[test]
fn error_objects_are_told_apart_by_code_and_by_word() {
    let status =
        |error: &str, otherwise| match reader().failure(None, None, &serde_json::from_str(error).unwrap(), otherwise) {
            ProviderError::Unauthorized { .. } => 401,
            ProviderError::Credit { .. } => 402,
            ProviderError::RateLimited { .. } => 429,
            ProviderError::Unavailable { .. } => 503,
            ProviderError::BadRequest { .. } => 400,
            _ => 0,
        };
    for (error, read) in [
        (r#"{"code": 401, "message": "no"}"#, 401),
        (r#"{"code": "429", "message": "slow"}"#, 429),
        (r#"{"code": 502, "message": "x"}"#, 503),
        (
            r#"{"message": "x", "metadata": {"error_type": "provider_overloaded"}}"#,
            503,
        ),
        (r#"{"code": "rate_limit_exceeded", "message": "x"}"#, 429),
        (r#"{"type": "insufficient_quota", "message": "x"}"#, 402),
        (r#"{"type": "exceed_context_size_error", "code": 400}"#, 400),
        (r#""Unexpected endpoint""#, 400),
    ] {
        assert_eq!(status(error, 200), read, "{error}");
    }
    assert_eq!(status(r#"{"message": "who knows"}"#, 502), 503);
    assert_eq!(status(r#"{"type": "context_length_exceeded"}"#, 502), 400);
}

#[test]
fn a_budget_of_calls_in_flight_is_a_limit_and_no_empty_account() {
    let body =
        br#"{"error": {"code": 402, "message": "x", "metadata": {"limit_source": "openrouter_in_flight_budget"}}}"#;
    let after = Some(Duration::from_secs(3));
    let error = reader().refusal(402, after, body);
    assert!(
        matches!(&error, ProviderError::RateLimited { after: asked, .. } if *asked == after),
        "{error:?}"
    );
    let plain = reader().refusal(402, after, br#"{"error": {"code": 402, "message": "x"}}"#);
    assert!(matches!(plain, ProviderError::Credit { .. }), "{plain:?}");
}

#[test]
fn a_malformed_body_is_shown_in_short_and_without_the_key() {
    let html = format!("<html>\n<body>{}</body>", "sk-hush ".repeat(90));
    let ProviderError::Malformed { excerpt } = reader().malformed("no answer", html.as_bytes()) else {
        unreachable!();
    };
    assert!(
        excerpt.starts_with("no answer: <html> <body>[redacted]") && excerpt.chars().count() == 200,
        "{excerpt}"
    );
    assert!(!excerpt.contains("hush") && !excerpt.contains('\n'), "{excerpt}");
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

#[test]
fn an_empty_account_is_told_from_a_bad_request() {
    for (message, is_credit) in [
        (
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
            true,
        ),
        (
            "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
            true,
        ),
        ("max_tokens: must be greater than `thinking.budget_tokens`", false),
    ] {
        let body = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": message } });
        let error = reader().refusal(400, None, body.to_string().as_bytes());
        assert_eq!(matches!(error, ProviderError::Credit { .. }), is_credit, "{message}");
    }
}
