//! Events: what a run says while it goes. The engine emits them; faces draw them and the journal keeps them.

use serde::Serialize;

use crate::{
    check::CheckRow,
    fault::Fault,
    id::{CommitId, GoalId},
    secret::Clean,
    time::{Moment, eta::Ends},
};

/// One thing that happened. Text in it is `Clean` or made of checked ids.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The base is being checked before the first paid call.
    Baseline {
        /// The commit.
        base: CommitId,
    },
    /// Work on a goal begins.
    Started {
        /// The goal.
        goal: GoalId,
        /// Its first line.
        description: String,
    },
    /// A model is asked.
    Asked {
        /// The goal.
        goal: GoalId,
        /// From 1.
        round: u32,
        /// Size of the prompt.
        bytes: usize,
    },
    /// A model is asked for goals.
    Planning {
        /// How many.
        count: u32,
        /// From 1.
        round: u32,
        /// Size of the prompt.
        bytes: usize,
    },
    /// A plan was judged.
    Planned {
        /// Goals that are in the backlog now.
        goals: usize,
        /// Proposals that are not.
        refused: usize,
        /// True where a person must approve them.
        proposed: bool,
    },
    /// A reply could not be used; the reason goes back to the model.
    Refused {
        /// The goal.
        goal: GoalId,
        /// From 1.
        round: u32,
        /// The first line of the reason.
        why: String,
    },
    /// A gate ran on the goal's code tree.
    Checked {
        /// The goal.
        goal: GoalId,
        /// From 1.
        round: u32,
        /// Each command.
        checks: Vec<CheckRow>,
        /// Absent where all passed.
        why: Option<String>,
    },
    /// A goal's candidate became part of the target.
    Landed {
        /// The goal.
        goal: GoalId,
        /// Its first line.
        description: String,
        /// The candidate.
        commit: CommitId,
        /// The summary of its checks: `lint ok  test ok 4`.
        checks: String,
        /// Tests that fail on the base and pass now, where that was tried.
        #[serde(skip_serializing_if = "Option::is_none")]
        red_green: Option<usize>,
    },
    /// A goal's candidate does not go together with what landed meanwhile: it is worked on again, on the new head.
    Evicted {
        /// The goal.
        goal: GoalId,
        /// Its first line.
        description: String,
        /// The attempt that made the candidate, from 1.
        attempt: u32,
        /// Why it did not land.
        why: String,
        /// True where the next attempt runs alone.
        alone: bool,
    },
    /// None of a goal's candidates landed: a person must look at it.
    Parked {
        /// The goal.
        goal: GoalId,
        /// Its first line.
        description: String,
        /// Why, and what to type.
        why: String,
    },
    /// A goal was given up for now.
    Failed {
        /// The goal.
        goal: GoalId,
        /// Its first line.
        description: String,
        /// Why.
        why: String,
    },
    /// A goal's candidate waits for a person.
    Held {
        /// The goal.
        goal: GoalId,
        /// Its first line.
        description: String,
        /// Why.
        why: String,
    },
    /// A cap on a goal keeps its next call from being made.
    Paused {
        /// The goal.
        goal: GoalId,
        /// Its first line.
        description: String,
        /// Why, and what makes it go on.
        why: String,
    },
    /// A run that worked at something ended.
    Ended {
        /// Goals that landed.
        landed: usize,
        /// Goals that failed or are parked.
        failed: usize,
        /// Goals that wait for a person.
        held: usize,
        /// Goals that wait for others.
        waiting: usize,
        /// Model calls.
        calls: u64,
        /// Dollars; `null` where unknown.
        cost_usd: Option<f64>,
        /// Wall time.
        seconds: f64,
        /// Why it ended before its time, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        cut_short: Option<Fault>,
    },
    /// A run that goes on and on has nothing to do for now.
    Waiting {
        /// What it is about: `work`, `cap`, `provider` and the like.
        reason: &'static str,
        /// What for, and what ends it.
        why: Clean,
        /// When it ends by itself at the latest, RFC 3339 UTC.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// Something worth a line that concerns no single goal.
    Said {
        /// The line.
        line: Clean,
    },
}

/// Something that goes on now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnderWay {
    /// What it is about: one goal, several that are to land together, or none where it concerns the run itself.
    pub goals: Vec<GoalId>,
    /// The step, as `status` names it; empty where it is not known yet.
    pub step: &'static str,
    /// The round of the attempt, from 1.
    pub round: Option<u32>,
    /// When the step began.
    pub since: Option<Moment>,
    /// When it probably ends, all of it; absent where too little is known to tell.
    pub ends: Option<Ends>,
}

impl UnderWay {
    /// The step of what a whole run has ahead of it.
    pub const LEFT: &'static str = "left";
}

/// Where events go. Must not block for long and cannot fail: a face that is gone must not end a run.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: &Event);

    /// Takes all that goes on from now on, for faces that show it; whatever was shown before is over.
    fn show(&self, _under_way: &[UnderWay]) {}
}
