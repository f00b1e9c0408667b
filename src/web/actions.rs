//! Actions: everything that can be done over the site, in one table: what each takes, whether a person is asked first, and the
//! command that does it. Forms, the API and its description are made of this table.

use std::str::FromStr as _;

use eyre::Result;
use serde::Serialize;
use serde_json::Value;

use crate::{
    commands::{
        Document, Outcome, add, approve, budget, comment, drop, edit, hold, pause, reject, release, resume, retry,
        run::start::{self, What},
        stop,
    },
    engine::{runs::By, session::Session, steering::Steered},
    fault::{Fault, Kind},
    goal::Decision,
    id::GoalId,
    money::caps,
    web::{given::Given, remarks},
};

/// What a field takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    /// The id of a goal.
    Goal,
    /// The ids of one or more goals.
    Goals,
    /// A line.
    Line,
    /// Text of several lines.
    Text,
    /// A text on each line.
    Lines,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// What nobody types.
    Hidden,
}

/// What an action takes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// True where it must be there.
    pub needed: bool,
    /// What it is, for people.
    pub about: &'static str,
}

/// Something that can be done.
#[derive(Clone, Copy)]
pub struct Action {
    /// Its name, that of the command.
    pub verb: &'static str,
    /// What a button says.
    pub word: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// True where a page is shown before it is done.
    pub asks: bool,
    /// True where it takes something away.
    pub takes_away: bool,
    /// What it takes.
    pub fields: &'static [Field],
    /// The schema of what it answers.
    pub schema: &'static str,
    run: fn(&Session, &Given) -> Result<Done>,
}

/// What was done.
#[derive(Debug)]
pub struct Done {
    /// The command's document.
    pub document: Value,
    /// What to tell a person.
    pub said: Said,
}

/// What is said to a person.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Said {
    /// True where it was not done.
    pub is_fault: bool,
    /// A line.
    pub text: String,
    /// What to do about it, or what else there is to say, a line each.
    pub more: Vec<String>,
}

const fn needed(name: &'static str, takes: Takes, about: &'static str) -> Field {
    Field {
        name,
        takes,
        needed: true,
        about,
    }
}

const fn maybe(name: &'static str, takes: Takes, about: &'static str) -> Field {
    Field {
        name,
        takes,
        needed: false,
        about,
    }
}

const GOALS: Field = needed("id", Takes::Goals, "The goal");
const GOALS_OR_ALL: Field = maybe("id", Takes::Goals, "Only this goal");
const GOAL: Field = needed("id", Takes::Goal, "The goal");
const CASCADE: Field = maybe("cascade", Takes::Flag, "Also the goals that need it");
const WHY: Field = maybe("why", Takes::Line, "Why");

const fn action(
    verb: &'static str,
    (word, about): (&'static str, &'static str),
    schema: &'static str,
    run: fn(&Session, &Given) -> Result<Done>,
) -> Action {
    Action {
        verb,
        word,
        about,
        asks: false,
        takes_away: false,
        fields: &[],
        schema,
        run,
    }
}

impl Action {
    const fn with(self, fields: &'static [Field]) -> Self {
        Self { fields, ..self }
    }

    const fn asking(self) -> Self {
        Self { asks: true, ..self }
    }

    const fn taking_away(self) -> Self {
        Self {
            asks: true,
            takes_away: true,
            ..self
        }
    }
}

