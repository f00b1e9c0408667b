//! The backlog with the goals of the inbox: of the working files where people edit them, else of a commit; and which
//! checkout puts new goals into its inbox.
//!
//! Reads only. What becomes of goals is computed from it by `recall`; a landing folds the inbox into the backlog's file.

use std::{collections::BTreeMap, path::Path};

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::{
        Backlog,
        close::PENDING,
        inbox::{self, INBOX, Inbox},
    },
    door::fs,
    engine::{
        recall::{backlog_fault, backlog_file, is_here},
        session::Session,
        target::Target,
    },
    git::{
        Repo,
        refs::{self, Head},
        tree,
    },
    id::TreeId,
};

/// The remote whose default branch counts where none is set.
const ORIGIN: &str = "origin";

/// Files of an inbox, by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Reads the backlog: the working files where the target is checked out here, else the tip's.
///
/// # Errors
/// A fault with the place where it is broken.
pub fn backlog(repo: &Repo, target: &Target) -> Result<(Backlog, Inbox)> {
    let working = backlog_file(repo, target).and_then(|path| Some((std::fs::read(&path).ok()?, path)));
    match working {
        Some((text, path)) => joined(&text, &on_disk(&path)?),
        None => backlog_at(repo, tree::of_commit(repo, target.tip)?),
    }
}

/// Reads the backlog of a stored tree.
///
/// # Errors
/// As `backlog`.
pub fn backlog_at(repo: &Repo, root: TreeId) -> Result<(Backlog, Inbox)> {
    let text = tree::read_file(repo, root, PENDING)?;
    joined(text.as_deref().unwrap_or(b"[]\n"), &stored(repo, root)?)
}

fn joined(text: &[u8], files: &Files) -> Result<(Backlog, Inbox)> {
    let array = Backlog::parse(text).map_err(|error| backlog_fault(&error))?;
    let inbox = read(files)?.beside(&array);
    let all = inbox.folded(array).map_err(|error| backlog_fault(&error))?;
    Ok((all, inbox))
}

fn read(files: &Files) -> Result<Inbox> {
    let files = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    Ok(Inbox::read(files).map_err(|error| backlog_fault(&error))?)
}

/// Reads the inbox of a stored tree.
///
/// # Errors
/// When trees or blobs cannot be read.
pub fn stored(repo: &Repo, root: TreeId) -> Result<Files> {
    let mut files = Files::new();
    for name in tree::names_in(repo, root, INBOX)? {
        let path = format!("{INBOX}{name}");
        if inbox::is_named(&name)
            && let Some(bytes) = tree::read_file(repo, root, &path)?
        {
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

/// Reads the inbox beside the backlog's working file.
///
/// # Errors
/// When a file cannot be read.
pub fn on_disk(backlog: &Path) -> Result<Files> {
    let folder = backlog.with_file_name("inbox");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Ok(Files::new());
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let read = |name: String| {
        let bytes = fs::read(&folder.join(&name)).wrap_err_with(|| format!("reading {INBOX}{name}"));
        // A landing of another process may take goals into the backlog's file meanwhile.
        Some(bytes.transpose()?.map(|bytes| (format!("{INBOX}{name}"), bytes)))
    };
    names.filter(|name| inbox::is_named(name)).filter_map(read).collect()
}

/// Reads the goals in the inbox of this checkout, where it is of a branch other than the target, that `backlog` lacks.
///
/// # Errors
/// A fault where a file is broken.
pub fn drafts(repo: &Repo, target: &Target, backlog: &Backlog) -> Result<Inbox> {
    let Some(root) = repo.workdir().filter(|_| !is_here(repo, target)) else {
        return Ok(Inbox::default());
    };
    let mut files = on_disk(&root.join(PENDING))?;
    files.retain(|_, bytes| inbox::row(bytes).map_or(true, |(id, _)| backlog.raw(&id).is_none()));
    read(&files)
}

/// Returns the checkout that new goals are put into the inbox of: where its branch is not the one that all others start from,
/// the setting's or the remote's default. Two branches that both grow the backlog's file would conflict.
///
/// # Errors
/// When HEAD or the settings cannot be read.
pub fn root_for_new<'r>(session: &Session, repo: &'r Repo) -> Result<Option<&'r Path>> {
    let (Some(root), Head::Branch(here, _)) = (repo.workdir(), refs::head(repo)?) else {
        return Ok(None);
    };
    let settings = session.settings(repo)?;
    let default = match settings.land.target {
        Some(branch) => Some(branch),
        None => refs::default_of(repo, settings.sync.remote.as_deref().unwrap_or(ORIGIN))?,
    };
    Ok(default.is_some_and(|default| default != here).then_some(root))
}

/// What tells, without reading it, that the backlog may have been edited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    array: fs::Stamp,
    inbox: Option<fs::Stamp>,
}

/// Returns the stamp of the backlog, where it is edited by hand.
pub fn stamp(repo: &Repo, target: &Target) -> Option<Stamp> {
    let path = backlog_file(repo, target)?;
    Some(Stamp {
        array: fs::stamp(&path)?,
        inbox: fs::stamp(&path.with_file_name("inbox")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_gone_when_it_is_read_is_no_error() {
        let memory = tempfile::tempdir().unwrap();
        let folder = memory.path().join("inbox");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("here.json"), "{}").unwrap();
        // Listed, and nothing is there.
        std::os::unix::fs::symlink("nowhere", folder.join("gone.json")).unwrap();
        let files = on_disk(&memory.path().join("pending_goals.json")).unwrap();
        assert_eq!(files, Files::from([(format!("{INBOX}here.json"), b"{}".to_vec())]));
    }
}
