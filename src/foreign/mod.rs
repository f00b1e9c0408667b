//! Foreign: backlogs of other tools, read as goals and written back. One file per format: text in, `Item`s out.
//!
//! Owns what each format's words mean here. `take` compares items with the backlog at hand, `export` writes states back.
//! Reads and writes no file.

pub mod beads;
pub mod checklist;
pub mod config;
pub mod export;
pub mod issues;
pub mod json;
pub mod markdown;
pub mod seed;
pub mod speckit;
pub mod take;
pub mod taskmaster;
pub mod text;
pub mod tree;

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{goal::Goal, id::GoalId};

/// The largest document that is read whole, in bytes. Lines of JSON are read one by one and have no such end.
pub const MAX_DOCUMENT: u64 = 256 << 20;
/// The longest line of a file of JSON lines, in bytes.
pub const MAX_LINE: u64 = 16 << 20;

/// Whose backlog it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The Python original: `memory/*.json` and `config.yaml`.
    Seed,
    /// `.beads/issues.jsonl`.
    Beads,
    /// `.taskmaster/tasks/tasks.json`.
    Taskmaster,
    /// `specs/NNN-feature/tasks.md`.
    Speckit,
    /// Issues of GitHub as `gh` and its API print them.
    Issues,
    /// A list of checkboxes in Markdown.
    Checklist,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [
        Self::Seed,
        Self::Beads,
        Self::Taskmaster,
        Self::Speckit,
        Self::Issues,
        Self::Checklist,
    ];

    /// Returns its name on the command line, which is also the key of a goal's row under which foreign keys are kept.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Beads => "beads",
            Self::Taskmaster => "taskmaster",
            Self::Speckit => "speckit",
            Self::Issues => "issues",
            Self::Checklist => "checklist",
        }
    }

    /// True where anybody on the internet may have written the text.
    pub fn is_untrusted(self) -> bool {
        self == Self::Issues
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How an item stands in the tool that it comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// To be done.
    #[default]
    Open,
    /// To be done, but not now; why.
    Held(String),
    /// Done.
    Closed,
    /// Given up; what needs it has not got it.
    Rejected,
    /// No work: a message, an event and the like.
    NoWork,
}

/// One thing of a foreign backlog.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Item {
    /// What the tool calls it: unique within the format, the same in every export.
    pub origin: String,
    /// The goal id that it would like to have.
    pub id: String,
    /// The goal of ours that it is a copy of, where it says so.
    pub ours: Option<GoalId>,
    /// How it stands there.
    pub standing: Standing,
    /// What it asks, without id and dependencies.
    pub goal: Goal,
    /// Origins of what must be done before.
    pub needs: Vec<String>,
    /// Origin of what it is a part of.
    pub parent: Option<String>,
    /// Keys of the tool that the goal does not say again.
    pub kept: Map<String, Value>,
}

impl Item {
    /// True where it waits to be done.
    pub fn is_open(&self) -> bool {
        matches!(self.standing, Standing::Open | Standing::Held(_))
    }
}

/// What was read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Read {
    /// In the order of the file.
    pub items: Vec<Item>,
    /// What a person should know, a line each.
    pub notes: Vec<String>,
    /// How many there were of what is no item, by kind.
    pub left_out: BTreeMap<&'static str, usize>,
}

impl Read {
    /// Counts one of what is no item.
    pub(crate) fn leave_out(&mut self, kind: &'static str) {
        *self.left_out.entry(kind).or_default() += 1;
    }

    /// Leaves one item for each origin, the later one in the earlier one's place, and says so.
    pub(crate) fn unite(&mut self) {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut kept: Vec<Item> = Vec::with_capacity(self.items.len());
        for item in std::mem::take(&mut self.items) {
            let known = places.get(&item.origin).and_then(|at| kept.get_mut(*at));
            if let Some(known) = known {
                let origin = text::clean(&item.origin);
                self.notes
                    .push(format!("{origin} is there twice; the later one counts"));
                *known = item;
            } else {
                places.insert(item.origin.clone(), kept.len());
                kept.push(item);
            }
        }
        self.items = kept;
    }

    /// Takes in what was read elsewhere.
    pub(crate) fn join(&mut self, other: Self) {
        self.items.extend(other.items);
        self.notes.extend(other.notes);
        for (kind, count) in other.left_out {
            *self.left_out.entry(kind).or_default() += count;
        }
    }
}

/// Why a foreign backlog cannot be read or taken over. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// Bytes that are no UTF-8.
    #[error("line {line}: this is not UTF-8 text")]
    NotText {
        /// From 1.
        line: usize,
    },
    /// No JSON, or not the JSON that was expected.
    #[error("line {line}: {why}")]
    Broken {
        /// From 1.
        line: usize,
        /// What the reader said.
        why: String,
    },
    /// The text ends in the middle.
    #[error("line {line}: the file ends in the middle of an item; it is half written")]
    Cut {
        /// From 1.
        line: usize,
    },
    /// Too much for one reading.
    #[error("line {line}: longer than {} MiB", MAX_LINE >> 20)]
    LongLine {
        /// From 1.
        line: usize,
    },
    /// Something else than this format.
    #[error("{0}")]
    Unfit(String),
    /// Dependencies that can never be met.
    #[error("{0}")]
    Cycle(String),
    /// More dependencies than a backlog can carry.
    #[error("the items would need each other in more than {} places", tree::MAX_NEEDS)]
    TooManyNeeds,
    /// The backlog's own text would break.
    #[error(transparent)]
    Backlog(#[from] crate::backlog::error::BacklogError),
}

#[cfg(test)]
mod tests;
