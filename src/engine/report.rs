//! The report: what came of the runs since a moment, for whoever reads it in the morning.
//!
//! Owns what belongs into it. Everything in it is read: from records, attempts, the ledger and the lines of runs. It changes nothing.

use std::time::Duration;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    check::CheckRow,
    engine::{
        live,
        recall::{self, Recalled},
        records,
        runs::{self, By},
        session::Session,
        spending, steering, stored,
        target::Target,
    },
    facts::Facts,
    git::{Repo, history},
    goal::Decision,
    id::{CommitId, GoalId},
    money::ledger::{Ledger, Sum},
    record::{Record, Undone},
    schedule::{self, State},
    time::Moment,
};

/// A goal that landed.
#[derive(Clone, Debug, Serialize)]
pub struct Landed {
    /// The goal.
    pub goal: GoalId,
    /// The first line of its commit.
    pub description: String,
    /// Its commit.
    pub commit: CommitId,
    /// When it landed, RFC 3339 UTC.
    pub landed_at: String,
    /// Tests that failed before and pass now, where that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub red_green: Option<usize>,
    /// The checks on the landed code.
    pub checks: Vec<CheckRow>,
    /// Replies that it took.
    pub attempts: u32,
    /// Tokens of prompts and replies together.
    pub tokens: u64,
    /// Dollars over all its attempts; `null` where unknown.
    pub cost_usd: Option<f64>,
    /// When it was taken out again, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<String>,
    /// The command that takes it out again, where it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
}

/// A goal that needs somebody.
#[derive(Clone, Debug, Serialize)]
pub struct Stuck {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// `failed`, `parked` or `held`.
    pub state: State,
    /// Why.
    pub reason: String,
    /// True where it was worked at since then.
    pub is_new: bool,
    /// Replies, over all its attempts that are on record here.
    pub attempts: u32,
    /// Dollars over them; `null` where unknown.
    pub cost_usd: Option<f64>,
    /// The command that settles it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What waits for nobody but its turn.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Waiting {
    /// Goals that can start.
    pub ready: usize,
    /// Goals that wait for others or pause, and why.
    pub blocked: Vec<(GoalId, String)>,
    /// Candidates that have not landed yet.
    pub candidates: usize,
    /// Planned goals that a person must approve first.
    pub proposed: usize,
    /// Why results wait beside the branch, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

/// What runs took besides calls. Of a run that was killed, as far as it wrote it down.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Runs {
    /// Runs that worked.
    pub count: usize,
    /// Of them, those that go on.
    pub going_on: usize,
    /// Of them, those that never came to their end: they were killed, or the machine was.
    pub killed: usize,
    /// Their wall time together.
    pub seconds: f64,
    /// Commands of gates that ran.
    pub checks: u64,
    /// How long these took together.
    pub check_seconds: f64,
    /// Replies that could not be used.
    pub refused: u64,
    /// The caps that ended a run, in its words.
    pub caps: Vec<String>,
    /// What else ended a run before its time.
    pub cut_short: Vec<String>,
    /// Each of them, the newest first.
    pub each: Vec<OneRun>,
}

/// How a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It goes on.
    GoingOn,
    /// It came to its end.
    Ended,
    /// It ended before its time.
    CutShort,
    /// It never came to its end.
    Killed,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct OneRun {
    /// Its name.
    pub run: String,
    /// Who or what started it.
    pub by: By,
    /// When it began to work, RFC 3339 UTC.
    pub began: String,
    /// How long it lasted, in whole seconds.
    pub seconds: u64,
    /// How it stands.
    pub state: RunState,
    /// Why it ended before its time, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Commands of gates that ran.
    pub checks: u64,
}

impl OneRun {
    fn of(run: &runs::Run, goes_on: bool, took: Duration) -> Self {
        Self {
            run: run.name.clone(),
            by: run.by,
            began: run.began.rfc3339(),
            seconds: took.as_secs(),
            state: match (&run.cut, run.ended) {
                _ if goes_on => RunState::GoingOn,
                (Some(_), _) => RunState::CutShort,
                (None, true) => RunState::Ended,
                (None, false) => RunState::Killed,
            },
            why: run.cut.as_ref().map(|cut| cut.why.clone()),
            checks: run.counts.checks,
        }
    }
}

/// What starts runs here.
#[derive(Clone, Debug, Serialize)]
pub struct Trigger {
    /// Who or what.
    pub by: By,
    /// How many runs it started, of those that are on record.
    pub runs: usize,
    /// When it last did, RFC 3339 UTC.
    pub last_at: String,
    /// How long that run lasted so far.
    pub seconds: f64,
    /// What came of it: `goes on`, `ended`, `was killed`, or why it ended before its time.
    pub result: String,
}

