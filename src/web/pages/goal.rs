//! One goal: why it is as it is, what happened, what was tried; and its prompt and its note. What its checks print is `log`,
//! what it changes `diff`.

use std::str::FromStr as _;

use eyre::Result;
use serde::Serialize;
use serde_json::Value;

use crate::{
    backlog::remark::Place,
    commands::{
        prompt,
        show::{self, Outcome},
    },
    engine::session::Session,
    fault::{Fault, Kind},
    id::GoalId,
    schedule::State,
    transcript::Role,
    web::pages::{Asked, Page},
};

/// What stands above each page of a goal.
#[derive(Debug, Serialize)]
pub struct Head {
    /// Its id.
    pub id: GoalId,
    /// Its state.
    pub state: State,
    /// Why.
    pub reason: String,
    /// Its first line.
    pub description: String,
    /// The page that is on.
    pub tab: &'static str,
    /// What can be done with one press: the command and the word.
    pub acts: Vec<(&'static str, &'static str)>,
    /// What is asked about first.
    pub asks: Vec<(&'static str, &'static str)>,
}

/// Reads which goal an address means.
///
/// # Errors
/// A fault for what is no id.
pub fn id(text: &str) -> Result<GoalId> {
    GoalId::from_str(text).map_err(|bad| Fault::new(Kind::Usage, bad.to_string()).into())
}

/// Says of a fault that it is about an address: nothing has that id.
///
/// # Errors
/// That of `result`.
pub fn found<T>(result: Result<T>) -> Result<T> {
    result.map_err(|error| match error.downcast::<Fault>() {
        Ok(fault) if fault.message.starts_with("there is no goal") => Fault {
            kind: Kind::Usage,
            ..fault
        }
        .into(),
        Ok(fault) => fault.into(),
        Err(error) => error,
    })
}

/// Words what stands above a page of a goal.
pub fn head(outcome: &Outcome, tab: &'static str) -> Head {
    let goal = outcome.goal.as_ref().or(outcome.asked.as_ref());
    let (acts, asks) = actions(outcome);
    Head {
        id: outcome.id.clone(),
        state: outcome.state,
        reason: outcome.reason.clone(),
        description: goal.map(|goal| goal.description.clone()).unwrap_or_default(),
        tab,
        acts,
        asks,
    }
}

type Acts = Vec<(&'static str, &'static str)>;

/// What fits a state: what is done at once, and what is asked about first.
fn actions(outcome: &Outcome) -> (Acts, Acts) {
    const EDIT: (&str, &str) = ("edit", "Edit");
    const REJECT: (&str, &str) = ("reject", "Reject");
    const DROP: (&str, &str) = ("drop", "Drop");
    const HOLD: (&str, &str) = ("hold", "Hold");
    let is_held_by_paths = outcome.candidate.is_some();
    match outcome.state {
        State::Running => (Vec::new(), vec![EDIT, REJECT]),
        State::Candidate => (vec![("merge", "Merge"), HOLD], vec![REJECT]),
        State::Ready => (vec![("run", "Run"), HOLD], vec![EDIT, REJECT, DROP]),
        State::Blocked if outcome.reason.starts_with("paused") => {
            (vec![HOLD], vec![("raise", "Raise cap"), EDIT, REJECT])
        }
        State::Blocked => (vec![HOLD], vec![EDIT, REJECT, DROP]),
        State::Held if is_held_by_paths => (vec![("merge", "Approve and land")], vec![REJECT]),
        State::Held => (vec![("release", "Release")], vec![EDIT, REJECT, DROP]),
        State::Proposed => (vec![("approve", "Approve")], vec![EDIT, REJECT]),
        State::Failed | State::Parked => (vec![("retry", "Retry")], vec![EDIT, REJECT, DROP]),
        State::Rejected => (vec![("approve", "Approve")], vec![DROP]),
        State::Landed => (Vec::new(), vec![("undo", "Undo")]),
    }
}

/// What would bring the goal on, in a sentence.
fn what_next(outcome: &Outcome) -> &'static str {
    match outcome.state {
        State::Running => "A run works at it; it lands once its checks pass on the merged code.",
        State::Candidate => "Its checks passed. It lands with the next run, or by Merge.",
        State::Ready => "Nothing keeps it from being worked at: the next run takes it, or Run does now.",
        State::Blocked if outcome.reason.starts_with("paused") => "It goes on once its cap is raised.",
        State::Blocked => "It can start once what it needs has landed.",
        State::Held if outcome.candidate.is_some() => {
            "Its checks passed, and it touches what a person has to look at: see its diff, then approve and land it."
        }
        State::Held => "It waits until a person releases it.",
        State::Proposed => "It is a proposal: nothing is done until a person approves it.",
        State::Failed => {
            "Its newest attempt did not get there. Retry it as it is, or edit what it asks, or comment on it."
        }
        State::Parked => {
            "Its candidates did not go together with what landed, again and again. A person has to look at it."
        }
        State::Rejected => "A person said no. It is kept so that nobody proposes it again.",
        State::Landed => "It is part of the target.",
    }
}

/// A comment, with the line that it is about.
#[derive(Serialize)]
struct Comment {
    text: String,
    at: Option<Place>,
}

#[derive(Serialize)]
struct Goal {
    head: Head,
    about: Value,
    comments: Vec<Comment>,
    /// What other sides set keys to.
    conflict: Vec<(String, Vec<String>)>,
    what_next: &'static str,
    /// Dollars and tokens over all attempts.
    tokens: u64,
    cost_usd: Option<f64>,
}

