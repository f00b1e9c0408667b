//! `merge`: lands candidates whose checks pass on the merged code.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        run::{self, GoalResult},
        session::Session,
        shift::{self, Progress},
        worker::Worker,
    },
    facts::Facts,
    fault::{Fault, Kind},
    id::GoalId,
    quote::quoted,
    schedule::{self, State},
};

/// Which candidates to land.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only these, held ones included: naming one approves it; all that nobody holds where empty.
    pub only: Vec<GoalId>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each candidate, in order.
    pub goals: Vec<GoalResult>,
    /// Candidates that wait to be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<GoalId>,
    /// Why results wait beside the branch, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.merge/1";

    fn kind(&self) -> Option<Kind> {
        let any = |is: fn(State) -> bool| self.goals.iter().any(|result| is(result.state));
        if any(is_unfinished) {
            Some(Kind::Unfinished)
        } else if any(|state| state == State::Held) {
            Some(Kind::Person)
        } else {
            None
        }
    }
}

/// True for what became of a candidate that did not land: it failed, or was thrown out of the queue.
pub fn is_unfinished(state: State) -> bool {
    matches!(state, State::Failed | State::Parked | State::Ready)
}

/// Lands.
///
/// # Errors
/// A fault for a goal without candidate, or when the repository cannot be used.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let mut worker = Worker::open(session)?;
    for id in &request.only {
        refuse_unfit(&worker.facts, id)?;
    }
    worker.begin()?;
    let (mut goals, mut worked) = (Vec::new(), Ok(()));
    if !worker.facts.candidates.is_empty() || worker.owes()? {
        worker.know_base()?;
        worker.land_again()?;
        let order = run::Order {
            only: request.only.clone(),
            max: Some(0),
            approve: true,
            ..run::Order::default()
        };
        let mut progress = Progress::default();
        worked = shift::work(&mut worker, &order, &mut progress);
        goals = progress.results;
    }
    // What landed is saved whatever cut it short.
    let followed = worker.finish();
    worked?;
    let beside = followed?;
    let waits = |id: &&GoalId| goals.iter().all(|result: &GoalResult| result.goal != **id);
    let held = worker
        .facts
        .candidates
        .iter()
        .filter(|(_, candidate)| candidate.held.is_some());
    let held = held.map(|(id, _)| id).filter(waits).cloned().collect();
    Ok(Outcome { goals, held, beside })
}

/// Refuses a named goal of which nothing can land, with what to do about it.
fn refuse_unfit(facts: &Facts, id: &GoalId) -> Result<(), Fault> {
    let typed = quoted(id.as_str());
    if facts.landed.contains(id) {
        let fault = Fault::new(Kind::Error, format!("goal {id} has landed already"));
        return Err(fault.hint(format!("`git invisigoth show {typed}`")));
    }
    if !facts.goals.contains_key(id) {
        return Err(run::unknown_goal(facts, id));
    }
    let Some(candidate) = facts.candidates.get(id) else {
        let fault = Fault::new(Kind::Error, format!("goal {id} has no candidate"));
        return Err(fault.hint(format!("`git invisigoth run {typed}` makes one")));
    };
    if candidate.outdated {
        let why = format!("the candidate of goal {id} answers an older wording of it");
        let fault = Fault::new(Kind::Person, why);
        return Err(fault.hint(format!("`git invisigoth run {typed}` makes a new one")));
    }
    if let Some((State::Blocked, why)) = schedule::state(facts, id) {
        let fault = Fault::new(Kind::Person, format!("goal {id} is blocked: {why}"));
        return Err(fault.hint(format!("`git invisigoth show {typed}`")));
    }
    Ok(())
}
