//! The Model Context Protocol as the official client libraries speak it: of Python and of JavaScript, the one that most
//! programs use and its successor, each in every way it connects. What the tools did is seen by stock git.

use serde_json::{Value, json};

use crate::{
    codex, peers,
    support::{Ran, Sandbox, server::Server, whole},
};

/// A library, how it connects, and the version of the protocol that comes of it.
const PEERS: [(&str, &[&str], &str); 8] = [
    ("mcp-python-1", &["legacy"], "2025-11-25"),
    ("mcp-python-2", &["legacy"], "2025-11-25"),
    ("mcp-python-2", &["auto"], "2026-07-28"),
    ("mcp-python-2", &["2026-07-28"], "2026-07-28"),
    ("mcp-node", &["sdk", "legacy"], "2025-11-25"),
    ("mcp-node", &["client", "legacy"], "2025-11-25"),
    ("mcp-node", &["client", "auto"], "2026-07-28"),
    ("mcp-node", &["client", "2026-07-28"], "2026-07-28"),
];

/// Calls tools by a client; what it printed.
fn call((peer, how, version): (&str, &[&str], &str), sandbox: &Sandbox, calls: &Value) -> Vec<Value> {
    let mut client = sandbox.command(peers::find(peer).to_str().unwrap());
    client.args(how).arg(calls.to_string());
    client.args([env!("CARGO_BIN_EXE_git-invisigoth"), "mcp"]);
    let ran = Ran::of(&client.output().unwrap());
    assert_eq!(ran.code, 0, "{peer} {how:?}\n{}{}", ran.stdout, ran.stderr);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout));
    assert_eq!(said["version"], version, "{peer} {how:?}");
    let tools: Vec<&str> = said["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(tools, ["list", "ready", "show", "why", "add", "comment", "claim"]);
    said["results"].as_array().unwrap().clone()
}

#[test]
fn every_library_feeds_and_works_at_the_backlog() {
    for peer in PEERS {
        let sandbox = Sandbox::ready();
        sandbox.script(json!({ "french": [whole("greet.txt", "salut\n")] }));
        sandbox.goal("french", &[]);
        sandbox.goal("later", &["french"]);
        sandbox.commit("goals");
        let results = call(
            peer,
            &sandbox,
            &json!([
                ["list", { "states": ["ready", "blocked"] }],
                ["ready", {}],
                ["add", { "description": "Say hello in Dutch", "acceptance": ["greet.txt says hallo"] }],
                ["comment", { "id": "french", "text": "mind the accents" }],
                ["show", { "id": "french" }],
                ["why", { "id": "later" }],
                ["claim", { "id": "french", "minutes": 5 }],
                ["claim", { "id": "french" }],
                ["add", { "description": "x", "status": "pending" }],
            ]),
        );
        let words: Vec<&str> = results.iter().map(|result| result["text"].as_str().unwrap()).collect();
        let failed: Vec<bool> = results
            .iter()
            .map(|result| result["is_error"].as_bool().unwrap())
            .collect();
        assert_eq!(
            failed,
            [false, false, false, false, false, false, false, true, true],
            "{peer:?} {words:?}"
        );
        let of = |nth: usize| &results[nth]["structured"];
        assert_eq!(
            (&of(0)["total"], &of(1)["goals"][0]["goal"]),
            (&json!(2), &json!("french"))
        );
        assert_eq!(of(4)["goal"]["comments"], json!(["peer (mcp): mind the accents"]));
        assert_eq!(of(5)["waits_for"][0]["goal"], "french");
        assert!(
            words[7].starts_with("error: goal french is claimed by peer until "),
            "{}",
            words[7]
        );
        assert!(words[7].contains("\nhint: "), "{}", words[7]);

        let rows: Value = serde_json::from_str(&sandbox.read("memory/pending_goals.json")).unwrap();
        let row = rows
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == of(2)["id"])
            .unwrap();
        assert_eq!(
            (&row["status"], &row["created_by"]),
            (&json!("proposed"), &json!("peer (mcp)"))
        );
        assert!(sandbox.refs().contains_key("refs/invisigoth/claims/french"));
        sandbox.run(&["run"]);
        assert_eq!(sandbox.landings("main").len(), 0, "no run works at what is claimed");

        // A claim outlives the process that made it; another one gives it back.
        let back = json!([["claim", { "id": "french", "handle": of(6)["handle"], "give_back": true }]]);
        assert_eq!(call(peer, &sandbox, &back)[0]["structured"]["given_back"], true);
        assert!(!sandbox.refs().contains_key("refs/invisigoth/claims/french"));
        sandbox.ok(&["run", "french"]);
        assert_eq!(sandbox.landings("main"), ["french"]);
        sandbox.assert_sound();
    }
}

#[test]
fn codex_offers_its_model_the_tools() {
    let sandbox = Sandbox::ready();
    let done = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                      "content": [{"type": "output_text", "text": "done", "annotations": []}]});
    let server = Server::start(vec![codex::answer(&done)]);
    let home = codex::home(&sandbox, &server);
    let config = format!(
        "[mcp_servers.invisigoth]\ncommand = \"{}\"\nargs = [\"mcp\"]\nrequired = true\n",
        env!("CARGO_BIN_EXE_git-invisigoth")
    );
    let settings = std::fs::read_to_string(home.join("config.toml")).unwrap();
    std::fs::write(home.join("config.toml"), settings + &config).unwrap();
    let mut codex = sandbox.command(peers::find("codex").to_str().unwrap());
    codex.args([
        "exec",
        "--dangerously-bypass-approvals-and-sandbox",
        "--ephemeral",
        "Say what is ready.",
    ]);
    let ran = Ran::of(&codex.env("CODEX_HOME", &home).env("STUB_KEY", "x").output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let asked = server.asked();
    let body = asked[0].body.to_string();
    assert!(
        body.contains("Takes a goal so that no unattended run works at it"),
        "{body}"
    );
}
