//! Anthropic's Messages API as a dialect.
//!
//! Pure. Owns how thinking, caching and schemas are asked for, which differs by model. Retries and errors of HTTP are
//! `endpoint`'s.

use serde_json::{Map, Value, json};

use crate::{
    money::Prices,
    provider::{
        Account, Finish, Model,
        dialect::{Dialect, Framing, Gathered, Said},
        wire,
    },
    transcript::{Message, Request, Role},
};

/// The version of the API whose answers are read here.
const VERSION: &str = "2023-06-01";
/// The endpoint wants a number; this is sent where a request has none.
const MOST_TOKENS: u32 = 16_000;
/// The least that older models can be given to think, in tokens.
const LEAST_THOUGHT: u32 = 1024;

/// The dialect.
pub struct Anthropic;

impl Dialect for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn path(&self) -> &'static str {
        "/messages"
    }

    fn headers(&self, key: Option<&str>) -> Vec<(&'static str, String)> {
        let version = ("anthropic-version", VERSION.to_owned());
        let key = key.map(|key| ("x-api-key", key.to_owned()));
        std::iter::once(version).chain(key).collect()
    }

    fn body(&self, request: &Request, stream: bool) -> Vec<u8> {
        let most = request.max_tokens.unwrap_or(MOST_TOKENS);
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("model", json!(request.model));
        set("max_tokens", json!(most));
        set("stream", json!(stream));
        let (system, turns): (Vec<&Message>, Vec<&Message>) = request
            .messages
            .iter()
            .partition(|message| message.role == Role::System);
        if !system.is_empty() {
            let last = system.len() - 1;
            let blocks = system.iter().enumerate();
            set(
                "system",
                blocks.map(|(n, said)| block(&said.content, n == last)).collect(),
            );
        }
        set("messages", messages(&turns));
        let mut output = Map::new();
        if let Some(word) = &request.reasoning {
            let (thinking, effort) = thought(&request.model, word, most);
            if let Some(thinking) = thinking {
                set("thinking", thinking);
            }
            if let Some(effort) = effort {
                output.insert("effort".to_owned(), json!(effort));
            }
        }
        if let Some(schema) = &request.schema {
            let format = json!({ "type": "json_schema", "schema": schema.schema });
            output.insert("format".to_owned(), format);
        }
        if !output.is_empty() {
            set("output_config", Value::Object(output));
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn take(&self, gathered: &mut Gathered, event: &str, data: &str) -> Result<(), Said> {
        let Ok(data) = serde_json::from_str::<Value>(data) else {
            return Err(Said::broken("an event of the stream is no JSON"));
        };
        // Gateways leave the event's name out; the data repeats it.
        let kind = data.get("type").and_then(Value::as_str).unwrap_or(event);
        match kind {
            "message_start" => {
                let message = data.get("message").unwrap_or(&Value::Null);
                gathered.model = text_at(message, "/model");
                count(gathered, message.get("usage"));
            }
            "content_block_start" => add(gathered, data.get("content_block")),
            "content_block_delta" => add(gathered, data.get("delta")),
            "message_delta" => {
                if let Some(reason) = data.pointer("/delta/stop_reason").and_then(Value::as_str) {
                    gathered.finish = Some(finish(reason));
                }
                count(gathered, data.get("usage"));
            }
            "message_stop" => gathered.done = true,
            "error" => return Err(said(&data)),
            // `ping`, `content_block_stop`, and what later versions of the API add.
            _ => {}
        }
        Ok(())
    }

    fn whole(&self, body: &Value) -> Result<Gathered, Said> {
        if body.get("error").is_some_and(|error| !error.is_null()) {
            return Err(said(body));
        }
        let Some(blocks) = body.get("content").and_then(Value::as_array) else {
            return Err(Said::broken("the answer has no content"));
        };
        let mut gathered = Gathered {
            model: text_at(body, "/model"),
            finish: body.get("stop_reason").and_then(Value::as_str).map(finish),
            done: true,
            ..Gathered::default()
        };
        for block in blocks {
            add(&mut gathered, Some(block));
        }
        count(&mut gathered, body.get("usage"));
        Ok(gathered)
    }

    fn models_path(&self) -> &'static str {
        // Else the list comes in pages of 20.
        "/models?limit=1000"
    }

    fn models(&self, body: &Value) -> Vec<Model> {
        let listed = body.get("data").and_then(Value::as_array);
        let model = |model: &Value| {
            Some(Model {
                id: text_at(model, "/id")?,
                context: wire::count(model.get("max_input_tokens")).filter(|most| *most > 0),
                prices: Prices::Unknown,
            })
        };
        listed.into_iter().flatten().filter_map(model).collect()
    }

    fn account_path(&self) -> Option<&'static str> {
        None
    }

    fn account(&self, _body: &Value) -> Option<Account> {
        None
    }
}

