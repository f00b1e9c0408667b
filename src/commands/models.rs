//! `models`: what the endpoint can be asked for, with context and price.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{models, session::Session},
    fault::{Fault, Kind},
    money::Prices,
    provider::Model,
};

/// Which models.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Ask the endpoint, however young the list that is kept.
    pub refresh: bool,
    /// Only models whose names hold this, in either case.
    pub filter: Option<String>,
}

/// One model.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name, as `llm.model` takes it.
    pub id: String,
    /// Most tokens of prompt and reply together; `null` where it is not said.
    pub context: Option<u64>,
    /// Dollars a million prompt tokens; `null` where it varies or is not said.
    pub usd_per_mtok_in: Option<f64>,
    /// Dollars a million reply tokens; likewise.
    pub usd_per_mtok_out: Option<f64>,
}

impl From<Model> for Row {
    fn from(model: Model) -> Self {
        let (input, output) = match model.prices {
            Prices::Free => (Some(0.0), Some(0.0)),
            Prices::PerMillion { input, output } => (Some(input), Some(output)),
            Prices::Unknown => (None, None),
        };
        Self {
            id: model.id,
            context: model.context,
            usd_per_mtok_in: input,
            usd_per_mtok_out: output,
        }
    }
}

/// The models, in the endpoint's order.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// `llm.provider`
    pub provider: String,
    /// `llm.base_url`
    pub endpoint: String,
    /// When the endpoint gave the list.
    pub listed_at: String,
    /// How long ago that was, in seconds.
    pub age_seconds: u64,
    /// How many models there are in all.
    pub total: usize,
    /// One row each, of those that were asked for.
    pub models: Vec<Row>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.models/1";
}

/// Lists models. Costs nothing.
///
/// # Errors
/// A fault where the provider has none to list, or does not answer.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let settings = session.settings(&session.repo())?;
    if !models::has_models(&settings) {
        let fault = Fault::new(
            Kind::Config,
            format!("provider `{}` has no models to list", settings.llm.provider),
        );
        return Err(fault.hint("`--set llm.provider=openrouter` asks another").into());
    }
    let listing = models::listing(session, &settings, request.refresh)?;
    let wanted = request.filter.as_deref().unwrap_or_default().to_lowercase();
    let total = listing.models.len();
    Ok(Outcome {
        provider: settings.llm.provider,
        endpoint: settings.llm.base_url,
        listed_at: listing.at.rfc3339(),
        age_seconds: session.clock.now().since(listing.at).as_secs(),
        total,
        models: listing
            .models
            .into_iter()
            .filter(|model| model.id.to_lowercase().contains(&wanted))
            .map(Row::from)
            .collect(),
    })
}
