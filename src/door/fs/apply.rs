//! Writes `Changes` to a folder: all of them, or none as far as a file system allows. New contents are written beside
//! their places first, then everything moves, then the old contents go; an error on the way undoes what was done.

use std::{io, path::Path};

use crate::{
    door::fs::{
        dir::{Dir, FileKind, Stat},
        temporary_name,
    },
    path::RepoPath,
    snapshot::{Change, Changes, Mode},
};

/// Applies `changes` below `root`. Permission bits of existing files stay, but for the executable one. Symbolic links are
/// replaced, never followed. Folders that become empty stay.
///
/// # Errors
/// Names the path that was refused (a folder, pipe or device in the place, a read-only file or one with further names, a link
/// on the way, nothing to delete) or could not be written. Then everything is as it was.
pub fn apply_changes(root: &Path, changes: &Changes) -> io::Result<()> {
    let root = Dir::open(root)?;
    let mut done = Work::default();
    match stage_and_move(&root, changes, &mut done) {
        Ok(()) => {
            done.keep();
            Ok(())
        }
        Err(error) => {
            done.undo();
            Err(error)
        }
    }
}

fn stage_and_move(root: &Dir, changes: &Changes, work: &mut Work) -> io::Result<()> {
    let (in_the_way, others): (Vec<_>, Vec<_>) = changes.iter().partition(|(path, _)| makes_way(path, changes));
    for (path, change) in in_the_way {
        let mut step = Step::stage(root, path, change, &mut work.folders).map_err(|error| about(path, &error))?;
        let done = step.perform();
        work.steps.push((path.clone(), step));
        done.map_err(|error| about(path, &error))?;
    }
    let first = work.steps.len();
    for (path, change) in others {
        let step = Step::stage(root, path, change, &mut work.folders).map_err(|error| about(path, &error))?;
        work.steps.push((path.clone(), step));
    }
    let staged = work.steps.iter_mut().skip(first);
    let (writes, deletes): (Vec<_>, Vec<_>) = staged.partition(|(_, step)| step.fresh.is_some());
    for (path, step) in writes.into_iter().chain(deletes) {
        step.perform().map_err(|error| about(path, &error))?;
    }
    Ok(())
}

/// True for a file that goes and whose name a folder gets.
fn makes_way(path: &RepoPath, changes: &Changes) -> bool {
    let mut after = changes.range(path.clone()..).skip(1);
    matches!(changes.get(path), Some(Change::Delete))
        && after.any(|(other, change)| *change != Change::Delete && other.parents().any(|folder| folder == *path))
}

fn about(path: &RepoPath, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot change `{path}`: {error}"))
}

/// What was staged and moved so far, and the folders made for it.
#[derive(Default)]
struct Work {
    steps: Vec<(RepoPath, Step)>,
    folders: Vec<(Dir, Vec<u8>)>,
}

impl Work {
    fn keep(self) {
        for (_, step) in self.steps {
            if let Some(old) = step.old {
                let _ = step.parent.unlink(&old);
            }
        }
    }

    fn undo(self) {
        let (deleted, written): (Vec<_>, Vec<_>) = self.steps.into_iter().partition(|(_, step)| step.is_deleted());
        for (_, step) in written.into_iter().rev() {
            step.undo();
        }
        for (parent, name) in self.folders.into_iter().rev() {
            let _ = parent.remove_if_empty(&name);
        }
        for (_, step) in deleted.into_iter().rev() {
            step.undo();
        }
    }
}

/// Says why what is there is left alone: writing anew would undo what its owner meant by it.
fn unfit(there: Stat) -> Option<&'static str> {
    match there.kind {
        FileKind::Symlink => None,
        FileKind::File if there.mode & 0o222 == 0 => Some("it is read-only"),
        FileKind::File if there.shared => Some("it has further names (hard links), which would keep the old content"),
        FileKind::File => None,
        FileKind::Folder | FileKind::Other => Some("what is there is neither a file nor a link"),
    }
}

