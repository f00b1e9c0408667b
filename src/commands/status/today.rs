//! Today: what landed and what was spent since midnight, UTC, as the ledger counts days. Reads no more of the history files
//! than it needs.

use std::collections::BTreeSet;

use eyre::Result;
use serde::{Deserialize, Serialize};

use crate::{
    backlog::{
        close::{HISTORY, HISTORY_SEGMENTS},
        history as rows,
    },
    engine::{recall::backlog_fault, records},
    git::{Repo, history, tree},
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
    for record in records(repo, tip, day)? {
        if record.kind.is_some() || !landed.contains(&record.goal) || !seen.insert(record.goal.clone()) {
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

/// Reads the records of `day`, the newest first: of the last file, and of sealed ones as long as they begin with that day.
fn records(repo: &Repo, tip: CommitId, day: &str) -> Result<Vec<Record>> {
    let root = tree::of_commit(repo, tip)?;
    let late = records::late_rows(repo, tip)?;
    let mut found: Vec<Record> = late
        .iter()
        .rev()
        .filter_map(|line| serde_json::from_str::<Record>(line).ok())
        .filter(|record| ledger::day(&record.landed_at) == day)
        .collect();
    let sealed = tree::names_in(repo, root, HISTORY_SEGMENTS)?;
    let sealed = sealed.into_iter().rev().map(|name| format!("{HISTORY_SEGMENTS}{name}"));
    for path in std::iter::once(HISTORY.to_owned()).chain(sealed) {
        let bytes = tree::read_file(repo, root, &path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let all = rows::rows(&text).map_err(|error| backlog_fault(&error.in_file(HISTORY)))?;
        for row in all.iter().rev() {
            let Ok(record) = serde_json::from_str::<Record>(row) else {
                continue;
            };
            if ledger::day(&record.landed_at) != day {
                return Ok(found);
            }
            found.push(record);
        }
    }
    Ok(found)
}
