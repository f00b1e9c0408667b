//! Replacing a text that occurs once, perhaps within a line: what `str_replace` promises.
//!
//! Bytes first; a text that is not there but whose lines are, goes the way of all blocks.

use crate::edit::{
    block::{Block, Wording},
    find::Tier,
    lines,
    rewrite::{Miss, rewrite},
};

/// Most occurrences that are looked for.
const MOST_PLACES: usize = 100;

/// What became of a text.
#[derive(Debug)]
pub(crate) struct Swapped {
    pub(crate) text: String,
    /// The line where the old text started, from 1.
    pub(crate) line: usize,
    pub(crate) tier: Tier,
}

/// Replaces `old`, which must occur once in `body`, by `new`, whose lines end with `ending` unless it says otherwise.
pub(crate) fn swap(body: &str, old: &str, new: &str, ending: &str) -> Result<Swapped, Miss> {
    if old == new {
        return Err(Miss::Same);
    }
    if old.is_empty() {
        return Err(Miss::NoContext);
    }
    let in_line = |part: &str| !part.contains(['\n', '\r']);
    let dressed = |part: &str| part.replace('\n', ending);
    let lacks_cr = !new.contains('\r') && ending != "\n";
    if let Some(at) = only_place(body, old)? {
        let new = if lacks_cr && in_line(old) {
            dressed(new)
        } else {
            new.to_owned()
        };
        return Ok(Swapped {
            text: spliced(body, at, old, &new),
            line: line_of(body, at),
            tier: Tier::Exact,
        });
    }
    if lacks_cr && !old.contains('\r') {
        let (old, new) = (dressed(old), dressed(new));
        if let Some(at) = only_place(body, &old)? {
            return Ok(Swapped {
                text: spliced(body, at, &old, &new),
                line: line_of(body, at),
                tier: Tier::Trailing,
            });
        }
    }
    if old.ends_with('\n') != new.ends_with('\n') && !(old.ends_with('\n') && new.is_empty()) {
        return Err(Miss::Nowhere);
    }
    let rewritten = rewrite(body, &[as_block(old, new)], ending).map_err(|misses| {
        let first = misses.into_iter().next();
        first.map_or(Miss::Nowhere, |(_, miss)| miss)
    })?;
    let (line, tier) = rewritten.placed.first().copied().ok_or(Miss::Nowhere)?;
    let text = rewritten.text;
    Ok(Swapped { text, line, tier })
}

fn spliced(body: &str, at: usize, old: &str, new: &str) -> String {
    let (before, after) = (body.get(..at), body.get(at + old.len()..));
    [before.unwrap_or_default(), new, after.unwrap_or_default()].concat()
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

/// Where the only occurrence of `part` starts.
fn only_place(body: &str, part: &str) -> Result<Option<usize>, Miss> {
    let mut found = Vec::new();
    let mut from = 0;
    let step = part.chars().next().map_or(1, char::len_utf8);
    while let Some(at) = body.get(from..).and_then(|rest| rest.find(part)) {
        if !splits_ending(body, from + at, part) {
            found.push(from + at);
        }
        from += at + step;
        if found.len() > MOST_PLACES {
            break;
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        all => {
            let mut numbers: Vec<usize> = all.iter().map(|at| line_of(body, *at)).collect();
            numbers.dedup();
            Err(Miss::Often(numbers))
        }
    }
}

/// The number, from 1, of the line that `at` is on.
fn line_of(body: &str, at: usize) -> usize {
    let before = body.get(..at).unwrap_or_default();
    if !before.contains('\r') {
        return before.matches('\n').count() + 1;
    }
    let is_amid = !(before.is_empty() || before.ends_with(['\n', '\r']));
    lines::split(before).len() + usize::from(!is_amid)
}

/// True where one end of `part`, found at `at`, stands between a CR and its LF.
fn splits_ending(body: &str, at: usize, part: &str) -> bool {
    let (before, after) = (
        body.get(..at).unwrap_or_default(),
        body.get(at + part.len()..).unwrap_or_default(),
    );
    (before.ends_with('\r') && part.starts_with('\n')) || (part.ends_with('\r') && after.starts_with('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_at_every_ending() {
        for (body, wanted) in [
            ("a\nbc\n\nd", [1, 1, 2, 2, 2, 3, 4]),
            ("a\rbc\r\rd", [1, 1, 2, 2, 2, 3, 4]),
            ("a\nbc\r\nd", [1, 1, 2, 2, 2, 3, 3]),
        ] {
            for (at, line) in wanted.into_iter().enumerate().filter(|(at, _)| *at != 5) {
                assert_eq!(line_of(body, at), line, "{body:?} at {at}");
            }
        }
    }

    #[test]
    fn no_part_starts_or_ends_within_an_ending() {
        for (body, part, at) in [
            ("a\r\nb", "\nb", None),
            ("a\nb", "\nb", Some(1)),
            ("ab\r\n", "b\r", None),
            ("ab\rc", "b\r", Some(1)),
            ("a\rb", "b", Some(2)),
            ("ab\nc", "b", Some(1)),
            ("b\nc", "b", Some(0)),
        ] {
            assert_eq!(only_place(body, part), Ok(at), "{part:?} in {body:?}");
        }
    }
}
