//! Asking: who answers, and what may still be spent. Opened only where a model will be asked.

use std::{
    result::Result as StdResult,
    sync::{Mutex, MutexGuard, PoisonError},
};

use eyre::Result;

use crate::{
    door::fs,
    engine::session::Session,
    fault::{Fault, Kind},
    money::{Came, Meter, Prices, Purse, Refused, Ticket},
    provider::{self, Answer, Provider, ProviderError},
    settings::Settings,
    time::Stop,
    transcript::Request,
};

/// A provider and the purse of one run.
pub struct Asking {
    /// Who answers.
    pub provider: Box<dyn Provider>,
    prices: Prices,
    purse: Mutex<Purse>,
}

impl Meter for Asking {
    fn reserve(&self, request: &Request) -> StdResult<Ticket, Refused> {
        let most = request.max_tokens.unwrap_or(u32::MAX);
        self.purse().may_call(request.bytes(), most)?;
        Ok(Ticket(0))
    }

    fn settle(&self, _ticket: Ticket, came: Came<'_>) {
        if let Came::Answer(usage) = came {
            self.purse().spend(usage);
        }
    }
}

impl Asking {
    /// Opens what the settings name. Nothing is sent.
    ///
    /// # Errors
    /// A fault without key or script, or with a dollar cap and no price.
    pub fn open(session: &Session, settings: &Settings) -> Result<Self> {
        let provider = open_provider(session, settings)?;
        let prices = Prices::of(&settings.llm);
        let purse = Purse::open(&settings.budget, prices)
            .map_err(|unknown| Fault::new(Kind::Config, unknown.to_string()).hint(unknown.hint()))?;
        Ok(Self {
            provider,
            prices,
            purse: Mutex::new(purse),
        })
    }

    fn purse(&self) -> MutexGuard<'_, Purse> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks within what may still be spent.
    ///
    /// # Errors
    /// As `Provider::ask`.
    pub fn ask(&self, request: &Request, stop: &Stop) -> StdResult<Answer, ProviderError> {
        match self.provider.ask(request, self, stop) {
            Ok(answer) => Ok(self.priced(answer)),
            Err(ProviderError::Empty(answer)) => Err(ProviderError::Empty(Box::new(self.priced(*answer)))),
            Err(ProviderError::Cut(answer)) => Err(ProviderError::Cut(Box::new(self.priced(*answer)))),
            Err(other) => Err(other),
        }
    }

    /// Says what an answer cost where the endpoint does not, as far as the price is known.
    fn priced(&self, mut answer: Answer) -> Answer {
        let usage = &mut answer.usage;
        let known = self.prices.cost(usage.prompt_tokens, usage.completion_tokens);
        usage.cost_usd = usage.cost_usd.or(known);
        answer
    }

    /// Returns the calls made and the dollars spent; no dollars where the cost of a call is unknown.
    pub fn spent(&self) -> (u64, Option<f64>) {
        self.purse().spent()
    }
}

/// Opens the provider that the settings name. Nothing is sent.
///
/// # Errors
/// A fault without key or script.
pub fn open_provider(session: &Session, settings: &Settings) -> Result<Box<dyn Provider>> {
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
    let kind = match error {
        ProviderError::Stopped => Kind::Interrupted,
        ProviderError::Refused(_) => Kind::Budget,
        _ => Kind::Provider,
    };
    let fault = Fault::new(kind, error.to_string());
    match error.hint() {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}
