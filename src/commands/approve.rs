//! `approve`: a person agrees to goals that were proposed, or that were rejected before.

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

/// What was approved.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each goal, as named.
    pub goals: Vec<Steered>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.approve/1";
}

/// Makes proposed and rejected goals pending; all of them or none.
///
/// # Errors
/// A fault for a goal that is neither, or when the backlog cannot be read or written.
pub fn run(session: &Session, ids: &[GoalId]) -> Result<Outcome> {
    let goals = steering::decide(session, ids, agreed)?;
    Ok(Outcome { goals })
}

fn agreed(met: &Met<'_>) -> Result<Decided, Fault> {
    let reason = match met.state {
        // Why it was proposed is why it is done.
        State::Proposed => Reason::Keep,
        State::Rejected => Reason::Clear,
        _ => return Err(met.misfit("only proposed and rejected goals are approved")),
    };
    Ok(Decided {
        decision: Decision::Pending,
        reason,
    })
}