/// What came of the runs since a moment.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// From when on, RFC 3339 UTC.
    pub since: String,
    /// When it was read.
    pub at: String,
    /// The branch that goals land on.
    pub target: String,
    /// What landed, in the order in which it did.
    pub landed: Vec<Landed>,
    /// Goals that failed or are parked: those that were worked at since then come first.
    pub failed: Vec<Stuck>,
    /// Goals that a person holds, or that wait for one.
    pub held: Vec<Stuck>,
    /// What waits.
    pub waiting: Waiting,
    /// What all calls took, at worst where nobody knows.
    pub spent: Sum,
    /// What a landed goal cost: all that was spent, on failures and plans too, by what landed. Absent where nothing did, or a price
    /// is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_landed: Option<f64>,
    /// What runs took besides.
    pub runs: Runs,
    /// What starts runs, whenever it last did; the latest first.
    pub triggers: Vec<Trigger>,
}

/// Reads it. Runs that began before `since` and worked after it count whole.
///
/// # Errors
/// When the backlog, records, attempts or ledger cannot be read.
pub fn of(session: &Session, since: Moment) -> Result<Report> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let time = since.rfc3339();
    let ledger = spending::read(session, &repo).wrap_err("reading the ledger of spending")?;
    let landed = landed(&repo, target.tip, &time)?;
    let spent = ledger.since(&time);
    let (mut failed, mut held) = (Vec::new(), Vec::new());
    for id in known.facts.goals.keys() {
        let Some((state, reason)) = schedule::state(&known.facts, id) else {
            continue;
        };
        let list = match state {
            State::Failed | State::Parked => &mut failed,
            State::Held => &mut held,
            _ => continue,
        };
        list.push(stuck(&repo, (&known.facts, &ledger), (id, state, reason), &time)?);
    }
    for list in [&mut failed, &mut held] {
        list.sort_by_key(|stuck| !stuck.is_new);
    }
    Ok(Report {
        at: session.clock.now().rfc3339(),
        usd_per_landed: per_landed(landed.len(), dollars_of(&landed, &spent)),
        landed,
        failed,
        held,
        waiting: waiting(session, &repo, &target, &known)?,
        spent,
        runs: of_runs(session, &repo, since)?,
        triggers: triggers(session, &repo)?,
        since: time,
        target: target.branch,
    })
}

/// Returns the command for a goal that needs a person.
pub fn next(state: State, decision: Decision, id: &GoalId) -> Option<String> {
    let verb = match (state, decision) {
        (State::Held, Decision::Held) => "release",
        (State::Held, _) => "merge",
        (State::Proposed, _) => "approve",
        (State::Failed | State::Parked, _) => "retry",
        _ => return None,
    };
    Some(command(verb, id))
}

fn command(verb: &str, id: &GoalId) -> String {
    format!("git invisigoth {verb} {}", steering::typed([id]))
}

/// Of a goal that landed, was taken back and landed again, each landing counts.
fn landed(repo: &Repo, tip: CommitId, since: &str) -> Result<Vec<Landed>> {
    let rows = records::rows_since(repo, tip, since)?;
    let undone: Vec<Undone> = rows.iter().filter_map(|row| Undone::of_line(row)).collect();
    let mut all = Vec::new();
    for record in rows.iter().filter_map(|row| serde_json::from_str::<Record>(row).ok()) {
        let back = undone.iter().rev();
        let back = back
            .filter(|undone| undone.goal == record.goal && undone.commit == record.commit)
            .map(|undone| undone.undone_at.clone());
        let undone_at = back.max();
        // A shallow clone may lack the commit.
        let entry = history::entry(repo, record.commit).ok();
        all.push(Landed {
            description: entry.map(|entry| entry.subject().to_owned()).unwrap_or_default(),
            undo: undone_at.is_none().then(|| command("undo", &record.goal)),
            undone_at,
            goal: record.goal,
            commit: record.commit,
            landed_at: record.landed_at,
            red_green: record.red_green,
            checks: record.checks,
            attempts: record.attempts,
            tokens: record.tokens,
            cost_usd: record.cost_usd,
        });
    }
    Ok(all)
}

fn stuck(
    repo: &Repo,
    (facts, ledger): (&Facts, &Ledger),
    (id, state, reason): (&GoalId, State, String),
    since: &str,
) -> Result<Stuck> {
    let (mut attempts, mut cost_usd) = (0, Some(0.0));
    let mut is_new = ledger.goal_since(id.as_str(), since).calls > 0;
    let newest = facts.attempts.get(id).map_or(0, |attempt| attempt.number);
    for number in 1..=newest {
        let Some(stored) = stored::read(repo, id, number)? else {
            continue;
        };
        attempts += stored.rounds;
        cost_usd = cost_usd.zip(stored.usage.cost_usd).map(|(a, b)| a + b);
        is_new |= stored.started_at.as_str() >= since;
    }
    let open = facts.goals.get(id);
    let decision = open.map(|open| open.decision).unwrap_or_default();
    Ok(Stuck {
        goal: id.clone(),
        description: open.map(|open| open.description.clone()).unwrap_or_default(),
        state,
        reason,
        is_new,
        attempts,
        cost_usd,
        next: next(state, decision, id),
    })
}

