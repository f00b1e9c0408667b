//! Tests of the dialect's wording, both ways.

use super::*;
use crate::transcript::Schema;

fn llm(base_url: &str) -> Llm {
    Llm {
        base_url: base_url.to_owned(),
        ..Llm::default()
    }
}

fn openrouter() -> Llm {
    llm("https://openrouter.ai/api/v1")
}

fn dialect(llm: &Llm) -> OpenAi {
    OpenAi::open(llm).unwrap()
}

fn other() -> OpenAi {
    dialect(&llm("http://127.0.0.1:8080/v1"))
}

fn request() -> Request {
    let message = |role, content: &str| Message {
        role,
        content: content.to_owned(),
    };
    Request {
        model: "anthropic/asked".to_owned(),
        messages: vec![
            message(Role::System, "orders"),
            message(Role::User, "goal"),
            message(Role::Assistant, "try"),
            message(Role::User, "wrong"),
        ],
        max_tokens: Some(9),
        reasoning: None,
        schema: None,
    }
}

fn body(llm: &Llm, request: &Request, stream: bool) -> Value {
    serde_json::from_slice(&dialect(llm).body(request, stream)).unwrap()
}

/// Takes in events and returns what is gathered, or what was said instead.
fn take(events: &[&str]) -> Result<Gathered, Said> {
    let mut gathered = Gathered::default();
    for data in events {
        other().take(&mut gathered, "", data)?;
    }
    Ok(gathered)
}

fn whole(body: &str) -> Result<Gathered, Said> {
    other().whole(&serde_json::from_str(body).unwrap())
}

