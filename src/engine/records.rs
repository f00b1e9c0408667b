//! Records: the two replicas of what is known of landed commits, notes and `history.json`. Every writer unites both.
//!
//! Owns what is missing where. A row is passed on byte for byte; nothing is ever deleted.

use std::collections::{BTreeSet, HashMap};

use eyre::Result;
use serde_json::Value;

use crate::{
    backlog::{
        close::{HISTORY, HISTORY_SEGMENTS},
        history as rows,
        spans::on_one_line,
    },
    engine::{
        land, provenance,
        recall::{self, backlog_fault},
        target,
        worker::Worker,
    },
    git::{Repo, history, notes, refs, tree},
    id::{CommitId, GoalId, Oid},
    record::Line,
    time::Moment,
};

/// Brings notes and mirror together: a row of the tip's open history file whose commit has no such line is noted.
///
/// # Errors
/// When notes cannot be read or written.
pub fn heal_notes(worker: &Worker<'_>) -> Result<usize> {
    let repo = &worker.repo;
    let history = land::memory_files(repo, worker.target.tip)?.history;
    let texts = [String::from_utf8_lossy(&history).into_owned()];
    let missing = unite_notes(repo, &texts, worker.session.clock.now())?;
    heal_authorship(worker, &texts)?;
    Ok(missing)
}

/// As `heal_notes`, of the notes on who wrote which lines, by the rows of the given history files and by those that they
/// could not hold.
///
/// # Errors
/// When a history file cannot be read.
pub fn heal_authorship(worker: &Worker<'_>, texts: &[String]) -> Result<()> {
    let mut all: Vec<&str> = worker.unwritten.iter().map(String::as_str).collect();
    for text in texts {
        all.extend(rows::rows(text).map_err(|error| backlog_fault(&error.in_file(HISTORY)))?);
    }
    provenance::heal(worker, all);
    Ok(())
}

/// So many commits are told of to other programs at once while a run goes on: each time costs some objects, and nobody waits.
const MANY: usize = 32;

/// What landed and is not noted yet.
#[derive(Default)]
pub struct Unnoted {
    records: Vec<(Oid, String)>,
    /// Whose records are noted, and of which other programs are not told yet.
    untold: Vec<(Oid, String)>,
}

impl Unnoted {
    /// Takes in the line of a record.
    pub fn add(&mut self, commit: CommitId, line: String) {
        self.records.push((commit.0, line));
    }

    /// Notes the records, and who wrote which lines: of `all`, or where that is much by now.
    ///
    /// # Errors
    /// When the records cannot be noted.
    pub fn note(&mut self, worker: &Worker<'_>, all: bool) -> Result<()> {
        let lines = std::mem::take(&mut self.records);
        notes::add(&worker.repo, refs::NOTES, &lines, worker.session.clock.now())?;
        self.untold.extend(lines);
        if all || self.untold.len() >= MANY {
            provenance::note(worker, &std::mem::take(&mut self.untold));
        }
        Ok(())
    }
}

/// Returns the records that the tip's history file could not hold because they are about the very commit that wrote it
/// (`isolation = "none"`).
///
/// # Errors
/// When history or notes cannot be read.
pub fn late_rows(repo: &Repo, tip: CommitId) -> Result<Vec<String>> {
    let written = String::from_utf8_lossy(&land::memory_files(repo, tip)?.history).into_owned();
    let mut late = Vec::new();
    for commit in history::beyond(repo, tip)?.trusted {
        if history::entry(repo, commit)?.trailers("Goal").next().is_some() {
            let lines = notes::lines(repo, refs::NOTES, commit.0)?;
            late.extend(lines.into_iter().filter(|line| !written.contains(line.as_str())));
        }
    }
    Ok(late)
}

