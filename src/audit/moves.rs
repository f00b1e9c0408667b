//! What a landing may do to the memory files: its members go from pending to completed and leave a record each. All else
//! must be explained by what people did before it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    audit::{
        Divergence, What,
        delta::{Delta, Head, cut, worded},
    },
    backlog::{
        history::{asked, completed_row},
        read,
    },
    id::{CommitId, GoalId},
    record::Undone,
};

/// How the memory files of a landing differ from those of its first parent.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// The open goals.
    pub pending: Delta,
    /// The goals that have landed.
    pub completed: Delta,
    /// The records.
    pub history: Delta,
}

/// One member of a landing.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The goal.
    pub goal: &'a GoalId,
    /// Its commit; absent where it is the very commit that has these files.
    pub commit: Option<CommitId>,
    /// The landing's date, RFC 3339 UTC.
    pub landed_at: &'a str,
}

fn names(row: &str, goal: &GoalId) -> bool {
    read::id_text(row).is_some_and(|id| id == goal.as_str())
}

/// Compares what a landing did for one member with what it had to do.
pub fn member(moves: &Moves, member: &Member<'_>) -> Vec<Divergence> {
    let goal = member.goal;
    let mut found = Vec::new();
    let mut differ = |expected: &str, there: String| {
        found.push(Divergence::new(What::Memory, expected, there));
    };
    if moves.pending.added.iter().any(|row| names(row, goal)) {
        differ("the goal gone from pending_goals.json", "it is there".into());
    }
    let pending = moves.pending.gone.iter().find(|row| names(row, goal));
    let mut completed = moves.completed.added.iter().filter(|row| names(row, goal));
    match (completed.next(), pending) {
        (None, _) => differ("the goal in completed_goals.json", "it is not there".into()),
        (Some(row), Some(open)) => {
            let right = completed_row(open, member.commit.as_ref(), member.landed_at);
            if right != *row {
                let (expected, there) = worded(&right, row);
                differ(&format!("completed_goals.json: {expected}"), there);
            }
        }
        (Some(row), None) => {
            let again = completed_row(row, member.commit.as_ref(), member.landed_at);
            if again != *row {
                let (expected, there) = worded(&again, row);
                differ(&format!("completed_goals.json: {expected}"), there);
            }
        }
    }
    if completed.next().is_some() {
        differ("one row in completed_goals.json", "more".into());
    }
    found
}

/// Who knows what happened before a landing.
pub trait Before {
    /// True where the goal landed at any time before.
    fn landed(&self, goal: &GoalId) -> bool;
    /// True where the record is of a landing before.
    fn recorded(&self, head: &Head) -> bool;
}

/// Finds what a landing of `members` did to other goals that nothing before it explains.
pub fn others(moves: &Moves, members: &[Member<'_>], before: &dyn Before) -> Vec<Divergence> {
    let mut found = Vec::new();
    let mut differ = |expected: &str, row: &str| {
        found.push(Divergence::new(What::Memory, expected, cut(row)));
    };
    let is_member = |id: &str| members.iter().any(|member| member.goal.as_str() == id);
    let landed = |id: &str| id.parse().is_ok_and(|goal: GoalId| before.landed(&goal));
    for row in moves.pending.gone.iter().chain(&moves.pending.added) {
        let id = read::id_text(row).unwrap_or_default();
        // A goal that people landed goes, one that they took back comes.
        if !is_member(&id) && !landed(&id) {
            differ("no other open goal touched", row);
        }
    }
    for row in &moves.completed.added {
        let id = read::id_text(row).unwrap_or_default();
        if !is_member(&id) && !landed(&id) {
            differ("no goal completed that did not land", row);
        }
    }
    for row in &moves.history.added {
        let head = Head::of(row);
        let is_own = |head: &Head| {
            let mut all = members.iter();
            all.any(|member| member.goal == &head.goal && member.commit == Some(head.commit))
        };
        if !head.is_some_and(|head| is_own(&head) || before.recorded(&head)) {
            differ("no record of what did not land", row);
        }
    }
    found
}

/// A landed goal that an undo puts back into the backlog.
#[derive(Clone, Copy, Debug)]
pub struct Back<'a> {
    /// The goal.
    pub goal: &'a GoalId,
    /// Its completed row, where it is known.
    pub row: Option<&'a str>,
}

fn undone<'m>(moves: &'m Moves, backs: &'m [Back<'m>]) -> impl Iterator<Item = Undone> + 'm {
    let all = moves.history.added.iter().filter_map(|row| Undone::of_line(row));
    all.filter(|undone| backs.iter().any(|back| *back.goal == undone.goal))
}

