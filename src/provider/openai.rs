//! The OpenAI-compatible dialect: chat completions, as OpenRouter and nearly everybody else speaks them.
//!
//! Owns what differs between OpenRouter, OpenAI itself and the others, by the host that is asked.

use serde_json::{Map, Value, json};

use crate::{
    door::http,
    id::Hash,
    money::Prices,
    provider::{
        Account, Finish, Model, ProviderError,
        dialect::{Dialect, Framing, Gathered, Said},
        pricing,
        wire::{count, number, text_of},
    },
    settings::Llm,
    transcript::{Message, Request, Role},
};

/// What the endpoint's statistics call us.
const TITLE: &str = "git-invisigoth";
const REFERER: &str = "https://crates.io/crates/git-invisigoth";

/// Who is asked: each has fields that the others refuse or ignore.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Host {
    OpenRouter,
    OpenAi,
    Other,
}

/// The dialect, as one endpoint wants it.
pub struct OpenAi {
    host: Host,
    /// Models that OpenRouter may ask instead.
    fallback: Vec<String>,
    /// OpenRouter's `provider` object.
    routing: Map<String, Value>,
}

impl OpenAi {
    /// Reads what `llm.base_url`, `llm.fallback` and `llm.routing` say.
    ///
    /// # Errors
    /// `Settings` where `llm.routing` is no JSON object.
    pub fn open(llm: &Llm) -> Result<Self, ProviderError> {
        // What is no URL is told when the endpoint is opened.
        let host = http::check_url(llm.base_url.trim(), true).map_or_else(|_| String::new(), |(host, _)| host);
        let host = match host.to_ascii_lowercase().as_str() {
            "openrouter.ai" => Host::OpenRouter,
            host if host.ends_with(".openrouter.ai") => Host::OpenRouter,
            "api.openai.com" => Host::OpenAi,
            _ => Host::Other,
        };
        let routing = llm.routing.as_deref().filter(|text| !text.trim().is_empty());
        let routing = routing.map_or(Ok(Map::new()), serde_json::from_str);
        Ok(Self {
            host,
            fallback: llm.fallback.clone(),
            routing: routing.map_err(|error| ProviderError::Settings {
                message: format!("`llm.routing` is not a JSON object: {error}"),
            })?,
        })
    }

    /// True where the endpoint itself asks the models of `llm.fallback`.
    pub fn falls_back(&self) -> bool {
        self.host == Host::OpenRouter
    }

    fn models_of(&self, request: &Request) -> Vec<String> {
        let mut models = vec![request.model.clone()];
        models.extend(self.fallback.iter().filter(|model| **model != request.model).cloned());
        models
    }

    fn routing_of(&self, request: &Request) -> Map<String, Value> {
        let mut routing = self.routing.clone();
        if request.schema.is_some() && self.host == Host::OpenRouter {
            // Otherwise the schema is dropped without a word where a provider does not know it.
            routing.insert("require_parameters".to_owned(), json!(true));
        }
        routing
    }

    /// What only OpenRouter understands.
    fn routed(&self, request: &Request, body: &mut Map<String, Value>) {
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        let models = self.models_of(request);
        if models.len() > 1 {
            put("models", json!(models));
        }
        if let Some(effort) = &request.reasoning {
            put("reasoning", json!({ "effort": effort }));
        }
        put("usage", json!({ "include": true }));
        // The rounds of one goal go to the same provider, whose cache is warm.
        put("session_id", json!(prefix(request)));
    }
}

