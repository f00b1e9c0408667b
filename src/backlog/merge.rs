//! The three-way merge of memory files: of backlogs goal by goal and key by key, of the files that only grow row by row.
//! Knows nothing of git.
//!
//! Owns who wins. The result is our text spliced, so order and bytes stay. Where both sides changed one key, ours stays and
//! the other is kept under `conflict`; whether a goal has landed is computed elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
};

use serde_json::Value;

use crate::{
    backlog::{
        Backlog,
        close::PENDING,
        conflict,
        deps::{self, DepFault},
        error::BacklogError,
        history,
        inbox::{self, INBOX},
        spans::{Row, on_one_line},
        utf8,
    },
    id::GoalId,
};

/// Lists whose order says little: what each side added and took out is done to both.
const SETS: [&str; 5] = ["dependencies", "files", "labels", "evidence", "comments"];
/// A list that is joined only where neither side took anything out: a sentence reworded twice is a conflict.
const GROWING: &str = "acceptance";

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
    /// Both changed this key; ours stays, theirs is under `conflict`.
    OurKey(String),
    /// One side took the goal out, the other changed it or needs it; the goal stays.
    Kept,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let goal = &self.goal;
        match &self.what {
            Decided::OurKey(key) => write!(
                f,
                "goal `{goal}`: both sides changed `{key}`; ours stays, theirs is kept under `conflict`"
            ),
            Decided::Kept => write!(
                f,
                "goal `{goal}` was taken out on one side and changed or needed on the other; it stays"
            ),
        }
    }
}

/// Merges what became of the memory file `path` on two sides; no bytes are a file that is not there.
///
/// # Errors
/// When a side is no valid memory file.
pub fn file(path: &str, [base, ours, theirs]: [&[u8]; 3]) -> Result<Vec<u8>, BacklogError> {
    if path.ends_with(PENDING) {
        let [base, ours, theirs] = [parsed(base)?, parsed(ours)?, parsed(theirs)?];
        return Ok(merge(&base, &ours, &theirs).0.to_bytes());
    }
    if path.contains(INBOX) {
        let base = inbox::row(base).ok().map(|(_, row)| row);
        let ((one, ours), (two, theirs)) = (inbox::row(ours)?, inbox::row(theirs)?);
        if one != two {
            return Err(BacklogError::FixedId { id: one });
        }
        return Ok(inbox::text(&rows(base.as_deref(), &ours, &theirs).0).into_bytes());
    }
    grown([utf8(base)?, utf8(ours)?, utf8(theirs)?]).map(String::into_bytes)
}

fn parsed(bytes: &[u8]) -> Result<Backlog, BacklogError> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Backlog::default());
    }
    Backlog::parse(bytes)
}

/// Unites a file that only grows: ours, and behind it the rows that theirs got since the base. What the base had and ours has
/// not was sealed.
fn grown([base, ours, theirs]: [&str; 3]) -> Result<String, BacklogError> {
    let known = history::rows(ours)?;
    let before: HashSet<&str> = history::rows(base)?.into_iter().collect();
    let new: Vec<&str> = history::rows(theirs)?
        .into_iter()
        .filter(|row| !before.contains(row))
        .collect();
    let all = history::union(&known, &new);
    let old = history::union(&known, &[]).len();
    let new: Vec<String> = all.into_iter().skip(old).map(str::to_owned).collect();
    history::append(ours, &new)
}

