//! Orders: what people tell a live run, as data that it reads again. So far one: the file `invisigoth/pause` in the shared
//! git directory. While it is there, no goal is begun and no model is asked.
//!
//! What is under way is never cut short by it: the answer that is awaited, its checks, its landing.

use std::{io, path::PathBuf, time::Duration};

use eyre::Result;
use serde::{Deserialize, Serialize};

use crate::{
    door::{fs, wait},
    engine::{live::Phase, runs, session::Session, worker::Worker},
    fault::{Fault, Kind},
    git::Repo,
    time::Stopping,
};

/// How often a run that waits looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the file says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Paused {
    /// Since when, RFC 3339 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Why, in a person's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Returns the file of the order to pause.
pub fn file(session: &Session, repo: &Repo) -> PathBuf {
    session.own_dir(repo).join("pause")
}

/// Reads the order to pause, if there is one. A file that says nothing, or cannot be read, is one all the same.
pub fn paused(session: &Session, repo: &Repo) -> Option<Paused> {
    match fs::read(&file(session, repo)) {
        Ok(None) => None,
        Ok(Some(text)) => Some(serde_json::from_slice(&text).unwrap_or_default()),
        Err(_) => Some(Paused::default()),
    }
}

/// Gives the order. One that is there already stands, but for its reason, where `why` is another.
///
/// # Errors
/// When the file cannot be written.
pub fn pause(session: &Session, repo: &Repo, why: Option<&str>) -> io::Result<Paused> {
    let before = paused(session, repo).unwrap_or_default();
    let why = why.map(|why| session.redactor.clean(why.trim()).into_string());
    let order = Paused {
        since: before.since.or_else(|| Some(session.clock.now().rfc3339())),
        why: why.filter(|why| !why.is_empty()).or(before.why),
    };
    fs::create_dir_all(&session.own_dir(repo))?;
    let line = serde_json::to_string(&order)? + "\n";
    fs::write_atomic(&file(session, repo), line.as_bytes())?;
    Ok(order)
}

/// Takes the order back; returns it, if there was one.
///
/// # Errors
/// When the file cannot be removed.
pub fn resume(session: &Session, repo: &Repo) -> io::Result<Option<Paused>> {
    let before = paused(session, repo);
    fs::remove_if_there(&file(session, repo))?;
    Ok(before)
}

/// The fault of a run that is not to begin, or to go on with nobody there to resume it.
pub fn fault(paused: &Paused) -> Fault {
    let why = paused.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    Fault::new(Kind::Person, format!("runs are paused in this clone{why}"))
        .hint("`git invisigoth resume`, then run again")
}

/// Waits as long as people want no new work, and says so once for all threads of a run. Returns at once where nobody does, and
/// when the run is asked to stop; true where it waited.
///
/// # Errors
/// A fault where waiting would have no end: in a CI job (`CI` is set), and when the minutes of the run are over meanwhile.
pub fn wait(worker: &mut Worker<'_>, round: Option<u32>) -> Result<bool> {
    let session = worker.session;
    let Some(order) = paused(session, &worker.repo) else {
        return Ok(false);
    };
    refuse_in_ci(session, &order)?;
    worker.step(Phase::Waiting, round);
    if worker.live.pause(true) {
        let why = order.why.map(|why| format!(": {why}")).unwrap_or_default();
        session.say(format!("paused{why}; `git invisigoth resume` goes on"));
    }
    while paused(session, &worker.repo).is_some() {
        out_of_time(worker)?;
        if !wait::pause(LOOK_EVERY, &session.stop) {
            break;
        }
    }
    if session.stop.stopping() == Stopping::No && worker.live.pause(false) {
        session.say("resumed");
    }
    Ok(true)
}

/// Nobody is there to take the order back.
///
/// # Errors
/// A fault in a CI job.
pub fn refuse_in_ci(session: &Session, order: &Paused) -> Result<()> {
    if runs::is_in_ci(&session.env) {
        return Err(fault(order).into());
    }
    Ok(())
}

/// Caps in minutes go on counting during a pause.
fn out_of_time(worker: &Worker<'_>) -> Result<()> {
    let Some(most) = worker.settings.budget.run.minutes else {
        return Ok(());
    };
    let minutes = worker.session.clock.now().since(worker.live.began()).as_secs() / 60;
    if minutes < most {
        return Ok(());
    }
    let fault = Fault::new(
        Kind::Budget,
        format!("the run's {most} minutes were over while it was paused"),
    );
    Err(fault.hint("`git invisigoth resume`, then run again").into())
}
