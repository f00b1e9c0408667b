//! `Known`: commits as they were read once, whichever of them a query is about. Paths are kept once each, and named by
//! their number.

use std::collections::HashMap;

use crate::{
    context::{past::message::Words, terms::Term},
    id::CommitId,
    path::RepoPath,
};

/// A commit that changed more paths tells nothing of any of them.
pub const MANY: u32 = 40;

/// What a commit changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// How many paths.
    pub count: u32,
    /// The paths, and for a renamed one what it was before. Of more than 40 only the renamed ones.
    pub paths: Vec<(RepoPath, Option<RepoPath>)>,
}

/// What one commit tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its parents, first the line that it continues.
    pub parents: Vec<CommitId>,
    /// The committer's time, in seconds since 1970.
    pub at: i64,
    /// Its message; of a merge nothing.
    pub words: Words,
    /// What it changed against its first parent; of a merge nothing.
    pub changed: Changed,
}

/// A path that a commit changed, by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Touch {
    pub(crate) path: u32,
    pub(crate) was: Option<u32>,
}

/// A commit, its paths by number.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: CommitId,
    pub(crate) parents: Box<[CommitId]>,
    pub(crate) at: i64,
    pub(crate) subject: Box<str>,
    pub(crate) terms: Box<[(Term, u16)]>,
    /// How many terms its message has; `add_row` counts them.
    pub(crate) length: u32,
    pub(crate) changed: u32,
    pub(crate) touches: Box<[Touch]>,
}

impl Row {
    fn counted(mut self) -> Self {
        self.length = self.terms.iter().map(|(_, times)| u32::from(*times)).sum();
        self
    }
}

/// Commits that were read, and the paths that they name.
#[derive(Debug, Default)]
pub struct Known {
    rows: Vec<Row>,
    numbers: HashMap<CommitId, u32>,
    paths: Vec<RepoPath>,
    path_numbers: HashMap<RepoPath, u32>,
}

impl Known {
    /// Returns how many commits there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the newest commits, at most `most` of them; of equal times the greater id first.
    pub fn newest(&self, most: usize) -> Vec<CommitId> {
        let mut all: Vec<(i64, CommitId)> = self.rows.iter().map(|row| (row.at, row.id)).collect();
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.into_iter().take(most).map(|(_, id)| id).collect()
    }

    /// Returns a commit's time, in seconds since 1970, and its parents.
    pub fn line(&self, id: CommitId) -> Option<(i64, &[CommitId])> {
        let row = self.row(self.number(id)?)?;
        Some((row.at, &row.parents))
    }

    /// Adds a commit, unless it is known.
    pub fn add(&mut self, mut commit: Commit) {
        commit.words.terms.sort_unstable();
        let touches = commit.changed.paths.into_iter().map(|(path, was)| Touch {
            path: self.path_number(path),
            was: was.map(|was| self.path_number(was)),
        });
        let touches = touches.collect();
        self.add_row(Row {
            id: commit.id,
            parents: commit.parents.into(),
            at: commit.at,
            subject: commit.words.subject.into(),
            terms: commit.words.terms.into(),
            length: 0,
            changed: commit.changed.count,
            touches,
        });
    }

    pub(crate) fn add_row(&mut self, row: Row) {
        let number = count(self.rows.len());
        if *self.numbers.entry(row.id).or_insert(number) == number {
            self.rows.push(row.counted());
        }
    }

    pub(crate) fn number(&self, id: CommitId) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    pub(crate) fn row(&self, number: u32) -> Option<&Row> {
        self.rows.get(at(number))
    }

    pub(crate) fn path(&self, number: u32) -> Option<&RepoPath> {
        self.paths.get(at(number))
    }

    pub(crate) fn paths(&self) -> usize {
        self.paths.len()
    }

    pub(crate) fn number_of(&self, path: &RepoPath) -> Option<u32> {
        self.path_numbers.get(path).copied()
    }

    /// Returns the number of a path, which it gets where it has none.
    pub(crate) fn path_number(&mut self, path: RepoPath) -> u32 {
        if let Some(number) = self.path_numbers.get(&path) {
            return *number;
        }
        let number = count(self.paths.len());
        self.paths.push(path.clone());
        self.path_numbers.insert(path, number);
        number
    }
}

/// Turns a place in a list into a number; there are never that many.
pub(crate) fn count(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Turns a number into a place in a list.
pub(crate) fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
