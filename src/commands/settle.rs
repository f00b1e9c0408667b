//! `settle`: brings the memory files in line with what people did to landed goals.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        mend::{self, Mended},
        session::Session,
        settle,
        worker::Worker,
    },
    fault::Kind,
    id::{CommitId, GoalId},
};

/// How to end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request {
    /// With 4 where there is nothing to do.
    pub exit_code: bool,
}

/// A goal, and the commit that says so.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// The commit.
    pub commit: CommitId,
}

/// What was settled.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// Goals that landed by people's commits.
    pub landed: Vec<Row>,
    /// Goals that people's commits took back; held now.
    pub taken_back: Vec<Row>,
    /// Landed goals whose rows had stayed in the backlog.
    pub stale: Vec<GoalId>,
    /// Records that `history.json` did not have.
    pub rows_added: usize,
    /// The commit that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// Why it waits beside the branch, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// Files that a merge had left with conflict markers, and that hold both sides now; nothing else was done then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mended: Vec<Mended>,
    #[serde(skip)]
    exit_code: bool,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.settle/1";

    fn kind(&self) -> Option<Kind> {
        (self.exit_code && self.commit.is_none() && self.mended.is_empty()).then_some(Kind::Nothing)
    }
}

/// Settles.
///
/// # Errors
/// A fault when another run is at work, or when the repository cannot be read or written.
pub fn run(session: &Session, request: Request) -> Result<Outcome> {
    let mended = mend::mend(session, &session.repo())?;
    if !mended.is_empty() {
        return Ok(Outcome {
            mended,
            ..Outcome::default()
        });
    }
    let mut worker = Worker::open(session)?;
    worker.begin()?;
    if worker.owes()? {
        worker.know_base()?;
        worker.land_again()?;
    }
    let settled = settle::settle(&mut worker)?;
    let beside = worker.follow()?;
    let rows = |all: Vec<(GoalId, CommitId)>| all.into_iter().map(|(goal, commit)| Row { goal, commit }).collect();
    Ok(Outcome {
        landed: rows(settled.landed),
        taken_back: rows(settled.taken_back),
        stale: settled.stale,
        rows_added: settled.rows_added,
        commit: settled.commit,
        beside,
        mended,
        exit_code: request.exit_code,
    })
}
