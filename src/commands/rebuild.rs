//! `rebuild`: unites the two replicas of the records, notes and `history.json`.

use std::collections::BTreeSet;

use eyre::Result;
use serde::Serialize;

use crate::{
    backlog::close::{HISTORY, HISTORY_SEGMENTS, mirror},
    commands,
    engine::{
        land,
        recall::{self, backlog_fault},
        records,
        session::Session,
        settle,
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::{commit::Message, tree},
    id::CommitId,
};

/// How often it is tried again because somebody else moved the target.
const TRIES: u32 = 5;

/// What was missing where.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Rows of `history.json` that had no note.
    pub notes_added: usize,
    /// Records that `history.json` did not have.
    pub rows_added: usize,
    /// The commit that added them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// Why it waits beside the branch, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.rebuild/1";
}

/// Unites them. Nothing is ever deleted.
///
/// # Errors
/// A fault when another run is at work, a replica cannot be read, or the target moves all the time.
pub fn run(session: &Session) -> Result<Outcome> {
    let mut worker = Worker::open(session)?;
    worker.begin()?;
    if worker.owes()? {
        worker.know_base()?;
        worker.land_again()?;
    }
    let mut outcome = Outcome {
        notes_added: 0,
        rows_added: 0,
        commit: None,
        beside: None,
    };
    for _ in 0..TRIES {
        if unite(&mut worker, &mut outcome)? {
            outcome.beside = worker.follow()?;
            return Ok(outcome);
        }
        worker.look_again()?;
    }
    Err(Fault::new(
        Kind::Busy,
        "the target moves all the time; `history.json` stays as it was",
    )
    .into())
}

/// Unites them by the target as it is; false where somebody else moved it meanwhile.
fn unite(worker: &mut Worker<'_>, outcome: &mut Outcome) -> Result<bool> {
    let (repo, tip, at) = (&worker.repo, worker.target.tip, worker.session.clock.now());
    let texts = recall::memory_texts(repo, tree::of_commit(repo, tip)?, HISTORY, HISTORY_SEGMENTS)?;
    outcome.notes_added += records::unite_notes(repo, &texts, at)?;
    records::heal_authorship(worker, &texts)?;
    let missing = records::missing_rows(repo, tip, &BTreeSet::new())?;
    if missing.is_empty() {
        return Ok(true);
    }
    let lines: Vec<&str> = missing.iter().map(String::as_str).collect();
    let files = mirror(&land::memory_files(repo, tip)?, &lines).map_err(|error| backlog_fault(&error))?;
    if files.is_empty() {
        return Ok(true);
    }
    let message = Message {
        subject: "Rebuild history from notes".into(),
        ..Message::default()
    };
    let Some(made) = settle::memory_commit(worker, &files, &message)? else {
        return Ok(false);
    };
    worker.target.moved(made);
    (outcome.rows_added, outcome.commit) = (missing.len(), Some(made));
    Ok(true)
}
