//! The walk: every commit that a tip holds, parents first, and what each says that it landed or took back.
//!
//! Owns the order of findings: along first parents, what a merge brought in right before it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use eyre::Result;

use crate::{
    engine::target,
    git::{
        Repo,
        history::{self, LogEntry},
    },
    id::{CommitId, GoalId},
};

/// How a goal landed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// By a commit of ours with its own as second parent.
    Merged,
    /// By one commit with code and memory.
    Plain,
}

/// One goal that landed.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Where the landing commit is in the order.
    pub at: usize,
    /// The landing commit.
    pub landing: CommitId,
    /// The goal.
    pub goal: GoalId,
    /// The commit of its work.
    pub commit: CommitId,
    /// How.
    pub how: How,
}

/// A commit in its place.
pub struct Node {
    /// The commit.
    pub entry: LogEntry,
    /// True where this clone lacks a parent of it.
    pub cut: bool,
    /// True where it or an ancestor has memory files of ours.
    pub begun: bool,
    /// True where it is asked for.
    pub asked: bool,
}

/// All commits of a tip.
#[derive(Default)]
pub struct Walk {
    /// Parents before children.
    pub order: Vec<Node>,
    /// Where each commit is in the order.
    pub index: HashMap<CommitId, usize>,
    /// The goals that landed, in order.
    pub landed: Vec<Landed>,
    /// Goals by the commits of people that brought them: by a rebase, a squash, or by hand.
    pub by_people: Vec<(GoalId, CommitId)>,
    /// True where this clone lacks a part of the history.
    pub shallow: bool,
    /// How far along the first parents of the tip each commit of that line is.
    line: HashMap<CommitId, usize>,
}

impl Walk {
    /// Walks all that `tip` holds. Asked for is what `from` does not hold.
    ///
    /// # Errors
    /// When history cannot be read.
    pub fn of(repo: &Repo, from: Option<CommitId>, tip: CommitId) -> Result<Self> {
        let mut walk = Self::default();
        if let Some(from) = from {
            walk.bring(repo, from, false)?;
        }
        walk.bring(repo, tip, true)?;
        walk.number_line(tip);
        walk.read_landed();
        Ok(walk)
    }

    /// Appends all that `tip` holds and is not there yet, parents first, first parents before others.
    fn bring(&mut self, repo: &Repo, tip: CommitId, asked: bool) -> Result<()> {
        let mut seen: HashSet<CommitId> = self.index.keys().copied().collect();
        let mut open: Vec<(LogEntry, usize)> = Vec::new();
        if seen.insert(tip) {
            open.push((history::entry(repo, tip)?, 0));
        }
        while let Some((entry, next)) = open.last_mut() {
            if let Some(parent) = entry.parents.get(*next).copied() {
                *next += 1;
                if seen.insert(parent) && repo.has(parent) {
                    open.push((history::entry(repo, parent)?, 0));
                }
                continue;
            }
            if let Some((entry, _)) = open.pop() {
                self.add(entry, asked);
            }
        }
        Ok(())
    }

    fn add(&mut self, entry: LogEntry, asked: bool) {
        let parents = entry.parents.iter().map(|parent| self.index.get(parent));
        let begun = ["Landed", "Settled"]
            .into_iter()
            .any(|key| entry.trailers(key).next().is_some());
        let node = Node {
            begun: begun
                || parents
                    .clone()
                    .flatten()
                    .any(|at| self.order.get(*at).is_some_and(|node| node.begun)),
            cut: parents.clone().any(|at| at.is_none()),
            entry,
            asked,
        };
        self.shallow |= node.cut;
        self.index.insert(node.entry.id, self.order.len());
        self.order.push(node);
    }

    fn number_line(&mut self, tip: CommitId) {
        let mut line = Vec::new();
        let mut next = Some(tip);
        while let Some(node) = next.and_then(|id| self.node(id)) {
            line.push(node.entry.id);
            next = node.entry.parents.first().copied();
        }
        self.line = line.into_iter().rev().enumerate().map(|(at, id)| (id, at)).collect();
    }

