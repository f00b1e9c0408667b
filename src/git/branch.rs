//! A branch of somebody: where it parted from the target, and the commits that it has beyond it.
//!
//! Reads only. What of it may be adopted is the engine's business.

use gix::{revision::walk::Sorting, traverse::commit::simple::CommitTimeOrder};

use crate::{
    git::{
        Doing as _, Repo, Result,
        commit::Author,
        gix_id,
        history::{self, LogEntry},
        merge, oid, tree,
    },
    id::CommitId,
    snapshot::CodeTree,
};

/// A commit of the branch.
#[derive(Clone, Debug)]
pub struct Own {
    /// The commit.
    pub entry: LogEntry,
    /// Whose work it is.
    pub author: Author,
}

/// Returns the best common ancestors of two commits; none where their histories are unrelated, several where they were
/// merged crosswise.
///
/// # Errors
/// When history cannot be read.
pub fn bases(repo: &Repo, tip: CommitId, head: CommitId) -> Result<Vec<CommitId>> {
    match repo.gix.merge_bases_many(gix_id(tip.0), &[gix_id(head.0)]) {
        Ok(bases) => Ok(bases.iter().map(|base| CommitId(oid(base))).collect()),
        Err(error) if error.dominant_class() == Some(gix::error::Class::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error).doing(|| format!("looking where {tip} and {head} parted")),
    }
}

/// Returns the commits that `head` has and `tip` has not, the newest first.
///
/// # Errors
/// When history cannot be read.
pub fn commits(repo: &Repo, tip: CommitId, head: CommitId) -> Result<Vec<Own>> {
    let doing = || format!("walking from {head} to {tip}");
    let walk = repo
        .gix
        .rev_walk([gix_id(head.0)])
        .with_hidden([gix_id(tip.0)])
        .sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
    let mut found = Vec::new();
    for info in walk.all().doing(doing)? {
        let id = CommitId(oid(&info.doing(doing)?.id));
        found.push(Own {
            entry: history::entry(repo, id)?,
            author: Author::of(repo, id)?,
        });
    }
    Ok(found)
}

/// Brings what the branch that ends at `head` changed since it parted from `tip` into the code of `tip`, however many
/// commits it has.
///
/// # Errors
/// When history or trees cannot be read or written.
pub fn onto(repo: &Repo, tip: CommitId, head: CommitId) -> Result<merge::Conflicts> {
    let ours = tree::code_of_commit(repo, tip)?;
    let base = match bases(repo, tip, head)?.as_slice() {
        [] => ours,
        [first, others @ ..] => ancestor(repo, *first, others)?,
    };
    merge::three_way(repo, base, ours, tree::code_of_commit(repo, head)?)
}

/// Merges the places where two histories parted into one. Where they contradict each other the first stands, as any choice
/// would be one: what both sides changed conflicts then, and is refused.
fn ancestor(repo: &Repo, first: CommitId, others: &[CommitId]) -> Result<CodeTree> {
    let mut all = tree::code_of_commit(repo, first)?;
    for other in others {
        let Some(before) = bases(repo, first, *other)?.first().copied() else {
            continue;
        };
        let before = tree::code_of_commit(repo, before)?;
        if let Ok(both) = merge::three_way(repo, before, all, tree::code_of_commit(repo, *other)?)? {
            all = both;
        }
    }
    Ok(all)
}
