//! Models: what the endpoint can be asked for, its context and prices, kept for a day in the user's cache.
//!
//! Owns the cached list. Decides nothing by it: what an unknown price means is for those who ask.

use std::{path::PathBuf, result::Result as StdResult, time::Duration};

use eyre::Result;
use serde::{Deserialize, Serialize};

use crate::{
    door::fs,
    engine::{
        asking::{open_provider, provider_fault},
        session::Session,
        tariffs,
    },
    id::Hash,
    money::Prices,
    provider::{Model, Provider, ProviderError},
    settings::Settings,
    time::Moment,
};

/// How long a list is taken for true.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// A list, and when the endpoint gave it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Listing {
    /// When.
    pub at: Moment,
    /// In the endpoint's order.
    pub models: Vec<Model>,
}

impl Listing {
    /// Returns the model called `id`. Ollama leaves `:latest` out where people name a model.
    pub fn find(&self, id: &str) -> Option<&Model> {
        let latest = format!("{id}:latest");
        let exact = self.models.iter().find(|model| model.id == id);
        exact.or_else(|| self.models.iter().find(|model| model.id == latest))
    }
}

/// Lists the models that the settings' endpoint has: from the cache where that is at most a day old, else, or where
/// `fresh`, from the endpoint. Costs nothing.
///
/// # Errors
/// A fault where the endpoint must be asked and does not answer.
pub fn listing(session: &Session, settings: &Settings, fresh: bool) -> Result<Listing> {
    let now = session.clock.now();
    if !fresh
        && let Some(kept) = kept(session, settings)
        && kept.at <= now
        && now.since(kept.at) <= FRESH
    {
        return Ok(kept);
    }
    let provider = open_provider(session, &settings.llm)?;
    ask(session, settings, provider.as_ref()).map_err(|error| provider_fault(&error).into())
}

/// Asks `provider`, which the settings name, and keeps what it says.
///
/// # Errors
/// As `Provider::models`.
pub fn ask(session: &Session, settings: &Settings, provider: &dyn Provider) -> StdResult<Listing, ProviderError> {
    let mut models = provider.models(&session.stop)?;
    for model in &mut models {
        model.id = session.redactor.clean(&model.id).into_string();
    }
    let listing = Listing {
        at: session.clock.now(),
        models,
    };
    if !listing.models.is_empty() {
        keep(session, settings, &listing);
    }
    Ok(listing)
}

/// Returns the list that is kept, however old; asks nobody.
pub fn kept(session: &Session, settings: &Settings) -> Option<Listing> {
    let text = fs::read_text(&file(session, settings)?).ok()??;
    serde_json::from_str(&text).ok()
}

/// Returns what the list that is kept says of a model, however old it is; asks nobody.
fn find(session: &Session, settings: &Settings, model_id: &str) -> Option<Model> {
    kept(session, settings)?.find(model_id).cloned()
}

/// Returns the prices of a model: the settings', else those of the list that is kept.
pub fn prices(session: &Session, settings: &Settings, model_id: &str) -> Prices {
    match Prices::of(&settings.llm, model_id) {
        Prices::Unknown => find(session, settings, model_id).map_or(Prices::Unknown, |model| model.prices),
        known => known,
    }
}

/// A list that cannot be kept is asked for again.
fn keep(session: &Session, settings: &Settings, listing: &Listing) {
    if let Some(file) = file(session, settings)
        && let Some(folder) = file.parent()
        && let Ok(text) = serde_json::to_vec(listing)
    {
        let _ = fs::create_dir_all(folder).and_then(|()| fs::write_atomic(&file, &text));
    }
}

/// One file an endpoint; `None` without a cache folder, and for providers that list nothing.
fn file(session: &Session, settings: &Settings) -> Option<PathBuf> {
    let llm = &settings.llm;
    if !has_models(settings) {
        return None;
    }
    let url = llm.base_url.trim().trim_end_matches('/');
    let name = Hash::of("models", [llm.provider.as_bytes(), url.as_bytes()]).short(16);
    Some(session.env.cache_home()?.join(format!("invisigoth/models/{name}.json")))
}

/// True where the provider is one that has models to list.
pub fn has_models(settings: &Settings) -> bool {
    !tariffs::is_scripted(&settings.llm)
}
