//! Forecast: how much longer goals in hand take, and all that a run has ahead of it, by how long goals took that landed.
//!
//! Pure, and always a range: the middle half of the past. Says nothing where too few goals landed to tell.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap},
    time::Duration,
};

use crate::{
    facts::{Candidate, Facts},
    goal::Decision,
    id::GoalId,
    schedule::{self, rank::Ranks},
    time::{Moment, eta::Eta},
};

/// From so many past goals on there is something to tell by.
pub const ENOUGH: usize = 3;

/// What a run works at, and may start.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The time.
    pub now: Moment,
    /// Goals in hand, and since when.
    pub in_hand: &'a BTreeMap<GoalId, Moment>,
    /// Goals that were in hand before: none of them is tried because it was named.
    pub tried: &'a BTreeSet<GoalId>,
    /// Only these; all where empty.
    pub only: &'a [GoalId],
    /// How many goals are in work at a time.
    pub jobs: usize,
    /// How many more goals may start.
    pub room: usize,
}

/// What a run has ahead of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forecast {
    /// Goals, those in hand among them.
    pub ahead: usize,
    /// How many of them it has yet to start.
    pub starts: usize,
    /// How long they take together; absent where too little is known.
    pub eta: Option<Eta>,
}

/// Returns how much longer a goal takes that has taken `elapsed`: as much as those of the `past` took, the shortest first,
/// that took longer. `None` where it outlasts them all.
pub fn left(past: &[Duration], elapsed: Duration) -> Option<Eta> {
    let longer = past.partition_point(|took| *took <= elapsed);
    let (least, most) = middle(past.get(longer..)?).filter(|_| past.len() >= ENOUGH)?;
    Some(Eta {
        least: least.saturating_sub(elapsed),
        most: most.saturating_sub(elapsed),
    })
}

/// Returns the quartiles of `all`, the least first.
pub fn middle<T: Copy>(all: &[T]) -> Option<(T, T)> {
    let last = all.len().checked_sub(1)?;
    Some((*all.get(last / 4)?, *all.get((last * 3).div_ceil(4))?))
}

/// Foretells how long a run goes on: as if every goal that it can start takes as long as others did, and lands.
pub fn whole(facts: &Facts, work: &Work<'_>) -> Forecast {
    let nodes = nodes(facts, work);
    let past = facts.durations.landed.as_slice();
    let fresh = left(past, Duration::ZERO);
    let (counts, least) = play(&nodes, work, |node| node.takes(past, fresh).map(|eta| eta.least));
    let (_, most) = play(&nodes, work, |node| node.takes(past, fresh).map(|eta| eta.most));
    let eta = least.zip(most).map(|(least, most)| Eta { least, most });
    let (ahead, starts) = counts;
    Forecast {
        ahead,
        starts,
        eta: eta.filter(|eta| !eta.most.is_zero()),
    }
}

/// How far a goal is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// It can begin once what it needs landed.
    Ahead,
    /// In hand, here where there is a time.
    Work(Option<Duration>),
    /// What it made waits to land.
    Done,
}

struct Node {
    at: At,
    urgency: Reverse<(i64, Duration)>,
    /// How many of its needs have not landed; more than there are nodes where one never will.
    missing: usize,
    dependents: Vec<usize>,
}

impl Node {
    fn takes(&self, past: &[Duration], fresh: Option<Eta>) -> Option<Eta> {
        match self.at {
            At::Ahead | At::Work(None) => fresh,
            // What outlasts all others is taken for one that begins anew.
            At::Work(Some(elapsed)) => left(past, elapsed).or(fresh),
            At::Done => Some(Eta {
                least: Duration::ZERO,
                most: Duration::ZERO,
            }),
        }
    }
}

