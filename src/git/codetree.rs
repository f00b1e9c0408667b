//! Code trees: root trees seen without the reserved memory files.
//!
//! Owns which files are reserved, and the only ways to take them off a tree or put them on one.

use std::collections::BTreeMap;

use gix::objs::{Tree, WriteTo as _, tree::EntryKind};

use crate::{
    backlog::{
        close::{COMPLETED, COMPLETED_SEGMENTS, HISTORY, HISTORY_SEGMENTS, PENDING},
        inbox::INBOX,
    },
    git::{Doing as _, GitError, Repo, Result, gix_id, objects, oid, tree},
    id::{BlobId, TreeId},
    path::RepoPath,
    snapshot::CodeTree,
};

/// The folder of the memory files.
const MEMORY: &str = "memory";
/// The root prompt.
pub const MASTER_PROMPT: &str = "memory/master_prompt.txt";

const RESERVED_FILES: [&str; 4] = [PENDING, COMPLETED, HISTORY, MASTER_PROMPT];
const RESERVED_FOLDERS: [&str; 3] = [HISTORY_SEGMENTS, COMPLETED_SEGMENTS, INBOX];

/// True for the memory files that are ours: checks, edits and merges never see them.
pub fn is_reserved(path: &RepoPath) -> bool {
    RESERVED_FILES.iter().any(|file| path.as_bytes() == file.as_bytes())
        || RESERVED_FOLDERS
            .iter()
            .any(|folder| path.is_under(folder.trim_end_matches('/')))
}

/// Lists the memory files and folders that are ours.
pub fn reserved() -> impl Iterator<Item = &'static str> {
    RESERVED_FILES
        .into_iter()
        .chain(RESERVED_FOLDERS)
        .map(|path| path.trim_end_matches('/'))
}

fn is_reserved_name(name: &[u8]) -> bool {
    RESERVED_FILES
        .iter()
        .chain(&RESERVED_FOLDERS)
        .filter_map(|path| path.strip_prefix("memory/"))
        .any(|reserved| reserved.trim_end_matches('/').as_bytes() == name)
}

fn load(repo: &Repo, id: TreeId) -> Result<Tree> {
    let tree = repo
        .gix
        .find_tree(gix_id(id.0))
        .doing(|| format!("reading tree {id}"))?;
    Ok(tree.decode().doing(|| format!("decoding tree {id}"))?.to_owned())
}

fn hash(repo: &Repo, tree: &Tree) -> Result<gix::ObjectId> {
    let mut bytes = Vec::new();
    tree.write_to(&mut bytes).doing(|| "serialising a tree".into())?;
    gix::objs::compute_hash(repo.gix.object_hash(), gix::objs::Kind::Tree, &bytes).doing(|| "hashing a tree".into())
}

/// Sees the stored tree `root` as a code tree. Reads two trees, writes nothing.
///
/// # Errors
/// When a tree cannot be read.
pub fn strip(repo: &Repo, root: TreeId) -> Result<CodeTree> {
    let mut tree = load(repo, root)?;
    let at = tree
        .entries
        .iter()
        .position(|entry| entry.mode.is_tree() && entry.filename == MEMORY);
    if let Some(entry) = at.and_then(|at| tree.entries.get(at)).cloned() {
        let mut memory = load(repo, TreeId(oid(&entry.oid)))?;
        memory.entries.retain(|entry| !is_reserved_name(&entry.filename));
        tree.entries.retain(|other| other.filename != entry.filename);
        if !memory.entries.is_empty() {
            tree.entries.push(gix::objs::tree::Entry {
                oid: hash(repo, &memory)?,
                ..entry
            });
            tree.entries.sort();
        }
    }
    Ok(CodeTree {
        id: TreeId(oid(&hash(repo, &tree)?)),
        root,
    })
}

/// Returns a stored tree: the code of `code` with the reserved memory files of the tree `memory_of`.
///
/// # Errors
/// When trees cannot be read or written.
pub fn with_memory_of(repo: &Repo, code: CodeTree, memory_of: TreeId) -> Result<TreeId> {
    if code.root == memory_of {
        return Ok(code.root);
    }
    let ours = reserved_entries(repo, memory_of)?;
    let theirs = reserved_entries(repo, code.root)?;
    if ours == theirs {
        return Ok(code.root);
    }
    edit(repo, code.root, |editor| {
        for (name, _, _) in &theirs {
            editor.remove([MEMORY.as_bytes(), name.as_slice()])?;
        }
        for (name, kind, id) in &ours {
            editor.upsert([MEMORY.as_bytes(), name.as_slice()], *kind, *id)?;
        }
        Ok(())
    })
}

