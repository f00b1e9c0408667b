//! What past commits are made of: their lines of descent, their messages, and the paths that they changed.
//!
//! Reads trees, and blobs only where a file that is new may be one that is gone. What a message says is `context`'s business.

use gix::{
    bstr::BStr,
    diff::tree::{Recorder, Visit, visit},
    objs::{CommitRefIter, TreeRefIter},
};

use crate::{
    context::past::{
        known::{Changed, MANY},
        renames,
    },
    git::{Doing as _, Repo, Result, codetree, diff, gix_id, objects, oid},
    id::{BlobId, CommitId, TreeId},
    path::RepoPath,
    snapshot::Mode,
};

/// A commit that changed more paths is not read to its end.
const MOST_CHANGES: usize = 10_000;

/// Most paths that a first commit may have to count as a change of them.
const MOST_AT_FIRST: u32 = 30;

/// A commit as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its parents, first the line that it continues.
    pub parents: Vec<CommitId>,
    /// The committer's time, in seconds since 1970; 0 where it cannot be read.
    pub at: i64,
    /// Its tree.
    pub tree: TreeId,
    /// Its message, in whatever encoding.
    pub message: Vec<u8>,
}

/// Reads a commit; `None` where a shallow clone ends before it, or where it is none that can be read.
///
/// # Errors
/// When the object database cannot be read.
pub fn commit(repo: &Repo, id: CommitId) -> Result<Option<Stored>> {
    let doing = || format!("reading commit {id}");
    let Some(object) = repo.gix.try_find_object(gix_id(id.0)).doing(doing)? else {
        return Ok(None);
    };
    if object.kind != gix::objs::Kind::Commit {
        return Ok(None);
    }
    let read = || CommitRefIter::from_bytes(&object.data, repo.gix.object_hash());
    let Ok(tree) = read().tree_id() else { return Ok(None) };
    let at = read().committer().map_or(0, |committer| committer.seconds());
    Ok(Some(Stored {
        parents: read().parent_ids().map(|parent| CommitId(oid(&parent))).collect(),
        at,
        tree: TreeId(oid(&tree)),
        message: message(&object.data).to_vec(),
    }))
}

/// Returns what follows the headers, whether each of them can be read or not.
fn message(commit: &[u8]) -> &[u8] {
    let blank = commit.windows(2).position(|pair| pair == b"\n\n");
    blank.and_then(|at| commit.get(at + 2..)).unwrap_or_default()
}

/// Compares the trees of a commit and its first parent, without the reserved memory files; `old` is `None` for a first
/// commit, which counts as a change of its files where they are few.
///
/// # Errors
/// When a tree cannot be read, as in a clone that left trees out.
pub fn changed(repo: &Repo, old: Option<TreeId>, new: TreeId) -> Result<Changed> {
    let empty = Vec::new();
    let old_tree = old.map(|old| tree(repo, old)).transpose()?.unwrap_or(empty);
    let mut changes = Changes(Recorder::default());
    let hash = repo.gix.object_hash();
    let compared = gix::diff::tree(
        TreeRefIter::from_bytes(&old_tree, hash),
        TreeRefIter::from_bytes(&tree(repo, new)?, hash),
        gix::diff::tree::State::default(),
        &repo.gix.objects,
        &mut changes,
    );
    let is_first = old.is_none();
    let count = match compared {
        Ok(()) => {
            let told = told(repo, changes.0);
            if !is_first || told.count <= MOST_AT_FIRST {
                return Ok(told);
            }
            told.count
        }
        Err(gix::diff::tree::Error::Cancelled) => u32::try_from(MOST_CHANGES).unwrap_or(u32::MAX),
        Err(error) => return Err(error).doing(|| format!("comparing trees with {new}")),
    };
    let paths = Vec::new();
    Ok(Changed { count, paths })
}

fn tree(repo: &Repo, id: TreeId) -> Result<Vec<u8>> {
    let tree = repo.gix.find_tree(gix_id(id.0));
    Ok(tree.doing(|| format!("reading tree {id}"))?.detach().data)
}

fn told(repo: &Repo, recorder: Recorder) -> Changed {
    let differs = recorder.records.into_iter().filter_map(diff::differs);
    let (mut gone, mut new, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for differs in differs.filter(|differs| !codetree::is_reserved(&differs.path)) {
        let is_file = |mode: Mode| matches!(mode, Mode::File | Mode::Executable);
        match (differs.old, differs.new) {
            (Some(old), None) if is_file(old.mode) => gone.push((differs.path, old.id)),
            (None, Some(entry)) if is_file(entry.mode) => new.push((differs.path, entry.id)),
            _ => paths.push((differs.path, None)),
        }
    }
    let of_new = renames::pair(&gone, &new, |blob| read(repo, blob));
    let mut moved = vec![false; gone.len()];
    for ((path, _), of) in new.into_iter().zip(of_new) {
        let was = of.and_then(|at| {
            *moved.get_mut(at)? = true;
            gone.get(at).map(|(was, _)| was.clone())
        });
        paths.push((path, was));
    }
    let left = gone.into_iter().zip(moved).filter(|(_, moved)| !moved);
    paths.extend(left.map(|((path, _), _)| (path, None)));
    let count = u32::try_from(paths.len()).unwrap_or(u32::MAX);
    if count > MANY {
        paths.retain(|(_, was): &(RepoPath, _)| was.is_some());
    }
    paths.sort_unstable();
    Changed { count, paths }
}

/// Reads a file that may be another one's older self; none that is large.
fn read(repo: &Repo, blob: BlobId) -> Option<Vec<u8>> {
    let size = objects::size(repo, blob).ok()?;
    (size <= renames::LARGEST)
        .then(|| objects::read_blob(repo, blob).ok())
        .flatten()
}

/// Records changes, up to as many as are read.
struct Changes(Recorder);

impl Visit for Changes {
    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.0.pop_front_tracked_path_and_set_current();
    }

    fn push_back_tracked_path_component(&mut self, component: &BStr) {
        self.0.push_back_tracked_path_component(component);
    }

    fn push_path_component(&mut self, component: &BStr) {
        self.0.push_path_component(component);
    }

    fn pop_path_component(&mut self) {
        self.0.pop_path_component();
    }

    fn visit(&mut self, change: visit::Change) -> visit::Action {
        if self.0.records.len() >= MOST_CHANGES {
            return std::ops::ControlFlow::Break(());
        }
        self.0.visit(change)
    }
}
