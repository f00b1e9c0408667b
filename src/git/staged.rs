//! What is staged: entries of the index that git hands to a hook, which need not be the checkout's own.
//!
//! Only reads. What the entries mean is the caller's business.

use gix::{bstr::ByteSlice as _, index::entry::Mode};

use crate::{
    git::{Doing as _, Repo, Result, oid},
    id::BlobId,
};

/// An entry of the index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Staged {
    /// Its path.
    pub path: String,
    /// Its content.
    pub blob: BlobId,
    /// Whether it is a file; a link or a submodule is none.
    pub is_file: bool,
}

/// Lists what the index holds at `file` and below `folder`, which ends with a slash. It is the index that `GIT_INDEX_FILE`
/// names, where git set it. What is in conflict or no UTF-8 is left out.
///
/// # Errors
/// When the index cannot be read.
pub fn below(repo: &Repo, file: &str, folder: &str) -> Result<Vec<Staged>> {
    let index = repo.gix.index_or_empty().doing(|| "reading the index".into())?;
    let single = index.entry_by_path(file.into()).into_iter();
    let many = index.prefixed_entries(folder.into()).unwrap_or_default();
    let plain = single.chain(many).filter(|entry| entry.stage_raw() == 0);
    let staged = plain.filter_map(|entry| {
        Some(Staged {
            path: entry.path(&index).to_str().ok()?.to_owned(),
            blob: BlobId(oid(&entry.id)),
            is_file: matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE),
        })
    });
    Ok(staged.collect())
}
