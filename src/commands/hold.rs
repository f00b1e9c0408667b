//! `hold`: a person wants goals to wait until they are released.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        session::Session,
        steering::{self, Decided, Met, Reason, Steered},
    },
    fault::Fault,
    goal::Decision,
    id::GoalId,
    schedule::State,
};

/// What to hold.
#[derive(Clone, Debug)]
pub struct Request {
    /// The goals.
    pub ids: Vec<GoalId>,
    /// Why, if that is said.
    pub why: Option<String>,
}

/// What is held.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each goal, as named.
    pub goals: Vec<Steered>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.hold/1";
}

/// Holds goals that are to be done; all of them or none. One that is held already gets another reason.
///
/// # Errors
/// A fault for a goal that nobody has agreed to, or when the backlog cannot be read or written.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let why = request.why.as_deref().map(str::trim).filter(|why| !why.is_empty());
    let goals = steering::decide(session, &request.ids, |met| held(met, why))?;
    Ok(Outcome { goals })
}

fn held(met: &Met<'_>, why: Option<&str>) -> Result<Decided, Fault> {
    match met.state {
        State::Proposed | State::Rejected => Err(met.misfit("it waits already")),
        State::Held if !met.is_held_by_paths() && why.is_none() => Err(met.misfit("it waits already")),
        _ => Ok(Decided {
            decision: Decision::Held,
            reason: why.map_or(Reason::Clear, |why| Reason::Set(why.to_owned())),
        }),
    }
}
