//! The queue: lands candidates that wait, one at a time, in the order in which their goals would run.

use std::cmp::Reverse;

use eyre::Result;

use crate::{
    engine::{
        land::{self, Approval},
        run::{self, GoalResult},
        worker::Worker,
    },
    facts::{Candidate, Fact},
    goal::Decision,
    id::GoalId,
    schedule::{self, State},
};

/// Lands the candidates of `only`, or all where empty. One that a person holds lands only when `only` names it: naming it
/// is the approval of exactly this candidate.
///
/// # Errors
/// When the repository cannot be read or written, or a check cannot be run.
pub fn drain(worker: &mut Worker<'_>, only: &[GoalId], results: &mut Vec<GoalResult>) -> Result<()> {
    let mut waiting: Vec<(Reverse<i64>, GoalId, Candidate)> = worker
        .facts
        .candidates
        .iter()
        .filter(|(id, candidate)| {
            !candidate.outdated && (only.contains(id) || only.is_empty() && candidate.held.is_none())
        })
        .filter(|(id, _)| {
            let open = worker.facts.goals.get(*id);
            open.is_some_and(|open| schedule::is_met(&worker.facts, open))
        })
        .filter(|(id, _)| match worker.facts.goals.get(*id).map(|open| open.decision) {
            Some(Decision::Pending) => true,
            // Naming a goal approves what holds it; it overrules no other decision.
            Some(Decision::Held) => only.contains(id),
            Some(Decision::Proposed | Decision::Rejected) | None => false,
        })
        .map(|(id, candidate)| {
            let priority = worker.facts.goals.get(id).map_or(0, |open| open.priority);
            (Reverse(priority), id.clone(), candidate.clone())
        })
        .collect();
    waiting.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    for (_, id, candidate) in waiting {
        let approval = if only.contains(&id) {
            Approval::Given
        } else {
            Approval::None
        };
        results.push(land_waiting(worker, id, &candidate, approval)?);
    }
    Ok(())
}

/// Lands a goal that had landed before, without saying so again; it fails where it does not fit any more.
///
/// # Errors
/// As `drain`.
pub fn land_anew(worker: &mut Worker<'_>, id: &GoalId) -> Result<()> {
    let Some(candidate) = worker.facts.candidates.get(id).cloned() else {
        return Ok(());
    };
    let stored = land::stored_for(&worker.repo, id, candidate.commit, candidate.attempt)?;
    match land::candidate(worker, id, candidate.commit, &stored, Approval::Given)? {
        land::Outcome::Held(..) => {}
        land::Outcome::Landed(..) => worker.facts.learn(Fact::Landed(id.clone(), worker.target.tip)),
        land::Outcome::Refused(why) => land::refuse(worker, id, (candidate.commit, candidate.attempt), &why)?,
    }
    Ok(())
}

fn land_waiting(worker: &mut Worker<'_>, id: GoalId, candidate: &Candidate, approval: Approval) -> Result<GoalResult> {
    let open = worker.facts.goals.get(&id);
    let description = open.map(|open| open.description.clone()).unwrap_or_default();
    let mut stored = land::stored_for(&worker.repo, &id, candidate.commit, candidate.attempt)?;
    if candidate.held.is_some() {
        stored.remark = Some(land::approved(stored.remark));
    }
    let (state, reason, commit) = match land::candidate(worker, &id, candidate.commit, &stored, approval)? {
        land::Outcome::Held(commit, why) => (State::Held, run::held(worker, &id, &description, &why), Some(commit)),
        land::Outcome::Landed(commit, checks) => {
            run::landed(worker, &id, commit, (&checks, stored.red_green), &description);
            (State::Landed, String::new(), Some(commit))
        }
        land::Outcome::Refused(why) => {
            land::refuse(worker, &id, (candidate.commit, candidate.attempt), &why)?;
            (State::Failed, why, None)
        }
    };
    Ok(GoalResult {
        goal: id,
        description,
        state,
        reason,
        commit,
    })
}
