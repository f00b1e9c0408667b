//! The wire: the JSON of a chat completion, both ways. Tolerant of dialects, never of nonsense.
//!
//! Pure: bytes in, values out. Sending is `openai`'s.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{
    money::{Prices, estimated_tokens},
    provider::{Answer, Finish, ProviderError},
    secret::{Redactor, Secret},
    transcript::{Request, Usage},
};

/// Longest excerpt, in characters.
const EXCERPT: usize = 200;

/// Returns the body of a request. `ask_cost` adds the field by which gateways are asked for `usage.cost`.
pub fn body(request: &Request, ask_cost: bool) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model));
    body.insert("messages".to_owned(), json!(request.messages));
    if let Some(most) = request.max_tokens {
        body.insert("max_tokens".to_owned(), json!(most));
    }
    body.insert("stream".to_owned(), json!(false));
    if ask_cost {
        body.insert("usage".to_owned(), json!({ "include": true }));
    }
    Value::Object(body).to_string().into_bytes()
}

/// Reads answers of one endpoint.
pub struct Reader {
    /// What tokens cost where the endpoint does not say it.
    pub prices: Prices,
    /// Kept out of every excerpt.
    pub key: Option<Secret>,
}

impl Reader {
    /// Reads a body that came with a status of success.
    ///
    /// # Errors
    /// What the body says instead of an answer, or that it cannot be read.
    pub fn answer(&self, request: &Request, raw: Vec<u8>) -> Result<Answer, ProviderError> {
        let Ok(Value::Object(body)) = serde_json::from_slice(&raw) else {
            return Err(self.malformed("not the JSON of a chat completion", &raw));
        };
        if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
            return Err(self.failure(None, None, error));
        }
        let Some(choice) = body.get("choices").and_then(|choices| choices.get(0)) else {
            return Err(self.malformed("no choices", &raw));
        };
        if let Some(error) = choice.get("error").filter(|error| !error.is_null()) {
            return Err(self.failure(None, None, error));
        }
        let text = choice
            .get("message")
            .and_then(|message| text_of(message.get("content")));
        let Some(text) = text else {
            return Err(self.malformed("no message with text", &raw));
        };
        let finish = match choice.get("finish_reason").and_then(Value::as_str) {
            Some("stop") => Finish::Stop,
            Some("length") => Finish::Length,
            Some("content_filter") => Finish::Filter,
            Some("error") => return Err(self.failure(Some(502), None, &json!("the model ended with an error"))),
            _ => Finish::Other,
        };
        Ok(Answer {
            usage: self.usage(body.get("usage"), request, &text),
            model: body
                .get("model")
                .and_then(Value::as_str)
                .map_or_else(|| request.model.clone(), model_name),
            text: without_thoughts(text),
            finish,
            raw,
        })
    }

    /// Reads a body that came with a status of failure.
    pub fn refusal(&self, status: u16, after: Option<Duration>, raw: &[u8]) -> ProviderError {
        let error = match serde_json::from_slice::<Value>(raw) {
            Ok(Value::Object(mut body)) => body.remove("error").filter(|error| !error.is_null()),
            _ => None,
        };
        let error = error.unwrap_or_else(|| Value::from(String::from_utf8_lossy(raw)));
        self.failure(Some(status), after, &error)
    }

    /// Makes the error of an error object. The status of the response, where it is one of failure, counts before the
    /// object's own code, which gateways send as a number or as a string.
    fn failure(&self, status: Option<u16>, after: Option<Duration>, error: &Value) -> ProviderError {
        let excerpt = self.excerpt(message_of(error).as_bytes());
        let word = word_of(error);
        let said = status.or_else(|| code_of(error));
        match said.or_else(|| status_of_word(word)).unwrap_or(200) {
            429 if word == "insufficient_quota" => ProviderError::Credit { excerpt },
            402 => ProviderError::Credit { excerpt },
            status @ 403 if is_moderation(error, word) => ProviderError::BadRequest { status, excerpt },
            status @ (401 | 403) => ProviderError::Unauthorized { status, excerpt },
            429 => ProviderError::RateLimited { after, excerpt },
            status @ (408 | 425 | 500..=599) => ProviderError::Unavailable {
                status: Some(status),
                after,
                excerpt,
            },
            status => ProviderError::BadRequest { status, excerpt },
        }
    }

    fn malformed(&self, what: &str, raw: &[u8]) -> ProviderError {
        let start = self.excerpt(raw);
        let excerpt = if start.is_empty() {
            "the body is empty".to_owned()
        } else {
            format!("{what}: {start}")
        };
        ProviderError::Malformed {
            excerpt: excerpt.chars().take(EXCERPT).collect(),
        }
    }

    /// Returns the start of `raw` on one line, without the key.
    pub fn excerpt(&self, raw: &[u8]) -> String {
        let mut text = Redactor::new(&self.key).clean_bytes(raw).into_string();
        // The redactor leaves short texts alone; a key is none of anybody's business however short.
        if let Some(key) = self.key.as_ref().map(Secret::reveal).filter(|key| !key.is_empty()) {
            text = text.replace(key, "[redacted]");
        }
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(" ").chars().take(EXCERPT).collect()
    }

    fn usage(&self, said: Option<&Value>, request: &Request, text: &str) -> Usage {
        let count = |name| said.and_then(|usage| usage.get(name)).and_then(Value::as_u64);
        let counted = (count("prompt_tokens"), count("completion_tokens"));
        let prompt_tokens = counted.0.unwrap_or_else(|| estimated_tokens(request.bytes()));
        let completion_tokens = counted.1.unwrap_or_else(|| estimated_tokens(text.len()));
        let cost = said.and_then(|usage| usage.get("cost")).and_then(number);
        Usage {
            prompt_tokens,
            completion_tokens,
            cost_usd: cost.or_else(|| self.prices.cost(prompt_tokens, completion_tokens)),
            estimated: counted.0.is_none() || counted.1.is_none(),
            ..Usage::default()
        }
    }
}

