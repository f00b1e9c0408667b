//! Picking: which goals are about the program itself, and which of them are next.
//!
//! Reads the backlog; starts nothing.

use eyre::Result;

use crate::{
    backlog::Backlog,
    engine::{evolve::Order, queue, recall, run, session::Session, target::Target},
    facts::Facts,
    id::GoalId,
    schedule,
};

/// The label of goals about the program itself.
pub const LABEL: &str = "evolve";

/// Lists the goals that would be next, in order: those named, else those with the label where an open one has it, else all
/// that can start or land.
///
/// # Errors
/// A fault for one that is named and unknown; when the backlog cannot be read.
pub fn picks(session: &Session, order: &Order) -> Result<Vec<GoalId>> {
    next(session, order, has_labelled(session)?)
}

/// As `picks`, where it is known whether only goals with the label count.
///
/// # Errors
/// As `picks`.
pub fn next(session: &Session, order: &Order, labelled: bool) -> Result<Vec<GoalId>> {
    let (facts, backlog) = known(session)?;
    if let Some(unknown) = order.goals.iter().find(|id| schedule::state(&facts, id).is_none()) {
        return Err(run::unknown_goal(&facts, unknown).into());
    }
    if !order.goals.is_empty() {
        let open = order.goals.iter().filter(|id| !facts.landed.contains(id));
        return Ok(open.cloned().collect());
    }
    let candidates = queue::eligible(&facts, &[], &[]).map(|(id, _)| id);
    let able = candidates.chain(schedule::ready(&facts, &[]));
    let able = able.filter(|id| !labelled || is_labelled(&backlog, id));
    Ok(able.cloned().collect())
}

/// True where an open goal has the label.
///
/// # Errors
/// When the backlog cannot be read.
pub fn has_labelled(session: &Session) -> Result<bool> {
    let (facts, backlog) = known(session)?;
    Ok(facts.goals.keys().any(|id| is_labelled(&backlog, id)))
}

fn is_labelled(backlog: &Backlog, id: &GoalId) -> bool {
    let goal = backlog.get(id);
    goal.is_some_and(|goal| goal.labels.iter().any(|label| label == LABEL))
}

/// Reads facts and backlog.
///
/// # Errors
/// When they cannot be read.
pub fn known(session: &Session) -> Result<(Facts, Backlog)> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    Ok((known.facts, known.beside.unwrap_or(known.backlog)))
}
