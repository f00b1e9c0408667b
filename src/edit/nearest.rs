//! The lines of a file that a block which was not found most likely meant. For messages only.

use std::collections::HashMap;

use similar::TextDiff;

use crate::edit::refusal::NumberedLine;

/// Least share of lines, or of characters, that must agree.
const LEAST: f64 = 0.6;
/// Lines shown before and after.
const AROUND: usize = 5;
/// Most work of comparing character by character: characters of the block, squared, times lines of the file.
const MOST_WORK: usize = 10_000_000;

/// Returns the best window of `file` for `old`, five lines more on both sides; empty where nothing comes close.
pub(crate) fn nearest(file: &[&str], old: &[&str]) -> Vec<NumberedLine> {
    let is_blank = |line: &&&str| line.trim().is_empty();
    let lead = old.iter().take_while(is_blank).count();
    let trail = old.iter().rev().take_while(is_blank).count();
    let old = old.get(lead..old.len() - trail).unwrap_or_default();
    let size = old.len().clamp(1, file.len().max(1));
    let Some(at) = by_lines(file, old, size).or_else(|| by_characters(file, old, size)) else {
        return Vec::new();
    };
    let from = at.saturating_sub(AROUND);
    let lines = file.iter().enumerate().skip(from).take(at + size + AROUND - from);
    lines
        .map(|(index, text)| NumberedLine {
            number: index + 1,
            text: (*text).to_owned(),
        })
        .collect()
}

/// The window that shares most lines with `old`, order aside: one pass, however long the file is.
fn by_lines(file: &[&str], old: &[&str], size: usize) -> Option<usize> {
    let mut missing: HashMap<&str, i64> = HashMap::new();
    for line in old {
        *missing.entry(line.trim()).or_default() += 1;
    }
    let mut common = 0_usize;
    let mut best: Option<(usize, usize)> = None;
    for (end, line) in file.iter().enumerate() {
        if let Some(left) = missing.get_mut(line.trim()) {
            common += usize::from(*left > 0);
            *left -= 1;
        }
        let gone = end.checked_sub(size).and_then(|start| file.get(start));
        if let Some(left) = gone.and_then(|line| missing.get_mut(line.trim())) {
            *left += 1;
            common -= usize::from(*left > 0);
        }
        if end + 1 >= size && best.is_none_or(|(most, _)| common > most) {
            best = Some((common, end + 1 - size));
        }
    }
    best.filter(|(common, _)| ratio(2 * common, old.len() + size) >= LEAST)
        .map(|(_, at)| at)
}

fn by_characters(file: &[&str], old: &[&str], size: usize) -> Option<usize> {
    let wanted = old.join("\n");
    if wanted.trim().is_empty() || wanted.len().saturating_pow(2).saturating_mul(file.len()) > MOST_WORK {
        return None;
    }
    let scored = file.windows(size).enumerate().filter_map(|(at, window)| {
        let text = window.join("\n");
        let most = ratio(2 * wanted.len().min(text.len()), wanted.len() + text.len());
        (most >= LEAST).then(|| (f64::from(TextDiff::from_chars(&wanted, &text).ratio()), at))
    });
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    best.filter(|(score, _)| *score >= LEAST).map(|(_, at)| at)
}

fn ratio(part: usize, whole: usize) -> f64 {
    let [part, whole] = [part, whole.max(1)].map(|n| f64::from(u32::try_from(n).unwrap_or(u32::MAX)));
    part / whole
}