/// Merges what became of `base` on two sides. Rows that only one side changed are as that side has them; a goal that one side
/// took out stays where the other changed it, or began to need it.
pub fn merge(base: &Backlog, ours: &Backlog, theirs: &Backlog) -> (Backlog, Vec<Note>) {
    let mut notes = Vec::new();
    let mut swaps: BTreeMap<GoalId, String> = BTreeMap::new();
    let mut gone: Vec<GoalId> = Vec::new();
    for (id, our) in ours.rows() {
        match (base.raw(id), theirs.raw(id)) {
            (Some(old), None) if same(old, our) => gone.push(id.clone()),
            (Some(_), None) => notes.push(kept(id)),
            (old, Some(their)) => {
                let (row, keys) = rows(old, our, their);
                if row != our {
                    swaps.insert(id.clone(), row);
                }
                notes.extend(keys.into_iter().map(|key| ours_stays(id, key)));
            }
            (None, None) => {}
        }
    }
    let mut new: Vec<&str> = Vec::new();
    for (id, their) in theirs.rows().filter(|(id, _)| ours.raw(id).is_none()) {
        match base.raw(id) {
            None => new.push(their),
            Some(old) if same(old, their) => gone.push(id.clone()),
            Some(_) => {
                new.push(their);
                notes.push(kept(id));
            }
        }
    }
    let all = ours.replaced(&swaps).unwrap_or_else(|_| ours.clone());
    let all = all.with(&new).unwrap_or(all);
    let needed = needed(base, &all, &gone.iter().collect());
    notes.extend(needed.iter().map(kept));
    let back: Vec<&str> = needed
        .iter()
        .filter(|id| all.raw(id).is_none())
        .filter_map(|id| base.raw(id))
        .collect();
    gone.retain(|id| !needed.contains(id));
    let joined = all.without(&gone);
    let joined = joined.with(&back).unwrap_or(joined);
    let (joined, keys) = without_cycles(joined, ours);
    notes.extend(keys);
    (joined, notes)
}

fn kept(goal: &GoalId) -> Note {
    Note {
        goal: goal.clone(),
        what: Decided::Kept,
    }
}

fn ours_stays(goal: &GoalId, key: String) -> Note {
    Note {
        goal: goal.clone(),
        what: Decided::OurKey(key),
    }
}

/// Returns those of `gone` that a goal which stays needs, and did not need in `base`: without them no goal could be read.
fn needed(base: &Backlog, all: &Backlog, gone: &BTreeSet<&GoalId>) -> BTreeSet<GoalId> {
    let mut found: BTreeSet<GoalId> = BTreeSet::new();
    if gone.is_empty() {
        return found;
    }
    let mut open: Vec<GoalId> = Vec::new();
    for (id, head) in all.heads().filter(|(id, _)| !gone.contains(id)) {
        let before = base.get(id).map(|goal| goal.dependencies).unwrap_or_default();
        let new = head.dependencies.iter().filter_map(|need| need.parse::<GoalId>().ok());
        open.extend(new.filter(|need| gone.contains(need) && !before.contains(need)));
    }
    // What stays needs what it needs.
    while let Some(id) = open.pop() {
        let needs = base.get(&id).map(|goal| goal.dependencies).unwrap_or_default();
        if found.insert(id) {
            open.extend(needs.into_iter().filter(|need| gone.contains(need)));
        }
    }
    found
}

/// Where needs of both sides together make a circle, those of goals in it are as ours has them.
fn without_cycles(mut joined: Backlog, ours: &Backlog) -> (Backlog, Vec<Note>) {
    let mut notes = Vec::new();
    let needs = |backlog: &Backlog, id: &GoalId| backlog.get(id).map(|goal| goal.dependencies);
    for cycle in cycles(&joined) {
        for id in cycle {
            let (Some(now), Some(before)) = (needs(&joined, &id), needs(ours, &id)) else {
                continue;
            };
            if now == before {
                continue;
            }
            let row = joined.raw(&id).unwrap_or_default();
            let mut conflicts = conflict::of(row);
            conflicts.add("dependencies", serde_json::json!(now));
            let old = ours.raw(&id).and_then(Row::parse);
            let value = old.as_ref().and_then(|row| row.value("dependencies")).unwrap_or("[]");
            let row = Row::parse(row).map(|row| row.with("dependencies", &on_one_line(value)));
            let row = conflict::put(&row.unwrap_or_default(), &conflicts);
            if let Ok(next) = joined.replaced(&BTreeMap::from([(id.clone(), row)])) {
                joined = next;
                notes.push(ours_stays(&id, "dependencies".to_owned()));
            }
        }
    }
    (joined, notes)
}

