//! Merging in memory: candidates onto a tip, as code trees. Touches no index, no file and no ref.

use std::collections::HashSet;

use gix::merge::tree::{Outcome, TreatAsUnresolved};

use crate::{
    git::{Doing as _, GitError, Repo, Result, codetree, commit, gix_id, history, objects, oid, tree},
    id::{BlobId, CommitId, Oid, TreeId},
    path::RepoPath,
    snapshot::CodeTree,
    time::Moment,
};

/// What merging came to.
#[derive(Clone, Debug)]
pub enum Merge {
    /// Everything fits.
    Clean(CodeTree),
    /// The candidate at this place does not fit onto what stands before it.
    Conflict {
        /// Index into the candidates.
        at: usize,
        /// Where both sides changed.
        paths: Vec<RepoPath>,
    },
}

/// Applies each candidate, one commit on its base, onto `tip`. No commit is made.
///
/// # Errors
/// When trees cannot be read or written.
pub fn onto(repo: &Repo, tip: CommitId, candidates: &[CommitId]) -> Result<Merge> {
    let mut ours = tree::code_of_commit(repo, tip)?;
    for (at, candidate) in candidates.iter().enumerate() {
        match into(repo, ours, *candidate)? {
            Ok(merged) => ours = merged,
            Err(paths) => return Ok(Merge::Conflict { at, paths }),
        }
    }
    Ok(Merge::Clean(ours))
}

/// Applies `candidate`, one commit on its base, to the code `ours`.
///
/// # Errors
/// When trees cannot be read or written.
pub fn into(repo: &Repo, ours: CodeTree, candidate: CommitId) -> Result<Conflicts> {
    let base = match history::parents(repo, candidate)?.first() {
        Some(parent) => tree::code_of_commit(repo, *parent)?,
        None => ours,
    };
    three_way(repo, base, ours, tree::code_of_commit(repo, candidate)?)
}

/// Makes `candidate` anew on `tip`, with the code tree `code`: for candidates whose base left the target. Its author and its
/// message stay.
///
/// # Errors
/// When objects cannot be read or written.
pub fn replay(repo: &Repo, tip: CommitId, candidate: CommitId, code: CodeTree, at: Moment) -> Result<CommitId> {
    let root = codetree::with_memory_of(repo, code, tree::of_commit(repo, tip)?)?;
    let message = history::message(repo, candidate)?;
    let author = commit::Author::of(repo, candidate)?;
    commit::write_by(repo, root, &[tip], (&message, Some(&author)), at)
}

/// Takes out of `ours` what `commit` changed on its first parent.
///
/// # Errors
/// When it has no parent here, or trees cannot be read or written.
pub fn inverse(repo: &Repo, ours: CodeTree, commit: CommitId) -> Result<Conflicts> {
    let parents = history::parents(repo, commit)?;
    let none = || {
        GitError::new(format!(
            "commit {commit} has no parent that its changes could be taken out to"
        ))
    };
    let before = tree::code_of_commit(repo, *parents.first().ok_or_else(none)?)?;
    three_way(repo, tree::code_of_commit(repo, commit)?, ours, before)
}

/// A path that a merge could not settle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clash {
    /// Where.
    pub path: RepoPath,
    /// Both sides with git's markers; `None` where it is no text that both changed.
    pub text: Option<Vec<u8>>,
}

/// Returns what conflicts where the changes of `candidate`, one commit on its base, are brought into `tip`; nothing where they
/// fit.
///
/// # Errors
/// When trees cannot be read or written.
pub fn clashes(repo: &Repo, tip: CommitId, candidate: CommitId) -> Result<Vec<Clash>> {
    let Some(base) = history::parents(repo, candidate)?.first().copied() else {
        return Ok(Vec::new());
    };
    let code = |commit| tree::code_of_commit(repo, commit);
    let (base, ours, theirs) = (code(base)?, code(tip)?, code(candidate)?);
    let (base, theirs) = (with_memory_of(repo, base, ours)?, with_memory_of(repo, theirs, ours)?);
    let scratch = repo.in_memory();
    let merged = merge(&scratch, base, ours.root, theirs)?;
    let unresolved = merged
        .conflicts
        .iter()
        .filter(|conflict| conflict.is_unresolved(TreatAsUnresolved::git()));
    let mut clashes = Vec::new();
    for conflict in unresolved {
        let blob = conflict
            .content_merge()
            .map(|merged| BlobId(oid(&merged.merged_blob_id)));
        clashes.push(Clash {
            path: RepoPath::from_git(conflict.ours.location().to_vec()),
            text: blob.map(|blob| objects::read_blob(&scratch, blob)).transpose()?,
        });
    }
    Ok(clashes)
}

