//! The dirty pass: one walk over a slot that finds what is not as it was written. Changed and missing files are written
//! again, untracked ones removed, ignored ones kept.
//!
//! Looks with one `stat` per file; reads a file only where that tells too little.

use std::{collections::HashMap, io, ops::Range, path::Path};

use crate::{
    door::fs::dir::{Dir, FileKind, Stat},
    git::{
        Repo,
        checkout::{Content, Ignores},
    },
    slot::{
        fill,
        laid::{self, Laid},
    },
    snapshot::Mode,
};

/// Makes `folder` hold what `laid` says, and what is ignored. `stamp` is when the slot was given away.
pub(in crate::slot) fn clean(repo: &Repo, folder: &Path, laid: &mut [Laid], stamp: (i64, u32)) -> io::Result<()> {
    let root = Dir::open(folder)?;
    let mut walk = Walk {
        repo,
        laid,
        stamp,
        ignores: None,
        suspects: Vec::new(),
    };
    walk.folder(&root, &mut Vec::new(), 0..walk.laid.len())?;
    let suspects = walk.suspects;
    if suspects.is_empty() {
        return Ok(());
    }
    let rules = laid::named(laid, ".gitattributes");
    let mut content = Content::new(repo, &rules)?;
    let mut wrong = Vec::new();
    for (at, stat) in suspects {
        let Some(item) = laid.get_mut(at) else { continue };
        match stat.filter(|stat| item.is_plausible(stat)) {
            Some(stat) if holds(&root, &mut content, item)? => item.stat = Some(stat),
            _ => wrong.push(at),
        }
    }
    let mut items: Vec<Laid> = wrong.iter().filter_map(|at| laid.get(*at).cloned()).collect();
    fill::lay(repo, folder, &rules, &mut items)?;
    for (at, item) in wrong.into_iter().zip(items) {
        if let Some(place) = laid.get_mut(at) {
            *place = item;
        }
    }
    Ok(())
}

fn holds(root: &Dir, content: &mut Content<'_>, item: &Laid) -> io::Result<bool> {
    let Some(parent) = root.parent_of(&item.path)? else {
        return Ok(false);
    };
    let Ok(bytes) = parent.read(item.path.file_name()) else {
        return Ok(false);
    };
    content.is(&item.path, &item.entry, &bytes)
}

/// What the tree has under a name in a folder.
pub(in crate::slot) enum Expected {
    Item(usize),
    Folder(Range<usize>),
}

struct Walk<'a> {
    repo: &'a Repo,
    laid: &'a [Laid],
    stamp: (i64, u32),
    /// Made when the first untracked name is met.
    ignores: Option<Ignores<'a>>,
    /// Places in `laid` that are missing or not surely as written, and what is there instead.
    suspects: Vec<(usize, Option<Stat>)>,
}

impl Walk<'_> {
    /// Compares a folder with the items in `range`, which all lie below it. `path` is empty, or ends with a slash.
    fn folder(&mut self, dir: &Dir, path: &mut Vec<u8>, range: Range<usize>) -> io::Result<()> {
        let laid = self.laid;
        let mut expected = expected_in(laid, path.len(), range);
        for (name, kind) in dir.names()? {
            match expected.remove(name.as_slice()) {
                Some(Expected::Item(at)) => self.item(dir, &name, kind, at)?,
                Some(Expected::Folder(range)) if kind == FileKind::Folder => {
                    let below = dir.folder(&name)?;
                    self.below(path, &name, |walk, path| walk.folder(&below, path, range))?;
                }
                Some(Expected::Folder(range)) => self.suspects.extend(range.map(|at| (at, None))),
                None => self.untracked(dir, path, &name, kind)?,
            }
        }
        for missing in expected.into_values() {
            match missing {
                Expected::Item(at) => self.suspects.push((at, None)),
                Expected::Folder(range) => self.suspects.extend(range.map(|at| (at, None))),
            }
        }
        Ok(())
    }

    fn item(&mut self, dir: &Dir, name: &[u8], kind: FileKind, at: usize) -> io::Result<()> {
        let Some(item) = self.laid.get(at) else { return Ok(()) };
        if item.entry.mode == Mode::Submodule {
            if kind != FileKind::Folder || !dir.folder(name)?.names()?.is_empty() {
                self.suspects.push((at, None));
            }
            return Ok(());
        }
        let stat = dir.stat(name)?;
        if !stat.is_some_and(|stat| item.is_as_written(&stat, self.stamp)) {
            self.suspects.push((at, stat));
        }
        Ok(())
    }

    /// Removes what is not ignored. A folder goes when nothing ignored is left in it; `.git` always goes.
    fn untracked(&mut self, dir: &Dir, path: &mut Vec<u8>, name: &[u8], kind: FileKind) -> io::Result<()> {
        if name == b".git" {
            return dir.remove(name);
        }
        let is_folder = kind == FileKind::Folder;
        let is_ignored = self.below(path, name, |walk, path| {
            let path = path.strip_suffix(b"/").unwrap_or(path);
            walk.ignores()?.cover(path, is_folder)
        })?;
        if is_ignored {
            return Ok(());
        }
        if !is_folder {
            return dir.unlink(name);
        }
        let inside = dir.folder(name)?;
        self.below(path, name, |walk, path| walk.folder(&inside, path, 0..0))?;
        dir.remove_if_empty(name)?;
        Ok(())
    }

    fn below<T>(
        &mut self,
        path: &mut Vec<u8>,
        name: &[u8],
        act: impl FnOnce(&mut Self, &mut Vec<u8>) -> io::Result<T>,
    ) -> io::Result<T> {
        let length = path.len();
        path.extend_from_slice(name);
        path.push(b'/');
        let result = act(self, path);
        path.truncate(length);
        result
    }
}

impl<'a> Walk<'a> {
    fn ignores(&mut self) -> io::Result<&mut Ignores<'a>> {
        if self.ignores.is_none() {
            let rules = laid::named(self.laid, ".gitignore");
            self.ignores = Some(Ignores::new(self.repo, &rules)?);
        }
        self.ignores.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Groups the items of `range` by their first name after `skip` bytes. They are sorted, so those of a folder are adjacent.
pub(in crate::slot) fn expected_in(laid: &[Laid], skip: usize, range: Range<usize>) -> HashMap<&[u8], Expected> {
    let mut expected: HashMap<&[u8], Expected> = HashMap::new();
    for (at, item) in range.clone().zip(laid.get(range).unwrap_or_default()) {
        let rest = item.path.as_bytes().get(skip..).unwrap_or_default();
        let mut names = rest.splitn(2, |byte| *byte == b'/');
        let name = names.next().unwrap_or_default();
        if names.next().is_none() {
            expected.insert(name, Expected::Item(at));
            continue;
        }
        match expected.get_mut(name) {
            Some(Expected::Folder(range)) => range.end = at + 1,
            _ => {
                expected.insert(name, Expected::Folder(at..at + 1));
            }
        }
    }
    expected
}
