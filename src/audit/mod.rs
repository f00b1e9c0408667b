//! Audit: what landed, compared with what must be there if nothing was changed afterwards. Pure: data in, findings out.
//!
//! Owns the words of findings and what two states of the memory files may differ by. Reads nothing itself; the engine
//! gathers.

pub mod claims;
pub mod delta;
pub mod moves;

use serde::Serialize;

use crate::id::{CommitId, GoalId};

/// What a finding is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The message of a landing commit.
    Message,
    /// The parents of a landing commit.
    Parents,
    /// Where the goal's own commit stands.
    Base,
    /// The trailers of the goal's own commit.
    Trailers,
    /// The version that the goal's commit names.
    Version,
    /// The goal landed before, and nothing took it back.
    Twice,
    /// The code of the landing or of the undo.
    Code,
    /// The memory files of the landing.
    Memory,
    /// A row of a file that only grows is gone or changed.
    Row,
    /// The record's fields.
    Record,
    /// The commands that the record says passed.
    Checks,
    /// The note, which is the record's other replica.
    Note,
    /// What the attempt behind it says.
    Attempt,
    /// The sums of the attempt's calls.
    Cost,
    /// The code that the recorded replies make.
    Replay,
    /// The target does not hold what is noted to have landed on it.
    Target,
    /// The gate, run again.
    Gate,
}

impl What {
    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Parents => "parents",
            Self::Base => "base",
            Self::Trailers => "trailers",
            Self::Version => "version",
            Self::Twice => "twice",
            Self::Code => "code",
            Self::Memory => "memory",
            Self::Row => "row",
            Self::Record => "record",
            Self::Checks => "checks",
            Self::Note => "note",
            Self::Attempt => "attempt",
            Self::Cost => "cost",
            Self::Replay => "replay",
            Self::Target => "target",
            Self::Gate => "gate",
        }
    }
}

/// One divergence, without the place where it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// What it is about.
    pub what: What,
    /// What had to be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Divergence {
    /// Says what had to be there and what is.
    pub fn new(what: What, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what,
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// One divergence: the commit and the goal, what had to be there, what is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The commit that diverges.
    pub commit: CommitId,
    /// The goal, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// What it is about.
    pub what: What,
    /// What had to be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Finding {
    /// Says where `divergence` was found.
    pub fn at(commit: CommitId, goal: Option<&GoalId>, divergence: Divergence) -> Self {
        Self {
            commit,
            goal: goal.cloned(),
            what: divergence.what,
            expected: divergence.expected,
            found: divergence.found,
        }
    }
}