type Reserved = Vec<(Vec<u8>, EntryKind, gix::ObjectId)>;

fn reserved_entries(repo: &Repo, root: TreeId) -> Result<Reserved> {
    let tree = load(repo, root)?;
    let Some(entry) = tree
        .entries
        .iter()
        .find(|entry| entry.mode.is_tree() && entry.filename == MEMORY)
    else {
        return Ok(Vec::new());
    };
    let memory = load(repo, TreeId(oid(&entry.oid)))?;
    let reserved = memory.entries.iter().filter(|entry| is_reserved_name(&entry.filename));
    Ok(reserved
        .map(|entry| (entry.filename.to_vec(), entry.mode.kind(), entry.oid))
        .collect())
}

/// Lists the reserved memory files of the stored tree `root` with their blobs, sorted by path.
///
/// # Errors
/// When trees cannot be read.
pub fn memory_files(repo: &Repo, root: TreeId) -> Result<BTreeMap<String, BlobId>> {
    let mut files = BTreeMap::new();
    for (name, kind, id) in reserved_entries(repo, root)? {
        let path = format!("{MEMORY}/{}", String::from_utf8_lossy(&name));
        if kind != EntryKind::Tree {
            files.insert(path, BlobId(oid(&id)));
            continue;
        }
        for entry in load(repo, TreeId(oid(&id)))?.entries {
            files.insert(format!("{path}/{}", entry.filename), BlobId(oid(&entry.oid)));
        }
    }
    Ok(files)
}

/// A root tree: a code tree that passed, plus memory files. Landing commits nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryTree(TreeId);

impl MemoryTree {
    /// Returns the root tree.
    pub fn root(self) -> TreeId {
        self.0
    }
}

/// Puts memory files onto `code`: those of the tree `memory_of`, with `files` written over them. A file of the inbox without
/// bytes is taken away.
///
/// # Errors
/// Refuses a path that is not reserved; fails when trees cannot be read or written.
pub fn with_memory(repo: &Repo, code: CodeTree, memory_of: TreeId, files: &[(String, Vec<u8>)]) -> Result<MemoryTree> {
    let root = with_memory_of(repo, code, memory_of)?;
    let (mut blobs, mut gone) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let path = RepoPath::from_git(path.as_bytes());
        if !is_reserved(&path) {
            return Err(GitError::new(format!("{path} is not a memory file")));
        }
        if content.is_empty() && path.is_under(INBOX.trim_end_matches('/')) {
            gone.push(path);
        } else {
            blobs.push((path, objects::write_blob(repo, content)?));
        }
    }
    if blobs.is_empty() && gone.is_empty() {
        return Ok(MemoryTree(root));
    }
    let root = edit(repo, root, |editor| {
        for (path, BlobId(blob)) in &blobs {
            editor.upsert(path.names(), EntryKind::Blob, gix_id(*blob))?;
        }
        for path in &gone {
            editor.remove(path.names())?;
        }
        Ok(())
    })?;
    Ok(MemoryTree(root))
}

/// Returns the code of `code`, with what stands at each of `paths` as `base` has it: taken from there, or gone.
///
/// # Errors
/// When trees cannot be read or written.
pub fn with_paths_of(repo: &Repo, code: CodeTree, base: CodeTree, paths: &[RepoPath]) -> Result<CodeTree> {
    let mut found = Vec::new();
    for path in paths {
        found.push((path, tree::lookup(repo, base.root, path)?));
    }
    let root = edit(repo, code.root, |editor| {
        for (path, entry) in found {
            // First away: what the candidate has there may be a file where the base has a folder.
            editor.remove(path.names())?;
            if let Some((kind, id)) = entry {
                editor.upsert(path.names(), kind, id)?;
            }
        }
        Ok(())
    })?;
    strip(repo, root)
}

/// Edits the stored tree `root` and stores every tree that changed.
pub(crate) fn edit(
    repo: &Repo,
    root: TreeId,
    change: impl FnOnce(&mut gix::objs::tree::Editor<'_>) -> gix::Result<()>,
) -> Result<TreeId> {
    use gix::objs::Write as _;
    let tree = load(repo, root)?;
    let mut editor = gix::objs::tree::Editor::new(tree, &repo.gix.objects, repo.gix.object_hash());
    change(&mut editor).doing(|| format!("editing tree {root}"))?;
    let id = editor
        .write(|tree| objects::Store(repo).write(tree))
        .doing(|| "writing a tree".into())?;
    Ok(TreeId(oid(&id)))
}
