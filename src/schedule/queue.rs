//! The queue: what to check next of a batch of candidates that shall land together, how large batches are, in which order
//! candidates stand, and when a batch is worth a check.
//!
//! Pure: the engine merges, checks and lands, and tells verdicts. Decides by them alone, so that it can be asked at any time.

use std::{cmp::Reverse, collections::BTreeSet};

use crate::{
    facts::Facts,
    id::GoalId,
    schedule::{self, rank::Ranks},
    time::Moment,
};

/// Most members of a batch, and how many a queue begins with. Larger ones are slower: a red one costs more than it saves.
pub const LARGEST: usize = 8;

/// Fewest members that a batch is cut down to by red verdicts.
const SMALLEST: usize = 2;

/// How many candidates must wait before a batch is checked while everybody has something to do.
const PATIENT: usize = LARGEST / 2;

/// A goal that was thrown out of the queue so often lands alone, and is worked on alone.
pub const ALONE_AFTER: u32 = 2;

/// What a check said of a code tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It passed.
    Green,
    /// It failed.
    Red,
}

/// What is known of one prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Known {
    reds: usize,
    is_green: bool,
    under_way: usize,
}

/// A batch under test: its members in order, and what is known of its prefixes, the first so many of them merged.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Of the prefix with as many members as the place says; nothing of none, which is the tip.
    known: Vec<Known>,
    /// Checks that were started.
    started: usize,
}

/// What to do about a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Check these prefixes now besides those under way, the most useful first.
    Check(Vec<usize>),
    /// The first so many land; the rest, if any, queues again. Checks under way are of no use any more.
    Land {
        /// How many.
        members: usize,
    },
    /// The first so many land, and the next one goes. Checks under way are of no use any more.
    Evict {
        /// How many land; none where the first is the culprit.
        land: usize,
        /// The place of the culprit in the batch, from 0.
        culprit: usize,
    },
    /// Nothing before a check under way ends.
    Wait,
}

impl Batch {
    /// Returns a batch of which nothing is known.
    pub fn new(members: usize) -> Self {
        Self {
            known: vec![Known::default(); members + 1],
            started: 0,
        }
    }

    /// Returns how many members it has.
    pub fn len(&self) -> usize {
        self.known.len().saturating_sub(1)
    }

    /// True where it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in that a check of the first `prefix` members began.
    pub fn started(&mut self, prefix: usize) {
        if let Some(known) = self.known.get_mut(prefix) {
            known.under_way += 1;
            self.started += 1;
        }
    }

    /// Takes in a verdict on the first `prefix` members merged: of a check that was started, or one from before. One green
    /// verdict is enough: no later red one takes it back.
    pub fn learn(&mut self, prefix: usize, verdict: Verdict) {
        let Some(known) = self.known.get_mut(prefix).filter(|_| prefix > 0) else {
            return;
        };
        known.under_way = known.under_way.saturating_sub(1);
        match verdict {
            Verdict::Green => known.is_green = true,
            Verdict::Red => known.reds += 1,
        }
    }

    /// Returns what to do, where at most `jobs` checks of this batch may be under way at a time.
    ///
    /// The whole batch goes first. Red, the search keeps two ends: the longest green prefix, and the shortest red one longer
    /// than that. Where they meet, the one member between them is the culprit; but nobody goes for a flake, so the red one
    /// must be red twice. As a longer green prefix outdoes a shorter red one, a flake in the search costs checks, never a
    /// wrong landing. With several jobs the whole is looked at again at once, for a flake of it lands everybody.
    pub fn next(&self, jobs: usize) -> Step {
        let (whole, green) = (self.len(), self.green());
        if green == whole {
            return Step::Land { members: whole };
        }
        let Some(red) = self.red_after(green) else {
            let is_under_way = self.of(whole).under_way > 0;
            return if is_under_way {
                Step::Wait
            } else {
                self.check(jobs, vec![whole])
            };
        };
        if red == green + 1 && self.of(red).reds > 1 {
            return Step::Evict {
                land: green,
                culprit: green,
            };
        }
        if jobs == 1 && self.started >= cap(whole) && green > 0 && self.under_way() == 0 {
            return Step::Land { members: green };
        }
        self.check(jobs, self.useful(green, red, jobs))
    }

    /// Lists what would tell more of a red batch between its two ends, the most useful first.
    fn useful(&self, green: usize, red: usize, jobs: usize) -> Vec<usize> {
        let whole = self.len();
        let mut splits = self.splits(green, red).into_iter();
        let mut useful: Vec<usize> = splits.next().into_iter().collect();
        // With one job the search comes first: it ends with a second look at what it finds.
        if jobs > 1 && self.is_suspect(whole) {
            useful.push(whole);
        }
        useful.extend(splits);
        if self.is_suspect(red) && !useful.contains(&red) {
            useful.push(red);
        }
        useful
    }

