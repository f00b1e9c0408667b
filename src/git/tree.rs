//! Trees: reading one as a [`Snapshot`], and writing admitted changes onto one.

use std::{cell::RefCell, io, sync::Arc};

use gix::objs::tree::EntryKind;

use crate::{
    git::{
        Doing as _, Repo, Result, codetree, gix_id,
        objects::{self, Row},
        oid,
    },
    guard::Admitted,
    id::{BlobId, CommitId, TreeId},
    path::RepoPath,
    snapshot::{Change, CodeTree, Entry, Listing, Mode, Snapshot},
};

/// The code of a stored tree. Listed at most once.
pub struct TreeSnapshot<'r> {
    repo: &'r Repo,
    tree: CodeTree,
    listing: RefCell<Option<Arc<Listing>>>,
}

/// Opens `tree` for reading. The reserved memory files are not in it.
pub fn snapshot(repo: &Repo, tree: CodeTree) -> TreeSnapshot<'_> {
    TreeSnapshot {
        repo,
        tree,
        listing: RefCell::new(None),
    }
}

/// Returns the root tree of a commit.
///
/// # Errors
/// When there is no such commit.
pub fn of_commit(repo: &Repo, commit: CommitId) -> Result<TreeId> {
    let found = repo
        .gix
        .find_commit(gix_id(commit.0))
        .doing(|| format!("reading commit {commit}"))?;
    let id = found.tree_id().doing(|| format!("reading commit {commit}"))?;
    Ok(TreeId(oid(&id)))
}

/// Returns the code tree of a commit.
///
/// # Errors
/// When it or its trees cannot be read.
pub fn code_of_commit(repo: &Repo, commit: CommitId) -> Result<CodeTree> {
    codetree::strip(repo, of_commit(repo, commit)?)
}

/// Reads one file of a stored tree, reserved or not; `None` where there is none.
///
/// # Errors
/// When trees or the blob cannot be read.
pub fn read_file(repo: &Repo, root: TreeId, path: &str) -> Result<Option<Vec<u8>>> {
    match lookup(repo, root, &RepoPath::from_git(path.as_bytes()))? {
        Some((kind, id)) if kind != EntryKind::Tree && kind != EntryKind::Commit => {
            objects::read_blob(repo, BlobId(oid(&id))).map(Some)
        }
        _ => Ok(None),
    }
}

/// Looks up the blob of one file of a stored tree, reserved or not.
///
/// # Errors
/// When a tree cannot be read.
pub fn blob_at(repo: &Repo, root: TreeId, path: &str) -> Result<Option<BlobId>> {
    let found = lookup(repo, root, &RepoPath::from_git(path.as_bytes()))?;
    Ok(found
        .filter(|(kind, _)| *kind != EntryKind::Tree)
        .map(|(_, id)| BlobId(oid(&id))))
}

/// Looks up a folder of a stored tree; `None` where there is none.
///
/// # Errors
/// When a tree cannot be read.
pub fn folder_at(repo: &Repo, root: TreeId, path: &str) -> Result<Option<TreeId>> {
    let found = lookup(repo, root, &RepoPath::from_git(path.as_bytes()))?;
    Ok(found
        .filter(|(kind, _)| *kind == EntryKind::Tree)
        .map(|(_, id)| TreeId(oid(&id))))
}

/// Looks up what stands at `path` of a stored tree, folders included.
pub(crate) fn lookup(repo: &Repo, root: TreeId, path: &RepoPath) -> Result<Option<(EntryKind, gix::ObjectId)>> {
    let tree = repo
        .gix
        .find_tree(gix_id(root.0))
        .doing(|| format!("reading tree {root}"))?;
    let found = tree.lookup_entry(path.names()).doing(|| format!("looking up {path}"))?;
    Ok(found.map(|entry| (entry.mode().kind(), entry.object_id())))
}

/// Returns the mode of an entry that is no folder.
pub(crate) fn mode_of(kind: EntryKind) -> Option<Mode> {
    match kind {
        EntryKind::Tree => None,
        EntryKind::Blob => Some(Mode::File),
        EntryKind::BlobExecutable => Some(Mode::Executable),
        EntryKind::Link => Some(Mode::Symlink),
        EntryKind::Commit => Some(Mode::Submodule),
    }
}

/// Returns the kind of entry that has this mode.
pub(crate) fn kind_of(mode: Mode) -> EntryKind {
    match mode {
        Mode::File => EntryKind::Blob,
        Mode::Executable => EntryKind::BlobExecutable,
        Mode::Symlink => EntryKind::Link,
        Mode::Submodule => EntryKind::Commit,
    }
}

