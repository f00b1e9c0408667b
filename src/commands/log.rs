//! `log`: what landed, the newest first, with its record. Below it `commits`: people's commits beside it.

pub mod commits;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{recall, session::Session, target},
    git::{Repo, history, notes, refs},
    id::{CommitId, GoalId, Oid},
    record::{Record, Undone},
};

/// How much to show.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// At most so many landings.
    pub max: usize,
}

/// One landed goal.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its commit.
    pub commit: CommitId,
    /// The commit's first line.
    pub subject: String,
    /// When it was committed, RFC 3339 UTC.
    pub at: String,
    /// When it was taken out again by `undo`, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<String>,
    /// What it took, as note or `history.json` tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// What landed.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The newest first.
    pub landed: Vec<Row>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.log/1";
}

/// Lists landings.
///
/// # Errors
/// When history cannot be read.
pub fn run(session: &Session, request: Request) -> Result<Outcome> {
    let repo = session.repo();
    let target = target::Target::read(session, &repo)?;
    let landings = history::landings(&repo, target.tip, request.max)?;
    let members = landings.iter().flat_map(target::members).collect();
    Ok(Outcome {
        landed: rows(&repo, target.tip, members)?,
    })
}

/// Returns a row for each goal that landed, in the order of `members`.
fn rows(repo: &Repo, tip: CommitId, members: Vec<(GoalId, CommitId)>) -> Result<Vec<Row>> {
    let wanted: Vec<Oid> = members.iter().map(|(_, commit)| commit.0).collect();
    let lines = notes::lines_of_all(repo, refs::NOTES, &wanted)?;
    // A clone brings history.json but no notes.
    let mirror = if lines.iter().any(Vec::is_empty) {
        recall::rows(repo, tip)?
    } else {
        Vec::new()
    };
    let mut landed = Vec::new();
    for ((goal, commit), lines) in members.into_iter().zip(lines) {
        let lines = if lines.is_empty() { &mirror } else { &lines };
        let record = record(lines, &goal, commit);
        let undone = lines.iter().filter_map(|line| Undone::of_line(line));
        let undone = undone
            .rev()
            .find(|undone| undone.goal == goal && undone.commit == commit);
        let entry = history::entry(repo, commit)?;
        landed.push(Row {
            goal,
            commit,
            subject: entry.subject().to_owned(),
            at: entry.at.rfc3339(),
            undone_at: undone.map(|undone| undone.undone_at),
            record,
        });
    }
    Ok(landed)
}

/// Finds the record of a goal's commit: the one about it, or after a rebase or squash the goal's newest.
fn record(lines: &[String], goal: &GoalId, commit: CommitId) -> Option<Record> {
    // Looking is cheaper than reading: a mirror has the records of all goals.
    let about = lines.iter().rev().filter(|line| line.contains(goal.as_str()));
    let records = about.filter_map(|line| serde_json::from_str(line).ok());
    let of_goal: Vec<Record> = records.filter(|record: &Record| record.goal == *goal).collect();
    let own = of_goal.iter().find(|record| record.commit == commit);
    own.or(of_goal.first()).cloned()
}
