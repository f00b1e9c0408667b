//! Starts: which of the goals that could start do so now, on what they build, and why the others wait.
//!
//! Pure: the engine starts them, and says what is in work. Never starts what would only wait or be done again later.

use std::collections::BTreeSet;

use crate::{
    context::query,
    facts::{Facts, Open},
    goal::{Decision, Goal},
    id::GoalId,
    schedule::{
        self,
        queue::{ALONE_AFTER, LARGEST},
        rank::Ranks,
    },
};

/// No goal starts while so many candidates wait: the later they land, the more of them fit no more.
const MOST_WAITING: usize = LARGEST * 3 / 2;

/// What bounds a run.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Most goals in hand at a time.
    pub jobs: usize,
    /// How many candidates that have not landed a goal may be built on, one on the other.
    pub stack: usize,
    /// Only these goals; all where empty.
    pub only: &'a [GoalId],
    /// True while a batch is red: a candidate in it may go, and what is built on it with it.
    pub is_red: bool,
}

/// What a goal touches, as far as that can be told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Footprint {
    files: BTreeSet<String>,
    is_exclusive: bool,
}

impl Footprint {
    /// Predicts what a goal will touch: the files that it declares and those of its last attempt (`touched`), else those that
    /// its wording names. A name that is no file costs an idle moment where two goals share it. A goal that was thrown out of
    /// the queue twice is worked on while nothing else is.
    pub fn of(goal: &Goal, touched: impl IntoIterator<Item = String>, evictions: u32) -> Self {
        let declared = goal.named_files().into_iter().map(str::to_owned);
        let mut files: BTreeSet<String> = declared.chain(touched).collect();
        if files.is_empty() {
            files.extend(query::named(goal.request()).into_iter().filter(|name| is_path(name)));
        }
        Self {
            files,
            is_exclusive: evictions >= ALONE_AFTER,
        }
    }

    /// Returns a file that both touch. A name that ends with a slash stands for all below it.
    fn meets(&self, other: &Self) -> Option<&str> {
        let is_below = |file: &str, folder: &str| folder.ends_with('/') && file.starts_with(folder);
        let meets = |file: &&String| {
            let shares = |theirs: &String| is_below(file, theirs) || is_below(theirs, file);
            other.files.contains(*file) || other.files.iter().any(shares)
        };
        self.files.iter().find(meets).map(String::as_str)
    }
}

/// True for a name with a folder, or with an ending that is not a number.
fn is_path(name: &str) -> bool {
    let ending = name.rsplit('.').next().filter(|ending| *ending != name);
    let is_ending = |ending: &str| ending.len() <= 5 && ending.starts_with(|c: char| c.is_ascii_alphabetic());
    name.contains('/') || ending.is_some_and(is_ending)
}

/// A goal that somebody works on, or whose candidate waits to land.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InWork {
    /// The goal.
    pub goal: GoalId,
    /// What it touches.
    pub footprint: Footprint,
    /// True for a candidate that may land.
    pub is_candidate: bool,
}

/// What a goal is built on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Base {
    /// The tip.
    Tip,
    /// The candidate of this goal, which has not landed yet.
    Candidate(GoalId),
}

/// What to start now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Starts {
    /// These, on what they build.
    pub start: Vec<(GoalId, Base)>,
    /// Goals that could start but wait, and why.
    pub wait: Vec<(GoalId, String)>,
    /// True where somebody has nothing to do and would, if what waits landed; also where nobody works any more. Then a batch
    /// is worth a check however small it is.
    pub is_starving: bool,
}

/// Lists the goals that could start by their dependencies, in order: priority, what most work waits for, the id. Those that
/// would be built on a candidate stand among the others.
pub fn startable(facts: &Facts, limits: &Limits<'_>) -> Vec<(GoalId, Base)> {
    let ranks = Ranks::of_open(facts);
    let is_asked = |id: &GoalId| limits.only.is_empty() || limits.only.contains(id);
    let ready = schedule::unordered(facts, limits.only).map(|id| (id, Base::Tip));
    let may_stack = limits.stack > 0 && !limits.is_red && !facts.candidates.is_empty();
    let blocked = facts.goals.keys().filter(|_| may_stack);
    let stacked = blocked.filter_map(|id| Some((id, stacked(facts, id, limits.stack)?)));
    let mut all: Vec<(&GoalId, Base)> = ready.chain(stacked).filter(|(id, _)| is_asked(id)).collect();
    all.sort_by_cached_key(|(id, _)| schedule::urgency(facts, &ranks, id));
    all.into_iter().map(|(id, base)| (id.clone(), base)).collect()
}

