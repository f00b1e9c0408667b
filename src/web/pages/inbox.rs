//! The inbox: what needs a person, what runs, what waits to land and for what. The first page.

use std::collections::BTreeMap;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::status::{self, Outcome, Row, queue::Queue, today::Today},
    engine::{
        live::{Doing, InHand, Phase},
        orders::Paused,
        session::Session,
    },
    id::GoalId,
    schedule::State,
    time::{Moment, eta::Eta},
    web::pages::{
        Page,
        setup::{self, Setup},
    },
};

/// Most rows of what needs nobody.
const MOST: usize = 8;

#[derive(Serialize)]
struct Inbox<'a> {
    needs: Vec<&'a Row>,
    runs: Vec<Run<'a>>,
    /// Goals that another process has in hand, of which nobody here says anything.
    elsewhere: Vec<&'a Row>,
    queue: &'a Queue,
    blocked: Vec<Blocked<'a>>,
    blocked_more: usize,
    ready: Vec<&'a Row>,
    ready_more: usize,
    today: &'a Today,
    /// How much longer all that the live runs have ahead of them takes.
    eta_seconds: &'a Option<Eta>,
    paused: &'a Option<Paused>,
    beside: &'a Option<String>,
    has_checks: bool,
    /// Present where there is nothing to show at all, or nothing can run.
    setup: Option<Setup>,
}

/// A process at work.
#[derive(Serialize)]
struct Run<'a> {
    run: &'a str,
    pid: u32,
    /// What it does besides its goals.
    phase: Option<Phase>,
    since: Option<String>,
    began: Option<String>,
    calls: u64,
    cost_usd: Option<f64>,
    goals: Vec<Hand<'a>>,
}

/// A goal in hand.
#[derive(Serialize)]
struct Hand<'a> {
    goal: &'a GoalId,
    /// Absent where the backlog does not know it.
    row: Option<&'a Row>,
    phase: Option<Phase>,
    /// How many of the four steps are reached.
    step: usize,
    round: Option<u32>,
    since: Option<String>,
    goal_since: Option<String>,
}

/// A goal that waits for others.
#[derive(Serialize)]
struct Blocked<'a> {
    #[serde(flatten)]
    row: &'a Row,
    /// What it waits for, with the state of each.
    for_what: Vec<(&'a GoalId, &'static str)>,
}

/// Makes it.
///
/// # Errors
/// As `status`.
pub fn page(session: &Session) -> Result<Page> {
    let status = status::run(session)?;
    let inbox = inbox(session, &status);
    Ok(Page {
        place: "",
        ..Page::new("Inbox", "inbox", inbox)?
    })
}

fn inbox<'a>(session: &Session, status: &'a Outcome) -> Inbox<'a> {
    let rows: BTreeMap<&GoalId, &Row> = status.goals.iter().map(|row| (&row.goal, row)).collect();
    let of = |state: State| {
        status
            .goals
            .iter()
            .filter(move |row| row.state == state && !row.needs_person())
    };
    let is_said = |row: &&Row| status.runs.iter().any(|run| run.at(&row.goal).is_some());
    let blocked = of(State::Blocked).take(MOST).map(|row| Blocked {
        row,
        for_what: row.needs.iter().map(|need| (need, state_of(&rows, need))).collect(),
    });
    let is_new = status.counts.values().sum::<usize>() == 0;
    let setup = match (is_new, status.has_checks) {
        (true, _) => Some(setup::look(session, "git invisigoth add \"what to do\"")),
        (false, false) => Some(setup::look(session, "git invisigoth init")),
        (false, true) => None,
    };
    Inbox {
        needs: status.goals.iter().filter(|row| row.needs_person()).collect(),
        runs: status.runs.iter().map(|run| at_work(run, &rows)).collect(),
        elsewhere: of(State::Running).filter(|row| !is_said(row)).collect(),
        queue: &status.queue,
        blocked: blocked.collect(),
        blocked_more: of(State::Blocked).count().saturating_sub(MOST),
        ready: of(State::Ready).take(MOST).collect(),
        ready_more: of(State::Ready).count().saturating_sub(MOST),
        today: &status.today,
        eta_seconds: &status.eta,
        paused: &status.paused,
        beside: &status.beside,
        has_checks: status.has_checks,
        setup,
    }
}

fn state_of(rows: &BTreeMap<&GoalId, &Row>, need: &GoalId) -> &'static str {
    rows.get(need).map_or("unknown", |row| row.state.word())
}

fn at_work<'a>(run: &'a Doing, rows: &BTreeMap<&GoalId, &'a Row>) -> Run<'a> {
    Run {
        run: &run.run,
        pid: run.pid,
        phase: run.phase,
        since: run.since.map(Moment::rfc3339),
        began: run.began.map(Moment::rfc3339),
        calls: run.calls,
        cost_usd: run.cost_usd,
        goals: run.goals.iter().map(|hand| in_hand(hand, rows)).collect(),
    }
}

fn in_hand<'a>(hand: &'a InHand, rows: &BTreeMap<&GoalId, &'a Row>) -> Hand<'a> {
    Hand {
        goal: &hand.goal,
        row: rows.get(&hand.goal).copied(),
        phase: hand.phase,
        step: match hand.phase {
            Some(Phase::Asking | Phase::Planning) => 1,
            Some(Phase::Applying) => 2,
            Some(Phase::Checking) => 3,
            Some(Phase::Landing) => 4,
            Some(Phase::Waiting | Phase::Idle) | None => 0,
        },
        round: hand.round,
        since: hand.since.map(Moment::rfc3339),
        goal_since: hand.goal_since.map(Moment::rfc3339),
    }
}