    /// Lists the prefixes between two ends of which nothing is known, the middle of the widest gap first; what is under way
    /// is an end, too.
    fn splits(&self, green: usize, red: usize) -> Vec<usize> {
        let under_way = (green + 1..red).filter(|at| self.of(*at).under_way > 0);
        let mut ends: Vec<usize> = [green].into_iter().chain(under_way).chain([red]).collect();
        let mut splits = Vec::new();
        loop {
            let gaps = ends.iter().zip(ends.iter().skip(1));
            let widest = gaps.map(|(from, to)| (to - from, Reverse(*from))).max();
            let Some((gap, Reverse(from))) = widest.filter(|(gap, _)| *gap > 1) else {
                return splits;
            };
            splits.push(from + gap / 2);
            ends.push(from + gap / 2);
            ends.sort_unstable();
        }
    }

    fn check(&self, jobs: usize, mut prefixes: Vec<usize>) -> Step {
        prefixes.truncate(jobs.saturating_sub(self.under_way()));
        if prefixes.is_empty() {
            Step::Wait
        } else {
            Step::Check(prefixes)
        }
    }

    fn of(&self, prefix: usize) -> Known {
        self.known.get(prefix).copied().unwrap_or_default()
    }

    /// The longest green prefix; none of the members, which is the tip, is green.
    fn green(&self) -> usize {
        self.known.iter().rposition(|known| known.is_green).unwrap_or(0)
    }

    /// The shortest red prefix longer than `green`.
    fn red_after(&self, green: usize) -> Option<usize> {
        (green + 1..self.known.len()).find(|at| self.of(*at).reds > 0)
    }

    /// True where one red verdict is all that is known, and no second look is under way.
    fn is_suspect(&self, prefix: usize) -> bool {
        let known = self.of(prefix);
        known.reds == 1 && !known.is_green && known.under_way == 0
    }

    fn under_way(&self) -> usize {
        self.known.iter().map(|known| known.under_way).sum()
    }
}

/// Most checks of a batch one after the other, `2 * ceil(log2 n) + 1`: then what is green lands, and the others queue again.
fn cap(members: usize) -> usize {
    let halvings = members.max(1).next_power_of_two().trailing_zeros();
    2 * halvings as usize + 1
}

/// Returns how large the next batch may be after a verdict on one of size `size`: half after a red one, one more after a
/// green one.
pub fn next_size(size: usize, verdict: Verdict) -> usize {
    match verdict {
        Verdict::Green => size.saturating_add(1).min(LARGEST),
        Verdict::Red => (size / 2).max(SMALLEST),
    }
}

/// A candidate that may land: current, and nobody holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Its goal.
    pub goal: GoalId,
    /// How often the goal was thrown out of the queue.
    pub evictions: u32,
    /// True where a person approved exactly this candidate: that is no word about others.
    pub is_approved: bool,
    /// When it was made.
    pub made_at: Moment,
}

impl Waiting {
    /// True where it lands by itself.
    fn goes_alone(&self) -> bool {
        self.evictions >= ALONE_AFTER || self.is_approved
    }
}

/// Puts candidates in the order in which they land: what was thrown out twice, then priority, what most work waits for
/// (`ranks`), the oldest, the id; each after what it needs. Leaves out what needs something that neither landed nor waits.
pub fn ordered(facts: &Facts, ranks: &Ranks, mut waiting: Vec<Waiting>) -> Vec<Waiting> {
    waiting.sort_by_cached_key(|one| {
        let is_late = one.evictions >= ALONE_AFTER;
        let (urgency, id) = schedule::urgency(facts, ranks, &one.goal);
        (Reverse(is_late), urgency, one.made_at, id)
    });
    let mut placed: BTreeSet<GoalId> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(waiting.len());
    let is_next = |placed: &BTreeSet<GoalId>, one: &Waiting| {
        let open = facts.goals.get(&one.goal);
        let is_there = |need: &GoalId| facts.landed.contains(need) || placed.contains(need);
        open.is_some_and(|open| open.needs.iter().all(is_there))
    };
    while let Some(at) = waiting.iter().position(|one| is_next(&placed, one)) {
        let one = waiting.remove(at);
        placed.insert(one.goal.clone());
        ordered.push(one);
    }
    ordered
}

/// Returns how many of the candidates in order make the next batch, of at most `size`.
pub fn members(ordered: &[Waiting], size: usize) -> usize {
    match ordered.iter().position(Waiting::goes_alone) {
        Some(0) => 1,
        Some(at) => at.min(size),
        None => ordered.len().min(size),
    }
}

/// True where a batch should be checked now, of so many candidates that `waiting` says. What has a verdict already, as where a
/// candidate was made on the tip, needs no check and lands at once.
///
/// The queue is patient. Each goal is checked once by itself, and each batch once more; a queue that checks whatever waits as
/// soon as it can makes batches of two where eight work, so 1.5 checks a goal. With `PATIENT` members it is 1.25. To wait costs
/// no time while everybody has work that does not depend on it; where it does (`is_starving`, of `schedule/starts`), a worker
/// that stands still is dearer than a check.
pub fn worth_checking(waiting: usize, is_starving: bool) -> bool {
    waiting > 0 && (is_starving || waiting >= PATIENT)
}

#[cfg(test)]
mod tests;
