//! Taking over: items against the backlog at hand. What is new comes, what changed there and not here follows, all else
//! stays. Doing it twice changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    backlog::{
        Backlog,
        deps::{self, DepFault},
    },
    foreign::{
        ForeignError, Format, Item, Read, Standing, text,
        tree::{MAX_NEEDS, Tree},
    },
    goal::Decision,
    id::{GoalId, Hash},
    quote::quoted,
};

/// The key of a row that says where its goal comes from.
const MARK: &str = "imported";
/// Keys that are set here, and say nothing about whether the goal was worded anew.
const LOCAL: &[&str] = &[
    MARK,
    "comments",
    "budget_usd",
    "model",
    "executor",
    "max_attempts",
    "evidence",
];

/// The key of a row with a person's decision.
const STATUS: &str = "status";
/// How goals come that are open there.
const UNDECIDED: &[&str] = &["pending", "proposed"];

/// Where a goal comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// The format.
    pub from: String,
    /// What the tool calls it.
    pub id: String,
    /// Hash of the row as it was imported.
    pub hash: String,
}

#[derive(Deserialize)]
struct Marked {
    imported: Option<Mark>,
}

/// Returns where the goal of a row comes from.
pub fn mark(row: &str) -> Option<Mark> {
    let maybe = row.contains("\"imported\"");
    maybe
        .then(|| serde_json::from_str::<Marked>(row).ok())
        .flatten()?
        .imported
}

/// True where nobody worded the goal anew since it was imported.
pub(crate) fn is_as_imported(row: &Map<String, Value>, mark: &Mark) -> bool {
    hash(row) == mark.hash
}

/// True where the tool says nothing that would keep the goal from starting.
fn is_undecided(row: &Map<String, Value>) -> bool {
    let status = row.get(STATUS).and_then(Value::as_str);
    status.is_some_and(|status| UNDECIDED.contains(&status))
}

fn hash(row: &Map<String, Value>) -> String {
    let said: BTreeMap<&String, &Value> = row.iter().filter(|(key, _)| !LOCAL.contains(&key.as_str())).collect();
    let text = serde_json::to_string(&said).unwrap_or_default();
    Hash::of("imported", [text.as_bytes()]).short(16)
}

/// The backlog at hand.
pub struct Here<'a> {
    /// The open goals.
    pub backlog: &'a Backlog,
    /// Goals that have landed.
    pub landed: &'a BTreeSet<GoalId>,
    /// The rows of those that were imported, where a file has them.
    pub landed_rows: &'a [String],
    /// Goals that are being worked on, or wait to land.
    pub busy: &'a BTreeSet<GoalId>,
}

/// A goal that was left as it is, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Left {
    /// The goal.
    pub goal: GoalId,
    /// Why.
    pub why: String,
}

/// A goal that came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Came {
    /// The goal.
    pub goal: GoalId,
    /// What the tool calls it.
    pub origin: String,
    /// One line.
    pub description: String,
    /// A person's decision that it came with.
    pub status: Decision,
}

/// What an import comes to.
#[derive(Debug, Default)]
pub struct Taken {
    /// The backlog as it shall be.
    pub backlog: Backlog,
    /// New goals.
    pub added: Vec<Came>,
    /// Goals that were worded anew there.
    pub updated: Vec<GoalId>,
    /// Goals that were closed there, and are taken out.
    pub removed: Vec<GoalId>,
    /// Goals that changed there, and were left.
    pub left: Vec<Left>,
    /// Goals that are here already as they are there.
    pub unchanged: usize,
    /// How many there were of what is no goal, by kind.
    pub left_out: BTreeMap<&'static str, usize>,
    /// What a person should know, a line each.
    pub notes: Vec<String>,
}

/// What is known of the items' goals before.
struct Known<'a> {
    open: HashMap<String, (GoalId, &'a str, Mark)>,
    landed: HashMap<String, GoalId>,
    taken: HashSet<GoalId>,
}

impl<'a> Known<'a> {
    fn of(here: &Here<'a>, format: Format) -> Self {
        let ours = |row: &str| mark(row).filter(|mark| mark.from == format.word());
        let open = here.backlog.rows().filter_map(|(id, row)| {
            let mark = ours(row)?;
            Some((mark.id.clone(), (id.clone(), row, mark)))
        });
        let landed = here.landed_rows.iter().filter_map(|row| {
            let id: GoalId = serde_json::from_str::<Map<String, Value>>(row)
                .ok()?
                .get("id")?
                .as_str()?
                .parse()
                .ok()?;
            here.landed.contains(&id).then_some((ours(row)?.id, id))
        });
        Self {
            open: open.collect(),
            landed: landed.collect(),
            taken: here.backlog.ids().iter().chain(here.landed).cloned().collect(),
        }
    }

