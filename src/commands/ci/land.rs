//! `ci land`: lands all there is, what a remote has included; or, where the host lands, opens pull requests and settles.
//!
//! Level-triggered: it does not matter who calls it how often, or which of several calls is dropped.

use eyre::Result;
use serde::Serialize;

use crate::{
    ci::actions::table,
    commands::{self, ci::summarise, merge, sync},
    engine::{
        bringing::{self, Brought},
        host::{self, Proposed},
        run::GoalResult,
        session::Session,
        settle,
        target::Target,
        worker::Worker,
    },
    fault::{Fault, Kind},
    goal::Decision,
    id::GoalId,
    schedule::{self, State},
    settings::Via,
};

/// From where.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Bring what other clones made from here first.
    pub remote: Option<String>,
}

/// A candidate that did not get to the host.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// The goal.
    pub goal: GoalId,
    /// Why.
    pub why: String,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// Candidates that the remote had and this clone had not.
    pub brought: usize,
    /// Candidates of which the remote has another one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differ: Vec<String>,
    /// Each candidate that landed or did not, in order.
    pub goals: Vec<GoalResult>,
    /// Candidates that wait for a person.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<GoalId>,
    /// Candidates that wait at the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proposed: Vec<Proposed>,
    /// Candidates that did not get there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// Goals that the host, or people, landed since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<GoalId>,
    /// Why results wait beside the branch, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.ci-land/1";

    fn kind(&self) -> Option<Kind> {
        let is_unfinished = |result: &GoalResult| merge::is_unfinished(result.state);
        (self.goals.iter().any(is_unfinished) || !self.refused.is_empty()).then_some(Kind::Unfinished)
    }
}

/// Lands, or proposes.
///
/// # Errors
/// A fault where the remote cannot be read, another process is at work here, or the target is red.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let brought = match &request.remote {
        Some(remote) => bringing::bring(session, &session.repo(), remote)?,
        None => Brought::default(),
    };
    let mut outcome = match via(session)? {
        Via::Invisigoth => {
            let merged = merge::run(session, &merge::Request::default())?;
            Outcome {
                goals: merged.goals,
                held: merged.held,
                beside: merged.beside,
                ..Outcome::default()
            }
        }
        Via::Host => at_host(session)?,
    };
    if let Some(remote) = &request.remote {
        share(session, remote, &mut outcome)?;
    }
    outcome.brought = brought.candidates.len();
    outcome.differ = brought.differ;
    summarise(session, &summary(&outcome))?;
    Ok(outcome)
}

fn via(session: &Session) -> Result<Via> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    Ok(session.settings_at(&repo, Some(target.tip))?.settings.land.via)
}

/// Makes target, records and attempts of the remote those of this clone, then takes the landed branches away there.
fn share(session: &Session, remote: &str, outcome: &mut Outcome) -> Result<()> {
    let request = sync::Request {
        remote: Some(remote.to_owned()),
        attempts: true,
    };
    let synced = match sync::run(session, request) {
        Ok(synced) => synced,
        // A host that lands lets nobody else: what was settled here is computed from its commits anywhere.
        Err(error) => match error.downcast::<Fault>()? {
            fault if fault.kind == Kind::Person && outcome.goals.is_empty() => {
                session.say(fault.message);
                return Ok(());
            }
            fault => return Err(fault.into()),
        },
    };
    // On what the remote had meanwhile they land anew, and one may not fit any more.
    for again in synced.again {
        let found = outcome.goals.iter_mut().find(|result| result.goal == again.goal);
        if let (Some(result), Some(why)) = (found, again.refused) {
            (result.state, result.reason) = (State::Failed, why);
        }
    }
    outcome.beside = synced.beside;
    let landed = outcome.goals.iter().filter(|result| result.state == State::Landed);
    let landed: Vec<GoalId> = landed.map(|result| result.goal.clone()).collect();
    match synced.commit {
        Some(tip) => bringing::forget(session, &session.repo(), (remote, tip), &landed),
        None => Ok(()),
    }
}

/// Settles what the host merged, and proposes what waits.
fn at_host(session: &Session) -> Result<Outcome> {
    let mut worker = Worker::open(session)?;
    worker.begin()?;
    let settled = settle::settle(&mut worker)?;
    let mut outcome = Outcome {
        settled: settled.landed.into_iter().map(|(goal, _)| goal).collect(),
        ..Outcome::default()
    };
    let facts = &worker.facts;
    let waits = |id: &GoalId| {
        let open = facts.goals.get(id);
        open.is_some_and(|open| open.decision == Decision::Pending && schedule::is_met(facts, open))
    };
    let waiting = facts
        .candidates
        .iter()
        .filter(|(id, known)| !known.outdated && waits(id));
    for (id, known) in waiting {
        match host::offer(&worker, id, known.commit)? {
            Ok(proposed) => outcome.proposed.push(proposed),
            Err(fault) => outcome.refused.push(Refused {
                goal: id.clone(),
                why: fault.message,
            }),
        }
    }
    outcome.beside = worker.follow()?;
    Ok(outcome)
}

fn summary(outcome: &Outcome) -> String {
    let landed = outcome.goals.iter().map(|result| {
        let why = if result.reason.is_empty() {
            &result.description
        } else {
            &result.reason
        };
        [result.goal.to_string(), result.state.to_string(), why.clone()]
    });
    let proposed = outcome
        .proposed
        .iter()
        .map(|proposed| [proposed.goal.to_string(), "proposed".to_owned(), proposed.words()]);
    let refused = outcome
        .refused
        .iter()
        .map(|refused| [refused.goal.to_string(), "refused".to_owned(), refused.why.clone()]);
    let settled = outcome
        .settled
        .iter()
        .map(|goal| [goal.to_string(), "settled".to_owned(), "landed at the host".to_owned()]);
    let rows: Vec<Vec<String>> = settled
        .chain(landed)
        .chain(proposed)
        .chain(refused)
        .map(Vec::from)
        .collect();
    if rows.is_empty() {
        return "### No candidate waits\n".to_owned();
    }
    format!("### Landing\n\n{}", table(&["goal", "state", ""], &rows))
}
