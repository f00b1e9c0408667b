//! The merge queue as `status` shows it: what waits to land and in which order, who has the turn, and whether it moves.
//!
//! Reads only; what lands, and when, is up to `engine/queue`.

use std::time::Duration;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    backlog::{close::HISTORY, history as rows},
    commands,
    door::fs,
    engine::{
        live::{self, Doing, Phase},
        queue,
        recall::{self, Recalled},
        session::Session,
        target::Target,
        turn,
    },
    git::{Repo, history, tree},
    id::{CommitId, GoalId},
    record::Record,
    schedule::{
        queue::{LARGEST, Waiting, ordered},
        rank::{self, Ranks},
    },
    time::{Moment, eta::Eta},
};

/// How many of the newest records tell how long things take.
const PAST: usize = 64;
/// From so many records on they tell something.
const ENOUGH: usize = 3;

/// How the queue stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Nothing waits.
    #[default]
    Empty,
    /// A process lands, or checks what is to land.
    Draining,
    /// A live run takes it up when its own work allows.
    Waiting,
    /// The live runs were told to pause.
    Paused,
    /// Something waits, and no process is there that would land it.
    Stalled,
}

/// Who may move the target now.
#[derive(Clone, Debug, Serialize)]
pub struct Turn {
    /// The process.
    pub pid: u32,
    /// Its run, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What it does with the first of the queue that it has in hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Since when, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// When it last said anything, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
}

/// A candidate that waits.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// Its candidate.
    pub commit: CommitId,
    /// When that was made, RFC 3339 UTC.
    pub made_at: String,
    /// Its place in the order, from 1; absent where something that it needs neither landed nor waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// What it needs that has not landed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<GoalId>,
    /// How often it was thrown out of the queue.
    #[serde(skip_serializing_if = "commands::is_zero")]
    pub evictions: u32,
    /// True where it is under way: a process checks it on the merged code, or lands it.
    pub lands: bool,
    /// How long until it has landed: at best together with all before it, at worst one after the other. Absent where the queue
    /// does not move, or too few goals landed to tell.
    #[serde(rename = "eta_seconds", skip_serializing_if = "Option::is_none")]
    pub eta: Option<Eta>,
}

/// The merge queue.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Queue {
    /// How it stands.
    pub standing: Standing,
    /// Who may move the target now; absent where nobody has the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// What waits, in the order in which it lands.
    pub rows: Vec<Place>,
    /// How long goals take from their first call to their landing, typically.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typical_seconds: Option<u64>,
    /// What has it go on, where it stands still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<&'static str>,
}

/// How long things took.
struct Past {
    goals: Option<Duration>,
    checks: Option<Duration>,
}

/// Reads it.
///
/// # Errors
/// When candidates, records or what runs say cannot be read.
pub fn read(session: &Session, repo: &Repo, (target, known): (&Target, &Recalled), runs: &[Doing]) -> Result<Queue> {
    let mut rows = places(repo, known)?;
    for place in &mut rows {
        let hand = runs.iter().find_map(|run| run.at(&place.goal));
        place.lands = hand.is_some_and(|hand| hand.phase == Some(Phase::Landing));
    }
    let turn = turn_of(session, repo, runs)?;
    let standing = match runs {
        _ if rows.is_empty() => Standing::Empty,
        _ if rows.iter().any(|place| place.lands) => Standing::Draining,
        [] if turn.is_some() => Standing::Draining,
        [] => Standing::Stalled,
        runs if runs.iter().all(Doing::is_waiting) => Standing::Paused,
        _ => Standing::Waiting,
    };
    let past = past(repo, target.tip)?;
    if let (Standing::Draining | Standing::Waiting, Some(checks)) = (standing, past.checks) {
        rows.iter_mut().for_each(|place| place.eta = eta(place, checks));
    }
    Ok(Queue {
        standing,
        turn,
        rows,
        typical_seconds: past.goals.map(|took| took.as_secs()),
        next: match standing {
            Standing::Stalled => Some("git invisigoth merge"),
            Standing::Paused => Some("git invisigoth resume"),
            Standing::Empty | Standing::Draining | Standing::Waiting => None,
        },
    })
}

