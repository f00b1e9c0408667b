//! `ci`: other machines work at goals, judge candidates and land them. One file per verb of it.

pub mod init;
pub mod land;
pub mod matrix;
pub mod verify;

use std::path::Path;

use eyre::{Result, WrapErr as _};

use crate::{door::fs::lines::Lines, engine::session::Session};

/// Variables in which GitHub Actions names the files that a step appends to.
const OUTPUT: &str = "GITHUB_OUTPUT";
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// True in a step of GitHub Actions.
fn is_in_actions(session: &Session) -> bool {
    session.env.get("GITHUB_ACTIONS") == Some("true")
}

/// Appends to the summary of this step of GitHub Actions; elsewhere nothing happens.
fn summarise(session: &Session, markdown: &str) -> Result<()> {
    append(session, SUMMARY, markdown)
}

fn append(session: &Session, variable: &'static str, text: &str) -> Result<()> {
    let Some(path) = session.env.get(variable) else {
        return Ok(());
    };
    let text = session.redactor.clean(text.trim_end());
    Lines::hold(Path::new(path))
        .and_then(|mut file| file.append(text.as_str(), false))
        .wrap_err_with(|| format!("writing the file that {variable} names, {path}"))
}
