//! The past of tips: reads the commits below them once, and keeps what they told in the git directory.
//!
//! Owns what is read, by how many threads, and which files hold it. What commits mean for a query is `context`'s business.

use std::{collections::HashMap, io, path::PathBuf};

use crate::{
    cache::Cache,
    context::{
        past::{
            MOST, Past, kept,
            known::{Changed, Commit, Known},
            message,
            walk::{self, Line},
        },
        terms::Terms,
    },
    git::{
        Repo,
        past::{self, Stored},
    },
    id::{CommitId, TreeId},
};

/// How the names of our files begin.
const PREFIX: &str = "past-";

/// Most files; more are joined.
const MOST_FILES: usize = 8;

/// A file so many times larger than those joined with it is left as it is.
const FAR: usize = 4;

/// Most commits of a file that others are joined to, and about how many are taken from files.
const MOST_KEPT: usize = 10_000;

/// More commits do not stay in memory.
const MOST_KNOWN: usize = 50_000;

/// Fewer commits are read by one thread.
const FEW: usize = 64;

/// The past of the tip that was asked for last, ready for the next one.
#[derive(Debug, Default)]
pub struct Pasts {
    folder: Option<PathBuf>,
    tip: Option<CommitId>,
    past: Past,
}

impl Pasts {
    /// Returns the past of `tip`. The first time this reads what is kept, and the commits that are not; later only what is
    /// new since the last tip. What cannot be kept, as on a full disk, is read again by the next process.
    ///
    /// # Errors
    /// When the object database cannot be read.
    pub fn at(&mut self, repo: &Repo, tip: CommitId) -> eyre::Result<&Past> {
        let folder = repo.common_dir().join("invisigoth").join("index");
        let is_here = self.folder.as_ref() == Some(&folder);
        if is_here && self.tip == Some(tip) {
            return Ok(&self.past);
        }
        if !is_here || self.past.known().len() > MOST_KNOWN {
            *self = Self::default();
            self.open(&Cache::open(&folder));
            self.folder = Some(folder);
        }
        self.tip = None;
        self.read(repo, tip)?;
        self.tip = Some(tip);
        Ok(&self.past)
    }

    /// Returns the past of the tip that was asked for last.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// Reads what is kept. A file that is damaged, or of another version, goes.
    fn open(&mut self, cache: &Cache) {
        for (name, bytes) in files(cache) {
            if self.past.known().len() > MOST_KEPT {
                return;
            }
            if !kept::read(&bytes, self.past.known_mut()) {
                let _ = cache.remove(&name);
            }
        }
    }

    fn read(&mut self, repo: &Repo, tip: CommitId) -> eyre::Result<()> {
        let repo = repo.clone().as_stored();
        let mut fresh: Vec<(CommitId, Stored)> = Vec::new();
        let known = self.past.known();
        let order = walk::newest(tip, MOST, |id| -> eyre::Result<Option<Line>> {
            if let Some((at, parents)) = known.line(id) {
                return Ok(Some((at, parents.to_vec())));
            }
            let Some(stored) = past::commit(&repo, id)? else {
                return Ok(None);
            };
            let line = (stored.at, stored.parents.clone());
            fresh.push((id, stored));
            Ok(Some(line))
        })?;
        if !fresh.is_empty() {
            let lasting = self.take(read_all(&repo, &fresh));
            if let Some(folder) = &self.folder {
                let _ = self.keep(&Cache::open(folder), &lasting);
            }
        }
        self.past.follow(&order);
        Ok(())
    }

    /// Adds commits, and returns those whose reading will be the same ever after.
    fn take(&mut self, read: Vec<Read>) -> Vec<CommitId> {
        let mut lasting = Vec::new();
        for read in read {
            if read.is_whole {
                lasting.push(read.commit.id);
            }
            self.past.known_mut().add(read.commit);
        }
        lasting
    }

