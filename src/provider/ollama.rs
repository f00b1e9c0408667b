//! Ollama's own API as a dialect: `/api/chat`, one JSON document a line.
//!
//! Pure. Owns what keeps a prompt whole: Ollama loads a model with a small context unless told otherwise, and cuts what
//! does not fit without a word.

use serde_json::{Map, Value, json};

use crate::{
    money::Prices,
    provider::{
        Account, Finish, Model,
        dialect::{Dialect, Framing, Gathered, Said},
        wire::count,
    },
    settings::Llm,
    transcript::Request,
};

/// No text is so regular that its tokens are longer on average, in bytes; code has about 3.5.
const MOST_BYTES: u64 = 8;

/// The dialect.
pub struct Ollama {
    /// `llm.context`
    context: u32,
    /// `llm.max_tokens`
    most: u32,
}

impl Ollama {
    /// Makes the dialect for these settings.
    pub fn new(llm: &Llm) -> Self {
        Self {
            context: llm.context,
            most: llm.max_tokens,
        }
    }

    fn options(&self, request: &Request) -> Value {
        // A context that differs between requests would load the model anew each time.
        let context = self.context.saturating_add(self.most);
        match request.max_tokens {
            Some(most) => json!({ "num_ctx": context, "num_predict": most }),
            None => json!({ "num_ctx": context }),
        }
    }
}

impl Dialect for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    fn path(&self) -> &'static str {
        "/api/chat"
    }

    fn headers(&self, key: Option<&str>) -> Vec<(&'static str, String)> {
        // The server has no keys; a proxy before it may.
        let bearer = |key: &str| ("Authorization", format!("Bearer {key}"));
        key.map(bearer).into_iter().collect()
    }

    fn body(&self, request: &Request, stream: bool) -> Vec<u8> {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("model", json!(request.model));
        set("messages", json!(request.messages));
        set("stream", json!(stream));
        // Newer servers then refuse a prompt that does not fit, and end a reply that does not; older ones pass it over.
        set("truncate", json!(false));
        set("shift", json!(false));
        set("options", self.options(request));
        if let Some(word) = &request.reasoning {
            set("think", think(word));
        }
        if let Some(schema) = &request.schema {
            set("format", schema.schema.clone());
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn take(&self, gathered: &mut Gathered, _event: &str, data: &str) -> Result<(), Said> {
        let Ok(body) = serde_json::from_str::<Value>(data) else {
            return Err(Said::broken("a line of the stream is no JSON"));
        };
        add(gathered, &body)
    }

    fn whole(&self, body: &Value) -> Result<Gathered, Said> {
        let mut gathered = Gathered::default();
        add(&mut gathered, body)?;
        // The first line of a stream that was cut looks like an answer.
        if gathered.done {
            Ok(gathered)
        } else {
            Err(Said::broken("the answer ended before it was complete"))
        }
    }

    fn is_shortened(&self, bytes: usize, prompt_tokens: u64) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        bytes > MOST_BYTES.saturating_mul(prompt_tokens)
    }

    fn models_path(&self) -> &'static str {
        "/api/tags"
    }

    fn models(&self, body: &Value) -> Vec<Model> {
        let listed = body.get("models").and_then(Value::as_array);
        let model = |model: &Value| {
            let id = model.get("model").or_else(|| model.get("name"))?.as_str()?;
            Some(Model {
                id: id.to_owned(),
                context: count(model.pointer("/details/context_length")).filter(|most| *most > 0),
                prices: if is_elsewhere(model) {
                    Prices::Unknown
                } else {
                    Prices::Free
                },
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

/// Takes in a line of a stream, or a whole answer, which looks the same.
fn add(gathered: &mut Gathered, body: &Value) -> Result<(), Said> {
    if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
        return Err(Said {
            status: Some(status_of(error)),
            error: error.clone(),
        });
    }
    // What it thinks is in `message.thinking`, and no part of the answer.
    if let Some(text) = body.pointer("/message/content").and_then(Value::as_str) {
        gathered.text.push_str(text);
    }
    if let Some(model) = body.get("model").and_then(Value::as_str) {
        gathered.model = Some(model.to_owned());
    }
    if body.get("done").and_then(Value::as_bool) != Some(true) {
        return Ok(());
    }
    gathered.done = true;
    gathered.finish = Some(match body.get("done_reason").and_then(Value::as_str) {
        Some("stop") => Finish::Stop,
        Some("length") => Finish::Length,
        // `load` and `unload`: the model was only moved, and nothing was answered.
        _ => Finish::Other,
    });
    // Older servers leave out, or say 0, where the whole prompt was in their cache.
    gathered.prompt_tokens = count(body.get("prompt_eval_count")).filter(|tokens| *tokens > 0);
    gathered.completion_tokens = count(body.get("eval_count"));
    if !is_elsewhere(body) {
        gathered.cost_usd = Some(0.0);
    }
    Ok(())
}

/// An error within a stream has no status. Most are the server's own; a prompt that is too long stays so.
fn status_of(error: &Value) -> u16 {
    let text = error.as_str().unwrap_or_default();
    let long = ["context length", "context size", "available context"];
    if long.iter().any(|words| text.contains(words)) {
        400
    } else if text.contains("not found") {
        404
    } else {
        500
    }
}

/// Models of Ollama's cloud are listed beside local ones, and are not free.
fn is_elsewhere(value: &Value) -> bool {
    ["remote_host", "remote_model"].iter().any(|name| {
        value
            .get(name)
            .and_then(Value::as_str)
            .is_some_and(|said| !said.is_empty())
    })
}

/// Levels are for models that know them; others take any as `true`.
fn think(word: &str) -> Value {
    match word {
        "none" => json!(false),
        "minimal" | "low" => json!("low"),
        "medium" => json!("medium"),
        "max" => json!("max"),
        _ => json!("high"),
    }
}

#[cfg(test)]
mod tests;
