//! The grow-only files: rows of `history.json` and `completed_goals.json`, in landing order.
//!
//! Owns appending, uniting and sealing them. Never rewrites an old row, never drops one.

use std::{borrow::Cow, collections::HashSet};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    backlog::{
        error::{BacklogError, Lines},
        read::{goal, id_text},
        spans::{Items, Piece, Row, array, cut, newline, on_one_line},
    },
    goal::Goal,
    id::{CommitId, GoalId},
};

/// Rows of a sealed segment.
const SEGMENT: usize = 256;

/// Returns the rows as they are written, oldest first. A text of blanks is a file that is not there yet.
///
/// # Errors
/// Names the place of what is no JSON array.
pub fn rows(text: &str) -> Result<Vec<&str>, BacklogError> {
    let items = items(text)?;
    Ok(items.spans.into_iter().map(|span| cut(text, span)).collect())
}

fn items(text: &str) -> Result<Items, BacklogError> {
    if text.trim().is_empty() {
        Ok(Items::default())
    } else {
        array(text)
    }
}

/// Returns the text with `rows` behind the last one, one a line. Looks only for the closing bracket, unless people
/// laid the file out in another way.
///
/// # Errors
/// When there is no closing bracket.
pub fn append(text: &str, rows: &[String]) -> Result<String, BacklogError> {
    let rows: Vec<Cow<'_, str>> = rows.iter().map(|row| on_one_line(row)).collect();
    if rows.is_empty() {
        return Ok(text.to_owned());
    }
    if text.trim().is_empty() {
        return Ok(file(&rows.join(",\n")));
    }
    let Some(before) = text.trim_end().strip_suffix(']') else {
        let items = array(text)?;
        let kept = (0..items.spans.len()).map(Piece::Keep);
        let pieces: Vec<Piece<'_>> = kept.chain(rows.iter().map(|row| Piece::New(row))).collect();
        return Ok(items.splice(text, &pieces).0);
    };
    let old = before.trim_end();
    let end = newline(text);
    let joint = if old.ends_with('[') {
        end.to_owned()
    } else {
        format!(",{end}")
    };
    let new = rows.join(&format!(",{end}"));
    Ok(format!("{old}{joint}{new}{end}{}", cut(text, before.len()..text.len())))
}

fn file(rows: &str) -> String {
    format!("[\n{rows}\n]\n")
}

/// What makes two rows the same record, whoever wrote them down.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Identity {
    goal: String,
    commit: String,
    /// Absent for landings; an undo hangs on the same commit as the landing that it undoes.
    #[serde(default)]
    kind: Option<String>,
    /// Two machines may undo the same commit, each for a reason of its own; landing it is the same whenever it was.
    #[serde(default)]
    undone_at: Option<String>,
    #[serde(default)]
    why: Option<String>,
}

/// Unites two sets of rows: all of `ours` in their order, then what only `theirs` have. The same record (goal and
/// commit), or the same bytes, is kept once.
pub fn union<'a>(ours: &[&'a str], theirs: &[&'a str]) -> Vec<&'a str> {
    let mut records = HashSet::new();
    let mut bytes = HashSet::new();
    let mut all = Vec::new();
    for row in ours.iter().chain(theirs) {
        let new = match serde_json::from_str::<Identity>(row) {
            Ok(identity) => records.insert(identity),
            Err(_) => bytes.insert(*row),
        };
        if new {
            all.push(*row);
        }
    }
    all
}

/// Moves the oldest full segment out where there are more rows than one segment holds: the segment's text, and the
/// rest's.
///
/// # Errors
/// As `rows`.
pub fn seal(text: &str) -> Result<Option<(String, String)>, BacklogError> {
    let items = items(text)?;
    if items.spans.len() <= SEGMENT {
        return Ok(None);
    }
    let (oldest, _) = items.spans.split_at(SEGMENT);
    let oldest: Vec<&str> = oldest.iter().map(|span| cut(text, span.clone())).collect();
    let kept: Vec<Piece<'_>> = (SEGMENT..items.spans.len()).map(Piece::Keep).collect();
    Ok(Some((file(&oldest.join(",\n")), items.splice(text, &kept).0)))
}

/// Makes the row of `completed_goals.json` out of the goal's row in the backlog: all its bytes but line breaks, its
/// `status` completed, `commit` and `landed_at` (RFC 3339 UTC) at its end.
pub fn completed_row(goal_raw: &str, commit: Option<&CommitId>, landed_at: &str) -> String {
    let mut row = on_one_line(goal_raw.trim()).into_owned();
    let commit = commit.map(ToString::to_string);
    let commit = commit.as_deref().map(|commit| ("commit", commit));
    for (key, value) in [Some(("status", "completed")), commit, Some(("landed_at", landed_at))]
        .into_iter()
        .flatten()
    {
        if let Some(read) = Row::parse(&row) {
            row = read.with(key, &Value::from(value).to_string());
        }
    }
    row
}

/// Returns the ids of the goals in a text of `completed_goals.json` or of one of its segments.
///
/// # Errors
/// As `rows`, and where a row has no id.
pub fn landed_ids(text: &str) -> Result<impl Iterator<Item = GoalId>, BacklogError> {
    let ids: Result<Vec<GoalId>, BacklogError> = items(text)?
        .spans
        .into_iter()
        .map(|span| {
            let at = || Lines::of(text).place(span.start);
            let id = id_text(cut(text, span.clone())).ok_or_else(|| BacklogError::NoId { at: at() })?;
            id.parse().map_err(|source| BacklogError::BadId { at: at(), source })
        })
        .collect();
    Ok(ids?.into_iter())
}

/// Reads what the goal of a completed row asked for; `None` where it is no goal.
pub fn asked(row: &str) -> Option<Goal> {
    goal(&Row::parse(row)?.without("status")).ok()
}

#[cfg(test)]
mod tests;
