//! `Snapshot`: how verbs read repository content, wherever it comes from, and `Changes`: what an edit made of it.
//!
//! Implemented by git trees (`git/`), by a folder (`apply` outside a repository) and by a map (tests).

use std::{collections::BTreeMap, io, sync::Arc};

use crate::{
    id::{BlobId, Hash, TreeId},
    path::RepoPath,
};

/// What a tree entry is; the four kinds git knows below a tree, as its octal modes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Mode {
    /// `100644`
    File,
    /// `100755`
    Executable,
    /// `120000`; the content is the target
    Symlink,
    /// `160000`; the id names a commit of another repository
    Submodule,
}

/// One entry of a listing: what is recorded under a path. Folders are not listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The kind of entry.
    pub mode: Mode,
    /// The blob; for a submodule the commit.
    pub id: BlobId,
}

/// All entries of a tree, sorted by path, without the reserved memory files.
pub type Listing = Vec<(RepoPath, Entry)>;

/// Read access to one state of the repository.
pub trait Snapshot {
    /// Looks up a file, a symlink or a submodule; `None` for folders and what is not there.
    ///
    /// # Errors
    /// When the content cannot be read at all.
    fn entry(&self, path: &RepoPath) -> io::Result<Option<Entry>>;

    /// True where `path` is a folder.
    ///
    /// # Errors
    /// As `entry`.
    fn is_folder(&self, path: &RepoPath) -> io::Result<bool>;

    /// Reads a blob whole.
    ///
    /// # Errors
    /// As `entry`, and when there is no such blob.
    fn read(&self, id: &BlobId) -> io::Result<Vec<u8>>;

    /// Returns how many bytes a blob has, without reading it where that can be known.
    ///
    /// # Errors
    /// As `read`.
    fn size(&self, id: &BlobId) -> io::Result<u64> {
        Ok(u64::try_from(self.read(id)?.len()).unwrap_or(u64::MAX))
    }

    /// Lists every entry.
    ///
    /// # Errors
    /// As `entry`.
    fn listing(&self) -> io::Result<Arc<Listing>>;

    /// Returns the names right below a folder, which is given as the start of its paths: empty, or with `/` at its end.
    ///
    /// # Errors
    /// As `entry`.
    fn names_below(&self, start: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let listing = self.listing()?;
        let from = listing.partition_point(|(path, _)| path.as_bytes() < start);
        let rest = listing
            .iter()
            .skip(from)
            .map_while(|(path, _)| path.as_bytes().strip_prefix(start));
        let names = rest.filter_map(|rest| rest.split(|b| *b == b'/').next());
        let mut names: Vec<Vec<u8>> = names.map(<[u8]>::to_vec).collect();
        names.dedup();
        Ok(names)
    }
}

/// Reads the file or symlink at `path`, if there is one.
///
/// # Errors
/// As `Snapshot::entry`.
pub fn read_path(snapshot: &dyn Snapshot, path: &RepoPath) -> io::Result<Option<Vec<u8>>> {
    match snapshot.entry(path)? {
        Some(Entry {
            mode: Mode::File | Mode::Executable | Mode::Symlink,
            id,
        }) => snapshot.read(&id).map(Some),
        Some(Entry {
            mode: Mode::Submodule, ..
        })
        | None => Ok(None),
    }
}

/// A code tree: a root tree seen without the reserved memory files. Equal when the code is equal.
#[derive(Clone, Copy, Debug, PartialOrd, Ord)]
pub struct CodeTree {
    /// The id that the tree has without the reserved memory files. Such a tree need not be stored.
    pub id: TreeId,
    /// A stored tree that holds this code, with whatever memory files it had when it was made.
    pub root: TreeId,
}

impl PartialEq for CodeTree {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for CodeTree {}

/// What becomes of one path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The path holds these bytes afterwards; for a symlink its target.
    Write {
        /// The bytes, as git stores them.
        content: Vec<u8>,
        /// Never `Submodule`.
        mode: Mode,
    },
    /// The path is gone afterwards.
    Delete,
}

/// What an edit, or an executor's work, makes of a snapshot: one entry per path that differs.
pub type Changes = BTreeMap<RepoPath, Change>;

/// A snapshot made of files in memory; blob ids are our own hash, not git's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapSnapshot {
    files: BTreeMap<RepoPath, (Mode, Vec<u8>)>,
}

