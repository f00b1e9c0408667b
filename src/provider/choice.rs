//! The choice of an endpoint: which dialect the settings name, and which models may answer instead.
//!
//! Sends nothing. `mock` and `replay` need more than settings, and are opened by themselves.

use crate::{
    door::wait,
    provider::{
        Provider, ProviderError, anthropic::Anthropic, dialect::Dialect, endpoint::Endpoint, ollama::Ollama,
        openai::OpenAi, retry::Pause,
    },
    secret::Secret,
    settings::Llm,
};

/// Opens the endpoint that the settings name.
///
/// # Errors
/// `Insecure`, `NoKey` or `Connect`: the settings cannot work. Nothing is sent.
pub fn open(llm: &Llm, key: Option<Secret>) -> Result<Box<dyn Provider>, ProviderError> {
    let (dialect, fallback): (Box<dyn Dialect>, &[String]) = match llm.provider.as_str() {
        "anthropic" => (Box::new(Anthropic), &llm.fallback),
        "ollama" => (Box::new(Ollama::new(llm)), &llm.fallback),
        _ => {
            let dialect = OpenAi::open(llm)?;
            let fallback = if dialect.falls_back() {
                &[]
            } else {
                llm.fallback.as_slice()
            };
            (Box::new(dialect), fallback)
        }
    };
    let pause = Pause(Box::new(wait::pause));
    Ok(Box::new(
        Endpoint::open(dialect, llm, key, pause)?.falling_back_to(fallback),
    ))
}
