//! The three-way merge of backlogs, goal by goal and key by key. Knows nothing of git.
//!
//! The result is our text spliced, so order and bytes stay. It never fails: where both sides said something else, theirs
//! counts and a note says so; whether a goal has landed is computed elsewhere.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::{
    backlog::{
        Backlog,
        spans::{Piece, Row, on_one_line},
    },
    id::GoalId,
};

/// Something that both sides changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The goal.
    pub goal: GoalId,
    /// What the merge decided.
    pub what: Decided,
}

/// What the merge decided where both sides said something else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decided {
    /// Both changed this key; theirs counts.
    TheirKey(String),
    /// One side took the goal out, the other changed it; the changed goal stays.
    KeptEdit,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let goal = &self.goal;
        match &self.what {
            Decided::TheirKey(key) => write!(f, "goal `{goal}`: both sides changed `{key}`; theirs counts"),
            Decided::KeptEdit => write!(
                f,
                "goal `{goal}` was taken out on one side and changed on the other; it stays"
            ),
        }
    }
}

/// Merges what became of `base` on two sides. Rows that only one side changed are as that side has them.
pub fn merge(base: &Backlog, ours: &Backlog, theirs: &Backlog) -> (Backlog, Vec<Note>) {
    let mut notes = Vec::new();
    let mut swaps: BTreeMap<&GoalId, String> = BTreeMap::new();
    let mut gone: Vec<GoalId> = Vec::new();
    for (id, our) in ours.rows() {
        match (base.raw(id), theirs.raw(id)) {
            (Some(old), None) if same(old, our) => gone.push(id.clone()),
            (Some(_), None) => notes.push(Note {
                goal: id.clone(),
                what: Decided::KeptEdit,
            }),
            (old, Some(their)) => {
                let (row, keys) = rows(old, our, their);
                if row != our {
                    swaps.insert(id, row);
                }
                notes.extend(keys.into_iter().map(|key| Note {
                    goal: id.clone(),
                    what: Decided::TheirKey(key),
                }));
            }
            (None, None) => {}
        }
    }
    let mut new: Vec<&str> = Vec::new();
    for (id, their) in theirs.rows().filter(|(id, _)| ours.raw(id).is_none()) {
        let Some(old) = base.raw(id) else {
            new.push(their);
            continue;
        };
        if !same(old, their) {
            new.push(their);
            notes.push(Note {
                goal: id.clone(),
                what: Decided::KeptEdit,
            });
        }
    }
    let kept = swapped(ours, &swaps).without(&gone);
    (kept.with(&new).unwrap_or(kept), notes)
}

fn swapped(ours: &Backlog, swaps: &BTreeMap<&GoalId, String>) -> Backlog {
    let rows = ours.ids().iter().enumerate();
    let piece = |(at, id): (usize, &GoalId)| match swaps.get(id) {
        Some(row) => (id.clone(), Piece::Swap(at, row)),
        None => (id.clone(), Piece::Keep(at)),
    };
    ours.spliced(rows.map(piece).collect())
}

/// True where two rows, or two values, say the same, however they are laid out.
fn same(one: &str, two: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    one == two || (read(one).is_some() && read(one) == read(two))
}

/// Merges one goal that both sides have; returns the keys where theirs had to count.
fn rows(old: Option<&str>, our: &str, their: &str) -> (String, Vec<String>) {
    if same(our, their) || old.is_some_and(|old| same(old, their)) {
        return (our.to_owned(), Vec::new());
    }
    if old.is_some_and(|old| same(old, our)) {
        return (on_one_line(their).into_owned(), Vec::new());
    }
    let (Some(ours), Some(theirs)) = (Row::parse(our), Row::parse(their)) else {
        return (their.to_owned(), Vec::new());
    };
    let base = old.and_then(Row::parse);
    let mut keys: Vec<&str> = theirs.members().map(|(key, _, _)| key).collect();
    let only_ours = ours
        .members()
        .map(|(key, _, _)| key)
        .filter(|key| theirs.value(key).is_none());
    keys.extend(only_ours);
    let (mut row, mut notes) = (our.to_owned(), Vec::new());
    for key in keys {
        let (mine, yours) = (ours.value(key), theirs.value(key));
        let before = base.as_ref().and_then(|base| base.value(key));
        if equal(mine, yours) || equal(before, yours) {
            continue;
        }
        if !equal(before, mine) {
            notes.push(key.to_owned());
        }
        let Some(read) = Row::parse(&row) else { continue };
        row = match yours {
            Some(value) => read.with(key, &on_one_line(value)),
            None => read.without(key),
        };
    }
    (row, notes)
}

fn equal(one: Option<&str>, two: Option<&str>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => same(one, two),
        (one, two) => one == two,
    }
}

#[cfg(test)]
mod tests;
