//! Transcripts: what was asked of a model, what came back, and under which key that is found again.

use std::{collections::HashMap, io, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::{id::Hash, secret::Redactor};

/// Who says a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The standing orders.
    System,
    /// Us.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Returns the word that requests have for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// Its text.
    pub content: String,
}

/// A question to a model: everything that decides the answer, nothing that does not.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The model's name.
    pub model: String,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// Most tokens of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// How hard a reasoning model should think.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The JSON schema that the answer must follow; for plans, never for edits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
}

/// A JSON schema by name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Schema {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// The schema itself.
    pub schema: serde_json::Value,
}

impl Request {
    /// Returns the key: SHA-256 over the canonical JSON, 64 hex digits.
    pub fn key(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        Hash::of("invisigoth-llm-v1", [json.as_slice()]).to_string()
    }

    /// Returns how alike two requests are, in thousandths: lines that both have against lines that either has.
    pub fn likeness(&self, other: &Self) -> usize {
        let mut open: HashMap<&str, usize> = HashMap::new();
        let mut all = 0_usize;
        for line in self.lines() {
            *open.entry(line).or_default() += 1;
            all += 1;
        }
        let mut both = 0_usize;
        for line in other.lines() {
            all += 1;
            if let Some(left) = open.get_mut(line).filter(|left| **left > 0) {
                *left -= 1;
                both += 1;
            }
        }
        (2000 * both).checked_div(all).unwrap_or(1000)
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().flat_map(|message| message.content.lines())
    }

    /// Returns the size in bytes of all messages.
    pub fn bytes(&self) -> usize {
        self.messages.iter().map(|message| message.content.len()).sum()
    }
}

/// What an answer took.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
    /// Tokens of the prompt that came from the provider's cache; part of `prompt_tokens`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_tokens: u64,
    /// Tokens that the model thought in; part of `completion_tokens`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning_tokens: u64,
    /// Dollars, where the provider or a price says so.
    pub cost_usd: Option<f64>,
    /// True where the counts are our estimate because the provider sent none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// Adds another answer's. An unknown cost makes the sum unknown.
    pub fn add(&mut self, other: &Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(other.cached_tokens);
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(other.reasoning_tokens);
        self.cost_usd = self.cost_usd.zip(other.cost_usd).map(|(a, b)| a + b);
        self.estimated |= other.estimated;
    }

    /// Returns both kinds of tokens together.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

/// What came back of a call, in plain parts.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The answer's text.
    pub text: &'a str,
    /// The response body as it came.
    pub raw: &'a [u8],
    /// Which model answered.
    pub model: &'a str,
    /// The provider's kind, by which `raw` can be read again.
    pub provider: &'a str,
    /// Why it ended: `stop`, `length`, `content_filter`, `shortened` (it answers a prompt that the server cut) or `other`.
    pub finish: &'a str,
    /// What it took.
    pub usage: Usage,
}

/// One answered call, as the attempts ref keeps it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// The key of the request as it was sent, before anything was redacted; empty in records of older versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// What was asked, redacted.
    pub request: Request,
    /// The answer's text, redacted.
    pub reply: String,
    /// The response body as it came, redacted, where it is UTF-8.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw: String,
    /// The response body as it came, in base64, where it is no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_base64: Option<String>,
    /// Which model answered.
    pub model: String,
    /// The provider's kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// Why the answer ended; empty in records of older versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub finish: String,
    /// What it took.
    pub usage: Usage,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// True where the reply or the raw body held something that had to be redacted: the call cannot be replayed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
}

impl Exchange {
    /// Makes the record of a call: `request` as it was sent, and what came back.
    pub fn new(mut request: Request, answered: Answered<'_>, redactor: &Redactor, took: Duration) -> Self {
        let key = request.key();
        for message in &mut request.messages {
            message.content = redactor.clean(&message.content).into_string();
        }
        let (reply, raw) = (redactor.clean(answered.text), redactor.clean_bytes(answered.raw));
        let redacted = reply.changed() || raw.changed();
        let (reply, raw) = (reply.into_string(), raw.into_string());
        // Bytes that are no text are kept as they are only where nothing in them had to go.
        let is_text = redacted || std::str::from_utf8(answered.raw).is_ok();
        Self {
            key,
            request,
            reply,
            raw_base64: (!is_text).then(|| BASE64_STANDARD.encode(answered.raw)),
            raw: if is_text { raw } else { String::new() },
            model: redactor.clean(answered.model).into_string(),
            provider: answered.provider.to_owned(),
            finish: answered.finish.to_owned(),
            usage: answered.usage,
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            redacted,
        }
    }

