//! Provenance: which lines of a commit are the work of which session of ours, worded for other tools.
//!
//! Owns the ids by which others know our sessions. Reads nothing itself, and holds no word of a prompt or a reply: what is
//! said here is for anybody.

use crate::{
    id::{CommitId, Hash},
    path::RepoPath,
    record::Record,
};

/// Agent Trace 0.1.0: a JSON record per commit.
pub mod agent_trace;
/// The Git AI standard 3.0.0: a note per commit.
pub mod git_ai;

/// The name of this program where tools are named.
pub const TOOL: &str = "git-invisigoth";

/// Lines of a file, from and to, counted from 1, both included; in order, without overlap.
pub type Ranges = Vec<(u32, u32)>;

/// The lines of one file that a commit brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lines {
    /// The file, by its name in the commit.
    pub path: RepoPath,
    /// Which of its lines.
    pub ranges: Ranges,
}

/// What one session of ours did to one commit.
#[derive(Clone, PartialEq, Debug)]
pub struct Work {
    /// The commit that has the lines.
    pub commit: CommitId,
    /// The attempt at the goal, from 1.
    pub attempt: u32,
    /// Who had it done, as `Name <address>`.
    pub human: String,
    /// The model that answered last; `None` where nobody knows.
    pub model: Option<String>,
    /// What is on record of it.
    pub record: Record,
    /// The lines that it brought, by file.
    pub files: Vec<Lines>,
}

impl Work {
    /// Returns what the conversation is called here: the attempt, and what it was made on, as goals of many repositories
    /// have the same names.
    pub fn conversation(&self) -> String {
        let base: String = self.record.base.to_string().chars().take(12).collect();
        format!("{}@{}:{base}", self.record.goal, self.attempt)
    }

    /// Returns the session's id: `"s_" + SHA256("<tool>:<conversation_id>")[0..14]`.
    pub fn session(&self) -> String {
        let of = format!("{TOOL}:{}", self.conversation());
        format!("s_{}", Hash::of_bytes(of.as_bytes()).short(14))
    }

    /// Returns the trace's id, one for each commit of a session. The standard has random digits here; these are as unique,
    /// and the same whoever computes them, so that what was lost is made again as it was.
    pub fn trace(&self) -> String {
        let of = format!("{}:{}", self.session(), self.commit);
        format!("t_{}", Hash::of_bytes(of.as_bytes()).short(14))
    }
}

#[cfg(test)]
mod tests;
