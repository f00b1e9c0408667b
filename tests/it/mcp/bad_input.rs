//! Lines that are no messages, messages that are no requests, and arguments that do not fit. The server answers, and goes on.

use serde_json::{Value, json};

use crate::{
    mcp::{ask, fed, initialize, refused, talk},
    support::Sandbox,
};

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
    let rows: &[(&[u8], Option<(i64, Value)>)] = &[
        (b"", None),
        (b" \r", None),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,", Some((-32700, Value::Null))),
        (b"\xff\xfe{}", Some((-32700, Value::Null))),
        (b"\0", Some((-32700, Value::Null))),
        (b"Content-Length: 12", Some((-32700, Value::Null))),
        (deep.as_bytes(), Some((-32700, Value::Null))),
        (long.as_bytes(), Some((-32600, Value::Null))),
        (b"3", Some((-32600, Value::Null))),
        (b"{}", Some((-32600, Value::Null))),
        (b"[]", Some((-32600, Value::Null))),
        (br#"{"id":1,"method":"ping"}"#, Some((-32600, json!(1)))),
        (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Some((-32600, json!(1)))),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Some((-32600, Value::Null))),
        (br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, Some((-32600, Value::Null))),
        (br#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, Some((-32600, Value::Null))),
        (br#"{"jsonrpc":"2.0","id":1,"method":7}"#, Some((-32600, json!(1)))),
        (br#"{"jsonrpc":"2.0","id":1}"#, Some((-32600, json!(1)))),
        (br#"{"jsonrpc":"2.0","id":1,"method":"goals/approve"}"#, Some((-32601, json!(1)))),
        (br#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#, Some((-32601, json!(1)))),
        (br#"{"jsonrpc":"2.0","id":"a","method":"tools/list","params":[1]}"#, Some((-32602, json!("a")))),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"2"}}"#, Some((-32602, json!(1)))),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, Some((-32602, json!(1)))),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":3}}"#, Some((-32602, json!(1)))),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"approve"}}"#, Some((-32602, json!(1)))),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list","arguments":[]}}"#,
            Some((-32602, json!(1))),
        ),
        (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, Some((-32602, json!(1)))),
        // Nobody waits for an answer to these.
        (br#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"add"}}"#, None),
        (br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, None),
        (br#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#, None),
        (br#"{"jsonrpc":"2.0","id":9,"result":{}}"#, None),
        (br#"{"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"x"}}"#, None),
    ];
    for (line, expected) in rows {
        let said = after(&sandbox, line);
        let shown = String::from_utf8_lossy(&line[..line.len().min(100)]);
        let Some((code, id)) = expected else {
            assert!(said.is_empty(), "{shown}: {said:?}");
            continue;
        };
        assert_eq!(said.len(), 1, "{shown}: {said:?}");
        assert_eq!((&said[0]["error"]["code"], &said[0]["id"]), (&json!(code), id), "{shown}");
    }
    // The last line needs no end, and one that is cut is nobody's request.
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
    let rows = [
        ("list", json!({ "states": ["done"] }), "error: a state is one of running, "),
        ("list", json!({ "states": "ready" }), "error: the arguments of `list` do not fit: "),
        ("list", json!({ "limit": 0 }), "error: `limit` is a number from 1 to 500"),
        ("ready", json!({ "limit": -1 }), "error: the arguments of `ready` do not fit: "),
        ("show", json!({}), "error: the arguments of `show` do not fit: missing field `id`"),
        ("show", json!({ "id": 7 }), "error: the arguments of `show` do not fit: "),
        ("show", json!({ "id": "fr" }), "error: there is no goal fr\nhint: did you mean french ?"),
        ("why", json!({ "id": "a\nb" }), "error: "),
        ("why", json!({ "id": "gone" }), "error: there is no goal gone\nhint: `git invisigoth list`"),
        ("add", json!({ "description": " " }), "error: the description is empty"),
        ("add", json!({ "description": "a\nb" }), "error: `description` is one line"),
        ("add", json!({ "description": "x".repeat(501) }), "error: `description` is longer than 500"),
        ("add", json!({ "description": "x", "prompt": "x".repeat(20_001) }), "error: `prompt` is longer"),
        ("add", json!({ "description": "x", "files": ["../x"] }), "error: "),
        ("add", json!({ "description": "x", "needs": ["gone"] }), "error: there is no goal gone"),
        ("add", json!({ "description": "x", "acceptance": vec!["x"; 51] }), "error: `acceptance` has more than 50"),
        // Nothing of a goal that a person decides can be said here.
        ("add", json!({ "description": "x", "status": "pending" }), "error: the arguments of `add` do not fit: unknown field"),
        ("add", json!({ "description": "x", "id": "y" }), "error: the arguments of `add` do not fit: unknown field"),
        ("add", json!({ "description": "x", "budget_usd": 9 }), "error: the arguments of `add` do not fit: unknown field"),
        ("comment", json!({ "id": "french", "text": " \n" }), "error: `text` is empty"),
        ("comment", json!({ "id": "gone", "text": "x" }), "error: there is no goal gone"),
        ("claim", json!({ "id": "french", "minutes": 0 }), "error: `minutes` is a number from 1 to 480"),
        ("claim", json!({ "id": "french", "minutes": 481 }), "error: `minutes` is a number from 1 to 480"),
        ("claim", json!({ "id": "french", "handle": "other" }), "error: the claim on goal french has ended"),
        ("claim", json!({ "id": "french", "give_back": true }), "error: giving a goal back takes the handle"),
        ("claim", json!({ "id": "gone" }), "error: there is no goal gone"),
    ];
    for (tool, arguments, start) in rows {
        let words = refused(&sandbox, tool, &arguments);
        assert!(words.starts_with(start), "{tool} {arguments}: {words}");
    }
    assert_eq!(sandbox.read("memory/pending_goals.json"), before);
    assert!(sandbox.refs().keys().all(|name| !name.contains("claims/")));
}
