//! The mark in the first line of each file of ours: that we wrote it, and a hash of the rest that shows whether a person
//! changed it since.

use crate::id::Hash;

const BEGIN: &str = "# Written by `git invisigoth service install`; as it was written: ";

/// Whose a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// As we wrote it.
    Ours,
    /// We wrote it, and a person changed it.
    Edited,
    /// Somebody else's.
    Theirs,
}

/// Puts the mark before a text.
pub fn marked(text: &str) -> String {
    format!("{BEGIN}{}\n{text}", hash(text))
}

/// Says whose the file with the content `text` is.
pub fn whose(text: &str) -> Whose {
    let marked = text.strip_prefix(BEGIN).and_then(|rest| rest.split_once('\n'));
    match marked {
        Some((said, rest)) if said == hash(rest) => Whose::Ours,
        Some(_) => Whose::Edited,
        None if text.starts_with(BEGIN) => Whose::Edited,
        None => Whose::Theirs,
    }
}

fn hash(text: &str) -> String {
    Hash::of("unit file", [text.as_bytes()]).short(16)
}
