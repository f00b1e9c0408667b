//! Replacing a text that occurs once, perhaps within a line: what `str_replace` promises.
//!
//! Bytes first; a text that is not there but whose lines are, goes the way of all blocks.

use crate::edit::{
    block::{Block, Wording},
    find::Tier,
    lines,
    rewrite::{Miss, rewrite},
};

/// What became of a text.
#[derive(Debug)]
pub(crate) struct Swapped {
    pub(crate) text: String,
    /// The line where the old text started, from 1.
    pub(crate) line: usize,
    pub(crate) tier: Tier,
}

/// Replaces `old`, which must occur once in `body`, by `new`.
pub(crate) fn swap(body: &str, old: &str, new: &str) -> Result<Swapped, Miss> {
    if old == new {
        return Err(Miss::Same);
    }
    if old.is_empty() {
        return Err(Miss::NoContext);
    }
    let in_line = |part: &str| !part.contains(['\n', '\r']);
    let ending = lines::commonest_ending(&lines::split(body));
    let dressed = |part: &str| part.replace('\n', ending);
    let lacks_cr = !new.contains('\r') && ending != "\n";
    if let Some(line) = only_line(body, old)? {
        let new = if lacks_cr && in_line(old) {
            dressed(new)
        } else {
            new.to_owned()
        };
        return Ok(swapped(body.replacen(old, &new, 1), line, Tier::Exact));
    }
    if lacks_cr && !old.contains('\r') {
        let (old, new) = (dressed(old), dressed(new));
        if let Some(line) = only_line(body, &old)? {
            return Ok(swapped(body.replacen(&old, &new, 1), line, Tier::Trailing));
        }
    }
    if old.ends_with('\n') != new.ends_with('\n') && !(old.ends_with('\n') && new.is_empty()) {
        return Err(Miss::Nowhere);
    }
    let rewritten = rewrite(body, &[as_block(old, new)]).map_err(|misses| {
        let first = misses.into_iter().next();
        first.map_or(Miss::Nowhere, |(_, miss)| miss)
    })?;
    let (line, tier) = rewritten.placed.first().copied().ok_or(Miss::Nowhere)?;
    Ok(swapped(rewritten.text, line, tier))
}

fn swapped(text: String, line: usize, tier: Tier) -> Swapped {
    Swapped { text, line, tier }
}

/// The same as a block of whole lines.
pub(crate) fn as_block(old: &str, new: &str) -> Block {
    let whole = |part: &str| {
        if old.ends_with('\n') {
            part.to_owned()
        } else {
            format!("{part}\n")
        }
    };
    Block {
        old: whole(old),
        new: whole(new),
        wording: Wording::Strings,
        ..Block::default()
    }
}

/// The line, from 1, on which the only occurrence of `part` starts.
fn only_line(body: &str, part: &str) -> Result<Option<usize>, Miss> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = body.get(from..).and_then(|rest| rest.find(part)) {
        found.push(from + at);
        let step = part.chars().next().map_or(1, char::len_utf8);
        from += at + step;
        if found.len() > 100 {
            break;
        }
    }
    let line =
        |at: &usize| lines::split(body.get(..*at).unwrap_or_default()).len() + usize::from(starts_line(body, *at));
    match found.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(line(only).max(1))),
        all => {
            let mut numbers: Vec<usize> = all.iter().map(|at| line(at).max(1)).collect();
            numbers.dedup();
            Err(Miss::Often(numbers))
        }
    }
}

fn starts_line(body: &str, at: usize) -> bool {
    at == 0 || body.get(..at).is_some_and(|before| before.ends_with(['\n', '\r']))
}
