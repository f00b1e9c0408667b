//! What the attempts ref keeps of a plan: `plan.json`, and each answered call.
//!
//! Owns that format. A plan that was killed after an answer is not paid for twice: its calls are found again.

use eyre::{Result, WrapErr as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    engine::stored,
    git::{
        Repo,
        attempts::{self, Of, PLAN},
    },
    id::{CommitId, GoalId},
    time::Moment,
    transcript::{Exchange, Usage},
};

const FILE: &str = "plan.json";

/// `plan.json`: what a plan was made on and what became of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredPlan {
    /// The commit that it looks at.
    pub base: CommitId,
    /// False until its replies were judged.
    pub judged: bool,
    /// How many goals were asked for.
    pub count: u32,
    /// What the person who planned wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<String>,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// The provider's kind.
    pub provider: String,
    /// The model that answered last.
    pub model: String,
    /// Replies.
    pub rounds: u32,
    /// What all calls took.
    pub usage: Usage,
    /// Hash of the first prompt.
    pub prompt_hash: String,
    /// Goals that it brought into the backlog.
    pub goals: Vec<GoalId>,
    /// The other proposals: title, kind and why.
    pub refused: Vec<Value>,
}

/// Writes plan `number`, with the calls from the `first` on.
///
/// # Errors
/// When objects or the ref cannot be written.
pub fn write(
    repo: &Repo,
    (number, plan): (u32, &StoredPlan),
    (first, calls): (usize, &[Exchange]),
    at: Moment,
) -> Result<()> {
    let mut files = vec![(FILE.to_owned(), serde_json::to_vec(plan)?)];
    for (nth, call) in calls.iter().enumerate() {
        files.push((stored::call_name(first + nth), serde_json::to_vec(call)?));
    }
    Ok(attempts::save(repo, (Of::Plan, number), &files, None, at)?)
}

/// Returns the number of the newest plan; 0 where there is none.
///
/// # Errors
/// When the attempts ref cannot be read.
pub fn newest(repo: &Repo) -> Result<u32> {
    Ok(attempts::newest(repo)?.get(PLAN).copied().unwrap_or(0))
}

/// Reads a plan.
///
/// # Errors
/// When it cannot be read.
pub fn read(repo: &Repo, number: u32) -> Result<Option<StoredPlan>> {
    let text = attempts::read(repo, Of::Plan, number, FILE)?;
    text.map(|text| serde_json::from_slice(&text).wrap_err_with(|| format!("plan {number}")))
        .transpose()
}

/// Reads every plan.
///
/// # Errors
/// When one cannot be read.
pub fn every(repo: &Repo) -> Result<Vec<StoredPlan>> {
    let texts = attempts::every(repo, FILE)?;
    texts
        .iter()
        .map(|text| serde_json::from_slice(text).wrap_err("a plan"))
        .collect()
}
