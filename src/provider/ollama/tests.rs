//! Bodies as Ollama's documentation and source show them.

use super::*;
use crate::{
    door::http::stub::{Stub, act},
    money::Unmetered,
    provider::{Answer, Provider as _, ProviderError, endpoint::Endpoint, retry::Pause},
    time::Stop,
    transcript::{Message, Role, Schema},
};

fn dialect() -> Ollama {
    Ollama::new(&Llm {
        context: 24_000,
        max_tokens: 16_000,
        ..Llm::default()
    })
}

fn body(reasoning: Option<&str>, schema: Option<Schema>) -> Value {
    let request = Request {
        model: "qwen3:8b".to_owned(),
        messages: vec![Message {
            role: Role::User,
            content: "code".to_owned(),
        }],
        max_tokens: Some(500),
        reasoning: reasoning.map(str::to_owned),
        schema,
    };
    serde_json::from_slice(&dialect().body(&request, true)).unwrap()
}

fn streamed(lines: &[&str]) -> (Gathered, Option<Said>) {
    let mut gathered = Gathered::default();
    for line in lines {
        if let Err(said) = dialect().take(&mut gathered, "", line) {
            return (gathered, Some(said));
        }
    }
    (gathered, None)
}

#[test]
fn the_context_is_asked_for_and_nothing_may_be_cut_in_silence() {
    assert_eq!(
        body(None, None),
        json!({
            "model": "qwen3:8b",
            "messages": [{ "role": "user", "content": "code" }],
            "stream": true, "truncate": false, "shift": false,
            "options": { "num_ctx": 40_000, "num_predict": 500 }
        })
    );
}

#[test]
fn thinking_and_schema_have_fields_of_their_own() {
    let schema = json!({ "type": "object" });
    let named = Schema {
        name: "plan".to_owned(),
        schema: schema.clone(),
    };
    assert_eq!(body(None, Some(named))["format"], schema);
    for (word, think) in [
        ("none", json!(false)),
        ("minimal", json!("low")),
        ("medium", json!("medium")),
        ("xhigh", json!("high")),
        ("max", json!("max")),
    ] {
        assert_eq!(body(Some(word), None)["think"], think, "{word}");
    }
}

#[test]
fn a_stream_ends_with_its_counts_and_costs_nothing() {
    let lines = [
        r#"{"model":"qwen3:8b","created_at":"2026-08-04T08:52:19.385406455Z","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}"#,
        r#"{"model":"qwen3:8b","created_at":"2026-08-04T08:52:19.4Z","message":{"role":"assistant","content":"The "},"done":false}"#,
        r#"{"model":"qwen3:8b","created_at":"2026-08-04T08:52:19.5Z","message":{"role":"assistant","content":"end"},"done":false}"#,
        r#"{"model":"qwen3:8b","created_at":"2026-08-04T19:22:45.499127Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,"prompt_eval_duration":342546000,"eval_count":282,"eval_duration":4535599000}"#,
    ];
    let (cut, _) = streamed(&lines[..3]);
    assert_eq!((cut.done, cut.finish, cut.cost_usd), (false, None, None));
    let (gathered, said) = streamed(&lines);
    assert_eq!(said, None);
    assert_eq!(
        gathered,
        Gathered {
            text: "The end".to_owned(),
            model: Some("qwen3:8b".to_owned()),
            finish: Some(Finish::Stop),
            prompt_tokens: Some(26),
            completion_tokens: Some(282),
            cost_usd: Some(0.0),
            done: true,
            ..Gathered::default()
        }
    );
}

