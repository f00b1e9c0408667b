//! Schedule: the state of a goal and which goal goes next, computed from facts. Acts on nothing.

use std::{cmp::Reverse, fmt};

use serde::Serialize;

use crate::{
    facts::{AttemptFact, Facts, Open, Standing},
    goal::Decision,
    id::GoalId,
};

/// The state of a goal, as one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A live run works on it.
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
    /// A person said no.
    Rejected,
    /// It is part of the target.
    Landed,
}

impl State {
    /// Every state, in the order in which `status` lists them.
    pub const ALL: [Self; 9] = [
        Self::Running,
        Self::Candidate,
        Self::Ready,
        Self::Blocked,
        Self::Held,
        Self::Proposed,
        Self::Failed,
        Self::Rejected,
        Self::Landed,
    ];

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
    if facts.running.as_ref() == Some(id) {
        return Some((State::Running, String::new()));
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
    match open.decision {
        Decision::Proposed => "proposed",
        Decision::Rejected => "rejected",
        Decision::Held => "held",
        Decision::Pending if facts.running.as_ref() == Some(id) => "running",
        Decision::Pending if facts.candidates.contains_key(id) && !is_met(facts, open) => "blocked",
        Decision::Pending if facts.candidates.get(id).is_some_and(|c| c.held.is_some()) => "held",
        Decision::Pending if facts.candidates.contains_key(id) => "candidate",
        Decision::Pending if failed => "failed",
        Decision::Pending if paused(facts, id).is_some() => "paused",
        Decision::Pending if is_met(facts, open) => "ready",
        Decision::Pending => "blocked",
    }
}

/// Returns the goals that can start, in the order in which they should: priority, then id. A failed or paused goal can when
/// it is among those `told`: naming it is how a person says to try again.
pub fn ready<'f>(facts: &'f Facts, told: &[GoalId]) -> Vec<&'f GoalId> {
    // Most goals of a large backlog are blocked: they are told apart before anything is worded about them.
    let mut ready: Vec<(Reverse<i64>, &GoalId)> = facts
        .goals
        .iter()
        .filter(|(_, open)| is_met(facts, open))
        .filter(|(id, _)| match state(facts, id) {
            Some((State::Ready, _)) => true,
            // Blocked although all that it needs has landed: it pauses.
            Some((State::Failed | State::Blocked, _)) => told.contains(id),
            _ => false,
        })
        .map(|(id, open)| (Reverse(open.priority), id))
        .collect();
    ready.sort();
    ready.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Candidate, Fact};

    fn id(text: &str) -> GoalId {
        text.parse().unwrap()
    }

    fn facts(goals: &[(&str, &[&str])]) -> Facts {
        let open = |needs: &&[&str]| Open {
            needs: needs.iter().map(|n| id(n)).collect(),
            ..Open::default()
        };
        Facts {
            goals: goals.iter().map(|(name, needs)| (id(name), open(needs))).collect(),
            ..Facts::default()
        }
    }

    fn commit() -> crate::id::CommitId {
        "1".repeat(40).parse().unwrap()
    }

    #[test]
    fn only_landing_unblocks() {
        let mut facts = facts(&[("a", &[]), ("b", &["a"]), ("c", &["b", "x"])]);
        assert_eq!(ready(&facts, &[]), [&id("a")]);
        assert_eq!(
            state(&facts, &id("b")).unwrap(),
            (State::Blocked, "needs a (ready)".into())
        );
        assert_eq!(state(&facts, &id("c")).unwrap().1, "needs b (blocked), x (unknown)");
        let candidate = Candidate {
            commit: commit(),
            base: commit(),
            attempt: 1,
            held: None,
            outdated: false,
        };
        facts.learn(Fact::Candidate(id("a"), candidate));
        assert_eq!(state(&facts, &id("a")).unwrap().0, State::Candidate);
        assert!(ready(&facts, &[]).is_empty());
        facts.learn(Fact::Landed(id("a"), commit()));
        assert_eq!(ready(&facts, &[]), [&id("b")]);
        assert_eq!(state(&facts, &id("a")).unwrap().0, State::Landed);
    }

    #[test]
    fn a_failed_goal_waits_until_it_asks_something_else() {
        let mut facts = facts(&[("a", &[])]);
        let mut attempt = AttemptFact {
            number: 1,
            standing: Standing::Failed,
            reason: "test: exit 1".into(),
            outdated: false,
        };
        facts.learn(Fact::Attempt(id("a"), attempt.clone()));
        assert_eq!(state(&facts, &id("a")).unwrap(), (State::Failed, "test: exit 1".into()));
        assert!(ready(&facts, &[]).is_empty());
        assert_eq!(ready(&facts, &[id("a")]), [&id("a")]);
        attempt.outdated = true;
        facts.learn(Fact::Attempt(id("a"), attempt));
        assert_eq!(state(&facts, &id("a")).unwrap().0, State::Ready);
    }

    #[test]
    fn a_paused_goal_blocks_with_its_reason_and_runs_when_named() {
        let mut facts = facts(&[("a", &[]), ("b", &["a"])]);
        let attempt = AttemptFact {
            number: 1,
            standing: Standing::Paused,
            reason: "$0.42 of $0.50 spent".into(),
            outdated: true,
        };
        facts.learn(Fact::Attempt(id("a"), attempt));
        assert_eq!(
            state(&facts, &id("a")).unwrap(),
            (State::Blocked, "paused: $0.42 of $0.50 spent".into())
        );
        assert_eq!(state(&facts, &id("b")).unwrap().1, "needs a (paused)");
        assert!(ready(&facts, &[]).is_empty());
        assert_eq!(ready(&facts, &[id("a"), id("b")]), [&id("a")]);
    }

    #[test]
    fn priority_goes_first_then_the_id() {
        let mut facts = facts(&[("a", &[]), ("b", &[]), ("c", &[])]);
        facts.goals.get_mut(&id("c")).unwrap().priority = 1;
        assert_eq!(ready(&facts, &[]), [&id("c"), &id("a"), &id("b")]);
    }

    #[test]
    fn a_persons_decision_outranks_everything_but_landing() {
        let mut facts = facts(&[("a", &[])]);
        for (decision, word) in [
            (Decision::Held, State::Held),
            (Decision::Proposed, State::Proposed),
            (Decision::Rejected, State::Rejected),
        ] {
            facts.goals.get_mut(&id("a")).unwrap().decision = decision;
            assert_eq!(state(&facts, &id("a")).unwrap().0, word);
        }
    }
}
