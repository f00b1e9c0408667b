//! Lines that are no messages, messages that are no requests, and arguments that do not fit. The server answers, and goes on.

use serde_json::{Value, json};

use crate::{
    mcp::{ask, fed, initialize, refused, talk},
    support::Sandbox,
};

/// A line, the code of its answer, and the answer's id; no answer where there is no code.
const LINES: &[(&[u8], Option<i64>, &str)] = &[
    (b"", None, ""),
    (b" \r", None, ""),
    (br#"{"jsonrpc":"2.0","id":1,"#, Some(-32700), "null"),
    (b"\xff\xfe{}", Some(-32700), "null"),
    (b"\0", Some(-32700), "null"),
    (b"Content-Length: 12", Some(-32700), "null"),
    (b"3", Some(-32600), "null"),
    (b"{}", Some(-32600), "null"),
    (b"[]", Some(-32600), "null"),
    (br#"{"id":1,"method":"ping"}"#, Some(-32600), "1"),
    (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Some(-32600), "1"),
    (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Some(-32600), "null"),
    (br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, Some(-32600), "null"),
    (br#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, Some(-32600), "null"),
    (br#"{"jsonrpc":"2.0","id":1,"method":7}"#, Some(-32600), "1"),
    (br#"{"jsonrpc":"2.0","id":1}"#, Some(-32600), "1"),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"goals/approve"}"#,
        Some(-32601),
        "1",
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#,
        Some(-32601),
        "1",
    ),
    (
        br#"{"jsonrpc":"2.0","id":"a","method":"tools/list","params":[1]}"#,
        Some(-32602),
        "\"a\"",
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"2"}}"#,
        Some(-32602),
        "1",
    ),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, Some(-32602), "1"),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":3}}"#,
        Some(-32602),
        "1",
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"approve"}}"#,
        Some(-32602),
        "1",
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list","arguments":[]}}"#,
        Some(-32602),
        "1",
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
        Some(-32602),
        "1",
    ),
    // Nobody waits for an answer to these.
    (
        br#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"add"}}"#,
        None,
        "",
    ),
    (
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        None,
        "",
    ),
    (br#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#, None, ""),
    (br#"{"jsonrpc":"2.0","id":9,"result":{}}"#, None, ""),
    (
        br#"{"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"x"}}"#,
        None,
        "",
    ),
];

/// A tool, arguments that do not fit, and how its words begin.
const ARGUMENTS: &[(&str, &str, &str)] = &[
    ("list", r#"{"states": ["done"]}"#, "error: a state is one of running, "),
    (
        "list",
        r#"{"states": "ready"}"#,
        "error: the arguments of `list` do not fit: ",
    ),
    ("list", r#"{"limit": 0}"#, "error: `limit` is a number from 1 to 500"),
    (
        "ready",
        r#"{"limit": -1}"#,
        "error: the arguments of `ready` do not fit: ",
    ),
    (
        "show",
        "{}",
        "error: the arguments of `show` do not fit: missing field `id`",
    ),
    ("show", r#"{"id": 7}"#, "error: the arguments of `show` do not fit: "),
    (
        "show",
        r#"{"id": "fr"}"#,
        "error: there is no goal fr\nhint: did you mean french ?",
    ),
    ("why", r#"{"id": "a\nb"}"#, "error: "),
    (
        "why",
        r#"{"id": "gone"}"#,
        "error: there is no goal gone\nhint: `git invisigoth list`",
    ),
    ("add", r#"{"description": " "}"#, "error: the description is empty"),
    ("add", r#"{"description": "a\nb"}"#, "error: `description` is one line"),
    ("add", r#"{"description": "x", "files": ["../x"]}"#, "error: "),
    (
        "add",
        r#"{"description": "x", "needs": ["gone"]}"#,
        "error: there is no goal gone",
    ),
    // Nothing of a goal that a person decides can be said here.
    (
        "add",
        r#"{"description": "x", "status": "pending"}"#,
        "error: the arguments of `add` do not fit: unknown field",
    ),
    (
        "add",
        r#"{"description": "x", "id": "y"}"#,
        "error: the arguments of `add` do not fit: unknown field",
    ),
    (
        "add",
        r#"{"description": "x", "budget_usd": 9}"#,
        "error: the arguments of `add` do not fit: unknown field",
    ),
    (
        "comment",
        r#"{"id": "french", "text": " \n"}"#,
        "error: `text` is empty",
    ),
    (
        "comment",
        r#"{"id": "gone", "text": "x"}"#,
        "error: there is no goal gone",
    ),
    (
        "claim",
        r#"{"id": "french", "minutes": 0}"#,
        "error: `minutes` is a number from 1 to 480",
    ),
    (
        "claim",
        r#"{"id": "french", "minutes": 481}"#,
        "error: `minutes` is a number from 1 to 480",
    ),
    (
        "claim",
        r#"{"id": "french", "handle": "other"}"#,
        "error: the claim on goal french has ended",
    ),
    (
        "claim",
        r#"{"id": "french", "give_back": true}"#,
        "error: giving a goal back takes the handle",
    ),
    ("claim", r#"{"id": "gone"}"#, "error: there is no goal gone"),
];

/// Says `line` to a server that has begun, then asks whether it lives; what it said in between.
fn after(sandbox: &Sandbox, line: &[u8]) -> Vec<Value> {
    let ping = json!({ "jsonrpc": "2.0", "id": "alive", "method": "ping" });
    let mut input = format!("{}\n", initialize("2025-11-25")).into_bytes();
    input.extend(line);
    input.extend(format!("\n{ping}\n").bytes());
    let mut said = fed(sandbox.invisigoth(&["mcp"]), &input);
    assert_eq!(said.pop().unwrap()["id"], "alive");
    said.remove(0);
    said
}

#[test]
fn a_line_that_is_no_request_is_answered_by_its_code_or_not_at_all() {
    let sandbox = Sandbox::ready();
    let deep = "[".repeat(100_000);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(4 * 1024 * 1024));
    let large: [(&[u8], Option<i64>, &str); 2] = [
        (deep.as_bytes(), Some(-32700), "null"),
        (long.as_bytes(), Some(-32600), "null"),
    ];
    for (line, code, id) in LINES.iter().chain(&large) {
        let said = after(&sandbox, line);
        let shown = String::from_utf8_lossy(&line[..line.len().min(100)]);
        let Some(code) = code else {
            assert!(said.is_empty(), "{shown}: {said:?}");
            continue;
        };
        assert_eq!(said.len(), 1, "{shown}: {said:?}");
        let answer = (&said[0]["error"]["code"], said[0]["id"].to_string());
        assert_eq!(answer, (&json!(code), (*id).to_owned()), "{shown}");
    }
}

#[test]
fn the_last_line_needs_no_end_and_half_a_line_is_nobody_s_request() {
    let sandbox = Sandbox::ready();
    let whole = ask(1, "server/discover", json!({})).to_string();
    assert!(fed(sandbox.invisigoth(&["mcp"]), whole.as_bytes())[0]["result"].is_object());
    let half = &whole.as_bytes()[..whole.len() - 1];
    assert_eq!(fed(sandbox.invisigoth(&["mcp"]), half)[0]["error"]["code"], -32700);
    assert!(fed(sandbox.invisigoth(&["mcp"]), b"").is_empty());
    let early = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    assert_eq!(talk(&sandbox, &[early])[0]["error"]["code"], -32602);
}

#[test]
fn arguments_that_do_not_fit_change_nothing_and_say_what_would() {
    let sandbox = Sandbox::ready();
    sandbox.goal("french", &[]);
    let before = sandbox.read("memory/pending_goals.json");
    for (tool, arguments, start) in ARGUMENTS {
        let words = refused(&sandbox, tool, &serde_json::from_str(arguments).unwrap());
        assert!(words.starts_with(start), "{tool} {arguments}: {words}");
    }
    let large = [
        (
            json!({ "description": "x".repeat(501) }),
            "error: `description` is longer than 500",
        ),
        (
            json!({ "description": "x", "prompt": "x".repeat(20_001) }),
            "error: `prompt` is longer",
        ),
        (
            json!({ "description": "x", "acceptance": vec!["x"; 51] }),
            "error: `acceptance` has more than 50",
        ),
    ];
    for (arguments, start) in large {
        let words = refused(&sandbox, "add", &arguments);
        assert!(words.starts_with(start), "{words}");
    }
    assert_eq!(sandbox.read("memory/pending_goals.json"), before);
    assert!(sandbox.refs().keys().all(|name| !name.contains("claims/")));
}