#[test]
fn every_end_has_its_meaning() {
    for (reason, finish) in [
        (json!("stop"), Finish::Stop),
        (json!("length"), Finish::Length),
        (json!("load"), Finish::Other),
        (json!("unload"), Finish::Other),
        (Value::Null, Finish::Other),
    ] {
        let answer = json!({ "model": "m", "message": { "role": "assistant", "content": "" }, "done": true, "done_reason": reason });
        let gathered = dialect().whole(&answer).unwrap();
        assert_eq!(
            (gathered.finish, gathered.prompt_tokens),
            (Some(finish), None),
            "{reason}"
        );
    }
    let line = json!({ "model": "m", "message": { "role": "assistant", "content": "half" }, "done": false });
    assert_eq!(dialect().whole(&line).unwrap_err().status, Some(502));
    let elsewhere = json!({ "model": "m", "remote_host": "https://ollama.com", "done": true, "done_reason": "stop" });
    assert_eq!(dialect().whole(&elsewhere).unwrap().cost_usd, None);
}

#[test]
fn errors_are_texts_and_only_some_stay() {
    for (error, status) in [
        (
            "the prompt is longer than the context length currently available to the model",
            400,
        ),
        ("model 'x' not found", 404),
        ("an error was encountered while running the model: unexpected EOF", 500),
    ] {
        let line = json!({ "error": error }).to_string();
        let (gathered, said) = streamed(&[r#"{"message":{"content":"half"},"done":false}"#, &line]);
        let said = said.unwrap();
        assert_eq!((said.status, said.error), (Some(status), json!(error)));
        assert!(!gathered.done);
    }
    assert_eq!(streamed(&["<html>"]).1.unwrap().status, Some(502));
}

#[test]
fn models_of_this_machine_are_free_and_those_of_the_cloud_are_not() {
    let listed = dialect().models(&json!({ "models": [
        { "name": "qwen3:8b", "model": "qwen3:8b", "modified_at": "2026-05-10T08:06:48Z", "size": 1, "digest": "a8b0",
          "details": { "format": "gguf", "family": "qwen3", "context_length": 40_960 } },
        { "name": "old", "details": { "format": "gguf" } },
        { "name": "big-cloud", "model": "big-cloud", "remote_host": "https://ollama.com:443", "remote_model": "big" },
        { "size": 1 }
    ]}));
    let shown: Vec<_> = listed
        .iter()
        .map(|model| (model.id.as_str(), model.context, model.prices))
        .collect();
    assert_eq!(
        shown,
        [
            ("qwen3:8b", Some(40_960), Prices::Free),
            ("old", None, Prices::Free),
            ("big-cloud", None, Prices::Unknown)
        ]
    );
}

/// Asks with a prompt of 700 bytes; the answer says that so many tokens of it were read.
fn asked(tokens: u64) -> Result<Answer, ProviderError> {
    let answer = json!({
        "model": "m", "message": { "role": "assistant", "content": "hi" },
        "done": true, "done_reason": "stop", "prompt_eval_count": tokens, "eval_count": 1
    });
    let stub = Stub::start(vec![act(200, answer.to_string())]);
    let limit = std::time::Duration::from_secs(20);
    let llm = Llm {
        base_url: stub.url.clone(),
        timeout: limit,
        connect_timeout: limit,
        first_byte_timeout: limit,
        idle_timeout: limit,
        ..Llm::default()
    };
    let pause = Pause(Box::new(|_, _| false));
    let endpoint = Endpoint::open(Box::new(Ollama::new(&llm)), &llm, None, pause).unwrap();
    let request = Request {
        model: "m".to_owned(),
        messages: vec![Message {
            role: Role::User,
            content: "1234567".repeat(100),
        }],
        max_tokens: Some(100),
        reasoning: None,
        schema: None,
    };
    let outcome = endpoint.ask(&request, &Unmetered, &Stop::default());
    assert_eq!(stub.seen().len(), 1);
    outcome
}

#[test]
fn a_prompt_that_was_cut_without_a_word_has_no_answer() {
    assert_eq!(asked(200).unwrap().usage.cost_usd, Some(0.0));
    let error = asked(50).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model read only 50 tokens of the prompt, which does not fit its context"
    );
    assert!(error.answer().is_some() && !error.is_fatal_for_run() && !error.is_outage());
    // 0 means that nothing was counted.
    assert!(asked(0).is_ok());
}
