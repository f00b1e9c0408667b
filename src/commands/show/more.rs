//! What `show --timeline` says besides: what a goal needs and what waits for it, what is done at it now, its notes as they
//! are, and what happened when.

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands::{
        logs,
        show::{
            Outcome,
            timeline::{self, Step, Told},
        },
    },
    engine::{
        live::{self, InHand},
        recall,
        session::Session,
        target::Target,
    },
    facts::Facts,
    git::{notes, refs},
    id::GoalId,
    schedule::{self, State},
};

/// Another goal.
#[derive(Debug, Serialize)]
pub struct Related {
    /// Its id.
    pub goal: GoalId,
    /// Its state; absent where nothing has that id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Its first line.
    pub description: String,
}

/// What is said besides.
#[derive(Debug, Default, Serialize)]
pub struct More {
    /// What it needs, landed or not.
    pub needs: Vec<Related>,
    /// Open goals that need it.
    pub unblocks: Vec<Related>,
    /// Its place in the order in which ready goals run, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// What a live run does at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doing: Option<InHand>,
    /// What a person can type next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The lines of the note on its commit, as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub note: Vec<String>,
    /// What happened, the oldest first; what goes on or waits comes last.
    pub timeline: Vec<Step>,
}

/// Reads it.
///
/// # Errors
/// When the repository or the journals cannot be read.
pub fn of(session: &Session, outcome: &Outcome) -> Result<More> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read_here(session, &repo, &target)?;
    let id = &outcome.id;
    let landed = recall::landed_descriptions(&repo, target.tip)?;
    let related = |id: &GoalId| Related {
        goal: id.clone(),
        state: schedule::state(&known.facts, id).map(|(state, _)| state),
        description: match known.facts.goals.get(id) {
            Some(open) => open.description.clone(),
            None => landed.get(id).cloned().unwrap_or_default(),
        },
    };
    let goal = outcome.goal.as_ref().or(outcome.asked.as_ref());
    let runs = live::read(session, &repo)?;
    let doing = runs.iter().find_map(|run| run.at(id)).cloned();
    let note = outcome.record.as_ref().map(|record| record.commit.0);
    let read = logs::about(session, id).wrap_err("reading the journals")?;
    let told = Told {
        outcome,
        lines: &read.lines,
        doing: doing.as_ref(),
    };
    Ok(More {
        needs: goal.map_or_else(Vec::new, |goal| goal.dependencies.iter().map(related).collect()),
        unblocks: unblocks(&known.facts, id).map(related).collect(),
        position: position(&known.facts, outcome),
        next: outcome.next(),
        note: note.map_or(Ok(Vec::new()), |commit| notes::lines(&repo, refs::NOTES, commit))?,
        timeline: timeline::of(&told),
        doing,
    })
}

fn unblocks<'f>(facts: &'f Facts, id: &'f GoalId) -> impl Iterator<Item = &'f GoalId> {
    let needing = facts.goals.iter().filter(move |(_, open)| open.needs.contains(id));
    needing.map(|(other, _)| other)
}

fn position(facts: &Facts, outcome: &Outcome) -> Option<usize> {
    let ready = (outcome.state == State::Ready).then(|| schedule::ready(facts, &[]))?;
    ready.into_iter().position(|id| *id == outcome.id).map(|at| at + 1)
}
