//! `Block`: old lines, new lines, and what a reply says of their place. What all formats that change lines come down to.
//!
//! Data only; `rewrite` applies it.

use serde::Serialize;

/// Which kind of block it was: how it is repeated in messages, and what its place means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Wording {
    /// `SEARCH` and `REPLACE` parts.
    #[default]
    SearchReplace,
    /// A hunk of a unified diff: its anchors only settle what is ambiguous.
    Diff,
    /// A hunk of `apply_patch`: its anchors must be there, and hunks follow one another.
    Patch,
    /// `old_str` and `new_str`.
    Strings,
}

/// Old lines that give way to new ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// The old lines.
    pub old: String,
    /// The new lines.
    pub new: String,
    /// What is said of where they are.
    pub place: Place,
    /// Which kind of block it was.
    pub wording: Wording,
    /// Whether the file ends with a newline afterwards; `None` for as before.
    pub final_newline: Option<bool>,
}

/// What a reply says of a block's place, besides its old lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Lines that come before it, each after the last.
    pub anchors: Vec<String>,
    /// Its first line, from 1, in the file as it was before the reply.
    pub line: Option<usize>,
    /// It reaches the end of the file.
    pub at_end: bool,
}

/// Where a block went, and how strictly its lines were compared there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Placed {
    /// The path as the repository has it.
    pub path: String,
    /// Its first line, from 1, in the file as it was before the edit.
    pub line: usize,
    /// The word of the tier that found it.
    pub tier: &'static str,
}
