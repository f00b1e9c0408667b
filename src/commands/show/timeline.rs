//! The timeline of a goal: claim, call, edit, lint, test, commit, queue, landed; as far as records, attempts and the journals
//! of this machine tell. Reads nothing itself.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    check::CheckRow,
    commands::show::{AttemptRow, Outcome},
    engine::live::{InHand, Phase},
    facts::Standing,
    journal::{level::Level, reading::Kept},
    schedule::State,
    time::Moment,
};

/// One thing that happened, goes on or waits.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Step {
    /// When, RFC 3339 UTC; absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Which step it is: `added`, `claim`, `call`, `edit`, `setup`, `lint`, `test`, `commit`, `queue`, `landed` and the like.
    pub step: String,
    /// What came of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// The round of the attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<u64>,
    /// How much it matters.
    pub level: Level,
    /// True for what goes on, or waits, now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

impl Step {
    fn new(at: Option<&str>, step: &str, words: impl Into<String>) -> Self {
        Self {
            at: at.filter(|at| !at.is_empty()).map(str::to_owned),
            step: step.to_owned(),
            words: words.into(),
            round: None,
            level: Level::Info,
            pending: false,
        }
    }

    fn level(self, level: Level) -> Self {
        Self { level, ..self }
    }
}

/// What a timeline is made of.
pub struct Told<'t> {
    /// The goal.
    pub outcome: &'t Outcome,
    /// What the journals say of it, in order.
    pub lines: &'t [Kept],
    /// What a live run does at it.
    pub doing: Option<&'t InHand>,
}

/// Puts it together.
pub fn of(told: &Told<'_>) -> Vec<Step> {
    let outcome = told.outcome;
    let goal = outcome.goal.as_ref().or(outcome.asked.as_ref());
    let mut steps = Vec::new();
    if let Some(goal) = goal.filter(|goal| goal.created_at.is_some()) {
        let by = goal.created_by.as_deref().map(|by| format!("by {by}"));
        steps.push(Step::new(goal.created_at.as_deref(), "added", by.unwrap_or_default()));
    }
    steps.extend(told.lines.iter().flat_map(said));
    for (nth, attempt) in outcome.attempts.iter().enumerate() {
        let until = outcome.attempts.get(nth + 1).map(|next| next.started_at.as_str());
        if !is_told(told.lines, attempt, until) {
            steps.extend(tried(attempt));
        }
    }
    let is_journaled = told.lines.iter().any(|line| line.event == "landed");
    if let Some(record) = outcome
        .record
        .as_ref()
        .filter(|_| !is_journaled && outcome.candidate.is_none())
    {
        let words = format!("{} on {}", record.commit.short(), record.target);
        steps.push(Step::new(Some(&record.landed_at), "landed", words));
    }
    if let Some(undone) = &outcome.undone {
        let why = undone.why.clone().unwrap_or_default();
        steps.push(Step::new(Some(&undone.undone_at), "undone", why).level(Level::Warn));
    }
    steps.sort_by_key(|step| step.at.as_deref().and_then(Moment::from_rfc3339));
    steps.extend(pending(told));
    steps
}

/// True where the journals of this machine have what an attempt did.
fn is_told(lines: &[Kept], attempt: &AttemptRow, until: Option<&str>) -> bool {
    let from = Moment::from_rfc3339(&attempt.started_at);
    let until = until.and_then(Moment::from_rfc3339);
    // An attempt begins before its claim is told, both within a second.
    lines.iter().any(|line| {
        let at = line.at.0.saturating_add(1000);
        from.is_some_and(|from| at >= from.0) && until.is_none_or(|until| line.at < until)
    })
}

fn tried(attempt: &AttemptRow) -> Vec<Step> {
    let number = attempt.number;
    let began = match &attempt.adopted {
        Some(branch) => format!("attempt {number}, adopted from {branch}"),
        None => format!("attempt {number}, {} replies of {}", attempt.rounds, attempt.model),
    };
    let began = Step::new(Some(&attempt.started_at), "claim", began);
    let ended = |step: &str, level| Step::new(Some(&attempt.started_at), step, attempt.reason.clone()).level(level);
    let end = match attempt.standing {
        Standing::Failed => Some(ended("failed", Level::Error)),
        Standing::Retried => Some(ended("failed", Level::Warn)),
        Standing::Paused => Some(ended("paused", Level::Warn)),
        Standing::Evicted => Some(ended("evicted", Level::Warn)),
        Standing::Open => None,
    };
    [began].into_iter().chain(end).collect()
}

