//! Packing: the chunks that fit into a budget, best value for their size first.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    context::{
        index::{Index, Span},
        rank::Ranking,
    },
    path::RepoPath,
};

/// Bytes of a token, for budgets: the rule of thumb that published figures use.
pub const BYTES_PER_TOKEN: f32 = 4.0;

/// How many files are packed at most.
const FILES: usize = 30;

/// How fast the chance of a file falls with its score: a distance of so much is a factor of e.
const TEMPERATURE: f32 = 2.5;

/// What a chunk is worth without any word of the query.
const FLOOR: f32 = 0.05;

/// How much larger chunks are held back.
const SIZE: f32 = 0.3;

/// What is shown of a file.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Item {
    /// The file.
    pub path: RepoPath,
    /// First and last lines, from 1, ascending, not touching.
    pub ranges: Vec<(u32, u32)>,
    /// What it costs, with its heading.
    pub tokens: f32,
}

/// What a heading costs.
fn heading(path: &RepoPath) -> f32 {
    float(path.as_bytes().len()) / BYTES_PER_TOKEN + 6.0
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files")]
fn float(count: usize) -> f32 {
    count as f32
}

struct Candidate {
    value: f32,
    rank: usize,
    span: Span,
    tokens: f32,
}

/// Packs what fits into `budget` tokens, in the order of the files.
pub fn pack(index: &Index, ranking: &Ranking, budget: f32) -> Vec<Item> {
    let mut candidates = candidates(index, ranking);
    candidates.sort_by(|a, b| {
        b.value
            .total_cmp(&a.value)
            .then((a.rank, a.span.first).cmp(&(b.rank, b.span.first)))
    });
    let mut left = budget;
    let mut taken: BTreeMap<usize, (f32, Vec<Span>)> = BTreeMap::new();
    for candidate in candidates {
        let Some(file) = ranking
            .files
            .get(candidate.rank)
            .and_then(|scored| index.file(scored.file))
        else {
            continue;
        };
        let heading = if taken.contains_key(&candidate.rank) {
            0.0
        } else {
            heading(&file.path)
        };
        let cost = candidate.tokens + heading;
        if cost > left {
            continue;
        }
        left -= cost;
        let (tokens, spans) = taken.entry(candidate.rank).or_default();
        *tokens += cost;
        spans.push(candidate.span);
    }
    let items = taken.into_iter().filter_map(|(rank, (tokens, spans))| {
        let file = index.file(ranking.files.get(rank)?.file)?;
        Some(Item {
            path: file.path.clone(),
            ranges: joined(spans),
            tokens,
        })
    });
    items.collect()
}

fn candidates(index: &Index, ranking: &Ranking) -> Vec<Candidate> {
    let best = ranking.files.first().map_or(0.0, |first| first.score);
    let highest = ranking.chunks.iter().copied().fold(1e-9_f32, f32::max);
    let mut found = Vec::new();
    for (rank, scored) in ranking.files.iter().take(FILES).enumerate() {
        let chance = ((scored.score - best) / TEMPERATURE).exp();
        let spans = index.spans(scored.file);
        let here = spans
            .iter()
            .map(|span| ranking.chunk(span.chunk))
            .fold(1e-9_f32, f32::max);
        for span in spans {
            let score = ranking.chunk(span.chunk);
            let tokens = float(span.bytes as usize) / BYTES_PER_TOKEN + 2.0;
            let worth = FLOOR + (1.0 - FLOOR) * (score / here + score / highest) / 2.0;
            found.push(Candidate {
                value: chance * worth / tokens.powf(SIZE),
                rank,
                span,
                tokens,
            });
        }
    }
    found
}

/// Joins spans that touch.
fn joined(mut spans: Vec<Span>) -> Vec<(u32, u32)> {
    spans.sort_unstable_by_key(|span| span.first);
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for span in spans {
        match ranges.last_mut().filter(|(_, last)| *last + 1 >= span.first) {
            Some((_, last)) => *last = (*last).max(span.last),
            None => ranges.push((span.first, span.last)),
        }
    }
    ranges
}
