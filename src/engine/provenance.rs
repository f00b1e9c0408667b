//! Provenance: gathers who wrote which lines of the commits that landed, and notes it for other programs in `refs/notes/ai`.
//!
//! Owns which commits are told of: those whose lines a model wrote for us. All of it can be computed again from the commit
//! and its record, so a note that was not written is written by the next command; that one cannot be written stops nothing.

use eyre::Result;

use crate::{
    engine::{session::Session, worker::Worker},
    git::{Repo, commit::Author, diff, history, notes::authorship, refs},
    id::{CommitId, Oid},
    provenance::{TOOL, Work, git_ai},
    record::{ADOPTED, Record},
    settings::Settings,
    time::Moment,
};

/// What records say where nobody knows.
const UNKNOWN: &str = "unknown";

/// What is known of who wrote the lines of a commit.
pub enum Known {
    /// A session of ours wrote them.
    Work(Box<Work>),
    /// Nobody was asked: a branch was adopted, or somebody made the candidate.
    NotOurs,
    /// This clone is shallow and does not show what the commit changed.
    NotHere,
}

/// Returns what is to be told of the commit of `record`.
///
/// # Errors
/// When the repository cannot be read.
pub fn known(repo: &Repo, record: &Record) -> Result<Known> {
    if record.provider == ADOPTED {
        return Ok(Known::NotOurs);
    }
    let Some(files) = diff::added_lines(repo, record.commit)? else {
        return Ok(Known::NotHere);
    };
    let entry = history::entry(repo, record.commit)?;
    let assisted = entry.trailers("Assisted-by");
    let ours = assisted
        .filter_map(|by| by.strip_prefix(TOOL)?.strip_prefix(':'))
        .next();
    // A candidate that came without its attempt still says who made it; one that does not may be anybody's.
    if record.provider == UNKNOWN && ours.is_none() {
        return Ok(Known::NotOurs);
    }
    let mut models = [Some(record.model.as_str()), ours].into_iter().flatten();
    let model = models.find(|model| *model != UNKNOWN);
    Ok(Known::Work(Box::new(Work {
        commit: record.commit,
        attempt: entry.trailers("Attempt").find_map(|n| n.parse().ok()).unwrap_or(1),
        human: Author::who_committed(repo, record.commit)?.words(),
        model: model.map(str::to_owned),
        record: record.clone(),
        files,
    })))
}

/// Words the notes on the commits of `lines`, which are those of records and of other things.
///
/// # Errors
/// When the repository cannot be read.
pub fn texts<'l>(repo: &Repo, lines: impl IntoIterator<Item = &'l str>) -> Result<Vec<(Oid, String)>> {
    let mut texts = Vec::new();
    for line in lines {
        if let Ok(record) = serde_json::from_str::<Record>(line)
            && let Known::Work(work) = known(repo, &record)?
        {
            texts.push((record.commit.0, git_ai::note(&work)));
        }
    }
    Ok(texts)
}

/// Notes who wrote which lines of what landed just now, by the lines of its records.
pub fn note(worker: &Worker<'_>, lines: &[(Oid, String)]) {
    let at = worker.session.clock.now();
    let written = || -> Result<()> {
        if lines.is_empty() || !is_told(&worker.settings) {
            return Ok(());
        }
        let texts = texts(&worker.repo, lines.iter().map(|(_, line)| line.as_str()))?;
        Ok(authorship::add(&worker.repo, &texts, at)?)
    };
    said(worker.session, written());
}

/// Notes it of every record among `rows` whose commit has no such note, whoever's.
pub fn heal<'l>(worker: &Worker<'_>, rows: impl IntoIterator<Item = &'l str>) {
    if is_told(&worker.settings) {
        let at = worker.session.clock.now();
        said(worker.session, missing(&worker.repo, rows, at));
    }
}

fn missing<'l>(repo: &Repo, rows: impl IntoIterator<Item = &'l str>, at: Moment) -> Result<()> {
    let records = rows.into_iter().filter_map(|row| {
        let record: Record = serde_json::from_str(row).ok()?;
        Some((record.commit.0, row))
    });
    let records: Vec<(Oid, &str)> = records.collect();
    let commits: Vec<Oid> = records.iter().map(|(commit, _)| *commit).collect();
    let noted = authorship::are_noted(repo, &commits)?;
    let rows = records.iter().zip(noted).filter(|(_, noted)| !noted);
    let texts = texts(repo, rows.map(|((_, row), _)| *row))?;
    if !texts.is_empty() {
        authorship::add(repo, &texts, at)?;
    }
    Ok(())
}

/// True where other programs are told.
pub fn is_told(settings: &Settings) -> bool {
    settings.land.provenance
}

/// Returns what was written; says why where it was not. Whoever else writes that ref may have left it in any state.
fn said<T>(session: &Session, written: Result<T>) -> Option<T> {
    written
        .map_err(|error| session.say(format!("who wrote which lines was not noted: {error:#}")))
        .ok()
}

/// Unites the notes here with those that a remote has, and adds what lands with the records `lines`, as objects: of two notes on
/// one commit what is said there stands. Returns what they are here, and united; `None` where that cannot be done.
pub fn united(
    worker: &Worker<'_>,
    there: Option<CommitId>,
    lines: &[(Oid, String)],
) -> Option<(Option<CommitId>, Option<CommitId>)> {
    let (repo, at) = (&worker.repo, worker.session.clock.now());
    let united = || -> Result<_> {
        let here = refs::read(repo, refs::AUTHORSHIP)?;
        let all = authorship::join(repo, here, there, at)?;
        let texts = texts(repo, lines.iter().map(|(_, line)| line.as_str()))?;
        Ok((here, authorship::with(repo, all, &texts, at)?))
    };
    said(worker.session, united())
}
