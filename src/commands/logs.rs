//! `logs`: what runs said while they worked, of the newest one or since a time; and a tail that follows.

use std::path::PathBuf;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    engine::{
        logging,
        output::{self, Part},
        recall, run,
        session::Session,
        target::Target,
    },
    fault::{Fault, Kind},
    id::GoalId,
    journal::{
        place,
        reading::{self, Kept, Read, Tail},
    },
    quote::quoted,
    schedule,
    time::Moment,
};

/// What to show.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only what is about this goal.
    pub goal: Option<GoalId>,
    /// What was said since then, of every run; the newest run where absent.
    pub since: Option<Moment>,
    /// Whether what the checks of the goal printed is shown, too.
    pub output: bool,
}

/// What was said.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The folder with the logs of this repository.
    pub folder: PathBuf,
    /// The lines as they were kept, run after run, the oldest first.
    pub lines: Vec<Kept>,
    /// How many lines could not be read.
    pub damaged: usize,
    /// What the checks of the goal printed, as far as it is still there, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<Part>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.logs/1";
}

impl Request {
    fn wants(&self, line: &Kept) -> bool {
        let is_about = |goal: &GoalId| line.goal.as_deref() == Some(goal.as_str());
        self.goal.as_ref().is_none_or(is_about) && self.since.is_none_or(|since| line.at >= since)
    }
}

/// Reads what is there.
///
/// # Errors
/// A fault where nothing was ever logged, or nothing about that goal; also when a file cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let folder = logging::folder(session, &session.repo());
    let reading = || format!("reading {}", folder.display());
    let mut parts = place::parts(&folder).wrap_err_with(reading)?;
    let Some(newest) = parts.last().map(|part| part.run.clone()) else {
        let fault = Fault::new(Kind::Error, "nothing has been logged in this repository yet");
        let hint = format!("`git invisigoth run` logs in {}", folder.display());
        return Err(fault.hint(hint).into());
    };
    if request.since.is_none() {
        parts.retain(|part| part.run == newest);
    }
    let Read { mut lines, damaged } = reading::read(&parts).wrap_err_with(reading)?;
    lines.retain(|line| request.wants(line));
    let printed = match request.goal.as_ref().filter(|_| request.output) {
        Some(goal) => output::read(session, &session.repo(), goal).wrap_err("reading what checks printed")?,
        None => Vec::new(),
    };
    if let Some(goal) = request.goal.as_ref().filter(|_| lines.is_empty() && printed.is_empty()) {
        return Err(silent(session, goal, request.since.is_some())?.into());
    }
    Ok(Outcome {
        folder,
        lines,
        damaged,
        output: printed,
    })
}

/// Reads all that is still there about `goal`: what every run said, and what its checks printed. Nothing may be there.
///
/// # Errors
/// When a file is there but cannot be read.
pub fn about(session: &Session, goal: &GoalId) -> Result<Outcome> {
    let repo = session.repo();
    let folder = logging::folder(session, &repo);
    let reading = || format!("reading {}", folder.display());
    let parts = place::parts(&folder).wrap_err_with(reading)?;
    let Read { lines, damaged } = reading::read_about(&parts, goal.as_str()).wrap_err_with(reading)?;
    let output = output::read(session, &repo, goal).wrap_err("reading what checks printed")?;
    Ok(Outcome {
        folder,
        lines,
        damaged,
        output,
    })
}

/// Returns how many bytes there are of what `about` reads: of the newest journal, and of what checks printed. Costs a few
/// looks at folders.
pub fn grown(session: &Session, goal: &GoalId) -> Vec<u64> {
    let repo = session.repo();
    let parts = place::parts(&logging::folder(session, &repo)).unwrap_or_default();
    let printed = output::files(session, &repo, goal);
    let count = u64::try_from(parts.len()).unwrap_or(u64::MAX);
    let files = parts.into_iter().next_back().map(|part| part.path);
    let files = files.into_iter().chain(printed.into_iter().map(|(_, path)| path));
    let bytes = files.map(|path| std::fs::metadata(path).map_or(0, |about| about.len()));
    [count].into_iter().chain(bytes).collect()
}

/// The fault of a goal that no line is about.
fn silent(session: &Session, goal: &GoalId, is_since: bool) -> Result<Fault> {
    refuse_unknown(session, goal)?;
    let id = quoted(goal.as_str());
    let attempts = format!("`git invisigoth show {id}` tells of its attempts");
    if is_since {
        let fault = Fault::new(Kind::Error, format!("nothing was logged about goal {goal} since then"));
        return Ok(fault.hint(attempts));
    }
    let fault = Fault::new(Kind::Error, format!("the newest log says nothing about goal {goal}"));
    Ok(fault
        .hint(format!("`git invisigoth logs --since 7d {id}` looks into older ones"))
        .hint(attempts))
}

fn refuse_unknown(session: &Session, goal: &GoalId) -> Result<()> {
    let repo = session.repo();
    let known = recall::read(session, &repo, &Target::read(session, &repo)?)?;
    match schedule::state(&known.facts, goal) {
        Some(_) => Ok(()),
        None if known.facts.landed.contains(goal) => Ok(()),
        None => Err(run::unknown_goal(&known.facts, goal).into()),
    }
}

/// Somebody who listens.
pub struct Following {
    request: Request,
    tail: Tail,
}

impl Following {
    /// Begins with what `run` would read, and goes on with every run that says something.
    ///
    /// # Errors
    /// A fault where nothing has that goal; also when the folder cannot be read.
    pub fn begin(session: &Session, request: Request) -> Result<Self> {
        if let Some(goal) = &request.goal {
            refuse_unknown(session, goal)?;
        }
        let folder = logging::folder(session, &session.repo());
        let reading = || format!("reading {}", folder.display());
        let newest = place::parts(&folder).wrap_err_with(reading)?.pop().map(|part| part.run);
        let wanted = |run: &str| request.since.is_some() || newest.as_deref() == Some(run);
        let tail = Tail::new(folder.clone(), wanted).wrap_err_with(reading)?;
        Ok(Self { request, tail })
    }

    /// Returns what was said meanwhile.
    ///
    /// # Errors
    /// When something is there but cannot be read.
    pub fn more(&mut self) -> Result<Read> {
        let mut read = self.tail.more().wrap_err("reading the log")?;
        read.lines.retain(|line| self.request.wants(line));
        Ok(read)
    }
}
