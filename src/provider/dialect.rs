//! Dialects: how endpoints word requests and answers. The trait and what passes through it.
//!
//! Pure: bytes and JSON, no effects. Sending, waiting and trying again are `endpoint`'s.

use serde_json::Value;

use crate::{
    provider::{Account, Finish, Model},
    transcript::Request,
};

/// How an endpoint words requests and answers. Pure: bytes and JSON, no effects.
pub trait Dialect: Send + Sync {
    /// Returns the name, as settings and records have it.
    fn name(&self) -> &'static str;

    /// Returns the path of a completion, after `llm.base_url`.
    fn path(&self) -> &'static str;

    /// Returns the header fields of every request.
    fn headers(&self, key: Option<&str>) -> Vec<(&'static str, String)>;

    /// Words a request; `stream`: the answer shall come as it is made.
    fn body(&self, request: &Request, stream: bool) -> Vec<u8>;

    /// Returns what tells the events of a stream apart.
    fn framing(&self) -> Framing;

    /// Takes in one event of a stream: its name (empty where it has none) and its data.
    ///
    /// # Errors
    /// What the endpoint says instead of an answer.
    fn take(&self, gathered: &mut Gathered, event: &str, data: &str) -> Result<(), Said>;

    /// Reads an answer that came whole.
    ///
    /// # Errors
    /// What the endpoint says instead of an answer.
    fn whole(&self, body: &Value) -> Result<Gathered, Said>;

    /// True where a count of prompt tokens shows that a request of so many bytes was not read to its end.
    fn is_shortened(&self, _bytes: usize, _prompt_tokens: u64) -> bool {
        false
    }

    /// Returns the path of the list of models, after `llm.base_url`.
    fn models_path(&self) -> &'static str;

    /// Reads a list of models.
    fn models(&self, body: &Value) -> Vec<Model>;

    /// Returns the path of what the key may still spend; `None` where the endpoint does not say.
    fn account_path(&self) -> Option<&'static str>;

    /// Reads what the key may still spend.
    fn account(&self, body: &Value) -> Option<Account>;
}

/// What is gathered of an answer so far.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gathered {
    /// The text of the reply.
    pub text: String,
    /// The model that answers, as the endpoint names it.
    pub model: Option<String>,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// Tokens of the prompt, where they were counted.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, where they were counted.
    pub completion_tokens: Option<u64>,
    /// Tokens of the prompt that came from a cache.
    pub cached_tokens: u64,
    /// Tokens that the model thought in.
    pub reasoning_tokens: u64,
    /// Dollars, where the endpoint says so.
    pub cost_usd: Option<f64>,
    /// True once the stream said that it is complete.
    pub done: bool,
}

/// What an endpoint says instead of an answer: an error object in a body of success, or amid a stream.
#[derive(Clone, PartialEq, Debug)]
pub struct Said {
    /// The status that it names.
    pub status: Option<u16>,
    /// The error: an object, or a text.
    pub error: Value,
}

impl Said {
    /// Words an answer that cannot be read as it came, and may be better the next time.
    pub fn broken(what: &str) -> Self {
        Self {
            status: Some(502),
            error: Value::from(what),
        }
    }
}

/// What tells the events of a stream apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON document a line.
    Lines,
}
