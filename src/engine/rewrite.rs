//! Rewrite: the backlog, changed by a command: one at a time, in the working file where the target is checked out here,
//! else as a commit on the target.
//!
//! Owns no words: what the new text says is the command's.

use std::{collections::BTreeSet, path::Path, time::Duration};

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::{
        Backlog,
        close::PENDING,
        inbox::{INBOX, Inbox, path, text},
    },
    door::{fs, wait},
    engine::{
        hand_edits, inbox,
        recall::{self, Recalled},
        session::Session,
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, commit},
    id::GoalId,
};

/// How often to ask for the lock, and how long to wait in between.
const LOCK_TRIES: u32 = 1000;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Keeps others that change the backlog at the same time from writing over what this one writes.
///
/// # Errors
/// A fault when others hold it all the time, or the run was asked to stop.
pub fn lock(session: &Session, repo: &Repo) -> Result<fs::Lock> {
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

/// Where goals go that a change adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum New {
    /// Into the backlog that others read.
    Backlog,
    /// Into the inbox of this checkout, where it is of a branch other than the one that all others start from.
    Branch,
}

/// Changes the backlog, one command at a time: `change` returns it as it shall be, and whatever else it has to say.
///
/// # Errors
/// Those of `change`; also when others hold the lock all the time, or the backlog cannot be read or written.
pub fn change<T>(session: &Session, change: impl FnOnce(&Found) -> Result<(Backlog, T)>) -> Result<T> {
    changed(session, New::Backlog, change)
}

/// As `change`, of a command that adds goals: on a branch that is to be merged they go into its inbox.
///
/// # Errors
/// As `change`.
pub fn add<T>(session: &Session, change: impl FnOnce(&Found) -> Result<(Backlog, T)>) -> Result<T> {
    changed(session, New::Branch, change)
}

fn changed<T>(session: &Session, new: New, change: impl FnOnce(&Found) -> Result<(Backlog, T)>) -> Result<T> {
    let repo = session.repo();
    let _one_at_a_time = lock(session, &repo)?;
    let target = Target::read(session, &repo)?;
    let known = recall::read_here(session, &repo, &target)?;
    let found = Found { repo, target, known };
    let (backlog, said) = change(&found)?;
    if backlog.text() != found.known.backlog.text() {
        store(session, &found, &backlog, new)?;
    }
    Ok(said)
}

/// Writes what changed: goals of an inbox into their files, others into the working file where the target is checked out
/// here, else into a commit on the target.
///
/// # Errors
/// When it cannot be written, or the target moved meanwhile.
fn store(session: &Session, found: &Found, after: &Backlog, new: New) -> Result<()> {
    let (repo, target, known) = (&found.repo, &found.target, &found.known);
    let before = &known.backlog;
    let mut apart: BTreeSet<GoalId> = BTreeSet::new();
    if new == New::Branch
        && let Some(root) = inbox::root_for_new(session, repo)?
    {
        let added = after.rows().filter(|(id, _)| before.raw(id).is_none());
        for (id, row) in added {
            write_file(root, &path(id), Some(row))?;
            apart.insert(id.clone());
        }
        if !apart.is_empty() {
            say_apart(session, target, &apart, recall::is_here(repo, target));
        }
    }
    if let Some(root) = repo.workdir() {
        apart.extend(rewrite_inbox(root, &known.drafts, (before, after))?);
    }
    let file = recall::backlog_file(repo, target);
    let Some(root) = repo.workdir().filter(|_| file.is_some()) else {
        let apart: Vec<GoalId> = apart.into_iter().collect();
        let (old, text) = (before.without(&apart), after.without(&apart));
        return match old.text() == text.text() {
            true => Ok(()),
            false => record(session, found, text.to_bytes()),
        };
    };
    apart.extend(rewrite_inbox(root, &known.inbox, (before, after))?);
    let apart: Vec<GoalId> = apart.into_iter().collect();
    let (old, text) = (before.without(&apart), after.without(&apart));
    if old.text() == text.text() {
        return Ok(());
    }
    let file = root.join(PENDING);
    file.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write_atomic(&file, &text.to_bytes()).wrap_err_with(|| format!("writing {}", file.display()))?;
    known.inbox.doubled().try_for_each(|name| write_file(root, name, None))
}

/// Writes the goals of an inbox that changed, and takes away the files of those that are gone. Returns its goals.
fn rewrite_inbox(root: &Path, inbox: &Inbox, (before, after): (&Backlog, &Backlog)) -> Result<Vec<GoalId>> {
    for id in inbox.ids() {
        let row = after.raw(id);
        if row == before.raw(id) {
            continue;
        }
        // What is written is all that there is to say of the goal.
        for (nth, file) in inbox.paths_of(id).enumerate() {
            write_file(root, file, row.filter(|_| nth == 0))?;
        }
    }
    Ok(inbox.ids().cloned().collect())
}

fn write_file(root: &Path, name: &str, row: Option<&str>) -> Result<()> {
    let file = root.join(name);
    let done = match row {
        Some(row) => file
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write_atomic(&file, text(row).as_bytes())),
        None => fs::remove_if_there(&file),
    };
    done.wrap_err_with(|| format!("writing {}", file.display()))
}

fn say_apart(session: &Session, target: &Target, goals: &BTreeSet<GoalId>, is_here: bool) {
    let what = match goals.first() {
        Some(id) if goals.len() == 1 => format!("{id} is in {}", path(id)),
        _ => format!("{} new goals are in {INBOX}", goals.len()),
    };
    session.say(match is_here {
        true => format!("{what}, so that this branch can be merged without a conflict"),
        false => format!(
            "{what}: commit it with this branch; open once `{}` has it",
            target.branch
        ),
    });
}

/// Commits the backlog on the target, its inbox folded in.
fn record(session: &Session, found: &Found, text: Vec<u8>) -> Result<()> {
    let (repo, target) = (&found.repo, &found.target);
    if target.left_behind(repo)?.is_some() {
        // What waits there is to be done anew first: a commit in its place would bury it.
        let what = format!(
            "branch `{}` was moved away from results that wait beside it",
            target.branch
        );
        let fault = Fault::new(Kind::Person, format!("{what}; nothing was written"));
        return Err(fault
            .hint("`git invisigoth settle` sees to them; then type this again")
            .into());
    }
    let folded = found.known.inbox.paths().map(|path| (path.to_owned(), Vec::new()));
    let files: Vec<(String, Vec<u8>)> = std::iter::once((PENDING.to_owned(), text)).chain(folded).collect();
    let message = commit::Message {
        subject: hand_edits::EDITS.into(),
        ..commit::Message::default()
    };
    let at = session.clock.now();
    match target.commit_memory(repo, &files, &message, at)? {
        Some(_) => Ok(()),
        None => Err(Fault::new(Kind::Busy, "the target moved meanwhile; nothing was written").into()),
    }
}