/// True for an undo that people made anew, by a rebase or a cherry-pick: its rows keep the date that they had.
pub fn is_of_people(moves: &Moves, backs: &[Back<'_>], undone_at: &str) -> bool {
    let mut dates = undone(moves, backs).map(|undone| undone.undone_at).peekable();
    dates.peek().is_some() && dates.all(|date| date != undone_at)
}

/// Compares what an undo at `undone_at` (RFC 3339 UTC) did for one goal with what it had to do.
pub fn back(moves: &Moves, back: &Back<'_>, undone_at: &str) -> Vec<Divergence> {
    let goal = back.goal;
    let mut found = Vec::new();
    let mut differ = |expected: String, there: String| {
        found.push(Divergence::new(What::Memory, expected, there));
    };
    match undone(moves, &[*back]).next() {
        Some(row) if row.undone_at == undone_at => {}
        Some(row) => differ(format!("undone_at {undone_at}"), format!("undone_at {}", row.undone_at)),
        None => differ("a row in history.json that it was undone".into(), "none".into()),
    }
    let Some(open) = moves.pending.added.iter().find(|row| names(row, goal)) else {
        differ("the goal in pending_goals.json".into(), "it is not there".into());
        return found;
    };
    if !is_held(open) {
        differ("the goal held".into(), cut(open));
    }
    // One that was open already stays as people worded it.
    let is_new = !moves.pending.gone.iter().any(|row| names(row, goal));
    let version = |row: &str| asked(row).map(|goal| goal.version());
    if let Some(row) = back.row.filter(|row| is_new && version(row) != version(open)) {
        let (expected, there) = worded(row, open);
        differ(format!("pending_goals.json: {expected}"), there);
    }
    found
}

/// Finds open goals that an undo touched though nothing before it explains that.
pub fn not_back(moves: &Moves, backs: &[Back<'_>], before: &dyn Before) -> Vec<Divergence> {
    let rows = moves.pending.gone.iter().chain(&moves.pending.added);
    let touched = rows.filter(|row| {
        let id = read::id_text(row).unwrap_or_default();
        let is_back = backs.iter().any(|back| back.goal.as_str() == id);
        !is_back && !id.parse().is_ok_and(|goal: GoalId| before.landed(&goal))
    });
    touched
        .map(|row| Divergence::new(What::Memory, "no other open goal touched", cut(row)))
        .collect()
}

fn is_held(row: &str) -> bool {
    serde_json::from_str::<Value>(row).is_ok_and(|row| row.get("status").and_then(Value::as_str) == Some("held"))
}

/// A row that a file which only grows lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// The row as it was.
    pub row: String,
    /// Its goal, if it names one.
    pub goal: Option<GoalId>,
    /// What to say of it.
    pub divergence: Divergence,
}

/// Finds rows that a file which only grows lost, except of the goals `excused`. In a merge, a record of the same name may
/// stand for one of the other side.
pub fn lost(delta: &Delta, file: &str, excused: &BTreeSet<GoalId>, is_other_side: bool) -> Vec<Lost> {
    let mut found = Vec::new();
    for row in &delta.gone {
        let goal = goal_of(row);
        if goal.as_ref().is_some_and(|goal| excused.contains(goal)) {
            continue;
        }
        let stands_for = |other: &&String| match (Head::of(row), Head::of(other)) {
            (Some(one), Some(two)) => one == two,
            _ => goal.is_some() && goal_of(other) == goal,
        };
        let other = delta.added.iter().find(stands_for);
        // Whoever lays a file out anew changes no row.
        let value = |row: &str| serde_json::from_str::<Value>(row).ok();
        if other.is_some_and(|other| value(other) == value(row)) {
            continue;
        }
        if is_other_side && (other.is_some() || Head::of(row).is_none()) {
            continue;
        }
        let divergence = match other {
            Some(other) => {
                let (expected, there) = worded(row, other);
                Divergence::new(What::Row, format!("{file}: {expected}"), there)
            }
            None => Divergence::new(What::Row, format!("{file}: {}", cut(row)), "it is gone"),
        };
        found.push(Lost {
            row: row.clone(),
            goal,
            divergence,
        });
    }
    found
}

/// Returns the goal that a row of a record or of a completed goal names.
pub fn goal_of(row: &str) -> Option<GoalId> {
    Head::of(row)
        .map(|head| head.goal)
        .or_else(|| read::id_text(row)?.parse().ok())
}

#[cfg(test)]
mod tests;