    /// Returns the key that the call is found under.
    pub fn key(&self) -> String {
        if self.key.is_empty() {
            self.request.key()
        } else {
            self.key.clone()
        }
    }

    /// Returns the response body; nothing where its record is damaged.
    pub fn raw_bytes(&self) -> Vec<u8> {
        match &self.raw_base64 {
            Some(coded) => BASE64_STANDARD.decode(coded).unwrap_or_default(),
            None => self.raw.clone().into_bytes(),
        }
    }

    /// True where the reply or its prompt was cut, so that it was never applied.
    pub fn is_cut(&self) -> bool {
        matches!(self.finish.as_str(), "length" | "content_filter" | "shortened")
    }
}

/// Recorded calls.
pub trait Tape: Send + Sync {
    /// Returns every answer to the request with this key, in the order in which they came.
    ///
    /// # Errors
    /// When the records cannot be read.
    fn find(&self, key: &str) -> io::Result<Vec<Exchange>>;

    /// Returns the recorded call whose request is most like `request`; `None` where there is none at all.
    ///
    /// # Errors
    /// As `find`.
    fn nearest(&self, request: &Request) -> io::Result<Option<Exchange>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn request(content: &str) -> Request {
        Request {
            model: "m".to_owned(),
            messages: vec![Message {
                role: Role::User,
                content: content.to_owned(),
            }],
            max_tokens: None,
            reasoning: None,
            schema: None,
        }
    }

    fn recorded(content: &str, text: &str, raw: &[u8]) -> Exchange {
        let answered = Answered {
            text,
            raw,
            model: "m-1",
            provider: "mock",
            finish: "stop",
            usage: Usage::default(),
        };
        let redactor = Redactor::new([&Secret::new("sk-canary-1234")]);
        Exchange::new(request(content), answered, &redactor, Duration::from_millis(7))
    }

    #[test]
    fn a_record_is_found_by_what_was_sent_and_holds_no_key() {
        let call = recorded("my sk-canary-1234", "yes", b"{}");
        assert_eq!(call.key(), request("my sk-canary-1234").key());
        assert_eq!(call.request, request("my [redacted]"));
        assert!(!call.redacted, "the answer is as it came");
        for (text, raw) in [("a sk-canary-1234", &b"{}"[..]), ("a", b"\xff sk-canary-1234")] {
            let call = recorded("q", text, raw);
            assert!(call.redacted);
            assert!(!serde_json::to_string(&call).unwrap().contains("canary"));
        }
    }

    #[test]
    fn a_body_comes_back_byte_for_byte() {
        for raw in [&b""[..], b"text\n", b"\xff\x00\xfe"] {
            let text = serde_json::to_vec(&recorded("q", "a", raw)).unwrap();
            let call: Exchange = serde_json::from_slice(&text).unwrap();
            assert_eq!(call.raw_bytes(), raw);
            assert_eq!(call.raw_base64.is_some(), std::str::from_utf8(raw).is_err());
        }
    }

    #[test]
    fn a_record_of_an_older_version_has_the_key_of_its_request() {
        let old = r#"{"request":{"model":"m","messages":[]},"reply":"r","raw":"r","model":"m",
            "usage":{"prompt_tokens":1,"completion_tokens":1,"cost_usd":null},"millis":1}"#;
        let call: Exchange = serde_json::from_str(old).unwrap();
        assert_eq!(call.key(), call.request.key());
    }

    #[test]
    fn requests_are_the_more_alike_the_more_lines_they_share() {
        let now = request("a\nb\nc\nd");
        let likeness = |text: &str| now.likeness(&request(text));
        assert!(likeness("a\nb\nc\nd") > likeness("a\nb\nc\nx"));
        assert!(likeness("a\nb\nc\nx") > likeness("a\nx\ny\nz"));
        assert!(likeness("a\nb") > likeness(&format!("a\nb\n{}", "z\n".repeat(9))));
    }
}
