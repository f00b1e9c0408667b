//! The backlog: the text of `memory/pending_goals.json` with the places of its rows; every change is a splice.
//!
//! Owns reading any layout that people write, and that rows which did not change keep their bytes. Writes no file.
//!
//! `spans` finds and splices rows, `read` makes goals of them, `error` says what is wrong. The other memory files: `history`
//! (those that only grow), `inbox` (goals of other branches), and `close`, which is what a landing does to all of them. Two
//! sides: `merge`, with `markers` and `conflict`. For people: `sheet` and `remark`.

pub mod bulk;
pub mod close;
pub mod conflict;
pub mod deps;
pub mod error;
pub mod history;
pub mod inbox;
pub mod markers;
pub mod merge;
pub mod read;
pub mod remark;
pub mod sheet;
pub(crate) mod spans;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    backlog::{
        error::{BacklogError, Lines, Place},
        read::{GoalHead, Site},
        spans::{Items, Piece, Row, array, cut, on_one_line},
    },
    goal::Goal,
    id::GoalId,
};

/// A backlog file: its text, its goals in file order. Goals are read from the text when they are asked for.
#[derive(Clone, Debug)]
pub struct Backlog {
    text: String,
    items: Items,
    ids: Vec<GoalId>,
    /// Row numbers in the order of their ids.
    by_id: Vec<usize>,
}

impl Default for Backlog {
    fn default() -> Self {
        let text = "[]\n".to_owned();
        let items = array(&text).unwrap_or_default();
        Self::of(text, items, Vec::new())
    }
}

