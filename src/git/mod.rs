//! git: the only module that knows gix. Free functions over [`Repo`], one file per kind of thing.
//! Owns how objects, refs, notes and commits are read and written; decides nothing. Ids and trees are row 1 types.

pub mod advance;
pub mod attempts;
pub mod attributes;
pub mod branch;
pub mod checkout;
pub mod claims;
pub mod codetree;
pub mod command;
pub mod commit;
pub mod config;
pub mod diff;
pub mod disk;
pub mod forward;
pub mod history;
pub mod locks;
pub mod merge;
pub mod notes;
pub mod objects;
pub mod past;
pub mod refs;
pub mod remote;
pub mod staged;
pub mod tape;
pub mod tree;

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use crate::{
    git::disk::Disk,
    id::{CommitId, Oid},
};

/// An open repository, for one thread.
#[derive(Clone)]
pub struct Repo {
    pub(crate) gix: gix::Repository,
    pub(crate) disk: Disk,
}

/// A git operation that did not work, and what it was about.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct GitError {
    what: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What every function of this module returns.
pub type Result<T> = std::result::Result<T, GitError>;

impl GitError {
    /// Makes an error that has no cause below it.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            source: None,
        }
    }

    /// Makes an error of `source`, which happened while doing `what`.
    pub fn of(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            what: what.into(),
            source: Some(source.into()),
        }
    }
}

impl From<GitError> for std::io::Error {
    fn from(error: GitError) -> Self {
        Self::other(error)
    }
}

/// Adds to an error what was being done.
pub(crate) trait Doing<T> {
    /// Wraps the error, if it is one.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| GitError::of(what(), source))
    }
}

/// Why a repository cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither this folder nor one above it is a repository.
    #[error("not in a git repository: {}", .0.display())]
    NotARepository(PathBuf),
    /// The ref storage is one that gix cannot read: it would see no branches at all.
    #[error("the repository stores its refs as `{0}`, which is not supported")]
    RefStorage(String),
    /// Another user owns it; git would refuse too.
    #[error("the repository belongs to another user: {}", .0.display())]
    Untrusted(PathBuf),
    /// Anything else.
    #[error("the repository cannot be opened")]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

/// An open repository, for all threads.
#[derive(Clone)]
pub struct Shared {
    gix: gix::ThreadSafeRepository,
    disk: Disk,
}

impl Shared {
    /// Returns a handle for this thread.
    pub fn repo(&self) -> Repo {
        let mut gix = self.gix.to_thread_local();
        gix.object_cache_size(32 * 1024 * 1024);
        let disk = self.disk.clone();
        Repo { gix, disk }
    }

    /// Opens the repository of `dir`, or the one that `GIT_DIR` names. `overrides` are `key=value` as of `git -c`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(dir: &Path, overrides: Vec<String>) -> std::result::Result<Self, OpenError> {
        // gix waits 100 ms for a ref by default: too little next to a user's `git gc`. `refs` tries a few times, too.
        let patient = ["core.filesRefLockTimeout=2000", "core.packedRefsTimeout=2000"];
        let options = gix::open::Options::default()
            .config_overrides(patient)
            .cli_overrides(overrides)
            .bail_if_untrusted(true);
        let trust = gix::sec::trust::Mapping {
            full: options.clone(),
            reduced: options,
        };
        let opened = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
            dir,
            gix::discover::upwards::Options {
                match_ceiling_dir_or_error: false,
                ..Default::default()
            },
            trust,
        );
        let gix = match opened {
            Ok(gix) => gix,
            Err(error) => return Err(open_error(dir, error)),
        };
        if let Some(storage) = gix.to_thread_local().config_snapshot().string("extensions.refStorage")
            && storage.as_slice() != b"files"
        {
            return Err(OpenError::RefStorage(storage.to_string()));
        }
        let disk = Disk::default();
        Ok(Self { gix, disk })
    }
}

impl Repo {
    /// True where the commit is stored here; a shallow clone lacks some.
    pub fn has(&self, commit: CommitId) -> bool {
        self.gix.has_object(gix_id(commit.0))
    }

    /// Returns a handle whose new objects stay in memory: read back by it alone, and gone with it.
    #[must_use]
    pub fn in_memory(&self) -> Self {
        let (mut gix, disk) = (self.gix.clone(), Disk::default());
        // Beginning anew would drop what is in memory already.
        if gix.objects.num_objects_in_memory() == 0 {
            gix = gix.with_object_memory();
        }
        Self { gix, disk }
    }

    /// Returns a handle that reads each object as it is stored, whatever `refs/replace` has stand for it.
    #[must_use]
    pub fn as_stored(mut self) -> Self {
        self.gix.objects.ignore_replacements = true;
        self
    }

    /// Returns how many bytes an object id has, 20 or 32.
    pub fn id_bytes(&self) -> usize {
        self.gix.object_hash().len_in_bytes()
    }

    /// Returns the folder of the checkout, if there is one.
    pub fn workdir(&self) -> Option<&Path> {
        self.gix.workdir()
    }

    /// Returns the git directory that all worktrees share.
    pub fn common_dir(&self) -> &Path {
        self.gix.common_dir()
    }

    /// True where history was cut short, as by `git clone --depth`.
    pub fn is_shallow(&self) -> bool {
        self.gix.is_shallow().unwrap_or(false)
    }

    /// Returns the git directory of this worktree.
    pub fn git_dir(&self) -> &Path {
        self.gix.git_dir()
    }

    /// Names an operation that stands half done in this worktree, such as a rebase or a merge.
    pub fn operation_in_progress(&self) -> Option<&'static str> {
        use gix::state::InProgress as On;
        self.gix.state().map(|state| match state {
            On::ApplyMailbox | On::ApplyMailboxRebase => "an `am`",
            On::Bisect => "a bisect",
            On::CherryPick | On::CherryPickSequence => "a cherry-pick",
            On::Merge => "a merge",
            On::Rebase | On::RebaseInteractive => "a rebase",
            On::Revert | On::RevertSequence => "a revert",
        })
    }

    /// Opens the same repository again, so that packs and refs are seen as they are on disk now.
    ///
    /// # Errors
    /// When it cannot be opened any more.
    pub fn reopened(&self) -> Result<Self> {
        let opened = gix::open_opts(self.gix.git_dir(), self.gix.open_options().clone());
        let gix = opened.doing(|| "opening the repository again".into())?;
        let disk = self.disk.clone();
        Ok(Self { gix, disk })
    }
}

fn open_error(dir: &Path, error: gix::Error) -> OpenError {
    if error.dominant_class() == Some(gix::error::Class::NotFound) {
        OpenError::NotARepository(dir.to_owned())
    } else if error.dominant_class() == Some(gix::error::Class::PermissionDenied) {
        OpenError::Untrusted(dir.to_owned())
    } else {
        OpenError::Other(error.into())
    }
}

/// Turns one of our ids into gix's. All ids of this crate came from gix or were parsed at 20 or 32 bytes.
pub(crate) fn gix_id(oid: Oid) -> gix::ObjectId {
    gix::ObjectId::try_from(oid.as_bytes()).unwrap_or_else(|_| gix::ObjectId::null(gix::hash::Kind::Sha1))
}

/// Turns one of gix's ids into ours.
pub(crate) fn oid(id: &gix::oid) -> Oid {
    Oid::from_bytes(id.as_bytes()).unwrap_or_else(null)
}

fn null() -> Oid {
    Oid::from_bytes(&[0; 20]).unwrap_or_else(null)
}
