//! What must be on the disk itself before somebody is told that it is done, for those who fear a power cut more than a wait.
//!
//! Owns which objects were written since the last time, by all handles of one session. Neither git nor gix waits for the
//! disk by itself. A session that was not asked to keeps nothing here and costs nothing.

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    door::fs,
    git::{
        self, Repo,
        objects::{self, recent::Recent},
    },
    id::Oid,
};

/// Objects on their way to the disk, shared by the handles of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    shared: Arc<Shared>,
    /// What no ref may name yet.
    pub(crate) recent: Recent,
}

#[derive(Debug, Default)]
struct Shared {
    is_asked: AtomicBool,
    written: Mutex<BTreeSet<Oid>>,
}

impl git::Shared {
    /// From now on, waits with every move of a ref until it and what it names are on the disk itself; or no longer.
    pub fn wait_for_disk(&self, wait: bool) {
        self.disk.shared.is_asked.store(wait, Ordering::SeqCst);
    }
}

impl Disk {
    /// Notes that an object was written.
    pub(crate) fn wrote(&self, id: Oid) {
        if self.is_asked() {
            self.written().insert(id);
        }
    }

    /// Brings all that was written to the disk, files and then the folders that name them.
    pub(crate) fn sync_objects(&self, repo: &Repo) -> io::Result<()> {
        let ids = std::mem::take(&mut *self.written());
        if ids.is_empty() {
            return Ok(());
        }
        let files: Vec<PathBuf> = ids.iter().filter_map(|id| objects::loose_path(repo, *id)).collect();
        let synced = fs::sync(&files).and_then(|()| fs::sync_folders(&files));
        if synced.is_err() {
            self.written().extend(ids);
        }
        synced
    }

    /// Brings refs that moved or went to the disk.
    pub(crate) fn sync_refs<'a>(&self, repo: &Repo, names: impl Iterator<Item = &'a str>) -> io::Result<()> {
        if !self.is_asked() {
            return Ok(());
        }
        let common = repo.common_dir();
        let mut files: Vec<PathBuf> = names.map(|name| common.join(name)).collect();
        // What was packed is deleted there.
        files.push(common.join("packed-refs"));
        fs::sync(&files)?;
        fs::sync_folders(&files)
    }

    fn is_asked(&self) -> bool {
        self.shared.is_asked.load(Ordering::SeqCst)
    }

    fn written(&self) -> MutexGuard<'_, BTreeSet<Oid>> {
        self.shared.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
