//! `import`: goals out of another tool's backlog, and settings out of the original's `config.yaml`.
//!
//! All or nothing: everything is read and checked before the backlog is written, in one step.

pub mod settings;
pub(crate) mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use eyre::Result;
use serde::Serialize;

use crate::{
    backlog::{
        close::{COMPLETED, COMPLETED_SEGMENTS},
        history,
    },
    commands::{self, import::settings::Settings},
    engine::{
        recall::{self, backlog_fault},
        rewrite::{self, Found},
        session::Session,
    },
    fault::{Fault, Kind},
    foreign::{
        ForeignError, Format,
        take::{self, Came, Here, Left, Taken},
    },
    git::tree,
    id::GoalId,
};

/// What to import.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose backlog it is.
    pub format: Format,
    /// The file or folder; `None` for standard input.
    pub path: Option<PathBuf>,
    /// Whether new goals wait for approval; by default only those that anybody may have written.
    pub proposed: Option<bool>,
    /// Of issues: those with one of these labels.
    pub labels: Vec<String>,
    /// Of issues: all of them.
    pub all: bool,
    /// The tag of Task Master.
    pub tag: Option<String>,
    /// Say what would come, write nothing.
    pub dry_run: bool,
}

/// What came.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Whose backlog it was.
    pub format: Format,
    /// True where nothing was written.
    pub dry_run: bool,
    /// New goals.
    pub added: Vec<Came>,
    /// Goals that were worded anew there, and follow.
    pub updated: Vec<GoalId>,
    /// Goals that were closed there, and were taken out of the backlog.
    pub removed: Vec<GoalId>,
    /// Goals that changed there, and were left as they are here.
    pub left: Vec<Left>,
    /// Goals that are here already as they are there.
    pub unchanged: usize,
    /// How many there were of what is no goal, by kind.
    pub left_out: BTreeMap<&'static str, usize>,
    /// What became of the original's other files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// What a person should know, a line each.
    pub notes: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.import/1";
}

/// Imports.
///
/// # Errors
/// A fault for what cannot be read, with its line, and for goals that would need each other; nothing is changed then.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    refuse_unfit(request)?;
    let mut read = source::read(request)?;
    read.unite();
    let config = match (&request.path, request.format) {
        (Some(folder), Format::Seed) => Some(settings::Plan::read(session, folder)?),
        _ => None,
    };
    let proposed = request.proposed.unwrap_or(request.format.is_untrusted());
    let taken = rewrite::add(session, |found| {
        let rows = landed_rows(found, request.format)?;
        let busy: BTreeSet<GoalId> = busy(found);
        let here = Here {
            backlog: &found.known.backlog,
            landed: &found.known.facts.landed,
            landed_rows: &rows,
            busy: &busy,
        };
        let mut taken = take::take(&read, request.format, proposed, &here)
            .map_err(|error| fault(&error, request.path.as_deref()))?;
        let backlog = std::mem::take(&mut taken.backlog);
        let kept = if request.dry_run {
            found.known.backlog.clone()
        } else {
            backlog
        };
        Ok((kept, taken))
    })?;
    let settings = config.map(|plan| plan.write(request.dry_run)).transpose()?;
    Ok(outcome(request, taken, settings))
}

fn outcome(request: &Request, taken: Taken, settings: Option<Settings>) -> Outcome {
    Outcome {
        format: request.format,
        dry_run: request.dry_run,
        added: taken.added,
        updated: taken.updated,
        removed: taken.removed,
        left: taken.left,
        unchanged: taken.unchanged,
        left_out: taken.left_out,
        settings,
        notes: taken.notes,
    }
}

fn refuse_unfit(request: &Request) -> Result<()> {
    let only = |what: &str, format: Format| {
        let message = format!("{what} goes with `import {format}` only");
        Err(Fault::new(Kind::Usage, message).into())
    };
    let selects = request.all || !request.labels.is_empty();
    if selects && request.format != Format::Issues {
        return only("--all or --label", Format::Issues);
    }
    if request.tag.is_some() && request.format != Format::Taskmaster {
        return only("--tag", Format::Taskmaster);
    }
    if request.format == Format::Issues && !selects {
        let fault = Fault::new(Kind::Usage, "which issues? Those with a label, or all");
        let fault = fault.hint("`git invisigoth import issues PATH --label LABEL`");
        return Err(fault.hint("`git invisigoth import issues PATH --all`").into());
    }
    Ok(())
}

/// Returns goals that are being worked on, or have a candidate.
fn busy(found: &Found) -> BTreeSet<GoalId> {
    let facts = &found.known.facts;
    facts.candidates.keys().chain(&facts.running).cloned().collect()
}

/// Returns the rows of landed goals that came from `format`.
fn landed_rows(found: &Found, format: Format) -> Result<Vec<String>> {
    let root = tree::of_commit(&found.repo, found.target.tip)?;
    let mut rows = Vec::new();
    for text in recall::memory_texts(&found.repo, root, COMPLETED, COMPLETED_SEGMENTS)? {
        let all = history::rows(&text).map_err(|error| backlog_fault(&error.in_file(COMPLETED)))?;
        let ours = |row: &&str| take::mark(row).is_some_and(|mark| mark.from == format.word());
        rows.extend(all.into_iter().filter(ours).map(str::to_owned));
    }
    // Landed beyond the memory files of the tip: the row is in the backlog still.
    let stale = found
        .known
        .backlog
        .rows()
        .filter(|(id, _)| found.known.facts.landed.contains(*id));
    rows.extend(stale.map(|(_, row)| row.to_owned()));
    Ok(rows)
}

/// Words what is wrong with a foreign file.
pub(crate) fn fault(error: &ForeignError, path: Option<&Path>) -> Fault {
    let place = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let fault = Fault::new(Kind::Error, format!("{place}: {error}"));
    match error {
        ForeignError::Cut { .. } => fault.hint("nothing was changed; export it again, then import again"),
        ForeignError::Cycle(_) => {
            fault.hint("nothing was changed; take one of these dependencies out there, then import again")
        }
        _ => fault.hint("nothing was changed"),
    }
}
