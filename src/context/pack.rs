//! Packing: the chunks that fit into a budget, best value for their size first.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    context::{
        index::{Index, Span},
        rank::{Ranking, Worth},
    },
    path::RepoPath,
};

/// Bytes of a token, for budgets: the rule of thumb that published figures use.
pub const BYTES_PER_TOKEN: f32 = 4.0;

/// How many files are packed at most.
const FILES: usize = 30;

/// What raises the chance, as a logistic model has it, that a chunk is changed. `benches/context/` fitted it.
mod odds {
    /// A chunk of the best file that has no word of the query, alone in its file.
    pub(super) const BASE: f32 = -1.2;
    /// The score of its file, less the best one.
    pub(super) const FILE: f32 = 0.71;
    /// The logarithm of its tokens.
    pub(super) const TOKENS: f32 = -0.2;
    /// The logarithm of how many chunks its file has: a change is in few of them.
    pub(super) const CHUNKS: f32 = -0.6;
    /// What one has by being the best of its file, a half as the second, a third …
    pub(super) const RANK: f32 = 0.35;
    /// The best of the chunks beside it, of 1.
    pub(super) const BESIDE: f32 = 0.35;
    /// Each of what speaks for it, of 1.
    pub(super) const TEXT: f32 = 1.2;
    pub(super) const LOCAL: f32 = 1.4;
    pub(super) const ECHO: f32 = 1.0;
}

/// How much the first chunk of a file is preferred: where the file is right, one chunk shows that.
const FIRST: f32 = 1.5;

/// How much larger chunks are held back.
const SIZE: f32 = 0.1;

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
        found.extend(of_file(rank, score - best, &spans, |span| {
            said(ranking.chunk(span.chunk), most)
        }));
    }
    found
}

/// What speaks for a chunk, next to the most of each.
fn said(worth: Worth, most: Worth) -> f32 {
    let part = |value: f32, most: f32| if most > 0.0 { value / most } else { 0.0 };
    odds::TEXT * part(worth.text, most.text)
        + odds::LOCAL * part(worth.local, most.local)
        + odds::ECHO * part(worth.echo, most.echo)
}

/// Values the chunks of a file whose score is `behind` the best one's.
fn of_file(rank: usize, behind: f32, spans: &[Span], said: impl Fn(&Span) -> f32) -> Vec<Candidate> {
    let all: Vec<f32> = spans.iter().map(said).collect();
    let most = all.iter().copied().fold(1e-9, f32::max);
    let mut order: Vec<usize> = (0..all.len()).collect();
    let of = |at: usize| all.get(at).copied().unwrap_or_default();
    order.sort_by(|a, b| of(*b).total_cmp(&of(*a)).then(a.cmp(b)));
    let mut found = Vec::with_capacity(spans.len());
    for (place, at) in order.into_iter().enumerate() {
        let Some(span) = spans.get(at).copied() else { continue };
        let before = at.checked_sub(1).map_or(0.0, of);
        let tokens = float(span.bytes as usize) / BYTES_PER_TOKEN + 2.0;
        let odds = odds::BASE
            + odds::FILE * behind
            + odds::TOKENS * tokens.ln()
            + odds::CHUNKS * float(spans.len()).ln()
            + odds::RANK / float(place + 1)
            + odds::BESIDE * before.max(of(at + 1)) / most
            + of(at);
        let chance = 1.0 / (1.0 + (-odds).exp());
        found.push(Candidate {
            value: chance / tokens.powf(SIZE),
            rank,
            span,
            tokens,
        });
    }
    let first = found
        .iter_mut()
        .max_by(|a, b| a.value.total_cmp(&b.value).then(b.span.first.cmp(&a.span.first)));
    if let Some(first) = first {
        first.value *= FIRST;
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
