//! `list`: goals, one a line, by state.

use std::collections::BTreeSet;

use eyre::Result;
use serde::Serialize;

use crate::{
    backlog::Backlog,
    commands,
    engine::{recall, session::Session, target::Target},
    id::GoalId,
    schedule::{self, State},
};

/// Which goals.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only goals in these states; all open ones where empty.
    pub states: Vec<State>,
}

/// One goal.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its state.
    pub state: State,
    /// Why it is in its state.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Higher goes first.
    pub priority: i64,
    /// Free words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Goals that must land before, and have not.
    pub needs: Vec<GoalId>,
    /// Why a person, or the planner, wants it to stand so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Keys that two sides set to different values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflict: Vec<String>,
    /// True where it is in the inbox of this branch only, and not open yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// Its first line.
    pub description: String,
}

/// The goals, by id.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// One row each.
    pub goals: Vec<Row>,
    /// True where no state was asked for.
    #[serde(skip)]
    pub is_whole: bool,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.list/1";
}

/// Lists goals.
///
/// # Errors
/// A fault when the backlog or the repository cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read_here(session, &repo, &target)?;
    let wanted = |state: State| request.states.is_empty() || request.states.contains(&state);
    let drafts: BTreeSet<&GoalId> = known.drafts.ids().collect();
    let mut goals: Vec<Row> = known
        .facts
        .goals
        .iter()
        .filter_map(|(id, open)| {
            let (state, why) = schedule::state(&known.facts, id).filter(|(state, _)| wanted(*state))?;
            let is_decided = matches!(state, State::Proposed | State::Rejected | State::Held);
            Some(Row {
                goal: id.clone(),
                state,
                priority: open.priority,
                needs: open
                    .needs
                    .iter()
                    .filter(|need| !known.facts.landed.contains(*need))
                    .cloned()
                    .collect(),
                reason: Some(&why).filter(|why| is_decided && !why.is_empty()).cloned(),
                why,
                labels: labels(&known.backlog, id),
                conflict: open.conflict.clone(),
                draft: drafts.contains(id),
                description: open.description.clone(),
            })
        })
        .collect();
    if request.states.contains(&State::Landed) {
        let descriptions = recall::landed_descriptions(&repo, target.tip)?;
        goals.extend(known.facts.landed.iter().map(|id| Row {
            goal: id.clone(),
            state: State::Landed,
            why: String::new(),
            priority: 0,
            labels: Vec::new(),
            needs: Vec::new(),
            reason: None,
            conflict: Vec::new(),
            draft: false,
            description: descriptions.get(id).cloned().unwrap_or_default(),
        }));
    }
    Ok(Outcome {
        goals,
        is_whole: request.states.is_empty(),
    })
}

/// Reads the labels of a goal; most have none, and are not read whole.
fn labels(backlog: &Backlog, id: &GoalId) -> Vec<String> {
    let named = backlog.raw(id).is_some_and(|row| row.contains("\"labels\""));
    let goal = named.then(|| backlog.get(id)).flatten();
    goal.map(|goal| goal.labels).unwrap_or_default()
}
