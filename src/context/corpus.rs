//! Corpus: the files of one tree that are read for prompts, each with its blob and what it is, and why the others are not.
//!
//! Owns which files these are, and follows the tree from change to change. Reads no content: what `kind::unfit` says of a
//! blob is kept by whoever reads blobs, and judged by `File::refuses`.

use std::collections::BTreeMap;

use crate::{
    context::kind::{self, Kind, Marks, Why},
    id::BlobId,
    path::RepoPath,
    snapshot::{Entry, Listing},
};

/// One file of a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct File {
    /// Its blob.
    pub id: BlobId,
    /// What it is, and where it is skipped, why.
    pub kind: Kind,
    /// What `.gitattributes` say of it.
    pub marks: Marks,
}

impl File {
    fn of(path: &RepoPath, entry: Entry, marks: &mut impl FnMut(&RepoPath) -> Marks) -> Self {
        let kind = kind::of(path, entry.mode);
        // Patterns cost more than names: what is skipped by what it is needs none.
        let marks = match kind {
            Kind::Skipped(why) if why != Why::Generated => Marks::default(),
            _ => marks(path),
        };
        Self {
            id: entry.id,
            kind: kind::marked(kind, marks),
            marks,
        }
    }

    /// Returns why the file is left out, `unfit` being what `kind::unfit` says of its blob.
    pub fn refuses(&self, unfit: Option<Why>) -> Option<Why> {
        match self.kind {
            Kind::Skipped(why) => Some(why),
            _ => unfit.filter(|why| *why != Why::Generated || self.marks.generated != Some(false)),
        }
    }
}

/// The files of one tree, sorted by path.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Corpus {
    files: BTreeMap<RepoPath, File>,
    read: usize,
}

impl Corpus {
    /// Takes in a tree. `marks` says what `.gitattributes` say of a path.
    pub fn of(listing: &Listing, mut marks: impl FnMut(&RepoPath) -> Marks) -> Self {
        let file = |(path, entry): &(RepoPath, Entry)| (path.clone(), File::of(path, *entry, &mut marks));
        let files: BTreeMap<RepoPath, File> = listing.iter().map(file).collect();
        let read = files.values().filter(|file| is_read(file)).count();
        Self { files, read }
    }

    /// Follows the tree: each path with its new entry, none where it is gone. Costs as much as changed. Where rules of
    /// `.gitattributes` changed, it has to be made anew.
    pub fn advance(
        &mut self,
        changes: impl IntoIterator<Item = (RepoPath, Option<Entry>)>,
        mut marks: impl FnMut(&RepoPath) -> Marks,
    ) {
        for (path, entry) in changes {
            let new = entry.map(|entry| File::of(&path, entry, &mut marks));
            self.read += usize::from(new.as_ref().is_some_and(is_read));
            let old = match new {
                Some(file) => self.files.insert(path, file),
                None => self.files.remove(&path),
            };
            self.read -= usize::from(old.as_ref().is_some_and(is_read));
        }
    }

    /// Lists the files that are read, sorted by path.
    pub fn files(&self) -> impl Iterator<Item = (&RepoPath, &File)> {
        self.files.iter().filter(|(_, file)| is_read(file))
    }

    /// Lists the files that are not, with the reasons.
    pub fn skipped(&self) -> impl Iterator<Item = (&RepoPath, Why)> {
        self.files.iter().filter_map(|(path, file)| match file.kind {
            Kind::Skipped(why) => Some((path, why)),
            _ => None,
        })
    }

    /// Returns the file at `path`, read or not; `None` where the tree has none.
    pub fn file(&self, path: &RepoPath) -> Option<&File> {
        self.files.get(path)
    }

    /// Returns how many files are read.
    pub fn len(&self) -> usize {
        self.read
    }

    /// True where no file is read.
    pub fn is_empty(&self) -> bool {
        self.read == 0
    }
}

fn is_read(file: &File) -> bool {
    !matches!(file.kind, Kind::Skipped(_))
}
