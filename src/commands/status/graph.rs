//! `status --graph`: which goals need which, as it is drawn in a terminal, on a page and as JSON.

use std::collections::{HashMap, HashSet};

use eyre::Result;
use serde::Serialize;

use crate::{
    backlog::read::GoalHead,
    commands,
    engine::{
        recall::{self, Recalled},
        run::unknown_goal,
        session::Session,
        target::Target,
    },
    facts::Open,
    git::Repo,
    graph::part::{self, Choice, Node, Part},
    id::{CommitId, GoalId},
    schedule::{self, State},
};

/// What a drawing shows.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal that it is about, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focus: Option<GoalId>,
    /// The goals in the order in which they would run, and what is left out.
    #[serde(flatten)]
    pub part: Part,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.graph/1";
}

/// Reads what needs what: at most `most` goals. Changes nothing.
///
/// # Errors
/// A fault for a focus that is no goal; when the backlog or the repository cannot be read.
pub fn run(session: &Session, choice: &Choice, most: usize) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let mut nodes = open(&known);
    nodes.extend(landed(&repo, &known, (target.tip, choice))?);
    let Some(part) = part::choose(&nodes, choice, most) else {
        let id = choice.focus.iter().next();
        return Err(id.map_or_else(
            || eyre::eyre!("nothing can be drawn"),
            |id| unknown_goal(&known.facts, id).into(),
        ));
    };
    Ok(Outcome {
        focus: choice.focus.clone(),
        part,
    })
}

/// Returns open goals in the order in which they would run; those that cannot, after them.
fn open(known: &Recalled) -> Vec<Node> {
    let facts = &known.facts;
    let ready = schedule::ready(facts, &[]).into_iter().zip(1..);
    let positions: HashMap<&GoalId, usize> = ready.collect();
    let node = |(id, open): (&GoalId, &Open)| {
        let (state, _) = schedule::state(facts, id)?;
        Some(Node {
            id: id.clone(),
            description: open.description.clone(),
            state,
            needs: open.needs.clone(),
        })
    };
    let mut nodes: Vec<Node> = facts.goals.iter().filter_map(node).collect();
    nodes.sort_by_cached_key(|node| {
        let position = positions.get(&node.id).copied();
        (position.is_none(), position, node.id.clone())
    });
    nodes
}

/// Returns landed goals, the newest first. What they are about is read only where it is shown.
fn landed(repo: &Repo, known: &Recalled, (tip, choice): (CommitId, &Choice)) -> Result<Vec<Node>> {
    let landed = &known.facts.landed;
    let mut nodes: Vec<Node> = Vec::with_capacity(landed.len());
    let node = |id: &GoalId, description: String, needs: Vec<GoalId>| Node {
        id: id.clone(),
        description,
        state: State::Landed,
        needs,
    };
    if !choice.landed && choice.focus.is_none() {
        return Ok(landed.iter().map(|id| node(id, String::new(), Vec::new())).collect());
    }
    // Of a goal that was undone and landed again the last row counts.
    let completed = recall::landed_goals(repo, tip)?.into_iter().rev();
    let worded = completed.map(|goal| node(&goal.id, goal.description, goal.needs));
    let head = |(id, head): (&GoalId, GoalHead<'_>)| {
        let needs = head.dependencies.iter().filter_map(|need| need.parse().ok());
        node(id, head.description.to_string(), needs.collect())
    };
    let bare = landed.iter().map(|id| node(id, String::new(), Vec::new()));
    let mut seen = HashSet::new();
    for node in known.backlog.heads().map(head).chain(worded).chain(bare) {
        if landed.contains(&node.id) && seen.insert(node.id.clone()) {
            nodes.push(node);
        }
    }
    Ok(nodes)
}
