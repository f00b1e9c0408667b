//! Brings ignored files (`.env`, downloaded fixtures, `node_modules/`) from the user's checkout into a slot.
//!
//! Symbolic links are copied as links. What the slot has already, same size and time, is not copied again.

use std::{io, path::Path};

use crate::{
    door::fs::dir::{Dir, FileKind, Stat},
    git::{Repo, checkout::Ignores},
    path::RepoPath,
    slot::laid::{self, Laid},
};

/// Copies what `patterns` match; see `Slot::copy_in`.
pub(in crate::slot) fn copy_in(
    repo: &Repo,
    laid: &[Laid],
    from: &Path,
    to: &Path,
    patterns: &[String],
) -> io::Result<Vec<RepoPath>> {
    let (from, to) = (Dir::open(from)?, Dir::open(to)?);
    let mut copy = Copy {
        laid,
        ignores: Ignores::new(repo, &laid::named(laid, ".gitignore"))?,
        copied: Vec::new(),
    };
    for pattern in patterns {
        let names: Vec<&str> = pattern
            .split('/')
            .filter(|name| !name.is_empty() && *name != ".")
            .collect();
        copy.matching(&from, &to, &[], &names)?;
    }
    copy.copied.sort();
    copy.copied.dedup();
    Ok(copy.copied)
}

struct Copy<'a> {
    laid: &'a [Laid],
    ignores: Ignores<'a>,
    copied: Vec<RepoPath>,
}

impl Copy<'_> {
    fn matching(&mut self, from: &Dir, to: &Dir, path: &[u8], pattern: &[&str]) -> io::Result<()> {
        let Some((first, rest)) = pattern.split_first() else {
            return Ok(());
        };
        for (name, kind) in from.names()? {
            if name == b".git" || !matches(first.as_bytes(), &name) {
                continue;
            }
            let below = joined(path, &name);
            if rest.is_empty() {
                self.tree(from, to, &name, kind, below)?;
            } else if kind == FileKind::Folder {
                let inside = theirs(from, &name)?;
                self.matching_below(&inside, to, &name, &below, rest)?;
            }
        }
        Ok(())
    }

    /// The folder in the slot is made only once something in it matches.
    fn matching_below(&mut self, inside: &Dir, to: &Dir, name: &[u8], path: &[u8], rest: &[&str]) -> io::Result<()> {
        let was_there = to.stat(name)?.is_some();
        let target = to.make_folder(name)?;
        self.matching(inside, &target, path, rest)?;
        if !was_there {
            to.remove_if_empty(name)?;
        }
        Ok(())
    }

    fn tree(&mut self, from: &Dir, to: &Dir, name: &[u8], kind: FileKind, path: Vec<u8>) -> io::Result<()> {
        let path = RepoPath::from_git(path);
        let is_folder = kind == FileKind::Folder;
        let is_ignored = self.ignores.cover(path.as_bytes(), is_folder)?;
        if name == b".git" || self.is_tracked(&path) || (!is_folder && !is_ignored) {
            return Ok(());
        }
        let Some(stat) = from.stat(name)? else { return Ok(()) };
        match kind {
            FileKind::Folder => {
                if to.stat(name)?.is_some_and(|there| there.kind != FileKind::Folder) {
                    to.unlink(name)?;
                }
                let was_there = to.stat(name)?.is_some();
                let (inside, target) = (theirs(from, name)?, to.make_folder(name)?);
                for (below, kind) in inside.names()? {
                    let path = joined(path.as_bytes(), &below);
                    self.tree(&inside, &target, &below, kind, path)?;
                }
                if !was_there && !is_ignored {
                    to.remove_if_empty(name)?;
                }
                return Ok(());
            }
            FileKind::File | FileKind::Symlink => file(from, to, name, &stat)?,
            FileKind::Other => return Ok(()),
        }
        self.copied.push(path);
        Ok(())
    }

    fn is_tracked(&self, path: &RepoPath) -> bool {
        self.laid.binary_search_by(|item| item.path.cmp(path)).is_ok()
    }
}

/// Opens a folder of the user's. One without leave to read it stays so: `Dir::folder` would give it, as to a check's.
fn theirs(from: &Dir, name: &[u8]) -> io::Result<Dir> {
    if from.stat(name)?.is_some_and(|stat| stat.mode & 0o500 != 0o500) {
        let name = String::from_utf8_lossy(name);
        let what = format!("`check.copy`: the folder {name} may not be read by its owner");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    from.folder(name)
}

fn file(from: &Dir, to: &Dir, name: &[u8], stat: &Stat) -> io::Result<()> {
    let there = to.stat(name)?;
    let is_same = |there: Stat| {
        (there.kind, there.size, there.mtime, there.mode) == (stat.kind, stat.size, stat.mtime, stat.mode)
            && !there.shared
    };
    if there.is_some_and(is_same) {
        return Ok(());
    }
    to.remove(name)?;
    let content = from.read(name)?;
    if stat.kind == FileKind::Symlink {
        to.symlink(name, &content)?;
    } else {
        to.create(name, &content, 0o600)?;
        to.set_mode(name, stat.mode & 0o777)?;
    }
    to.set_mtime(name, stat.mtime)
}

fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    let mut joined = path.to_vec();
    if !joined.is_empty() {
        joined.push(b'/');
    }
    joined.extend_from_slice(name);
    joined
}

/// True where `*` in `pattern` can stand for runs of characters so that it reads as `name`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| matches(rest, name))),
        Some((first, rest)) => name
            .split_first()
            .is_some_and(|(byte, name)| byte == first && matches(rest, name)),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
    };

    use super::*;

    #[test]
    fn a_folder_of_the_users_that_nobody_may_read_stays_so() {
        let from = tempfile::tempdir().unwrap();
        let closed = from.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
        let opened = theirs(&Dir::open(from.path()).unwrap(), b"closed");
        assert_eq!(opened.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(fs::metadata(&closed).unwrap().permissions().mode() & 0o777, 0);
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, name) in [("*", "x"), ("*.env", ".env"), ("a*c", "abbc"), ("**", ""), ("a", "a")] {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [("a*c", "ab"), ("", "a"), ("a", "ab"), ("*.env", "env")] {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }
}