    fn read_landed(&mut self) {
        let mut members: HashSet<CommitId> = HashSet::new();
        for (at, node) in self.order.iter().enumerate() {
            let has = |key: &'static str| node.entry.trailers(key).next().is_some();
            let how = match (has("Landed"), has("Goal") && has("Settled")) {
                (true, _) => How::Merged,
                (_, true) => How::Plain,
                _ => continue,
            };
            for (goal, commit) in target::members(&node.entry) {
                members.insert(commit);
                let landing = node.entry.id;
                self.landed.push(Landed {
                    at,
                    landing,
                    goal,
                    commit,
                    how,
                });
            }
        }
        for node in self.order.iter().filter(|node| !members.contains(&node.entry.id)) {
            let goals = node.entry.trailers("Goal").filter_map(|goal| goal.parse().ok());
            self.by_people.extend(goals.map(|goal| (goal, node.entry.id)));
        }
    }

    /// Returns a commit in its place.
    pub fn node(&self, id: CommitId) -> Option<&Node> {
        self.order.get(*self.index.get(&id)?)
    }

    /// True where `new` holds `old`.
    ///
    /// # Errors
    /// When history cannot be read.
    pub fn holds(&self, repo: &Repo, new: CommitId, old: CommitId) -> Result<bool> {
        if let (Some(new), Some(old)) = (self.line.get(&new), self.line.get(&old)) {
            return Ok(old <= new);
        }
        if !self.index.contains_key(&old) {
            return Ok(false);
        }
        Ok(history::contains(repo, new, old)?)
    }

    /// Returns the goals whose rows a commit may take back: those of the commits that it says it reverts.
    pub fn reverted(&self, entry: &LogEntry) -> BTreeSet<GoalId> {
        let (mut goals, mut seen, mut open) = (BTreeSet::new(), HashSet::new(), vec![entry]);
        while let Some(entry) = open.pop() {
            for line in entry.message.lines() {
                let Some(rest) = line.trim().strip_prefix("This reverts commit ") else {
                    continue;
                };
                let id: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
                let Some(reverted) = id.parse().ok().and_then(|id| self.node(id)) else {
                    continue;
                };
                if seen.insert(reverted.entry.id) {
                    goals.extend(target::members(&reverted.entry).into_iter().map(|(goal, _)| goal));
                    goals.extend(taken_back(&reverted.entry));
                    // A revert of a revert leaves what was there between.
                    open.push(&reverted.entry);
                }
            }
        }
        goals
    }

    /// Returns, for each goal, where it was taken back.
    pub fn taken_back(&self) -> BTreeMap<GoalId, Vec<usize>> {
        let mut all: BTreeMap<GoalId, Vec<usize>> = BTreeMap::new();
        for (at, node) in self.order.iter().enumerate() {
            let mut goals = self.reverted(&node.entry);
            goals.extend(taken_back(&node.entry));
            for goal in goals {
                all.entry(goal).or_default().push(at);
            }
        }
        all
    }
}

/// Returns the goals that a commit says it undoes.
pub fn taken_back(entry: &LogEntry) -> Vec<GoalId> {
    entry.trailers("Undo").filter_map(|goal| goal.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Moment;

    #[test]
    fn reverts_of_reverts_are_followed_once_each_however_often_they_are_named() {
        let mut walk = Walk::default();
        let id = |nth: usize| format!("{nth:040x}").parse::<CommitId>().unwrap();
        let message = |nth: usize| match nth {
            0 => "Undo a\n\nUndo: a\n".to_owned(),
            _ => format!(
                "Revert\n\n{}",
                format!("This reverts commit {}.\n", id(nth - 1)).repeat(2)
            ),
        };
        for nth in 0..64 {
            let entry = LogEntry {
                id: id(nth),
                parents: Vec::new(),
                message: message(nth),
                at: Moment(0),
            };
            walk.add(entry, true);
        }
        let last = walk.node(id(63)).unwrap();
        assert_eq!(walk.reverted(&last.entry), BTreeSet::from(["a".parse().unwrap()]));
    }
}
