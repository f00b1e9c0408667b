//! `status`: every open goal's state and why, what a live run does, what landed and was spent today, and whether results
//! wait beside the branch. Below it `today`, `queue`, `graph` (what needs what), and `watched`: what tells cheaply that
//! something may have changed.

pub mod graph;
pub mod queue;
pub mod today;
pub mod watched;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands::{
        self, budget,
        status::{queue::Queue, today::Today},
    },
    engine::{
        durations,
        live::{self, Doing},
        orders::{self, Paused},
        recall::{self, Recalled},
        report,
        session::Session,
        spending, stored,
        target::Target,
    },
    facts::Facts,
    git::{Repo, history},
    id::{CommitId, GoalId},
    money::ledger::Ledger,
    schedule::{self, State},
    settings::{Budget, Caps},
    time::{Moment, eta::Eta},
};

/// One goal.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its state.
    pub state: State,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Its first line.
    pub description: String,
    /// Keys that two sides set to different values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflict: Vec<String>,
    /// What it needs that has not landed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<GoalId>,
    /// Its place in the order in which ready goals run, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// How many open goals name it among what they need.
    #[serde(skip_serializing_if = "commands::is_zero")]
    pub unblocks: usize,
    /// The command that settles it, where a person is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How much longer a run works at it, by goals that landed; absent where too few did.
    #[serde(rename = "eta_seconds", skip_serializing_if = "Option::is_none")]
    pub eta: Option<Eta>,
    /// Where a person is needed, since when, RFC 3339 UTC: when its candidate was made, its newest attempt began, or it was
    /// added, whatever came last. Absent where nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

impl Row {
    /// True where it stands still until a person does something. What waits for another goal does not.
    pub fn needs_person(&self) -> bool {
        self.next.is_some() || !self.conflict.is_empty() || self.is_capped()
    }

    /// True where a cap on its spending keeps it from going on.
    pub fn is_capped(&self) -> bool {
        self.state == State::Blocked && self.reason.starts_with("paused")
    }
}

/// What stands where.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The branch that goals land on.
    pub target: String,
    /// What is built upon.
    pub tip: CommitId,
    /// How many goals are in each state.
    pub counts: BTreeMap<&'static str, usize>,
    /// Open goals that are not merely ready or blocked first; then those, in the order in which they would run.
    pub goals: Vec<Row>,
    /// Why results wait beside the branch, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// What is spent of the caps on a run and a day, where there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<budget::Row>,
    /// What landed and was spent today.
    pub today: Today,
    /// The order to pause, if it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// What live processes do here, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Doing>,
    /// How much longer all that the live runs have ahead of them takes; absent where too few goals landed to tell.
    #[serde(rename = "eta_seconds", skip_serializing_if = "Option::is_none")]
    pub eta: Option<Eta>,
    /// How long goals took that landed lately, the shortest first.
    #[serde(skip)]
    pub past: Vec<Duration>,
    /// What waits to land.
    pub queue: Queue,
    /// Whether there is anything that tells right from wrong; nothing runs without.
    #[serde(skip)]
    pub has_checks: bool,
    /// When this was read: what ages are counted from.
    #[serde(skip)]
    pub at: Moment,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.status/1";
}

/// Reads the state of every open goal. Changes nothing.
///
/// # Errors
/// A fault when the backlog or the repository cannot be read.
pub fn run(session: &Session) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let runs = live::read(session, &repo)?;
    let mut goals = rows(&known.facts, &runs);
    for row in goals.iter_mut().filter(|row| row.needs_person()) {
        row.since = since(&repo, &known, row)?;
    }
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    counts.insert(State::Landed.word(), known.facts.landed.len());
    for row in &goals {
        *counts.entry(row.state.word()).or_default() += 1;
    }
    let ledger = spending::read(session, &repo).wrap_err("reading the ledger of spending")?;
    let settings = session.settings_at(&repo, Some(target.tip))?.settings;
    let at = session.clock.now();
    let past = match runs.is_empty() {
        true => Vec::new(),
        false => durations::read(&repo, target.tip)?.landed,
    };
    let mut outcome = Outcome {
        counts,
        goals,
        beside: target.beside(session, &repo)?,
        budget: capped(session, &settings.budget, &ledger),
        has_checks: !(settings.check.lint.is_empty() && settings.check.test.is_empty()),
        today: today::read(&repo, target.tip, (&known.facts.landed, &ledger), at)?,
        paused: orders::paused(session, &repo),
        queue: queue::read(session, &repo, (&target, &known), &runs)?,
        runs,
        eta: None,
        past,
        target: target.branch,
        tip: target.tip,
        at,
    };
    outcome.tell_at(at);
    Ok(outcome)
}