fn cycles(backlog: &Backlog) -> Vec<Vec<GoalId>> {
    let found = deps::check_all(backlog, &BTreeSet::new()).into_iter();
    found
        .filter_map(|fault| match fault {
            DepFault::Cycle { goals } => Some(goals),
            DepFault::Unknown { .. } | DepFault::OnItself { .. } => None,
        })
        .collect()
}

/// True where two rows, or two values, say the same, however they are laid out.
fn same(one: &str, two: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    one == two || (read(one).is_some() && read(one) == read(two))
}

/// Merges one goal that both sides have; returns the keys that both changed.
pub(crate) fn rows(old: Option<&str>, our: &str, their: &str) -> (String, Vec<String>) {
    if same(our, their) || old.is_some_and(|old| same(old, their)) {
        return (our.to_owned(), Vec::new());
    }
    if old.is_some_and(|old| same(old, our)) {
        return (on_one_line(their).into_owned(), Vec::new());
    }
    let (Some(ours), Some(theirs)) = (Row::parse(our), Row::parse(their)) else {
        return (our.to_owned(), Vec::new());
    };
    let base = old.and_then(Row::parse);
    let mut keys: Vec<&str> = theirs.members().map(|(key, _, _)| key).collect();
    let only_ours = ours.members().map(|(key, _, _)| key);
    keys.extend(only_ours.filter(|key| theirs.value(key).is_none()));
    let mut conflicts = conflict::of(old.unwrap_or_default()).merged(&conflict::of(our), &conflict::of(their));
    let (mut row, mut both) = (our.to_owned(), Vec::new());
    for key in keys.into_iter().filter(|key| *key != "id") {
        if key == conflict::KEY && conflict::is_one(our) && conflict::is_one(their) {
            continue;
        }
        let before = base.as_ref().and_then(|base| base.value(key));
        let value = match of_key(key, before, (ours.value(key), theirs.value(key))) {
            Merged::Ours => continue,
            Merged::Value(value) => value,
            Merged::Both => {
                conflicts.add(key, read(theirs.value(key)));
                both.push(key.to_owned());
                continue;
            }
        };
        let Some(read) = Row::parse(&row) else { continue };
        row = match value {
            Some(value) => read.with(key, &value),
            None => read.without(key),
        };
    }
    (conflict::put(&row, &conflicts), both)
}

/// What becomes of one key.
enum Merged {
    /// It is as ours has it.
    Ours,
    /// It is this; `None` where it goes.
    Value(Option<String>),
    /// Both changed it.
    Both,
}

fn of_key(key: &str, before: Option<&str>, (mine, yours): (Option<&str>, Option<&str>)) -> Merged {
    if equal(mine, yours) || equal(before, yours) {
        return Merged::Ours;
    }
    if equal(before, mine) {
        return Merged::Value(yours.map(|value| on_one_line(value).into_owned()));
    }
    let (Some(was), Some(one), Some(two)) = (list(before), list(mine), list(yours)) else {
        return Merged::Both;
    };
    let all_kept = was.iter().all(|value| one.contains(value) && two.contains(value));
    if !(SETS.contains(&key) || key == GROWING && all_kept) {
        return Merged::Both;
    }
    let mut all: Vec<&Value> = one
        .iter()
        .filter(|value| two.contains(value) || !was.contains(value))
        .collect();
    all.extend(two.iter().filter(|value| !one.contains(value) && !was.contains(value)));
    let all: Value = all.into_iter().cloned().collect();
    Merged::Value(Some(all.to_string()))
}

/// Reads a list; a key that is not there is an empty one.
fn list(text: Option<&str>) -> Option<Vec<Value>> {
    match read(text) {
        Value::Null => Some(Vec::new()),
        Value::Array(list) => Some(list),
        _ => None,
    }
}

fn read(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

fn equal(one: Option<&str>, two: Option<&str>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => same(one, two),
        (one, two) => one == two,
    }
}

#[cfg(test)]
mod tests;
