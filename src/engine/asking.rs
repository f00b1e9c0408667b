//! Asking: who answers, and what may still be spent. Opened only where a model will be asked.

use eyre::Result;

use crate::{
    door::fs,
    engine::session::Session,
    fault::{Fault, Kind},
    money::{Prices, Purse},
    provider::{self, Provider, ProviderError},
    settings::Settings,
};

/// A provider and the purse of one run.
pub struct Asking {
    /// Who answers.
    pub provider: Box<dyn Provider>,
    /// What may still be spent.
    pub purse: Purse,
}

impl Asking {
    /// Opens what the settings name. Nothing is sent.
    ///
    /// # Errors
    /// A fault without key or script, or with a dollar cap and no price.
    pub fn open(session: &Session, settings: &Settings) -> Result<Self> {
        let provider = open_provider(session, settings)?;
        let purse = Purse::open(&settings.budget, Prices::of(&settings.llm))
            .map_err(|unknown| Fault::new(Kind::Config, unknown.to_string()).hint(unknown.hint()))?;
        Ok(Self { provider, purse })
    }
}

fn open_provider(session: &Session, settings: &Settings) -> Result<Box<dyn Provider>> {
    let script = match (&settings.llm.script, settings.llm.provider.as_str()) {
        (Some(path), "mock") => {
            let full = session.cwd.join(path);
            let text = fs::read_text(&full)?;
            Some(text.ok_or_else(|| Fault::new(Kind::Config, format!("the script {} is not there", full.display())))?)
        }
        (None, "mock") => {
            let fault = Fault::new(Kind::Config, "provider `mock` has no script: `llm.script` is not set");
            return Err(fault
                .hint("`git config invisigoth.llm.script FILE`; docs/formats.md has the format")
                .into());
        }
        _ => None,
    };
    let named = settings.llm.script.as_deref().unwrap_or("script");
    let opened = provider::open(
        &settings.llm,
        session.key.clone(),
        script.as_deref().map(|text| (named, text)),
    );
    opened.map_err(|error| {
        let fault = provider_fault(&error);
        Fault {
            kind: Kind::Config,
            ..fault
        }
        .into()
    })
}

/// True where asking for another goal now would go wrong too: the goal stays ready.
pub fn ends_run(error: &ProviderError) -> bool {
    error.is_fatal_for_run() || error.is_outage() || matches!(error, ProviderError::Malformed { .. })
}

/// Words a provider's error as a fault.
pub fn provider_fault(error: &ProviderError) -> Fault {
    let kind = if matches!(error, ProviderError::Stopped) {
        Kind::Interrupted
    } else {
        Kind::Provider
    };
    let fault = Fault::new(kind, error.to_string());
    match error.hint() {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}