    /// Returns the goal that an item is here already.
    fn goal(&self, item: &Item) -> Option<GoalId> {
        let open = self.open.get(&item.origin).map(|(id, ..)| id);
        let known = open.or_else(|| self.landed.get(&item.origin)).cloned();
        known.or_else(|| item.ours.clone().filter(|ours| self.taken.contains(ours)))
    }

    /// Returns a free id: the one that the item would like, else one with a hash.
    fn free(&self, item: &Item, given: &HashSet<GoalId>) -> Option<GoalId> {
        let hash = text::short_hash(&[&item.origin]);
        let wish = item.id.parse::<GoalId>().ok();
        let slug = text::slug(&item.id);
        let safe = |nth: u32| {
            let tail = if nth == 0 {
                hash.clone()
            } else {
                format!("{hash}-{nth}")
            };
            format!("{slug}-{tail}").trim_start_matches('-').parse::<GoalId>().ok()
        };
        let mut all = wish.into_iter().chain((0..1000).filter_map(safe));
        all.find(|id| !self.taken.contains(id) && !given.contains(id))
    }
}

/// Takes `read` over into the backlog; new goals come as `proposed` where that is said, else as pending.
///
/// # Errors
/// Where goals would need each other, or a row could not be one.
pub fn take(read: &Read, format: Format, proposed: bool, here: &Here<'_>) -> Result<Taken, ForeignError> {
    let known = Known::of(here, format);
    let tree = Tree::new(&read.items)?;
    let mut work = Work::new(read, format, proposed, here, &known, &tree);
    work.sort_out();
    work.word_all()?;
    work.take_out()?;
    work.end()
}

struct Work<'a> {
    items: &'a [Item],
    format: Format,
    proposed: bool,
    here: &'a Here<'a>,
    known: &'a Known<'a>,
    tree: &'a Tree<'a>,
    /// The goal of each item that is one.
    ids: Vec<Option<GoalId>>,
    /// Open here and closed there.
    closed_there: Vec<GoalId>,
    rows: Vec<String>,
    changed: BTreeMap<GoalId, String>,
    taken: Taken,
}

impl<'a> Work<'a> {
    fn new(
        read: &'a Read,
        format: Format,
        proposed: bool,
        here: &'a Here<'a>,
        known: &'a Known<'a>,
        tree: &'a Tree<'a>,
    ) -> Self {
        let taken = Taken {
            left_out: read.left_out.clone(),
            notes: read.notes.clone(),
            ..Taken::default()
        };
        Self {
            items: &read.items,
            format,
            proposed,
            here,
            known,
            tree,
            ids: vec![None; read.items.len()],
            closed_there: Vec::new(),
            rows: Vec::new(),
            changed: BTreeMap::new(),
            taken,
        }
    }

    /// Gives every item that is a goal its id, and counts those that are none.
    fn sort_out(&mut self) {
        let mut given = HashSet::new();
        if self.format == Format::Checklist {
            self.miss();
        }
        for (at, item) in self.items.iter().enumerate() {
            let known = self.known.goal(item);
            let kind = match item.standing {
                Standing::Closed => "closed",
                Standing::Rejected => "given up",
                Standing::NoWork => "no work",
                Standing::Open | Standing::Held(_) if self.tree.is_whole(at) => "wholes whose parts are goals",
                Standing::Open | Standing::Held(_) => {
                    let id = known.or_else(|| self.known.free(item, &given));
                    given.extend(id.clone());
                    if let Some(slot) = self.ids.get_mut(at) {
                        *slot = id;
                    }
                    continue;
                }
            };
            *self.taken.left_out.entry(kind).or_default() += 1;
            if let Some((id, ..)) = self.known.open.get(&item.origin) {
                self.closed_there.push(id.clone());
            }
        }
    }

    /// Names goals whose box is gone: a box has no id, so that other words make it another one.
    fn miss(&mut self) {
        let there: HashSet<&str> = self.items.iter().map(|item| item.origin.as_str()).collect();
        let gone = self
            .known
            .open
            .iter()
            .filter(|(origin, _)| !there.contains(origin.as_str()));
        let gone: BTreeSet<&GoalId> = gone.map(|(_, (id, ..))| id).collect();
        for id in gone {
            self.taken.notes.push(format!(
                "{id} is not in this list; if it was worded anew or struck there: git invisigoth drop {}",
                quoted(id.as_str())
            ));
        }
    }

