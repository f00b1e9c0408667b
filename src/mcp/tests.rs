use super::*;

fn line(text: &str) -> Line {
    Line::Whole(text.as_bytes().to_vec())
}

fn waiting(lines: &[&str]) -> Vec<String> {
    let mut waiting = VecDeque::new();
    for text in lines {
        take_in(&mut waiting, line(text));
    }
    let id = |incoming: Incoming| match incoming {
        Incoming::One(value) => value["id"].to_string(),
        Incoming::Batch(all) => format!("{} messages", all.len()),
        Incoming::Wrong(_, why) => why.to_owned(),
    };
    waiting.into_iter().map(id).collect()
}

#[test]
fn what_was_cancelled_before_its_turn_is_not_answered() {
    let ask = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    let cancel =
        |id: &str| format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#);
    let initialize = r#"{"jsonrpc":"2.0","id":9,"method":"initialize","params":{}}"#;
    let said = [
        ask("1"),
        ask("2"),
        cancel("1"),
        ask("\"2\""),
        cancel("\"2\""),
        cancel("7"),
        initialize.to_owned(),
        cancel("9"),
    ];
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    assert_eq!(waiting(&said), ["2", "9"]);
}
