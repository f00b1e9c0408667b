//! `comment`: what a person says about a goal, for the prompt of its next attempt.

use eyre::Result;
use serde::Serialize;
use serde_json::json;

use crate::{
    commands,
    engine::{
        recall::backlog_fault,
        rewrite,
        session::Session,
        steering::{self, Steered},
    },
    fault::{Fault, Kind},
    id::GoalId,
};

/// What to say.
#[derive(Clone, Debug)]
pub struct Request {
    /// The goal.
    pub id: GoalId,
    /// The text; already read where it was `@FILE` or `-`.
    pub text: String,
}

/// What was said.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal; a comment changes nothing about its state.
    #[serde(flatten)]
    pub goal: Steered,
    /// All that was said about it, the newest last.
    pub comments: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.comment/1";
}

/// Adds a comment to an open goal.
///
/// # Errors
/// A fault for a goal that is not open, without text, or when the backlog cannot be read or written.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let text = request.text.trim();
    if text.is_empty() {
        return Err(Fault::new(Kind::Usage, "the comment is empty").into());
    }
    rewrite::change(session, |found| {
        let known = &found.known;
        let met = steering::meet_one(known, &request.id)?;
        let backlog = steering::with_row(found, &known.backlog, met.id)?;
        let mut comments = backlog.get(met.id).map(|goal| goal.comments).unwrap_or_default();
        comments.push(text.to_owned());
        let backlog = backlog.set(met.id, "comments", &json!(comments));
        let outcome = Outcome {
            goal: steering::steered(&known.facts, &met),
            comments,
        };
        Ok((backlog.map_err(|error| backlog_fault(&error))?, outcome))
    })
}
