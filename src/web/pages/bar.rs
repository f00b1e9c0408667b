//! The bar: what stands above every page, so that it is seen in five seconds whether anything needs a person.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::{budget, status},
    engine::{orders::Paused, session::Session},
    money::ledger::Sum,
    schedule::State,
    web::{actions::Said, site::May},
};

/// What stands above every page.
#[derive(Debug, Serialize)]
pub struct Bar {
    /// The folder that the repository is in.
    pub repository: String,
    /// The branch that goals land on.
    pub target: String,
    /// Goals that need a person, as the inbox lists them.
    pub needs_you: usize,
    /// Goals that a run works on.
    pub running: usize,
    /// Candidates that wait to land.
    pub queued: usize,
    /// Goals that landed today.
    pub landed_today: usize,
    /// What was spent since midnight, UTC.
    pub spent: Sum,
    /// The caps on a run and a day with what was spent of them.
    pub budget: Vec<budget::Row>,
    /// The order to pause, if it stands.
    pub paused: Option<Paused>,
    /// How many processes work here.
    pub runs: usize,
    /// False where nothing can be changed over this site.
    pub acts: bool,
    /// What came of what the person did just before.
    pub said: Option<Said>,
}

/// Makes it.
///
/// # Errors
/// As `status`.
pub fn of(session: &Session, may: May) -> Result<Bar> {
    let status = status::run(session)?;
    let count = |states: &[State]| status.goals.iter().filter(|goal| states.contains(&goal.state)).count();
    let repo = session.repo();
    let top = repo
        .workdir()
        .map_or_else(|| repo.common_dir().to_owned(), ToOwned::to_owned);
    let name = top.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Bar {
        repository: name.unwrap_or_else(|| "repository".to_owned()),
        needs_you: status.goals.iter().filter(|goal| goal.needs_person()).count(),
        running: count(&[State::Running]),
        queued: count(&[State::Candidate]),
        landed_today: status.today.count,
        spent: status.today.spent,
        budget: status.budget,
        paused: status.paused,
        runs: status.runs.len(),
        acts: may == May::Act,
        said: None,
        target: status.target,
    })
}
