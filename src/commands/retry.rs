//! `retry`: goals that failed or are parked become ready again as they are worded. The next attempt is a new one, and its
//! prompt says why the last one failed.

use eyre::{Result, eyre};
use serde::Serialize;

use crate::{
    commands,
    engine::{
        recall::Recalled,
        rewrite,
        session::Session,
        steering::{self, Met, Steered},
        stored::{self, Stored},
    },
    facts::Standing,
    fault::{Fault, Kind},
    git::Repo,
    id::GoalId,
    schedule::{self, State},
};

/// What to try again.
#[derive(Clone, Debug)]
pub struct Request {
    /// The goals; every one that has failed or is parked where empty.
    pub ids: Vec<GoalId>,
}

/// What may be tried again.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each goal, as named.
    pub goals: Vec<Steered>,
    /// The goal that a live run works at: that run tries none of `goals` any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<GoalId>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.retry/1";
}

/// Lets failed and parked goals be tried again; all of them or none.
///
/// # Errors
/// A fault for a goal that is neither, or when attempts cannot be read or written.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let retried = rewrite::change(session, |found| {
        let known = &found.known;
        let ids = match request.ids.as_slice() {
            [] => failed(known),
            ids => ids.to_vec(),
        };
        let met = steering::meet(known, &ids)?;
        let attempts: Vec<(u32, Stored)> = met
            .iter()
            .map(|met| failure(&found.repo, known, met))
            .collect::<Result<_>>()?;
        if !attempts.is_empty() {
            stored::retry(&found.repo, attempts, session.clock.now())?;
        }
        let mut facts = known.facts.clone();
        for met in &met {
            if let Some(attempt) = facts.attempts.get_mut(met.id) {
                attempt.standing = Standing::Retried;
            }
        }
        let outcome = Outcome {
            goals: met.iter().map(|met| steering::steered(&facts, met)).collect(),
            running: facts.running.first().cloned(),
        };
        Ok((known.backlog.clone(), outcome))
    });
    steering::all_or_none(&request.ids, retried)
}

fn failed(known: &Recalled) -> Vec<GoalId> {
    let is = |id: &&GoalId| {
        matches!(
            schedule::state(&known.facts, id),
            Some((State::Failed | State::Parked, _))
        )
    };
    known.facts.goals.keys().filter(is).cloned().collect()
}

/// Returns the attempt by which a goal has failed.
fn failure(repo: &Repo, known: &Recalled, met: &Met<'_>) -> Result<(u32, Stored)> {
    let id = met.id;
    if let Some(why) = met.pause {
        let (why, raise) = why.rsplit_once("; ").unwrap_or((why, ""));
        let fault = Fault::new(
            Kind::Budget,
            format!("goal {id} is paused: {why}; another try would pause again"),
        );
        return Err(fault.hint(format!("`{raise}` lets it go on")).into());
    }
    if !matches!(met.state, State::Failed | State::Parked) {
        return Err(met.misfit("only what has failed or is parked is tried again").into());
    }
    let attempt = known.facts.attempts.get(id);
    let number = attempt.map_or(0, |attempt| attempt.number);
    let stored = stored::read(repo, id, number)?.ok_or_else(|| eyre!("attempt {number} at {id} is gone"))?;
    Ok((number, stored))
}