impl Dialect for OpenAi {
    fn name(&self) -> &'static str {
        "openrouter"
    }

    fn path(&self) -> &'static str {
        "/chat/completions"
    }

    fn headers(&self, key: Option<&str>) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Accept", "application/json, text/event-stream".to_owned())];
        if self.host == Host::OpenRouter {
            headers.push(("HTTP-Referer", REFERER.to_owned()));
            // The newer name and the one that is still seen everywhere.
            headers.push(("X-OpenRouter-Title", TITLE.to_owned()));
            headers.push(("X-Title", TITLE.to_owned()));
        }
        if let Some(key) = key {
            headers.push(("Authorization", format!("Bearer {key}")));
        }
        headers
    }

    fn body(&self, request: &Request, stream: bool) -> Vec<u8> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("model", json!(request.model));
        let marked = self.host == Host::OpenRouter && request.model.starts_with("anthropic/");
        put("messages", messages(&request.messages, marked));
        if let Some(most) = request.max_tokens {
            // OpenAI's own newer models refuse the older name, which most others know alone.
            let name = if self.host == Host::OpenAi {
                "max_completion_tokens"
            } else {
                "max_tokens"
            };
            put(name, json!(most));
        }
        if let Some(schema) = &request.schema {
            let schema = json!({ "name": schema.name, "strict": true, "schema": schema.schema });
            put(
                "response_format",
                json!({ "type": "json_schema", "json_schema": schema }),
            );
        }
        let routing = self.routing_of(request);
        if !routing.is_empty() {
            // Sent wherever it is set: a gateway may pass it on.
            put("provider", Value::Object(routing));
        }
        put("stream", json!(stream));
        if self.host == Host::OpenRouter {
            self.routed(request, &mut body);
            return Value::Object(body).to_string().into_bytes();
        }
        if stream {
            put("stream_options", json!({ "include_usage": true }));
        }
        if let Some(effort) = &request.reasoning {
            put("reasoning_effort", json!(effort));
        }
        if self.host == Host::OpenAi {
            put("prompt_cache_key", json!(prefix(request)));
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn take(&self, gathered: &mut Gathered, _event: &str, data: &str) -> Result<(), Said> {
        let data = data.trim();
        if data == "[DONE]" {
            gathered.done = true;
            return Ok(());
        }
        let Ok(chunk @ Value::Object(_)) = serde_json::from_str::<Value>(data) else {
            return Err(Said::broken("a part of the stream is no JSON object"));
        };
        learn(gathered, &chunk)?;
        let Some(choice) = chunk.get("choices").and_then(|choices| choices.get(0)) else {
            return Ok(());
        };
        refuse_error(choice)?;
        // Some servers send the last part as a whole message; its text is what came before.
        let delta = choice.get("delta");
        let text = text_of(delta.and_then(|delta| delta.get("content")));
        gathered
            .text
            .push_str(&text.ok_or_else(|| Said::broken("a part of the stream has no text"))?);
        finish(gathered, choice, delta)
    }

    fn whole(&self, body: &Value) -> Result<Gathered, Said> {
        let mut gathered = Gathered::default();
        learn(&mut gathered, body)?;
        let Some(choice) = body.get("choices").and_then(|choices| choices.get(0)) else {
            return Ok(Gathered::default());
        };
        refuse_error(choice)?;
        let Some(message @ Value::Object(_)) = choice.get("message") else {
            return Ok(Gathered::default());
        };
        let Some(text) = text_of(message.get("content")) else {
            return Ok(Gathered::default());
        };
        gathered.text = text;
        finish(&mut gathered, choice, Some(message))?;
        gathered.done = true;
        Ok(gathered)
    }

    fn models_path(&self) -> &'static str {
        "/models"
    }

    fn models(&self, body: &Value) -> Vec<Model> {
        let rows = body.get("data").and_then(Value::as_array);
        rows.into_iter().flatten().filter_map(model).collect()
    }

    fn account_path(&self) -> Option<&'static str> {
        // Gateways that pass on to OpenRouter know it too; where nobody does, nothing is lost.
        (self.host != Host::OpenAi).then_some("/key")
    }

    fn account(&self, body: &Value) -> Option<Account> {
        let left = body.get("data")?.get("limit_remaining");
        Some(Account {
            left_usd: left.and_then(Value::as_f64).filter(|left| left.is_finite()),
        })
    }
}

