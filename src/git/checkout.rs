//! Trees on their way to a folder: what two of them differ in, writing files with the filters that a checkout applies, and
//! which paths git would ignore.
//!
//! Attributes and ignore rules are read from the tree alone, never from the folder: a check may have changed those there.
//! Keeps no state; what a folder holds already is `slot`'s to know.

use std::{
    io::{self, Read as _},
    path::Path,
    sync::atomic::AtomicBool,
};

use gix::{
    attrs::StateRef,
    bstr::ByteSlice as _,
    filter::plumbing::{
        driver::apply::{Delay, MaybeDelayed},
        pipeline::convert::{ToGitOutcome, ToWorktreeOutcome, to_worktree},
    },
    index::{
        State,
        entry::{Flags, Mode as IndexMode},
    },
    progress::Discard,
    worktree::stack::state::{attributes, ignore},
};

use crate::{
    door::point,
    fault::point::Point,
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
    let outcome = point::at(Point::FilesLaid, || {
        gix::worktree::state::checkout(
            &mut index,
            folder,
            objects,
            &Discard,
            &Discard,
            &AtomicBool::new(false),
            options,
        )
        .map_err(failed)
    })?;
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

/// Knows what a checkout would have put into files, and what a commit would take from them.
pub struct Content<'r> {
    repo: &'r Repo,
    rules: Vec<(RepoPath, Entry)>,
    pipeline: gix::filter::Pipeline<'r>,
    attributes: gix::AttributeStack<'r>,
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
        let attributes = repo
            .gix
            .attributes_only(&index, attributes::Source::IdMapping)
            .map_err(failed)?;
        Ok(Self {
            repo,
            rules: rules.to_vec(),
            pipeline,
            attributes,
        })
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

    /// As `is`, and runs the filter program where there is one.
    ///
    /// # Errors
    /// As `is`, and when the program fails.
    pub fn is_filtered(&mut self, path: &RepoPath, entry: &Entry, bytes: &[u8]) -> io::Result<bool> {
        if entry.mode == Mode::Symlink || self.program(path)?.is_none() {
            return self.is(path, entry, bytes);
        }
        let blob = self.pipeline.repo.find_blob(object_id(entry.id.0)?).map_err(failed)?;
        let options = to_worktree::Options {
            can_delay: Delay::Forbid,
            unknown_encoding: to_worktree::UnknownEncoding::Ignore,
        };
        let path = path.as_bytes().as_bstr();
        let mut written = Vec::new();
        match self
            .pipeline
            .convert_to_worktree(&blob.data, path, options)
            .map_err(failed)?
        {
            ToWorktreeOutcome::Unchanged(same) | ToWorktreeOutcome::Buffer(same) => written.extend_from_slice(same),
            ToWorktreeOutcome::Process(MaybeDelayed::Immediate(mut out)) => {
                out.read_to_end(&mut written)?;
            }
            ToWorktreeOutcome::Process(MaybeDelayed::Delayed(_)) => return Ok(false),
        }
        Ok(written == bytes)
    }

    /// Returns what a commit stores of a file that holds `bytes`: line endings and encoding undone. `known` is what the
    /// tree has there. `None` where a program of the user's own configuration would have to be run on them.
    ///
    /// # Errors
    /// When attributes cannot be read, or the bytes are not in the encoding that they say.
    pub fn stored(&mut self, path: &RepoPath, known: Option<&Entry>, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        if self.program(path)?.is_some() {
            return Ok(None);
        }
        let known: Vec<(RepoPath, Entry)> = known.map(|entry| (path.clone(), *entry)).into_iter().collect();
        let index = index_of(self.repo, &self.rules, &known)?;
        let place = path.below(Path::new(""));
        match self.pipeline.convert_to_git(bytes, &place, &index).map_err(failed)? {
            ToGitOutcome::Unchanged(_) => Ok(Some(bytes.to_vec())),
            ToGitOutcome::Buffer(stored) => Ok(Some(stored.to_vec())),
            ToGitOutcome::Process(_) => Ok(None),
        }
    }

    /// Returns the name of the filter program that `path` goes through, if one is configured.
    fn program(&mut self, path: &RepoPath) -> io::Result<Option<String>> {
        let mut found = self.attributes.selected_attribute_matches(["filter"]);
        let platform = self
            .attributes
            .at_entry(path.as_bytes().as_bstr(), None)
            .map_err(failed)?;
        platform.matching_attributes(&mut found);
        let named = found.iter_selected().find_map(|one| match one.assignment.state {
            StateRef::Value(value) => Some(value.as_bstr().to_string()),
            _ => None,
        });
        let config = self.repo.gix.config_snapshot();
        let is_there = |name: &String| {
            let keys = ["clean", "smudge", "process"].map(|key| format!("filter.{name}.{key}"));
            keys.iter().any(|key| config.string(key.as_str()).is_some())
        };
        Ok(named.filter(is_there))
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
