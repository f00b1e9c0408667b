//! `comment`: what a person says about a goal, or about a line of what was made of it, for the prompt of its next attempt.

use eyre::Result;
use serde::Serialize;
use serde_json::json;

use crate::{
    backlog::remark::Place,
    commands::{self, diff},
    engine::{
        recall::{self, backlog_fault},
        rewrite,
        session::Session,
        steering::{self, Steered},
        target::Target,
    },
    fault::{Fault, Kind},
    git::tree,
    id::GoalId,
    quote::quoted,
};

/// What to say.
#[derive(Clone, Debug)]
pub struct Request {
    /// The goal.
    pub id: GoalId,
    /// The text; already read where it was `@FILE` or `-`.
    pub text: String,
}

/// A line that a comment is about: of the goal's diff, or of the code as it stands where nothing was changed yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct At {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// Whether lines are counted as they were before the change.
    pub old: bool,
}

/// What was said.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal; a comment changes nothing about its state.
    #[serde(flatten)]
    pub goal: Steered,
    /// All that was said about it, the newest last.
    pub comments: Vec<String>,
    /// The line that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.comment/1";
}

/// Adds a comment to an open goal.
///
/// # Errors
/// A fault for a goal that is not open, without text, or when the backlog cannot be read or written.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    say(session, request, None)
}

/// As `run`, about a line: it is quoted, so that the next attempt, which begins anew, knows what is meant.
///
/// # Errors
/// As `run`; also a fault where there is no such line.
pub fn run_at(session: &Session, request: &Request, at: &At) -> Result<Outcome> {
    let place = place(session, &request.id, at)?;
    say(session, request, Some(place))
}

fn place(session: &Session, id: &GoalId, at: &At) -> Result<Place> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read_here(session, &repo, &target)?;
    steering::meet_one(&known, id)?;
    let changed = diff::run(session, id).ok();
    let root = match &changed {
        Some(changed) => changed.side(at.old),
        None => tree::of_commit(&repo, target.tip)?,
    };
    let nowhere =
        |what: String| Fault::new(Kind::Usage, what).hint(format!("`git invisigoth diff {}`", quoted(id.as_str())));
    let when = match (&changed, at.old) {
        (Some(_), true) => " before that change",
        (Some(_), false) => " in what was made of it",
        (None, _) => "",
    };
    let Some(bytes) = tree::read_file(&repo, root, &at.path)? else {
        return Err(nowhere(format!("there is no file {}{when}", at.path)).into());
    };
    let bytes = String::from_utf8_lossy(&bytes);
    let nth = at.line.checked_sub(1).and_then(|nth| bytes.lines().nth(nth));
    let Some(quote) = nth else {
        return Err(nowhere(format!("{} has no line {}{when}", at.path, at.line)).into());
    };
    Ok(Place {
        path: at.path.clone(),
        line: at.line,
        attempt: changed.as_ref().and_then(|changed| changed.attempt),
        old: at.old && changed.is_some(),
        quote: quote.to_owned(),
    })
}

fn say(session: &Session, request: &Request, at: Option<Place>) -> Result<Outcome> {
    let text = request.text.trim();
    if text.is_empty() {
        return Err(Fault::new(Kind::Usage, "the comment is empty").into());
    }
    let worded = at.as_ref().map_or_else(|| text.to_owned(), |at| at.worded(text));
    rewrite::change(session, |found| {
        let known = &found.known;
        let met = steering::meet_one(known, &request.id)?;
        let backlog = steering::with_row(found, &known.backlog, met.id)?;
        let mut comments = backlog.get(met.id).map(|goal| goal.comments).unwrap_or_default();
        comments.push(worded);
        let backlog = backlog.set(met.id, "comments", &json!(comments));
        let outcome = Outcome {
            goal: steering::steered(&known.facts, &met),
            comments,
            at,
        };
        Ok((backlog.map_err(|error| backlog_fault(&error))?, outcome))
    })
}
