//! `budget`: the caps and what is spent of them; `budget raise`: sets a cap, so that what pauses goes on.

use std::time::Duration;

use eyre::{Result, WrapErr as _};
use serde::Serialize;
use serde_json::Value;

use crate::{
    commands,
    engine::{
        recall::{self, backlog_fault},
        rewrite, run,
        session::Session,
        spending,
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, command},
    id::GoalId,
    money::{
        caps::{self, Scope, What},
        ledger::{self, Ledger, Sum},
    },
    schedule,
    settings::{Budget, Caps},
};

/// What is capped, and what is spent of it.
#[derive(Debug, Serialize)]
pub struct Row {
    /// `run`, `day` or `goal`.
    pub scope: Scope,
    /// The goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// The caps.
    pub caps: Caps,
    /// What is spent; of the newest run for `run`. Calls that were cut count their worst price.
    pub spent: Sum,
    /// Why the goal pauses, if it does.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The caps and what is spent of them.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The run, the day, then open goals that have spent something or have a cap of their own.
    pub rows: Vec<Row>,
    /// The caps on every goal that has none of its own.
    pub each_goal: Caps,
    /// What calls of the last hour took: how fast it is spent.
    pub last_hour: Sum,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.budget/1";
}

/// Shows them. Changes nothing.
///
/// # Errors
/// A fault when the backlog, the settings or the ledger cannot be read.
pub fn run(session: &Session) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let budget = session.settings_at(&repo, Some(target.tip))?.settings.budget;
    let ledger = spending::read(session, &repo).wrap_err("reading the ledger of spending")?;
    let mut rows = Vec::from(whole(session, &budget, &ledger));
    for (id, goal) in known
        .backlog
        .goals()
        .filter(|(id, _)| known.facts.goals.contains_key(id))
    {
        let spent = ledger.goal(id.as_str());
        if spent == Sum::default() && goal.budget_usd.is_none() {
            continue;
        }
        let reason = schedule::state(&known.facts, id).map(|(_, reason)| reason);
        rows.push(Row {
            scope: Scope::Goal,
            goal: Some(id.clone()),
            caps: caps::of_goal(&budget, goal.budget_usd),
            spent,
            reason: reason.filter(|reason| reason.starts_with("paused")).unwrap_or_default(),
        });
    }
    let hour_ago = session.clock.now().before(Duration::from_secs(60 * 60));
    Ok(Outcome {
        rows,
        each_goal: budget.goal,
        last_hour: ledger.since(&hour_ago.rfc3339()),
    })
}

/// Returns the rows of the run and of the day.
pub fn whole(session: &Session, budget: &Budget, ledger: &Ledger) -> [Row; 2] {
    let today = session.clock.now().rfc3339();
    let spent = [ledger.last_run().unwrap_or_default(), ledger.since(ledger::day(&today))];
    let row = |scope: Scope, spent| Row {
        scope,
        goal: None,
        caps: scope.caps(budget),
        spent,
        reason: String::new(),
    };
    let [run, day] = spent;
    [row(Scope::Run, run), row(Scope::Day, day)]
}

/// A cap to set.
#[derive(Clone, PartialEq, Debug)]
pub enum Raise {
    /// `budget_usd` of a goal.
    Goal(GoalId, f64),
    /// Settings of this clone.
    Settings(Scope, Vec<(What, String)>),
}

/// What was set.
#[derive(Debug, Serialize)]
pub struct Raised {
    /// The goal's field, or the setting of `git config`.
    pub name: String,
    /// What it counts.
    pub what: What,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// What it is now.
    pub now: f64,
}

/// What was set.
#[derive(Debug, Serialize)]
pub struct RaiseOutcome {
    /// Each cap.
    pub raised: Vec<Raised>,
}

impl commands::Outcome for RaiseOutcome {
    const SCHEMA: &'static str = "invisigoth.budget/1";
}

/// Sets a cap. A goal that pauses at it is ready again where it is high enough.
///
/// # Errors
/// A fault for an unknown goal, a number that is none, or where backlog or configuration cannot be written.
pub fn raise(session: &Session, raise: Raise) -> Result<RaiseOutcome> {
    let repo = session.repo();
    let raised = match raise {
        Raise::Goal(id, usd) => vec![raise_goal(session, &id, usd)?],
        Raise::Settings(scope, caps) => {
            let target = Target::read(session, &repo)?;
            let budget = session.settings_at(&repo, Some(target.tip))?.settings.budget;
            let set = |(what, number): &(What, String)| set(session, &repo, (scope, *what), number, &budget);
            caps.iter().map(set).collect::<Result<_>>()?
        }
    };
    Ok(RaiseOutcome { raised })
}

fn raise_goal(session: &Session, id: &GoalId, usd: f64) -> Result<Raised> {
    if !usd.is_finite() || usd < 0.0 {
        return Err(Fault::new(Kind::Usage, "a cap in dollars is a number that is not negative").into());
    }
    rewrite::change(session, |found| {
        let known = &found.known;
        let Some(goal) = known.backlog.get(id).filter(|_| known.facts.goals.contains_key(id)) else {
            return Err(run::not_open(&known.facts, id).into());
        };
        let backlog = known.backlog.set(id, "budget_usd", &Value::from(usd));
        let raised = Raised {
            name: format!("budget_usd of {id}"),
            what: What::Usd,
            before: goal.budget_usd,
            now: usd,
        };
        Ok((backlog.map_err(|error| backlog_fault(&error))?, raised))
    })
}

fn set(session: &Session, repo: &Repo, (scope, what): (Scope, What), number: &str, budget: &Budget) -> Result<Raised> {
    let now: f64 = number.trim().parse().unwrap_or(f64::NAN);
    let fits = now.is_finite() && now >= 0.0 && (what == What::Usd || number.trim().parse::<u32>().is_ok());
    if !fits {
        return Err(Fault::new(Kind::Usage, format!("`{number}` is no cap on {}", what.word())).into());
    }
    let key = scope.key(what);
    command::stdout(&session.env, repo.common_dir(), &["config", &key, number.trim()])?;
    Ok(Raised {
        name: key,
        what,
        before: what.cap(&scope.caps(budget)),
        now,
    })
}
