//! Locks of refs that a killed process of ours left behind: nobody else would ever take them away.
//!
//! Owns which lock files are dead. Touches none of a person's own: of those below `refs/heads` only candidates', and one of
//! the target whose content says that it was to land something.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    door::{
        fs::{self, Stamp},
        wait,
    },
    git::{Doing as _, Repo, Result, history, refs},
    time::Stop,
};

/// A lock that stands unchanged for so long is dead: moving a ref takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);

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
    let stamped = |path: PathBuf| fs::stamp(&path).map(|stamp| (path, stamp));
    let held: Vec<(PathBuf, Stamp)> = held.into_iter().filter_map(stamped).collect();
    if held.is_empty() || !wait::pause(PATIENCE, stop) {
        return Ok(0);
    }
    let mut dead = 0;
    for (path, stamp) in held {
        if fs::stamp(&path) == Some(stamp) {
            fs::remove_if_there(&path).doing(|| format!("removing the dead lock {}", path.display()))?;
            dead += 1;
        }
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