/// Every action.
pub const ALL: &[Action] = &[
    action(
        "add",
        ("Add", "Adds a goal to the backlog."),
        add::Outcome::SCHEMA,
        run_add,
    )
    .asking()
    .with(&[
        needed("description", Takes::Line, "What is to be done, in one line"),
        maybe(
            "prompt",
            Takes::Text,
            "What the model is asked; the line above where empty",
        ),
        maybe(
            "files",
            Takes::Lines,
            "Files that it is about, the main one first, one a line",
        ),
        maybe("needs", Takes::Lines, "Goals that must land before, one a line"),
        maybe("accept", Takes::Lines, "What must be true afterwards, one a line"),
        maybe("priority", Takes::Number, "Priority: higher goes first"),
    ]),
    action(
        "edit",
        ("Edit", "Changes what a goal asks."),
        edit::Outcome::SCHEMA,
        run_edit,
    )
    .asking()
    .with(&[
        GOAL,
        needed("text", Takes::Text, "The goal, as TOML"),
        maybe(
            "version",
            Takes::Hidden,
            "The state of the goal that the text was made of",
        ),
    ]),
    action(
        "approve",
        ("Approve", "Agrees to a proposed goal."),
        approve::Outcome::SCHEMA,
        run_approve,
    )
    .with(&[GOALS]),
    action(
        "reject",
        ("Reject", "Says no to a goal, for a reason that the planner is told."),
        reject::Outcome::SCHEMA,
        run_reject,
    )
    .taking_away()
    .with(&[GOALS, needed("why", Takes::Line, "Why")]),
    action(
        "hold",
        ("Hold", "Lets a goal wait until it is released."),
        hold::Outcome::SCHEMA,
        run_hold,
    )
    .with(&[GOALS, WHY]),
    action(
        "release",
        ("Release", "Lets a goal that was held be done."),
        release::Outcome::SCHEMA,
        run_release,
    )
    .with(&[GOALS]),
    action(
        "comment",
        ("Comment", "Says something about a goal to whoever works at it next."),
        comment::Outcome::SCHEMA,
        remarks::run,
    )
    .asking()
    .with(remarks::FIELDS),
    action(
        "drop",
        ("Drop", "Takes a goal out of the backlog, with its candidate."),
        drop::Outcome::SCHEMA,
        run_drop,
    )
    .taking_away()
    .with(&[GOALS, CASCADE]),
    action(
        "retry",
        ("Retry", "Lets a goal that failed be tried again as it is."),
        retry::Outcome::SCHEMA,
        run_retry,
    )
    .with(&[GOALS_OR_ALL, maybe("all", Takes::Flag, "Every goal that has failed")]),
    action(
        "raise",
        (
            "Raise cap",
            "Sets a cap on spending: of a goal, or of this clone's settings.",
        ),
        budget::RaiseOutcome::SCHEMA,
        run_raise,
    )
    .asking()
    .with(&[
        maybe("id", Takes::Goal, "The goal"),
        maybe("scope", Takes::Line, "Without a goal: run, day or goal"),
        maybe("usd", Takes::Number, "Most dollars"),
        maybe("calls", Takes::Number, "Most model calls"),
        maybe("tokens", Takes::Number, "Most tokens"),
        maybe("minutes", Takes::Number, "Most minutes"),
    ]),
    action(
        "pause",
        (
            "Pause",
            "Begins nothing new until it is resumed; what is under way ends first.",
        ),
        pause::Outcome::SCHEMA,
        run_pause,
    )
    .with(&[WHY]),
    action(
        "resume",
        ("Resume", "Takes a pause back."),
        resume::Outcome::SCHEMA,
        run_resume,
    ),
    action(
        "run",
        ("Run", "Starts a run in the background; it outlives browser and server."),
        start::Outcome::SCHEMA,
        run_run,
    )
    .with(&[GOALS_OR_ALL, maybe("plan", Takes::Flag, "Plan when nothing is ready")]),
    action(
        "plan",
        ("Plan", "Has a model propose goals, in the background."),
        start::Outcome::SCHEMA,
        run_plan,
    )
    .asking()
    .with(&[
        maybe("brief", Takes::Text, "What they shall be about"),
        maybe("count", Takes::Number, "How many"),
    ]),
    action(
        "merge",
        (
            "Merge",
            "Lands candidates whose checks pass on the merged code; one that is named is approved by that.",
        ),
        start::Outcome::SCHEMA,
        run_merge,
    )
    .with(&[GOALS_OR_ALL]),
    action(
        "stop",
        (
            "Stop",
            "Has runs of this clone stop, as Ctrl-C does: what is under way ends, nothing new begins.",
        ),
        stop::Outcome::SCHEMA,
        run_stop,
    )
    .taking_away()
    .with(&[maybe("run", Takes::Hidden, "Only this run")]),
    action(
        "undo",
        (
            "Undo",
            "Takes the code of a landed goal out again, checked like any landing; the goal comes back as held.",
        ),
        start::Outcome::SCHEMA,
        run_undo,
    )
    .taking_away()
    .with(&[GOALS, CASCADE, WHY]),
];

/// Finds an action by its name.
pub fn find(verb: &str) -> Option<&'static Action> {
    ALL.iter().find(|action| action.verb == verb)
}

