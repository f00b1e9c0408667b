//! Replies: model text → edits. Owns the formats that models are asked for and what they send instead; each format's
//! grammar is in its own file.
//!
//! # What is read
//!
//! Whatever was asked for, a reply is read in the format that it is in; in two of them at once it is refused. Thoughts
//! between `<think>` and `</think>` are dropped first. Lines end with LF or CRLF. From the top down, what begins at a
//! line, or at the top of a fence, is the first of these that fits, and all of it up to its end; whatever looks like
//! another format inside it is content:
//!
//! 1. **apply-patch** (`patch`): `*** Begin Patch`, or a `*** Add|Update|Delete File:` line without it.
//! 2. **search-replace** (`scan`, `mark`): a SEARCH marker.
//! 3. **udiff** (`udiff`, `hunk`, `git_path`): `diff --git`, `---` and `+++` lines with an `@@` line, or a fence that starts with `@@`
//!    below a path.
//! 4. **str-replace** (`strings`): JSON objects with a path and a command.
//! 5. **whole** (`whole`, `path_line`): a path and a fence. Below a path a fence is a patch or a diff only where that names
//!    the same file.
//!
//! **search-replace**: blocks, inside fences or not.
//! ```text
//! src/x.py
//! <<<<<<< SEARCH
//! old lines
//! =======
//! new lines
//! >>>>>>> REPLACE
//! ```
//! Markers repeat their character 5 to 9 times; whitespace around them does not count. The path stands on one of the
//! three lines above the SEARCH marker (fences and blank lines are passed over) or in the info string of the fence;
//! without one, the block belongs to the file of the block before. A block ends at the REPLACE marker of its SEARCH
//! marker's length, so that longer markers can go around content that has markers; of several `=======` lines the one
//! of that length divides. An empty SEARCH part makes a new file. `:start_line:N` and `-------` at the top of a SEARCH
//! part say which of several places is meant.
//!
//! **whole**: a path line (`path`, `**path**`, `` `path` ``, `# path`, `### path`, `path:`, `File: path`), at most two
//! blank lines, and a fenced file; or the path in the info string (`python path=src/x.py`, `python:src/x.py`,
//! `src/x.py`). A fence is three or more backquotes or tildes, indented by up to three spaces, closed by at least as
//! many: a file that holds fences takes longer ones. What stands between is the file, byte for byte; the line break
//! before the closing fence belongs to it unless the info string has the word `no-newline`. An empty fence is an empty
//! file. A fence without a path is prose, except where whole files were asked for, it is the only fence, and the text
//! names exactly one file.
//!
//! **Orders**, in these two formats, from the first column on lines of their own, outside fences:
//! ```text
//! order = "DELETE " path | "MODE " path " " ("100644" | "100755" | "120000")
//! path  = text without whitespace | "`" text "`"
//! ```
//! `MODE path 120000` makes the whole file given for `path` in the same reply a symlink: its content, less one final
//! line break, is the target. A rename is a `DELETE` and a whole file.
//!
//! # What is refused, always the reply as a whole
//! A marker out of sequence, a block, patch or fence that is not closed, two formats in one reply, a block without a path,
//! a line of a hunk without its sign, JSON that is not sound or no edit, a NUL character, more than 8 MiB, a fence that may
//! have ended too early (Markdown that holds fences of the same length), and a reply without any edit.

pub mod action;
mod edits;
pub mod family;
mod git_path;
mod hunk;
mod mark;
pub mod need;
mod patch;
mod path_line;
mod scan;
mod strings;
mod udiff;
mod whole;

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use crate::edit::{
    Edit,
    refusal::{Item, Reason, Refusal},
};

/// How a model is asked to word its edits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Format {
    /// Blocks of old and new lines.
    SearchReplace,
    /// Unified diffs.
    Udiff,
    /// Files as a whole.
    Whole,
    /// Patches as `apply_patch` takes them.
    ApplyPatch,
    /// JSON objects that replace a text.
    StrReplace,
    /// Whichever the reply looks like.
    #[default]
    Auto,
}

/// A word that names no format.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a format: search-replace, udiff, whole, apply-patch, str-replace or auto")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let named = Self::ALL.into_iter().find(|format| format.word() == text);
        named.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [
        Self::SearchReplace,
        Self::Udiff,
        Self::Whole,
        Self::ApplyPatch,
        Self::StrReplace,
        Self::Auto,
    ];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::SearchReplace => "search-replace",
            Self::Udiff => "udiff",
            Self::Whole => "whole",
            Self::ApplyPatch => "apply-patch",
            Self::StrReplace => "str-replace",
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Largest reply that is read, in bytes: far more than any model writes.
const MOST_BYTES: usize = 8 << 20;

/// Reads the edits of a reply, in its order. `asked` settles only what could be read in two ways.
///
/// # Errors
/// Refuses the whole reply: see the module's head.
pub fn parse(text: &str, asked: Format) -> Result<Vec<Edit>, Refusal> {
    if text.len() > MOST_BYTES {
        return Err(Item::of_reply(Reason::Malformed, "the reply is larger than 8 MiB").into());
    }
    if let Some(at) = text.lines().position(|line| line.contains('\0')) {
        let detail = format!("line {} of the reply holds a NUL character", at + 1);
        return Err(Item::of_reply(Reason::Malformed, detail).into());
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parts = scan::scan(without_thoughts(text)?, asked)?;
    let edits = match edits::format_of(&parts)? {
        Format::Whole | Format::Auto => whole::edits(parts, asked)?,
        Format::SearchReplace => edits::of_blocks(parts)?,
        Format::Udiff | Format::ApplyPatch | Format::StrReplace => edits::of_hunks(parts)?,
    };
    if edits.is_empty() {
        return Err(Item::of_reply(Reason::NoEdit, "the reply holds no edit in a known format").into());
    }
    Ok(edits)
}

/// Drops thoughts at the start.
fn without_thoughts(text: &str) -> Result<&str, Item> {
    let mut rest = text;
    for (open, close) in [("<think>", "</think>"), ("<thinking>", "</thinking>")] {
        while let Some(thoughts) = rest.trim_start().strip_prefix(open) {
            let Some((_, after)) = thoughts.split_once(close) else {
                return Err(Item::of_reply(Reason::Malformed, format!("`{open}` is not closed")));
            };
            rest = after;
        }
    }
    Ok(rest)
}