fn places(repo: &Repo, known: &Recalled) -> Result<Vec<Place>> {
    let facts = &known.facts;
    let mut waiting = Vec::new();
    for (id, candidate) in queue::eligible(facts, &[], &[]) {
        waiting.push(Waiting {
            goal: id.clone(),
            evictions: facts.evictions(id),
            is_approved: false,
            made_at: history::entry(repo, candidate.commit)?.at,
        });
    }
    let in_order = ordered(facts, &Ranks::of_open(facts), waiting.clone());
    waiting.retain(|one| !in_order.contains(one));
    let position = (1..=in_order.len()).map(Some).chain(std::iter::repeat(None));
    let all = in_order.into_iter().chain(waiting).zip(position);
    let place = |(one, position): (Waiting, Option<usize>)| {
        let open = facts.goals.get(&one.goal)?;
        let needs = open.needs.iter().filter(|need| !facts.landed.contains(*need));
        Some(Place {
            commit: facts.candidates.get(&one.goal)?.commit,
            description: open.description.clone(),
            needs: needs.cloned().collect(),
            goal: one.goal,
            made_at: one.made_at.rfc3339(),
            position,
            evictions: one.evictions,
            lands: false,
            eta: None,
        })
    };
    Ok(all.filter_map(place).collect())
}

fn turn_of(session: &Session, repo: &Repo, runs: &[Doing]) -> Result<Option<Turn>> {
    let Some(pid) = turn::holder(session, repo).wrap_err("reading who lands")? else {
        return Ok(None);
    };
    let run = runs.iter().find(|run| run.pid == pid);
    let hand = run.and_then(|run| run.goals.iter().find(|hand| hand.phase == Some(Phase::Landing)));
    let file = run.map(|run| live::lock_of(session, repo, &run.run));
    let heard = file.and_then(|file| fs::stamp(&file)).map(|stamp| stamp.changed().0);
    Ok(Some(Turn {
        pid,
        run: run.map(|run| run.run.clone()),
        phase: hand.and_then(|hand| hand.phase),
        since: hand.and_then(|hand| hand.since).map(Moment::rfc3339),
        heard: heard.map(|seconds| Moment::from_seconds(seconds).rfc3339()),
    }))
}

/// A batch is checked once where all is well; where not, its members land one by one.
fn eta(place: &Place, checks: Duration) -> Option<Eta> {
    let position = place.position?;
    let times = |count: usize| checks.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
    Some(Eta {
        least: times(position.div_ceil(LARGEST).saturating_sub(usize::from(place.lands))),
        most: times(position),
    })
}

/// Of the records that are not sealed yet: the newest, and at most a few hundred.
fn past(repo: &Repo, tip: CommitId) -> Result<Past> {
    let text = tree::read_file(repo, tree::of_commit(repo, tip)?, HISTORY)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let rows = rows::rows(&text).map_err(|error| recall::backlog_fault(&error.in_file(HISTORY)))?;
    let newest = rows.iter().rev().take(PAST);
    let records: Vec<Record> = newest.filter_map(|row| serde_json::from_str(row).ok()).collect();
    let took = |record: &Record| {
        let (began, landed) = (&record.started_at, &record.landed_at);
        Some(Moment::from_rfc3339(landed)?.since(Moment::from_rfc3339(began)?))
    };
    let checked = |record: &Record| {
        let seconds: f64 = record.checks.iter().map(|check| check.seconds).sum();
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    };
    let typical = |mut all: Vec<Duration>| {
        all.sort_unstable();
        (all.len() >= ENOUGH).then(|| rank::median(&all)).flatten()
    };
    let asked = records.iter().filter(|record| !record.is_unasked());
    Ok(Past {
        goals: typical(asked.filter_map(took).collect()),
        checks: typical(records.iter().map(checked).collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_lands_with_those_before_it_or_after_each_of_them() {
        let place = |position, lands| Place {
            goal: "g".parse().unwrap(),
            description: String::new(),
            commit: "1".repeat(40).parse().unwrap(),
            made_at: String::new(),
            position,
            needs: Vec::new(),
            evictions: 0,
            lands,
            eta: None,
        };
        let seconds = |position, lands| {
            let eta = eta(&place(position, lands), Duration::from_secs(60))?;
            Some((eta.least.as_secs(), eta.most.as_secs()))
        };
        assert_eq!(seconds(Some(1), true), Some((0, 60)));
        assert_eq!(seconds(Some(8), false), Some((60, 480)));
        assert_eq!(seconds(Some(9), false), Some((120, 540)));
        assert_eq!(seconds(None, false), None);
    }
}
