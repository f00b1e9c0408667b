//! The wire: what all dialects have in common, above all how they word failures. Tolerant of dialects, never of nonsense.
//!
//! Pure: bytes in, values out. Sending is `endpoint`'s.

use std::time::Duration;

use serde_json::Value;

use crate::{
    provider::ProviderError,
    secret::{Redactor, Secret},
};

/// Longest excerpt, in characters.
const EXCERPT: usize = 200;

/// Words what an endpoint says instead of an answer.
pub struct Reader {
    /// Kept out of every excerpt.
    pub key: Option<Secret>,
}

impl Reader {
    /// Reads a body that came with a status of failure.
    pub fn refusal(&self, status: u16, after: Option<Duration>, raw: &[u8]) -> ProviderError {
        let error = match serde_json::from_slice::<Value>(raw) {
            Ok(Value::Object(mut body)) => body.remove("error").filter(|error| !error.is_null()),
            _ => None,
        };
        let error = error.unwrap_or_else(|| Value::from(String::from_utf8_lossy(raw)));
        self.failure(Some(status), after, &error, status)
    }

    /// Makes the error of an error object. The status of the response, where it is one of failure, counts before the
    /// object's own code, which gateways send as a number or as a string; `otherwise` is for objects that name none.
    pub fn failure(
        &self,
        status: Option<u16>,
        after: Option<Duration>,
        error: &Value,
        otherwise: u16,
    ) -> ProviderError {
        let excerpt = self.excerpt(message_of(error).as_bytes());
        let word = word_of(error);
        let said = status.or_else(|| code_of(error)).or_else(|| status_of_word(word));
        match said.unwrap_or(otherwise) {
            429 if word == "insufficient_quota" => ProviderError::Credit { excerpt },
            402 if is_in_flight(error) => ProviderError::RateLimited { after, excerpt },
            402 => ProviderError::Credit { excerpt },
            400 if is_out_of_credit(error) => ProviderError::Credit { excerpt },
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

    /// Makes the error of a body that is no answer.
    pub fn malformed(&self, what: &str, raw: &[u8]) -> ProviderError {
        ProviderError::Malformed {
            excerpt: format!("{what}: {}", self.excerpt(raw)).chars().take(EXCERPT).collect(),
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
}

/// More tokens than any call has: a count beyond it is a mistake.
const MOST_COUNTED: u64 = 100_000_000;

/// Returns a count of tokens, if it is one that can be.
pub fn count(said: Option<&Value>) -> Option<u64> {
    said?.as_u64().filter(|count| *count <= MOST_COUNTED)
}

/// Returns dollars that are a number, or a number in a string; not negative.
pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// Returns text that is a string, absent, or an array of parts; `None` for anything else.
pub fn text_of(content: Option<&Value>) -> Option<String> {
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

/// Returns the answer behind the thoughts that local models begin with; edits in there are not meant. Thoughts without
/// an end are all that there is.
pub fn without_thoughts(text: String) -> String {
    let Some(thought) = text.trim_start().strip_prefix("<think>") else {
        return text;
    };
    let answer = thought.split_once("</think>").map_or("", |(_, answer)| answer);
    answer.trim_start().to_owned()
}

/// Returns a model's name as it can stand in trailers and terminals.
pub fn model_name(name: &str) -> String {
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

/// Parallel calls reserve more than the account holds: it is not empty, only busy.
fn is_in_flight(error: &Value) -> bool {
    ["/metadata/limit_source", "/limit_source"]
        .iter()
        .filter_map(|place| error.pointer(place)?.as_str())
        .any(|source| source.contains("in_flight"))
}

/// Anthropic says it with the word and status of a bad request: an empty account, or a limit that its owner has set.
fn is_out_of_credit(error: &Value) -> bool {
    let message = message_of(error);
    ["credit balance is too low", "specified API usage limits"]
        .iter()
        .any(|words| message.contains(words))
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
        "invalid_request" | "invalid_request_error" | "context_length_exceeded" | "max_tokens_exceeded" => 400,
        "authentication_error" | "invalid_api_key" => 401,
        "insufficient_quota" | "payment_required" | "billing_error" => 402,
        "permission_error" | "content_policy_violation" | "refusal" => 403,
        "not_found_error" => 404,
        "timeout" | "timeout_error" => 408,
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