/// Words a line of the journal.
fn said(line: &Kept) -> Vec<Step> {
    let at = line.at.rfc3339_millis();
    let fields = &line.fields;
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let step = |step: &str, words: String| Step {
        round: fields.get("round").and_then(Value::as_u64),
        ..Step::new(Some(&at), step, words).level(line.level)
    };
    match line.event.as_str() {
        "started" => vec![step("claim", String::new())],
        "asked" => {
            let bytes = fields.get("bytes").and_then(Value::as_u64).unwrap_or(0);
            vec![step("call", format!("a prompt of {} KiB", bytes.div_ceil(1024)))]
        }
        "refused" => vec![step("edit", text("why"))],
        "checked" => checked(fields, &step),
        "landed" => {
            let commit: String = text("commit").chars().take(10).collect();
            vec![step("landed", format!("{commit}  {}", text("checks")))]
        }
        "evicted" | "parked" | "failed" | "held" | "paused" => vec![step(&line.event, text("why"))],
        // Diagnoses are for the log.
        _ => Vec::new(),
    }
}

/// Every command of a gate is a step; where all passed, a commit follows.
fn checked(fields: &Map<String, Value>, step: &dyn Fn(&str, String) -> Step) -> Vec<Step> {
    let rows = fields.get("checks").cloned().unwrap_or_default();
    let rows: Vec<CheckRow> = serde_json::from_value(rows).unwrap_or_default();
    let why = fields.get("why").and_then(Value::as_str);
    let last = rows.iter().rposition(|row| row.exit != 0);
    let mut steps: Vec<Step> = Vec::new();
    for (nth, row) in rows.iter().enumerate() {
        let tests = match (row.tests, row.failed) {
            (Some(ran), Some(failed)) if failed > 0 => format!(", {failed} of {ran} tests failed"),
            (Some(ran), _) => format!(", {ran} tests"),
            (None, _) => String::new(),
        };
        let (word, level) = match row.exit {
            0 => ("passed".to_owned(), Level::Info),
            // What was red before, and may stay so.
            _ if why.is_none() => ("red as before".to_owned(), Level::Info),
            124 => ("ran over its limit".to_owned(), Level::Error),
            code => (format!("failed with exit code {code}"), Level::Error),
        };
        let is_more = |why: &&str| !why.ends_with(&format!(": exit {}", row.exit));
        let reason = why
            .filter(|_| last == Some(nth))
            .filter(is_more)
            .map(|why| format!(": {why}"));
        let words = format!("{word} in {:.1} s{tests}{}", row.seconds, reason.unwrap_or_default());
        steps.push(step(row.stage.word(), words).level(level));
    }
    match why {
        None => steps.push(step("commit", "its checks passed".to_owned()).level(Level::Info)),
        Some(why) if last.is_none() => steps.push(step("check", why.to_owned()).level(Level::Error)),
        Some(_) => {}
    }
    steps
}

/// What goes on now, or what it waits for.
fn pending(told: &Told<'_>) -> Option<Step> {
    let outcome = told.outcome;
    let reason = outcome.reason.clone();
    let waits = |step: &str, words: String| Step {
        pending: true,
        ..Step::new(None, step, words)
    };
    if let Some(hand) = told
        .doing
        .filter(|_| matches!(outcome.state, State::Running | State::Candidate))
    {
        let step = match hand.phase {
            Some(Phase::Asking) => "call",
            Some(Phase::Applying) => "edit",
            Some(Phase::Checking) => "test",
            Some(Phase::Landing) => "queue",
            Some(Phase::Waiting) => "paused",
            Some(Phase::Planning | Phase::Idle) | None => "claim",
        };
        let at = hand.since.or(hand.goal_since).map(Moment::rfc3339);
        return Some(Step {
            at,
            round: hand.round.map(u64::from),
            ..waits(step, hand.phase.map_or("", Phase::word).to_owned())
        });
    }
    Some(match outcome.state {
        State::Landed => return None,
        State::Running => waits("claim", "a run works at it".to_owned()),
        State::Candidate => waits("queue", "it waits for a run, or `merge`, to land it".to_owned()),
        State::Ready => waits("claim", "it waits for a run".to_owned()),
        State::Blocked => waits("claim", reason),
        State::Held => waits("held", reason),
        State::Proposed => waits("approval", reason),
        State::Failed | State::Parked => waits("retry", "a person has to look at it".to_owned()),
        State::Rejected => return None,
    })
}