impl MapSnapshot {
    /// Returns the snapshot with `content` at `path`. For a symlink the content is its target.
    #[must_use]
    pub fn with(mut self, path: RepoPath, mode: Mode, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path, (mode, content.into()));
        self
    }

    /// Returns what `changes` make of it.
    #[must_use]
    pub fn changed(mut self, changes: &Changes) -> Self {
        for (path, change) in changes {
            match change {
                Change::Write { content, mode } => {
                    self.files.insert(path.clone(), (*mode, content.clone()));
                }
                Change::Delete => {
                    self.files.remove(path);
                }
            }
        }
        self
    }

    /// Returns every path with its mode and content, sorted.
    pub fn files(&self) -> &BTreeMap<RepoPath, (Mode, Vec<u8>)> {
        &self.files
    }

    fn id(content: &[u8]) -> io::Result<BlobId> {
        let id = Hash::of("map-snapshot", [content]).to_string().parse();
        id.map(BlobId).map_err(io::Error::other)
    }
}

impl Snapshot for MapSnapshot {
    fn entry(&self, path: &RepoPath) -> io::Result<Option<Entry>> {
        let entry = |(mode, content): &(Mode, Vec<u8>)| Self::id(content).map(|id| Entry { mode: *mode, id });
        self.files.get(path).map(entry).transpose()
    }

    fn is_folder(&self, path: &RepoPath) -> io::Result<bool> {
        Ok(self
            .files
            .keys()
            .any(|file| file != path && file.parents().any(|folder| folder == *path)))
    }

    fn read(&self, id: &BlobId) -> io::Result<Vec<u8>> {
        for (_, content) in self.files.values() {
            if Self::id(content)? == *id {
                return Ok(content.clone());
            }
        }
        Err(io::Error::other(format!("no blob {id}")))
    }

    fn listing(&self) -> io::Result<Arc<Listing>> {
        let mut listing = Listing::new();
        for (path, (mode, content)) in &self.files {
            let id = Self::id(content)?;
            listing.push((path.clone(), Entry { mode: *mode, id }));
        }
        Ok(Arc::new(listing))
    }
}

/// A snapshot with changes laid over it.
pub struct Overlay<'a> {
    below: &'a dyn Snapshot,
    changes: &'a Changes,
}

impl<'a> Overlay<'a> {
    /// Lays `changes` over `below`.
    pub fn new(below: &'a dyn Snapshot, changes: &'a Changes) -> Self {
        Self { below, changes }
    }

    /// The id that content of ours is found under; no object of a repository has it.
    fn id_of(path: &RepoPath) -> BlobId {
        BlobId(Hash::of("overlay", [path.as_bytes()]).oid())
    }
}

impl Snapshot for Overlay<'_> {
    fn entry(&self, path: &RepoPath) -> io::Result<Option<Entry>> {
        match self.changes.get(path) {
            Some(Change::Write { mode, .. }) => Ok(Some(Entry {
                mode: *mode,
                id: Self::id_of(path),
            })),
            Some(Change::Delete) => Ok(None),
            None => self.below.entry(path),
        }
    }

    fn is_folder(&self, path: &RepoPath) -> io::Result<bool> {
        let ours = self.changes.iter().any(|(at, change)| {
            matches!(change, Change::Write { .. }) && at != path && at.parents().any(|parent| parent == *path)
        });
        Ok(ours || self.below.is_folder(path)?)
    }

    fn read(&self, id: &BlobId) -> io::Result<Vec<u8>> {
        let ours = self.changes.iter().find_map(|(path, change)| match change {
            Change::Write { content, .. } if Self::id_of(path) == *id => Some(content.clone()),
            _ => None,
        });
        ours.map_or_else(|| self.below.read(id), Ok)
    }

    fn listing(&self) -> io::Result<Arc<Listing>> {
        let mut all: BTreeMap<RepoPath, Entry> = self.below.listing()?.iter().cloned().collect();
        for (path, change) in self.changes {
            match change {
                Change::Write { mode, .. } => {
                    all.insert(
                        path.clone(),
                        Entry {
                            mode: *mode,
                            id: Self::id_of(path),
                        },
                    );
                }
                Change::Delete => {
                    all.remove(path);
                }
            }
        }
        Ok(Arc::new(all.into_iter().collect()))
    }
}
