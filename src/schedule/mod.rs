//! Schedule: the state of a goal and which goal goes next, computed from facts. Acts on nothing.

pub mod forecast;
pub mod night;
pub mod queue;
pub mod rank;
pub mod starts;

use std::{cmp::Reverse, fmt, time::Duration};

use serde::Serialize;

use crate::{
    facts::{AttemptFact, Facts, Open, Standing},
    goal::Decision,
    id::GoalId,
    schedule::rank::Ranks,
};

/// The state of a goal, as one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A live run works on it, or somebody claimed it.
    Running,
    /// Its checks passed; it has not landed yet.
    Candidate,
    /// It can start.
    Ready,
    /// It waits for other goals.
    Blocked,
    /// A person, or a path that needs one, holds it.
    Held,
    /// The planner's idea.
    Proposed,
    /// Its newest attempt did not get there.
    Failed,
    /// Its candidates did not go together with what landed, again and again.
    Parked,
    /// A person said no.
    Rejected,
    /// It is part of the target.
    Landed,
}

impl State {
    /// Every state, in the order in which `status` lists them.
    pub const ALL: [Self; 10] = [
        Self::Running,
        Self::Candidate,
        Self::Ready,
        Self::Blocked,
        Self::Held,
        Self::Proposed,
        Self::Failed,
        Self::Parked,
        Self::Rejected,
        Self::Landed,
    ];

    /// Returns its place in a list for people: what needs one comes first, then what runs, what waits, what is over.
    pub fn place(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Failed => 1,
            Self::Parked => 2,
            Self::Proposed => 3,
            Self::Running => 4,
            Self::Candidate => 5,
            Self::Ready => 6,
            Self::Blocked => 7,
            Self::Rejected => 8,
            Self::Landed => 9,
        }
    }

    /// Returns the word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Candidate => "candidate",
            Self::Ready => "ready",
            Self::Blocked => "blocked",
            Self::Held => "held",
            Self::Proposed => "proposed",
            Self::Failed => "failed",
            Self::Parked => "parked",
            Self::Rejected => "rejected",
            Self::Landed => "landed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Computes the state of `id` and why it is so; `None` for a goal that is not known.
pub fn state(facts: &Facts, id: &GoalId) -> Option<(State, String)> {
    if facts.landed.contains(id) {
        return Some((State::Landed, String::new()));
    }
    let open = facts.goals.get(id)?;
    let reason = || open.reason.clone().unwrap_or_default();
    match open.decision {
        Decision::Proposed => return Some((State::Proposed, reason())),
        Decision::Rejected => return Some((State::Rejected, reason())),
        Decision::Held => return Some((State::Held, reason())),
        Decision::Pending => {}
    }
    if facts.running.contains(id) {
        return Some((State::Running, facts.claimed.get(id).cloned().unwrap_or_default()));
    }
    if let Some(candidate) = facts.candidates.get(id).filter(|candidate| !candidate.outdated) {
        // What it was built on was taken back.
        let unmet = unmet(facts, &open.needs);
        return Some(match &candidate.held {
            _ if !unmet.is_empty() => (State::Blocked, unmet),
            Some(why) => (State::Held, why.clone()),
            None => (State::Candidate, String::new()),
        });
    }
    let attempt = facts.attempts.get(id);
    if let Some(failed) = attempt.filter(|attempt| attempt.standing == Standing::Failed && !attempt.outdated) {
        return Some((State::Failed, failed.reason.clone()));
    }
    if let Some(parked) = attempt.filter(|attempt| attempt.is_parked()) {
        let (times, why) = (parked.evictions, &parked.reason);
        return Some((State::Parked, format!("did not land {times} times: {why}")));
    }
    let unmet = unmet(facts, &open.needs);
    Some(if !unmet.is_empty() {
        (State::Blocked, unmet)
    } else if let Some(paused) = paused(facts, id) {
        (State::Blocked, format!("paused: {}", paused.reason))
    } else {
        (State::Ready, String::new())
    })
}

