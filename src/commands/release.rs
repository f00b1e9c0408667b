//! `release`: goals that a person held, or that came back when their work was taken back, may be done again.

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

/// What was released.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each goal, as named.
    pub goals: Vec<Steered>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.release/1";
}

/// Releases held goals; all of them or none.
///
/// # Errors
/// A fault for a goal that no person holds, or when the backlog cannot be read or written.
pub fn run(session: &Session, ids: &[GoalId]) -> Result<Outcome> {
    let goals = steering::decide(session, ids, released)?;
    Ok(Outcome { goals })
}

fn released(met: &Met<'_>) -> Result<Decided, Fault> {
    if met.state != State::Held || met.is_held_by_paths() {
        return Err(met.misfit("only what a person holds is released"));
    }
    Ok(Decided {
        decision: Decision::Pending,
        // A row as the revert left it counts as held: this one must differ from it.
        reason: met.was_taken_back.map_or(Reason::Clear, |by| {
            Reason::Set(format!("released after commit {} took it back", by.short()))
        }),
    })
}
