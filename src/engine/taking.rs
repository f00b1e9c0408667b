//! Taking out: what must be taken out of the target together, which commits that is, and what stands in the way.
//!
//! Reads only. `undo` does it.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;
use serde_json::Value;

use crate::{
    backlog::{
        close::{COMPLETED, COMPLETED_SEGMENTS},
        history as rows,
    },
    engine::{
        recall::{self, backlog_fault},
        steering, target,
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::{Repo, diff, history, tree},
    id::{CommitId, GoalId},
    path::RepoPath,
};

/// How far back to look for what changed the paths of a conflict.
const LOOK_BACK: usize = 2000;
/// How many commits and paths a fault names.
const NAMED: usize = 5;

/// A landed goal that is taken out.
#[derive(Clone, Debug)]
pub struct Member {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// The commit that is its work; the newest one of a branch that landed as it is.
    pub commit: CommitId,
    /// The commit that has all of its work beyond its first parent: the same, or what landed a branch as it is.
    pub whole: CommitId,
}

/// What is known of a landed goal.
struct Known {
    goal: GoalId,
    description: String,
    needs: Vec<GoalId>,
    /// Absent where the completed row is in the very commit.
    commit: Option<CommitId>,
}

/// Returns `ids` and what has to go with them, in the order in which they are taken out: the newest first, so that what
/// depends on another goal goes before it.
///
/// # Errors
/// A fault where others have to go and `cascade` does not allow it, or where a commit is not in this clone.
pub fn members(worker: &Worker<'_>, ids: &[GoalId], cascade: bool) -> Result<Vec<Member>> {
    let all = known(worker)?;
    let found = Commits::of(worker, &all)?;
    let mut out: BTreeSet<GoalId> = ids.iter().cloned().collect();
    let mut others: Vec<String> = Vec::new();
    loop {
        let before = out.len();
        for one in &all {
            if out.contains(&one.goal) {
                continue;
            }
            let needs = one.needs.iter().find(|need| out.contains(*need));
            let shares = out.iter().find(|goal| found.share(&one.goal, goal));
            let why = match (needs, shares) {
                (Some(need), _) => format!("{} depends on {need}", one.goal),
                (None, Some(with)) => format!("{} landed in one commit with {with}", one.goal),
                (None, None) => continue,
            };
            others.push(why);
            out.insert(one.goal.clone());
        }
        if out.len() == before {
            break;
        }
    }
    if !others.is_empty() && !cascade {
        return Err(needs_cascade(ids, &others).into());
    }
    let taken = all.into_iter().rev().filter(|one| out.contains(&one.goal));
    let mut members = Vec::new();
    for one in taken {
        let (commit, whole) = found.usable(worker, &one.goal)?;
        members.push(Member {
            goal: one.goal,
            description: one.description,
            commit,
            whole,
        });
    }
    Ok(members)
}

fn needs_cascade(ids: &[GoalId], others: &[String]) -> Fault {
    let typed = steering::typed(ids);
    let ids: Vec<&str> = ids.iter().map(GoalId::as_str).collect();
    let (named, more) = (others.iter().take(NAMED).cloned(), others.len().saturating_sub(NAMED));
    let more = (more > 0).then(|| format!("and {more} more"));
    let others: Vec<String> = named.chain(more).collect();
    let message = format!("{} cannot be undone alone: {}", ids.join(", "), others.join(", "));
    let hint = format!("`git invisigoth undo --cascade {typed}` undoes these too");
    Fault::new(Kind::Error, message).hint(hint)
}

/// Reads what is known of the landed goals, in the order in which they landed.
fn known(worker: &Worker<'_>) -> Result<Vec<Known>> {
    let root = tree::of_commit(&worker.repo, worker.target.tip)?;
    let mut all: Vec<Known> = Vec::new();
    let mut place: BTreeMap<GoalId, usize> = BTreeMap::new();
    for text in recall::memory_texts(&worker.repo, root, COMPLETED, COMPLETED_SEGMENTS)? {
        for row in rows::rows(&text).map_err(|error| backlog_fault(&error.in_file(COMPLETED)))? {
            if let Some(one) = of_row(row) {
                place.insert(one.goal.clone(), all.len());
                all.push(one);
            }
        }
    }
    // Where a goal landed more than once, its newest landing counts.
    let mut at = 0;
    all.retain(|one| {
        at += 1;
        place.get(&one.goal) == Some(&(at - 1))
    });
    for (goal, commit) in &worker.by_people.unsettled {
        let row = worker.backlog.raw(goal).and_then(of_row);
        let old = all.iter().position(|one| one.goal == *goal).map(|at| all.remove(at));
        let mut one = row.or(old).unwrap_or_else(|| Known {
            goal: goal.clone(),
            description: String::new(),
            needs: Vec::new(),
            commit: None,
        });
        one.commit = Some(*commit);
        all.push(one);
    }
    all.retain(|one| worker.facts.landed.contains(&one.goal));
    Ok(all)
}

fn of_row(row: &str) -> Option<Known> {
    let fields: Value = serde_json::from_str(row).ok()?;
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let needs = fields.get("dependencies").and_then(Value::as_array);
    let needs = needs.into_iter().flatten().filter_map(Value::as_str);
    Some(Known {
        goal: text("id")?.parse().ok()?,
        description: text("description").unwrap_or_default().to_owned(),
        needs: needs.filter_map(|need| need.parse().ok()).collect(),
        commit: text("commit").and_then(|commit| commit.parse().ok()),
    })
}

/// Which commit is the work of which landed goal.
struct Commits(BTreeMap<GoalId, CommitId>);

impl Commits {
    fn of(worker: &Worker<'_>, all: &[Known]) -> Result<Self> {
        let repo = &worker.repo;
        let mut found: BTreeMap<GoalId, CommitId> = BTreeMap::new();
        for one in all {
            if let Some(commit) = one.commit {
                found.insert(one.goal.clone(), commit);
            }
        }
        // A plain landing holds its own row, which cannot name it; a rebase gives commits other names.
        let is_there = |goal: &GoalId| found.get(goal).is_some_and(|commit| repo.has(*commit));
        if all.iter().all(|one| is_there(&one.goal)) {
            return Ok(Self(found));
        }
        let missing = all.iter().map(|one| &one.goal).filter(|goal| !is_there(goal));
        let mut missing: BTreeSet<GoalId> = missing.cloned().collect();
        history::search(repo, worker.target.tip, |entry| {
            for (goal, commit) in target::members(entry) {
                if missing.remove(&goal) {
                    found.insert(goal, commit);
                }
            }
            missing.is_empty()
        })?;
        Ok(Self(found))
    }

    fn share(&self, one: &GoalId, other: &GoalId) -> bool {
        self.0.get(one).is_some_and(|commit| self.0.get(other) == Some(commit))
    }

    /// Returns the goal's commit and the one that has all of its work, where that one and its parent are here.
    fn usable(&self, worker: &Worker<'_>, goal: &GoalId) -> Result<(CommitId, CommitId)> {
        let gone = |what: String| {
            let hint = "`git fetch --unshallow` brings all of history";
            Fault::new(Kind::Error, format!("{what} is not in this clone")).hint(hint)
        };
        let Some(commit) = self.0.get(goal).copied() else {
            return Err(gone(format!("the commit that landed {goal}")).into());
        };
        if !worker.repo.has(commit) {
            return Err(gone(format!("commit {} of goal {goal}", commit.short())).into());
        }
        let whole = whole(&worker.repo, worker.target.tip, goal, commit)?;
        match history::parents(&worker.repo, whole)?.first() {
            Some(parent) if worker.repo.has(*parent) => Ok((commit, whole)),
            Some(parent) => Err(gone(format!("{}, the parent of goal {goal}'s commit,", parent.short())).into()),
            None => {
                let message = format!("goal {goal} is the first commit: there is nothing to go back to");
                Err(Fault::new(Kind::Error, message).into())
            }
        }
    }
}

/// Returns the commit that has all of a goal's work beyond its first parent: its own, unless that is the newest of a branch
/// that landed as it is, whose commits say nothing of goals.
///
/// # Errors
/// When history cannot be read.
pub fn whole(repo: &Repo, tip: CommitId, goal: &GoalId, commit: CommitId) -> Result<CommitId> {
    let own = history::entry(repo, commit)?;
    if own.trailers("Goal").next().is_some() {
        return Ok(commit);
    }
    let landed = (goal.clone(), commit);
    let landing = history::search(repo, tip, |entry| target::members(entry).contains(&landed))?;
    Ok(landing.map_or(commit, |landing| landing.id))
}

/// The fault of an inverse that does not fit: where, and what changed these files since.
///
/// # Errors
/// When history cannot be read.
pub fn conflict(worker: &Worker<'_>, member: &Member, paths: &[RepoPath]) -> Result<Fault> {
    let mut since: Vec<String> = Vec::new();
    let mut together: Vec<GoalId> = vec![member.goal.clone()];
    for entry in history::first_parents(&worker.repo, worker.target.tip, LOOK_BACK)? {
        let landed = target::members(&entry);
        if entry.id == member.commit || landed.iter().any(|(_, commit)| *commit == member.commit) {
            break;
        }
        let touches = diff::of_commit(&worker.repo, entry.id)?;
        if touches.iter().any(|differs| paths.contains(&differs.path)) {
            let goals: Vec<&str> = landed.iter().map(|(goal, _)| goal.as_str()).collect();
            together.extend(landed.iter().map(|(goal, _)| goal.clone()));
            since.push(match goals.as_slice() {
                [] => format!("{} {}", entry.id.short(), entry.subject()),
                goals => format!("{} of {}", entry.id.short(), goals.join(", ")),
            });
        }
    }
    let files: Vec<String> = paths.iter().take(NAMED).map(ToString::to_string).collect();
    let mut message = format!("undoing {} conflicts in {}", member.goal, files.join(", "));
    if !since.is_empty() {
        let more = since.len().saturating_sub(NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let named: Vec<String> = since.into_iter().take(NAMED).collect();
        message = format!("{message}, changed since by {}{more}", named.join("; "));
    }
    let revert = match member.whole == member.commit {
        true => member.commit.short(),
        false => format!("-m 1 {}", member.whole.short()),
    };
    let mut fault = Fault::new(Kind::Error, message);
    if (2..=NAMED).contains(&together.len()) {
        fault = fault.hint(format!(
            "`git invisigoth undo {}` undoes them together",
            steering::typed(&together)
        ));
    }
    Ok(fault.hint(format!(
        "`git revert {revert}` by hand: its commit takes the goal back too"
    )))
}

/// Returns the paragraphs of a message between its subject and its trailers.
pub fn body(message: &str) -> Option<&str> {
    let (_, rest) = message.trim_end().split_once("\n\n")?;
    rest.rsplit_once("\n\n").map(|(body, _)| body)
}
