//! Locks of refs that a killed process of ours left behind: nobody else would ever take them away.
//!
//! Whoever moves refs says so in a file of its own for as long as that lasts (`Moving`), and the kernel tells when its holder is
//! no more. So a lock that a living move may hold is told from one that nobody holds. Owns which lock files are dead. Touches
//! none of a person's own: of those below `refs/heads` only candidates', and one of the target whose content says that it was
//! to land something; and the one of packed refs only where a move of ours died over it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    door::{
        env,
        fs::{self, Lock, Stamp},
        host, wait,
    },
    git::{Doing as _, Repo, Result, history, refs},
    time::Stop,
};

/// A lock that stands unchanged for so long is dead, where no move of ours that lives can hold it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A lock that is so much younger than what was written down came with it.
const AT_ONCE: Duration = Duration::from_secs(10);

/// True where `lock` came right after `note`.
pub(crate) fn came_with(lock: &Path, note: &Path) -> bool {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    let after = changed(lock)
        .zip(changed(note))
        .and_then(|(lock, note)| lock.duration_since(note).ok());
    after.is_some_and(|after| after < AT_ONCE)
}

/// Longest time, in seconds, from the beginning of a move to its taking the lock of packed refs: that of a fetch.
const LONGEST: i64 = 300;

/// The lock that every move takes where refs are packed, a person's `git gc` too.
const PACKED: &str = "packed-refs.lock";

/// Below these every ref is ours.
const ROOTS: [&str; 2] = [refs::CANDIDATES, refs::OWN];

/// How often a file for a move is tried to be made: others may take one that is not locked yet for a dead one's.
const TRIES: u32 = 5;

/// Says as long as it lives that this process moves refs.
#[derive(Debug)]
pub struct Moving {
    #[expect(dead_code, reason = "it is held, not used")]
    lock: Lock,
    file: PathBuf,
}

impl Moving {
    /// Begins. Where it cannot be said, refs move all the same.
    pub fn begin(repo: &Repo) -> Option<Self> {
        let folder = folder(repo);
        for _ in 0..TRIES {
            let file = folder.join(format!("{}-{}", env::process_id(), host::nonce()));
            match Lock::try_lock(&file, "") {
                Ok(Some(lock)) if fs::stamp(&file).is_some() => return Some(Self { lock, file }),
                Ok(_) => {}
                Err(_) => fs::create_dir_all(&folder).ok()?,
            }
        }
        None
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        let _ = fs::remove_if_there(&self.file);
    }
}

/// The moves that are under way, and those that died.
#[derive(Default)]
struct Moves {
    living: Vec<Stamp>,
    dead: Vec<(PathBuf, Stamp)>,
}

impl Moves {
    fn read(repo: &Repo) -> Self {
        let mut moves = Self::default();
        for path in fs::files_in(&folder(repo)).unwrap_or_default() {
            let Some(stamp) = fs::stamp(&path) else { continue };
            match Lock::holder(&path) {
                Ok(None) => moves.dead.push((path, stamp)),
                Ok(Some(_)) | Err(_) => moves.living.push(stamp),
            }
        }
        moves
    }

    /// True where a move that lives began before the lock was made.
    fn may_hold(&self, lock: Stamp) -> bool {
        self.living.iter().any(|began| began.changed() <= lock.changed())
    }

    /// True where a move of ours died that may have made the lock.
    fn left(&self, lock: Stamp) -> bool {
        let made = lock.changed();
        self.dead.iter().any(|(_, began)| {
            let began = began.changed();
            began <= made && made.0 - began.0 <= LONGEST
        })
    }
}

fn folder(repo: &Repo) -> PathBuf {
    repo.common_dir().join("invisigoth").join("moving")
}

/// Removes dead locks of refs, of the target among others. Returns how many there were.
///
/// # Errors
/// When one cannot be removed.
pub fn clear_dead(repo: &Repo, target: &str, stop: &Stop) -> Result<usize> {
    let mut held = Vec::new();
    for root in ROOTS {
        locks_below(&repo.common_dir().join(root), &mut held);
    }
    held.extend(refs::NOTED.map(|name| lock_of(repo, name)));
    let own = lock_of(repo, &refs::branch_ref(target));
    if is_landing(repo, &own) {
        held.push(own);
    }
    clear(repo, held, stop)
}

/// Removes dead locks that are in the way of moving `names`. Returns how many there were.
///
/// # Errors
/// When one cannot be removed.
pub fn clear_among<'n>(repo: &Repo, names: impl IntoIterator<Item = &'n str>) -> Result<usize> {
    let ours = |name: &&str| ROOTS.iter().any(|root| name.starts_with(root)) || refs::NOTED.contains(name);
    let held = names
        .into_iter()
        .filter(|name| ours(name) || is_landing(repo, &lock_of(repo, name)));
    let held = held.map(|name| lock_of(repo, name)).collect();
    clear(repo, held, &Stop::default())
}

fn lock_of(repo: &Repo, name: &str) -> PathBuf {
    repo.common_dir().join(format!("{name}.lock"))
}

fn clear(repo: &Repo, mut held: Vec<PathBuf>, stop: &Stop) -> Result<usize> {
    let packed = repo.common_dir().join(PACKED);
    held.push(packed.clone());
    let stamped = |path: PathBuf| fs::stamp(&path).map(|stamp| (path, stamp));
    let held: Vec<(PathBuf, Stamp)> = held.into_iter().filter_map(stamped).collect();
    let mut dead = 0;
    if !held.is_empty() && wait::pause(PATIENCE, stop) {
        // One at a time: what another took away may be a living one's by then.
        let own = repo.common_dir().join("invisigoth");
        fs::create_dir_all(&own).doing(|| "making the folder for what runs say".into())?;
        let alone = Lock::try_lock(&own.join("clearing"), "").doing(|| "asking who clears dead locks".into())?;
        if alone.is_none() {
            return Ok(0);
        }
        let moves = Moves::read(repo);
        for (path, stamp) in held {
            let is_ours = path != packed || moves.left(stamp) && !is_git_at_work(repo);
            if is_ours && !moves.may_hold(stamp) && fs::stamp(&path) == Some(stamp) {
                fs::remove_if_there(&path).doing(|| format!("removing the dead lock {}", path.display()))?;
                dead += 1;
            }
        }
    }
    // While that lock stands, these tell whose it is.
    if fs::stamp(&packed).is_none() {
        for (path, _) in Moves::read(repo).dead {
            fs::remove_if_there(&path).doing(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(dead)
}

/// True where a git of anybody works in this repository, or nobody knows.
fn is_git_at_work(repo: &Repo) -> bool {
    let linked = repo.gix.worktrees().unwrap_or_default();
    let linked = linked.iter().filter_map(|tree| tree.base().ok());
    let own = [repo.workdir(), Some(repo.common_dir())];
    let folders: Vec<PathBuf> = own.into_iter().flatten().map(Path::to_owned).chain(linked).collect();
    host::runs_in("git", &folders).unwrap_or(true)
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

#[cfg(test)]
mod tests;
