//! Joining two targets that went apart: what landed here lands anew on what the remote has, checked, in one commit that
//! continues both.
//!
//! Owns what that commit holds. Moves no ref; the code of what it makes has passed the checks.

use std::collections::BTreeSet;

use eyre::Result;

use crate::{
    backlog::{
        close::{self, MemoryFiles, PENDING},
        merge as backlogs,
    },
    check::Verified,
    engine::{
        eviction::{self, Why},
        land, landed, recall, session, settle,
        target::members,
        worker::Worker,
    },
    git::{
        Repo, branch, codetree,
        codetree::MASTER_PROMPT,
        commit::Message,
        history::{self, LogEntry},
        merge::{self, Merge},
        refs::{self, Landing},
        tree,
    },
    id::{CommitId, GoalId},
    snapshot::CodeTree,
};

/// A goal that landed here, and why it does not fit on what the remote has, with its candidate.
pub(super) type Again = (GoalId, Option<(CommitId, Why)>);

/// What joining came to.
pub(super) enum Joined {
    /// A commit that continues both; and which goals landed anew.
    Made(CommitId, Vec<Again>),
    /// A person must join them; why.
    Apart(String),
}

/// What is joined.
struct Sides {
    ours: CommitId,
    theirs: CommitId,
    base: Option<CommitId>,
    /// What is here beyond the other side, the oldest first.
    own: Vec<LogEntry>,
    /// True where that can land anew, one after the other.
    is_landings: bool,
    /// What has landed there.
    landed: BTreeSet<GoalId>,
}

/// Joins the target here with `theirs`, which the remote `name` has.
///
/// # Errors
/// When the repository cannot be read or written, or a check cannot be run.
pub(super) fn join(worker: &mut Worker<'_>, (theirs, name): (CommitId, &str)) -> Result<Joined> {
    let (repo, ours) = (&worker.repo, worker.target.tip);
    let mut own = history::first_parents_since(repo, theirs, ours)?;
    own.reverse();
    let sides = Sides {
        ours,
        theirs,
        base: branch::bases(repo, theirs, ours)?.first().copied(),
        is_landings: is_landings(repo, &own)?,
        own,
        landed: landed::landed(repo, theirs)?.landed,
    };
    worker.know_base()?;
    let (verified, again) = match code(worker, &sides)? {
        Ok(found) => found,
        Err(why) => return Ok(Joined::Apart(why)),
    };
    let made = write(worker, &sides, (&verified, &again), name)?;
    Ok(Joined::Made(made, again))
}

/// Returns the code of both, which passed the gate of the other side.
fn code(worker: &mut Worker<'_>, sides: &Sides) -> Result<std::result::Result<(Verified, Vec<Again>), String>> {
    let repo = &worker.repo;
    let settings = worker.session.settings_at(repo, Some(sides.theirs))?.settings;
    let gate = session::gate(worker.session, repo, &settings)?;
    let (checker, baseline) = (&mut worker.checker, &worker.baseline);
    let mut judge = |code: CodeTree| checker.judge(repo, code, &gate, baseline);
    let members: Vec<(GoalId, CommitId)> = sides.own.iter().flat_map(members).collect();
    if !sides.is_landings {
        return Ok(match branch::onto(repo, sides.theirs, sides.ours)? {
            Err(paths) => Err(eviction::conflict(&paths)),
            Ok(code) => match judge(code)? {
                Err(failed) => Err(format!("on the joined code {}", failed.reason())),
                Ok(verified) => {
                    let new = members.into_iter().filter(|(goal, _)| !sides.landed.contains(goal));
                    Ok((verified, new.map(|(goal, _)| (goal, None)).collect()))
                }
            },
        });
    }
    let new: Vec<(GoalId, CommitId)> = members
        .into_iter()
        .filter(|(goal, _)| !sides.landed.contains(goal))
        .collect();
    let candidates: Vec<CommitId> = new.iter().map(|(_, commit)| *commit).collect();
    if let Merge::Clean(code) = merge::onto(repo, sides.theirs, &candidates)?
        && let Ok(verified) = judge(code)?
    {
        return Ok(Ok((verified, new.into_iter().map(|(goal, _)| (goal, None)).collect())));
    }
    // One after the other: what fits stays.
    let mut again = Vec::new();
    let mut fits: Vec<CommitId> = Vec::new();
    let mut last = match judge(tree::code_of_commit(repo, sides.theirs)?)? {
        Ok(verified) => verified,
        Err(failed) => return Ok(Err(format!("what the remote has fails: {}", failed.reason()))),
    };
    for (goal, commit) in new {
        fits.push(commit);
        let why = match merge::onto(repo, sides.theirs, &fits)? {
            Merge::Conflict { paths, .. } => Why::Conflict(paths),
            Merge::Clean(code) => match judge(code)? {
                Ok(verified) => {
                    last = verified;
                    again.push((goal, None));
                    continue;
                }
                Err(failed) => Why::Red(failed),
            },
        };
        fits.pop();
        again.push((goal, Some((commit, why))));
    }
    Ok(Ok((last, again)))
}

