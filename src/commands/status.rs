//! `status`: every open goal's state and why, and whether results wait beside the branch.

use std::collections::BTreeMap;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands::{self, budget},
    engine::{recall, session::Session, spending, target::Target},
    git::{Repo, advance},
    id::{CommitId, GoalId},
    schedule::{self, State},
    settings::Caps,
};

/// One goal.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its state.
    pub state: State,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Its first line.
    pub description: String,
}

/// What stands where.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The branch that goals land on.
    pub target: String,
    /// What is built upon.
    pub tip: CommitId,
    /// How many goals are in each state.
    pub counts: BTreeMap<&'static str, usize>,
    /// Open goals that are not merely ready or blocked first; then those, in the order in which they would run.
    pub goals: Vec<Row>,
    /// Why results wait beside the branch, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// What is spent of the caps on a run and a day, where there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<budget::Row>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.status/1";
}

/// Reads the state of every open goal. Changes nothing.
///
/// # Errors
/// A fault when the backlog or the repository cannot be read.
pub fn run(session: &Session) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    counts.insert(State::Landed.word(), known.facts.landed.len());
    let mut goals = Vec::with_capacity(known.facts.goals.len());
    for (id, open) in &known.facts.goals {
        let Some((state, reason)) = schedule::state(&known.facts, id) else {
            continue;
        };
        *counts.entry(state.word()).or_default() += 1;
        goals.push(Row {
            goal: id.clone(),
            state,
            reason,
            description: open.description.clone(),
        });
    }
    goals.sort_by(|a, b| (rank(a.state), &a.goal).cmp(&(rank(b.state), &b.goal)));
    let beside = beside(session, &repo, &target)?;
    let budget = spending(session, &repo, &target)?;
    Ok(Outcome {
        target: target.branch,
        tip: target.tip,
        counts,
        goals,
        beside,
        budget,
    })
}

fn spending(session: &Session, repo: &Repo, target: &Target) -> Result<Vec<budget::Row>> {
    let caps = session.settings_at(repo, Some(target.tip))?.settings.budget;
    if (caps.run, caps.day) == (Caps::default(), Caps::default()) {
        return Ok(Vec::new());
    }
    let ledger = spending::read(session, repo).wrap_err("reading the ledger of spending")?;
    let rows = budget::whole(session, &caps, &ledger);
    Ok(rows.into_iter().filter(|row| row.caps != Caps::default()).collect())
}

/// What needs a person comes first.
fn rank(state: State) -> usize {
    let order = [
        State::Held,
        State::Failed,
        State::Proposed,
        State::Running,
        State::Candidate,
        State::Ready,
        State::Blocked,
        State::Rejected,
    ];
    order.iter().position(|other| *other == state).unwrap_or(order.len())
}

fn beside(session: &Session, repo: &Repo, target: &Target) -> Result<Option<String>> {
    if !target.is_waiting() {
        return Ok(None);
    }
    for checkout in &target.checkouts {
        if let Some(why) = advance::waits(repo, &session.env, checkout, (target.head, target.tip))? {
            return Ok(Some(why));
        }
    }
    Ok(Some("the next `run` or `merge` brings them in".to_owned()))
}
