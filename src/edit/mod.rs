//! Edits: edits + snapshot → changes, all or none, in memory. Writes nothing.
//!
//! Owns what an edit is and the order of things: every block is tried, each that fails becomes an item of the refusal,
//! and changes exist only if none failed. `desk` takes one edit after the other, `resolve` names the file, `rewrite`,
//! `find` and `place` place a block, whatever its format, `work` keeps the state. Which of the changes are allowed is
//! `guard`'s business.

pub mod block;
pub mod find;
pub mod refusal;

mod desk;
mod fold;
mod indent;
mod lazy;
mod lines;
mod nearest;
mod place;
mod resolve;
mod rewrite;
mod strings;
mod wording;
mod work;

#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod tests;

use crate::{
    edit::{
        block::{Block, Placed},
        desk::Desk,
        refusal::{Item, Reason, Refusal},
    },
    snapshot::{Changes, Mode, Snapshot},
};

/// Most edits of a reply that are found to fail before the others are left untried.
const MOST_FAULTS: usize = 50;

/// One thing that a reply asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The path as the reply words it.
    pub path: String,
    /// What becomes of it.
    pub action: Action,
}

/// What becomes of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Lines give way to others; every block is looked for in the file as it was before the first.
    Blocks(Vec<Block>),
    /// A text that occurs once, perhaps within a line, gives way to another.
    Swap {
        /// The old text.
        old: String,
        /// The new text.
        new: String,
    },
    /// Lines come after so many lines.
    Insert {
        /// How many lines stay above.
        after: usize,
        /// What comes.
        text: String,
    },
    /// A file that is not there, or is empty, holds this afterwards.
    Create {
        /// All of it.
        content: String,
    },
    /// The file holds this afterwards, whether or not it existed.
    Whole {
        /// All of it.
        content: String,
    },
    /// The file goes.
    Delete,
    /// The file goes, of which edits before this one must have left nothing.
    DeleteEmpty,
    /// The file goes to another path, where none may be.
    Move {
        /// The other path as the reply words it.
        to: String,
    },
    /// The file gets this mode, after all other edits of the reply.
    Mode(Mode),
}

/// What a reply made of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// What differs; never empty.
    pub changes: Changes,
    /// Where each block went, in the order of the reply.
    pub placed: Vec<Placed>,
}

/// Applies `edits` in order to `snapshot`: all of them, or none.
///
/// # Errors
/// Returns one item for each block that cannot be applied, up to a limit, or `no-change` where nothing differs
/// afterwards.
pub fn apply(snapshot: &dyn Snapshot, edits: &[Edit]) -> Result<Applied, Refusal> {
    let mut desk = Desk::new(snapshot, edits);
    let is_mode = |edit: &&Edit| matches!(edit.action, Action::Mode(_));
    let contents = edits.iter().filter(|edit| !is_mode(edit));
    let in_order = contents.chain(edits.iter().filter(is_mode));
    let mut items: Vec<Item> = Vec::new();
    for edit in in_order {
        items.extend(desk.take(edit).err().unwrap_or_default());
        if items.len() >= MOST_FAULTS {
            items.push(Item::of_reply(
                Reason::Malformed,
                "too many blocks fail; the others were not tried",
            ));
            break;
        }
    }
    if items.is_empty() {
        items = desk.misplaced();
    }
    if !items.is_empty() {
        return Err(Refusal { items });
    }
    let (changes, placed) = desk.into_changes();
    if changes.is_empty() {
        let detail = "every file already is as the reply would have it";
        return Err(Item::of_reply(Reason::NoChange, detail).into());
    }
    Ok(Applied { changes, placed })
}
