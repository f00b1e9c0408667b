//! `evolve`: improves the program itself; `evolve --dry-run` says how it would; `evolve log` lists what was tried.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        evolve::{
            self, Order, Summary,
            archive::{self, Variant, Verdict},
            picking,
            step::Row,
        },
        session::Session,
    },
    fault::{Fault, Kind},
    id::GoalId,
};

/// What it came to.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Each goal, in order.
    pub goals: Vec<Row>,
    /// Why it ended before its time, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<Fault>,
    /// The program that is to go on in this one's place.
    #[serde(skip)]
    pub next: Option<std::path::PathBuf>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.evolve/1";

    fn kind(&self) -> Option<Kind> {
        let any = |verdict: Verdict| self.goals.iter().any(|row| row.verdict == verdict);
        if let Some(fault) = &self.cut_short {
            Some(fault.kind)
        } else if [Verdict::Failed, Verdict::Refused, Verdict::RolledBack]
            .into_iter()
            .any(any)
        {
            Some(Kind::Unfinished)
        } else if any(Verdict::Held) {
            Some(Kind::Person)
        } else {
            None
        }
    }
}

/// What `--dry-run` says.
#[derive(Debug, Serialize)]
pub struct Dry {
    /// The goals that would be tried, in order.
    pub goals: Vec<GoalId>,
    /// The file whose place the new program would take.
    pub install: String,
    /// The metrics that would be watched.
    pub metrics: Vec<String>,
    /// How many held-out checks there are.
    pub holdout: usize,
    /// What is measured with as the base has it; changing it waits for a person.
    pub base: Vec<String>,
    /// Whether the new program would go on.
    pub restarts: bool,
}

impl commands::Outcome for Dry {
    const SCHEMA: &'static str = "invisigoth.evolve-dry/1";
}

/// The archive.
#[derive(Debug, Serialize)]
pub struct Log {
    /// The newest first.
    pub variants: Vec<Variant>,
}

impl commands::Outcome for Log {
    const SCHEMA: &'static str = "invisigoth.evolve-log/1";
}

/// Evolves.
///
/// # Errors
/// A fault when it cannot begin.
pub fn run(session: &Session, order: &Order) -> Result<Outcome> {
    let Summary { rows, next, cut_short } = evolve::evolve(session, order)?;
    Ok(Outcome {
        goals: rows,
        cut_short,
        next,
    })
}

/// Says what `run` would do.
///
/// # Errors
/// As `run`.
pub fn dry(session: &Session, order: &Order) -> Result<Dry> {
    let setup = evolve::setup(session, &session.repo())?;
    let most = order.max.unwrap_or(usize::MAX);
    Ok(Dry {
        goals: picking::picks(session, order)?.into_iter().take(most).collect(),
        install: setup.install.display().to_string(),
        metrics: setup.metrics.iter().map(|metric| metric.name.clone()).collect(),
        holdout: setup.holdout.len(),
        base: setup.measures.iter().map(ToString::to_string).collect(),
        restarts: setup.restarts,
    })
}

/// Lists what was tried.
///
/// # Errors
/// When the archive cannot be read.
pub fn log(session: &Session) -> Result<Log> {
    Ok(Log {
        variants: archive::all(&session.repo())?,
    })
}