/// Returns the candidate that a goal can be built on: the only thing that it still needs, which people still want.
fn stacked(facts: &Facts, id: &GoalId, most: usize) -> Option<Base> {
    let chain = below(facts, id);
    let on = chain.first()?;
    let is_fresh = !facts.candidates.contains_key(id) && !facts.running.contains(id);
    let is_wanted = |open: &Open| open.decision == Decision::Pending;
    let is_startable = facts.goals.get(id).is_some_and(is_wanted) && is_fresh && schedule::has_not_failed(facts, id);
    let holds = |need: &GoalId| {
        let current = facts
            .candidates
            .get(need)
            .filter(|one| one.held.is_none() && !one.outdated);
        current.is_some() && facts.goals.get(need).is_some_and(is_wanted)
    };
    let is_flat = chain.len() <= most && chain.last().is_some_and(|last| unlanded(facts, last).is_empty());
    let fits = is_flat && is_startable && chain.iter().all(holds);
    fits.then(|| Base::Candidate(on.clone()))
}

/// Follows what a goal still needs as long as that is one thing: of a goal on a stack, what it is built on.
fn below(facts: &Facts, id: &GoalId) -> Vec<GoalId> {
    let mut chain: Vec<GoalId> = Vec::new();
    let mut needs = unlanded(facts, id);
    while let [need] = needs.as_slice() {
        if chain.contains(need) {
            break;
        }
        chain.push((*need).clone());
        needs = unlanded(facts, need);
    }
    chain
}

fn unlanded<'f>(facts: &'f Facts, id: &GoalId) -> Vec<&'f GoalId> {
    let needs = facts
        .goals
        .get(id)
        .map(|open| open.needs.as_slice())
        .unwrap_or_default();
    needs.iter().filter(|need| !facts.landed.contains(*need)).collect()
}

/// Chooses among those that could start (`startable`, less what the run has tried), by what is in work. Where it is the turn
/// of a goal that must be worked on alone, those behind it wait until it has landed: it would not fit again.
pub fn starts(
    facts: &Facts,
    could: Vec<(GoalId, Base)>,
    in_work: &[InWork],
    limits: &Limits<'_>,
    footprint: impl Fn(&GoalId) -> Footprint,
) -> Starts {
    let mut chosen = Starts::default();
    let mut in_work = in_work.to_vec();
    let mut waits_for_landing = false;
    let running = |in_work: &[InWork]| in_work.iter().filter(|one| !one.is_candidate).count();
    for (id, base) in could {
        if running(&in_work) >= limits.jobs {
            break;
        }
        // Only for those that are looked at: a goal must be read for it.
        let its = footprint(&id);
        match obstacle(facts, (&id, &its), &in_work) {
            None => {
                in_work.push(InWork {
                    goal: id.clone(),
                    footprint: its,
                    is_candidate: false,
                });
                chosen.start.push((id, base));
            }
            Some(Obstacle { why, landing_helps }) => {
                waits_for_landing |= landing_helps;
                chosen.wait.push((id, why));
                if its.is_exclusive {
                    break;
                }
            }
        }
    }
    let running = running(&in_work);
    let is_idle = running < limits.jobs;
    chosen.is_starving = running == 0 || is_idle && (waits_for_landing || landing_helps(facts, &in_work, limits));
    chosen
}

struct Obstacle {
    why: String,
    /// True where it would be gone if what waits landed.
    landing_helps: bool,
}

/// Says what keeps a goal from starting now.
fn obstacle(facts: &Facts, (id, its): (&GoalId, &Footprint), in_work: &[InWork]) -> Option<Obstacle> {
    let obstacle = |why: String, landing_helps| Some(Obstacle { why, landing_helps });
    let waiting = in_work.iter().filter(|one| one.is_candidate).count();
    if let Some(alone) = in_work.iter().find(|one| one.footprint.is_exclusive) {
        return obstacle(format!("{} is worked on alone", alone.goal), alone.is_candidate);
    }
    if its.is_exclusive && !in_work.is_empty() {
        let why = "it was thrown out twice, so it is worked on alone when all else has landed";
        return obstacle(why.to_owned(), waiting == in_work.len());
    }
    if waiting >= MOST_WAITING {
        return obstacle(format!("{waiting} candidates wait to land"), true);
    }
    let base = below(facts, id);
    let met = in_work.iter().filter(|one| !base.contains(&one.goal));
    let (file, one) = met.filter_map(|one| Some((its.meets(&one.footprint)?, one))).next()?;
    obstacle(format!("{} is at {file}, too", one.goal), one.is_candidate)
}

/// True where landing all that waits would make a goal ready that is not in work.
fn landing_helps(facts: &Facts, in_work: &[InWork], limits: &Limits<'_>) -> bool {
    let lands: BTreeSet<&GoalId> = in_work
        .iter()
        .filter(|one| one.is_candidate)
        .map(|one| &one.goal)
        .collect();
    let is_open = |id: &GoalId| !in_work.iter().any(|one| one.goal == *id) && schedule::has_not_failed(facts, id);
    let would_be_ready = |(id, open): (&GoalId, &Open)| {
        let is_there = |need: &GoalId| facts.landed.contains(need) || lands.contains(need);
        open.decision == Decision::Pending
            && open.needs.iter().any(|need| lands.contains(need))
            && open.needs.iter().all(is_there)
            && (limits.only.is_empty() || limits.only.contains(id))
            && is_open(id)
    };
    facts.goals.iter().any(would_be_ready)
}

#[cfg(test)]
mod tests;