/// Makes the page.
///
/// # Errors
/// As `show`.
pub fn page(session: &Session, id: &GoalId) -> Result<Page> {
    let outcome = found(show::whole(session, id))?;
    let goal = outcome.goal.as_ref().or(outcome.asked.as_ref());
    let comments = goal.map_or_else(Vec::new, |goal| {
        goal.comments.iter().map(|text| comment(text)).collect()
    });
    let attempts = outcome.attempts.iter();
    let data = Goal {
        head: head(&outcome, "goal"),
        comments,
        conflict: outcome
            .conflict
            .values()
            .map(|(key, values)| (key.to_string(), values.iter().map(worded).collect()))
            .collect(),
        what_next: what_next(&outcome),
        tokens: attempts.clone().map(|attempt| attempt.tokens).sum(),
        cost_usd: attempts.map(|attempt| attempt.cost_usd).sum(),
        about: about(&outcome)?,
    };
    of(id, "goal", data)
}

/// What `show` says; what a landed goal asked stands where an open one's does.
fn about(outcome: &Outcome) -> Result<Value> {
    let mut about = serde_json::to_value(outcome)?;
    if let (Value::Object(fields), Some(asked)) = (&mut about, &outcome.asked) {
        fields.insert("goal".to_owned(), serde_json::to_value(asked)?);
    }
    Ok(about)
}

fn comment(text: &str) -> Comment {
    match Place::of(text) {
        Some((at, text)) => Comment {
            text: text.to_owned(),
            at: Some(at),
        },
        None => Comment {
            text: text.to_owned(),
            at: None,
        },
    }
}

/// Makes a page of a goal.
///
/// # Errors
/// Where `data` does not serialise.
pub fn of(id: &GoalId, template: &'static str, data: impl Serialize) -> Result<Page> {
    Ok(Page {
        place: "goals",
        ..Page::new(id.as_str(), template, data)?
    })
}

#[derive(Serialize)]
struct Said {
    role: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Prompt {
    head: Head,
    /// The attempts whose calls are recorded.
    attempts: Vec<u32>,
    /// The attempt that is shown; absent for what would be asked next.
    attempt: Option<u32>,
    /// Its calls.
    calls: Vec<prompt::Call>,
    /// What would be asked next.
    next: Vec<Said>,
    sections: Value,
    budget: Value,
    warnings: Vec<String>,
    /// Why nothing is shown.
    without: Option<String>,
}

/// Makes the page of its prompts: what would be asked next, or with `?attempt=N` what was said in that attempt.
///
/// # Errors
/// As `show`, and when recorded calls cannot be read.
pub fn prompts(session: &Session, id: &GoalId, asked: &Asked) -> Result<Page> {
    let outcome = found(show::run(session, id))?;
    let attempts: Vec<u32> = outcome.attempts.iter().map(|attempt| attempt.number).collect();
    let is_open = outcome.goal.is_some() && outcome.state != State::Landed;
    let newest = attempts.last().copied();
    let chosen = match asked.get("attempt") {
        Some(text) => text.parse().ok().filter(|number| attempts.contains(number)),
        None => newest.filter(|_| !is_open),
    };
    let mut data = Prompt {
        head: head(&outcome, "prompt"),
        attempts,
        attempt: chosen,
        calls: Vec::new(),
        next: Vec::new(),
        sections: Value::Null,
        budget: Value::Null,
        warnings: Vec::new(),
        without: None,
    };
    match chosen {
        Some(number) => data.calls = prompt::recorded(session, id, number)?.calls,
        None if is_open => {
            let request = prompt::Request {
                id: id.clone(),
                explain: false,
            };
            match prompt::run(session, &request) {
                Ok(made) => {
                    data.sections = serde_json::to_value(&made.sections)?;
                    data.budget = serde_json::to_value(&made.budget)?;
                    data.warnings = made.warnings;
                    let said = |role: Role, text| Said {
                        role: role.word(),
                        text,
                    };
                    let messages = made.messages.into_iter();
                    data.next = messages.map(|message| said(message.role, message.content)).collect();
                }
                // A draft, or a template of the repository that is wrong: the page says so.
                Err(error) => data.without = Some(session.redactor.clean(&format!("{error:#}")).into_string()),
            }
        }
        None => data.without = Some("nothing was asked for it here".to_owned()),
    }
    of(id, "prompt", data)
}

#[derive(Serialize)]
struct Note {
    head: Head,
    record: Vec<(String, String)>,
    undone: Vec<(String, String)>,
    lines: Vec<String>,
}

/// Makes the page of its record and the lines of its note as they are.
///
/// # Errors
/// As `show`.
pub fn note(session: &Session, id: &GoalId) -> Result<Page> {
    let outcome = found(show::whole(session, id))?;
    let data = Note {
        head: head(&outcome, "note"),
        record: pairs(&serde_json::to_value(&outcome.record)?),
        undone: pairs(&serde_json::to_value(&outcome.undone)?),
        lines: outcome.more.map(|more| more.note).unwrap_or_default(),
    };
    of(id, "note", data)
}

/// Returns the fields of an object, each with its value as text.
fn pairs(object: &Value) -> Vec<(String, String)> {
    let fields = object.as_object().into_iter().flatten();
    fields.map(|(key, value)| (key.clone(), worded(value))).collect()
}

fn worded(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
