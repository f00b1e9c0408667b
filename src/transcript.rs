//! Transcripts: what was asked of a model, what came back, and under which key that is found again.

use serde::{Deserialize, Serialize};

use crate::id::Hash;

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

/// One answered call, as the attempts ref keeps it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked.
    pub request: Request,
    /// The answer's text.
    pub reply: String,
    /// The response body as it came, redacted.
    pub raw: String,
    /// Which model answered.
    pub model: String,
    /// What it took.
    pub usage: Usage,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// True where the reply or the raw body held something that had to be redacted: the call cannot be replayed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
}
