//! Reading: which files are looked at, in which order, and within which bounds.

use std::{collections::BTreeMap, io};

use crate::{
    path::RepoPath,
    snapshot::{Entry, Listing, Mode, Snapshot},
    survey::{
        Given,
        language::Language,
        paths::{Class, class},
    },
};

/// Larger files are not read, in bytes: people seldom write such ones.
pub const LARGE: u64 = 256 * 1024;
/// Most bytes read of one repository.
const MOST_BYTES: u64 = 24 * 1024 * 1024;
/// Most files read of one repository.
const MOST_FILES: usize = 6000;

/// The files of a listing by what is looked for in them.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) docs: Vec<(RepoPath, Entry)>,
    pub(crate) sources: Vec<(RepoPath, Entry, Language)>,
    pub(crate) tests: Vec<(RepoPath, Entry, Language)>,
    pub(crate) others: Vec<(RepoPath, Entry)>,
    weight: BTreeMap<RepoPath, u32>,
}

impl Files {
    /// Sorts a listing.
    pub(crate) fn of(listing: &Listing, given: &Given<'_>) -> Self {
        let mut files = Self::default();
        let plain = listing
            .iter()
            .filter(|(_, entry)| matches!(entry.mode, Mode::File | Mode::Executable));
        for (path, entry) in plain {
            match class(path) {
                Class::Source(language) => files.sources.push((path.clone(), *entry, language)),
                Class::Test(language) => files.tests.push((path.clone(), *entry, language)),
                Class::Doc => files.docs.push((path.clone(), *entry)),
                Class::Other => files.others.push((path.clone(), *entry)),
                Class::Skipped => continue,
            }
            let changes = given.changes_of(path);
            if changes > 0 {
                files.weight.insert(path.clone(), changes);
            }
        }
        files
    }

    /// What changes most is read first, should not all of it be read.
    pub(crate) fn order(&mut self) {
        let weight = |path: &RepoPath| std::cmp::Reverse(self.weight.get(path).copied().unwrap_or_default());
        self.sources.sort_by_cached_key(|(path, ..)| weight(path));
        self.tests.sort_by_cached_key(|(path, ..)| weight(path));
    }
}

/// Reads files within bounds, and counts what it left.
pub(crate) struct Reading<'a> {
    snapshot: &'a dyn Snapshot,
    bytes: u64,
    files: usize,
    large: usize,
    unread: usize,
    binary: usize,
}

impl<'a> Reading<'a> {
    /// Begins to read.
    pub(crate) fn of(snapshot: &'a dyn Snapshot) -> Self {
        Self {
            snapshot,
            bytes: 0,
            files: 0,
            large: 0,
            unread: 0,
            binary: 0,
        }
    }

    /// True where no file was left out for its size or for want of room.
    pub(crate) fn is_whole(&self) -> bool {
        self.large == 0 && !self.ran_out()
    }

    /// True where there was more to read than may be.
    pub(crate) fn ran_out(&self) -> bool {
        self.unread > 0
    }

    /// Reads a file as text; `None` where it is left out.
    pub(crate) fn text(&mut self, entry: &Entry) -> io::Result<Option<String>> {
        let size = self.snapshot.size(&entry.id)?;
        if size > LARGE {
            self.large += 1;
            return Ok(None);
        }
        if self.files >= MOST_FILES || self.bytes + size > MOST_BYTES {
            self.unread += 1;
            return Ok(None);
        }
        self.files += 1;
        self.bytes += size;
        let text = String::from_utf8(self.snapshot.read(&entry.id)?);
        let text = text.ok().filter(|text| !text.contains('\0'));
        self.binary += usize::from(text.is_none());
        Ok(text)
    }

    /// Says what was left out; empty where nothing was.
    pub(crate) fn unseen(&self) -> String {
        let mut parts = Vec::new();
        if self.unread > 0 {
            parts.push(format!("{} more than the survey may read", files(self.unread)));
        }
        if self.large > 0 {
            parts.push(format!("{} larger than {} KiB", files(self.large), LARGE / 1024));
        }
        if self.binary > 0 {
            parts.push(format!("{} that are no UTF-8 text", files(self.binary)));
        }
        if parts.is_empty() {
            return String::new();
        }
        format!("Not looked at: {}.", parts.join(", "))
    }
}

fn files(count: usize) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}
