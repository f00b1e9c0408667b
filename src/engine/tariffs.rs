//! Tariffs: what each model costs: by the user's settings, else by the provider's list, which is asked for once and only
//! where a cap in dollars needs it.
//!
//! Owns no arithmetic: that is `money`'s.

use crate::{
    engine::{
        models::{self, Listing},
        session::Session,
    },
    money::{Prices, tariff::Tariff},
    settings::{Budget, Llm, Settings},
};

/// What each model costs.
pub struct Tariffs {
    llm: Llm,
    listed: Option<Listing>,
}

impl Tariffs {
    /// Learns what models cost. `capped` says whether a goal has a cap in dollars of its own.
    pub fn of(session: &Session, settings: &Settings, capped: bool) -> Self {
        let llm = &settings.llm;
        let mut named = [&llm.model].into_iter().chain(&llm.fallback).chain(&llm.escalate);
        let listed = if named.all(|model| Prices::of(llm, model) != Prices::Unknown) {
            None
        } else if capped || dollars_are_capped(&settings.budget) {
            listed(session, settings)
        } else {
            models::kept(session, settings)
        };
        Self {
            llm: llm.clone(),
            listed,
        }
    }

    /// Learns what models cost as far as that is at hand; asks nobody.
    pub fn at_hand(session: &Session, settings: &Settings) -> Self {
        Self {
            llm: settings.llm.clone(),
            listed: models::kept(session, settings),
        }
    }

    /// Returns what a call costs that asks for `model`: any model that may answer instead may be the dearest.
    pub fn of_model(&self, model: &str) -> Tariff {
        let fallback = self.llm.fallback.iter().map(String::as_str);
        let prices = fallback
            .clone()
            .fold(self.price(model), |dearest, name| dearest.or(self.price(name)));
        let is_anthropic =
            |name: &str| self.llm.provider == "anthropic" || name.contains("anthropic/") || name.contains("claude");
        Tariff {
            prices,
            cache_writes: is_anthropic(model) || fallback.clone().any(is_anthropic),
        }
    }

    fn price(&self, model: &str) -> Prices {
        match Prices::of(&self.llm, model) {
            Prices::Unknown => {
                let listed = self.listed.as_ref().and_then(|listed| listed.find(model));
                listed.map_or(Prices::Unknown, |model| model.prices)
            }
            said => said,
        }
    }

    /// Returns the dearest prices of all models that the settings name.
    pub fn default(&self) -> Prices {
        let first = self.of_model(&self.llm.model).prices;
        self.llm
            .escalate
            .iter()
            .fold(first, |dearest, name| dearest.or(self.price(name)))
    }
}

/// True for a provider that sends nothing to anybody.
pub fn is_scripted(llm: &Llm) -> bool {
    matches!(llm.provider.as_str(), "mock" | "replay")
}

fn dollars_are_capped(budget: &Budget) -> bool {
    [budget.run, budget.day, budget.goal]
        .iter()
        .any(|caps| caps.usd.is_some())
}

/// A provider without a list is one whose prices are unknown.
fn listed(session: &Session, settings: &Settings) -> Option<Listing> {
    let listed = models::listing(session, settings, false);
    let said = |error: &eyre::Report| session.say(format!("the list of prices is not at hand: {error:#}"));
    listed
        .inspect_err(said)
        .ok()
        .or_else(|| models::kept(session, settings))
}
