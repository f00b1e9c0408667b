//! `Goal`: one thing to be done, as `memory/pending_goals.json` words it.
//!
//! Owns the fields and what a goal asks (its version). Reading and writing the file is `backlog/`; what became of
//! a goal is computed (`schedule/`), never stored here.

use serde::{Deserialize, Serialize};

use crate::id::{GoalId, Hash};

/// A person's decision about a goal: the only state that is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// To be done.
    #[default]
    Pending,
    /// The planner's idea; a person has not agreed yet.
    Proposed,
    /// A person said no; kept so that the planner sees it.
    Rejected,
    /// A person wants it to wait.
    Held,
}

/// One goal. Unknown keys stay in the file and are not seen here.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Goal {
    /// Unique in the backlog; open and landed goals share one name space.
    pub id: Option<GoalId>,
    /// One line for people.
    pub description: String,
    /// The file that the goal is mainly about, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// What the model is asked to do; the description where empty.
    pub prompt: String,
    /// Goals that must have landed before.
    pub dependencies: Vec<GoalId>,
    /// A person's decision.
    pub status: Decision,
    /// What must be true afterwards, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acceptance: Vec<String>,
    /// Further files that the goal is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Higher goes first; 0 where absent.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
    /// Free words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The model for this goal instead of `llm.model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Who does the work: `edit` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// Rounds for this goal instead of `run.max_attempts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Most dollars for this goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<f64>,
    /// When it was added, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Who added it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Why it was proposed, or why it was decided as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the reason is seen, a place and its text each: `src/slug.rs:12: // TODO: fold accents`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// What people said about it; goes into the next prompt.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<String>,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

impl Goal {
    /// Returns what the model is asked: the prompt, or the description where there is none.
    pub fn request(&self) -> &str {
        if self.prompt.trim().is_empty() {
            &self.description
        } else {
            &self.prompt
        }
    }

    /// Returns every file that the goal names, `filename` first, each once.
    pub fn named_files(&self) -> Vec<&str> {
        let mut named: Vec<&str> = Vec::new();
        for file in self.filename.iter().chain(&self.files) {
            if !file.is_empty() && !named.contains(&file.as_str()) {
                named.push(file);
            }
        }
        named
    }

    /// Returns the version: a hash over what the goal asks (description, prompt, filename, files, acceptance,
    /// dependencies), 16 hex digits. Priority, labels and unknown keys do not count.
    pub fn version(&self) -> String {
        let lists = [&self.files, &self.acceptance].map(|list| list.join("\u{1f}"));
        let needs: Vec<&str> = self.dependencies.iter().map(GoalId::as_str).collect();
        let needs = needs.join("\u{1f}");
        let filename = self.filename.as_deref().unwrap_or_default();
        let parts = [&self.description, &self.prompt, filename, &lists[0], &lists[1], &needs].map(str::as_bytes);
        Hash::of("goal-version", parts).short(16)
    }
}