fn nodes(facts: &Facts, work: &Work<'_>) -> Vec<Node> {
    let known: Vec<(&GoalId, At)> = facts
        .goals
        .keys()
        .filter_map(|id| Some((id, at(facts, work, id)?)))
        .collect();
    let places: HashMap<&GoalId, usize> = known.iter().map(|(id, _)| *id).zip(0..).collect();
    let ranks = Ranks::of_open(facts);
    let mut nodes: Vec<Node> = known
        .iter()
        .map(|(id, at)| Node {
            at: *at,
            urgency: schedule::urgency(facts, &ranks, id).0,
            missing: 0,
            dependents: Vec::new(),
        })
        .collect();
    for (place, (id, at)) in known.iter().enumerate() {
        let needs = facts
            .goals
            .get(*id)
            .map(|open| open.needs.as_slice())
            .unwrap_or_default();
        let open = needs.iter().filter(|need| !facts.landed.contains(*need));
        // What is in work already waits for nothing.
        for need in open.filter(|_| !matches!(at, At::Work(_))) {
            let before = places.get(need).copied();
            if let Some(node) = before.and_then(|before| nodes.get_mut(before)) {
                node.dependents.push(place);
            }
            if let Some(node) = nodes.get_mut(place) {
                node.missing += if before.is_some() { 1 } else { known.len() + 1 };
            }
        }
    }
    nodes
}

/// Says how far a goal is; `None` for one that this run does nothing at.
fn at(facts: &Facts, work: &Work<'_>, id: &GoalId) -> Option<At> {
    if let Some(since) = work.in_hand.get(id) {
        return Some(At::Work(Some(work.now.since(*since))));
    }
    let open = facts.goals.get(id)?;
    let is_told = work.only.contains(id);
    if open.decision != Decision::Pending || !(is_told || work.only.is_empty()) {
        return None;
    }
    let waits = |candidate: &Candidate| !candidate.outdated;
    match facts.candidates.get(id).filter(|candidate| waits(candidate)) {
        _ if facts.running.contains(id) => Some(At::Work(None)),
        Some(candidate) => candidate.held.is_none().then_some(At::Done),
        None if is_told && !work.tried.contains(id) => Some(At::Ahead),
        None => schedule::has_not_failed(facts, id).then_some(At::Ahead),
    }
}

/// How many goals end, and how many of them start.
type Counts = (usize, usize);

/// Plays the run and returns how many goals end in it, and after how long the last one does.
fn play(nodes: &[Node], work: &Work<'_>, takes: impl Fn(&Node) -> Option<Duration>) -> (Counts, Option<Duration>) {
    let mut missing: Vec<usize> = nodes.iter().map(|node| node.missing).collect();
    let mut ready = BTreeSet::new();
    let mut busy = BinaryHeap::new();
    let (mut free, mut room) = (work.jobs.saturating_sub(work.in_hand.len()), work.room);
    let (mut ahead, mut is_known, mut now) = (0, true, Duration::ZERO);
    let mut end = |node: &Node, now: Duration| {
        let takes = takes(node);
        is_known &= takes.is_some();
        Reverse(now + takes.unwrap_or_default())
    };
    for (place, node) in nodes.iter().enumerate().filter(|(_, node)| node.missing == 0) {
        match node.at {
            At::Ahead => drop(ready.insert((node.urgency, place))),
            At::Work(_) | At::Done => busy.push((end(node, now), place)),
        }
    }
    loop {
        while free > 0
            && room > 0
            && let Some((_, place)) = ready.pop_first()
        {
            (free, room) = (free - 1, room - 1);
            if let Some(node) = nodes.get(place) {
                busy.push((end(node, now), place));
            }
        }
        let Some((Reverse(ended), place)) = busy.pop() else {
            break;
        };
        (now, ahead) = (ended, ahead + 1);
        let Some(node) = nodes.get(place) else { continue };
        free += usize::from(matches!(node.at, At::Ahead | At::Work(Some(_))));
        for dependent in &node.dependents {
            let (Some(missing), Some(node)) = (missing.get_mut(*dependent), nodes.get(*dependent)) else {
                continue;
            };
            *missing -= 1;
            match node.at {
                _ if *missing > 0 => {}
                At::Ahead => drop(ready.insert((node.urgency, *dependent))),
                At::Work(_) | At::Done => busy.push((end(node, now), *dependent)),
            }
        }
    }
    ((ahead, work.room - room), is_known.then_some(now))
}

#[cfg(test)]
mod tests;
