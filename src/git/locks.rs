//! Locks of refs that a killed process of ours left behind: nobody else would ever take them away.
//!
//! Owns which lock files are dead. Touches none of a person's own: of those below `refs/heads` only candidates', and one of
//! the target whose content says that it was to land something; of the packed refs one that a process of ours wrote down.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{
    door::{
        env,
        fs::{self, Stamp},
        host, wait,
    },
    git::{Doing as _, Repo, Result, history, refs},
    time::Stop,
};

/// A lock that stands unchanged for so long is dead: moving a ref takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// A lock that is so much younger than what was written down came with it.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(10);

/// A transaction that deletes refs locks the one file of packed refs, which is everybody's: what is written down meanwhile
/// tells whose lock it was. Dropped, it goes.
pub(crate) struct Deleting {
    note: PathBuf,
}

/// How the names of such notes begin: then the process, and a number.
const DELETING: &str = "deleting-";

impl Deleting {
    /// Writes down that this process is about to delete refs.
    pub(crate) fn begin(repo: &Repo) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (process, nth) = (env::process_id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = repo.common_dir().join("invisigoth");
        let note = folder.join(format!("{DELETING}{process}-{nth}"));
        let started = host::started(process).unwrap_or_default();
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write_atomic(&note, started.to_string().as_bytes()))
            .doing(|| format!("writing {}", note.display()))?;
        Ok(Self { note })
    }
}

impl Drop for Deleting {
    fn drop(&mut self) {
        let _ = fs::remove_if_there(&self.note);
    }
}

/// Lists the notes of processes that died while they deleted refs.
fn died_deleting(repo: &Repo) -> Vec<PathBuf> {
    let folder = repo.common_dir().join("invisigoth");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let dead = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let process = name
            .strip_prefix(DELETING)
            .and_then(|rest| rest.split('-').next()?.parse().ok());
        let started = || {
            std::fs::read_to_string(path)
                .ok()
                .and_then(|text| text.trim().parse().ok())
        };
        process.is_some_and(|process| host::started(process).is_none_or(|now| started() != Some(now)))
    };
    entries.flatten().map(|entry| entry.path()).filter(dead).collect()
}

/// True where `lock` came right after `note`.
pub(crate) fn came_with(lock: &Path, note: &Path) -> bool {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    let after = changed(lock)
        .zip(changed(note))
        .and_then(|(lock, note)| lock.duration_since(note).ok());
    after.is_some_and(|after| after < AT_ONCE)
}

/// Removes dead locks of refs. Only whoever holds the lock of the clone may: no other command of ours moves refs then for
/// longer than a moment. Returns how many there were.
///
/// # Errors
/// When one cannot be removed.
pub fn clear_dead(repo: &Repo, target: &str, stop: &Stop) -> Result<usize> {
    let mut held = Vec::new();
    for root in [refs::CANDIDATES, "refs/invisigoth/"] {
        locks_below(&repo.common_dir().join(root), &mut held);
    }
    let path = |name: &str| repo.common_dir().join(format!("{name}.lock"));
    held.extend([refs::NOTES, refs::TESTED].map(path));
    let own = path(&refs::branch_ref(target));
    if is_landing(repo, &own) {
        held.push(own);
    }
    let notes = died_deleting(repo);
    let packed = path("packed-refs");
    if notes.iter().any(|note| came_with(&packed, note)) {
        held.push(packed);
    }
    let stamped = |path: PathBuf| fs::stamp(&path).map(|stamp| (path, stamp));
    let held: Vec<(PathBuf, Stamp)> = held.into_iter().filter_map(stamped).collect();
    if !held.is_empty() && !wait::pause(PATIENCE, stop) {
        return Ok(0);
    }
    let mut dead = 0;
    for (path, stamp) in held {
        if fs::stamp(&path) == Some(stamp) {
            fs::remove_if_there(&path).doing(|| format!("removing the dead lock {}", path.display()))?;
            dead += 1;
        }
    }
    for note in notes {
        fs::remove_if_there(&note).doing(|| format!("removing {}", note.display()))?;
    }
    Ok(dead)
}

fn locks_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            locks_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "lock") {
            found.push(path);
        }
    }
}

/// True where a lock says that its ref was to become a commit of ours.
fn is_landing(repo: &Repo, lock: &Path) -> bool {
    let text = std::fs::read_to_string(lock).unwrap_or_default();
    let Ok(id) = text.trim().parse() else { return false };
    let commit = history::entry(repo, id);
    let says = |key| {
        commit
            .as_ref()
            .is_ok_and(|commit| commit.trailers(key).next().is_some())
    };
    says("Landed") || says("Settled")
}