impl Backlog {
    /// Reads a file: an array of goals, or an object that has one as `goals`; any JSON layout.
    ///
    /// # Errors
    /// Names place, goal and key of the first thing that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, BacklogError> {
        let text = utf8(bytes)?;
        let items = array(text)?;
        let mut ids = Vec::with_capacity(items.spans.len());
        for span in &items.spans {
            let (start, row) = (span.start, cut(text, span.clone()));
            ids.push(goal_id(&Site { text, start, row })?);
        }
        let backlog = Self::of(text.to_owned(), items, ids);
        match backlog.twice() {
            Some(fault) => Err(fault),
            None => Ok(backlog),
        }
    }

    fn of(text: String, items: Items, ids: Vec<GoalId>) -> Self {
        let mut by_id: Vec<usize> = (0..ids.len()).collect();
        by_id.sort_by_key(|at| ids.get(*at));
        Self {
            text,
            items,
            ids,
            by_id,
        }
    }

    fn twice(&self) -> Option<BacklogError> {
        let same = |pair: &[usize]| matches!(pair, [one, two] if self.ids.get(*one) == self.ids.get(*two));
        let &[first, again] = self.by_id.windows(2).find(|pair| same(pair))? else {
            return None;
        };
        let lines = Lines::of(&self.text);
        let place = |at: usize| lines.place(self.items.spans.get(at).map_or(0, |span| span.start));
        Some(BacklogError::DuplicateId {
            id: self.ids.get(first)?.clone(),
            first: place(first),
            at: place(again),
        })
    }

    /// Returns the bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.text.clone().into_bytes()
    }

    /// Returns the text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True where there is no goal.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns all ids in file order.
    pub fn ids(&self) -> &[GoalId] {
        &self.ids
    }

    /// Reads all goals in file order.
    pub fn goals(&self) -> impl Iterator<Item = (&GoalId, Goal)> {
        self.rows().filter_map(|(id, row)| Some((id, read::goal(row).ok()?)))
    }

    /// Reads the heads of all goals in file order.
    pub fn heads(&self) -> impl Iterator<Item = (&GoalId, GoalHead<'_>)> {
        self.rows().map(|(id, row)| (id, read::head(row)))
    }

    /// Returns all rows in file order, as they are written.
    pub fn rows(&self) -> impl Iterator<Item = (&GoalId, &str)> {
        let rows = self.items.spans.iter().map(|span| cut(&self.text, span.clone()));
        self.ids.iter().zip(rows)
    }

    /// Reads the goal `id`.
    pub fn get(&self, id: &GoalId) -> Option<Goal> {
        read::goal(self.raw(id)?).ok()
    }

    /// Returns the row of goal `id` as it is written.
    pub fn raw(&self, id: &GoalId) -> Option<&str> {
        Some(cut(&self.text, self.items.spans.get(self.at(id)?)?.clone()))
    }

    /// Returns where the row of goal `id` starts. For errors: it counts lines from the top.
    pub fn place(&self, id: &GoalId) -> Option<Place> {
        Some(Lines::of(&self.text).place(self.start(id)?))
    }

    fn start(&self, id: &GoalId) -> Option<usize> {
        Some(self.items.spans.get(self.at(id)?)?.start)
    }

    fn at(&self, id: &GoalId) -> Option<usize> {
        let found = self.by_id.binary_search_by_key(&Some(id), |at| self.ids.get(*at));
        self.by_id.get(found.ok()?).copied()
    }

    /// Returns the backlog with further goals, each a JSON object: sorted in by id where the file is sorted, else behind
    /// the last one.
    ///
    /// # Errors
    /// When a row is no goal, or its id is taken; places then count within that row.
    pub fn with(&self, rows: &[&str]) -> Result<Self, BacklogError> {
        let mut new = Vec::with_capacity(rows.len());
        for row in rows {
            let row = on_one_line(row.trim());
            new.push((goal_id(&Site::alone(&row))?, row));
        }
        let kept = self.ids.iter().enumerate();
        let mut all: Vec<(GoalId, Piece<'_>)> = kept.map(|(at, id)| (id.clone(), Piece::Keep(at))).collect();
        all.extend(new.iter().map(|(id, row)| (id.clone(), Piece::New(row))));
        if self.ids.is_sorted() {
            all.sort_by(|(one, _), (two, _)| one.cmp(two));
        }
        let grown = self.spliced(all);
        match grown.twice() {
            Some(fault) => Err(fault),
            None => Ok(grown),
        }
    }

    /// Returns the backlog without the goals `ids`; an id that is not there changes nothing.
    #[must_use]
    pub fn without(&self, ids: &[GoalId]) -> Self {
        let gone: BTreeSet<&GoalId> = ids.iter().collect();
        let all = self.ids.iter().enumerate();
        let kept = all.filter(|(_, id)| !gone.contains(id));
        self.spliced(kept.map(|(at, id)| (id.clone(), Piece::Keep(at))).collect())
    }

    /// Returns the backlog with `value` under `key` of goal `id`; `null` takes the key out. A conflict about that key is
    /// settled by it. No other byte changes.
    ///
    /// # Errors
    /// When there is no such goal, the value does not fit the key, or it would change the id.
    pub fn set(&self, id: &GoalId, key: &str, value: &Value) -> Result<Self, BacklogError> {
        let none = || BacklogError::NoSuchGoal { id: id.clone() };
        let at = self.at(id).ok_or_else(none)?;
        if key == "id" {
            return Err(BacklogError::FixedId { id: id.clone() });
        }
        let old = self.raw(id).and_then(Row::parse).ok_or_else(none)?;
        let row = match value {
            Value::Null => old.without(key),
            other => old.with(key, &other.to_string()),
        };
        let mut conflicts = conflict::of(&row);
        conflicts.settle(key);
        let row = conflict::put(&row, &conflicts);
        goal_id(&Site::alone(&row))?;
        let all = self.ids.iter().enumerate();
        let piece = |nth: usize| {
            if nth == at {
                Piece::Swap(nth, &row)
            } else {
                Piece::Keep(nth)
            }
        };
        Ok(self.spliced(all.map(|(nth, id)| (id.clone(), piece(nth))).collect()))
    }

    fn spliced(&self, all: Vec<(GoalId, Piece<'_>)>) -> Self {
        let (ids, pieces): (Vec<GoalId>, Vec<Piece<'_>>) = all.into_iter().unzip();
        let (text, items) = self.items.splice(&self.text, &pieces);
        Self::of(text, items, ids)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, BacklogError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let at = Lines::of(&String::from_utf8_lossy(good)).place(good.len());
        BacklogError::NotText { at }
    })
}

/// Reads the row as a goal, for the sake of its errors, and returns its id.
fn goal_id(site: &Site<'_>) -> Result<GoalId, BacklogError> {
    let goal = read::goal(site.row).map_err(|error| site.fault(&error))?;
    goal.id.ok_or_else(|| BacklogError::NoId {
        at: Lines::of(site.text).place(site.start),
    })
}

#[cfg(test)]
mod tests;
