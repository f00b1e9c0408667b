//! `show`: everything about one goal. Below it `more` and `timeline`: what is around it, and what happened when.

pub mod more;
pub mod timeline;

use eyre::Result;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    backlog::{
        conflict::{self, Conflicts},
        inbox,
    },
    commands::{self, show::more::More},
    engine::{recall, run, session::Session, stored, target::Target},
    facts::Standing,
    git::{Repo, attempts, notes, refs},
    goal::Goal,
    id::{CommitId, GoalId},
    quote::quoted,
    record::{Record, Undone},
    schedule::{self, State},
};

/// One attempt.
#[derive(Debug, Serialize)]
pub struct AttemptRow {
    /// From 1.
    pub number: u32,
    /// How it stands.
    pub standing: Standing,
    /// Why it failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Replies.
    pub rounds: u32,
    /// The model.
    pub model: String,
    /// Tokens.
    pub tokens: u64,
    /// Dollars; `None` where unknown.
    pub cost_usd: Option<f64>,
    /// When it began.
    pub started_at: String,
    /// The branch that was adopted, where nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted: Option<String>,
}

/// Everything about one goal.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Its id.
    pub id: GoalId,
    /// Its state.
    pub state: State,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What it asks, while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// What it asked, once it has landed; its row says so in JSON.
    #[serde(skip)]
    pub asked: Option<Goal>,
    /// Its row in the backlog, unknown keys included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<Box<RawValue>>,
    /// What other sides set its keys to.
    #[serde(skip_serializing_if = "Conflicts::is_empty")]
    pub conflict: Conflicts,
    /// Its file in the inbox of this branch, where the target does not have it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// True where people edited its row after it had landed: that changes nothing, and the next landing takes the row out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub edited_after_landing: bool,
    /// Its candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<CommitId>,
    /// Every attempt.
    pub attempts: Vec<AttemptRow>,
    /// The record of its landing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// That this landing was taken out again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone: Option<Undone>,
    /// What is around it, and what happened when, where that was asked for.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub more: Option<More>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.show/1";
}

impl Outcome {
    /// Returns what a person can type next.
    pub fn next(&self) -> Option<String> {
        let id = quoted(self.id.as_str());
        if !self.conflict.is_empty() {
            return Some(format!(
                "`git invisigoth edit {id}`, or with `--keep` what stands is right"
            ));
        }
        if self.draft.is_some() {
            return None;
        }
        Some(match self.state {
            State::Landed => {
                let commit = self.record.as_ref().map(|record| record.commit.short())?;
                format!("git show --notes=invisigoth {commit}")
            }
            State::Ready => format!("git invisigoth run {id}"),
            State::Candidate | State::Held if self.candidate.is_some() => {
                format!("`git invisigoth diff {id}`, then `git invisigoth merge {id}`")
            }
            State::Held => format!("git invisigoth release {id}"),
            State::Failed | State::Parked => {
                format!("`git invisigoth retry {id}` lets it be tried again; or reword it, `git invisigoth edit {id}`")
            }
            State::Proposed => format!("`git invisigoth approve {id}`, or `git invisigoth reject {id} --why TEXT`"),
            State::Rejected => format!("`git invisigoth approve {id}` takes it up after all"),
            State::Running => "git invisigoth status --watch".to_owned(),
            // A goal that pauses says how its cap is raised.
            State::Blocked if self.reason.starts_with("paused") => self.reason.split_once("; ")?.1.to_owned(),
            State::Candidate | State::Blocked => return None,
        })
    }
}

/// Shows goal `id`.
///
/// # Errors
/// A fault for an unknown goal, or when the repository cannot be read.
pub fn run(session: &Session, id: &GoalId) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read_here(session, &repo, &target)?;
    let Some((state, reason)) = schedule::state(&known.facts, id) else {
        return Err(run::unknown_goal(&known.facts, id).into());
    };
    let newest = attempts::newest(&repo)?.get(&id.ref_part()).copied().unwrap_or(0);
    let mut tried = Vec::new();
    for number in 1..=newest {
        let Some(stored) = stored::read(&repo, id, number)? else {
            continue;
        };
        tried.push(AttemptRow {
            number,
            standing: stored.standing,
            reason: stored.reason,
            rounds: stored.rounds,
            model: stored.model,
            tokens: stored.usage.tokens(),
            cost_usd: stored.usage.cost_usd,
            started_at: stored.started_at,
            adopted: stored.adopted.map(|adopted| adopted.branch),
        });
    }
    let rows = recall::rows(&repo, target.tip)?;
    let newest_first = || rows.iter().rev().filter(|row| row.contains(id.as_str()));
    let record = newest_first()
        .filter_map(|row| serde_json::from_str(row).ok())
        .find(|record: &Record| record.goal == *id);
    let undone = record.as_ref().filter(|_| state != State::Landed).and_then(|record| {
        let mut all = newest_first().filter_map(|row| Undone::of_line(row));
        all.find(|undone| undone.goal == *id && undone.commit == record.commit)
    });
    let record = match record {
        Some(record) => Some(record),
        None => noted(
            &repo,
            id,
            known.facts.candidates.get(id).map(|candidate| candidate.commit),
        )?,
    };
    let goal = known.backlog.get(id);
    let (asked, raw) = match &goal {
        Some(_) => (None, known.backlog.raw(id).map(str::to_owned)),
        None => landed_goal(&repo, target.tip, id)?,
    };
    let edited_after_landing = match (&goal, state) {
        (Some(goal), State::Landed) => {
            let landed = landed_goal(&repo, target.tip, id)?.0;
            landed.is_some_and(|landed| landed.version() != goal.version())
        }
        _ => false,
    };
    let drafted = known.drafts.ids().any(|draft| draft == id);
    Ok(Outcome {
        conflict: known.backlog.raw(id).map(conflict::of).unwrap_or_default(),
        edited_after_landing,
        draft: drafted.then(|| inbox::path(id)),
        id: id.clone(),
        state,
        reason,
        goal,
        asked,
        row: raw.map(RawValue::from_string).transpose()?,
        candidate: known.facts.candidates.get(id).map(|candidate| candidate.commit),
        attempts: tried,
        record,
        undone,
        more: None,
    })
}

/// As `run`, with what is around it and what happened when.
///
/// # Errors
/// As `run`, and when journals cannot be read.
pub fn whole(session: &Session, id: &GoalId) -> Result<Outcome> {
    let outcome = run(session, id)?;
    let more = Some(more::of(session, &outcome)?);
    Ok(Outcome { more, ..outcome })
}

/// Reads a landed goal as it was worked on.
fn landed_goal(repo: &Repo, tip: CommitId, id: &GoalId) -> Result<(Option<Goal>, Option<String>)> {
    let row = recall::landed_row(repo, tip, id)?;
    let mut fields: Option<serde_json::Map<String, serde_json::Value>> =
        row.as_deref().and_then(|row| serde_json::from_str(row).ok());
    if let Some(fields) = &mut fields {
        // `completed` is no decision of a person.
        fields.remove("status");
    }
    let goal = fields.and_then(|fields| serde_json::from_value(fields.into()).ok());
    Ok((goal, row))
}

fn noted(repo: &Repo, id: &GoalId, commit: Option<CommitId>) -> Result<Option<Record>> {
    let Some(commit) = commit else { return Ok(None) };
    let lines = notes::lines(repo, refs::NOTES, commit.0)?;
    Ok(lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Record>(line).ok())
        .find(|record| record.goal == *id))
}