/// Returns the attempt that a cap on its goal keeps from going on; the money is spent, whatever the goal asks by now.
fn paused<'f>(facts: &'f Facts, id: &GoalId) -> Option<&'f AttemptFact> {
    let attempt = facts.attempts.get(id)?;
    (attempt.standing == Standing::Paused).then_some(attempt)
}

/// True where all that a goal depends on has landed.
pub fn is_met(facts: &Facts, open: &Open) -> bool {
    open.needs.iter().all(|need| facts.landed.contains(need))
}

/// Words the dependencies that have not landed: `needs goal-81c0 (ready)`; empty when all have.
fn unmet(facts: &Facts, needs: &[GoalId]) -> String {
    let open: Vec<String> = needs
        .iter()
        .filter(|id| !facts.landed.contains(*id))
        .map(|id| format!("{id} ({})", shallow_state(facts, id)))
        .collect();
    if open.is_empty() {
        String::new()
    } else {
        format!("needs {}", open.join(", "))
    }
}

/// The state of a dependency without looking at its own dependencies' states: a chain must not cost its length.
fn shallow_state(facts: &Facts, id: &GoalId) -> &'static str {
    let Some(open) = facts.goals.get(id) else {
        return "unknown";
    };
    let failed = facts
        .attempts
        .get(id)
        .is_some_and(|a| a.standing == Standing::Failed && !a.outdated);
    let parked = facts.attempts.get(id).is_some_and(AttemptFact::is_parked);
    let candidate = facts.candidates.get(id).filter(|candidate| !candidate.outdated);
    match open.decision {
        Decision::Proposed => "proposed",
        Decision::Rejected => "rejected",
        Decision::Held => "held",
        Decision::Pending if facts.running.contains(id) => "running",
        Decision::Pending if candidate.is_some() && !is_met(facts, open) => "blocked",
        Decision::Pending if candidate.is_some_and(|candidate| candidate.held.is_some()) => "held",
        Decision::Pending if candidate.is_some() => "candidate",
        Decision::Pending if failed => "failed",
        Decision::Pending if parked => "parked",
        Decision::Pending if paused(facts, id).is_some() => "paused",
        Decision::Pending if is_met(facts, open) => "ready",
        Decision::Pending => "blocked",
    }
}

/// Returns the goals that can start, in the order in which they should: priority, what most work waits for, then the id. A
/// failed, parked or paused goal can when it is among those `told`: naming it is how a person says to try again.
pub fn ready<'f>(facts: &'f Facts, told: &[GoalId]) -> Vec<&'f GoalId> {
    let mut ready: Vec<&GoalId> = unordered(facts, told).collect();
    if ready.len() > 1 {
        let ranks = Ranks::of_open(facts);
        ready.sort_by_cached_key(|id| urgency(facts, &ranks, id));
    }
    ready
}

fn unordered<'f>(facts: &'f Facts, told: &[GoalId]) -> impl Iterator<Item = &'f GoalId> {
    // Most goals of a large backlog are blocked: they are told apart before anything is worded about them.
    let met = facts.goals.iter().filter(|(_, open)| is_met(facts, open));
    met.map(|(id, _)| id).filter(|id| match state(facts, id) {
        Some((State::Ready, _)) => true,
        // Blocked although all that it needs has landed: it pauses.
        Some((State::Failed | State::Parked | State::Blocked, _)) => told.contains(id),
        _ => false,
    })
}

/// Returns what goals are ordered by, the most urgent first: priority, what most work waits for, then the id.
pub fn urgency(facts: &Facts, ranks: &Ranks, id: &GoalId) -> (Reverse<(i64, Duration)>, GoalId) {
    let priority = facts.goals.get(id).map_or(0, |open| open.priority);
    (Reverse((priority, ranks.of(id))), id.clone())
}

/// True where no attempt keeps the goal from being tried: it did not fail, nor is it parked, or it asks something else by now,
/// nor does it pause.
pub fn has_not_failed(facts: &Facts, id: &GoalId) -> bool {
    let has_failed =
        |attempt: &AttemptFact| attempt.standing == Standing::Failed && !attempt.outdated || attempt.is_parked();
    !facts.attempts.get(id).is_some_and(has_failed) && paused(facts, id).is_none()
}

#[cfg(test)]
mod tests;
