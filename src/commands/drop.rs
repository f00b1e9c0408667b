//! `drop`: takes goals out of the backlog, and their candidates with them. The attempts ref keeps what was tried.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        recall,
        rewrite::{self, Found},
        session::Session,
        steering,
    },
    facts::Facts,
    fault::{Fault, Kind},
    git::{
        advance,
        refs::{self, RefMove, Swap},
    },
    id::{CommitId, GoalId},
    quote::quoted,
    schedule::{self, State},
};

/// What to drop.
#[derive(Clone, Debug)]
pub struct Request {
    /// The goals.
    pub ids: Vec<GoalId>,
    /// Also every goal that needs one of them.
    pub cascade: bool,
}

/// One goal that is gone.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// Its state before; `None` where only its candidate was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<State>,
    /// The candidate that went with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<CommitId>,
    /// The branch that stays, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stays: Option<String>,
    /// True where a live run is working at it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub running: bool,
}

/// What is gone.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each goal, by id.
    pub goals: Vec<Row>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.drop/1";
}

/// Drops open goals; all of them or none. A live run that works at one looks again before it lands anything.
///
/// # Errors
/// A fault for a goal that is not open or that others need, or when the backlog cannot be read or written.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let dropped = rewrite::change(session, |found| {
        let facts = &found.known.facts;
        let mut gone: BTreeSet<GoalId> = BTreeSet::new();
        for id in &request.ids {
            refuse(found, id)?;
            gone.insert(id.clone());
        }
        let needing = needing(facts, &gone);
        if request.cascade {
            for id in needing {
                refuse(found, &id)?;
                gone.insert(id);
            }
        } else if let Some(fault) = needed(facts, &gone, &needing) {
            return Err(fault.into());
        }
        let rows: Vec<Row> = gone.iter().map(|id| row(facts, id)).collect();
        let gone: Vec<GoalId> = gone.into_iter().collect();
        Ok((found.known.backlog.without(&gone), rows))
    });
    let mut goals = steering::all_or_none(&request.ids, dropped)?;
    for row in &mut goals {
        take_away(session, row)?;
    }
    Ok(Outcome { goals })
}

/// What cannot be dropped: a goal that is not open. One whose row is gone but whose candidate is left can.
fn refuse(found: &Found, id: &GoalId) -> Result<(), Fault> {
    let known = &found.known;
    if !known.facts.goals.contains_key(id) {
        let is_left = known.facts.candidates.contains_key(id);
        return if is_left {
            Ok(())
        } else {
            Err(steering::not_open(&known.facts, id))
        };
    }
    let met = steering::meet_one(known, id)?;
    match met.was_taken_back.filter(|_| known.backlog.raw(id).is_none()) {
        None => Ok(()),
        Some(by) => {
            let by = by.short();
            let fault = Fault::new(
                Kind::Error,
                format!("goal {id} came back with commit {by} and has no row in the backlog yet"),
            );
            let id = quoted(id.as_str());
            Err(fault.hint(format!(
                "`git invisigoth reject {id} --why TEXT` gives it one that stays"
            )))
        }
    }
}

/// Returns all open goals outside of `gone` that need one of them, also by way of others.
fn needing(facts: &Facts, gone: &BTreeSet<GoalId>) -> Vec<GoalId> {
    let mut by_need: BTreeMap<&GoalId, Vec<&GoalId>> = BTreeMap::new();
    for (id, open) in &facts.goals {
        for need in &open.needs {
            by_need.entry(need).or_default().push(id);
        }
    }
    let mut found: BTreeSet<&GoalId> = BTreeSet::new();
    let mut next: Vec<&GoalId> = gone.iter().collect();
    while let Some(id) = next.pop() {
        for needing in by_need.get(id).into_iter().flatten() {
            if !gone.contains(*needing) && found.insert(needing) {
                next.push(needing);
            }
        }
    }
    found.into_iter().cloned().collect()
}

fn needed(facts: &Facts, gone: &BTreeSet<GoalId>, needing: &[GoalId]) -> Option<Fault> {
    let direct = |id: &&GoalId| {
        let open = facts.goals.get(*id);
        open.is_some_and(|open| open.needs.iter().any(|need| gone.contains(need)))
    };
    let names: Vec<&str> = needing.iter().filter(direct).map(GoalId::as_str).collect();
    if names.is_empty() {
        return None;
    }
    let ids: Vec<String> = gone.iter().map(|id| quoted(id.as_str())).collect();
    let (ids, names) = (ids.join(" "), names.join(", "));
    let fault = Fault::new(Kind::Error, format!("open goals need what would be dropped: {names}"));
    Some(fault.hint(format!(
        "`git invisigoth drop --cascade {ids}` drops {} too",
        match needing.len() {
            1 => "it".to_owned(),
            more => format!("all {more} that need it"),
        }
    )))
}

fn row(facts: &Facts, id: &GoalId) -> Row {
    let open = facts.goals.get(id);
    Row {
        goal: id.clone(),
        description: open.map(|open| open.description.clone()).unwrap_or_default(),
        before: schedule::state(facts, id).map(|(state, _)| state),
        candidate: facts.candidates.get(id).map(|candidate| candidate.commit),
        stays: None,
        running: facts.running.contains(id),
    }
}

/// Deletes the goal's candidate, unless it is a person's by now.
fn take_away(session: &Session, row: &mut Row) -> Result<()> {
    let repo = session.repo();
    let name = refs::candidate_ref(&row.goal);
    let branch = name.trim_start_matches("refs/heads/").to_owned();
    let stays = |why: &str| Some(format!("{branch}: {why}"));
    if recall::commits_of_people(&repo, &row.goal)?.is_some() {
        (row.candidate, row.stays) = (None, stays("it has commits of yours"));
        return Ok(());
    }
    let Some(old) = row.candidate else { return Ok(()) };
    if !advance::checkouts(&repo, &branch)?.is_empty() {
        (row.candidate, row.stays) = (None, stays("it is checked out"));
        return Ok(());
    }
    if refs::swap(&repo, &[RefMove::Delete { name, old }])? == Swap::Lost {
        (row.candidate, row.stays) = (None, stays("it moved meanwhile"));
    }
    Ok(())
}
