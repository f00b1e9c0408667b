//! Bodies as the API's documentation shows them.

use super::*;
use crate::transcript::Schema;

fn said_by(role: Role, content: &str) -> Message {
    Message {
        role,
        content: content.to_owned(),
    }
}

fn request(model: &str, reasoning: Option<&str>) -> Request {
    Request {
        model: model.to_owned(),
        messages: vec![said_by(Role::System, "orders"), said_by(Role::User, "code")],
        max_tokens: Some(16_000),
        reasoning: reasoning.map(str::to_owned),
        schema: None,
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&Anthropic.body(request, true)).unwrap()
}

/// Takes in events as `name data` lines.
fn streamed(events: &str) -> (Gathered, Option<Said>) {
    let mut gathered = Gathered::default();
    for line in events.lines() {
        let (name, data) = line.trim().split_once(' ').unwrap();
        if let Err(said) = Anthropic.take(&mut gathered, name, data) {
            return (gathered, Some(said));
        }
    }
    (gathered, None)
}

#[test]
fn the_stable_prefix_is_marked_and_orders_stand_at_the_top() {
    let mut request = request("claude-opus-4-6", None);
    request.messages.extend([
        said_by(Role::Assistant, "reply"),
        said_by(Role::User, "refused"),
        said_by(Role::Assistant, "reply 2"),
        said_by(Role::User, "again"),
    ]);
    let body = body(&request);
    let mark = json!({ "type": "ephemeral" });
    assert_eq!(
        body["system"],
        json!([{ "type": "text", "text": "orders", "cache_control": mark }])
    );
    let marked: Vec<bool> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["content"][0]["cache_control"] == mark)
        .collect();
    assert_eq!(marked, [true, false, false, false, true]);
    assert_eq!(body["messages"][1]["role"], "assistant");
    assert_eq!((&body["max_tokens"], &body["stream"]), (&json!(16_000), &json!(true)));
    assert_eq!((body.get("thinking"), body.get("output_config")), (None, None));
}

#[test]
fn an_empty_text_bears_no_mark() {
    let mut request = request("claude-opus-4-6", None);
    request.messages = vec![said_by(Role::User, " ")];
    request.max_tokens = None;
    let body = body(&request);
    assert_eq!(
        body["messages"][0]["content"][0],
        json!({ "type": "text", "text": " " })
    );
    assert_eq!((&body["max_tokens"], body.get("system")), (&json!(16_000), None));
}

#[test]
fn thinking_is_asked_for_as_the_model_knows_it() {
    let adaptive = json!({ "type": "adaptive" });
    let tokens = |budget: u32| json!({ "type": "enabled", "budget_tokens": budget });
    for (model, word, thinking, effort) in [
        ("claude-opus-5", "xhigh", adaptive.clone(), json!("xhigh")),
        ("claude-opus-4-7", "xhigh", adaptive.clone(), json!("xhigh")),
        ("claude-sonnet-4-6", "xhigh", adaptive.clone(), json!("high")),
        ("claude-sonnet-4-6", "max", adaptive.clone(), json!("max")),
        ("claude-sonnet-5-5", "minimal", adaptive.clone(), json!("low")),
        ("my-alias", "medium", adaptive, json!("medium")),
        ("claude-opus-5", "none", json!({ "type": "disabled" }), Value::Null),
        ("claude-fable-5", "none", Value::Null, json!("low")),
        ("claude-haiku-4-5-20251001", "none", Value::Null, Value::Null),
        ("claude-haiku-4-5-20251001", "high", tokens(8000), Value::Null),
        ("claude-opus-4-20250514", "max", tokens(12_000), Value::Null),
        ("claude-3-7-sonnet-20250219", "minimal", tokens(1024), Value::Null),
    ] {
        let body = body(&request(model, Some(word)));
        assert_eq!(body["thinking"], thinking, "{model} {word}");
        assert_eq!(body["output_config"]["effort"], effort, "{model} {word}");
    }
    let mut small = request("claude-sonnet-4-5", Some("high"));
    small.max_tokens = Some(1000);
    assert_eq!(body(&small).get("thinking"), None, "no room for the least budget");
}

#[test]
fn a_schema_is_the_format_of_the_output() {
    let mut request = request("claude-opus-4-6", Some("low"));
    let schema = json!({ "type": "object", "additionalProperties": false });
    request.schema = Some(Schema {
        name: "plan".to_owned(),
        schema: schema.clone(),
    });
    let format = json!({ "type": "json_schema", "schema": schema });
    assert_eq!(
        body(&request)["output_config"],
        json!({ "effort": "low", "format": format })
    );
}

