//! Dispatch of the commands that steer the backlog, and of `pause` and `stop`.

use eyre::Result;

use crate::{
    cli::{
        args::steer,
        dispatch::{answer, id, ids, prompt_text},
        open::Opened,
        paths,
    },
    commands::{
        approve, comment,
        diff::{self, What},
        drop, edit, hold, pause, reject, release, retry, stop,
    },
    door::signal,
    engine::session::Session,
    fault::{Fault, Kind},
};

/// Runs `approve`.
///
/// # Errors
/// Those of the command; so do all below.
pub(crate) fn approve(at: &Opened, args: &steer::Ids) -> Result<u8> {
    answer(at, &approve::run(&at.session()?, &ids(&args.ids)?)?)
}

/// Runs `stop`.
///
/// # Errors
/// Those of the command.
pub(crate) fn stop(at: &Opened, args: steer::Stop) -> Result<u8> {
    answer(at, &stop::run(&at.session()?, &stop::Request { run: args.run })?)
}

/// Runs `pause`.
///
/// # Errors
/// Those of the command.
pub(crate) fn pause(at: &Opened, args: steer::Pause) -> Result<u8> {
    answer(at, &pause::run(&at.session()?, &pause::Request { why: args.why })?)
}

/// Runs `reject`.
///
/// # Errors
/// Those of the command.
pub(crate) fn reject(at: &Opened, args: steer::Reject) -> Result<u8> {
    let request = reject::Request {
        ids: ids(&args.ids)?,
        why: args.why,
    };
    answer(at, &reject::run(&at.session()?, &request)?)
}

/// Runs `hold`.
///
/// # Errors
/// Those of the command.
pub(crate) fn hold(at: &Opened, args: steer::Hold) -> Result<u8> {
    let request = hold::Request {
        ids: ids(&args.ids)?,
        why: args.why,
    };
    answer(at, &hold::run(&at.session()?, &request)?)
}

/// Runs `release`.
///
/// # Errors
/// Those of the command.
pub(crate) fn release(at: &Opened, args: &steer::Ids) -> Result<u8> {
    answer(at, &release::run(&at.session()?, &ids(&args.ids)?)?)
}

/// Runs `drop`.
///
/// # Errors
/// Those of the command.
pub(crate) fn drop(at: &Opened, args: &steer::Drop) -> Result<u8> {
    let request = drop::Request {
        ids: ids(&args.ids)?,
        cascade: args.cascade,
    };
    answer(at, &drop::run(&at.session()?, &request)?)
}

/// Runs `retry`.
///
/// # Errors
/// Those of the command.
pub(crate) fn retry(at: &Opened, args: &steer::Retry) -> Result<u8> {
    let request = retry::Request { ids: ids(&args.ids)? };
    answer(at, &retry::run(&at.session()?, &request)?)
}

/// Runs `comment`.
///
/// # Errors
/// Those of the command; also when a file or standard input cannot be read.
pub(crate) fn comment(at: &Opened, args: steer::Comment) -> Result<u8> {
    let request = comment::Request {
        id: id(&args.id)?,
        text: prompt_text(&at.place, args.text)?,
    };
    let session = at.session()?;
    let outcome = match args.at {
        None => comment::run(&session, &request)?,
        Some(place) => comment::run_at(&session, &request, &line_of(&session, at, &place, args.old)?)?,
    };
    answer(at, &outcome)
}

/// Reads `PATH:LINE`; the path is as seen from where the command was started, as everywhere.
fn line_of(session: &Session, at: &Opened, place: &str, old: bool) -> Result<comment::At> {
    let (path, line) = place
        .rsplit_once(':')
        .and_then(|(path, line)| Some((path, line.parse().ok()?)))
        .filter(|(path, line)| !path.is_empty() && *line > 0)
        .ok_or_else(|| Fault::new(Kind::Usage, format!("`{place}` is no PATH:LINE such as src/main.rs:12")))?;
    let repo = session.repo();
    let path = match repo.workdir() {
        Some(top) => paths::from_top(top, &at.place, path),
        None => path.to_owned(),
    };
    Ok(comment::At { path, line, old })
}

/// Runs `edit`.
///
/// # Errors
/// Those of the command.
pub(crate) fn edit(at: &Opened, args: &steer::Edit) -> Result<u8> {
    let (session, id) = (at.session()?, id(&args.id)?);
    answer(
        at,
        &if args.keep {
            edit::keep(&session, &id)
        } else {
            edit::run(&session, &id)
        }?,
    )
}

/// Runs `diff`.
///
/// # Errors
/// Those of the command.
pub(crate) fn diff(at: &Opened, args: &steer::Diff) -> Result<u8> {
    let session = at.session()?;
    let id = id(&args.id)?;
    if at.ui.manner.json && !args.stat {
        at.ui.document(&diff::with_lines(&session, &id, None)?);
        return Ok(0);
    }
    let outcome = diff::run(&session, &id)?;
    if at.ui.manner.json {
        at.ui.document(&outcome);
        return Ok(0);
    }
    at.ui.say(&about(&outcome));
    let manner = diff::Manner {
        stat: args.stat,
        colour: at.colour,
        no_pager: at.no_pager,
    };
    if !diff::show(&session, &outcome, manner)? {
        signal::die_of_pipe();
    }
    Ok(0)
}

fn about(outcome: &diff::Outcome) -> String {
    let goal = &outcome.goal;
    let commit = outcome.commit.map(|commit| commit.short()).unwrap_or_default();
    let base = outcome.base.map(|base| base.short()).unwrap_or_default();
    match outcome.what {
        What::Candidate => format!("{goal}: candidate {commit}, which has not landed, on {base}"),
        What::Landed => format!("{goal}: commit {commit}, which landed"),
        What::Attempt => {
            let number = outcome.attempt.unwrap_or_default();
            format!("{goal}: attempt {number}, which made no candidate, on {base}")
        }
    }
}
