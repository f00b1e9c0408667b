//! Doing: from what was given to a request of the command, and from its outcome to words. One function for each action.

use std::str::FromStr as _;

use eyre::Result;

use crate::{
    commands::{
        Document, Outcome, add, approve, budget, drop, edit, hold, pause, reject, release, resume, retry,
        run::start::{self, What},
        stop,
    },
    engine::{runs::By, session::Session, steering::Steered},
    fault::{Fault, Kind},
    goal::Decision,
    id::GoalId,
    money::caps,
    web::{
        actions::{Done, Said},
        given::Given,
    },
};

fn ids(given: &Given) -> Result<Vec<GoalId>> {
    given.many("id").iter().map(|text| id(text)).collect()
}

/// Reads the only goal that is named.
///
/// # Errors
/// A fault for what is no id.
pub fn the_id(given: &Given) -> Result<GoalId> {
    id(given.one("id").unwrap_or_default())
}

fn id(text: &str) -> Result<GoalId> {
    GoalId::from_str(text).map_err(|bad| Fault::new(Kind::Usage, bad.to_string()).into())
}

/// Returns a field, if it is there.
pub fn owned(given: &Given, name: &str) -> Option<String> {
    given.one(name).map(str::to_owned)
}

/// Says what was done.
///
/// # Errors
/// Where `outcome` does not serialise.
pub fn done<O: Outcome>(outcome: &O, text: String) -> Result<Done> {
    Ok(Done {
        document: serde_json::to_value(Document::of(outcome))?,
        said: Said {
            text,
            ..Said::default()
        },
    })
}

fn steered<O: Outcome>(outcome: &O, goals: &[Steered]) -> Result<Done> {
    let each = goals.iter().map(|goal| match goal.reason.as_str() {
        "" => format!("{} is {}", goal.goal, goal.state.word()),
        why => format!("{} is {}: {why}", goal.goal, goal.state.word()),
    });
    done(outcome, each.collect::<Vec<_>>().join("; "))
}

fn started(session: &Session, what: &What) -> Result<Done> {
    let outcome = start::run(session, what, By::Dashboard)?;
    let meaning = |code: i32| Kind::ALL.into_iter().find(|kind| i32::from(kind.exit_code()) == code);
    let how = match outcome.code.map(meaning) {
        None => "works in the background".to_owned(),
        Some(None) => "has ended".to_owned(),
        Some(Some(kind)) => format!("has ended: {}", kind.meaning()),
    };
    let mut done = done(&outcome, format!("`{}` {how}", outcome.command))?;
    done.said.more.clone_from(&outcome.said);
    Ok(done)
}

/// Does `add`.
pub(super) fn add(session: &Session, given: &Given) -> Result<Done> {
    let outcome = add::run(
        session,
        add::Request {
            description: owned(given, "description").unwrap_or_default(),
            files: given.many("files"),
            prompt: owned(given, "prompt"),
            needs: given.many("needs"),
            accept: given.many("accept"),
            id: None,
            priority: given.number("priority")?.unwrap_or(0),
            status: Decision::Pending,
            created_by: Some(By::Dashboard.word().to_owned()),
        },
    )?;
    done(&outcome, format!("{} is in the backlog", outcome.id))
}

/// Does `edit`.
pub(super) fn edit(session: &Session, given: &Given) -> Result<Done> {
    let request = edit::Request {
        id: the_id(given)?,
        text: given.exact("text").unwrap_or_default().to_owned(),
        version: owned(given, "version"),
    };
    let outcome = edit::write(session, &request)?;
    let changed = match outcome.changed.as_slice() {
        [] => "nothing was changed".to_owned(),
        keys => format!("{} changed", keys.join(", ")),
    };
    done(&outcome, format!("{}: {changed}", outcome.goal.goal))
}

/// Does `approve`.
pub(super) fn approve(session: &Session, given: &Given) -> Result<Done> {
    let outcome = approve::run(session, &ids(given)?)?;
    steered(&outcome, &outcome.goals)
}

/// Does `reject`.
pub(super) fn reject(session: &Session, given: &Given) -> Result<Done> {
    let why = owned(given, "why").unwrap_or_default();
    let outcome = reject::run(session, &reject::Request { ids: ids(given)?, why })?;
    steered(&outcome, &outcome.goals)
}

/// Does `hold`.
pub(super) fn hold(session: &Session, given: &Given) -> Result<Done> {
    let why = owned(given, "why");
    let outcome = hold::run(session, &hold::Request { ids: ids(given)?, why })?;
    steered(&outcome, &outcome.goals)
}

/// Does `release`.
pub(super) fn release(session: &Session, given: &Given) -> Result<Done> {
    let outcome = release::run(session, &ids(given)?)?;
    steered(&outcome, &outcome.goals)
}

