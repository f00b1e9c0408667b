//! Trees on their way to a folder: what two of them differ in, writing files with the filters that a checkout applies, and
//! which paths git would ignore.
//!
//! Attributes and ignore rules are read from the tree alone, never from the folder: a check may have changed those there.
//! Keeps no state; what a folder holds already is `slot`'s to know.

use std::{io, path::Path, sync::atomic::AtomicBool};

use gix::{
    bstr::ByteSlice as _,
    filter::plumbing::{driver::apply::Delay, pipeline::convert::to_worktree},
    index::{
        State,
        entry::{Flags, Mode as IndexMode},
    },
    progress::Discard,
    worktree::stack::state::{attributes, ignore},
};

use crate::{
    git::Repo,
    id::Oid,
    path::RepoPath,
    snapshot::{Entry, Mode},
};

/// Fewer files than this are written by one thread: starting more costs more than it saves.
const FEW_FILES: usize = 200;

/// Writes `files` below `folder` as a checkout would: line endings, filters of the user's own configuration, executable bits,
/// symbolic links. `rules` holds all `.gitattributes` of the tree. Nothing may be in the place of a file; folders above are
/// made, and take the place of a file or link. Submodules are left out.
///
/// # Errors
/// When an object is missing, a filter fails or a file cannot be written. Some files may have been written then.
pub fn write(repo: &Repo, folder: &Path, rules: &[(RepoPath, Entry)], files: &[(RepoPath, Entry)]) -> io::Result<()> {
    let mut index = index_of(repo, rules, files)?;
    // The index holds only what changes. Attribute files that do not change stand in it as skipped: with attributes read from
    // the ids in the index, leaving them out would silently drop filters and line endings.
    let mut options = repo
        .gix
        .checkout_options(attributes::Source::IdMapping)
        .map_err(failed)?;
    options.overwrite_existing = true;
    options.destination_is_initially_empty = false;
    if files.len() < FEW_FILES {
        options.thread_limit = Some(1);
    }
    let objects = repo.gix.objects.clone().into_arc()?;
    let outcome = gix::worktree::state::checkout(
        &mut index,
        folder,
        objects,
        &Discard,
        &Discard,
        &AtomicBool::new(false),
        options,
    )
    .map_err(failed)?;
    let unwritten = outcome
        .collisions
        .into_iter()
        .map(|collision| collision.path)
        .chain(outcome.errors.into_iter().map(|error| error.path))
        .chain(outcome.delayed_paths_unprocessed)
        .next();
    match unwritten {
        None => Ok(()),
        Some(path) => Err(io::Error::other(format!(
            "`{}` could not be checked out",
            RepoPath::from_git(path)
        ))),
    }
}

/// Knows what a checkout would have put into files.
pub struct Content<'r> {
    pipeline: gix::filter::Pipeline<'r>,
}

impl<'r> Content<'r> {
    /// Prepares for a tree; `rules` holds all its `.gitattributes`.
    ///
    /// # Errors
    /// When the configuration of a filter cannot be read.
    pub fn new(repo: &'r Repo, rules: &[(RepoPath, Entry)]) -> io::Result<Self> {
        let index = index_of(repo, rules, &[])?;
        let attributes = repo
            .gix
            .attributes_only(&index, attributes::Source::IdMapping)
            .map_err(failed)?;
        let pipeline = gix::filter::Pipeline::new(&repo.gix, attributes.detach()).map_err(failed)?;
        Ok(Self { pipeline })
    }

    /// True where `bytes` are what a checkout writes for `entry` at `path`. What a filter program makes is never taken for
    /// the same: running it costs as much as writing the file again.
    ///
    /// # Errors
    /// When the blob is missing or its attributes cannot be read.
    pub fn is(&mut self, path: &RepoPath, entry: &Entry, bytes: &[u8]) -> io::Result<bool> {
        let blob = self.pipeline.repo.find_blob(object_id(entry.id.0)?).map_err(failed)?;
        if entry.mode == Mode::Symlink {
            return Ok(blob.data == bytes);
        }
        let options = to_worktree::Options {
            can_delay: Delay::Forbid,
            unknown_encoding: to_worktree::UnknownEncoding::Ignore,
        };
        let converted = self
            .pipeline
            .convert_to_worktree(&blob.data, path.as_bytes().as_bstr(), options)
            .map_err(failed)?;
        Ok(converted.as_bytes() == Some(bytes))
    }
}

/// Knows which paths git ignores: by the `.gitignore` files of a tree, the user's `core.excludesFile` and `info/exclude`.
pub struct Ignores<'r> {
    stack: gix::AttributeStack<'r>,
}

impl<'r> Ignores<'r> {
    /// Prepares for a tree; `rules` holds all its `.gitignore` files.
    ///
    /// # Errors
    /// When the user's ignore files cannot be read.
    pub fn new(repo: &'r Repo, rules: &[(RepoPath, Entry)]) -> io::Result<Self> {
        let index = index_of(repo, rules, &[])?;
        let stack = repo
            .gix
            .excludes(&index, None, ignore::Source::IdMapping)
            .map_err(failed)?;
        Ok(Self { stack })
    }

    /// True where `path` or a folder above it is ignored.
    ///
    /// # Errors
    /// When an ignore file of the tree is missing.
    pub fn cover(&mut self, path: &[u8], is_folder: bool) -> io::Result<bool> {
        let mode = if is_folder { IndexMode::DIR } else { IndexMode::FILE };
        let platform = self.stack.at_entry(path.as_bstr(), Some(mode)).map_err(failed)?;
        Ok(platform.is_excluded())
    }
}

/// Makes an index of `files`, and of `rules` as skipped entries where they are not among the files.
fn index_of(repo: &Repo, rules: &[(RepoPath, Entry)], files: &[(RepoPath, Entry)]) -> io::Result<State> {
    let mut index = State::new(repo.gix.object_hash());
    let mut push = |path: &RepoPath, entry: &Entry, flags| -> io::Result<()> {
        let mode = match entry.mode {
            Mode::File => IndexMode::FILE,
            Mode::Executable => IndexMode::FILE_EXECUTABLE,
            Mode::Symlink => IndexMode::SYMLINK,
            Mode::Submodule => return Ok(()),
        };
        let id = object_id(entry.id.0)?;
        index.dangerously_push_entry(Default::default(), id, flags, mode, path.as_bytes().as_bstr());
        Ok(())
    };
    for (path, entry) in files {
        push(path, entry, Flags::empty())?;
    }
    for (path, entry) in rules {
        if !files.iter().any(|(written, _)| written == path) {
            push(path, entry, Flags::SKIP_WORKTREE)?;
        }
    }
    index.sort_entries();
    Ok(index)
}

fn object_id(id: Oid) -> io::Result<gix::ObjectId> {
    gix::ObjectId::try_from(id.as_bytes()).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}