    fn word_all(&mut self) -> Result<(), ForeignError> {
        let mut budget = MAX_NEEDS;
        for (at, item) in self.items.iter().enumerate() {
            let Some(id) = self.ids.get(at).cloned().flatten() else {
                continue;
            };
            let open = self.known.open.get(&item.origin);
            if open.is_none() && self.known.taken.contains(&id) {
                // It has landed here, or is a goal of ours that was exported.
                self.meet(item, id);
                continue;
            }
            let old = open.and_then(|(_, row, mark)| Some((serde_json::from_str(row).ok()?, mark)));
            let row = self.row(at, item, &id, old.as_ref().map(|(row, _)| row), &mut budget)?;
            match old {
                None => self.add(item, id, &row),
                Some((old, mark)) => self.follow(id, &old, mark, row),
            }
        }
        Ok(())
    }

    /// Counts an item whose goal is here under its id and was not imported; another goal of that id is named.
    fn meet(&mut self, item: &Item, id: GoalId) {
        // Elsewhere a copy says whose it is.
        let here = (self.format == Format::Seed)
            .then(|| self.here.backlog.get(&id))
            .flatten();
        if here.is_some_and(|goal| goal.description != item.goal.description) {
            let why = "another goal has this id here; give it one of its own there".to_owned();
            self.taken.left.push(Left { goal: id, why });
        } else {
            self.taken.unchanged += 1;
        }
    }

    /// Words an item as a row.
    fn row(
        &mut self,
        at: usize,
        item: &Item,
        id: &GoalId,
        old: Option<&Map<String, Value>>,
        budget: &mut usize,
    ) -> Result<Map<String, Value>, ForeignError> {
        let mut needs = self.tree.needs(at, budget)?;
        let mut goal = item.goal.clone();
        goal.id = Some(id.clone());
        let open = needs.open.iter().filter_map(|at| self.ids.get(*at)?.clone());
        let closed = needs
            .closed
            .iter()
            .filter_map(|at| self.known.landed.get(&self.items.get(*at)?.origin).cloned());
        goal.dependencies = open.chain(closed).collect();
        self.keep_met(&mut goal.dependencies, old);
        goal.status = if self.proposed {
            Decision::Proposed
        } else {
            Decision::Pending
        };
        if let Standing::Held(why) = &item.standing {
            (goal.status, goal.reason) = (Decision::Held, Some(why.clone()));
        } else if let Some(why) = self.tree.held_above(at) {
            (goal.status, goal.reason) = (Decision::Held, Some(text::clean(&why)));
        }
        if !needs.never.is_empty() {
            needs.never.dedup();
            let why = text::clean(&needs.never.join("; "));
            self.taken.notes.push(format!("{id} is held: it {why}"));
            (goal.status, goal.reason) = (Decision::Held, Some(why));
        }
        let mut row = match serde_json::to_value(&goal) {
            Ok(Value::Object(row)) => row,
            _ => Map::new(),
        };
        if !item.kept.is_empty() {
            row.insert(self.format.word().to_owned(), item.kept.clone().into());
        }
        let mark = Mark {
            from: self.format.word().to_owned(),
            id: item.origin.clone(),
            hash: hash(&row),
        };
        row.insert(MARK.to_owned(), serde_json::to_value(&mark).unwrap_or_default());
        Ok(row)
    }

    /// Leaves the dependencies of a row as they are where only such differ as have landed: a goal that asks the same must
    /// not look as if it asked something else.
    fn keep_met(&self, needs: &mut Vec<GoalId>, old: Option<&Map<String, Value>>) {
        let old = old.and_then(|row| row.get("dependencies")).and_then(Value::as_array);
        let old: Option<Vec<GoalId>> = old.map(|old| old.iter().filter_map(|id| id.as_str()?.parse().ok()).collect());
        let unmet = |all: &[GoalId]| -> BTreeSet<GoalId> {
            all.iter()
                .filter(|id| !self.here.landed.contains(*id))
                .cloned()
                .collect()
        };
        if let Some(old) = old.filter(|old| unmet(old) == unmet(needs)) {
            *needs = old;
        }
    }