/// Returns what a landed goal cost where so many landed for `usd`.
pub fn per_landed(landed: usize, usd: Option<f64>) -> Option<f64> {
    let count = u32::try_from(landed).ok().filter(|count| *count > 0)?;
    usd.map(|usd| usd / f64::from(count))
}

/// Another clone may have worked: its ledger is there, its records are here.
fn dollars_of(landed: &[Landed], spent: &Sum) -> Option<f64> {
    if spent.calls > 0 {
        return spent.known_usd();
    }
    landed.iter().map(|landed| landed.cost_usd).sum()
}

fn waiting(session: &Session, repo: &Repo, target: &Target, known: &Recalled) -> Result<Waiting> {
    let mut waiting = Waiting {
        beside: target.beside(session, repo)?,
        ..Waiting::default()
    };
    for id in known.facts.goals.keys() {
        match schedule::state(&known.facts, id) {
            Some((State::Ready, _)) => waiting.ready += 1,
            Some((State::Blocked, why)) => waiting.blocked.push((id.clone(), why)),
            Some((State::Candidate, _)) => waiting.candidates += 1,
            Some((State::Proposed, _)) => waiting.proposed += 1,
            _ => {}
        }
    }
    Ok(waiting)
}

fn of_runs(session: &Session, repo: &Repo, since: Moment) -> Result<Runs> {
    let now = session.clock.now();
    let live = live::read(session, repo).wrap_err("reading what runs say")?;
    let mut all = Runs::default();
    let mut counts = runs::Counts::default();
    for run in runs::read(session, repo).wrap_err("reading the lines of runs")? {
        let goes_on = !run.ended && live.iter().any(|doing| doing.run == run.name);
        let heard = if goes_on { now } else { run.heard };
        if heard < since {
            continue;
        }
        all.count += 1;
        all.going_on += usize::from(goes_on);
        all.killed += usize::from(!run.ended && !goes_on);
        let took = if goes_on { now.since(run.began) } else { run.took };
        all.seconds += took.as_secs_f64();
        counts.add(&run.counts);
        all.each.push(OneRun::of(&run, goes_on, took));
        let is_capped = run.is_capped();
        if let Some(cut) = run.cut {
            let list = if is_capped { &mut all.caps } else { &mut all.cut_short };
            list.push(cut.why);
        }
    }
    all.each.reverse();
    (all.checks, all.refused) = (counts.checks, counts.refused);
    all.check_seconds = counts.check_seconds();
    Ok(all)
}

/// Lists what started the runs that are on record here.
///
/// # Errors
/// When the lines of runs cannot be read.
pub fn triggers(session: &Session, repo: &Repo) -> Result<Vec<Trigger>> {
    let live = live::read(session, repo).wrap_err("reading what runs say")?;
    let all = runs::read(session, repo).wrap_err("reading the lines of runs")?;
    let mut triggers: Vec<Trigger> = Vec::new();
    for run in all.iter().rev() {
        if let Some(known) = triggers.iter_mut().find(|known| known.by == run.by) {
            known.runs += 1;
            continue;
        }
        let goes_on = !run.ended && live.iter().any(|doing| doing.run == run.name);
        let took = if goes_on {
            session.clock.now().since(run.began)
        } else {
            run.took
        };
        triggers.push(Trigger {
            by: run.by,
            runs: 1,
            last_at: run.began.rfc3339(),
            seconds: took.as_secs_f64(),
            result: match (&run.cut, goes_on, run.ended) {
                (Some(cut), ..) => cut.why.clone(),
                (None, true, _) => "goes on".to_owned(),
                (None, false, true) => "ended".to_owned(),
                (None, false, false) => "was killed".to_owned(),
            },
        });
    }
    Ok(triggers)
}

/// Returns when a report begins where nobody says: a day ago, or when the newest run began where that is longer ago.
///
/// # Errors
/// When the lines of runs cannot be read.
pub fn usual(session: &Session) -> Result<Moment> {
    let day = session.clock.now().before(Duration::from_secs(24 * 60 * 60));
    let runs = runs::read(session, &session.repo()).wrap_err("reading the lines of runs")?;
    let newest = runs.last().map(|run| run.began);
    Ok(newest.map_or(day, |began| began.min(day)))
}
