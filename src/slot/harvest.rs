//! The harvest: one walk over a slot that an executor worked in, and what of it differs from the tree that was laid there.
//!
//! As the dirty pass looks with one `stat` per file and reads only where that tells too little. Changes nothing; what of
//! it may be used is the guard's to say.

use std::{io, ops::Range, path::Path};

use crate::{
    door::fs::dir::{Dir, FileKind, Stat},
    git::{
        Repo,
        checkout::{Content, Ignores},
        codetree,
    },
    path::RepoPath,
    slot::{
        dirty::{Expected, expected_in},
        laid::{self, Laid},
    },
    snapshot::{Change, Changes, Mode},
};

/// Largest file that is taken, in bytes.
const MOST_FILE: u64 = 4 << 20;
/// Most bytes that are taken in all.
const MOST_BYTES: u64 = 16 << 20;
/// Most paths that may differ.
const MOST_PATHS: usize = 5_000;
/// Deepest folder that is looked into.
const MOST_DEPTH: usize = 200;

/// Why what was done in a slot cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum HarvestError {
    /// The slot cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// One path cannot be taken.
    #[error("{path}: {why}")]
    Unfit {
        /// The path.
        path: RepoPath,
        /// Lower case, no full stop.
        why: String,
    },
    /// All of it is too much.
    #[error("{0}")]
    TooMuch(String),
}

/// Returns what differs from `laid` in `folder`. `stamp` is when the slot was given away.
pub(in crate::slot) fn changes(
    repo: &Repo,
    folder: &Path,
    laid: &[Laid],
    stamp: (i64, u32),
) -> Result<Changes, HarvestError> {
    let mut walk = Walk {
        laid,
        stamp,
        content: Content::new(repo, &laid::named(laid, ".gitattributes"))?,
        ignores: Ignores::new(repo, &laid::named(laid, ".gitignore"))?,
        changes: Changes::new(),
        bytes: 0,
    };
    walk.folder(&Dir::open(folder)?, &mut Vec::new(), 0..laid.len())?;
    Ok(walk.changes)
}

struct Walk<'a> {
    laid: &'a [Laid],
    stamp: (i64, u32),
    content: Content<'a>,
    ignores: Ignores<'a>,
    changes: Changes,
    bytes: u64,
}

