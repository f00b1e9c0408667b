//! `cost`: what goals took, by goal, model or day: from the records of what landed and the attempts at what did not.

use std::collections::{BTreeMap, HashSet};

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    engine::{
        plans::{self, StoredPlan},
        recall,
        session::Session,
        spending, stored,
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, history, notes, refs},
    id::{CommitId, GoalId},
    money::ledger::{self, Sum},
    record::Record,
};

/// What the rows are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A goal each.
    Goal,
    /// A model each.
    Model,
    /// A day each, in UTC.
    Day,
}

/// What to add up.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the rows are about.
    pub by: By,
    /// Only work that began on this day or later, `2026-11-22`.
    pub since: Option<String>,
}

/// What something took.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Took {
    /// Dollars, as far as they are known.
    pub usd: f64,
    /// Goals, or attempts at them, whose dollars are not known.
    pub unknown: u64,
    /// Tokens of prompts and replies together.
    pub tokens: u64,
    /// Replies.
    pub replies: u64,
}

impl Took {
    fn add(&mut self, other: &Self) {
        self.usd += other.usd;
        self.unknown += other.unknown;
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.replies += other.replies;
    }
}

/// One row.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal, the model or the day.
    pub key: String,
    /// What it took.
    #[serde(flatten)]
    pub took: Took,
    /// Of it, what went to goals that have not landed.
    pub open_usd: f64,
}

/// What goals took.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// What the rows are about.
    pub by: By,
    /// Days in order; else the dearest first.
    pub rows: Vec<Row>,
    /// All of them.
    pub total: Took,
    /// What the ledger of this clone says of the same time: calls that were cut count their worst price there.
    pub ledger: Sum,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.cost/1";
}

/// What planning goes by where rows are goals.
const PLAN: &str = "(plan)";

/// One landed goal, one attempt that did not land, or one plan.
struct Piece {
    what: String,
    model: String,
    at: String,
    took: Took,
    landed: bool,
}

/// Adds up. Changes nothing.
///
/// # Errors
/// A fault for a date that is none, or when records, attempts or ledger cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let since = request.since.as_deref().unwrap_or_default();
    if !since.is_empty() && !is_day(since) {
        return Err(Fault::new(Kind::Usage, format!("`{since}` is no day such as 2026-11-22")).into());
    }
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut total = Took::default();
    let pieces = pieces(&repo, target.tip)?;
    for piece in pieces.into_iter().filter(|piece| piece.at.as_str() >= since) {
        let key = match request.by {
            By::Goal => piece.what,
            By::Model => piece.model,
            By::Day => ledger::day(&piece.at).to_owned(),
        };
        let row = rows.entry(key.clone()).or_insert_with(|| Row {
            key,
            took: Took::default(),
            open_usd: 0.0,
        });
        row.took.add(&piece.took);
        total.add(&piece.took);
        if !piece.landed {
            row.open_usd += piece.took.usd;
        }
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    if request.by != By::Day {
        rows.sort_by(|a, b| b.took.usd.total_cmp(&a.took.usd));
    }
    let ledger = spending::read(session, &repo).wrap_err("reading the ledger of spending")?;
    Ok(Outcome {
        by: request.by,
        rows,
        total,
        ledger: ledger.since(since),
    })
}

fn is_day(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00"
}

/// A record counts the failed attempts before it; what began after the goal's last landing is in no record.
fn pieces(repo: &Repo, tip: CommitId) -> Result<Vec<Piece>> {
    let records = records(repo, tip)?;
    let mut landed: BTreeMap<GoalId, String> = BTreeMap::new();
    for record in &records {
        let newest = landed.entry(record.goal.clone()).or_default();
        *newest = record.landed_at.clone().max(std::mem::take(newest));
    }
    let mut pieces: Vec<Piece> = records.into_iter().map(of_record).collect();
    for attempt in stored::every(repo)? {
        let counted = landed.get(&attempt.goal).is_some_and(|at| attempt.started_at <= *at);
        if !counted {
            pieces.push(Piece {
                took: Took {
                    usd: attempt.usage.cost_usd.unwrap_or(0.0),
                    unknown: u64::from(attempt.usage.cost_usd.is_none()),
                    tokens: attempt.usage.tokens(),
                    replies: attempt.rounds.into(),
                },
                what: attempt.goal.to_string(),
                model: attempt.model,
                at: attempt.started_at,
                landed: false,
            });
        }
    }
    pieces.extend(plans::every(repo)?.into_iter().map(of_plan));
    Ok(pieces)
}

/// Planning is spent on no goal, so nothing of it counts as open.
fn of_plan(plan: StoredPlan) -> Piece {
    Piece {
        what: PLAN.to_owned(),
        model: plan.model,
        at: plan.started_at,
        took: Took {
            usd: plan.usage.cost_usd.unwrap_or(0.0),
            unknown: u64::from(plan.usage.cost_usd.is_none()),
            tokens: plan.usage.tokens(),
            replies: plan.rounds.into(),
        },
        landed: true,
    }
}

fn of_record(record: Record) -> Piece {
    Piece {
        took: Took {
            usd: record.cost_usd.unwrap_or(0.0),
            unknown: u64::from(record.cost_usd.is_none()),
            tokens: record.tokens,
            replies: record.attempts.into(),
        },
        what: record.goal.to_string(),
        model: record.model,
        at: record.started_at,
        landed: true,
    }
}

/// Reads the records of both replicas, each once.
fn records(repo: &Repo, tip: CommitId) -> Result<Vec<Record>> {
    let mut records = recall::records(repo, tip)?;
    let mut seen: HashSet<(GoalId, CommitId)> = HashSet::new();
    records.retain(|record| seen.insert((record.goal.clone(), record.commit)));
    let noted = notes::annotated(repo, refs::NOTES)?;
    let lines = notes::lines_of_all(repo, refs::NOTES, &noted)?;
    for (commit, lines) in noted.into_iter().zip(lines) {
        for record in lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Record>(line).ok())
        {
            let known = seen.contains(&(record.goal.clone(), record.commit));
            if !known && history::contains(repo, tip, CommitId(commit))? {
                seen.insert((record.goal.clone(), record.commit));
                records.push(record);
            }
        }
    }
    Ok(records)
}
