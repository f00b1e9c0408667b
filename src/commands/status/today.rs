//! Today: what landed and what was spent since midnight, UTC, as the ledger counts days. Reads no more of the history files
//! than it needs.

use std::collections::BTreeSet;

use eyre::Result;
use serde::{Deserialize, Serialize};

use crate::{
    engine::records,
    git::{Repo, history},
    id::{CommitId, GoalId},
    money::ledger::{self, Ledger, Sum},
    time::Moment,
};

/// How many goals are named.
const NAMED: usize = 10;

/// What landed and was spent.
#[derive(Debug, Default, Serialize)]
pub struct Today {
    /// How many goals landed.
    pub count: usize,
    /// The newest of them, the last one first.
    pub landed: Vec<Row>,
    /// What all calls of the day took, at worst where nobody knows.
    pub spent: Sum,
}

/// One landed goal.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its commit.
    pub commit: CommitId,
    /// The commit's first line.
    pub subject: String,
    /// When it landed, RFC 3339 UTC.
    pub at: String,
    /// Dollars over all its attempts; `null` where unknown.
    pub cost_usd: Option<f64>,
}

/// What is read of a record.
#[derive(Deserialize)]
struct Record {
    goal: GoalId,
    commit: CommitId,
    landed_at: String,
    cost_usd: Option<f64>,
    /// Absent for a landing.
    #[serde(default)]
    kind: Option<serde::de::IgnoredAny>,
}

/// Reads it for the day of `at`.
///
/// # Errors
/// When the history files cannot be read.
pub fn read(repo: &Repo, tip: CommitId, (landed, ledger): (&BTreeSet<GoalId>, &Ledger), at: Moment) -> Result<Today> {
    let time = at.rfc3339();
    let day = ledger::day(&time);
    let mut seen = BTreeSet::new();
    let mut today = Today {
        spent: ledger.day(day),
        ..Today::default()
    };
    let rows = records::rows_since(repo, tip, day)?;
    for record in rows
        .iter()
        .rev()
        .filter_map(|row| serde_json::from_str::<Record>(row).ok())
    {
        if ledger::day(&record.landed_at) != day
            || record.kind.is_some()
            || !landed.contains(&record.goal)
            || !seen.insert(record.goal.clone())
        {
            continue;
        }
        today.count += 1;
        if today.landed.len() < NAMED {
            // A shallow clone may lack the commit.
            let entry = history::entry(repo, record.commit).ok();
            today.landed.push(Row {
                goal: record.goal,
                commit: record.commit,
                subject: entry.map(|entry| entry.subject().to_owned()).unwrap_or_default(),
                at: record.landed_at,
                cost_usd: record.cost_usd,
            });
        }
    }
    Ok(today)
}