/// Words messages; `marked`: the part that all rounds share says itself that it is to be cached.
fn messages(messages: &[Message], marked: bool) -> Value {
    if !marked {
        return json!(messages);
    }
    let first = messages.iter().position(|message| message.role == Role::User);
    let word = |(at, message): (usize, &Message)| {
        if message.content.is_empty() || !(message.role == Role::System || Some(at) == first) {
            return json!(message);
        }
        let part = json!({ "type": "text", "text": message.content, "cache_control": { "type": "ephemeral" } });
        json!({ "role": message.role, "content": [part] })
    };
    messages.iter().enumerate().map(word).collect()
}

/// Names the part that all rounds of a goal share: everything up to the first message of ours.
fn prefix(request: &Request) -> String {
    let end = request
        .messages
        .iter()
        .position(|message| message.role == Role::User)
        .map_or(0, |at| at + 1);
    let shared = request
        .messages
        .iter()
        .take(end)
        .map(|message| message.content.as_bytes());
    Hash::of("prompt-prefix", shared).short(32)
}

/// Takes in what stands beside the choices.
fn learn(gathered: &mut Gathered, chunk: &Value) -> Result<(), Said> {
    refuse_error(chunk)?;
    if let Some(model) = chunk
        .get("model")
        .and_then(Value::as_str)
        .filter(|model| !model.is_empty())
    {
        gathered.model = Some(model.to_owned());
    }
    let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) else {
        return Ok(());
    };
    let detail = |of: &str, name: &str| usage.get(of).and_then(|detail| count(detail.get(name)));
    gathered.prompt_tokens = count(usage.get("prompt_tokens")).or(gathered.prompt_tokens);
    gathered.completion_tokens = count(usage.get("completion_tokens")).or(gathered.completion_tokens);
    gathered.cached_tokens = detail("prompt_tokens_details", "cached_tokens").unwrap_or(gathered.cached_tokens);
    gathered.reasoning_tokens =
        detail("completion_tokens_details", "reasoning_tokens").unwrap_or(gathered.reasoning_tokens);
    gathered.cost_usd = usage.get("cost").and_then(number).or(gathered.cost_usd);
    Ok(())
}

/// Takes in why a choice ended; Mistral, DeepSeek, Gemini and GLM have words of their own. A refusal in a field of its own
/// is no answer either.
fn finish(gathered: &mut Gathered, choice: &Value, message: Option<&Value>) -> Result<(), Said> {
    if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
        gathered.finish = Some(match reason.to_ascii_lowercase().as_str() {
            "stop" => Finish::Stop,
            "length" | "model_length" | "max_tokens" | "max_output_tokens" => Finish::Length,
            "content_filter" | "safety" | "recitation" | "prohibited_content" | "sensitive" => Finish::Filter,
            "error" | "network_error" | "insufficient_system_resource" | "cancelled" => {
                return Err(Said::broken("the model ended with an error"));
            }
            _ => Finish::Other,
        });
    }
    let refusal = message
        .and_then(|message| message.get("refusal"))
        .and_then(Value::as_str);
    if gathered.text.is_empty() && refusal.is_some_and(|refusal| !refusal.is_empty()) {
        gathered.finish = Some(Finish::Filter);
    }
    Ok(())
}

fn refuse_error(value: &Value) -> Result<(), Said> {
    match value.get("error").filter(|error| !error.is_null()) {
        None => Ok(()),
        Some(error) => Err(Said {
            status: None,
            error: error.clone(),
        }),
    }
}

/// Reads a row of a list of models: OpenRouter's, vLLM's or llama.cpp's.
fn model(row: &Value) -> Option<Model> {
    let places = ["/context_length", "/max_model_len", "/meta/n_ctx", "/meta/n_ctx_train"];
    Some(Model {
        id: row.get("id")?.as_str()?.to_owned(),
        context: places.iter().find_map(|place| row.pointer(place)?.as_u64()),
        prices: row.get("pricing").map_or(Prices::Unknown, pricing::prices),
    })
}

#[cfg(test)]
mod tests;
