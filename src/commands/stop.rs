//! `stop`: has what works in this clone stop, as Ctrl-C once in its own terminal does: what is under way ends, nothing new
//! begins.

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    door::signal,
    engine::{
        live::{self, Doing},
        session::Session,
    },
    fault::{Fault, Kind},
};

/// What shall stop.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only this run, by its name in `status --json`; all where absent.
    pub run: Option<String>,
}

/// What stops.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// What they are finishing.
    pub runs: Vec<Doing>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.stop/1";
}

/// Tells them. Only a process that holds the lock of its run is told anything.
///
/// # Errors
/// A fault where nothing is at work, or none of it can be told from here; when what runs say cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let live = live::read(session, &repo)?;
    let wanted = |doing: &Doing| request.run.as_ref().is_none_or(|run| doing.run == *run);
    let meant: Vec<Doing> = live.into_iter().filter(wanted).collect();
    if meant.is_empty() {
        let what = request
            .run
            .as_ref()
            .map_or("no run".to_owned(), |run| format!("no run {run}"));
        let fault = Fault::new(Kind::Error, format!("{what} is at work in this clone"));
        return Err(fault.hint("`git invisigoth status` shows what is").into());
    }
    let (mut runs, mut untold) = (Vec::new(), Vec::new());
    for doing in meant {
        let lock = live::lock_of(session, &repo, &doing.run);
        let told = signal::interrupt(doing.pid, &lock).wrap_err_with(|| format!("stopping process {}", doing.pid))?;
        if told { runs.push(doing) } else { untold.push(doing) }
    }
    match (runs.as_slice(), untold.first()) {
        ([], Some(other)) => {
            let why = format!("process {} is not one of this machine, or has just ended", other.pid);
            Err(Fault::new(Kind::Error, why)
                .hint("`git invisigoth pause` also holds runs of other machines and containers up")
                .into())
        }
        _ => Ok(Outcome { runs }),
    }
}
