//! Estimate: what a run will probably cost, before anything is asked: by what goals cost that landed, else by prices at worst.
//!
//! Asks nobody: prices that are not at hand are unknown, and what is unknown is never said to be nothing.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;
use serde::Serialize;

use crate::{
    engine::{
        durations, recall,
        run::Order,
        session::Session,
        spending,
        target::Target,
        tariffs::{self, Tariffs},
    },
    facts::Facts,
    git::Repo,
    money::{Prices, ledger::Ledger},
    record::Record,
    schedule::forecast::{self, Forecast, Work},
    settings::Settings,
    time::eta::Eta,
};

/// What an estimate is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Goals that landed, and what failed beside them.
    Past,
    /// The prices of the models, each prompt and reply as long as it may be.
    Prices,
}

/// What a run will probably cost.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Estimate {
    /// Goals that it would start.
    pub goals: usize,
    /// Dollars, at least and at most; `null` where no price is known.
    pub usd: Option<[f64; 2]>,
    /// What that is told by.
    pub by: By,
    /// The lower cap of run and day in dollars; absent where neither has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap_usd: Option<f64>,
    /// How long it takes; absent where too few goals landed to tell.
    #[serde(rename = "eta_seconds", skip_serializing_if = "Option::is_none")]
    pub eta: Option<Eta>,
    /// From how many dollars on a person wants to be asked.
    #[serde(skip)]
    pub confirm: Option<f64>,
}

impl Estimate {
    /// Returns the most that it can cost, as far as that is known: no run passes its cap.
    pub fn most(&self) -> Option<f64> {
        let most = self.usd.map(|[_, most]| most);
        match (most, self.cap_usd) {
            (Some(most), Some(cap)) => Some(most.min(cap)),
            (most, cap) => most.or(cap),
        }
    }

    /// True where a person wants to be asked before.
    pub fn is_to_confirm(&self) -> bool {
        let is_more = |confirm: f64| self.most().is_none_or(|most| most > confirm);
        self.confirm.is_some_and(is_more)
    }
}

/// Estimates what `order` costs; `None` where it asks nobody, or nobody who wants money.
///
/// # Errors
/// When the repository or the backlog cannot be read.
pub fn of(session: &Session, order: &Order) -> Result<Option<Estimate>> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let settings = session.settings_at(&repo, Some(target.tip))?.settings;
    let confirm = settings.budget.confirm;
    let prices = Tariffs::at_hand(session, &settings).default();
    if prices == Prices::Free || tariffs::is_scripted(&settings.llm) && confirm.is_none() {
        return Ok(None);
    }
    let mut facts = recall::read(session, &repo, &target)?.facts;
    let records = durations::records(&repo, target.tip)?;
    facts.durations = durations::of(&records);
    let Forecast { starts, eta, .. } = whole(session, &facts, &settings, order);
    if starts == 0 {
        return Ok(None);
    }
    let past = each(&records, &settings).map(|[least, most]| [least, most * lost(session, &repo, &facts)]);
    let by = if past.is_some() { By::Past } else { By::Prices };
    let each = past.or_else(|| at_worst(prices, &settings).map(|most| [0.0, most]));
    let caps = [settings.budget.run.usd, settings.budget.day.usd];
    Ok(Some(Estimate {
        goals: starts,
        usd: each.map(|each| each.map(|usd| usd * number(starts))),
        by,
        cap_usd: caps.into_iter().flatten().reduce(f64::min),
        eta,
        confirm,
    }))
}

fn whole(session: &Session, facts: &Facts, settings: &Settings, order: &Order) -> Forecast {
    let work = Work {
        now: session.clock.now(),
        in_hand: &BTreeMap::new(),
        tried: &BTreeSet::new(),
        only: &order.only,
        jobs: usize::try_from(settings.run.jobs).unwrap_or(1),
        room: order.max.unwrap_or(usize::MAX),
    };
    forecast::whole(facts, &work)
}

/// Returns what the middle half of goals cost that this provider's models landed; `None` where too few did.
fn each(records: &[Record], settings: &Settings) -> Option<[f64; 2]> {
    let is_of_it = |record: &&Record| record.provider == settings.llm.provider && !record.is_unasked();
    let mut all: Vec<f64> = records
        .iter()
        .filter(is_of_it)
        .filter_map(|record| record.cost_usd.filter(|usd| *usd > 0.0))
        .collect();
    all.sort_unstable_by(f64::total_cmp);
    let (least, most) = forecast::middle(&all).filter(|_| all.len() >= forecast::ENOUGH)?;
    Some([least, most])
}

/// Returns how many times as much was spent on all goals as on those that landed: failures cost, too.
fn lost(session: &Session, repo: &Repo, facts: &Facts) -> f64 {
    let ledger = spending::read(session, repo).unwrap_or_else(|_| Ledger::default());
    let landed: f64 = facts.landed.iter().map(|id| ledger.goal(id.as_str()).usd).sum();
    let all = ledger.since("").usd;
    if landed > 0.0 && all > landed {
        all / landed
    } else {
        1.0
    }
}

/// Returns what a goal costs that takes every round, each with the longest prompt and reply that are allowed.
fn at_worst(prices: Prices, settings: &Settings) -> Option<f64> {
    let reply = settings.llm.max_tokens.into();
    let round = prices.cost(settings.llm.context.into(), reply)?;
    Some(round * f64::from(settings.run.max_attempts))
}

/// Exact for every backlog.
fn number(goals: usize) -> f64 {
    f64::from(u32::try_from(goals).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(usd: Option<[f64; 2]>, cap_usd: Option<f64>, confirm: Option<f64>) -> Estimate {
        Estimate {
            goals: 3,
            usd,
            by: By::Past,
            cap_usd,
            eta: None,
            confirm,
        }
    }

    #[test]
    fn a_person_is_asked_where_it_may_cost_more_than_they_said() {
        let asked = |usd, cap, confirm| estimate(usd, cap, confirm).is_to_confirm();
        assert!(asked(Some([0.5, 2.0]), None, Some(1.0)));
        assert!(!asked(Some([0.5, 1.0]), None, Some(1.0)));
        assert!(!asked(Some([0.5, 2.0]), Some(1.0), Some(1.0)), "the cap holds");
        assert!(asked(None, None, Some(1.0)), "nobody knows");
        assert!(!asked(None, Some(0.5), Some(1.0)));
        assert!(!asked(Some([0.5, 2.0]), None, None), "nobody wants to be asked");
    }
}
