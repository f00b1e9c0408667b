//! `sync`: makes target, records and, where asked, attempts of this clone and a remote the same.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{provenance, remote::Through, session::Session, sync, worker::Worker},
    fault::{Fault, Kind},
    git::config,
    id::{CommitId, GoalId},
};

/// What to sync with.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The remote; where absent `sync.remote`, else the one that `git fetch` takes.
    pub remote: Option<String>,
    /// The attempts too.
    pub attempts: bool,
}

/// A goal that landed here, and lands anew on what the remote had.
#[derive(Debug, Serialize)]
pub struct Again {
    /// The goal.
    pub goal: GoalId,
    /// Why it does not fit any more, where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What came, and what went.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Shared {
    /// What this clone had not.
    pub came: usize,
    /// What the remote had not.
    pub went: usize,
}

/// What became of both.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The remote.
    pub remote: String,
    /// The branch that goals land on.
    pub target: String,
    /// What it is now, here and there.
    pub commit: Option<CommitId>,
    /// True where this clone had what the remote had not.
    pub pushed: bool,
    /// True where the remote had what this clone had not.
    pub pulled: bool,
    /// Goals that had landed apart.
    pub again: Vec<Again>,
    /// Records.
    pub records: Shared,
    /// Attempts, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Shared>,
    /// Why the result waits beside the branch, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.sync/1";

    fn kind(&self) -> Option<Kind> {
        let failed = self.again.iter().any(|again| again.refused.is_some());
        failed.then_some(Kind::Unfinished)
    }
}

/// Syncs.
///
/// # Errors
/// A fault when there is no remote, it cannot be reached or takes nothing, or a person must join what went apart.
pub fn run(session: &Session, request: Request) -> Result<Outcome> {
    let repo = session.repo();
    let name = request.remote.or(session.settings(&repo)?.sync.remote);
    let Some(name) = name.or_else(|| config::remote(&repo)) else {
        let fault = Fault::new(Kind::Config, "there is no remote to sync with");
        return Err(fault
            .hint("`git remote add origin URL`, or name one: `git invisigoth sync REMOTE`")
            .into());
    };
    let mut worker = Worker::open(session)?;
    let through = Through::open(
        session,
        &worker.repo,
        &name,
        (&worker.target.branch, provenance::is_told(&worker.settings)),
    )?;
    worker.begin()?;
    if worker.owes()? {
        worker.know_base()?;
        worker.land_again()?;
    }
    let synced = sync::sync(&mut worker, &through, request.attempts)?;
    let beside = worker.follow()?;
    let shared = |(came, went): (usize, usize)| Shared { came, went };
    let again = synced.joined.into_iter();
    Ok(Outcome {
        target: worker.target.branch.clone(),
        remote: name,
        commit: synced.target,
        pushed: synced.before.1 != synced.target,
        pulled: synced.before.0 != synced.target,
        again: again.map(|(goal, refused)| Again { goal, refused }).collect(),
        records: shared(synced.notes),
        attempts: request.attempts.then(|| shared(synced.attempts)),
        beside,
    })
}
