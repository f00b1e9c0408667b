//! `mcp`: the protocol as bytes, every version of it, and what its tools do, seen by stock git.
//!
//! Not here: the libraries that clients use, which are peers.

/// What no server answers well by itself: a table.
mod bad_input;
/// Claims: how long they hold, whom they keep out, how they end.
mod claims;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox};

/// Starts the binary by `command`, feeds it and ends its input; what it printed must be JSON, one message a line.
fn fed(mut command: Command, input: &[u8]) -> Vec<Value> {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let ran: Output = child.wait_with_output().unwrap();
    let said = Ran::of(&ran);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    said.stdout.lines().map(read).collect()
}

/// Says `messages` to a server, each on a line.
fn talk(sandbox: &Sandbox, messages: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = messages.iter().map(|message| format!("{message}\n")).collect();
    fed(sandbox.invisigoth(&["mcp"]), lines.concat().as_bytes())
}

/// A request of the version without `initialize`.
fn ask(id: u32, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "it \"\u{1b}[31m", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn initialize(version: &str) -> Value {
    let params =
        json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "it", "version": "1" } });
    json!({ "jsonrpc": "2.0", "id": "begin", "method": "initialize", "params": params })
}

/// Calls one tool; what it answers, which is not an error.
fn call(sandbox: &Sandbox, tool: &str, arguments: &Value) -> Value {
    let result = result(sandbox, tool, arguments);
    assert_eq!(result["isError"], false, "{result}");
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"], "both say the same");
    text
}