/// True where commits are landings of single commits and edits of the backlog, so that all of their code can land anew.
fn is_landings(repo: &Repo, own: &[LogEntry]) -> Result<bool> {
    for entry in own {
        if entry.trailers("Undo").next().is_some() {
            return Ok(false);
        }
        let members = members(entry);
        for (goal, commit) in &members {
            let candidate = history::entry(repo, *commit)?;
            if candidate.trailers("Goal").all(|id| id != goal.as_str()) {
                return Ok(false);
            }
        }
        let Some(parent) = entry.parents.first() else {
            return Ok(false);
        };
        if members.is_empty() && tree::code_of_commit(repo, entry.id)?.id != tree::code_of_commit(repo, *parent)?.id {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the commit that continues both. It names no landings of its own: those of both sides stay as they are below it.
fn write(worker: &Worker<'_>, sides: &Sides, (verified, again): (&Verified, &[Again]), name: &str) -> Result<CommitId> {
    let (repo, at) = (&worker.repo, worker.session.clock.now());
    let fit = again.iter().filter(|(_, why)| why.is_none());
    let lands: Vec<&GoalId> = fit.map(|(goal, _)| goal).collect();
    let files = memory(worker, sides, &lands, &at.rfc3339())?;
    let memory = codetree::with_memory(repo, verified.tree(), tree::of_commit(repo, sides.theirs)?, &files)?;
    let all = sides.own.iter().flat_map(members).map(|(goal, _)| goal);
    let undone = sides.own.iter().flat_map(|entry| entry.trailers("Undo"));
    let undone = undone.filter_map(|goal| goal.parse().ok());
    let settled: BTreeSet<GoalId> = all.chain(undone).collect();
    let message = Message {
        subject: match lands.as_slice() {
            [] => format!("Join `{}` of {name}", worker.target.branch),
            goals => format!(
                "Join `{}` of {name} with {}",
                worker.target.branch,
                settle::names(goals)
            ),
        },
        body: String::new(),
        trailers: match settled.is_empty() {
            true => Vec::new(),
            false => settle::trailers(settled.iter(), sides.theirs),
        },
    };
    let (name, old) = worker.target.landing_ref();
    let landing = Landing {
        name,
        old,
        before: None,
        tip: sides.theirs,
        candidates: &[sides.ours],
        message: &message,
        at,
    };
    Ok(refs::prepare(repo, verified, memory, &landing)?.commit())
}

/// Returns the memory files of both: goals by id and key, records by union.
fn memory(worker: &Worker<'_>, sides: &Sides, lands: &[&GoalId], at: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let repo = &worker.repo;
    let text = |commit: CommitId, path: &str| -> Result<Option<Vec<u8>>> {
        Ok(tree::read_file(repo, tree::of_commit(repo, commit)?, path)?)
    };
    let pending = |commit: CommitId| land::open(repo, commit);
    let base = sides.base.map(pending).transpose()?.unwrap_or_default();
    let (ours, theirs) = (pending(sides.ours)?, pending(sides.theirs)?);
    let (mut merged, _) = backlogs::merge(&base, &theirs, &ours);
    for goal in sides.own.iter().flat_map(members).map(|(goal, _)| goal) {
        // One that does not fit any more is open again.
        let is_open = !lands.contains(&&goal) && !sides.landed.contains(&goal) && merged.raw(&goal).is_none();
        if let Some(row) = theirs.raw(&goal).or(base.raw(&goal)).filter(|_| is_open) {
            merged = merged.with(&[row]).map_err(|error| recall::backlog_fault(&error))?;
        }
    }
    let mut files: MemoryFiles = land::memory_files(repo, sides.theirs)?;
    let before = std::mem::replace(&mut files.pending, merged.to_bytes());
    let known: BTreeSet<String> = recall::rows(repo, sides.theirs)?.into_iter().collect();
    let late: Vec<String> = recall::rows(repo, sides.ours)?
        .into_iter()
        .filter(|row| !known.contains(row))
        .collect();
    let late: Vec<&str> = late.iter().map(String::as_str).collect();
    let all: Vec<(GoalId, CommitId)> = sides.own.iter().flat_map(members).collect();
    let mut landings = Vec::new();
    for goal in lands {
        let commit = all.iter().rev().find(|(id, _)| id == *goal).map(|(_, commit)| *commit);
        landings.push(close::Landing {
            goal,
            record_line: String::new(),
            commit,
            landed_at: at.to_owned(),
            row: recall::landed_row(repo, sides.ours, goal)?,
        });
    }
    let reopened = sides.own.iter().flat_map(|entry| entry.trailers("Undo"));
    let reopened: BTreeSet<&str> = reopened.collect();
    let stale: Vec<GoalId> = merged
        .ids()
        .iter()
        .filter(|id| sides.landed.contains(*id) && !reopened.contains(id.as_str()))
        .cloned()
        .collect();
    let mut patch =
        close::close(&files, &landings, &[], &late, &stale).map_err(|error| recall::backlog_fault(&error))?;
    if files.pending != before && patch.iter().all(|(path, _)| path != PENDING) {
        patch.push((PENDING.to_owned(), files.pending));
    }
    let prompt = |commit: Option<CommitId>| -> Result<_> {
        Ok(commit.map(|commit| text(commit, MASTER_PROMPT)).transpose()?.flatten())
    };
    let (was, mine) = (prompt(sides.base)?, prompt(Some(sides.ours))?);
    if let Some(mine) = mine
        && Some(&mine) != was.as_ref()
        && was == prompt(Some(sides.theirs))?
    {
        patch.push((MASTER_PROMPT.to_owned(), mine));
    }
    Ok(patch)
}

/// Takes the candidate of a goal that does not fit any more out of the queue; does nothing for one that does.
///
/// # Errors
/// When refs or objects cannot be written.
pub(super) fn refuse(worker: &mut Worker<'_>, goal: &GoalId, why: Option<&(CommitId, Why)>) -> Result<()> {
    let Some((candidate, why)) = why else { return Ok(()) };
    let entry = history::entry(&worker.repo, *candidate)?;
    let number = entry.trailers("Attempt").find_map(|n| n.parse().ok()).unwrap_or(1);
    eviction::evict(worker, goal, (*candidate, number), why).map(|_| ())
}
