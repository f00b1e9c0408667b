//! Diffs between trees: which paths differ, and their contents. How a diff is worded is `textdiff`'s business.

use gix::{
    diff::tree::{Recorder, recorder::Change},
    objs::TreeRefIter,
};

use crate::{
    git::{Doing as _, Repo, Result, codetree, gix_id, oid, tree},
    id::{BlobId, CommitId, TreeId},
    path::RepoPath,
    snapshot::{Entry, Mode},
};

/// One path that differs.
#[derive(Clone, Debug)]
pub struct Differs {
    /// Where.
    pub path: RepoPath,
    /// What it was; `None` where it was not.
    pub old: Option<Entry>,
    /// What it is; `None` where it is gone.
    pub new: Option<Entry>,
}

/// Compares two stored trees, without the reserved memory files. Renames show as a deletion and an addition. Costs as much
/// as they differ.
///
/// # Errors
/// When trees cannot be read, such as one of an old tree that git has since dropped.
pub fn trees(repo: &Repo, old: TreeId, new: TreeId) -> Result<Vec<Differs>> {
    let mut found = trees_whole(repo, old, new)?;
    found.retain(|differs| !codetree::is_reserved(&differs.path));
    Ok(found)
}

/// As `trees`, with the reserved memory files.
///
/// # Errors
/// As `trees`.
pub fn trees_whole(repo: &Repo, old: TreeId, new: TreeId) -> Result<Vec<Differs>> {
    let doing = || format!("comparing trees {old} and {new}");
    let hash = repo.gix.object_hash();
    let old_tree = repo.gix.find_tree(gix_id(old.0)).doing(doing)?;
    let new_tree = repo.gix.find_tree(gix_id(new.0)).doing(doing)?;
    let mut recorder = Recorder::default();
    gix::diff::tree(
        TreeRefIter::from_bytes(&old_tree.data, hash),
        TreeRefIter::from_bytes(&new_tree.data, hash),
        gix::diff::tree::State::default(),
        &repo.gix.objects,
        &mut recorder,
    )
    .doing(doing)?;
    let mut found: Vec<Differs> = recorder.records.into_iter().filter_map(differs).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Compares a commit with its first parent.
///
/// # Errors
/// As `trees`.
pub fn of_commit(repo: &Repo, commit: CommitId) -> Result<Vec<Differs>> {
    let new = tree::of_commit(repo, commit)?;
    match crate::git::history::parents(repo, commit)?.first() {
        // A shallow clone ends here: what this commit changed cannot be told.
        Some(parent) if !repo.gix.has_object(gix_id(parent.0)) => Ok(Vec::new()),
        Some(parent) => trees(repo, tree::of_commit(repo, *parent)?, new),
        None => {
            let added = tree::list(repo, new)?;
            Ok(added
                .into_iter()
                .map(|(path, new)| Differs {
                    path,
                    old: None,
                    new: Some(new),
                })
                .collect())
        }
    }
}

pub(crate) fn differs(change: Change) -> Option<Differs> {
    let (path, old, new) = match change {
        Change::Addition {
            entry_mode, oid, path, ..
        } => (path, None, entry(entry_mode, &oid)),
        Change::Deletion {
            entry_mode, oid, path, ..
        } => (path, entry(entry_mode, &oid), None),
        Change::Modification {
            previous_entry_mode,
            previous_oid,
            entry_mode,
            oid,
            path,
        } => (path, entry(previous_entry_mode, &previous_oid), entry(entry_mode, &oid)),
    };
    let path = RepoPath::from_git(path);
    (old.is_some() || new.is_some()).then_some(Differs { path, old, new })
}

fn entry(mode: gix::objs::tree::EntryMode, id: &gix::oid) -> Option<Entry> {
    use gix::objs::tree::EntryKind;
    let mode = match mode.kind() {
        EntryKind::Tree => return None,
        EntryKind::Blob => Mode::File,
        EntryKind::BlobExecutable => Mode::Executable,
        EntryKind::Link => Mode::Symlink,
        EntryKind::Commit => Mode::Submodule,
    };
    Some(Entry {
        mode,
        id: BlobId(oid(id)),
    })
}