#[test]
fn an_endpoint_of_no_known_name_gets_what_all_understand() {
    let plain = Request {
        messages: vec![request().messages.remove(1)],
        ..request()
    };
    let text = |stream| String::from_utf8(other().body(&plain, stream)).unwrap();
    let start = r#"{"model":"anthropic/asked","messages":[{"role":"user","content":"goal"}],"max_tokens":9,"stream":"#;
    assert_eq!(text(false), format!("{start}false}}"));
    assert_eq!(
        text(true),
        format!(r#"{start}true,"stream_options":{{"include_usage":true}}}}"#)
    );
}

#[test]
fn openrouter_gets_models_routing_and_the_cached_prefix() {
    let mut llm = openrouter();
    llm.fallback = vec!["b".to_owned(), "anthropic/asked".to_owned()];
    llm.routing = Some(r#"{"zdr": true, "order": ["x"]}"#.to_owned());
    let asked = Request {
        reasoning: Some("low".to_owned()),
        schema: Some(Schema {
            name: "plan".to_owned(),
            schema: json!({"type": "object"}),
        }),
        ..request()
    };
    let body = body(&llm, &asked, true);
    assert_eq!(body["models"], json!(["anthropic/asked", "b"]));
    assert_eq!(
        body["provider"],
        json!({"zdr": true, "order": ["x"], "require_parameters": true})
    );
    assert_eq!(
        (&body["reasoning"], &body["reasoning_effort"]),
        (&json!({"effort": "low"}), &Value::Null)
    );
    let schema = json!({"name": "plan", "strict": true, "schema": {"type": "object"}});
    assert_eq!(
        body["response_format"],
        json!({"type": "json_schema", "json_schema": schema})
    );
    let cached: Vec<bool> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["content"].is_array())
        .collect();
    assert_eq!(cached, [true, true, false, false]);
    assert_eq!(
        body["messages"][1]["content"][0]["cache_control"],
        json!({"type": "ephemeral"})
    );
    assert!(body.get("stream_options").is_none() && dialect(&llm).falls_back());
}

#[test]
fn the_rounds_of_a_goal_share_their_session_and_goals_do_not() {
    let first = Request {
        messages: request().messages.into_iter().take(2).collect(),
        ..request()
    };
    let mut elsewhere = first.clone();
    elsewhere.messages[1].content.push('!');
    let session = |request: &Request| body(&openrouter(), request, true)["session_id"].clone();
    assert!(session(&first).is_string());
    assert_eq!(session(&first), session(&request()));
    assert_ne!(session(&first), session(&elsewhere));
}

#[test]
fn openai_itself_gets_its_newer_names() {
    let asked = Request {
        reasoning: Some("low".to_owned()),
        ..request()
    };
    let body = body(&llm("https://api.openai.com/v1"), &asked, false);
    assert_eq!(
        (&body["max_completion_tokens"], &body["max_tokens"]),
        (&json!(9), &Value::Null)
    );
    assert_eq!(body["reasoning_effort"], "low");
    assert!(body["prompt_cache_key"].is_string() && body.get("session_id").is_none());
}

#[test]
fn routing_that_is_no_object_is_refused_when_opened() {
    for text in ["[1]", "{", "sort: price", "\"x\""] {
        let mut llm = openrouter();
        llm.routing = Some(text.to_owned());
        let error = OpenAi::open(&llm).err().unwrap();
        assert!(
            error.to_string().starts_with("`llm.routing` is not a JSON object: "),
            "{error}"
        );
    }
}

#[test]
fn only_openrouter_learns_who_we_are_and_the_key_goes_in_one_header() {
    let names = |llm: &Llm, key| -> Vec<&str> { dialect(llm).headers(key).into_iter().map(|(name, _)| name).collect() };
    let all = [
        "Accept",
        "HTTP-Referer",
        "X-OpenRouter-Title",
        "X-Title",
        "Authorization",
    ];
    assert_eq!(names(&openrouter(), Some("k")), all);
    assert_eq!(names(&llm("https://evil.example/openrouter.ai"), None), ["Accept"]);
    assert_eq!(other().headers(Some("k"))[1].1, "Bearer k");
}

#[test]
fn a_stream_is_gathered_over_all_that_servers_put_into_it() {
    let gathered = take(&[
        r#"{"model": "served", "choices": [{"delta": {"role": "assistant"}, "finish_reason": null}]}"#,
        r#"{"choices": [{"delta": {"content": null, "reasoning": "SEARCH", "reasoning_details": [{"text": "x"}]}}]}"#,
        r#"{"choices": [{"delta": {"reasoning_content": "no"}}]}"#,
        r#"{"choices": [{"delta": {"content": "he"}}], "usage": null}"#,
        r#"{"choices": []}"#,
        r#"{"choices": [{"delta": {"content": [{"type": "text", "text": "y"}]}}]}"#,
        r#"{"choices": [{"delta": {}, "finish_reason": "stop"}]}"#,
        r#"{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5, "cost": "0.5",
            "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 3}}}"#,
        "[DONE]",
    ]);
    let expected = Gathered {
        text: "hey".to_owned(),
        model: Some("served".to_owned()),
        finish: Some(Finish::Stop),
        prompt_tokens: Some(7),
        completion_tokens: Some(5),
        cached_tokens: 4,
        reasoning_tokens: 3,
        cost_usd: Some(0.5),
        done: true,
    };
    assert_eq!(gathered, Ok(expected));
}

#[test]
fn what_is_said_instead_of_an_answer_is_never_taken_for_one() {
    for event in [
        r#"{"error": {"code": 503, "message": "x"}, "choices": [{"delta": {"content": ""}, "finish_reason": "error"}]}"#,
        r#"{"error": "slow down"}"#,
        r#"{"choices": [{"error": {"code": 503}}]}"#,
        r#"{"choices": [{"delta": {"content": "x"}, "finish_reason": "error"}]}"#,
        r#"{"choices": [{"delta": {"content": 7}}]}"#,
        r#"{"choices": [{"del"#,
        "7",
    ] {
        assert!(take(&[event]).is_err(), "{event}");
    }
    assert!(whole(r#"{"error": "Unexpected endpoint"}"#).is_err());
    for word in ["error", "insufficient_system_resource", "network_error"] {
        let body = format!(r#"{{"choices": [{{"message": {{"content": "half"}}, "finish_reason": "{word}"}}]}}"#);
        assert!(whole(&body).is_err(), "{word}");
    }
    for body in [
        "{}",
        r#"{"choices": []}"#,
        r#"{"choices": {"0": 1}}"#,
        r#"{"choices": [7]}"#,
        r#"{"choices": [{"message": {"content": 7}, "finish_reason": "stop"}]}"#,
        r#"{"choices": [{"message": {"content": [7]}}]}"#,
    ] {
        assert_eq!(whole(body), Ok(Gathered::default()), "{body}");
    }
}

#[test]
fn a_whole_answer_ends_for_a_reason_known_or_not() {
    for (choice, finish) in [
        (
            r#"{"message": {"content": "x"}, "finish_reason": "stop"}"#,
            Some(Finish::Stop),
        ),
        (
            r#"{"message": {"content": "x"}, "finish_reason": "length"}"#,
            Some(Finish::Length),
        ),
        (
            r#"{"message": {"content": "x"}, "finish_reason": "content_filter"}"#,
            Some(Finish::Filter),
        ),
        (
            r#"{"message": {"content": "x"}, "finish_reason": "model_length"}"#,
            Some(Finish::Length),
        ),
        (
            r#"{"message": {"content": "x"}, "finish_reason": "MAX_TOKENS"}"#,
            Some(Finish::Length),
        ),
        (
            r#"{"message": {"content": "x"}, "finish_reason": "SAFETY"}"#,
            Some(Finish::Filter),
        ),
        (
            r#"{"message": {"content": "x"}, "finish_reason": "tool_calls"}"#,
            Some(Finish::Other),
        ),
        (r#"{"message": {"content": "x"}, "finish_reason": null}"#, None),
        (
            r#"{"message": {"content": null, "refusal": "no"}, "finish_reason": "stop"}"#,
            Some(Finish::Filter),
        ),
    ] {
        let gathered = whole(&format!(r#"{{"choices": [{choice}]}}"#)).unwrap();
        assert_eq!((gathered.finish, gathered.done), (finish, true), "{choice}");
    }
}

#[test]
fn models_are_read_from_all_known_lists() {
    let body = json!({"data": [
        {"id": "a", "context_length": 9, "pricing": {"prompt": "0.000003", "completion": "0.000015"}},
        {"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}},
        {"id": "b", "pricing": {"prompt": "0", "completion": "0", "request": "0.01"}},
        {"id": "vllm", "max_model_len": 7},
        {"id": "llama.cpp", "meta": {"n_ctx_train": 8}},
        {"name": "no id"},
    ]});
    let models = other().models(&body);
    let read: Vec<_> = models.iter().map(|model| (model.id.as_str(), model.context)).collect();
    let expected = [
        ("a", Some(9)),
        ("auto", None),
        ("b", None),
        ("vllm", Some(7)),
        ("llama.cpp", Some(8)),
    ];
    assert_eq!(read, expected);
    assert!(matches!(
        models[0].prices,
        Prices::PerMillion {
            input: 3.0,
            output: 15.0
        }
    ));
    assert!(models[1..].iter().all(|model| model.prices == Prices::Unknown));
    assert_eq!(other().models(&json!("x")), []);
}

#[test]
fn an_account_without_a_limit_is_not_an_empty_one() {
    let read = |left: Value| dialect(&openrouter()).account(&json!({"data": {"limit_remaining": left}}));
    assert_eq!(read(json!(1.5)), Some(Account { left_usd: Some(1.5) }));
    assert_eq!(read(Value::Null), Some(Account { left_usd: None }));
    assert_eq!(dialect(&openrouter()).account(&json!({})), None);
    assert_eq!(
        (dialect(&openrouter()).account_path(), other().account_path()),
        (Some("/key"), Some("/key"))
    );
}
