//! `pause`: no run of this clone begins anything new until `resume`, neither a live one nor the next.

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

/// What to say.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Why, for whoever looks at `status`.
    pub why: Option<String>,
}

/// What is paused.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The order, as it stands now.
    pub paused: Paused,
    /// True where it stood before.
    pub already: bool,
    /// What live runs are finishing before they wait.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Doing>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.pause/1";
}

/// Pauses.
///
/// # Errors
/// When the order cannot be written.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let already = orders::paused(session, &repo).is_some();
    let paused = orders::pause(session, &repo, request.why.as_deref()).wrap_err("writing the order to pause")?;
    Ok(Outcome {
        paused,
        already,
        runs: live::read(session, &repo)?,
    })
}