/// Returns the rows of the history files of `tip`, and those that they could not hold, of what happened since a day or a time in
/// RFC 3339 UTC, in order of landing. Reads sealed files only as far back as it must.
///
/// # Errors
/// When the history files cannot be read.
pub fn rows_since(repo: &Repo, tip: CommitId, since: &str) -> Result<Vec<String>> {
    let root = tree::of_commit(repo, tip)?;
    let at = |row: &str| serde_json::from_str::<Line>(row).map_or_else(|_| String::new(), |line| line.at);
    let mut parts = vec![late_rows(repo, tip)?];
    let sealed = tree::names_in(repo, root, HISTORY_SEGMENTS)?;
    let sealed = sealed.into_iter().rev().map(|name| format!("{HISTORY_SEGMENTS}{name}"));
    for path in std::iter::once(HISTORY.to_owned()).chain(sealed) {
        let bytes = tree::read_file(repo, root, &path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let all = rows::rows(&text).map_err(|error| backlog_fault(&error.in_file(&path)))?;
        let is_over = all.first().is_some_and(|row| at(row).as_str() < since);
        parts.push(all.into_iter().map(str::to_owned).collect());
        if is_over {
            break;
        }
    }
    let mut rows: Vec<String> = parts.into_iter().rev().flatten().collect();
    rows.retain(|row| at(row).as_str() >= since);
    Ok(rows)
}

/// Notes every row of the given history files that is not noted yet; returns how many were missing.
///
/// # Errors
/// As `heal_notes`.
pub fn unite_notes(repo: &Repo, texts: &[String], at: Moment) -> Result<usize> {
    let mut lines: Vec<(Oid, String)> = Vec::new();
    for text in texts {
        for row in rows::rows(text).map_err(|error| backlog_fault(&error.in_file(HISTORY)))? {
            if let Ok(line) = serde_json::from_str::<Line>(row) {
                lines.push((line.commit.0, on_one_line(row).into_owned()));
            }
        }
    }
    let wanted: Vec<Oid> = lines.iter().map(|(commit, _)| *commit).collect();
    let there = notes::lines_of_all(repo, refs::NOTES, &wanted)?;
    // A person may have laid the file out anew.
    let value = |line: &str| serde_json::from_str::<Value>(line).ok();
    let is_there =
        |line: &String, there: &[String]| there.contains(line) || there.iter().any(|noted| value(noted) == value(line));
    let missing: Vec<(Oid, String)> = lines
        .into_iter()
        .zip(there)
        .filter(|((_, line), there)| !is_there(line, there))
        .map(|(line, _)| line)
        .collect();
    if !missing.is_empty() {
        notes::add(repo, refs::NOTES, &missing, at)?;
    }
    Ok(missing.len())
}

/// Returns the noted records that no history file of `tip` has, in order of time: of commits that are part of it, and of the
/// goals `also`, whatever became of their commits.
///
/// # Errors
/// When history or notes cannot be read.
pub fn missing_rows(repo: &Repo, tip: CommitId, also: &BTreeSet<&GoalId>) -> Result<Vec<String>> {
    let texts = recall::memory_texts(repo, tree::of_commit(repo, tip)?, HISTORY, HISTORY_SEGMENTS)?;
    let mut known = BTreeSet::new();
    for text in &texts {
        known.extend(rows::rows(text).map_err(|error| backlog_fault(&error.in_file(HISTORY)))?);
    }
    let noted: Vec<Oid> = notes::annotated(repo, refs::NOTES)?;
    let all = notes::lines_of_all(repo, refs::NOTES, &noted)?;
    let mut missing = BTreeSet::new();
    for (commit, lines) in noted.into_iter().zip(all) {
        let new: Vec<String> = lines
            .into_iter()
            .filter(|line| !known.contains(line.as_str()))
            .collect();
        if new.is_empty() {
            continue;
        }
        let reachable = history::contains(repo, tip, CommitId(commit))?;
        // Whoever likes may write into a note; what is no record stays there.
        let wanted = |line: &String| {
            let said = serde_json::from_str::<Line>(line);
            said.is_ok_and(|said| reachable || also.contains(&said.goal))
        };
        missing.extend(new.into_iter().filter(wanted));
    }
    let ranks = ranks(repo, tip)?;
    let mut missing: Vec<String> = missing.into_iter().collect();
    // Within a second only history tells what came first; a taking back comes after what it took back.
    missing.sort_by_cached_key(|line| {
        serde_json::from_str::<Line>(line)
            .map(|line| (line.at, ranks.get(&line.commit).copied(), line.kind))
            .unwrap_or_default()
    });
    Ok(missing)
}

/// Numbers the commits that landed, the oldest first.
fn ranks(repo: &Repo, tip: CommitId) -> Result<HashMap<CommitId, usize>> {
    let landings = history::landings(repo, tip, usize::MAX)?;
    let members = landings.iter().rev().flat_map(target::members);
    Ok(members.enumerate().map(|(rank, (_, commit))| (commit, rank)).collect())
}