/// Calls one tool that must fail; its words.
fn refused(sandbox: &Sandbox, tool: &str, arguments: &Value) -> String {
    let result = result(sandbox, tool, arguments);
    assert_eq!(result["isError"], true, "{tool} {arguments}: {result}");
    assert_eq!(result["structuredContent"]["schema"], "invisigoth.error/1");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

fn result(sandbox: &Sandbox, tool: &str, arguments: &Value) -> Value {
    let said = talk(
        sandbox,
        &[ask(1, "tools/call", json!({ "name": tool, "arguments": arguments }))],
    );
    assert_eq!(said.len(), 1, "{said:?}");
    said[0]["result"].clone()
}

fn tools(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let line = format!("{}\n", ask(1, "tools/list", json!({})));
    let said = fed(sandbox.invisigoth(args), line.as_bytes());
    let tools = said[0]["result"]["tools"].as_array().unwrap().clone();
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_version_is_spoken_as_it_was_published() {
    let sandbox = Sandbox::ready();
    let rows = [
        ("2024-11-05", "2024-11-05", true),
        ("2025-03-26", "2025-03-26", true),
        ("2025-06-18", "2025-06-18", false),
        ("2025-11-25", "2025-11-25", false),
        // Who knows others only is offered the newest that begins so.
        ("2026-07-28", "2025-11-25", false),
        ("1.0.0", "2025-11-25", false),
    ];
    for (asked, spoken, has_batches) in rows {
        let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
        let batch = json!([{ "jsonrpc": "2.0", "id": 3, "method": "ping" }, { "jsonrpc": "2.0", "method": "x" }]);
        let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let said = talk(&sandbox, &[initialize(asked), begun, list, batch]);
        assert_eq!(said.len(), 3, "{said:?}");
        assert_eq!(said[0]["id"], "begin");
        assert_eq!(said[0]["result"]["protocolVersion"], spoken, "{asked}");
        assert_eq!(said[0]["result"]["serverInfo"]["name"], "git-invisigoth");
        assert_eq!(said[1]["result"]["tools"].as_array().unwrap().len(), 7);
        assert_eq!(
            said[1]["result"].get("resultType"),
            None,
            "only the newest version has it"
        );
        match has_batches {
            true => assert_eq!(said[2], json!([{ "jsonrpc": "2.0", "id": 3, "result": {} }])),
            false => assert_eq!(said[2]["error"]["code"], -32600, "{asked}"),
        }
    }
}

#[test]
fn the_version_without_a_beginning_needs_none() {
    let sandbox = Sandbox::ready();
    let asked = [
        ask(1, "tools/list", json!({})),
        ask(2, "server/discover", json!({})),
        ask(3, "tools/call", json!({ "name": "list" })),
        ask(4, "ping", json!({})),
    ];
    let said = talk(&sandbox, &asked);
    for answer in &said[..3] {
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        let server = &answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!(server["name"], "git-invisigoth", "{answer}");
    }
    assert_eq!(said[0]["result"]["cacheScope"], "public");
    assert!(said[0]["result"]["ttlMs"].as_u64() > Some(0));
    assert_eq!(said[1]["result"]["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(said[2]["result"]["structuredContent"]["goals"], json!([]));
    assert_eq!(said[3]["error"]["code"], -32601, "it has no ping any more");

    let mut other = ask(5, "tools/list", json!({}));
    other["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2031-01-01");
    let mut bare = ask(6, "tools/list", json!({}));
    let meta = bare["params"]["_meta"].as_object_mut().unwrap();
    meta.remove("io.modelcontextprotocol/clientCapabilities");
    let mut begun = ask(7, "server/discover", json!({}));
    begun["params"] = json!({});
    let said = talk(&sandbox, &[other, bare, begun]);
    assert_eq!(said[0]["error"]["code"], -32022);
    assert_eq!(
        said[0]["error"]["data"],
        json!({ "supported": ["2026-07-28"], "requested": "2031-01-01" })
    );
    assert_eq!(said[1]["error"]["code"], -32602);
    assert_eq!(said[2]["error"]["code"], -32602);
}

#[test]
fn the_tools_are_these_and_none_decides_anything() {
    let sandbox = Sandbox::ready();
    let reading = ["list", "ready", "show", "why"];
    let all = [&reading[..], &["add", "comment", "claim"]].concat();
    assert_eq!(tools(&sandbox, &["mcp"]), all);
    assert_eq!(tools(&sandbox, &["mcp", "--read-only"]), reading);
    let said = talk(&sandbox, &[ask(1, "tools/list", json!({}))]);
    for tool in said[0]["result"]["tools"].as_array().unwrap() {
        let reads = reading.contains(&tool["name"].as_str().unwrap());
        assert_eq!(tool["annotations"]["readOnlyHint"], reads, "{tool}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        for word in ["status", "approve", "budget", "model", "executor", "priority"] {
            assert_eq!(tool["inputSchema"]["properties"].get(word), None, "{tool}");
        }
    }
    let call = ask(
        1,
        "tools/call",
        json!({ "name": "add", "arguments": { "description": "x" } }),
    );
    let said = fed(
        sandbox.invisigoth(&["mcp", "--read-only"]),
        format!("{call}\n").as_bytes(),
    );
    assert_eq!(said[0]["error"]["code"], -32602, "what is not offered is not there");
    assert_eq!(sandbox.json(&["list"])["goals"], json!([]));
}

#[test]
fn a_goal_that_a_program_adds_waits_for_a_person_unless_the_user_says_otherwise() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({}));
    let asked = json!({
        "description": "Say hello in French", "prompt": "Put bonjour into greet.txt", "files": ["greet.txt"],
        "acceptance": ["greet.txt says bonjour"],
    });
    let added = call(&sandbox, "add", &asked);
    let id = added["id"].as_str().unwrap().to_owned();
    assert_eq!(
        added["goal"]["created_by"], "it 31m (mcp)",
        "no byte of a client's name can colour a line"
    );
    let written = sandbox.read("memory/pending_goals.json");
    let rows: Value = serde_json::from_str(&written).unwrap();
    assert_eq!((&rows[0]["id"], &rows[0]["status"]), (&json!(id), &json!("proposed")));
    assert_eq!(rows[0]["acceptance"], asked["acceptance"]);
    assert_eq!(call(&sandbox, "ready", &json!({}))["goals"], json!([]));
    let why = call(&sandbox, "why", &json!({ "id": id }));
    assert_eq!(
        (&why["needs_person"], &why["next"]),
        (&json!(true), &json!(format!("git invisigoth approve {id}")))
    );
    assert_eq!(sandbox.run(&["run"]).code, 0);
    assert_eq!(sandbox.state(&id), "proposed");

    // A tracked file is anybody's; only the user's own settings count.
    sandbox.write(
        "invisigoth.toml",
        "[check]\ntest = [\"sh check.sh\"]\n[mcp]\nadd = \"pending\"\n",
    );
    sandbox.commit("mcp");
    assert_eq!(
        call(&sandbox, "add", &json!({ "description": "Two" }))["goal"]["status"],
        "proposed"
    );
    sandbox.git(&["config", "invisigoth.mcp.add", "pending"]);
    let two = call(&sandbox, "add", &json!({ "description": "Two", "needs": [id] }));
    assert_eq!(two["goal"]["status"], "pending");
    let why = call(&sandbox, "why", &json!({ "id": two["id"] }));
    assert_eq!(why["state"], "blocked");
    assert_eq!(why["waits_for"][0]["next"], format!("git invisigoth approve {id}"));
    assert_eq!(
        why["settled_by"],
        format!("a person decides about {id}, which it waits for")
    );
}

#[test]
fn what_was_said_about_a_goal_reaches_who_works_at_it_next_as_said_by_a_program() {
    let sandbox = Sandbox::ready();
    sandbox.goal("french", &[]);
    call(
        &sandbox,
        "comment",
        &json!({ "id": "french", "text": "mind the accents\n" }),
    );
    let shown = call(&sandbox, "show", &json!({ "id": "french" }));
    assert_eq!(shown["goal"]["comments"], json!(["it 31m (mcp): mind the accents"]));
    assert!(shown["note"].as_str().unwrap().contains("data"), "{shown}");
    assert!(sandbox.ok(&["prompt", "french"]).contains("mind the accents"));
    assert_eq!(sandbox.state("french"), "ready");
}

#[test]
fn each_call_sees_what_others_did_meanwhile() {
    let sandbox = Sandbox::ready();
    let mut server = sandbox.invisigoth(&["mcp"]);
    let mut server = server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut to, mut from) = (
        server.stdin.take().unwrap(),
        BufReader::new(server.stdout.take().unwrap()),
    );
    let mut total = || {
        let line = format!("{}\n", ask(1, "tools/call", json!({ "name": "list" })));
        to.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["result"]["structuredContent"]["total"].as_u64().unwrap()
    };
    assert_eq!(total(), 0);
    sandbox.goal("french", &[]);
    assert_eq!(total(), 1);
    sandbox.git(&["commit", "-aqm", "goal"]);
    sandbox.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(total(), 0);
    // A client that wants it gone says so by a signal, too.
    let killed = sandbox.sh("kill", &["-TERM", &server.id().to_string()]);
    assert_eq!(killed.code, 0);
    assert!(!server.wait().unwrap().success());
}

#[test]
fn it_works_from_a_linked_worktree_and_a_bare_clone_and_says_where_there_is_nothing() {
    let sandbox = Sandbox::ready();
    sandbox.goal("french", &[]);
    sandbox.commit("goal");
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.git(&["worktree", "add", "-q", "-b", "work/french", "../linked"]);
    sandbox.git(&["clone", "-q", "--bare", ".", "../bare"]);
    let line = format!("{}\n", ask(1, "tools/call", json!({ "name": "ready" })));
    for place in ["../linked", "../bare"] {
        let said = fed(sandbox.invisigoth(&["-C", place, "mcp"]), line.as_bytes());
        let goals = &said[0]["result"]["structuredContent"]["goals"];
        assert_eq!(goals[0]["goal"], "french", "{place}: {said:?}");
    }
    let said = fed(sandbox.invisigoth(&["-C", "..", "mcp"]), line.as_bytes());
    assert_eq!(said[0]["result"]["isError"], true);
    let text = said[0]["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        text.starts_with("error: ") && text.contains("\nhint: `git init`"),
        "{text}"
    );
}

#[test]
fn no_answer_holds_a_secret() {
    let sandbox = Sandbox::ready();
    let key = "zq8Lr2Vt6Xw1Kp9Yb4Nf7Hd3";
    sandbox.write(".env", format!("SERVICE_API_KEY={key}\n"));
    sandbox.write(".gitignore", ".env\n");
    sandbox.goal("french", &[]);
    let text = sandbox
        .read("memory/pending_goals.json")
        .replace("Goal french", &format!("Goal {key}"));
    sandbox.write("memory/pending_goals.json", text);
    let arguments = json!({ "id": "french" });
    let calls = ["list", "ready", "show", "why", "claim"].map(|tool| {
        let arguments = if matches!(tool, "list" | "ready") {
            json!({})
        } else {
            arguments.clone()
        };
        ask(1, "tools/call", json!({ "name": tool, "arguments": arguments }))
    });
    for answer in talk(&sandbox, &calls) {
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        assert!(!answer.to_string().contains(key), "{answer}");
    }
    let words = refused(
        &sandbox,
        "add",
        &json!({ "description": "x", "prompt": format!("use {key}") }),
    );
    assert!(
        words.contains("a secret of this machine") && !words.contains(key),
        "{words}"
    );
    let words = refused(&sandbox, "comment", &json!({ "id": "french", "text": key }));
    assert!(words.contains("a secret of this machine"), "{words}");
}