impl Outcome {
    /// Counts ages, and how much longer things take, from `now` on.
    pub fn tell_at(&mut self, now: Moment) {
        self.at = now;
        for row in self.goals.iter_mut().filter(|row| row.state == State::Running) {
            let hand = self.runs.iter().find_map(|run| run.at(&row.goal));
            row.eta = hand.and_then(|hand| hand.left(&self.past, now));
        }
        let left = self.runs.iter().filter_map(|run| run.ends?.left(now));
        self.eta = left.max_by_key(|eta| (eta.most, eta.least));
    }

    /// Forgets how much longer things take: it differs by the second, although nothing changed.
    pub fn without_eta(&mut self) {
        self.eta = None;
        self.goals.iter_mut().for_each(|row| row.eta = None);
    }
}

fn rows(facts: &Facts, runs: &[Doing]) -> Vec<Row> {
    let ready = schedule::ready(facts, &[]).into_iter().zip(1..);
    let positions: HashMap<&GoalId, usize> = ready.collect();
    let mut needed: HashMap<&GoalId, usize> = HashMap::new();
    for open in facts.goals.values() {
        let needs: BTreeSet<&GoalId> = open.needs.iter().collect();
        needs.into_iter().for_each(|need| *needed.entry(need).or_default() += 1);
    }
    let mut rows = Vec::with_capacity(facts.goals.len());
    for (id, open) in &facts.goals {
        let Some((state, mut reason)) = schedule::state(facts, id) else {
            continue;
        };
        let hand = runs.iter().find_map(|run| run.at(id));
        if let Some(hand) = hand.filter(|_| state == State::Running) {
            reason = hand.words();
        }
        let needs = open.needs.iter().filter(|need| !facts.landed.contains(*need));
        rows.push(Row {
            goal: id.clone(),
            state,
            reason,
            description: open.description.clone(),
            conflict: open.conflict.clone(),
            needs: needs.cloned().collect(),
            position: positions.get(id).copied(),
            unblocks: needed.get(id).copied().unwrap_or(0),
            next: report::next(state, open.decision, id),
            eta: None,
            since: None,
        });
    }
    rows.sort_by(|a, b| (a.state.place(), a.position, &a.goal).cmp(&(b.state.place(), b.position, &b.goal)));
    rows
}

fn since(repo: &Repo, known: &Recalled, row: &Row) -> Result<Option<String>> {
    let facts = &known.facts;
    let added = known.backlog.get(&row.goal).and_then(|goal| goal.created_at);
    let candidate = facts.candidates.get(&row.goal).filter(|one| !one.outdated);
    let made = candidate.map(|one| history::entry(repo, one.commit)).transpose()?;
    let attempt = facts.attempts.get(&row.goal).filter(|one| !one.outdated);
    let began = attempt
        .map(|one| stored::read(repo, &row.goal, one.number))
        .transpose()?;
    let times = [
        added.as_deref().and_then(Moment::from_rfc3339),
        made.map(|made| made.at),
        began
            .flatten()
            .and_then(|began| Moment::from_rfc3339(&began.started_at)),
    ];
    Ok(times.into_iter().flatten().max().map(Moment::rfc3339))
}

fn capped(session: &Session, caps: &Budget, ledger: &Ledger) -> Vec<budget::Row> {
    if (caps.run, caps.day) == (Caps::default(), Caps::default()) {
        return Vec::new();
    }
    let rows = budget::whole(session, caps, ledger);
    rows.into_iter().filter(|row| row.caps != Caps::default()).collect()
}