impl Snapshot for TreeSnapshot<'_> {
    fn entry(&self, path: &RepoPath) -> io::Result<Option<Entry>> {
        if codetree::is_reserved(path) {
            return Ok(None);
        }
        let found = lookup(self.repo, self.tree.root, path)?;
        Ok(found.and_then(|(kind, id)| {
            mode_of(kind).map(|mode| Entry {
                mode,
                id: BlobId(oid(&id)),
            })
        }))
    }

    fn is_folder(&self, path: &RepoPath) -> io::Result<bool> {
        Ok(lookup(self.repo, self.tree.root, path)?.is_some_and(|(kind, _)| kind == EntryKind::Tree))
    }

    fn read(&self, id: &BlobId) -> io::Result<Vec<u8>> {
        Ok(objects::read_blob(self.repo, *id)?)
    }

    fn size(&self, id: &BlobId) -> io::Result<u64> {
        Ok(objects::size(self.repo, *id)?)
    }

    fn names_below(&self, start: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let id = match start.strip_suffix(b"/") {
            None => Some(gix_id(self.tree.root.0)),
            Some(folder) => lookup(self.repo, self.tree.root, &RepoPath::from_git(folder))?
                .filter(|(kind, _)| *kind == EntryKind::Tree)
                .map(|(_, id)| id),
        };
        let Some(id) = id else { return Ok(Vec::new()) };
        let names = objects::rows(self.repo, TreeId(oid(&id)))?
            .into_iter()
            .map(|row| row.name);
        let is_code = |name: &Vec<u8>| !codetree::is_reserved(&RepoPath::from_git([start, name].concat()));
        Ok(names.filter(is_code).collect())
    }

    fn listing(&self) -> io::Result<Arc<Listing>> {
        if let Some(listing) = self.listing.borrow().as_ref() {
            return Ok(Arc::clone(listing));
        }
        let listing = Arc::new(list(self.repo, self.tree.root)?);
        *self.listing.borrow_mut() = Some(Arc::clone(&listing));
        Ok(listing)
    }
}

/// Lists the names in one folder of a stored tree, sorted; none where there is no such folder.
///
/// # Errors
/// When a tree cannot be read.
pub fn names_in(repo: &Repo, root: TreeId, folder: &str) -> Result<Vec<String>> {
    let path = RepoPath::from_git(folder.trim_end_matches('/').as_bytes());
    let Some((EntryKind::Tree, id)) = lookup(repo, root, &path)? else {
        return Ok(Vec::new());
    };
    let rows = objects::rows(repo, TreeId(oid(&id)))?;
    Ok(rows.iter().map(Row::text).collect())
}

/// Returns a stored tree: `root` with each of `files` written, or taken away where it has no content.
///
/// # Errors
/// When trees cannot be read or written.
pub(crate) fn with_files<'a>(
    repo: &Repo,
    root: TreeId,
    files: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<TreeId> {
    let mut blobs = Vec::new();
    for (path, content) in files {
        blobs.push((
            path,
            content.map(|content| objects::write_blob(repo, content)).transpose()?,
        ));
    }
    codetree::edit(repo, root, |editor| {
        for (path, blob) in &blobs {
            match blob {
                None => editor.remove(path.split('/'))?,
                Some(BlobId(id)) => editor.upsert(path.split('/'), EntryKind::Blob, gix_id(*id))?,
            };
        }
        Ok(())
    })
}

/// Lists every entry of a stored tree, sorted, without the reserved memory files.
///
/// # Errors
/// When a tree cannot be read.
pub fn list(repo: &Repo, root: TreeId) -> Result<Listing> {
    let mut listing = Listing::new();
    let mut open = vec![(Vec::new(), root)];
    while let Some((folder, id)) = open.pop() {
        let tree = repo
            .gix
            .find_tree(gix_id(id.0))
            .doing(|| format!("reading tree {id}"))?;
        for entry in tree.iter() {
            let entry = entry.doing(|| format!("decoding tree {id}"))?;
            let mut path = folder.clone();
            path.extend_from_slice(entry.filename());
            match mode_of(entry.mode().kind()) {
                None => {
                    path.push(b'/');
                    open.push((path, TreeId(oid(&entry.object_id()))));
                }
                Some(mode) => {
                    let path = RepoPath::from_git(path);
                    if !codetree::is_reserved(&path) {
                        listing.push((
                            path,
                            Entry {
                                mode,
                                id: BlobId(oid(&entry.object_id())),
                            },
                        ));
                    }
                }
            }
        }
    }
    listing.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(listing)
}

/// Writes admitted changes onto `base` and returns the code tree they make. Touches no ref, no index, no file.
///
/// # Errors
/// When objects cannot be read or written.
pub fn write(repo: &Repo, base: CodeTree, admitted: &Admitted) -> Result<CodeTree> {
    let mut blobs = Vec::new();
    for (path, change) in admitted.changes() {
        match change {
            Change::Delete => blobs.push((path, None)),
            Change::Write { content, mode } => {
                blobs.push((path, Some((kind_of(*mode), objects::write_blob(repo, content)?))));
            }
        }
    }
    let root = codetree::edit(repo, base.root, |editor| {
        for (path, blob) in &blobs {
            match blob {
                None => editor.remove(path.names())?,
                Some((kind, BlobId(id))) => editor.upsert(path.names(), *kind, gix_id(*id))?,
            };
        }
        Ok(())
    })?;
    codetree::strip(repo, root)
}