/// A merged code tree, or the paths that conflict.
pub type Conflicts = std::result::Result<CodeTree, Vec<RepoPath>>;

/// Brings what `theirs` changed since `base` into `ours`.
///
/// # Errors
/// When trees cannot be read or written.
pub fn three_way(repo: &Repo, base: CodeTree, ours: CodeTree, theirs: CodeTree) -> Result<Conflicts> {
    if base == theirs || ours == theirs {
        return Ok(Ok(ours));
    }
    if base == ours {
        // The result has the code of theirs; its memory files are replaced before anything is committed.
        return Ok(Ok(theirs));
    }
    // gix does not write what it takes for stored, which a pack that `git gc` just deleted would make it do: it merges in
    // memory, and what is new is written whatever is there.
    let (base, theirs) = (with_memory_of(repo, base, ours)?, with_memory_of(repo, theirs, ours)?);
    let scratch = repo.in_memory();
    let mut merged = merge(&scratch, base, ours.root, theirs)?;
    if merged.has_unresolved_conflicts(TreatAsUnresolved::git()) {
        let unresolved = merged
            .conflicts
            .iter()
            .filter(|c| c.is_unresolved(TreatAsUnresolved::git()));
        return Ok(Err(unresolved
            .map(|c| RepoPath::from_git(c.ours.location().to_vec()))
            .collect()));
    }
    let id = merged.tree.write().doing(|| "writing a merged tree".into())?;
    let id = TreeId(oid(&id));
    let theirs: HashSet<Oid> = objects::added(repo, Some(ours.root), theirs)?.into_iter().collect();
    let mut new = objects::added(&scratch, Some(ours.root), id)?;
    new.retain(|id| !theirs.contains(id));
    // What a tree holds goes before it.
    new.reverse();
    objects::write_again(repo, &scratch, &new)?;
    codetree::strip(repo, id).map(Ok)
}

/// With the same memory files on all sides no merge driver of theirs is ever asked.
fn with_memory_of(repo: &Repo, code: CodeTree, ours: CodeTree) -> Result<TreeId> {
    codetree::with_memory_of(repo, code, ours.root)
}

fn merge(repo: &Repo, base: TreeId, ours: TreeId, theirs: TreeId) -> Result<Outcome<'_>> {
    let options = repo.gix.tree_merge_options().doing(|| "reading how to merge".into())?;
    let labels = gix::merge::blob::builtin_driver::text::Labels {
        ancestor: Some("base".into()),
        current: Some("target".into()),
        other: Some("candidate".into()),
    };
    let merged = repo
        .gix
        .merge_trees(gix_id(base.0), gix_id(ours.0), gix_id(theirs.0), labels, options);
    merged.doing(|| "merging trees".into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{
        door::{env::Env, spawn::run_captured},
        git::{Shared, refs},
    };

    #[test]
    fn a_replayed_candidate_is_signed_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let signs = folder.path().join("signs");
        let said = "printf '\\n[GNUPG:] SIG_CREATED D\\n' >&2; printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n'; \
                    echo '-----END PGP SIGNATURE-----'";
        std::fs::write(&signs, format!("#!/bin/sh\ncat >/dev/null; {said}\n")).unwrap();
        std::fs::set_permissions(&signs, std::fs::Permissions::from_mode(0o755)).unwrap();
        let env = Env::read().for_checks(&[]);
        let git = |args: &[&str]| {
            let done = run_captured("git", args, folder.path(), &env, b"", None).unwrap();
            assert_eq!(done.code, 0, "{}", String::from_utf8_lossy(&done.stderr));
        };
        git(&["init", "-q", "-b", "main"]);
        for (key, value) in [("user.name", "a"), ("user.email", "a@b"), ("commit.gpgSign", "true")] {
            git(&["config", key, value]);
        }
        git(&["config", "gpg.program", signs.to_str().unwrap()]);
        for subject in ["one", "two"] {
            git(&["commit", "-q", "--no-gpg-sign", "--allow-empty", "-m", subject]);
        }
        let repo = Shared::open(folder.path(), Vec::new()).unwrap().repo();
        let candidate = refs::resolve(&repo, "main").unwrap();
        let tip = refs::resolve(&repo, "main~").unwrap();
        let code = tree::code_of_commit(&repo, candidate).unwrap();
        let made = replay(&repo, tip, candidate, code, Moment(0)).unwrap();
        let stored = repo.gix.find_commit(gix_id(made.0)).unwrap();
        assert!(String::from_utf8_lossy(&stored.data).contains("\ngpgsig -----BEGIN PGP"));
    }
}
