//! The past: what the newest commits below a tip say, and which files they touched. Pure; the engine reads commits.
//!
//! `known` has commits as they were read, `message` reads what they say, `kept` is how they are written down; `walk` finds
//! which of them count. `Past` has them by term and by file, and follows the tip: what left is taken out, what is new put in.

pub mod kept;
pub mod known;
pub mod message;
pub mod renames;
pub mod walk;

use std::collections::{BTreeSet, HashMap};

use crate::{
    context::{
        past::known::{Known, MANY, Touch, at, count},
        terms::Term,
    },
    id::CommitId,
    path::RepoPath,
};

/// Most commits that count.
pub const MOST: usize = 2000;

/// The newest commits below a tip, merges left out.
#[derive(Debug, Default)]
pub struct Past {
    known: Known,
    /// The commits that count, the newest first.
    order: Vec<u32>,
    /// How each known commit stands to them.
    standings: Vec<Standing>,
    terms: HashMap<Term, Postings>,
    /// Sum of the lengths of all messages that count.
    length: u64,
    /// The files that each commit touched, under their names of today; none where it touched many.
    files: Lists,
    /// The places of the commits that touched each path.
    touching: Lists,
}

/// How a known commit stands to those that count.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// Where in the order it stands.
    place: Option<u32>,
    /// It is among the commits of its terms.
    is_listed: bool,
    /// It is in their numbers.
    counts: bool,
}

/// The commits with a term, also such as count no more.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    /// How many of them count.
    pub(crate) live: u32,
    /// Each commit, and how often the term is in its message.
    pub(crate) commits: Vec<(u32, u16)>,
}

/// A list of numbers for each of the numbers 0, 1, 2 …
#[derive(Debug, Default)]
struct Lists {
    ends: Vec<usize>,
    all: Vec<u32>,
}

