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
        worker::Worker,
    },
    git::{codetree, commit, refs, tree},
    id::CommitId,
};

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
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.rebuild/1";
}

/// Unites them. Nothing is ever deleted.
///
/// # Errors
/// A fault when another run is at work, or a replica cannot be read.
pub fn run(session: &Session) -> Result<Outcome> {
    let mut worker = Worker::open(session)?;
    worker.begin()?;
    let repo = session.repo();
    let tip = worker.target.tip;
    let root = tree::of_commit(&repo, tip)?;
    let texts = recall::memory_texts(&repo, root, HISTORY, HISTORY_SEGMENTS)?;
    let notes_added = records::unite_notes(&repo, &texts, session.clock.now())?;
    let missing = records::missing_rows(&repo, tip, &BTreeSet::new())?;
    let lines: Vec<&str> = missing.iter().map(String::as_str).collect();
    let files = mirror(&land::memory_files(&repo, tip)?, &lines).map_err(|error| backlog_fault(&error))?;
    let mut made = None;
    if !missing.is_empty() {
        let memory = codetree::with_memory(&repo, codetree::strip(&repo, root)?, root, &files)?;
        let message = commit::Message {
            subject: "Rebuild history from notes".into(),
            ..commit::Message::default()
        };
        let commit = commit::memory_only(&repo, memory, &[tip], &message, session.clock.now())?;
        let (name, old) = worker.target.landing_ref();
        let set = refs::RefMove::Set {
            name,
            old,
            new: commit,
            why: message.subject,
        };
        if refs::swap(&repo, &[set])? == refs::Swap::Done {
            worker.target.moved(commit);
            made = Some(commit);
        }
    }
    worker.follow()?;
    Ok(Outcome {
        notes_added,
        rows_added: lines.len(),
        commit: made,
    })
}
