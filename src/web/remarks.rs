//! Remarks: what the action `comment` takes, about a goal or about a line of what it changes. What becomes of it is the command's.

use eyre::Result;

use crate::{
    commands::comment,
    engine::session::Session,
    fault::{Fault, Kind},
    web::{
        actions::{Done, Field, Takes, doing},
        given::Given,
    },
};

const fn field(name: &'static str, takes: Takes, needed: bool, about: &'static str) -> Field {
    Field {
        name,
        takes,
        needed,
        about,
    }
}

/// What it takes.
pub const FIELDS: &[Field] = &[
    field("id", Takes::Goal, true, "The goal"),
    field("text", Takes::Text, true, "What to say"),
    field("path", Takes::Hidden, false, "The file of the line that it is about"),
    field("line", Takes::Hidden, false, "The line, from 1, as the diff counts"),
    field(
        "old",
        Takes::Hidden,
        false,
        "true where lines are counted as they were before",
    ),
];

/// Does it.
///
/// # Errors
/// Those of `comment`.
pub fn run(session: &Session, given: &Given) -> Result<Done> {
    let request = comment::Request {
        id: doing::the_id(given)?,
        text: doing::owned(given, "text").unwrap_or_default(),
    };
    let outcome = match (doing::owned(given, "path"), given.number("line")?) {
        (Some(path), Some(line)) => {
            let old = given.is("old")?;
            comment::run_at(session, &request, &comment::At { path, line, old })?
        }
        (None, None) => comment::run(session, &request)?,
        _ => return Err(Fault::new(Kind::Usage, "a line is named by its `path` and its `line`").into()),
    };
    doing::done(&outcome, format!("{}: comment kept", outcome.goal.goal))
}