impl Action {
    /// True where a value of JSON is what the field takes, so that nobody is misunderstood: a list of nobody is not all of them.
    pub fn fits(&self, name: &str, value: &Value) -> bool {
        let Some(field) = self.fields.iter().find(|field| field.name == name) else {
            return true;
        };
        let is_word = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
        let is_list = || {
            value
                .as_array()
                .is_some_and(|all| !all.is_empty() && all.iter().all(is_word))
        };
        match field.takes {
            Takes::Goal => is_word(value),
            Takes::Goals => is_word(value) || is_list(),
            Takes::Lines => value.is_string() || value.as_array().is_some_and(|all| all.iter().all(is_word)),
            Takes::Line | Takes::Text | Takes::Hidden => value.is_string(),
            Takes::Number => value.is_number(),
            Takes::Flag => value.is_boolean(),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// A fault for a field that is not known, missing or wrong, and those of the command.
    pub fn act(&self, session: &Session, given: &Given) -> Result<Done> {
        let known: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
        if let Some(name) = given.unknown(&known) {
            let fault = Fault::new(Kind::Usage, format!("`{}` takes no `{name}`", self.verb));
            return Err(fault.hint(format!("it takes {}", known.join(", "))).into());
        }
        if given.holds_nul() {
            return Err(Fault::new(Kind::Usage, "no text holds a NUL").into());
        }
        let missing = self
            .fields
            .iter()
            .find(|field| field.needed && given.one(field.name).is_none());
        if let Some(field) = missing {
            let about = field.about.to_lowercase();
            return Err(Fault::new(Kind::Usage, format!("`{}` is empty: {about}", field.name)).into());
        }
        (self.run)(session, given)
    }
}

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
    let how = match outcome.code {
        None => "works in the background",
        Some(_) => "has ended",
    };
    let mut done = done(&outcome, format!("`{}` {how}", outcome.command))?;
    done.said.more.clone_from(&outcome.said);
    Ok(done)
}

fn run_add(session: &Session, given: &Given) -> Result<Done> {
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

fn run_edit(session: &Session, given: &Given) -> Result<Done> {
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

fn run_approve(session: &Session, given: &Given) -> Result<Done> {
    let outcome = approve::run(session, &ids(given)?)?;
    steered(&outcome, &outcome.goals)
}

fn run_reject(session: &Session, given: &Given) -> Result<Done> {
    let why = owned(given, "why").unwrap_or_default();
    let outcome = reject::run(session, &reject::Request { ids: ids(given)?, why })?;
    steered(&outcome, &outcome.goals)
}

fn run_hold(session: &Session, given: &Given) -> Result<Done> {
    let why = owned(given, "why");
    let outcome = hold::run(session, &hold::Request { ids: ids(given)?, why })?;
    steered(&outcome, &outcome.goals)
}

fn run_release(session: &Session, given: &Given) -> Result<Done> {
    let outcome = release::run(session, &ids(given)?)?;
    steered(&outcome, &outcome.goals)
}

fn run_drop(session: &Session, given: &Given) -> Result<Done> {
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

fn run_retry(session: &Session, given: &Given) -> Result<Done> {
    let ids = ids(given)?;
    if ids.is_empty() && !given.is("all")? {
        return Err(Fault::new(Kind::Usage, "neither a goal is named nor `all` asked for").into());
    }
    let outcome = retry::run(session, &retry::Request { ids })?;
    steered(&outcome, &outcome.goals)
}

fn run_raise(session: &Session, given: &Given) -> Result<Done> {
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

fn run_pause(session: &Session, given: &Given) -> Result<Done> {
    let outcome = pause::run(
        session,
        &pause::Request {
            why: owned(given, "why"),
        },
    )?;
    done(&outcome, "paused: nothing new begins".to_owned())
}

fn run_resume(session: &Session, _: &Given) -> Result<Done> {
    let outcome = resume::run(session)?;
    let text = if outcome.was.is_some() {
        "resumed"
    } else {
        "nothing was paused"
    };
    done(&outcome, text.to_owned())
}

fn run_run(session: &Session, given: &Given) -> Result<Done> {
    let (ids, plan) = (ids(given)?, given.is("plan")?);
    if plan && !ids.is_empty() {
        return Err(Fault::new(Kind::Usage, "a run that plans takes every goal").into());
    }
    started(session, &What::Run { ids, plan })
}

fn run_plan(session: &Session, given: &Given) -> Result<Done> {
    let (brief, count) = (owned(given, "brief"), given.number("count")?);
    started(session, &What::Plan { brief, count })
}

fn run_merge(session: &Session, given: &Given) -> Result<Done> {
    started(session, &What::Merge { ids: ids(given)? })
}

fn run_stop(session: &Session, given: &Given) -> Result<Done> {
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

fn run_undo(session: &Session, given: &Given) -> Result<Done> {
    let (ids, cascade, why) = (ids(given)?, given.is("cascade")?, owned(given, "why"));
    started(session, &What::Undo { ids, cascade, why })
}