impl Lists {
    fn get(&self, number: u32) -> &[u32] {
        let number = at(number);
        let start = match number.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(self.all.len()),
            None => 0,
        };
        let end = self.ends.get(number).copied().unwrap_or(start);
        self.all.get(start..end).unwrap_or_default()
    }

    fn close(&mut self) {
        self.ends.push(self.all.len());
    }

    /// Returns for each number below `most` the lists that it is in.
    fn turned(&self, most: usize) -> Self {
        let mut starts = vec![0_usize; most + 1];
        for number in &self.all {
            if let Some(size) = starts.get_mut(at(*number) + 1) {
                *size += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut turned = vec![0; self.all.len()];
        for list in 0..count(self.ends.len()) {
            for number in self.get(list) {
                let Some(next) = starts.get_mut(at(*number)) else {
                    continue;
                };
                if let Some(free) = turned.get_mut(*next) {
                    *free = list;
                    *next += 1;
                }
            }
        }
        // Each start has moved to the end of its list.
        starts.truncate(most);
        Self {
            ends: starts,
            all: turned,
        }
    }
}

impl Past {
    /// Returns the commits that were read so far.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// As `known`, to add to them.
    pub fn known_mut(&mut self) -> &mut Known {
        &mut self.known
    }

    /// Makes those known commits count that `walk` found, the newest first. Costs what changed, and a glance at each.
    pub fn follow(&mut self, commits: &[CommitId]) {
        self.standings.resize(self.known.len(), Standing::default());
        let order = commits.iter().filter_map(|id| self.known.number(*id)).collect();
        let before = std::mem::replace(&mut self.order, order);
        for number in &before {
            if let Some(standing) = self.standings.get_mut(at(*number)) {
                standing.place = None;
            }
        }
        for (place, number) in (0..).zip(&self.order) {
            if let Some(standing) = self.standings.get_mut(at(*number)) {
                standing.place = Some(place);
            }
        }
        for number in before {
            self.settle(number);
        }
        for at in 0..self.order.len() {
            if let Some(number) = self.order.get(at).copied() {
                self.settle(number);
            }
        }
        self.resolve();
    }

    /// Counts a commit in, or out, as it has a place or none.
    fn settle(&mut self, number: u32) {
        let (Some(standing), Some(row)) = (self.standings.get_mut(at(number)), self.known.row(number)) else {
            return;
        };
        let counts = standing.place.is_some();
        if standing.counts == counts {
            return;
        }
        let is_new = !standing.is_listed;
        (standing.counts, standing.is_listed) = (counts, true);
        for (term, times) in &row.terms {
            let postings = self.terms.entry(*term).or_default();
            if is_new {
                postings.commits.push((number, *times));
            }
            match counts {
                true => postings.live += 1,
                false => postings.live = postings.live.saturating_sub(1),
            }
        }
        match counts {
            true => self.length += u64::from(row.length),
            false => self.length = self.length.saturating_sub(u64::from(row.length)),
        }
    }

    /// Names what each commit touched as it is called today: from the newest to the oldest, a rename gives what it came
    /// from its present name.
    fn resolve(&mut self) {
        let mut names: Vec<u32> = (0..count(self.known.paths())).collect();
        let mut files = Lists::default();
        let mut here: Vec<u32> = Vec::new();
        for row in self.order.iter().filter_map(|number| self.known.row(*number)) {
            here.clear();
            let today = |touch: &Touch| names.get(at(touch.path)).copied().unwrap_or(touch.path);
            here.extend(row.touches.iter().map(today));
            for (touch, today) in row.touches.iter().zip(&here) {
                if let Some(name) = touch.was.and_then(|was| names.get_mut(at(was))) {
                    *name = *today;
                }
            }
            if row.changed <= MANY {
                here.sort_unstable();
                here.dedup();
                files.all.extend_from_slice(&here);
            }
            files.close();
        }
        self.touching = files.turned(self.known.paths());
        self.files = files;
    }

    /// Returns how many commits count.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True where none counts, as in a repository without commits.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Returns how rare `term` is in messages, from 0 (in each) to 1 (in none).
    pub fn rarity(&self, term: Term) -> f32 {
        let all = f64::from(count(self.len())) + 1.0;
        let with = f64::from(self.postings(term).map_or(0, |postings| postings.live));
        let rarity = (1.0 + all / (with + 0.5)).ln() / (1.0 + 2.0 * all).ln();
        as_f32(rarity)
    }

    /// Returns the commits that touched any of the files that are at `paths` today, the newest first, each with its place;
    /// none that touched more than 40 files.
    pub fn touched<'p>(&self, paths: impl IntoIterator<Item = &'p RepoPath>) -> Vec<(u32, CommitId)> {
        let numbers = paths.into_iter().filter_map(|path| self.known.number_of(path));
        let places: BTreeSet<u32> = numbers.flat_map(|number| self.touching.get(number)).copied().collect();
        let commit = |place: u32| Some((place, self.known.row(*self.order.get(at(place))?)?.id));
        places.into_iter().filter_map(commit).collect()
    }

    /// Returns the commits that count with the first lines of their messages (at most 120 bytes), the newest first.
    #[cfg(test)]
    pub fn subjects(&self) -> impl Iterator<Item = (CommitId, &str)> {
        let rows = self.order.iter().filter_map(|number| self.known.row(*number));
        rows.map(|row| (row.id, &*row.subject))
    }

    /// Returns the first line of a known commit's message, at most 120 bytes.
    pub fn subject(&self, commit: CommitId) -> Option<&str> {
        Some(&self.known.row(self.known.number(commit)?)?.subject)
    }

    /// Returns the terms of the message of the commit at `place`.
    pub(crate) fn terms_at(&self, place: u32) -> &[(Term, u16)] {
        let row = self.order.get(at(place)).and_then(|number| self.known.row(*number));
        row.map_or(&[], |row| &row.terms)
    }

    pub(crate) fn postings(&self, term: Term) -> Option<&Postings> {
        self.terms.get(&term)
    }

    /// Returns the place of a known commit; `None` where it does not count.
    pub(crate) fn place(&self, number: u32) -> Option<u32> {
        self.standings.get(at(number))?.place
    }

    /// Returns the numbers of the files that the commit at `place` touched, as they are called today; none where many.
    pub(crate) fn files(&self, place: u32) -> &[u32] {
        self.files.get(place)
    }

    /// Returns how many terms the message of the commit at `place` has.
    pub(crate) fn length_at(&self, place: u32) -> u32 {
        let row = self.order.get(at(place)).and_then(|number| self.known.row(*number));
        row.map_or(0, |row| row.length)
    }

    /// Returns the sum over all messages that count of how many terms they have.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}

/// Rounds to what scores are kept in.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
pub(crate) fn as_f32(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
pub(in crate::context) mod tests;