impl Walk<'_> {
    /// Compares a folder with the items in `range`, which all lie below it. `path` is empty, or ends with a slash.
    fn folder(&mut self, dir: &Dir, path: &mut Vec<u8>, range: Range<usize>) -> Result<(), HarvestError> {
        let laid = self.laid;
        let mut expected = expected_in(laid, path.len(), range);
        for (name, kind) in dir.names()? {
            match expected.remove(name.as_slice()) {
                Some(Expected::Item(at)) => self.item(dir, path, &name, at)?,
                Some(Expected::Folder(range)) if kind == FileKind::Folder => {
                    self.below(dir, path, &name, range)?;
                }
                Some(Expected::Folder(range)) => {
                    self.gone(range)?;
                    self.untracked(dir, path, &name, kind)?;
                }
                None => self.untracked(dir, path, &name, kind)?,
            }
        }
        for missing in expected.into_values() {
            match missing {
                Expected::Item(at) => self.gone(at..at + 1)?,
                Expected::Folder(range) => self.gone(range)?,
            }
        }
        Ok(())
    }

    fn below(&mut self, dir: &Dir, path: &mut Vec<u8>, name: &[u8], range: Range<usize>) -> Result<(), HarvestError> {
        let length = path.len();
        path.extend_from_slice(name);
        path.push(b'/');
        if path.iter().filter(|byte| **byte == b'/').count() > MOST_DEPTH {
            return Err(unfit(path, "it lies too deep"));
        }
        let inside = dir.folder(name)?;
        let walked = self.folder(&inside, path, range);
        path.truncate(length);
        walked
    }

    /// A submodule is another repository: whatever happened in it is none of ours.
    fn gone(&mut self, range: Range<usize>) -> Result<(), HarvestError> {
        let laid = self.laid;
        for item in laid.get(range).unwrap_or_default() {
            if item.entry.mode != Mode::Submodule {
                self.take(item.path.clone(), Change::Delete)?;
            }
        }
        Ok(())
    }

    fn item(&mut self, dir: &Dir, path: &mut Vec<u8>, name: &[u8], at: usize) -> Result<(), HarvestError> {
        let laid = self.laid;
        let Some(item) = laid.get(at) else { return Ok(()) };
        if item.entry.mode == Mode::Submodule {
            return Ok(());
        }
        let Some(stat) = dir.stat(name)? else {
            return self.gone(at..at + 1);
        };
        if item.is_as_written(&stat, self.stamp) {
            return Ok(());
        }
        match stat.kind {
            FileKind::File | FileKind::Symlink => {}
            FileKind::Other => return self.gone(at..at + 1),
            FileKind::Folder => {
                self.gone(at..at + 1)?;
                return self.below(dir, path, name, 0..0);
            }
        }
        let bytes = read(dir, &item.path, &stat)?;
        let mode = mode_of(&stat);
        if mode == item.entry.mode && self.content.is_filtered(&item.path, &item.entry, &bytes)? {
            return Ok(());
        }
        self.write(item.path.clone(), mode, &bytes, Some(item))
    }

    fn untracked(&mut self, dir: &Dir, path: &mut Vec<u8>, name: &[u8], kind: FileKind) -> Result<(), HarvestError> {
        let mut full = path.clone();
        full.extend_from_slice(name);
        let is_folder = kind == FileKind::Folder;
        // A pipe or a socket is nothing that git would store.
        if name == b".git" || kind == FileKind::Other || self.ignores.cover(&full, is_folder)? {
            return Ok(());
        }
        if is_folder {
            return self.below(dir, path, name, 0..0);
        }
        let place = RepoPath::from_git(full);
        if codetree::is_reserved(&place) {
            return Ok(());
        }
        let Some(stat) = dir.stat(name)? else { return Ok(()) };
        let bytes = read(dir, &place, &stat)?;
        self.write(place, mode_of(&stat), &bytes, None)
    }

    fn write(&mut self, path: RepoPath, mode: Mode, bytes: &[u8], known: Option<&Laid>) -> Result<(), HarvestError> {
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.bytes > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            return Err(HarvestError::TooMuch(format!(
                "the changed files hold more than {most} MiB"
            )));
        }
        let content = if mode == Mode::Symlink {
            bytes.to_vec()
        } else {
            let entry = known
                .map(|item| &item.entry)
                .filter(|entry| entry.mode != Mode::Symlink);
            match self.content.stored(&path, entry, bytes) {
                Ok(Some(content)) => content,
                Ok(None) => {
                    return Err(unfit(
                        path.as_bytes(),
                        "it is stored through a filter program, which is not run on it",
                    ));
                }
                Err(error) => return Err(unfit(path.as_bytes(), &error.to_string())),
            }
        };
        self.take(path, Change::Write { content, mode })
    }

    fn take(&mut self, path: RepoPath, change: Change) -> Result<(), HarvestError> {
        self.changes.insert(path, change);
        if self.changes.len() > MOST_PATHS {
            return Err(HarvestError::TooMuch(format!("more than {MOST_PATHS} files changed")));
        }
        Ok(())
    }
}

/// Its size is looked at before its content.
fn read(dir: &Dir, path: &RepoPath, stat: &Stat) -> Result<Vec<u8>, HarvestError> {
    if stat.size > MOST_FILE {
        let (size, most) = (stat.size >> 20, MOST_FILE >> 20);
        return Err(unfit(
            path.as_bytes(),
            &format!("it has {size} MiB, and {most} are the most"),
        ));
    }
    dir.read(path.file_name())
        .map_err(|error| unfit(path.as_bytes(), &format!("it cannot be read: {error}")))
}

fn mode_of(stat: &Stat) -> Mode {
    match stat.kind {
        FileKind::Symlink => Mode::Symlink,
        _ if stat.mode & 0o100 != 0 => Mode::Executable,
        _ => Mode::File,
    }
}

fn unfit(path: &[u8], why: &str) -> HarvestError {
    HarvestError::Unfit {
        path: RepoPath::from_git(path),
        why: why.to_owned(),
    }
}
