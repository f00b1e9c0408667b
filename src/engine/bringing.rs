//! Bringing: what a clone of CI needs of its remote before it can judge: candidates, attempts, records.
//!
//! Owns which refs those are. Takes over only what is not here yet; joining two histories of one ref is `sync`'s.

use std::{collections::BTreeMap, path::Path};

use eyre::Result;

use crate::{
    engine::{remote::MOST, session::Session},
    fault::{Fault, Kind},
    git::{
        Repo, command, history,
        refs::{self, RefMove},
    },
    id::{CommitId, GoalId},
};

/// What was brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Candidates that were not here, by ref.
    pub candidates: Vec<String>,
    /// Candidates of which another one is here, by ref: that one stands.
    pub differ: Vec<String>,
}

/// Brings what `remote` has and is not here: candidates as branches, attempts and records whole.
///
/// # Errors
/// A fault where the remote cannot be read; an error where refs cannot be written.
pub fn bring(session: &Session, repo: &Repo, remote: &str) -> Result<Brought> {
    let there = listed(session, repo, remote)?;
    let mut wanted = Vec::new();
    let mut moves = Vec::new();
    let mut brought = Brought::default();
    for (name, id) in there {
        let is_candidate = name.starts_with(refs::CANDIDATES);
        match refs::read(repo, &name)? {
            Some(here) if here == id => {}
            Some(_) if is_candidate => brought.differ.push(name),
            // Two that grew apart are joined by `sync`.
            Some(_) => {}
            None => {
                wanted.push(id.to_string());
                if is_candidate {
                    brought.candidates.push(name.clone());
                }
                moves.push(RefMove::Set {
                    name,
                    old: None,
                    new: id,
                    why: format!("invisigoth: from {remote}"),
                });
            }
        }
    }
    if wanted.is_empty() {
        return Ok(brought);
    }
    let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", remote];
    args.extend(wanted.iter().map(String::as_str));
    git(session, repo, &args)?;
    // Whoever made one of them meanwhile was first.
    refs::swap(repo, &moves)?;
    Ok(brought)
}

/// Takes away the candidates of `remote` that are part of `tip`, which is there already, or whose goals `landed` otherwise. What
/// the remote does not let go stays, and is said.
///
/// # Errors
/// A fault where the remote cannot be read.
pub fn forget(session: &Session, repo: &Repo, (remote, tip): (&str, CommitId), landed: &[GoalId]) -> Result<()> {
    let names: Vec<String> = landed.iter().map(refs::candidate_ref).collect();
    let mut gone = Vec::new();
    for (name, id) in listed(session, repo, remote)? {
        if name.starts_with(refs::CANDIDATES) && (names.contains(&name) || history::contains(repo, tip, id)?) {
            gone.push((name, id));
        }
    }
    for some in gone.chunks(MOST) {
        let leases = some.iter().map(|(name, id)| format!("--force-with-lease={name}:{id}"));
        let specs = some.iter().map(|(name, _)| format!(":{name}"));
        let mut args: Vec<String> = ["push", "--quiet"].map(str::to_owned).to_vec();
        args.extend(leases);
        args.extend(["--".to_owned(), remote.to_owned()]);
        args.extend(specs);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if let Err(error) = git(session, repo, &args) {
            session.say(format!("landed branches stay at {remote}: {error}"));
        }
    }
    Ok(())
}

/// Lists the refs of ours that `remote` has. Git also lists what only ends like them: that may be any ref, and is not ours.
fn listed(session: &Session, repo: &Repo, remote: &str) -> Result<BTreeMap<String, CommitId>> {
    let candidates = format!("{}*", refs::CANDIDATES);
    let said = git(
        session,
        repo,
        &[
            "ls-remote",
            "--refs",
            "--quiet",
            "--",
            remote,
            &candidates,
            refs::ATTEMPTS,
            refs::NOTES,
            refs::AUTHORSHIP,
        ],
    )?;
    let is_ours = |name: &str| {
        name.starts_with(refs::CANDIDATES) || [refs::ATTEMPTS, refs::NOTES, refs::AUTHORSHIP].contains(&name)
    };
    let pair = |line: &str| {
        let (id, name) = line.split_once('\t').filter(|(_, name)| is_ours(name))?;
        Some((name.to_owned(), id.parse().ok()?))
    };
    Ok(said.lines().filter_map(pair).collect())
}

/// Returns where git is to be started for a remote: one that is a path is meant from the top of the working tree.
pub fn place(repo: &Repo) -> &Path {
    repo.workdir().unwrap_or(repo.common_dir())
}

fn git(session: &Session, repo: &Repo, args: &[&str]) -> Result<String> {
    command::stdout(&session.env, place(repo), args).map_err(|error| {
        Fault::new(Kind::Error, session.redactor.clean(&error.to_string()).into_string())
            .hint("`git remote --verbose` lists the remotes")
            .into()
    })
}
