//! `Record`: what landing a goal took. A record is one line: of the note on its commit, and of `memory/history.json`.
//!
//! Owns the bytes of that line. Which replica has which lines is `backlog/history` and `git/notes`.

use serde::{Deserialize, Serialize};

use crate::{
    check::CheckRow,
    id::{CommitId, GoalId},
};

/// The provider of what was adopted: nobody was asked.
pub const ADOPTED: &str = "adopted";

/// One row, at most 600 bytes as JSON. Serialised in this order of fields, so the same facts are the same bytes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The goal.
    pub goal: GoalId,
    /// The candidate's commit.
    pub commit: CommitId,
    /// The branch that it landed on.
    pub target: String,
    /// The commit that the candidate was made on.
    pub base: CommitId,
    /// When work began, RFC 3339 UTC.
    pub started_at: String,
    /// When it landed, RFC 3339 UTC.
    pub landed_at: String,
    /// The provider's kind: `openrouter`, `mock`.
    pub provider: String,
    /// The model that answered, as the provider names it.
    pub model: String,
    /// Replies that it took.
    pub attempts: u32,
    /// Prompt and completion tokens together, over all rounds.
    pub tokens: u64,
    /// Dollars over all rounds; absent where the price is unknown.
    pub cost_usd: Option<f64>,
    /// The checks on the landed code tree.
    pub checks: Vec<CheckRow>,
    /// SHA-256 of the first prompt, 16 hex digits.
    pub prompt_hash: String,
    /// `bwrap` or `none`.
    pub sandbox: String,
    /// The version of the program that wrote it.
    pub version: String,
    /// How many tests were red at the base already, and were let pass for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_red: Option<usize>,
    /// Tests that failed on the base and pass on the candidate, where that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red_green: Option<usize>,
    /// False where the recorded replies do not make the commit again: a secret was taken out of one, or an executor that
    /// leaves no edits did the work.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub replayable: bool,
    /// What a reader should know besides, such as that a test goal's mutation could not be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// How often a candidate of it was evicted before one landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evictions: Option<u32>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_true(flag: &bool) -> bool {
    *flag
}

impl Record {
    /// True where no call of ours took part: a branch was adopted.
    pub fn is_unasked(&self) -> bool {
        self.provider == ADOPTED && self.attempts == 0
    }

    /// Returns the line, without its newline.
    ///
    /// # Errors
    /// Never in practice: all fields are plain data.
    pub fn to_line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// That a landed goal was taken back: a line of the note on the commit whose inverse landed, and of `memory/history.json`.
/// It lacks fields that a [`Record`] must have, so that who reads records passes it over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Undone {
    /// Always `undo`.
    pub kind: String,
    /// The goal.
    pub goal: GoalId,
    /// The commit whose inverse landed.
    pub commit: CommitId,
    /// The branch that the inverse landed on.
    pub target: String,
    /// When, RFC 3339 UTC.
    pub undone_at: String,
    /// Why, in a person's words; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The checks on the code without it.
    pub checks: Vec<CheckRow>,
    /// `bwrap` or `none`.
    pub sandbox: String,
    /// The version of the program that wrote it.
    pub version: String,
    /// How many tests were red already, and were let pass for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_red: Option<usize>,
}

impl Undone {
    /// What `kind` says.
    pub const KIND: &'static str = "undo";

    /// Reads a line; `None` for one that says something else.
    pub fn of_line(line: &str) -> Option<Self> {
        let undone: Self = serde_json::from_str(line).ok()?;
        (undone.kind == Self::KIND).then_some(undone)
    }

    /// Returns the line, without its newline.
    ///
    /// # Errors
    /// Never in practice: all fields are plain data.
    pub fn to_line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// What every line says, whatever its kind.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Line {
    /// The goal.
    pub goal: GoalId,
    /// The commit that it is about.
    pub commit: CommitId,
    /// Absent for a landing.
    #[serde(default)]
    pub kind: Option<String>,
    /// When that happened, RFC 3339 UTC.
    #[serde(default, alias = "landed_at", alias = "undone_at")]
    pub at: String,
}
