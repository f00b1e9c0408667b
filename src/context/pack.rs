//! Packing: the chunks that fit into a budget, best value for their size first.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    context::{
        index::{Index, Span},
        rank::{Ranking, Signal, Worth, signal},
    },
    path::RepoPath,
};

/// Bytes of a token, for budgets: the rule of thumb that published figures use. What a prompt comes to is counted by
/// `prompt::budget`, with fewer.
pub const BYTES_PER_TOKEN: f32 = 4.0;

/// How many files are packed at most.
const FILES: usize = 30;

/// The odds, as a logistic model has them, that a chunk without any word of the query is changed, alone in the best file.
const BASE: f32 = -1.2;

/// How many things raise or lower the odds.
pub const PARTS: usize = 10;

/// What raises or lowers the odds that a chunk is changed, and in the last two rows what it is worth to show it.
pub const TABLE: [Signal; PARTS] = [
    signal("chunk-file", 0.71, "the score of its file, less the best one"),
    signal("chunk-tokens", -0.2, "the logarithm of its tokens"),
    signal(
        "chunk-others",
        -0.6,
        "the logarithm of how many chunks its file has: a change is in few of them",
    ),
    signal(
        "chunk-rank",
        0.35,
        "it is the best of its file; half of it as the second, a third …",
    ),
    signal("chunk-beside", 0.35, "words of the query are in a chunk beside it"),
    signal(
        "chunk-text",
        1.2,
        "it has words of the query that are rare in the repository",
    ),
    signal(
        "chunk-local",
        1.4,
        "it has words of the query that are rare in its file",
    ),
    signal(
        "chunk-echo",
        1.0,
        "it has words of past messages that are like the query",
    ),
    signal(
        "chunk-first",
        0.5,
        "it is the likeliest of its file: where the file is right, one chunk shows that",
    ),
    signal("chunk-size", -0.1, "the power of its tokens: large ones are held back"),
];

const FILE: usize = 0;
const TOKENS: usize = 1;
const OTHERS: usize = 2;
const RANK: usize = 3;
const BESIDE: usize = 4;
const TEXT: usize = 5;
const LOCAL: usize = 6;
const ECHO: usize = 7;
const FIRST: usize = 8;
const SIZE: usize = 9;

/// What each part is worth, in the order of the table.
pub type Odds = [f32; PARTS];

/// Returns the weights of the table.
pub fn odds() -> Odds {
    TABLE.map(|part| part.weight)
}

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
pub fn pack(index: &Index, ranking: &Ranking, budget: f32, odds: &Odds) -> Vec<Item> {
    let mut candidates = candidates(index, ranking, odds);
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

fn candidates(index: &Index, ranking: &Ranking, odds: &Odds) -> Vec<Candidate> {
    let files = ranking.files.iter().take(FILES).enumerate();
    let files: Vec<(usize, f32, Vec<Span>)> = files
        .map(|(rank, scored)| (rank, scored.score, index.spans(scored.file)))
        .collect();
    let spans = files.iter().flat_map(|(_, _, spans)| spans);
    let most = spans
        .map(|span| ranking.chunk(span.chunk))
        .fold(Worth::default(), |most, worth| Worth {
            text: most.text.max(worth.text),
            local: most.local.max(worth.local),
            echo: most.echo.max(worth.echo),
        });
    let best = files.first().map_or(0.0, |(_, score, _)| *score);
    let mut found = Vec::new();
    for (rank, score, spans) in files {
        let said: Vec<f32> = spans
            .iter()
            .map(|span| said(ranking.chunk(span.chunk), most, odds))
            .collect();
        found.extend(of_file((rank, score - best), &spans, &said, odds));
    }
    found
}

/// What speaks for a chunk, next to the most of each.
fn said(worth: Worth, most: Worth, odds: &Odds) -> f32 {
    let part = |value: f32, most: f32| if most > 0.0 { value / most } else { 0.0 };
    odds[TEXT] * part(worth.text, most.text)
        + odds[LOCAL] * part(worth.local, most.local)
        + odds[ECHO] * part(worth.echo, most.echo)
}

/// Values the chunks of a file whose score is `behind` the best one's.
fn of_file((rank, behind): (usize, f32), spans: &[Span], said: &[f32], odds: &Odds) -> Vec<Candidate> {
    let most = said.iter().copied().fold(1e-9, f32::max);
    let mut order: Vec<usize> = (0..said.len()).collect();
    let of = |at: usize| said.get(at).copied().unwrap_or_default();
    order.sort_by(|a, b| of(*b).total_cmp(&of(*a)).then(a.cmp(b)));
    let mut found = Vec::with_capacity(spans.len());
    for (place, at) in order.into_iter().enumerate() {
        let Some(span) = spans.get(at).copied() else { continue };
        let before = at.checked_sub(1).map_or(0.0, of);
        let tokens = float(span.bytes as usize) / BYTES_PER_TOKEN + 2.0;
        let sum = BASE
            + odds[FILE] * behind
            + odds[TOKENS] * tokens.ln()
            + odds[OTHERS] * float(spans.len()).ln()
            + odds[RANK] / float(place + 1)
            + odds[BESIDE] * before.max(of(at + 1)) / most
            + of(at);
        let chance = 1.0 / (1.0 + (-sum).exp());
        found.push(Candidate {
            value: chance * tokens.powf(odds[SIZE]),
            rank,
            span,
            tokens,
        });
    }
    let first = found
        .iter_mut()
        .max_by(|a, b| a.value.total_cmp(&b.value).then(b.span.first.cmp(&a.span.first)));
    if let Some(first) = first {
        first.value *= 1.0 + odds[FIRST];
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

#[cfg(test)]
mod tests;