/// One path on its way.
struct Step {
    parent: Dir,
    name: Vec<u8>,
    /// The new content, under a temporary name; absent for a deletion, and once it has moved.
    fresh: Option<Vec<u8>>,
    /// Where the old content waits for the end, under a temporary name.
    old: Option<Vec<u8>>,
    existed: bool,
    moved: bool,
}

impl Step {
    fn stage(root: &Dir, path: &RepoPath, change: &Change, folders: &mut Vec<(Dir, Vec<u8>)>) -> io::Result<Self> {
        let name = path.file_name().to_vec();
        let parent = match change {
            Change::Write { .. } => parent_made(root, path, folders)?,
            Change::Delete => root.parent_of(path)?.ok_or(io::ErrorKind::NotFound)?,
        };
        let existing = parent.stat(&name)?;
        if let Some(why) = existing.and_then(unfit) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
        }
        let fresh = match change {
            Change::Write { content, mode } => Some(write_beside(&parent, content, *mode, existing)?),
            Change::Delete if existing.is_none() => return Err(io::ErrorKind::NotFound.into()),
            Change::Delete => None,
        };
        Ok(Self {
            parent,
            name,
            fresh,
            old: None,
            existed: existing.is_some(),
            moved: false,
        })
    }

    /// Exchanging two names leaves no moment without the file; file systems that cannot get two renames.
    fn perform(&mut self) -> io::Result<()> {
        let Some(fresh) = self.fresh.clone() else {
            return self.set_aside();
        };
        if self.existed && self.parent.exchange(&fresh, &self.name)? {
            self.old = Some(fresh);
        } else {
            if self.existed {
                self.set_aside()?;
            }
            self.parent.rename(&fresh, &self.name)?;
        }
        self.fresh = None;
        self.moved = true;
        Ok(())
    }

    fn is_deleted(&self) -> bool {
        self.old.is_some() && self.fresh.is_none() && !self.moved
    }

    fn set_aside(&mut self) -> io::Result<()> {
        let old = temporary_name().into_bytes();
        self.parent.rename(&self.name, &old)?;
        self.old = Some(old);
        Ok(())
    }

    fn undo(self) {
        if let Some(fresh) = &self.fresh {
            let _ = self.parent.unlink(fresh);
        }
        if let Some(old) = &self.old {
            let _ = self.parent.rename(old, &self.name);
        } else if self.moved {
            let _ = self.parent.unlink(&self.name);
        }
    }
}

fn parent_made(root: &Dir, path: &RepoPath, made: &mut Vec<(Dir, Vec<u8>)>) -> io::Result<Dir> {
    let mut dir = root.clone_handle()?;
    let mut names = path.names().peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            break;
        }
        if dir.stat(name)?.is_none() {
            made.push((dir.clone_handle()?, name.to_vec()));
        }
        dir = dir.make_folder(name)?;
    }
    Ok(dir)
}

fn write_beside(parent: &Dir, content: &[u8], mode: Mode, existing: Option<Stat>) -> io::Result<Vec<u8>> {
    let name = temporary_name().into_bytes();
    let executable = match mode {
        Mode::File => false,
        Mode::Executable => true,
        Mode::Symlink => {
            parent.symlink(&name, content)?;
            return Ok(name);
        }
        Mode::Submodule => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a submodule is no file"));
        }
    };
    match existing.filter(|stat| stat.kind == FileKind::File) {
        None => parent.create(&name, content, if executable { 0o777 } else { 0o666 })?,
        Some(stat) => {
            parent.create(&name, content, 0o600)?;
            let kept = if executable {
                stat.mode | (stat.mode & 0o444) >> 2
            } else {
                stat.mode & !0o111
            };
            if let Err(error) = parent.set_mode(&name, kept & 0o777) {
                let _ = parent.unlink(&name);
                return Err(error);
            }
        }
    }
    Ok(name)
}