    fn add(&mut self, item: &Item, id: GoalId, row: &Map<String, Value>) {
        let status = row
            .get(STATUS)
            .and_then(|status| Decision::deserialize(status).ok())
            .unwrap_or_default();
        self.taken.added.push(Came {
            goal: id,
            origin: text::clean(&item.origin),
            description: item.goal.description.clone(),
            status,
        });
        self.rows.push(Value::Object(row.clone()).to_string());
    }

    fn follow(&mut self, id: GoalId, old: &Map<String, Value>, mark: &Mark, mut row: Map<String, Value>) {
        let came_as = |status: &str| {
            let mut row = row.clone();
            row.insert(STATUS.to_owned(), status.into());
            row
        };
        let is_open = is_undecided(&row);
        let is_known =
            hash(&row) == mark.hash || (is_open && UNDECIDED.iter().any(|status| hash(&came_as(status)) == mark.hash));
        // What is asked for is how new goals come: those that are here stay as they are.
        if let Some(before) = old
            .get(STATUS)
            .and_then(Value::as_str)
            .filter(|_| is_open && is_undecided(old))
        {
            row = came_as(before);
            let mark = Mark {
                hash: hash(&row),
                ..mark.clone()
            };
            row.insert(MARK.to_owned(), serde_json::to_value(&mark).unwrap_or_default());
        }
        if is_known {
            self.taken.unchanged += 1;
        } else if !is_as_imported(old, mark) {
            let why = "it changed there, and was edited here".to_owned();
            self.taken.left.push(Left { goal: id, why });
        } else if self.here.busy.contains(&id) {
            let why = "it changed there, and is being worked on here".to_owned();
            self.taken.left.push(Left { goal: id, why });
        } else {
            let local = old
                .iter()
                .filter(|(key, _)| LOCAL.contains(&key.as_str()) && *key != MARK);
            for (key, value) in local {
                row.entry(key).or_insert_with(|| value.clone());
            }
            self.changed.insert(id.clone(), Value::Object(row).to_string());
            self.taken.updated.push(id);
        }
    }

    /// Takes out what was closed there, unless somebody here counts on it.
    fn take_out(&mut self) -> Result<(), ForeignError> {
        let mut after = self.here.backlog.replaced(&self.changed)?;
        let gone: BTreeSet<GoalId> = std::mem::take(&mut self.closed_there).into_iter().collect();
        let mut needed: HashMap<String, GoalId> = HashMap::new();
        for (id, head) in after.heads().filter(|(id, _)| !gone.contains(*id)) {
            for need in head.dependencies {
                needed.insert(need.into_owned(), id.clone());
            }
        }
        for id in gone {
            let row: Option<Map<String, Value>> = after.raw(&id).and_then(|row| serde_json::from_str(row).ok());
            let mark = after.raw(&id).and_then(mark);
            let as_was = row.zip(mark).is_some_and(|(row, mark)| is_as_imported(&row, &mark));
            let why = match needed.get(id.as_str()) {
                Some(other) => Some(format!("it was closed there, and {other} needs it")),
                None if self.here.busy.contains(&id) => {
                    Some("it was closed there, and is being worked on here".to_owned())
                }
                None if !as_was => Some("it was closed there, and was edited here".to_owned()),
                None => None,
            };
            match why {
                Some(why) => self.taken.left.push(Left { goal: id, why }),
                None => self.taken.removed.push(id),
            }
        }
        after = after.without(&self.taken.removed);
        let rows: Vec<&str> = self.rows.iter().map(String::as_str).collect();
        self.taken.backlog = after.with(&rows)?;
        Ok(())
    }

    /// Refuses goals that would need each other.
    fn end(self) -> Result<Taken, ForeignError> {
        let new: HashSet<&GoalId> = self
            .taken
            .added
            .iter()
            .map(|came| &came.goal)
            .chain(&self.taken.updated)
            .collect();
        let ours = |fault: &DepFault| match fault {
            DepFault::Cycle { goals } => goals.iter().any(|goal| new.contains(goal)),
            DepFault::OnItself { goal } => new.contains(goal),
            DepFault::Unknown { .. } => false,
        };
        let faults = deps::check_all(&self.taken.backlog, self.here.landed);
        let faults: Vec<String> = faults
            .iter()
            .filter(|fault| ours(fault))
            .map(ToString::to_string)
            .collect();
        match faults.split_first() {
            None => Ok(self.taken),
            Some((first, [])) => Err(ForeignError::Cycle(first.clone())),
            Some((first, more)) => Err(ForeignError::Cycle(format!("{first}, and {} more", more.len()))),
        }
    }
}
