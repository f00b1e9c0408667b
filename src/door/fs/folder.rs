//! `Folder`: a folder outside any repository, read as a `Snapshot`. Nothing is read before somebody asks for it, and no
//! symbolic link is followed.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    door::fs::dir::{Dir, FileKind, Stat},
    id::{BlobId, Hash},
    path::RepoPath,
    snapshot::{Entry, Listing, Mode, Snapshot},
};

/// Most entries that a listing holds; a folder with more is none that an edit is meant for.
const MOST_ENTRIES: usize = 100_000;

/// Largest file that is read, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// A folder read as a snapshot. Ids name a state of a file (path, size, times), not its bytes: nothing need be read to list
/// them.
#[derive(Debug)]
pub struct Folder {
    root: Dir,
    seen: Mutex<HashMap<BlobId, RepoPath>>,
}

impl Folder {
    /// Opens the folder at `path`.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            root: Dir::open(path)?,
            seen: Mutex::default(),
        })
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<BlobId, RepoPath>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stat(&self, path: &RepoPath) -> io::Result<Option<Stat>> {
        match self.root.parent_of(path)? {
            Some(parent) => parent.stat(path.file_name()),
            None => Ok(None),
        }
    }

    fn remember(&self, path: &RepoPath, stat: &Stat) -> io::Result<Option<Entry>> {
        let mode = match stat.kind {
            FileKind::File if stat.mode & 0o100 != 0 => Mode::Executable,
            FileKind::File => Mode::File,
            FileKind::Symlink => Mode::Symlink,
            FileKind::Folder | FileKind::Other => return Ok(None),
        };
        let state = format!(
            "{:?} {} {:?} {:?} {}",
            mode, stat.size, stat.mtime, stat.ctime, stat.ino
        );
        let id = Hash::of("folder-entry", [path.as_bytes(), state.as_bytes()])
            .to_string()
            .parse()
            .map_err(io::Error::other)?;
        self.seen().insert(id, path.clone());
        Ok(Some(Entry { mode, id }))
    }

    fn list(&self, dir: &Dir, prefix: &[u8], into: &mut Listing) -> io::Result<()> {
        for (name, kind) in dir.names()? {
            if name == b".git" {
                continue;
            }
            let mut bytes = prefix.to_vec();
            bytes.extend_from_slice(&name);
            if kind == FileKind::Folder {
                bytes.push(b'/');
                self.list(&dir.folder(&name)?, &bytes, into)?;
                continue;
            }
            let path = RepoPath::from_git(bytes);
            if let Some(stat) = dir.stat(&name)?
                && let Some(entry) = self.remember(&path, &stat)?
            {
                into.push((path, entry));
            }
            if into.len() > MOST_ENTRIES {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    format!("the folder holds more than {MOST_ENTRIES} files"),
                ));
            }
        }
        Ok(())
    }
}

impl Snapshot for Folder {
    fn entry(&self, path: &RepoPath) -> io::Result<Option<Entry>> {
        match self.stat(path)? {
            Some(stat) => self.remember(path, &stat),
            None => Ok(None),
        }
    }

    fn is_folder(&self, path: &RepoPath) -> io::Result<bool> {
        Ok(self.stat(path)?.is_some_and(|stat| stat.kind == FileKind::Folder))
    }

    fn read(&self, id: &BlobId) -> io::Result<Vec<u8>> {
        let path = self.seen().get(id).cloned().ok_or(io::ErrorKind::NotFound)?;
        let parent = self.root.parent_of(&path)?.ok_or(io::ErrorKind::NotFound)?;
        if parent
            .stat(path.file_name())?
            .is_some_and(|stat| stat.size > MOST_BYTES)
        {
            let why = format!("it is larger than {} MiB", MOST_BYTES >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        parent.read(path.file_name())
    }

    fn names_below(&self, start: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let inside = RepoPath::from_git([start, b"x"].concat());
        let Some(dir) = self.root.parent_of(&inside)? else {
            return Ok(Vec::new());
        };
        Ok(dir.names()?.into_iter().map(|(name, _)| name).collect())
    }

    fn listing(&self) -> io::Result<Arc<Listing>> {
        let mut listing = Listing::new();
        self.list(&self.root, b"", &mut listing)?;
        listing.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Arc::new(listing))
    }
}
