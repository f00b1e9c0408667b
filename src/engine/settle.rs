//! Settling: brings the memory files in line with what people did to landed goals: rebase, squash, cherry-pick, a host's
//! merge, revert.
//!
//! Owns commits that touch nothing but memory files. What landed is computed by `landed`; code is never touched.

use std::collections::BTreeSet;

use eyre::Result;

use crate::{
    backlog::history as rows,
    engine::{
        land::{self, Closing},
        recall::backlog_fault,
        records,
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::commit,
    id::{CommitId, GoalId},
    record::Line,
};

/// How often it is tried again because somebody else moved the target.
const TRIES: u32 = 5;
/// Most goals that a line names.
const NAMED: usize = 8;

/// What was settled.
#[derive(Debug, Default)]
pub struct Settled {
    /// Goals that landed by people's commits, with those.
    pub landed: Vec<(GoalId, CommitId)>,
    /// Goals that people's commits took back, with those; held now.
    pub taken_back: Vec<(GoalId, CommitId)>,
    /// Landed goals whose rows had stayed in the backlog.
    pub stale: Vec<GoalId>,
    /// Records that `history.json` did not have.
    pub rows_added: usize,
    /// The commit that says so; `None` where there was nothing to settle.
    pub commit: Option<CommitId>,
}

/// Brings the memory files in line, as one commit.
///
/// # Errors
/// When the repository cannot be read or written, or the target moves all the time.
pub fn settle(worker: &mut Worker<'_>) -> Result<Settled> {
    for _ in 0..TRIES {
        if let Some(settled) = once(worker)? {
            return Ok(settled);
        }
        worker.look_again()?;
    }
    Err(Fault::new(Kind::Busy, "the target moves all the time; nothing was written").into())
}

/// Settles; `None` where somebody else moved the target meanwhile.
fn once(worker: &mut Worker<'_>) -> Result<Option<Settled>> {
    let mut settled = found(worker)?;
    let all = &settled;
    let of_people = all.landed.iter().chain(&all.taken_back).map(|(goal, _)| goal);
    let goals: BTreeSet<&GoalId> = of_people.chain(&all.stale).collect();
    if goals.is_empty() {
        return Ok(Some(Settled::default()));
    }
    let tip = worker.target.tip;
    let lines = records::missing_rows(&worker.repo, tip, &goals)?;
    let at = worker.session.clock.now().rfc3339();
    let (rows_added, notes) = (lines.len(), notes(worker, &settled.landed, &lines)?);
    let own = Closing {
        lines,
        ..Closing::default()
    };
    let files = land::close(worker, tip, own, &at)?;
    if files.is_empty() {
        // The files say it already; only the commits that said so first are not ours.
        return Ok(Some(Settled::default()));
    }
    let Some(made) = memory_commit(worker, &files, &message(&goals, &settled, tip))? else {
        return Ok(None);
    };
    worker.landed(made, notes);
    worker.recall()?;
    (settled.rows_added, settled.commit) = (rows_added, Some(made));
    Ok(Some(settled))
}

/// Finds what people's commits say that the tip's memory files do not.
fn found(worker: &Worker<'_>) -> Result<Settled> {
    let people = &worker.by_people;
    let open = land::open(&worker.repo, worker.target.tip)?;
    let is_new = |goal: &&GoalId| people.unsettled.iter().all(|(other, _)| other != *goal);
    let stale = people
        .stale
        .iter()
        .filter(|goal| open.raw(goal).is_some())
        .filter(is_new);
    Ok(Settled {
        landed: people.unsettled.clone(),
        taken_back: people
            .reopened
            .iter()
            .map(|back| (back.goal.clone(), back.by))
            .collect(),
        stale: stale.cloned().collect(),
        ..Settled::default()
    })
}

/// Returns the newest record of each landed goal as a line for the note on its new commit: records follow their goal, as
/// they do with git's `notes.rewriteRef`.
fn notes(worker: &Worker<'_>, landed: &[(GoalId, CommitId)], missing: &[String]) -> Result<Vec<(CommitId, String)>> {
    let history = land::memory_files(&worker.repo, worker.target.tip)?.history;
    let text = String::from_utf8_lossy(&history).into_owned();
    let rows = rows::rows(&text).map_err(|error| backlog_fault(&error))?;
    let all: Vec<&str> = rows.into_iter().chain(missing.iter().map(String::as_str)).collect();
    let is_of = |line: &&&str, goal: &GoalId| {
        let said = serde_json::from_str::<Line>(line);
        said.is_ok_and(|said| said.goal == *goal && said.kind.is_none())
    };
    let note = |(goal, commit): &(GoalId, CommitId)| {
        let line = all.iter().rev().find(|line| is_of(line, goal))?;
        Some((*commit, (*line).to_owned()))
    };
    Ok(landed.iter().filter_map(note).collect())
}

/// Names goals in a line: a few of them, or how many there are.
pub fn names(goals: &[&GoalId]) -> String {
    if goals.len() > NAMED {
        return format!("{} goals", goals.len());
    }
    let names: Vec<&str> = goals.iter().map(|goal| goal.as_str()).collect();
    names.join(", ")
}

/// Words that a commit's memory files can be trusted as to `goals`. The commit it was made on is named, as in a copy of it that
/// a rebase makes they cannot.
pub fn trailers<'g>(goals: impl Iterator<Item = &'g GoalId>, tip: CommitId) -> Vec<(&'static str, String)> {
    let goals = goals.map(|goal| ("Settled", goal.to_string()));
    goals.chain([("Base", tip.to_string())]).collect()
}

fn message(goals: &BTreeSet<&GoalId>, settled: &Settled, tip: CommitId) -> commit::Message {
    let names: Vec<&GoalId> = goals.iter().copied().collect();
    let landed = settled
        .landed
        .iter()
        .map(|(goal, by)| format!("{goal} landed by commit {}", by.short()));
    let back = settled.taken_back.iter();
    let back = back.map(|(goal, by)| format!("{goal} was taken back by commit {}", by.short()));
    let stale = settled
        .stale
        .iter()
        .map(|goal| format!("{goal} has landed and leaves the backlog"));
    commit::Message {
        subject: format!("Settle {}", self::names(&names)),
        body: landed.chain(back).chain(stale).collect::<Vec<_>>().join("\n"),
        trailers: trailers(goals.iter().copied(), tip),
    }
}

/// As `Target::commit_memory`, for who has looked away from the target since.
///
/// # Errors
/// As `Target::commit_memory`; also when the list of worktrees cannot be read.
pub fn memory_commit(
    worker: &mut Worker<'_>,
    files: &[(String, Vec<u8>)],
    message: &commit::Message,
) -> Result<Option<CommitId>> {
    worker.target.look(&worker.repo)?;
    let at = worker.session.clock.now();
    worker.target.commit_memory(&worker.repo, files, message, at)
}
