//! The inbox: goals that were added on a branch other than the one that goals land on, a file each, so that no two branches
//! change the same file. A landing folds them into the backlog.
//!
//! Owns names and form of these files. Reads and writes none.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    backlog::{
        Backlog,
        error::BacklogError,
        goal_id, merge,
        read::Site,
        spans::{on_one_line, only_value},
        utf8,
    },
    id::GoalId,
};

/// Their folder.
pub const INBOX: &str = "memory/inbox/";

/// Returns the path of the file for goal `id`.
pub fn path(id: &GoalId) -> String {
    format!("{INBOX}{}.json", id.ref_part())
}

/// True for the name of a file in the folder that holds a goal.
pub fn is_named(name: &str) -> bool {
    name.ends_with(".json") && !name.starts_with('.')
}

/// Returns the text of the file for a goal with this row.
pub fn text(row: &str) -> String {
    format!("{}\n", on_one_line(row.trim()))
}

/// Reads a file: the goal's id, and its row on one line.
///
/// # Errors
/// Names the place of what is wrong.
pub fn row(bytes: &[u8]) -> Result<(GoalId, String), BacklogError> {
    let text = utf8(bytes)?;
    let start = only_value(text)?;
    let row = text.get(start..).unwrap_or_default().trim_end();
    let id = goal_id(&Site { text, start, row })?;
    Ok((id, on_one_line(row).into_owned()))
}

/// The goals of an inbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inbox {
    goals: BTreeMap<GoalId, String>,
    paths: BTreeMap<String, GoalId>,
    /// Goals that the backlog's file has, too.
    doubled: BTreeSet<GoalId>,
}

impl Inbox {
    /// Reads files, given with their paths. Two of the same goal are merged.
    ///
    /// # Errors
    /// As `row`, with the file's name.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, BacklogError> {
        let mut all = Self::default();
        for (path, bytes) in files {
            all.take(path, bytes).map_err(|error| error.in_file(path))?;
        }
        Ok(all)
    }

    /// As `read`; passes over files that cannot be read.
    pub fn readable<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut all = Self::default();
        for (path, bytes) in files {
            // Readers name it; what a landing does to other goals must not wait for it.
            all.take(path, bytes).unwrap_or_default();
        }
        all
    }

    fn take(&mut self, path: &str, bytes: &[u8]) -> Result<(), BacklogError> {
        let (id, row) = row(bytes)?;
        let row = match self.goals.get(&id) {
            Some(first) => merge::rows(None, first, &row).0,
            None => row,
        };
        self.paths.insert(path.to_owned(), id.clone());
        self.goals.insert(id, row);
        Ok(())
    }

    /// True where there is no goal.
    pub fn is_empty(&self) -> bool {
        self.goals.is_empty()
    }

    /// Returns the goals that no other file has.
    pub fn ids(&self) -> impl Iterator<Item = &GoalId> {
        self.goals.keys().filter(|id| !self.doubled.contains(*id))
    }

    /// Returns the paths of goals that the backlog's file has, too: once that file says all of them, they can go.
    pub fn doubled(&self) -> impl Iterator<Item = &str> {
        self.doubled.iter().flat_map(|id| self.paths_of(id))
    }

    /// Returns the paths of the files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    /// Returns the paths of the files of goal `id`.
    pub fn paths_of(&self, id: &GoalId) -> impl Iterator<Item = &str> {
        let own = self.paths.iter().filter(move |(_, goal)| *goal == id);
        own.map(|(path, _)| path.as_str())
    }

    /// Takes in which goals the backlog's file has, too.
    #[must_use]
    pub fn beside(mut self, backlog: &Backlog) -> Self {
        self.doubled = self
            .goals
            .keys()
            .filter(|id| backlog.raw(id).is_some())
            .cloned()
            .collect();
        self
    }

    /// Returns `backlog` with these goals. One that it has is merged: what stands there stays.
    ///
    /// # Errors
    /// When a row is no goal.
    pub fn folded(&self, backlog: Backlog) -> Result<Backlog, BacklogError> {
        if self.is_empty() {
            return Ok(backlog);
        }
        let (mut new, mut joined) = (Vec::new(), BTreeMap::new());
        for (id, row) in &self.goals {
            match backlog.raw(id) {
                None => new.push(row.as_str()),
                Some(there) => {
                    joined.insert(id.clone(), merge::rows(None, there, row).0);
                }
            }
        }
        backlog.replaced(&joined)?.with(&new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_goal_in_any_layout_and_what_is_wrong_is_named() {
        let (id, read) = row(b"\n {\n  \"id\": \"a/b\",\n  \"x\": 1\n }\n").unwrap();
        assert_eq!((id.as_str(), read.as_str()), ("a/b", r#"{"id": "a/b","x": 1}"#));
        assert!(path(&id).starts_with("memory/inbox/a-b-"), "{}", path(&id));
        for (bytes, says) in [
            (&b"<<<<<<< ours\n{\"id\":\"a\"}\n"[..], "line 1: a conflict marker"),
            (b"[]", "a row must be an object"),
            (b"{\"id\":\"a\"} x", "broken JSON"),
            (b"{}", "no `id`"),
            (b"", "broken JSON"),
        ] {
            let error = Inbox::read([("memory/inbox/a.json", bytes)]).unwrap_err().to_string();
            assert!(
                error.starts_with("memory/inbox/a.json: ") && error.contains(says),
                "{error}"
            );
        }
    }

    #[test]
    fn a_goal_that_the_backlog_has_too_is_merged_and_nothing_is_lost() {
        let backlog = Backlog::parse(b"[\n{\"id\":\"a\",\"prompt\":\"p\"}\n]\n").unwrap();
        let files: [(&str, &[u8]); 2] = [
            ("memory/inbox/a.json", b"{\"id\":\"a\",\"prompt\":\"q\",\"x\":1}"),
            ("memory/inbox/b.json", b"{\"id\":\"b\"}"),
        ];
        let folded = Inbox::read(files).unwrap().folded(backlog).unwrap();
        let joined = r#"{"id":"a","prompt":"p","x":1,"conflict":{"prompt":["q"]}}"#;
        assert_eq!(folded.text(), format!("[\n{joined},\n{{\"id\":\"b\"}}\n]\n"));
    }
}