    /// Writes commits to a file of their own, and joins files where they are too many.
    fn keep(&self, cache: &Cache, commits: &[CommitId]) -> io::Result<()> {
        if commits.is_empty() {
            return Ok(());
        }
        cache.put(PREFIX, "", &kept::write(self.past.known(), commits))?;
        match cache.list(PREFIX)?.len() > MOST_FILES {
            true => join(cache),
            false => Ok(()),
        }
    }
}

/// Joins the small files where there are too many, with each next one that is not far larger than all before it. What
/// another process puts down meanwhile stays.
fn join(cache: &Cache) -> io::Result<()> {
    let Some(_alone) = cache.try_lock()? else { return Ok(()) };
    let mut files = files(cache);
    if files.len() <= MOST_FILES {
        return Ok(());
    }
    files.sort_by_key(|(_, bytes)| bytes.len());
    let mut known = Known::default();
    let mut joined = Vec::new();
    let mut size = 0;
    for (name, bytes) in files {
        if joined.len() > 1 && bytes.len() > size * FAR {
            break;
        }
        size += bytes.len();
        kept::read(&bytes, &mut known);
        joined.push(name);
    }
    let name = cache.put(PREFIX, "", &kept::write(&known, &known.newest(MOST_KEPT)))?;
    joined
        .iter()
        .filter(|old| **old != name)
        .try_for_each(|old| cache.remove(old))
}

/// Returns our files with their names, sorted by these; without one that cannot be read or that somebody removes just now.
fn files(cache: &Cache) -> Vec<(String, Vec<u8>)> {
    let names = cache.list(PREFIX).unwrap_or_default();
    let read = |name: String| cache.read(&name).ok()?.map(|bytes| (name, bytes));
    names.into_iter().filter_map(read).collect()
}

/// A commit that was read.
struct Read {
    commit: Commit,
    /// False where what it changed cannot be told in this clone.
    is_whole: bool,
}

/// Reads what commits say and changed, by two threads where they are many.
fn read_all(repo: &Repo, fresh: &[(CommitId, Stored)]) -> Vec<Read> {
    let trees: HashMap<CommitId, TreeId> = fresh.iter().map(|(id, stored)| (*id, stored.tree)).collect();
    let read = |repo: &Repo, part: &[(CommitId, Stored)]| -> Vec<Read> {
        let mut terms = Terms::default();
        part.iter()
            .map(|(id, stored)| read_one(repo, &trees, &mut terms, (*id, stored)))
            .collect()
    };
    let half = if fresh.len() < FEW {
        fresh.len()
    } else {
        fresh.len() / 2
    };
    let (newer, older) = fresh.split_at(half);
    let other = repo.clone();
    std::thread::scope(|scope| {
        let beside = (!older.is_empty()).then(|| scope.spawn(move || read(&other, older)));
        let mut all = read(repo, newer);
        // A thread that died read nothing: its commits are no part of the past then.
        all.extend(beside.and_then(|beside| beside.join().ok()).into_iter().flatten());
        all
    })
}

fn read_one(
    repo: &Repo,
    trees: &HashMap<CommitId, TreeId>,
    terms: &mut Terms,
    (id, stored): (CommitId, &Stored),
) -> Read {
    let mut commit = Commit {
        id,
        parents: stored.parents.clone(),
        at: stored.at,
        words: message::Words::default(),
        changed: Changed::default(),
    };
    let mut is_whole = true;
    if stored.parents.len() < 2 {
        commit.words = message::read(terms, &stored.message);
        let changed = changed(repo, trees, stored);
        is_whole = changed.is_some();
        commit.changed = changed.unwrap_or_default();
    }
    Read { commit, is_whole }
}

/// Returns what a commit changed; `None` where its parent or a tree is not in this clone.
fn changed(repo: &Repo, trees: &HashMap<CommitId, TreeId>, stored: &Stored) -> Option<Changed> {
    let old = match stored.parents.first() {
        None => None,
        Some(parent) => match trees.get(parent) {
            Some(tree) => Some(*tree),
            None => Some(past::commit(repo, *parent).ok()??.tree),
        },
    };
    past::changed(repo, old, stored.tree).ok()
}

#[cfg(test)]
pub(in crate::engine) mod tests;
