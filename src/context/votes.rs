//! Votes: past commits whose messages have words of the query vote for the files that they touched; so do the newest ones,
//! whatever they say. Costs as much as commits have these words.

use std::collections::{BTreeMap, HashMap};

use crate::{
    context::{
        past::{
            Past, as_f32,
            known::{at, count},
        },
        terms::Term,
    },
    path::RepoPath,
};

/// How many of the commits with the likest messages vote.
const BEST: usize = 60;

/// A commit with more files has no vote.
const FILES: usize = 20;

/// How many of the newest commits say what is worked at.
const NEWEST: u32 = 50;

/// How soon more of a term in a message says no more.
const K1: f64 = 1.2;

/// How much a long message weighs against its terms.
const B: f64 = 0.75;

/// What past commits say for a file.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Vote {
    /// How like the query the messages are that came with changes of it.
    pub message: f32,
    /// How much the newest commits touched it.
    pub recent: f32,
}

/// The files that got a vote, sorted by path. Some may be gone by now.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Votes<'p> {
    files: Vec<(&'p RepoPath, Vote)>,
}

impl<'p> Votes<'p> {
    /// Returns what a file got.
    #[cfg(test)]
    pub fn of(&self, path: &RepoPath) -> Vote {
        let found = self.files.binary_search_by(|(other, _)| (*other).cmp(path));
        let vote = found.ok().and_then(|at| self.files.get(at));
        vote.map_or(Vote::default(), |(_, vote)| *vote)
    }

    /// Returns each file with what it got, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&'p RepoPath, Vote)> {
        self.files.iter().copied()
    }
}

/// Takes the votes for `query`: terms, and how much each weighs.
pub fn votes<'p>(past: &'p Past, query: &[(Term, f32)]) -> Votes<'p> {
    let mut sums: HashMap<u32, (f64, f64)> = HashMap::new();
    for (score, place) in best(past, query) {
        let files = past.files(place);
        let vote = score * score / f64::from(count(files.len())).sqrt();
        for file in files {
            sums.entry(*file).or_default().0 += vote;
        }
    }
    for place in 0..NEWEST.min(count(past.len())) {
        let files = past.files(place);
        for file in files {
            sums.entry(*file).or_default().1 += 1.0 / f64::from(count(files.len())).sqrt();
        }
    }
    let named = sums.into_iter().filter_map(|(file, (message, recent))| {
        let vote = Vote {
            message: as_f32(message.sqrt()),
            recent: as_f32(recent.ln_1p()),
        };
        Some((past.known().path(file)?, vote))
    });
    let mut files: Vec<(&RepoPath, Vote)> = named.collect();
    files.sort_unstable_by_key(|(path, _)| *path);
    Votes { files }
}

/// How many of the commits with the likest messages are echoed, and how many of their words.
const ECHOED: (usize, usize) = (12, 24);

/// Returns words that the likest messages have and the query does not, each with its weight: what those who made such
/// changes called what they touched.
pub fn echo(past: &Past, query: &[(Term, f32)]) -> Vec<(Term, f32)> {
    let (commits, words) = ECHOED;
    let mut best = best(past, query);
    best.truncate(commits);
    let all: f64 = best.iter().map(|(score, _)| score).sum();
    let mut sums: BTreeMap<Term, f64> = BTreeMap::new();
    for (score, place) in best {
        for (term, _) in past.terms_at(place) {
            *sums.entry(*term).or_default() += score / all;
        }
    }
    sums.retain(|term, _| !query.iter().any(|(known, _)| known == term));
    let weigh = |(term, sum): (Term, f64)| (term, as_f32(sum) * past.rarity(term));
    let mut echoed: Vec<(Term, f32)> = sums.into_iter().map(weigh).collect();
    echoed.sort_by(|(one, weight), (other, than)| than.total_cmp(weight).then(one.cmp(other)));
    echoed.truncate(words);
    echoed
}

/// Returns the commits with the likest messages among those with few files, and how like they are.
fn best(past: &Past, query: &[(Term, f32)]) -> Vec<(f64, u32)> {
    let all = f64::from(count(past.len()));
    let average = as_f64(past.length()) / all.max(1.0);
    let mut scores = vec![0.0_f64; past.len()];
    let mut hit: Vec<u32> = Vec::new();
    for (term, weight) in query.iter().filter(|(_, weight)| *weight > 0.0) {
        let Some(postings) = past.postings(*term) else { continue };
        let with = f64::from(postings.live);
        let rare = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
        for (number, times) in &postings.commits {
            let Some(place) = past.place(*number) else { continue };
            let Some(score) = scores.get_mut(at(place)) else {
                continue;
            };
            if *score == 0.0 {
                hit.push(place);
            }
            let times = f64::from(*times);
            let long = 1.0 - B + B * f64::from(past.length_at(place)) / average;
            *score += f64::from(*weight) * rare * times * (K1 + 1.0) / (times + K1 * long);
        }
    }
    let few = |place: &u32| (1..=FILES).contains(&past.files(*place).len());
    let scored = hit.into_iter().filter(few);
    let mut best: Vec<(f64, u32)> = scored
        .filter_map(|place| Some((*scores.get(at(place))?, place)))
        .filter(|(score, _)| *score > 0.0)
        .collect();
    best.sort_unstable_by(|(one, place), (other, than)| other.total_cmp(one).then(place.cmp(than)));
    best.truncate(BEST);
    best
}

#[expect(clippy::cast_precision_loss, reason = "lengths of messages are small")]
fn as_f64(value: u64) -> f64 {
    value as f64
}