/// Does `drop`.
pub(super) fn drop(session: &Session, given: &Given) -> Result<Done> {
    let cascade = given.is("cascade")?;
    let outcome = drop::run(
        session,
        &drop::Request {
            ids: ids(given)?,
            cascade,
        },
    )?;
    let gone: Vec<&str> = outcome.goals.iter().map(|row| row.goal.as_str()).collect();
    done(&outcome, format!("{} dropped", gone.join(", ")))
}

/// Does `retry`.
pub(super) fn retry(session: &Session, given: &Given) -> Result<Done> {
    let ids = ids(given)?;
    if ids.is_empty() && !given.is("all")? {
        return Err(Fault::new(Kind::Usage, "neither a goal is named nor `all` asked for").into());
    }
    let outcome = retry::run(session, &retry::Request { ids })?;
    steered(&outcome, &outcome.goals)
}

/// Does `raise`.
pub(super) fn raise(session: &Session, given: &Given) -> Result<Done> {
    let caps = caps::What::ALL
        .into_iter()
        .filter_map(|what| Some((what, owned(given, what.word())?)));
    let caps: Vec<(caps::What, String)> = caps.collect();
    let unclear = |why: &str| Fault::new(Kind::Usage, why.to_owned());
    let raise = match (given.one("id"), given.one("scope")) {
        (Some(_), Some(_)) => return Err(unclear("either a goal or a scope is named").into()),
        (Some(text), None) => {
            let usd = given
                .number("usd")?
                .ok_or_else(|| unclear("`usd` is empty: most dollars"))?;
            if caps.len() > 1 {
                return Err(unclear("a goal has a cap on dollars alone").into());
            }
            budget::Raise::Goal(id(text)?, usd)
        }
        (None, scope) => {
            let scope = match scope {
                Some("run") => caps::Scope::Run,
                Some("day") => caps::Scope::Day,
                Some("goal") => caps::Scope::Goal,
                _ => return Err(unclear("a goal is named, or one of the scopes run, day, goal").into()),
            };
            if caps.is_empty() {
                return Err(unclear("no cap is named").into());
            }
            budget::Raise::Settings(scope, caps)
        }
    };
    let outcome = budget::raise(session, raise)?;
    let each = outcome
        .raised
        .iter()
        .map(|raised| format!("{} is {}", raised.name, raised.now));
    let text = each.collect::<Vec<_>>().join("; ");
    done(&outcome, text)
}

/// Does `pause`.
pub(super) fn pause(session: &Session, given: &Given) -> Result<Done> {
    let outcome = pause::run(
        session,
        &pause::Request {
            why: owned(given, "why"),
        },
    )?;
    done(&outcome, "paused: nothing new begins".to_owned())
}

/// Does `resume`.
pub(super) fn resume(session: &Session, _: &Given) -> Result<Done> {
    let outcome = resume::run(session)?;
    let text = if outcome.was.is_some() {
        "resumed"
    } else {
        "nothing was paused"
    };
    done(&outcome, text.to_owned())
}

/// Does `run`.
pub(super) fn run(session: &Session, given: &Given) -> Result<Done> {
    let (ids, plan) = (ids(given)?, given.is("plan")?);
    if plan && !ids.is_empty() {
        return Err(Fault::new(Kind::Usage, "a run that plans takes every goal").into());
    }
    started(session, &What::Run { ids, plan })
}

/// Does `plan`.
pub(super) fn plan(session: &Session, given: &Given) -> Result<Done> {
    let (brief, count) = (owned(given, "brief"), given.number("count")?);
    started(session, &What::Plan { brief, count })
}

/// Does `merge`.
pub(super) fn merge(session: &Session, given: &Given) -> Result<Done> {
    started(session, &What::Merge { ids: ids(given)? })
}

/// Does `stop`.
pub(super) fn stop(session: &Session, given: &Given) -> Result<Done> {
    let outcome = stop::run(
        session,
        &stop::Request {
            run: owned(given, "run"),
        },
    )?;
    let count = outcome.runs.len();
    let each = outcome
        .runs
        .iter()
        .map(|doing| doing.pid.to_string())
        .collect::<Vec<_>>();
    let word = if count == 1 { "process" } else { "processes" };
    done(
        &outcome,
        format!("{word} {} will stop when what is under way has ended", each.join(", ")),
    )
}

/// Does `undo`.
pub(super) fn undo(session: &Session, given: &Given) -> Result<Done> {
    let (ids, cascade, why) = (ids(given)?, given.is("cascade")?, owned(given, "why"));
    started(session, &What::Undo { ids, cascade, why })
}
