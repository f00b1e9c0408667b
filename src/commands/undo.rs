//! `undo`: takes landed goals out of the target again, checked like any landing; they come back as held.

use eyre::Result;
use serde::Serialize;

use crate::{
    check::CheckRow,
    commands,
    engine::{
        session::Session,
        undo::{self, Order},
        worker::Worker,
    },
    fault::Kind,
    id::{CommitId, GoalId},
};

/// What to undo.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The goals.
    pub ids: Vec<GoalId>,
    /// Landed goals that depend on them, too.
    pub cascade: bool,
    /// Why, in a person's words.
    pub why: Option<String>,
    /// End with 4 where there is nothing to do.
    pub exit_code: bool,
}

/// One goal that was taken out.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// The commit that was its work.
    pub commit: CommitId,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goals, in the order in which they were taken out.
    pub undone: Vec<Row>,
    /// Goals that had been taken back before, and by what.
    pub already: Vec<(GoalId, String)>,
    /// The commit that takes them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The checks of the code without them.
    pub checks: Vec<CheckRow>,
    /// True where people had changed all of it since, so that no code was left to take out.
    pub nothing_left: bool,
    /// Why the result waits beside the branch, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    #[serde(skip)]
    exit_code: bool,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.undo/1";

    fn kind(&self) -> Option<Kind> {
        (self.exit_code && self.undone.is_empty()).then_some(Kind::Nothing)
    }
}

/// Undoes.
///
/// # Errors
/// A fault for a goal that is unknown or never landed, where something stands in the way, or where the checks fail without
/// it; nothing was changed then.
pub fn run(session: &Session, request: Request) -> Result<Outcome> {
    let mut worker = Worker::open(session)?;
    let order = Order {
        ids: request.ids,
        cascade: request.cascade,
        why: request.why.map(|why| session.redactor.clean(why.trim()).into_string()),
    };
    undo::look(&worker, &order)?;
    worker.begin()?;
    if worker.owes()? {
        worker.know_base()?;
        worker.land_again()?;
    }
    let came = undo::undo(&mut worker, &order)?;
    let beside = worker.follow()?;
    let mut outcome = Outcome {
        undone: Vec::new(),
        already: came.already,
        commit: None,
        checks: Vec::new(),
        nothing_left: false,
        beside,
        exit_code: request.exit_code,
    };
    if let Some(done) = came.done {
        let rows = done.members.into_iter().map(|member| Row {
            goal: member.goal,
            description: member.description,
            commit: member.commit,
        });
        outcome.undone = rows.collect();
        (outcome.commit, outcome.checks) = (Some(done.commit), done.checks);
        outcome.nothing_left = done.nothing_left;
    }
    Ok(outcome)
}
