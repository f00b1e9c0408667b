//! Landing's part in the memory files: goals move from pending to completed, records are appended, full segments sealed.
//!
//! Bytes in, bytes out; the caller reads and commits them. Closing twice changes nothing.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    backlog::{
        Backlog,
        error::BacklogError,
        history::{append, completed_row, rows, seal, union},
        inbox::Inbox,
        read::id_text,
        spans::Row,
        utf8,
    },
    id::{CommitId, GoalId},
};

/// The open goals.
pub const PENDING: &str = "memory/pending_goals.json";
/// The newest goals that have landed.
pub const COMPLETED: &str = "memory/completed_goals.json";
/// The newest records.
pub const HISTORY: &str = "memory/history.json";
/// The folder of sealed segments of `COMPLETED`.
pub const COMPLETED_SEGMENTS: &str = "memory/completed/";
/// The folder of sealed segments of `HISTORY`.
pub const HISTORY_SEGMENTS: &str = "memory/history/";

/// The memory files of one tree; empty bytes for a file that is not there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MemoryFiles {
    /// `PENDING`
    pub pending: Vec<u8>,
    /// `COMPLETED`
    pub completed: Vec<u8>,
    /// `HISTORY`
    pub history: Vec<u8>,
    /// Sealed segments by path. All paths are needed, to number the next one; bytes only of those that could hold the
    /// goals at hand, the newest as a rule.
    pub segments: BTreeMap<String, Vec<u8>>,
    /// The files of the inbox, by path.
    pub inbox: BTreeMap<String, Vec<u8>>,
}

impl MemoryFiles {
    /// Returns the open goals: those of the backlog's file, and those of the inbox.
    ///
    /// # Errors
    /// When the backlog's file cannot be read. A file of the inbox that cannot be read is passed over.
    pub fn open(&self) -> Result<Backlog, BacklogError> {
        self.inbox().folded(self.array()?)
    }

    fn array(&self) -> Result<Backlog, BacklogError> {
        match self.pending.as_slice() {
            [] => Ok(Backlog::default()),
            bytes => Backlog::parse(bytes).map_err(|error| error.in_file(PENDING)),
        }
    }

    fn inbox(&self) -> Inbox {
        let files = self.inbox.iter();
        Inbox::readable(files.map(|(path, bytes)| (path.as_str(), bytes.as_slice())))
    }
}

/// One goal that lands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Landing<'a> {
    /// The goal.
    pub goal: &'a GoalId,
    /// Its record as JSON on one line; empty where the record comes with the next landing.
    pub record_line: String,
    /// The candidate; absent where it is the very commit that will hold these files.
    pub commit: Option<CommitId>,
    /// RFC 3339 UTC.
    pub landed_at: String,
    /// The goal's row as it was worked on, for a goal that is no longer in the backlog.
    pub row: Option<String>,
}

/// A landed goal that people took back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reopened<'a> {
    /// The goal.
    pub goal: &'a GoalId,
    /// Why, for the goal's `reason`.
    pub reason: String,
    /// Its row as the taking back left it, if it left one: such a row is held too, another one stays as it is.
    pub row: Option<&'a str>,
}

