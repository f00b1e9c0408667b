//! Codex: an agent of others works on a branch by itself, and `adopt` lands what it made.
//!
//! The model behind it is scripted; all else is the real program. Not here: Codex as an executor of ours.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    peers,
    support::{
        Sandbox,
        server::{Scripted, Server},
    },
};

/// An answer of the Responses API that consists of `item`, as a stream.
pub fn answer(item: &Value) -> Scripted {
    let response = |status: &str, output: &[&Value]| {
        json!({"id": "r1", "object": "response", "created_at": 1, "status": status, "model": "stub", "output": output,
               "usage": {"input_tokens": 10, "output_tokens": 10, "total_tokens": 20,
                         "input_tokens_details": {"cached_tokens": 0},
                         "output_tokens_details": {"reasoning_tokens": 0}}})
    };
    let events = [
        json!({"type": "response.created", "response": response("in_progress", &[])}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": response("completed", &[item])}),
    ];
    let body = events.iter().map(|event| {
        let name = event["type"].as_str().unwrap();
        format!("event: {name}\ndata: {event}\n\n")
    });
    Scripted::status(200, &body.collect::<String>())
}

/// A model that runs `command` and is done.
fn model(command: &str) -> Server {
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "exec_command",
                      "arguments": json!({"cmd": command}).to_string(), "status": "completed"});
    let done = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                      "content": [{"type": "output_text", "text": "done", "annotations": []}]});
    Server::start(vec![answer(&call), answer(&done)])
}

/// Makes a home of Codex in which its model is `server`.
pub fn home(sandbox: &Sandbox, server: &Server) -> PathBuf {
    let settings = format!(
        "model = \"stub\"\nmodel_provider = \"stub\"\ncheck_for_update_on_startup = false\n[analytics]\nenabled = false\n\
         [model_providers.stub]\nname = \"stub\"\nbase_url = \"{}\"\nwire_api = \"responses\"\nenv_key = \"STUB_KEY\"\n\
         request_max_retries = 0\nstream_max_retries = 0\n",
        server.url()
    );
    let home = sandbox.home().join("codex");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("config.toml"), settings).unwrap();
    home
}

/// Lets Codex work in a worktree of its own on the new branch `name`.
fn work(sandbox: &Sandbox, name: &str, command: &str) {
    let server = model(command);
    let tree = sandbox.home().join("worktree");
    sandbox.git(&["worktree", "add", "-q", "-b", name, tree.to_str().unwrap()]);
    let home = home(sandbox, &server);
    let output = sandbox
        .command(peers::find("codex").to_str().unwrap())
        .args([
            "exec",
            "--dangerously-bypass-approvals-and-sandbox",
            "--ephemeral",
            "Add a slug, and commit it.",
        ])
        .env("CODEX_HOME", &home)
        .env("STUB_KEY", "x")
        .env("GIT_AUTHOR_NAME", "codex")
        .env("GIT_AUTHOR_EMAIL", "codex@openai.com")
        .current_dir(&tree)
        .output()
        .unwrap();
    let asked: Vec<String> = server.asked().iter().map(|asked| asked.head.clone()).collect();
    assert!(
        output.status.success(),
        "{}\n{asked:#?}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(asked.len(), 2, "{asked:#?}");
    sandbox.git(&["worktree", "remove", "--force", tree.to_str().unwrap()]);
}

#[test]
fn a_branch_that_codex_made_lands_with_its_author() {
    let sandbox = Sandbox::ready();
    sandbox.goal("slug", &[]);
    work(
        &sandbox,
        "codex/slug",
        "echo slug > slug.txt && git add -A && git commit -q -m 'Add a slug'",
    );
    let said = sandbox.ok(&["adopt", "codex/slug", "--goal", "slug"]);
    assert!(said.starts_with("landed   slug"), "{said}");
    assert_eq!(sandbox.read("slug.txt"), "slug\n");
    assert_eq!(
        sandbox.git(&["log", "-1", "--format=%an <%ae>", "main^2"]),
        "codex <codex@openai.com>"
    );
    assert_eq!(sandbox.json(&["show", "slug"])["record"]["provider"], "adopted");
    sandbox.assert_sound();
}

#[test]
fn a_branch_on_which_codex_broke_the_checks_is_refused() {
    let sandbox = Sandbox::ready();
    let before = sandbox.id("main");
    work(
        &sandbox,
        "codex/bad",
        "echo x > bad && git add -A && git commit -q -m 'Break it'",
    );
    let ran = sandbox.run(&["adopt", "codex/bad"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.id("main"), before);
    sandbox.assert_sound();
}
