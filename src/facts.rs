//! Facts: what refs, the tip's memory files and trailers say. State is computed from them (`schedule/`), never stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    goal::Decision,
    id::{CommitId, GoalId},
};

/// What scheduling needs of an open goal. The rest of a goal is read when its turn comes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Open {
    /// One line for people.
    pub description: String,
    /// Goals that must have landed before.
    pub needs: Vec<GoalId>,
    /// A person's decision.
    pub decision: Decision,
    /// Why it was decided so.
    pub reason: Option<String>,
    /// Higher goes first.
    pub priority: i64,
    /// Keys that two sides set to different values, and no person has settled.
    pub conflict: Vec<String>,
}

/// How the newest attempt at a goal stands, as the attempts ref tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptFact {
    /// From 1.
    pub number: u32,
    /// How it stands.
    pub standing: Standing,
    /// One line: why it failed or pauses; empty otherwise.
    pub reason: String,
    /// True where the goal asks something else by now.
    pub outdated: bool,
    /// How many candidates of the goal were evicted, one after the other, up to this attempt.
    pub evictions: u32,
}

/// After so many evictions in a row a person has to look at a goal.
const PARKED: u32 = 3;

impl AttemptFact {
    /// True where the goal waits for a person, because none of its candidates landed.
    pub fn is_parked(&self) -> bool {
        self.standing == Standing::Evicted && self.evictions >= PARKED && !self.outdated
    }
}

/// Where an attempt is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Replies are recorded; its end is not.
    Open,
    /// It ended without a candidate.
    Failed,
    /// It had failed or paused, and a person said to try again.
    Retried,
    /// A cap on its goal keeps its next call from being made.
    Paused,
    /// Its checks passed, and its candidate did not go together with what landed meanwhile: the goal is to be tried again.
    Evicted,
}

/// A candidate branch: one commit on its base whose checks passed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The commit.
    pub commit: CommitId,
    /// Its parent.
    pub base: CommitId,
    /// The attempt that made it.
    pub attempt: u32,
    /// Why it waits for a person, if it does.
    pub held: Option<String>,
    /// True where the goal asks something else by now.
    pub outdated: bool,
}

/// Everything that state is computed from.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    /// The head of what has landed: of the target, or ahead of it while the checkout cannot follow.
    pub tip: Option<CommitId>,
    /// Open goals as the backlog at hand words them.
    pub goals: BTreeMap<GoalId, Open>,
    /// Goals that have landed.
    pub landed: BTreeSet<GoalId>,
    /// Candidates by goal.
    pub candidates: BTreeMap<GoalId, Candidate>,
    /// The newest attempt by goal.
    pub attempts: BTreeMap<GoalId, AttemptFact>,
    /// The goals that somebody works on: live runs of this clone, and who claimed one outside of runs.
    pub running: BTreeSet<GoalId>,
    /// Of those, the ones that are claimed outside of runs: by whom, until when. Nothing lands of them by itself.
    pub claimed: BTreeMap<GoalId, String>,
    /// How long goals take.
    pub durations: Durations,
}

/// How long goals take, as records and attempts tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Durations {
    /// How long the last attempt at an open goal took.
    pub of: BTreeMap<GoalId, Duration>,
    /// How long landed goals took, typically.
    pub typical: Option<Duration>,
    /// How long each goal took that landed lately, the shortest first.
    pub landed: Vec<Duration>,
}

impl Durations {
    /// Takes in how long another goal took.
    pub fn add(&mut self, took: Duration) {
        let at = self.landed.partition_point(|other| *other <= took);
        self.landed.insert(at, took);
    }
}

/// What can newly be known about the facts: our own moves, so that nothing need be read again.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A goal landed and the tip moved.
    Landed(GoalId, CommitId),
    /// A goal has a candidate.
    Candidate(GoalId, Candidate),
    /// An attempt stands so.
    Attempt(GoalId, AttemptFact),
}

impl Facts {
    /// Returns how many candidates of `id` were evicted in a row, as it is worded now.
    pub fn evictions(&self, id: &GoalId) -> u32 {
        let attempt = self.attempts.get(id).filter(|attempt| !attempt.outdated);
        attempt.map_or(0, |attempt| attempt.evictions)
    }

    /// True where a live run works on `id`.
    pub fn is_in_run(&self, id: &GoalId) -> bool {
        self.running.contains(id) && !self.claimed.contains_key(id)
    }

    /// True where a live run works on anything: its end may make other goals ready.
    pub fn has_run(&self) -> bool {
        self.running.iter().any(|id| self.is_in_run(id))
    }

    /// Takes in one move of our own. Reading everything again gives the same facts.
    pub fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Landed(goal, tip) => {
                self.tip = Some(tip);
                self.goals.remove(&goal);
                self.candidates.remove(&goal);
                self.attempts.remove(&goal);
                self.landed.insert(goal);
            }
            Fact::Candidate(goal, candidate) => {
                self.candidates.insert(goal, candidate);
            }
            Fact::Attempt(goal, attempt) => {
                self.candidates.remove(&goal);
                self.attempts.insert(goal, attempt);
            }
        }
    }
}
