//! `reject`: a person says no to goals. They stay in the backlog with the reason, so that they are not proposed again.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        session::Session,
        steering::{self, Decided, Reason, Steered},
    },
    fault::{Fault, Kind},
    goal::Decision,
    id::GoalId,
};

/// What to reject.
#[derive(Clone, Debug)]
pub struct Request {
    /// The goals.
    pub ids: Vec<GoalId>,
    /// Why.
    pub why: String,
}

/// What was rejected.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each goal, as named.
    pub goals: Vec<Steered>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.reject/1";
}

/// Rejects open goals, whatever their state; all of them or none.
///
/// # Errors
/// A fault for a goal that is not open, without a reason, or when the backlog cannot be read or written.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let why = request.why.trim();
    if why.is_empty() {
        return Err(Fault::new(Kind::Usage, "a goal is rejected for a reason")
            .hint("`git invisigoth reject ID --why TEXT`")
            .into());
    }
    let goals = steering::decide(session, &request.ids, |_| {
        Ok(Decided {
            decision: Decision::Rejected,
            reason: Reason::Set(why.to_owned()),
        })
    })?;
    Ok(Outcome { goals })
}
