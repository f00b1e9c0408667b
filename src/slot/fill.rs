//! From one tree to the next, in place: files that stay keep their inode and their time, so that build caches stay warm.

use std::{collections::HashSet, io, path::Path};

use crate::{
    door::fs::dir::{Dir, FileKind},
    git::{Repo, checkout, diff, tree},
    id::TreeId,
    path::RepoPath,
    slot::laid::{self, Laid},
    snapshot::{CodeTree, Entry, Mode},
};

/// Brings `folder` from what it is known to hold to `tree`. Returns what it holds then, and whether `dirty::clean` must
/// compare everything: because nothing was known, or because attributes or ignore rules differ.
pub(in crate::slot) fn update(
    repo: &Repo,
    folder: &Path,
    known: Option<(Vec<Laid>, TreeId)>,
    tree: CodeTree,
) -> io::Result<(Vec<Laid>, bool)> {
    let Some((mut laid, old)) = known else {
        return Ok((unread(repo, tree)?, true));
    };
    // The old tree may be gone: nothing but the slot keeps it.
    let Ok(difference) = diff::trees(repo, old, tree.root) else {
        return Ok((unread(repo, tree)?, true));
    };
    let gone = difference.iter().filter(|differs| differs.new.is_none());
    let gone: Vec<RepoPath> = gone.map(|differs| differs.path.clone()).collect();
    remove_gone(&Dir::open(folder)?, &gone)?;
    let changed: HashSet<&RepoPath> = difference.iter().map(|differs| &differs.path).collect();
    laid.retain(|item| !changed.contains(&item.path));
    let changes = |name: &str| changed.iter().any(|path| path.file_name() == name.as_bytes());
    let (attributes_changed, ignores_changed) = (changes(".gitattributes"), changes(".gitignore"));
    let put = difference
        .iter()
        .filter_map(|differs| Some((differs.path.clone(), differs.new?)));
    let mut put: Vec<Laid> = put
        .map(|(path, entry)| Laid {
            path,
            entry,
            stat: None,
        })
        .collect();
    let mut rules = laid::named(&laid, ".gitattributes");
    rules.extend(laid::named(&put, ".gitattributes"));
    lay(repo, folder, &rules, &mut put)?;
    laid.extend(put);
    laid.sort_by(|one, other| one.path.cmp(&other.path));
    if attributes_changed {
        // The same blob may now have to look different.
        laid.iter_mut().for_each(|item| item.stat = None);
    }
    Ok((laid, attributes_changed || ignores_changed))
}

/// Writes `items` into `folder`, whatever is in their place, and notes how they look then.
pub(in crate::slot) fn lay(
    repo: &Repo,
    folder: &Path,
    rules: &[(RepoPath, Entry)],
    items: &mut [Laid],
) -> io::Result<()> {
    let root = Dir::open(folder)?;
    let mut parents = Parents::new(&root);
    for item in items.iter() {
        // Never write into what is there: it may be a pipe, or another name of a file elsewhere.
        if let Some(parent) = parents.of(&item.path)? {
            parent.remove(item.path.file_name())?;
        }
    }
    let files: Vec<(RepoPath, Entry)> = items.iter().map(|item| (item.path.clone(), item.entry)).collect();
    if !files.is_empty() {
        checkout::write(repo, folder, rules, &files)?;
    }
    let mut parents = Parents::new(&root);
    for item in items {
        if item.entry.mode == Mode::Submodule {
            make_folder(&root, &item.path)?;
        }
        if let Some(parent) = parents.of(&item.path)? {
            item.stat = parent.stat(item.path.file_name())?;
        }
    }
    Ok(())
}

fn unread(repo: &Repo, code: CodeTree) -> io::Result<Vec<Laid>> {
    let items = tree::list(repo, code.root)?.into_iter();
    Ok(items
        .map(|(path, entry)| Laid {
            path,
            entry,
            stat: None,
        })
        .collect())
}

fn remove_gone(root: &Dir, gone: &[RepoPath]) -> io::Result<()> {
    for path in gone {
        let Some(parent) = root.parent_of(path)? else { continue };
        let name = path.file_name();
        match parent.stat(name)?.map(|stat| stat.kind) {
            Some(FileKind::Folder) => {
                parent.remove_if_empty(name)?;
            }
            Some(_) => parent.unlink(name)?,
            None => {}
        }
        for emptied in path.parents() {
            let Some(above) = root.parent_of(&emptied)? else { break };
            if above.stat(emptied.file_name())?.is_none() || !above.remove_if_empty(emptied.file_name())? {
                break;
            }
        }
    }
    Ok(())
}

/// gix leaves submodules out; like git without `submodule update`, an empty folder stands for one.
fn make_folder(root: &Dir, path: &RepoPath) -> io::Result<()> {
    let mut dir = root.clone_handle()?;
    for name in path.names() {
        dir = dir.make_folder(name)?;
    }
    Ok(())
}

/// Opens the folders that paths are in, each once for a run of paths in the same folder.
struct Parents<'a> {
    root: &'a Dir,
    last: Option<(RepoPath, Option<Dir>)>,
}

impl<'a> Parents<'a> {
    fn new(root: &'a Dir) -> Self {
        Self { root, last: None }
    }

    fn of(&mut self, path: &RepoPath) -> io::Result<Option<&Dir>> {
        let Some(folder) = path.parents().next() else {
            return Ok(Some(self.root));
        };
        if self.last.as_ref().is_none_or(|(last, _)| *last != folder) {
            self.last = Some((folder, self.root.parent_of(path)?));
        }
        Ok(self.last.as_ref().and_then(|(_, dir)| dir.as_ref()))
    }
}
