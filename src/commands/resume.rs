//! `resume`: takes a `pause` back. A live run that waits goes on by itself.

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    engine::{
        live::{self, Doing},
        orders::{self, Paused},
        session::Session,
    },
};

/// What goes on.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The order that was taken back; absent where nothing was paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Paused>,
    /// The runs that go on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Doing>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.resume/1";
}

/// Resumes.
///
/// # Errors
/// When the order cannot be taken back.
pub fn run(session: &Session) -> Result<Outcome> {
    let repo = session.repo();
    let was = orders::resume(session, &repo).wrap_err("taking the order to pause back")?;
    Ok(Outcome {
        was,
        runs: live::read(session, &repo)?,
    })
}
