//! Rewrite: the backlog, changed by a command: one at a time, in the working file where the target is checked out here,
//! else as a commit on the target.
//!
//! Owns no words: what the new text says is the command's.

use std::time::Duration;

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::{Backlog, close::PENDING},
    door::{fs, wait},
    engine::{
        hand_edits,
        recall::{self, Recalled},
        session::Session,
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, codetree, commit, refs, tree},
};

/// How often to ask for the lock, and how long to wait in between.
const LOCK_TRIES: u32 = 1000;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Keeps others that change the backlog at the same time from writing over what this one writes.
///
/// # Errors
/// A fault when others hold it all the time, or the run was asked to stop.
fn lock(session: &Session, repo: &Repo) -> Result<fs::Lock> {
    let folder = session.own_dir(repo);
    fs::create_dir_all(&folder).wrap_err_with(|| format!("making {}", folder.display()))?;
    let file = folder.join("add.lock");
    for _ in 0..LOCK_TRIES {
        let taken = fs::Lock::try_lock(&file, "").wrap_err_with(|| format!("locking {}", file.display()))?;
        if let Some(lock) = taken {
            return Ok(lock);
        }
        if !wait::pause(LOCK_PAUSE, &session.stop) {
            return Err(Fault::new(Kind::Interrupted, "stopped").into());
        }
    }
    Err(Fault::new(
        Kind::Busy,
        "others are changing the backlog all the time; nothing was written",
    )
    .into())
}

/// What a change of the backlog starts from.
pub struct Found {
    /// The repository.
    pub repo: Repo,
    /// Where goals land.
    pub target: Target,
    /// The facts, and the backlog as it is.
    pub known: Recalled,
}

/// Changes the backlog, one command at a time: `change` returns it as it shall be, and whatever else it has to say.
///
/// # Errors
/// Those of `change`; also when others hold the lock all the time, or the backlog cannot be read or written.
pub fn change<T>(session: &Session, change: impl FnOnce(&Found) -> Result<(Backlog, T)>) -> Result<T> {
    let repo = session.repo();
    let _one_at_a_time = lock(session, &repo)?;
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let found = Found { repo, target, known };
    let (backlog, said) = change(&found)?;
    if backlog.text() != found.known.backlog.text() {
        store(session, &found.repo, &found.target, backlog.to_bytes())?;
    }
    Ok(said)
}

/// Writes the backlog's new text: into the working file where the target is checked out here, else as a commit on the
/// target.
///
/// # Errors
/// When it cannot be written, or the target moved meanwhile.
fn store(session: &Session, repo: &Repo, target: &Target, text: Vec<u8>) -> Result<()> {
    match recall::backlog_file(repo, target) {
        Some(path) => {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write_atomic(&path, &text).wrap_err_with(|| format!("writing {}", path.display()))
        }
        None => record(session, repo, target, text),
    }
}

fn record(session: &Session, repo: &Repo, target: &Target, text: Vec<u8>) -> Result<()> {
    let code = tree::code_of_commit(repo, target.tip)?;
    let memory = codetree::with_memory(repo, code, code.root, &[(PENDING.to_owned(), text)])?;
    let message = commit::Message {
        subject: hand_edits::EDITS.into(),
        ..commit::Message::default()
    };
    let made = commit::memory_only(repo, memory, &[target.tip], &message, session.clock.now())?;
    let (name, old) = target.landing_ref();
    let set = refs::RefMove::Set {
        name,
        old,
        new: made,
        why: message.subject,
    };
    match refs::swap(repo, &[set])? {
        refs::Swap::Done => Ok(()),
        refs::Swap::Lost => Err(Fault::new(Kind::Busy, "the target moved meanwhile; nothing was written").into()),
    }
}
