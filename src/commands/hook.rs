//! `hook`: what the scripts in `hooks/` hand over to. Writes notes only, never a file of the checkout nor the index; what is
//! to change more is started as a command of its own.

pub mod background;
pub mod push;
pub mod received;
pub mod staged;

use eyre::Result;
use serde::Serialize;

use crate::{
    backlog::close::{HISTORY, HISTORY_SEGMENTS},
    commands::{self, hooks::script},
    engine::{recall, records, session::Session},
    git::{
        Repo, commit, notes,
        refs::{self, Head},
        tree,
    },
    id::{CommitId, Oid},
    record::Line,
};

/// What git says to a hook.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The hook.
    pub name: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it reads.
    pub stdin: String,
}

/// What a hook did.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// The hook.
    pub hook: String,
    /// Staged files that were looked at.
    pub files_checked: usize,
    /// Rows of `history.json` that had no note.
    pub notes_added: usize,
    /// Lines that followed a commit to what it was rewritten to.
    pub notes_carried: usize,
    /// What else there is to say, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.hook/1";
}

/// Runs a hook. Where a git of ours fired it, it does nothing, but for `post-receive`: what pushed may be our own `sync`, on the
/// same machine.
///
/// # Errors
/// A fault for a hook that is not known, and where git is to be stopped: what is staged is broken, or may not be pushed. An error
/// when notes cannot be read or written.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let mut outcome = Outcome {
        hook: request.name.clone(),
        ..Outcome::default()
    };
    let is_ours = session.env.get("INVISIGOTH_CHILD").is_some();
    match request.name.as_str() {
        "post-receive" => outcome.said = received::follow(session, &repo, &request.stdin)?,
        name if is_ours && script::hook(name).is_some() => {}
        "pre-commit" => outcome.files_checked = staged::check(&repo)?,
        "post-commit" => outcome.said.extend(background::start(session, &repo)?),
        "post-merge" => {
            outcome.notes_added = note_history(session, &repo)?;
            outcome.said.extend(background::start(session, &repo)?);
        }
        "post-rewrite" => {
            outcome.notes_carried = carry(session, &repo, &request.stdin)?;
            outcome.notes_added = note_history(session, &repo)?;
        }
        "pre-push" => outcome.said = push::before(session, &repo, request)?,
        name => return Err(commands::hooks::unknown(name).into()),
    }
    Ok(outcome)
}

/// Notes the records that `history.json` of HEAD has: git does not fetch notes by itself.
fn note_history(session: &Session, repo: &Repo) -> Result<usize> {
    // Who only reads need not be named; `rebuild` says what is missing.
    if commit::check_identity(repo).is_err() {
        return Ok(0);
    }
    let (Head::Branch(_, Some(head)) | Head::Detached(head)) = refs::head(repo)? else {
        return Ok(0);
    };
    let texts = recall::memory_texts(repo, tree::of_commit(repo, head)?, HISTORY, HISTORY_SEGMENTS)?;
    records::unite_notes(repo, &texts, session.clock.now())
}

/// Notes on rewritten commits what was noted on the old ones, where git did not: it does so only where `notes.rewriteRef` says
/// so. `stdin` has a line `OLD NEW` for each.
fn carry(session: &Session, repo: &Repo, stdin: &str) -> Result<usize> {
    let pair = |line: &str| -> Option<(CommitId, CommitId)> {
        let mut words = line.split(' ');
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    let pairs: Vec<_> = stdin.lines().filter_map(pair).collect();
    let lines_of = |side: Vec<Oid>| notes::lines_of_all(repo, refs::NOTES, &side);
    let old = lines_of(pairs.iter().map(|(old, _)| old.0).collect())?;
    let new = lines_of(pairs.iter().map(|(_, new)| new.0).collect())?;
    let mut missing: Vec<(Oid, String)> = Vec::new();
    for (((_, to), old), new) in pairs.iter().zip(old).zip(new) {
        let is_record = |line: &String| serde_json::from_str::<Line>(line).is_ok();
        let wanted = old.into_iter().filter(|line| is_record(line) && !new.contains(line));
        missing.extend(wanted.map(|line| (to.0, line)));
    }
    if !missing.is_empty() {
        notes::add(repo, refs::NOTES, &missing, session.clock.now())?;
    }
    Ok(missing.len())
}