/// Puts goals back into the backlog, as held. Their completed rows stay: a goal in both files is open.
fn reopen(backlog: &Backlog, completed: &[&str], reopened: &[Reopened<'_>]) -> Result<Backlog, BacklogError> {
    let mut open = backlog.clone();
    for Reopened { goal, reason, .. } in reopened.iter().filter(|back| backlog.raw(back.goal) == back.row) {
        if backlog.raw(goal).is_some() {
            open = open.set(goal, "status", &json!("held"))?;
            open = open.set(goal, "reason", &json!(reason))?;
            continue;
        }
        let known = completed.iter().rev().find(|row| is_of(row, goal));
        open = with_held(&open, goal, known.copied(), reason)?;
    }
    Ok(open)
}

/// Returns the backlog with goal `goal` put back as held: worded as its completed row is, or not at all without one.
///
/// # Errors
/// When the backlog has that goal, or the row is none.
pub fn with_held(
    backlog: &Backlog,
    goal: &GoalId,
    completed: Option<&str>,
    reason: &str,
) -> Result<Backlog, BacklogError> {
    let unworded = json!({ "id": goal }).to_string();
    let row = completed.unwrap_or(&unworded);
    let held = Row::parse(row).map_or(unworded.clone(), |row| row.with("status", "\"held\""));
    let mut open = backlog.with(&[&held])?;
    for (key, value) in [
        ("commit", json!(null)),
        ("landed_at", json!(null)),
        ("reason", json!(reason)),
    ] {
        open = open.set(goal, key, &value)?;
    }
    Ok(open)
}

/// Returns path and bytes of each memory file that is another one after `landings` and `reopened`, no bytes for one that
/// goes: the inbox is folded into the backlog's file. `late` are records of
/// earlier landings that could not hold their own, `stale` goals that had landed before their rows were recorded: a row
/// that stayed would open such a goal again. Goals that nobody worded (they are not in the backlog) are completed with what
/// is known: id and commit.
///
/// # Errors
/// Names the file that cannot be read, and the place in it.
pub fn close(
    files: &MemoryFiles,
    landings: &[Landing<'_>],
    reopened: &[Reopened<'_>],
    late: &[&str],
    stale: &[GoalId],
) -> Result<Vec<(String, Vec<u8>)>, BacklogError> {
    let inbox = files.inbox();
    let backlog = inbox.folded(files.array()?)?;
    let mut patch = Vec::new();
    let landed = landings.iter().map(|landing| landing.goal);
    let gone: Vec<GoalId> = landed.chain(stale).cloned().collect();
    let completed = Log::read(COMPLETED, COMPLETED_SEGMENTS, &files.completed, &files.segments)?;
    let closed = completed.new_goals(&backlog, landings);
    let rows = completed.rows.iter().copied();
    let rows: Vec<&str> = rows.chain(closed.iter().map(String::as_str)).collect();
    let open = reopen(&backlog.without(&gone), &rows, reopened)?;
    if open.text() != backlog.text() || !inbox.is_empty() {
        patch.push((PENDING.to_owned(), open.to_bytes()));
    }
    patch.extend(inbox.paths().map(|path| (path.to_owned(), Vec::new())));
    patch.extend(completed.grown(&closed)?);
    let history = Log::read(HISTORY, HISTORY_SEGMENTS, &files.history, &files.segments)?;
    let new = landings.iter().map(|landing| landing.record_line.trim_end());
    let lines: Vec<&str> = late.iter().copied().chain(new).collect();
    patch.extend(history.grown(&history.new_records(&lines))?);
    Ok(patch)
}

/// Returns path and bytes of each history file that is another one once it also has `lines`, the note lines of commits
/// whose rows it lacks.
///
/// # Errors
/// As `close`.
pub fn mirror(files: &MemoryFiles, lines: &[&str]) -> Result<Vec<(String, Vec<u8>)>, BacklogError> {
    let history = Log::read(HISTORY, HISTORY_SEGMENTS, &files.history, &files.segments)?;
    history.grown(&history.new_records(lines))
}

/// One grow-only file with its segments.
struct Log<'a> {
    path: &'a str,
    folder: &'a str,
    text: &'a str,
    /// All rows that are at hand, sealed ones first.
    rows: Vec<&'a str>,
    /// How many segments there are.
    sealed: usize,
}

impl<'a> Log<'a> {
    fn read(
        path: &'a str,
        folder: &'a str,
        bytes: &'a [u8],
        segments: &'a BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, BacklogError> {
        let text = utf8(bytes).map_err(|error| error.in_file(path))?;
        let mut log = Self {
            path,
            folder,
            text,
            rows: Vec::new(),
            sealed: 0,
        };
        for (name, bytes) in segments {
            if let Some(number) = number(name, folder) {
                let sealed = utf8(bytes).and_then(rows).map_err(|error| error.in_file(name))?;
                log.rows.extend(sealed);
                log.sealed = log.sealed.max(number);
            }
        }
        log.rows.extend(rows(text).map_err(|error| error.in_file(path))?);
        Ok(log)
    }

    /// Returns rows for the goals that are not completed by these very commits yet.
    fn new_goals(&self, backlog: &Backlog, landings: &[Landing<'_>]) -> Vec<String> {
        let is = |row: &str, landing: &Landing<'_>| {
            let commit = landing.commit.map(|commit| format!("\"{commit}\""));
            // A plain commit cannot name itself: one that lands an open goal lands it anew.
            let is_another = commit.is_none() && backlog.raw(landing.goal).is_some();
            is_of(row, landing.goal)
                && !is_another
                && Row::parse(row).is_some_and(|row| row.value("commit") == commit.as_deref())
        };
        let mut new: Vec<String> = Vec::new();
        for landing in landings {
            let known = self.rows.iter().copied().chain(new.iter().map(String::as_str));
            if known.rev().any(|row| is(row, landing)) {
                continue;
            }
            let unworded = json!({ "id": landing.goal }).to_string();
            let worded = || self.rows.iter().rev().copied().find(|row| is_of(row, landing.goal));
            let raw = backlog.raw(landing.goal).or(landing.row.as_deref()).or_else(worded);
            let raw = raw.unwrap_or(&unworded);
            new.push(completed_row(raw, landing.commit.as_ref(), &landing.landed_at));
        }
        new
    }

    /// Returns the records that are not there yet.
    fn new_records(&self, lines: &[&str]) -> Vec<String> {
        let lines: Vec<&str> = lines.iter().copied().filter(|line| !line.trim().is_empty()).collect();
        let old = union(&self.rows, &[]).len();
        let all = union(&self.rows, &lines);
        all.into_iter().skip(old).map(str::to_owned).collect()
    }

    /// Returns the files that change when `new` rows are appended.
    fn grown(&self, new: &[String]) -> Result<Vec<(String, Vec<u8>)>, BacklogError> {
        let mut patch = Vec::new();
        if new.is_empty() {
            return Ok(patch);
        }
        let mut text = append(self.text, new).map_err(|error| error.in_file(self.path))?;
        let mut number = self.sealed;
        while let Some((segment, rest)) = seal(&text).map_err(|error| error.in_file(self.path))? {
            number += 1;
            patch.push((format!("{}{number:04}.json", self.folder), segment.into_bytes()));
            text = rest;
        }
        patch.push((self.path.to_owned(), text.into_bytes()));
        Ok(patch)
    }
}

fn is_of(row: &str, goal: &GoalId) -> bool {
    id_text(row).is_some_and(|id| id == goal.as_str())
}

fn number(path: &str, folder: &str) -> Option<usize> {
    path.strip_prefix(folder)?.strip_suffix(".json")?.parse().ok()
}

#[cfg(test)]
mod tests;
