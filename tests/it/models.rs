//! `models`: what can be asked, from a stub of each kind of endpoint on this machine.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{
    Sandbox,
    server::{Scripted, Server, nobody},
};

/// What OpenRouter lists, shortened.
pub fn listed() -> Scripted {
    let model = |id: &str, context: u64, prompt: &str, completion: &str| {
        json!({
            "id": id, "name": id, "context_length": context, "supported_parameters": ["max_tokens"],
            "pricing": { "prompt": prompt, "completion": completion, "request": "0", "image": "0" },
        })
    };
    let body = json!({ "data": [
        model("acme/large", 200_000, "0.000003", "0.000015"),
        model("acme/small", 32_768, "0.000000075", "0.0000003"),
        model("acme/small:free", 32_768, "0", "0"),
        model("openrouter/auto", 2_000_000, "-1", "-1"),
    ]});
    Scripted::status(200, &body.to_string())
}

/// A repository that asks at `url`.
pub fn asking(provider: &str, url: &str) -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.llm.provider", provider]);
    sandbox.git(&["config", "invisigoth.llm.base-url", url]);
    sandbox
}

/// What a command shows, with the endpoint's address masked.
fn shows(sandbox: &Sandbox, url: &str, args: &[&str]) -> String {
    sandbox.shows(args).replace(url, "[url]")
}

#[test]
fn they_are_listed_with_context_and_price_and_kept_for_a_day() {
    let server = Server::start(vec![listed()]);
    let sandbox = asking("openrouter", &server.url());
    assert_snapshot!(shows(&sandbox, &server.url(), &["models"]), @r#"
    acme/large          200,000  $3.00 / $15.00
    acme/small           32,768  $0.075 / $0.30
    acme/small:free      32,768  free
    openrouter/auto   2,000,000  price unknown
    -- stderr
    4 models at [url]: tokens of context, dollars a million tokens of prompt / reply; listed just now
    -- exit 0
    "#);
    assert_snapshot!(shows(&sandbox, &server.url(), &["models", "SMALL"]), @r#"
    acme/small           32,768  $0.075 / $0.30
    acme/small:free      32,768  free
    -- stderr
    2 of 4 models at [url]: tokens of context, dollars a million tokens of prompt / reply; listed just now
    -- exit 0
    "#);
    let said = sandbox.json(&["models", "acme/small"]);
    assert_eq!(
        said["models"],
        json!([
            { "id": "acme/small", "context": 32_768, "usd_per_mtok_in": 0.075, "usd_per_mtok_out": 0.3 },
            { "id": "acme/small:free", "context": 32_768, "usd_per_mtok_in": 0.0, "usd_per_mtok_out": 0.0 },
        ])
    );
    assert_eq!(
        sandbox.json(&["models", "auto"])["models"][0]["usd_per_mtok_in"],
        json!(null)
    );
    assert_eq!(server.asked().len(), 1, "the list was kept");
    assert!(server.asked()[0].head.starts_with("GET /v1/models HTTP/1.1"));
    sandbox.ok(&["models", "--refresh"]);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_kept_list_is_of_one_endpoint_and_a_broken_one_is_asked_for_again() {
    let server = Server::start(vec![listed()]);
    let sandbox = asking("openrouter", &server.url());
    sandbox.ok(&["models"]);
    let other = format!("llm.base_url={}", nobody());
    assert_eq!(sandbox.run(&["models", "--set", &other]).code, 10);
    let folder = sandbox.home().join(".cache/invisigoth/models");
    let kept = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    for text in [
        "{",
        r#"{"at": 0, "models": []}"#,
        r#"{"at": 99999999999999, "models": []}"#,
    ] {
        let asked = server.asked().len();
        std::fs::write(&kept, text).unwrap();
        assert_eq!(sandbox.json(&["models"])["total"], 4);
        assert_eq!(server.asked().len(), asked + 1, "{text}");
    }
}

#[test]
fn anthropic_and_ollama_are_asked_in_their_own_way() {
    let body =
        json!({ "data": [{ "type": "model", "id": "claude-opus-5", "max_input_tokens": 200_000 }], "has_more": false });
    let server = Server::start(vec![Scripted::status(200, &body.to_string())]);
    let sandbox = asking("anthropic", &server.url());
    let ran = sandbox.run_with(&["models"], &[("ANTHROPIC_API_KEY", "sk-ant-canary-0123456789")]);
    assert_eq!(
        ran.stdout, "claude-opus-5     200,000  price unknown\n",
        "{}",
        ran.stderr
    );
    let head = &server.asked()[0].head.to_lowercase();
    assert!(head.starts_with("get /v1/models?limit=1000 "), "{head}");
    assert!(head.contains("x-api-key: sk-ant-canary-0123456789") && head.contains("anthropic-version: 2023-06-01"));
    assert!(!sandbox.holds("sk-ant-canary-0123456789"));

    let body =
        json!({ "models": [{ "name": "qwen3:8b", "model": "qwen3:8b", "details": { "context_length": 40_960 } }] });
    let server = Server::start(vec![Scripted::status(200, &body.to_string())]);
    let sandbox = asking("ollama", server.url().trim_end_matches("/v1"));
    assert_eq!(sandbox.ok(&["models"]), "qwen3:8b      40,960  free\n");
    let head = &server.asked()[0].head;
    assert!(head.starts_with("GET /api/tags "), "{head}");
}

#[test]
fn a_script_lists_none() {
    assert_snapshot!(Sandbox::ready().shows(&["models"]), @r#"
    -- stderr
    error: provider `mock` has no models to list
    hint: `--set llm.provider=openrouter` asks another
    -- exit 7
    "#);
}
