//! The turn at the target: at most one process of a clone at a time lands, records hand edits or brings a checkout along.
//!
//! A lock file that the kernel frees when its holder dies. Knows nothing of what is done meanwhile; other clones are kept
//! out by claims (`engine/claims`).

use std::{io, path::PathBuf};

use eyre::Result;

use crate::{
    door::{
        env,
        fs::{self, Lock},
    },
    engine::session::Session,
    fault::{Fault, Kind},
    git::Repo,
};

/// The turn, as long as this lives.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "it is held, not used")] Lock);

impl Turn {
    /// Takes the turn without waiting; `None` where another process has it.
    ///
    /// # Errors
    /// When the lock cannot be taken.
    pub fn take(session: &Session, repo: &Repo) -> Result<Option<Self>> {
        fs::create_dir_all(&session.own_dir(repo))?;
        let lock = Lock::try_lock(&file(session, repo), &format!("{}\n", env::process_id()))?;
        Ok(lock.map(Self))
    }
}

/// Returns the process that has the turn; `None` where nobody has, 0 where it does not say who it is.
///
/// # Errors
/// When the lock cannot be looked at.
pub fn holder(session: &Session, repo: &Repo) -> io::Result<Option<u32>> {
    let said = Lock::holder(&file(session, repo))?;
    Ok(said.map(|said| said.trim().parse().unwrap_or(0)))
}

fn file(session: &Session, repo: &Repo) -> PathBuf {
    session.own_dir(repo).join("land.lock")
}

/// The fault of a command that cannot do without the turn.
pub fn busy(session: &Session, repo: &Repo) -> Fault {
    let holder = Lock::read_holder(&file(session, repo)).unwrap_or_default();
    let what = format!("another command is landing in this clone (process {})", holder.trim());
    Fault::new(Kind::Busy, what).hint("`git invisigoth status` shows what it does")
}
