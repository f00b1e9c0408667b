//! `why`: why a goal is in its state, what it waits for, and what would settle it.

use std::collections::{BTreeSet, VecDeque};

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        live::{self, InHand},
        orders, recall, report, run,
        session::Session,
        target::Target,
    },
    facts::Facts,
    id::GoalId,
    schedule::{self, State},
};

/// Most goals that one waits for, directly or not, that are named.
const NAMED: usize = 50;

/// A goal that another one waits for.
#[derive(Debug, Serialize)]
pub struct Need {
    /// The goal.
    pub goal: GoalId,
    /// Its state.
    pub state: State,
    /// Why it is so.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The command that settles it, where a person is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Why a goal is in its state.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// Its state.
    pub state: State,
    /// Why it is so; empty where the state says all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Its place in the order in which ready goals run, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// Every open goal that it waits for, also through others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<Need>,
    /// True where only a person's decision lets it go on.
    pub needs_person: bool,
    /// What would settle it, in words.
    pub settled_by: String,
    /// The command that settles it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// True where every run was told to pause.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.why/1";
}

/// Says why goal `id` is in its state.
///
/// # Errors
/// A fault for an unknown goal, or when the backlog or the repository cannot be read.
pub fn run(session: &Session, id: &GoalId) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let facts = recall::read_here(session, &repo, &target)?.facts;
    let Some((state, mut reason)) = schedule::state(&facts, id) else {
        return Err(run::unknown_goal(&facts, id).into());
    };
    if state == State::Running && reason.is_empty() {
        let runs = live::read(session, &repo)?;
        let hand = runs.iter().find_map(|run| run.at(id)).map(InHand::words);
        reason = hand.unwrap_or_default();
    }
    let description = match facts.goals.get(id) {
        Some(open) => open.description.clone(),
        None => recall::landed_descriptions(&repo, target.tip)?
            .remove(id)
            .unwrap_or_default(),
    };
    let waits_for = if state == State::Landed {
        Vec::new()
    } else {
        needs(&facts, id)
    };
    let next = next(&facts, id, state);
    Ok(Outcome {
        goal: id.clone(),
        description,
        settled_by: settled_by(&facts, (id, state), &waits_for),
        position: schedule::ready(&facts, &[])
            .into_iter()
            .position(|ready| ready == id)
            .map(|nth| nth + 1),
        needs_person: is_a_person_s(state),
        waits_for,
        state,
        reason,
        next,
        paused: orders::paused(session, &repo).is_some(),
    })
}

fn next(facts: &Facts, id: &GoalId, state: State) -> Option<String> {
    let decision = facts.goals.get(id)?.decision;
    report::next(state, decision, id)
}

fn is_a_person_s(state: State) -> bool {
    matches!(
        state,
        State::Held | State::Proposed | State::Failed | State::Parked | State::Rejected
    )
}

/// Follows what has not landed of what a goal needs, the nearest first.
fn needs(facts: &Facts, id: &GoalId) -> Vec<Need> {
    let mut seen = BTreeSet::from([id.clone()]);
    let mut queue = VecDeque::from([id.clone()]);
    let mut found = Vec::new();
    while let Some(at) = queue.pop_front() {
        let open = facts.goals.get(&at);
        let needs = open.map(|open| open.needs.as_slice()).unwrap_or_default();
        for need in needs.iter().filter(|need| !facts.landed.contains(*need)) {
            if found.len() == NAMED || !seen.insert(need.clone()) {
                continue;
            }
            let Some((state, reason)) = schedule::state(facts, need) else {
                continue;
            };
            found.push(Need {
                goal: need.clone(),
                next: next(facts, need, state),
                state,
                reason,
            });
            queue.push_back(need.clone());
        }
    }
    found
}

fn settled_by(facts: &Facts, (id, state): (&GoalId, State), waits_for: &[Need]) -> String {
    let words = match state {
        State::Ready => "the next run starts it, or somebody who claims it",
        State::Running if facts.claimed.contains_key(id) => {
            "it is handed in by `git invisigoth adopt`, or its claim ends"
        }
        State::Running => "the run that is at work at it",
        State::Candidate => "the next run lands it, or `git invisigoth merge`",
        State::Landed => "it has landed",
        State::Held | State::Proposed | State::Failed | State::Parked => "a person decides",
        State::Rejected => "nothing: a person said no",
        State::Blocked => {
            return match waits_for.iter().find(|need| is_a_person_s(need.state)) {
                Some(need) => format!("a person decides about {}, which it waits for", need.goal),
                None if waits_for.is_empty() => "a person raises the cap".to_owned(),
                None => "what it waits for lands".to_owned(),
            };
        }
    };
    words.to_owned()
}
