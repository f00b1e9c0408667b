//! Set-up: what a page says where there is nothing to show yet, or nothing can be read: how each precondition stands, and what
//! to type. Asks nobody outside this machine.

use eyre::{Report, Result};
use serde::Serialize;

use crate::{
    commands::doctor::{self, Row, Standing},
    engine::session::Session,
    fault::{Fault, Kind},
    web::{
        pages::{Asked, Page},
        site,
    },
};

/// What must be there before anything can run, as `doctor` names it.
const NEEDED: [&str; 12] = [
    "git",
    "repository",
    "identity",
    "branches",
    "target",
    "settings",
    "checks",
    "provider",
    "key",
    "model",
    "cap",
    "backlog",
];

/// How the preconditions stand.
#[derive(Debug, Serialize)]
pub struct Setup {
    /// In the order in which they matter.
    pub rows: Vec<Row>,
    /// What to type now.
    pub next: String,
}

/// Looks at all of them. Where nothing is to be mended, `next` is what there is to do.
pub fn look(session: &Session, next: &str) -> Setup {
    let mut rows = rows(session);
    rows.retain(|row| NEEDED.contains(&row.name));
    let mend = rows.iter().find(|row| row.state == Standing::Fail);
    let mend = mend.and_then(|row| row.fix.clone());
    Setup {
        next: mend.as_deref().map_or(next, typed).to_owned(),
        rows,
    }
}

/// Returns everything that `doctor` looks at without asking anybody.
pub fn rows(session: &Session) -> Vec<Row> {
    let place = doctor::Place {
        cwd: &session.cwd,
        env: &session.env,
        session: Ok(session),
        asks: false,
    };
    let mut rows = doctor::run(&place).rows;
    for row in &mut rows {
        row.detail = session.redactor.clean(&row.detail).into_string();
    }
    rows
}

/// Returns what is to be typed of a hint, which may say what it is for.
fn typed(hint: &str) -> &str {
    hint.split('`').nth(1).unwrap_or(hint)
}

#[derive(Serialize)]
struct Instead<'a> {
    fault: &'a Fault,
    setup: Setup,
}

/// Returns a page that says what is missing, where `error` is that something is; else the error.
///
/// # Errors
/// `error`, where it is another matter.
pub fn instead(session: &Session, asked: &Asked, error: Report) -> Result<Page> {
    let is_missing = |fault: &Fault| !matches!(fault.kind, Kind::Usage | Kind::Busy);
    if !error.chain().filter_map(|cause| cause.downcast_ref()).any(is_missing) {
        return Err(error);
    }
    let fault = site::fault(&error, &session.redactor);
    let hint = fault.hints.first().map_or("git invisigoth doctor", |hint| typed(hint));
    let setup = look(session, hint);
    let page = Page::new("Not ready", "setup", Instead { fault: &fault, setup })?;
    Ok(Page {
        place: place(asked),
        ..page
    })
}

fn place(asked: &Asked) -> &'static str {
    let all = ["goals", "graph", "queue", "history", "health"];
    let first = asked.path.first().map_or("", String::as_str);
    all.into_iter().find(|place| *place == first).unwrap_or_default()
}