#[test]
fn the_key_is_in_one_header_and_may_be_absent() {
    let version = ("anthropic-version", "2023-06-01".to_owned());
    assert_eq!(
        Anthropic.headers(Some("k")),
        [version.clone(), ("x-api-key", "k".to_owned())]
    );
    assert_eq!(Anthropic.headers(None), [version]);
}

#[test]
fn a_stream_gathers_text_without_thoughts_and_counts_what_was_cached() {
    let (gathered, said) = streamed(
        r#"message_start {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-opus-4-6","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":1}}}
        content_block_start {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}
        content_block_delta {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"I must"}}
        content_block_delta {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB"}}
        content_block_stop {"type":"content_block_stop","index":0}
        ping {"type":"ping"}
        content_block_start {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}
        content_block_delta {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hello"}}
        content_block_delta {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"!"}}
        content_block_stop {"type":"content_block_stop","index":1}
        new_kind {"type":"new_kind"}
        message_delta {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15,"output_tokens_details":{"thinking_tokens":4}}}"#,
    );
    assert_eq!(said, None);
    assert!(!gathered.done, "only message_stop ends it");
    let (end, _) = streamed(r#"message_stop {"type":"message_stop"}"#);
    assert!(end.done);
    assert_eq!(
        gathered,
        Gathered {
            text: "Hello!".to_owned(),
            model: Some("claude-opus-4-6".to_owned()),
            finish: Some(Finish::Stop),
            prompt_tokens: Some(1125),
            completion_tokens: Some(15),
            cached_tokens: 1000,
            reasoning_tokens: 4,
            ..Gathered::default()
        }
    );
}

#[test]
fn an_error_within_a_stream_has_the_status_that_its_word_stands_for() {
    let (_, said) = streamed(r#"error {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    assert_eq!(
        said,
        Some(Said {
            status: Some(529),
            error: json!({ "type": "overloaded_error", "message": "Overloaded" }),
        })
    );
    for (word, status) in [
        ("invalid_request_error", 400),
        ("authentication_error", 401),
        ("billing_error", 402),
        ("permission_error", 403),
        ("not_found_error", 404),
        ("request_too_large", 413),
        ("rate_limit_error", 429),
        ("api_error", 500),
        ("timeout_error", 504),
        ("unheard_of_error", 500),
    ] {
        let body = json!({ "type": "error", "error": { "type": word, "message": "m" }, "request_id": "req_1" });
        assert_eq!(Anthropic.whole(&body).unwrap_err().status, Some(status), "{word}");
    }
    assert_eq!(streamed("x not-json").1.unwrap().status, Some(502));
}

#[test]
fn a_whole_answer_is_read_and_every_end_has_its_meaning() {
    let answer = |reason: &str| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-6",
            "content": [{ "type": "thinking", "thinking": "…" }, { "type": "text", "text": "a" }, { "type": "text", "text": "b" }],
            "stop_reason": reason, "stop_sequence": null,
            "usage": { "input_tokens": 12, "cache_creation_input_tokens": null, "output_tokens": 6 }
        })
    };
    for (reason, finish) in [
        ("end_turn", Finish::Stop),
        ("stop_sequence", Finish::Stop),
        ("max_tokens", Finish::Length),
        ("model_context_window_exceeded", Finish::Length),
        ("refusal", Finish::Filter),
        ("tool_use", Finish::Other),
        ("pause_turn", Finish::Other),
    ] {
        let gathered = Anthropic.whole(&answer(reason)).unwrap();
        assert_eq!(
            (gathered.text.as_str(), gathered.finish),
            ("ab", Some(finish)),
            "{reason}"
        );
        assert_eq!(
            (gathered.prompt_tokens, gathered.completion_tokens),
            (Some(12), Some(6))
        );
        assert!(gathered.done && gathered.cost_usd.is_none());
    }
    assert_eq!(Anthropic.whole(&json!({})).unwrap_err().status, Some(502));
}

#[test]
fn models_have_their_context_and_no_price() {
    let listed = Anthropic.models(&json!({
        "data": [
            { "type": "model", "id": "claude-opus-4-6", "display_name": "Claude Opus 4.6", "created_at": "2026-02-04T00:00:00Z",
              "max_input_tokens": 200_000, "max_tokens": 64_000 },
            { "type": "model", "id": "claude-old", "max_input_tokens": null },
            { "type": "model" }
        ],
        "first_id": "claude-opus-4-6", "has_more": false, "last_id": "claude-old"
    }));
    let shown: Vec<_> = listed
        .iter()
        .map(|model| (model.id.as_str(), model.context, model.prices))
        .collect();
    assert_eq!(
        shown,
        [
            ("claude-opus-4-6", Some(200_000), Prices::Unknown),
            ("claude-old", None, Prices::Unknown)
        ]
    );
}