/// The first message holds the context and stays the same in all rounds, so the cache may end behind it; the last one
/// ends what the next round begins with.
fn messages(turns: &[&Message]) -> Value {
    let last = turns.len().saturating_sub(1);
    let word = |(n, message): (usize, &&Message)| {
        let role = match message.role {
            Role::Assistant => "assistant",
            Role::User | Role::System => "user",
        };
        let marked = message.role == Role::User && (n == 0 || n == last);
        json!({ "role": role, "content": [block(&message.content, marked)] })
    };
    turns.iter().enumerate().map(word).collect()
}

fn block(text: &str, marked: bool) -> Value {
    // The endpoint refuses a mark on an empty text.
    if marked && !text.trim().is_empty() {
        json!({ "type": "text", "text": text, "cache_control": { "type": "ephemeral" } })
    } else {
        json!({ "type": "text", "text": text })
    }
}

/// Returns `thinking` and `output_config.effort` for a word of `llm.reasoning`.
///
/// Models from 4.6 on choose how much to think, under an effort, and refuse a number of tokens; older ones know only
/// that number.
fn thought(model: &str, word: &str, most: u32) -> (Option<Value>, Option<&'static str>) {
    let version = version(model);
    if version < (4, 6) {
        let share = match word {
            "none" => return (None, None),
            "minimal" => 16,
            "low" => 8,
            "medium" => 4,
            "high" => 2,
            _ => return (budget(most, most - most / 4), None),
        };
        return (budget(most, most / share), None);
    }
    let effort = match word {
        "none" if always_thinks(model) => return (None, Some("low")),
        "none" => return (Some(json!({ "type": "disabled" })), None),
        "minimal" | "low" => "low",
        "medium" => "medium",
        "xhigh" if version >= (4, 7) => "xhigh",
        "high" | "xhigh" => "high",
        _ => "max",
    };
    (Some(json!({ "type": "adaptive" })), Some(effort))
}

/// The endpoint wants at least 1024 tokens of thought, and fewer than the answer may have.
fn budget(most: u32, wanted: u32) -> Option<Value> {
    let tokens = wanted.max(LEAST_THOUGHT);
    (tokens < most).then(|| json!({ "type": "enabled", "budget_tokens": tokens }))
}

/// These refuse `disabled`.
fn always_thinks(model: &str) -> bool {
    ["fable", "mythos"].iter().any(|family| model.contains(family))
}

/// Returns the version in a model's name, which stands before or behind the family: `claude-3-7-sonnet-20250219`,
/// `claude-opus-4-6`. A name without one counts as new.
fn version(model: &str) -> (u32, u32) {
    let mut numbers = model
        .split(['-', '.', '@', ':', '/'])
        .map(|part| part.parse::<u32>().ok().filter(|number| *number < 100))
        .skip_while(Option::is_none);
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)),
        (None, _) => (u32::MAX, 0),
    }
}

/// Adds a text block, or a piece of one. Thoughts are no part of the answer.
fn add(gathered: &mut Gathered, block: Option<&Value>) {
    let Some(block) = block else { return };
    let kind = block.get("type").and_then(Value::as_str);
    if matches!(kind, Some("text" | "text_delta"))
        && let Some(text) = block.get("text").and_then(Value::as_str)
    {
        gathered.text.push_str(text);
    }
}

/// Takes in counts, which are sums so far: those of the last event stand. `input_tokens` leaves out what was written to
/// or read from the cache.
fn count(gathered: &mut Gathered, usage: Option<&Value>) {
    let Some(usage) = usage else { return };
    let of = |name: &str| wire::count(usage.get(name));
    let read = of("cache_read_input_tokens");
    if let Some(fresh) = of("input_tokens") {
        let cached = read
            .unwrap_or(0)
            .saturating_add(of("cache_creation_input_tokens").unwrap_or(0));
        gathered.prompt_tokens = Some(fresh.saturating_add(cached));
        gathered.cached_tokens = read.unwrap_or(0);
    }
    if let Some(answered) = of("output_tokens") {
        gathered.completion_tokens = Some(answered);
    }
    if let Some(thought) = wire::count(usage.pointer("/output_tokens_details/thinking_tokens")) {
        gathered.reasoning_tokens = thought;
    }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::Filter,
        // `tool_use` and `pause_turn`: we give it no tools.
        _ => Finish::Other,
    }
}

/// Reads an error event, or a body that is an error: `{"type": "error", "error": {"type", "message"}}`.
fn said(body: &Value) -> Said {
    let error = body.get("error").cloned().unwrap_or_else(|| body.clone());
    let status = match error.get("type").and_then(Value::as_str).unwrap_or_default() {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        // `api_error`, and whatever else befalls an answer that had begun.
        _ => 500,
    };
    Said {
        status: Some(status),
        error,
    }
}

fn text_at(value: &Value, place: &str) -> Option<String> {
    value.pointer(place).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests;
