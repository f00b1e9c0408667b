//! Facts: what refs, the tip's memory files and trailers say. State is computed from them (`schedule/`), never stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    goal::Goal,
    id::{CommitId, GoalId},
};

/// How the last attempt at a goal stands, as the attempts ref tells.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AttemptFact {
    /// From 1.
    pub number: u32,
    /// `Goal::version` of what it worked on.
    pub version: String,
    /// How it stands.
    pub standing: Standing,
    /// Rounds so far.
    pub rounds: u32,
    /// One line: why it failed or is held; empty otherwise.
    pub reason: String,
}

/// Where an attempt is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Replies are recorded; checks have not passed yet.
    Open,
    /// It ended without a candidate.
    Failed,
    /// A person said to try again.
    Retry,
}

/// A candidate branch: one commit on its base whose checks passed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The commit.
    pub commit: CommitId,
    /// Its parent.
    pub base: CommitId,
    /// `Goal::version` that it answers.
    pub version: String,
    /// Why it waits for a person, if it does.
    pub held: Option<String>,
}

/// Everything that state is computed from.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The head of what has landed: of the target, or ahead of it while the checkout cannot follow.
    pub tip: Option<CommitId>,
    /// Open goals in file order, as the backlog at hand words them.
    pub goals: Vec<(GoalId, Goal)>,
    /// Goals that have landed.
    pub landed: BTreeSet<GoalId>,
    /// Candidates by goal.
    pub candidates: BTreeMap<GoalId, Candidate>,
    /// The newest attempt by goal.
    pub attempts: BTreeMap<GoalId, AttemptFact>,
    /// Goals that a live process works on here.
    pub claimed: BTreeSet<GoalId>,
}

/// What can newly be known about the facts: our own moves, so that nothing need be read again.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A goal landed and the tip moved.
    Landed(GoalId, CommitId),
    /// The tip moved without a landing.
    Tip(CommitId),
    /// A goal has a candidate.
    Candidate(GoalId, Candidate),
    /// An attempt stands so.
    Attempt(GoalId, AttemptFact),
}

impl Facts {
    /// Takes in one move of our own. Reading everything again must give the same facts.
    pub fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Landed(goal, tip) => {
                self.tip = Some(tip);
                self.goals.retain(|(id, _)| *id != goal);
                self.candidates.remove(&goal);
                self.landed.insert(goal);
            }
            Fact::Tip(tip) => self.tip = Some(tip),
            Fact::Candidate(goal, candidate) => {
                self.candidates.insert(goal, candidate);
            }
            Fact::Attempt(goal, attempt) => {
                self.attempts.insert(goal, attempt);
            }
        }
    }

    /// Returns the open goal `id`.
    pub fn goal(&self, id: &GoalId) -> Option<&Goal> {
        self.goals.iter().find(|(open, _)| open == id).map(|(_, goal)| goal)
    }
}
