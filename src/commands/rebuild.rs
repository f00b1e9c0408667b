//! `rebuild`: unites the two replicas of the records, notes and `history.json`.

use std::collections::HashMap;

use eyre::Result;
use serde::Serialize;

use crate::{
    backlog::{
        close::{HISTORY, HISTORY_SEGMENTS, mirror},
        history as rows,
    },
    commands,
    engine::{
        land,
        recall::{self, backlog_fault},
        session::Session,
        target,
        worker::Worker,
    },
    git::{Repo, codetree, commit, history, notes, refs, tree},
    id::{CommitId, Oid},
    record::Record,
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
    let notes_added = land::unite_notes(&repo, &texts, session.clock.now())?;
    let missing = missing_rows(session, &worker, &texts)?;
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

/// Returns the noted records of landed commits that no history file has, in order of landing.
fn missing_rows(session: &Session, worker: &Worker<'_>, texts: &[String]) -> Result<Vec<String>> {
    let repo = session.repo();
    let mut known = std::collections::BTreeSet::new();
    for text in texts {
        known.extend(
            rows::rows(text)
                .map_err(|error| backlog_fault(&error))?
                .into_iter()
                .map(str::to_owned),
        );
    }
    let noted: Vec<Oid> = notes::annotated(&repo, refs::NOTES)?;
    let lines = notes::lines_of_all(&repo, refs::NOTES, &noted)?;
    let mut missing = Vec::new();
    for (commit, lines) in noted.into_iter().zip(lines) {
        let reachable = history::contains(&repo, worker.target.tip, CommitId(commit))?;
        missing.extend(lines.into_iter().filter(|line| reachable && !known.contains(line)));
    }
    let ranks = ranks(&repo, worker.target.tip)?;
    // Within a second only history tells what came first.
    missing.sort_by_cached_key(|line| {
        serde_json::from_str::<Record>(line)
            .map(|record| (record.landed_at, ranks.get(&record.commit).copied()))
            .unwrap_or_default()
    });
    Ok(missing)
}

/// Numbers the commits that landed, the oldest first.
fn ranks(repo: &Repo, tip: CommitId) -> Result<HashMap<CommitId, usize>> {
    let landings = history::landings(repo, tip, usize::MAX)?;
    let members = landings.iter().rev().flat_map(target::members);
    Ok(members.enumerate().map(|(rank, (_, commit))| (commit, rank)).collect())
}
