//! What a goal changes, line by line; where a comment can be put on a line.

use eyre::Result;
use serde::Serialize;
use serde_json::Value;

use crate::{
    backlog::remark::Place,
    commands::{
        diff::{self, What},
        show,
    },
    engine::session::Session,
    fault::Fault,
    id::GoalId,
    web::pages::{
        Asked, Page,
        goal::{self, Head},
    },
};

/// Where a comment is being written.
#[derive(Serialize)]
struct Writing {
    path: String,
    line: usize,
    old: bool,
}

/// A comment on a line of what is shown.
#[derive(Serialize)]
struct Said {
    at: Place,
    text: String,
}

#[derive(Serialize)]
struct Diff {
    head: Head,
    /// What is shown, in a sentence; absent where nothing was changed yet.
    what: Option<String>,
    /// Why nothing is shown.
    without: Option<Fault>,
    files: Value,
    added: u64,
    removed: u64,
    /// The only file that is shown.
    only: Option<String>,
    writing: Option<Writing>,
    comments: Vec<Said>,
    /// True where a comment would be heard.
    can_comment: bool,
    /// Where all of it is.
    all: String,
    raw: String,
}

/// Makes the page. `?file=PATH` shows one file, however large; `?comment=PATH:LINE` opens a form below that line, with `&old=1`
/// where lines are counted as they were before.
///
/// # Errors
/// As `show` and `diff`; that nothing was changed yet is none.
pub fn page(session: &Session, id: &GoalId, asked: &Asked) -> Result<Page> {
    let outcome = goal::found(show::run(session, id))?;
    let here = Asked {
        query: Default::default(),
        ..asked.clone()
    };
    let mut data = Diff {
        head: goal::head(&outcome, "diff"),
        what: None,
        without: None,
        files: Value::Null,
        added: 0,
        removed: 0,
        only: asked.get("file").map(str::to_owned),
        writing: writing(asked),
        comments: Vec::new(),
        can_comment: outcome.goal.is_some() && outcome.record.as_ref().is_none_or(|_| outcome.candidate.is_some()),
        all: here.address(),
        raw: here.below("raw").address(),
    };
    match diff::with_lines(session, id, asked.get("file")) {
        Ok(mut changed) => {
            if let Some(only) = &data.only {
                changed.files.retain(|file| file.path == *only);
            }
            data.what = Some(what(&changed));
            data.added = changed.files.iter().filter_map(|file| file.added).sum();
            data.removed = changed.files.iter().filter_map(|file| file.removed).sum();
            data.files = serde_json::to_value(&changed.files)?;
            let goal = outcome.goal.as_ref();
            let comments = goal.map_or(&[][..], |goal| &goal.comments);
            let places = comments.iter().filter_map(|comment| Place::of(comment));
            let of_this = places.filter(|(at, _)| at.attempt == changed.attempt);
            data.comments = of_this
                .map(|(at, text)| Said {
                    at,
                    text: text.to_owned(),
                })
                .collect();
        }
        Err(error) => match error.downcast::<Fault>() {
            Ok(fault) => data.without = Some(fault),
            Err(error) => return Err(error),
        },
    }
    goal::of(id, "diff", data)
}

/// Returns git's own diff, of all or of `?file=PATH`.
///
/// # Errors
/// As `diff`.
pub fn raw(session: &Session, id: &GoalId, asked: &Asked) -> Result<Vec<u8>> {
    goal::found(show::run(session, id))?;
    diff::patch(session, &diff::run(session, id)?, asked.get("file"))
}

fn writing(asked: &Asked) -> Option<Writing> {
    let (path, line) = asked.get("comment")?.rsplit_once(':')?;
    Some(Writing {
        path: path.to_owned(),
        line: line.parse().ok()?,
        old: asked.get("old").is_some(),
    })
}

fn what(changed: &diff::Outcome) -> String {
    let commit = changed.commit.map(|commit| commit.short()).unwrap_or_default();
    let base = changed
        .base
        .map(|base| format!(" on {}", base.short()))
        .unwrap_or_default();
    match changed.what {
        What::Candidate => format!("the candidate {commit}, which has not landed,{base}"),
        What::Landed => format!("the commit {commit}, which landed"),
        What::Attempt => {
            let number = changed.attempt.unwrap_or_default();
            format!("what attempt {number} came to, which made no candidate,{base}")
        }
    }
}
