//! `Work`: the files that edits touch, in memory, as they are after the edits so far.
//!
//! Owns what a path holds now and what differs from the snapshot in the end. Judges no edit.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use crate::{
    path::{RepoPath, fold},
    snapshot::{Change, Changes, Mode, Snapshot},
};

/// The names in folders, by what they fold to.
type Folders = BTreeMap<Vec<u8>, BTreeMap<String, Vec<Vec<u8>>>>;

/// What a path holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stored {
    pub(crate) mode: Mode,
    /// Empty for a submodule.
    pub(crate) content: Vec<u8>,
}

/// What a path held at first and holds now; `None` where there is no file.
struct Touched {
    before: Option<Stored>,
    now: Option<Stored>,
}

/// The files that edits touch, over a snapshot that they do not.
pub(crate) struct Work<'a> {
    snapshot: &'a dyn Snapshot,
    files: BTreeMap<RepoPath, Touched>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(snapshot: &'a dyn Snapshot) -> Self {
        Self {
            snapshot,
            files: BTreeMap::new(),
        }
    }

    /// Returns what `path` holds now.
    pub(crate) fn get(&self, path: &RepoPath) -> io::Result<Option<Stored>> {
        match self.files.get(path) {
            Some(touched) => Ok(touched.now.clone()),
            None => self.read(path),
        }
    }

    /// Returns what `path` held at first.
    pub(crate) fn before(&self, path: &RepoPath) -> io::Result<Option<Stored>> {
        match self.files.get(path) {
            Some(touched) => Ok(touched.before.clone()),
            None => self.read(path),
        }
    }

    fn read(&self, path: &RepoPath) -> io::Result<Option<Stored>> {
        let Some(entry) = self.snapshot.entry(path)? else {
            return Ok(None);
        };
        let content = match entry.mode {
            Mode::Submodule => Vec::new(),
            Mode::File | Mode::Executable | Mode::Symlink => self.snapshot.read(&entry.id)?,
        };
        let mode = entry.mode;
        Ok(Some(Stored { mode, content }))
    }

    /// Sets what `path` holds; `None` deletes it.
    pub(crate) fn set(&mut self, path: &RepoPath, now: Option<Stored>) -> io::Result<()> {
        if let Some(touched) = self.files.get_mut(path) {
            touched.now = now;
        } else {
            let before = self.read(path)?;
            self.files.insert(path.clone(), Touched { before, now });
        }
        Ok(())
    }

    /// True where `path` is a file, a symlink or a submodule now.
    pub(crate) fn exists(&self, path: &RepoPath) -> io::Result<bool> {
        match self.files.get(path) {
            Some(touched) => Ok(touched.now.is_some()),
            None => Ok(self.snapshot.entry(path)?.is_some()),
        }
    }

    /// True where something lies below `path` now.
    pub(crate) fn is_folder(&self, path: &RepoPath) -> io::Result<bool> {
        let start = [path.as_bytes(), b"/"].concat();
        let below = |other: &RepoPath| other.as_bytes().starts_with(&start);
        let touched = self.files.range(RepoPath::from_git(start.clone())..);
        let mut touched = touched.take_while(|(other, _)| below(other));
        if touched.any(|(_, touched)| touched.now.is_some()) {
            return Ok(true);
        }
        if !self.snapshot.is_folder(path)? {
            return Ok(false);
        }
        if self.files.values().all(|touched| touched.now.is_some()) {
            return Ok(true);
        }
        Ok(self.paths()?.iter().any(below))
    }

    /// Returns the nearest folder above `path` that is no folder now, but a file, a symlink or a submodule.
    pub(crate) fn blocked_by(&self, path: &RepoPath) -> io::Result<Option<RepoPath>> {
        for folder in path.parents() {
            if self.exists(&folder)? {
                return Ok(Some(folder));
            }
        }
        Ok(None)
    }

    /// Returns every path that there is now.
    pub(crate) fn paths(&self) -> io::Result<BTreeSet<RepoPath>> {
        let listing = self.snapshot.listing()?;
        let mut paths: BTreeSet<RepoPath> = listing.iter().map(|(path, _)| path.clone()).collect();
        for (path, touched) in &self.files {
            if touched.now.is_some() {
                paths.insert(path.clone());
            } else {
                paths.remove(path);
            }
        }
        Ok(paths)
    }

    /// Returns the paths that hold something other than they did at first.
    pub(crate) fn written(&self) -> impl Iterator<Item = &RepoPath> {
        let written = self
            .files
            .iter()
            .filter(|(_, touched)| touched.now.is_some() && touched.now != touched.before);
        written.map(|(path, _)| path)
    }

    /// Returns each new path that differs from another only by case, or by what some systems overlook, with that other.
    pub(crate) fn twins(&self) -> io::Result<Vec<(RepoPath, RepoPath)>> {
        let is_new = |touched: &&Touched| touched.before.is_none() && touched.now.is_some();
        let new = self.files.iter().filter(|(_, touched)| is_new(touched));
        let new: Vec<&RepoPath> = new.map(|(path, _)| path).collect();
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let folded = |path: &RepoPath| path.names().map(fold_bytes).collect::<Vec<String>>();
        let mut here: BTreeMap<Vec<String>, Vec<&RepoPath>> = BTreeMap::new();
        for path in &new {
            here.entry(folded(path)).or_default().push(path);
        }
        let mut folders = BTreeMap::new();
        let mut twins = Vec::new();
        for path in new {
            let names = folded(path);
            let mut alike = self.folded_alike(&names, &mut folders)?;
            alike.extend(here.get(&names).into_iter().flatten().map(|other| (*other).clone()));
            for other in alike {
                if other != *path && self.exists(&other)? {
                    twins.push((path.clone(), other));
                    break;
                }
            }
        }
        Ok(twins)
    }

    /// Returns the paths of the snapshot that fold to `names`.
    fn folded_alike(&self, names: &[String], folders: &mut Folders) -> io::Result<Vec<RepoPath>> {
        let mut starts: Vec<Vec<u8>> = vec![Vec::new()];
        for name in names {
            let mut next = Vec::new();
            for mut start in starts {
                if !start.is_empty() {
                    start.push(b'/');
                }
                if !folders.contains_key(&start) {
                    let mut by_name: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
                    for real in self.snapshot.names_below(&start)? {
                        by_name.entry(fold_bytes(&real)).or_default().push(real);
                    }
                    folders.insert(start.clone(), by_name);
                }
                let real = folders.get(&start).and_then(|by_name| by_name.get(name));
                next.extend(real.into_iter().flatten().map(|real| [start.as_slice(), real].concat()));
            }
            starts = next;
        }
        Ok(starts.into_iter().map(RepoPath::from_git).collect())
    }

    /// Returns what differs from the snapshot.
    pub(crate) fn into_changes(self) -> Changes {
        let changed = self
            .files
            .into_iter()
            .filter(|(_, touched)| touched.now != touched.before);
        let change = |now: Option<Stored>| match now {
            Some(Stored { mode, content }) => Change::Write { content, mode },
            None => Change::Delete,
        };
        changed.map(|(path, touched)| (path, change(touched.now))).collect()
    }
}

fn fold_bytes(name: &[u8]) -> String {
    fold(&String::from_utf8_lossy(name))
}
