//! Providers: ask a model. Owns endpoints and their dialects; retries are its own, caps are not.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    money::{Meter, Prices, Refused},
    time::Stop,
    transcript::{Request, Usage},
};

pub mod anthropic;
pub mod breaker;
pub mod choice;
pub mod dialect;
pub mod endpoint;
pub mod failure;
pub mod finish;
pub mod mock;
pub mod ollama;
pub mod openai;
pub mod pricing;
pub mod reading;
pub mod replay;
pub mod retry;
pub mod sse;
pub mod tries;
pub mod wire;

/// Someone who answers requests.
pub trait Provider: Send + Sync {
    /// Returns the kind, as settings and records name it.
    fn name(&self) -> &str;

    /// Asks and waits for the whole answer, trying again where that may help. Each try has the leave of `meter` first,
    /// for it may cost money.
    ///
    /// # Errors
    /// Says why there is no usable answer.
    fn ask(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError>;

    /// Lists the models that can be asked. Costs nothing.
    ///
    /// # Errors
    /// Says why there is no list.
    fn models(&self, stop: &Stop) -> Result<Vec<Model>, ProviderError>;

    /// Asks whether the key is good and what it may still spend; `None` where the provider does not say. Costs nothing.
    ///
    /// # Errors
    /// Says what is wrong with the key, or why there is no answer.
    fn account(&self, stop: &Stop) -> Result<Option<Account>, ProviderError>;
}

/// A model, as the provider lists it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Model {
    /// Its name, as requests use it.
    pub id: String,
    /// Most tokens of prompt and reply together.
    pub context: Option<u64>,
    /// What tokens cost.
    pub prices: Prices,
}

/// What a key may still spend.
#[derive(Clone, PartialEq, Debug)]
pub struct Account {
    /// Dollars left; `None` where nothing caps them.
    pub left_usd: Option<f64>,
}

/// Why a model ended its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    /// It was done.
    Stop,
    /// It reached the most tokens of a reply.
    Length,
    /// A filter of the provider ended it.
    Filter,
    /// It answers a prompt that the server cut.
    Shortened,
    /// Anything else, or nothing was said.
    Other,
}

/// What came back.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The reply.
    pub text: String,
    /// The model that answered, as the provider names it; without control characters.
    pub model: String,
    /// What it took, over all tries that were answered.
    pub usage: Usage,
    /// The body as it came; may repeat what was sent, so redact it before it is kept.
    pub raw: Vec<u8>,
    /// Why it ended.
    pub finish: Finish,
}

/// Why there is no usable answer. Excerpts are at most 200 characters and hold no key.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ProviderError {
    /// 401, or 403 that is no moderation.
    #[error("the provider refuses the key ({status}): {excerpt}")]
    Unauthorized {
        /// The status.
        status: u16,
        /// What the provider says.
        excerpt: String,
    },
    /// 402: the account is empty.
    #[error("the account has no credit left: {excerpt}")]
    Credit {
        /// What the provider says.
        excerpt: String,
    },
    /// The provider will not answer this request, however often it is asked.
    #[error("the provider refuses the request ({status}): {excerpt}")]
    BadRequest {
        /// The status.
        status: u16,
        /// What the provider says.
        excerpt: String,
    },
    /// 429, after every try.
    #[error("the provider's rate limit is reached: {excerpt}")]
    RateLimited {
        /// How long the provider asks to wait.
        after: Option<Duration>,
        /// What the provider says.
        excerpt: String,
    },
    /// 408, 5xx or a cut connection, after every try.
    #[error("the provider is not available: {excerpt}")]
    Unavailable {
        /// The status, if there was an answer at all.
        status: Option<u16>,
        /// How long the provider asks to wait.
        after: Option<Duration>,
        /// What happened, or what the provider says.
        excerpt: String,
    },
    /// The answer is not what a chat completion looks like.
    #[error("the provider's answer cannot be read: {excerpt}")]
    Malformed {
        /// What is wrong, or the start of the answer.
        excerpt: String,
    },
    /// The answer has no text. It may have cost something.
    #[error("the model `{}` answered without any text", .0.model)]
    Empty(Box<Answer>),
    /// The answer reached the most tokens of a reply. It has cost something.
    #[error("the reply was cut off after {} tokens", .0.usage.completion_tokens)]
    Cut(Box<Answer>),
    /// A filter of the provider ended the answer before it was complete. It may have cost something.
    #[error("a filter of the provider ended the reply")]
    Filtered(Box<Answer>),
    /// The server cut the prompt down to its context before the model read it: the answer is to another question.
    #[error("the model read only {} tokens of the prompt, which does not fit its context", .0.usage.prompt_tokens)]
    Shortened(Box<Answer>),
    /// No connection came about, after every try.
    #[error("the provider cannot be reached: {message}")]
    Connect {
        /// What happened.
        message: String,
    },
    /// The answer took longer than `llm.timeout`.
    #[error("no answer within {} s", limit.as_secs_f64())]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// The endpoint fell silent, or never began to answer, after every try.
    #[error("nothing came from the provider for {} s", limit.as_secs_f64())]
    Silent {
        /// `llm.first_byte_timeout` or `llm.idle_timeout`
        limit: Duration,
    },
    /// The settings contradict what the endpoint understands; nothing was sent.
    #[error("{message}")]
    Settings {
        /// Which, and how.
        message: String,
    },
    /// The connection would not have been safe; nothing was sent.
    #[error("{message}")]
    Insecure {
        /// Why.
        message: String,
    },
    /// An endpoint on another machine, and no key for it; nothing was sent.
    #[error("there is no key for {host}: `{variable}` is not set")]
    NoKey {
        /// The endpoint's host.
        host: String,
        /// `llm.key_env`
        variable: String,
    },
    /// The mock's script is not as it should be.
    #[error("{name}:{line}:{column}: {message}")]
    Script {
        /// The script, as the user named it.
        name: String,
        /// From 1; 0 where there is no script.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The mock's script says nothing to this goal.
    #[error("the script has no reply for goal `{goal}` and no default")]
    NoReply {
        /// The goal; empty where the request names none.
        goal: String,
    },
    /// The mock's script has no reply to a plan.
    #[error("the script has no reply for a plan")]
    NoPlan,
    /// The mock's command failed.
    #[error("`{command}` {message}")]
    Command {
        /// `llm.command`
        command: String,
        /// How it ended, and the last line of its standard error.
        message: String,
    },
    /// No recorded call answers the request; nothing was sent.
    #[error("{message}")]
    NotRecorded {
        /// Why, and how the nearest recorded request differs.
        message: String,
    },
    /// The meter gave no leave; nothing was sent.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The run was asked to stop.
    #[error("stopped")]
    Stopped,
}
