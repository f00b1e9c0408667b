//! Slots: fixed folders outside the repository where checks run, or where executors work. Updated in place, so that caches stay warm: what git
//! ignores (`target/`, `node_modules/`) survives, everything else is exactly the code tree.
//!
//! A slot has a lock (freed by the kernel when its holder dies), a state file and, between two processes, a list of what was
//! written. Runs no checks and decides nothing about them.

mod copy;
mod dirty;
mod fill;
mod gitdir;
pub mod harvest;
mod laid;
pub mod lease;
pub mod reports;
mod state;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use crate::{
    door::fs::{
        self, Lock,
        dir::{Dir, FileKind},
    },
    git::Repo,
    path::RepoPath,
    slot::{
        harvest::HarvestError,
        laid::Laid,
        state::{Phase, State},
    },
    snapshot::{Changes, CodeTree},
};

/// The stamp of a slot that no check had since it was compared: every `stat` that is known may be believed.
const NOBODY_WAS_HERE: (i64, u32) = (i64::MAX, 0);

/// A slot in our hands.
#[derive(Debug)]
pub struct Slot {
    folder: PathBuf,
    state_file: PathBuf,
    list_file: PathBuf,
    state: State,
    /// What was written, sorted by path; absent where that is not known.
    laid: Option<Vec<Laid>>,
    /// Whether the whole folder was compared with `laid` since the lock was taken.
    verified: bool,
    /// When the slot was last given away, by the file system's clock. A file that changed no earlier may have changed again
    /// within the same tick.
    stamp: (i64, u32),
    _lock: Lock,
}

impl Slot {
    /// Returns the folder where checks run.
    pub fn root(&self) -> &Path {
        &self.folder
    }

    /// True where it was last filled with `tree`.
    pub fn holds(&self, tree: CodeTree) -> bool {
        self.state.code == Some(tree.id)
    }

    /// Makes the slot hold `tree`, and gives it away to checks: from now on anything may happen in it until `restore`.
    ///
    /// # Errors
    /// When an object is missing, a filter fails or a file cannot be written. The next `fill` then compares everything.
    pub fn fill(&mut self, repo: &Repo, tree: CodeTree) -> io::Result<PathBuf> {
        if self.state.phase == Phase::Running {
            self.restore(repo)?;
        }
        let known = self.laid.take().zip(self.state.root);
        self.enter(Phase::Updating)?;
        let (mut laid, changed_rules) = fill::update(repo, &self.folder, known, tree)?;
        if changed_rules || !self.verified {
            dirty::clean(repo, &self.folder, &mut laid, NOBODY_WAS_HERE)?;
            self.verified = true;
        }
        self.laid = Some(laid);
        self.state.root = Some(tree.root);
        self.state.code = Some(tree.id);
        self.enter(Phase::Running)?;
        self.stamp = state::written_at(&self.state_file)?;
        Ok(self.folder.clone())
    }

    /// Undoes what checks did: changed and deleted files are written again, new ones removed, ignored ones kept.
    ///
    /// # Errors
    /// As `fill`.
    pub fn restore(&mut self, repo: &Repo) -> io::Result<()> {
        if self.state.phase != Phase::Running {
            return Ok(());
        }
        let Some(mut laid) = self.laid.take() else {
            return Ok(());
        };
        dirty::clean(repo, &self.folder, &mut laid, self.stamp)?;
        self.laid = Some(laid);
        self.enter(Phase::Clean)
    }

    /// Returns what is different from the tree that `fill` put here, as git would store it: files, links and modes; a rename
    /// is a deletion and an addition. What the tree's `.gitignore` files cover, `.git` folders and our memory files are left
    /// out, commits made here do not count. Looks at every file and reads those that may have changed.
    ///
    /// # Errors
    /// Where something cannot be taken: too large, too much, not readable, or stored through a filter program.
    pub fn harvest(&self, repo: &Repo) -> Result<Changes, HarvestError> {
        let laid = self
            .laid
            .as_deref()
            .ok_or_else(|| io::Error::other("the slot was not filled"))?;
        harvest::changes(repo, &self.folder, laid, self.stamp)
    }

    /// Writes `files` over what the slot holds, until `restore`. Executable files stay so.
    ///
    /// # Errors
    /// When a folder is in the place of a file.
    pub fn overlay(&self, files: &[(RepoPath, Vec<u8>)]) -> io::Result<()> {
        let root = Dir::open(&self.folder)?;
        for (path, content) in files {
            let mut dir = root.clone_handle()?;
            let folders = path.names().count().saturating_sub(1);
            for name in path.names().take(folders) {
                dir = dir.make_folder(name)?;
            }
            let name = path.file_name();
            let is_executable = dir
                .stat(name)?
                .is_some_and(|stat| stat.kind == FileKind::File && stat.mode & 0o100 != 0);
            if dir.stat(name)?.is_some() {
                dir.unlink(name)?;
            }
            dir.create(name, content, if is_executable { 0o777 } else { 0o666 })?;
        }
        Ok(())
    }

    /// Copies ignored files and folders from the user's checkout at `from`: `patterns` are paths in which `*` stands for any
    /// run of characters of a name. What is tracked, `.git` and what is not ignored never comes along. Returns the paths
    /// that were there, the unchanged ones too, which are not copied again.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn copy_in(&self, repo: &Repo, from: &Path, patterns: &[String]) -> io::Result<Vec<RepoPath>> {
        let laid = self.laid.as_deref().unwrap_or_default();
        copy::copy_in(repo, laid, from, &self.folder, patterns)
    }

    /// Returns the folder beside the slot where set-up commands may keep what is no part of the tree, such as a virtual
    /// environment. It lives as long as the slot.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn cache_dir(&self) -> io::Result<PathBuf> {
        let folder = self.folder.with_extension("cache");
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// True where the set-up commands have not passed here for `key`: a hash over them and their inputs.
    pub fn needs_setup(&self, key: &str) -> bool {
        self.state.setup_key.as_deref() != Some(key)
    }

    /// Remembers that the set-up commands passed for `key`.
    ///
    /// # Errors
    /// When the state file cannot be written.
    pub fn set_up(&mut self, key: &str) -> io::Result<()> {
        self.state.setup_key = Some(key.to_owned());
        self.enter(self.state.phase)
    }

    /// Makes a throw-away `.git` with one commit of the slot's content: own object store, no remote, no hooks. `restore`
    /// removes it. Of `env` only `PATH` is used.
    ///
    /// # Errors
    /// When git is missing or fails.
    pub fn add_git(&self, env: &[(OsString, OsString)]) -> io::Result<()> {
        gitdir::make(&self.folder, self.laid.as_deref().unwrap_or_default(), env)
    }

    fn enter(&mut self, phase: Phase) -> io::Result<()> {
        self.state.phase = phase;
        self.state.write(&self.state_file)
    }
}

/// Keeps the list for the next process, which then need not read every file. Without it everything is compared.
impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(laid) = self.laid.as_deref().filter(|_| self.state.phase == Phase::Clean) {
            let _ = laid::store(&self.list_file, &self.state, laid, self.stamp);
        }
    }
}

#[cfg(test)]
mod tests;
