//! What changed in each file, line by line, as `diff --json` says it and pages show it.
//!
//! Owns what is too large to be shown among others; it is always said why lines are missing.

use std::collections::HashMap;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::diff::File,
    git::{
        Repo,
        diff::{self, Differs},
        objects,
    },
    id::{BlobId, TreeId},
    snapshot::{Entry, Mode},
    textdiff::hunks::{self, Hunk},
};

/// Most bytes of a file, and most lines that changed, which are shown among others.
const LARGE: u64 = 256 * 1024;
const MANY: u64 = 2_000;
/// Most lines that changed in all files that are shown at once.
const ALL: u64 = 8_000;
/// Most bytes of a file that is asked for alone.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Why no lines are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Without {
    /// It is no text.
    Binary,
    /// It is too large to be shown among others.
    Large,
    /// It is too large to be shown at all.
    Huge,
    /// It is a commit of another repository.
    Submodule,
    /// Its content stayed as it was.
    Moved,
    /// Only whether it may be executed changed.
    Mode,
}

/// What became of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Became {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// It has another name.
    Renamed,
    /// It has another content.
    Changed,
}

/// What changed in a file.
#[derive(Clone, Debug, Serialize)]
pub struct Lines {
    /// What became of it.
    pub became: Became,
    /// Its content before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<BlobId>,
    /// Its content after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<BlobId>,
    /// How many bytes it has, or had where it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What it is: absent for a plain file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<&'static str>,
    /// Why there are no lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<Without>,
    /// The lines.
    pub hunks: Vec<Hunk>,
}

/// Puts the lines into `files`, which differ between `trees`.
///
/// # Errors
/// When contents cannot be read.
pub fn fill(repo: &Repo, (old, new): (TreeId, TreeId), files: &mut [File], whole: Option<&str>) -> Result<()> {
    let differing = diff::trees(repo, old, new)?;
    let by_name: HashMap<String, &Differs> = differing
        .iter()
        .map(|differs| (differs.path.to_string(), differs))
        .collect();
    let mut left = ALL;
    for file in files {
        let find = |name: &str| by_name.get(name).copied();
        let after = find(&file.path);
        let before = file.from.as_deref().map_or(after, find);
        let (old, new) = (
            before.and_then(|differs| differs.old),
            after.and_then(|differs| differs.new),
        );
        let is_asked = whole == Some(file.path.as_str());
        let changed = file.added.unwrap_or(0) + file.removed.unwrap_or(0);
        let room = if is_asked { u64::MAX } else { left.min(MANY) };
        let mut lines = lines(repo, (old, new), (changed, room))?;
        if file.from.is_some() {
            lines.became = Became::Renamed;
        }
        if !is_asked && lines.without.is_none() {
            left = left.saturating_sub(changed);
        }
        file.lines = Some(lines);
    }
    Ok(())
}

fn lines(repo: &Repo, (old, new): (Option<Entry>, Option<Entry>), (changed, room): (u64, u64)) -> Result<Lines> {
    let any = new.or(old);
    let blob = |entry: Option<Entry>| {
        entry
            .filter(|entry| entry.mode != Mode::Submodule)
            .map(|entry| entry.id)
    };
    let size = |id: Option<BlobId>| id.map(|id| objects::size(repo, id)).transpose();
    let (before, after) = (blob(old), blob(new));
    let sizes = (size(before)?, size(after)?);
    let mut lines = Lines {
        became: match (old, new) {
            (None, _) => Became::Added,
            (_, None) => Became::Deleted,
            (Some(_), Some(_)) => Became::Changed,
        },
        old: old.map(|entry| entry.id),
        new: new.map(|entry| entry.id),
        bytes: sizes.1.or(sizes.0),
        mode: any.and_then(|entry| mode(entry.mode)),
        without: None,
        hunks: Vec::new(),
    };
    let largest = sizes.0.unwrap_or(0).max(sizes.1.unwrap_or(0));
    lines.without = match (old, new) {
        _ if any.is_some_and(|entry| entry.mode == Mode::Submodule) => Some(Without::Submodule),
        (Some(old), Some(new)) if old.id == new.id && old.mode != new.mode => Some(Without::Mode),
        (Some(old), Some(new)) if old.id == new.id => Some(Without::Moved),
        _ if largest > LARGEST => Some(Without::Huge),
        _ if room != u64::MAX && (largest > LARGE || changed > room) => Some(Without::Large),
        _ => None,
    };
    if lines.without.is_some() {
        return Ok(lines);
    }
    let read = |id: Option<BlobId>| id.map_or(Ok(Vec::new()), |id| objects::read_blob(repo, id));
    let (before, after) = (String::from_utf8(read(before)?), String::from_utf8(read(after)?));
    match (before, after) {
        (Ok(before), Ok(after)) if !before.contains('\0') && !after.contains('\0') => {
            lines.hunks = hunks::of(&before, &after);
        }
        _ => lines.without = Some(Without::Binary),
    }
    Ok(lines)
}

fn mode(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::File => None,
        Mode::Executable => Some("executable"),
        Mode::Symlink => Some("symbolic link"),
        Mode::Submodule => Some("submodule"),
    }
}
