//! Diffs between trees: which paths differ, and their contents. How a diff is worded is `textdiff`'s business.

use gix::{
    diff::{
        blob::{Algorithm, InternedInput, diff_with_slider_heuristics},
        tree::{Recorder, recorder::Change},
    },
    objs::{TreeRefIter, tree::EntryMode},
};

use crate::{
    context::past::renames,
    git::{Doing as _, Repo, Result, codetree, gix_id, history, objects, oid, tree},
    id::{BlobId, CommitId, TreeId},
    path::RepoPath,
    provenance::{Lines, Ranges},
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
    match history::parents(repo, commit)?.first() {
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

/// How far git looks for a byte that no text has.
const TEXT: usize = 8000;

/// Returns the lines that a commit brought, as git's own diff with its first parent has them, without the reserved memory
/// files: none of a file that only got another name, of a binary or of a submodule. `None` where the commit or its parent is
/// not here, as in a shallow clone.
///
/// # Errors
/// When trees or blobs cannot be read.
pub fn added_lines(repo: &Repo, commit: CommitId) -> Result<Option<Vec<Lines>>> {
    let is_here = |commit: CommitId| repo.gix.has_object(gix_id(commit.0));
    if !is_here(commit) {
        return Ok(None);
    }
    let parents = history::parents(repo, commit)?;
    if parents.first().is_some_and(|parent| !is_here(*parent)) {
        return Ok(None);
    }
    let differs = of_commit(repo, commit)?;
    let is_file = |entry: Entry| matches!(entry.mode, Mode::File | Mode::Executable);
    let only = |one: Option<Entry>, other: Option<Entry>| one.filter(|one| other.is_none() && is_file(*one));
    let side = |path: &RepoPath, entry: Option<Entry>| entry.map(|entry| (path.clone(), entry.id));
    let gone = differs.iter().filter_map(|at| side(&at.path, only(at.old, at.new)));
    let new = differs.iter().filter_map(|at| side(&at.path, only(at.new, at.old)));
    let (gone, new): (Vec<_>, Vec<_>) = (gone.collect(), new.collect());
    let read = |blob: BlobId| {
        let size = objects::size(repo, blob).ok()?;
        (size <= renames::LARGEST).then(|| objects::read_blob(repo, blob).ok())?
    };
    let was = renames::pair(&gone, &new, read);
    // `new` is sorted by path, as `differs` is.
    let was = |path: &RepoPath| {
        let at = new.binary_search_by(|(new, _)| new.cmp(path)).ok()?;
        gone.get((*was.get(at)?)?).map(|(_, blob)| *blob)
    };
    let mut found = Vec::new();
    for Differs { path, old, new } in &differs {
        let Some(new) = new.filter(|new| new.mode != Mode::Submodule) else {
            continue;
        };
        let old = old.filter(|old| old.mode != Mode::Submodule);
        let old = old.map(|old| old.id).or_else(|| was(path));
        let before = match old {
            Some(old) => objects::read_blob(repo, old)?,
            None => Vec::new(),
        };
        let ranges = added(&before, &objects::read_blob(repo, new.id)?);
        if !ranges.is_empty() {
            let path = path.clone();
            found.push(Lines { path, ranges });
        }
    }
    Ok(Some(found))
}

/// Returns which lines of `new` are not of `old`; none where one of them is no text.
fn added(old: &[u8], new: &[u8]) -> Ranges {
    let is_binary = |bytes: &[u8]| bytes.iter().take(TEXT).any(|byte| *byte == 0);
    if is_binary(old) || is_binary(new) {
        return Ranges::new();
    }
    let diff = diff_with_slider_heuristics(Algorithm::Myers, &InternedInput::new(old, new));
    let after = diff.hunks().map(|hunk| hunk.after).filter(|lines| !lines.is_empty());
    after.map(|lines| (lines.start.saturating_add(1), lines.end)).collect()
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

fn entry(mode: EntryMode, id: &gix::oid) -> Option<Entry> {
    tree::mode_of(mode.kind()).map(|mode| Entry {
        mode,
        id: BlobId(oid(id)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_lines_are_counted_from_one_as_git_counts_them() {
        for (old, new, ranges) in [
            ("", "a\n", vec![(1, 1)]),
            ("", "a\nb", vec![(1, 2)]),
            ("a\nb\n", "a\n", vec![]),
            ("a\n", "a\n", vec![]),
            ("a\n", "a", vec![(1, 1)]),
            ("a\nb\nc\n", "a\nx\ny\nc\nz\n", vec![(2, 3), (5, 5)]),
            ("a\r\n", "a\n", vec![(1, 1)]),
            ("", "a\0\n", vec![]),
            ("a\0\n", "a\n", vec![]),
        ] {
            assert_eq!(added(old.as_bytes(), new.as_bytes()), ranges, "{old:?} {new:?}");
        }
        // The block that was put in, not its end with the next one's.
        let (one, two) = ("fn a() {\n    1\n}\n", "\nfn b() {\n    2\n}\n");
        assert_eq!(added(one.as_bytes(), format!("{one}{two}").as_bytes()), [(4, 7)]);
    }
}
