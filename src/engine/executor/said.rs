//! What a program said when it ended: its last words, and what it took as far as it tells.
//!
//! For the record alone. Nothing is decided by it.

use serde_json::Value;

use crate::transcript::Usage;

/// Most bytes of last words that are kept where nothing says which they are.
const TAIL: usize = 4096;

/// The end of a program's output, read.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Said {
    /// Its last words.
    pub(super) words: String,
    /// What it took; unknown where it does not tell.
    pub(super) usage: Usage,
}

/// Reads `output` as `result` says: `text`, `codex-jsonl` or `claude-json`.
pub(super) fn read(result: &str, output: &str) -> Said {
    let read = match result {
        "codex-jsonl" => codex(output),
        "claude-json" => claude(output),
        _ => None,
    };
    read.unwrap_or_else(|| Said {
        words: tail(output),
        usage: unknown(),
    })
}

fn unknown() -> Usage {
    Usage {
        estimated: true,
        ..Usage::default()
    }
}

fn tail(output: &str) -> String {
    let from = output.len().saturating_sub(TAIL);
    let from = (from..=output.len()).find(|at| output.is_char_boundary(*at));
    from.and_then(|from| output.get(from..))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn objects(output: &str) -> impl DoubleEndedIterator<Item = Value> {
    output
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('{'))
        .filter_map(|line| serde_json::from_str(line).ok())
}

/// JSON Lines: each turn tells its tokens, the last message its words. Cost is not told.
fn codex(output: &str) -> Option<Said> {
    let mut usage: Option<Usage> = None;
    let mut words = String::new();
    for event in objects(output) {
        match text(&event, "/type") {
            "turn.completed" => {
                let sum = usage.get_or_insert_with(Usage::default);
                sum.prompt_tokens += count(&event, "/usage/input_tokens");
                sum.completion_tokens += count(&event, "/usage/output_tokens");
                sum.cached_tokens += count(&event, "/usage/cached_input_tokens");
                sum.reasoning_tokens += count(&event, "/usage/reasoning_output_tokens");
            }
            "item.completed" if text(&event, "/item/type") == "agent_message" => {
                text(&event, "/item/text").clone_into(&mut words);
            }
            "turn.failed" => text(&event, "/error/message").clone_into(&mut words),
            "error" => text(&event, "/message").clone_into(&mut words),
            _ => {}
        }
    }
    if words.is_empty() && usage.is_none() {
        return None;
    }
    let usage = usage.unwrap_or_else(unknown);
    Some(Said { words, usage })
}

/// One JSON object with result, tokens and cost.
fn claude(output: &str) -> Option<Said> {
    let whole: Option<Value> = serde_json::from_str(output).ok();
    let object = whole.or_else(|| objects(output).rev().find(|object| text(object, "/type") == "result"))?;
    let cached = count(&object, "/usage/cache_read_input_tokens");
    let fresh = count(&object, "/usage/input_tokens") + count(&object, "/usage/cache_creation_input_tokens");
    let cost = object.pointer("/total_cost_usd").and_then(Value::as_f64);
    let usage = Usage {
        prompt_tokens: fresh + cached,
        completion_tokens: count(&object, "/usage/output_tokens"),
        cached_tokens: cached,
        cost_usd: cost.filter(|cost| cost.is_finite() && *cost >= 0.0),
        estimated: object.pointer("/usage").is_none(),
        ..Usage::default()
    };
    let words = match text(&object, "/result") {
        "" => text(&object, "/subtype"),
        words => words,
    };
    Some(Said {
        words: words.to_owned(),
        usage,
    })
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn count(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codex_tells_tokens_but_no_cost() {
        let output = "warning: x\n{\"type\":\"thread.started\"}\n\
            {\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"one\"}}\n\
            {\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":9,\"cached_input_tokens\":4,\"output_tokens\":2}}\n\
            {\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"two\"}}\n\
            {\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}\n{\"cut";
        let said = read("codex-jsonl", output);
        assert_eq!(said.words, "two");
        let usage = said.usage;
        assert_eq!(
            (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens),
            (10, 3, 4)
        );
        assert_eq!((usage.cost_usd, usage.estimated), (None, false));
    }

    #[test]
    fn claude_tells_its_cost() {
        let output = "{\"type\":\"result\",\"subtype\":\"success\",\"result\":\"did it\",\"total_cost_usd\":0.25,\
            \"usage\":{\"input_tokens\":1,\"cache_creation_input_tokens\":2,\"cache_read_input_tokens\":4,\"output_tokens\":8}}";
        let said = read("claude-json", output);
        assert_eq!((said.words.as_str(), said.usage.cost_usd), ("did it", Some(0.25)));
        assert_eq!(
            (
                said.usage.prompt_tokens,
                said.usage.completion_tokens,
                said.usage.cached_tokens
            ),
            (7, 8, 4)
        );
        let refused = read(
            "claude-json",
            "noise\n{\"type\":\"result\",\"subtype\":\"error_max_turns\",\"total_cost_usd\":-1}",
        );
        assert_eq!(
            (refused.words.as_str(), refused.usage.cost_usd),
            ("error_max_turns", None)
        );
    }

    #[test]
    fn what_cannot_be_read_is_text_of_unknown_cost() {
        for result in ["text", "codex-jsonl", "claude-json"] {
            let said = read(result, "all done\n");
            assert_eq!(
                (said.words.as_str(), said.usage.cost_usd, said.usage.estimated),
                ("all done", None, true)
            );
        }
        assert_eq!(read("text", &"ä".repeat(9999)).words.len(), TAIL);
    }
}