/// Returns dollars that are a number, or a number in a string; not negative.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// Returns text that is a string, absent, or an array of parts; `None` for anything else.
fn text_of(content: Option<&Value>) -> Option<String> {
    match content {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(parts)) => parts
            .iter()
            .map(|part| match part {
                Value::String(text) => Some(text.as_str()),
                Value::Object(part) => part.get("text").map_or(Some(""), Value::as_str),
                _ => None,
            })
            .collect(),
        Some(_) => None,
    }
}

/// Local models think aloud in front of their answer; edits in there are not meant.
fn without_thoughts(text: String) -> String {
    let thought = text.trim_start().strip_prefix("<think>");
    match thought.and_then(|rest| rest.split_once("</think>")) {
        Some((_, answer)) => answer.trim_start().to_owned(),
        None => text,
    }
}

/// The name goes into trailers and terminals.
fn model_name(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(EXCERPT).collect()
}

fn message_of(error: &Value) -> String {
    let message = match error {
        Value::String(text) => Some(text.as_str()),
        other => other.get("message").and_then(Value::as_str),
    };
    message.map_or_else(|| error.to_string(), str::to_owned)
}

fn code_of(error: &Value) -> Option<u16> {
    let code = match error.get("code")? {
        Value::String(text) => text.trim().parse().ok()?,
        other => u16::try_from(other.as_u64()?).ok()?,
    };
    (400..600).contains(&code).then_some(code)
}

/// Returns the word by which the error names its kind; dialects put it in different places.
fn word_of(error: &Value) -> &str {
    let places = ["/metadata/error_type", "/code", "/type"];
    places
        .iter()
        .filter_map(|place| error.pointer(place)?.as_str())
        .find(|word| word.chars().any(char::is_alphabetic))
        .unwrap_or_default()
}

fn status_of_word(word: &str) -> Option<u16> {
    Some(match word {
        "authentication_error" | "invalid_api_key" => 401,
        "insufficient_quota" | "payment_required" => 402,
        "timeout" => 408,
        "rate_limit_error" | "rate_limit_exceeded" => 429,
        "server" | "server_error" | "api_error" => 500,
        "provider_unavailable" => 502,
        "overloaded_error" | "provider_overloaded" => 503,
        _ => return None,
    })
}

fn is_moderation(error: &Value, word: &str) -> bool {
    matches!(word, "content_policy_violation" | "refusal") || error.pointer("/metadata/reasons").is_some()
}

#[cfg(test)]
mod tests;
