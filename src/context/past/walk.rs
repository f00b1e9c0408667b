//! The walk from a tip to older commits, over all parents.

use std::collections::{BinaryHeap, HashSet};

use crate::id::CommitId;

/// Most commits that are passed, merges with them.
const MOST_PASSED: usize = 8_000;

/// A commit's time, in seconds since 1970, and its parents.
pub type Line = (i64, Vec<CommitId>);

/// Returns the newest commits below `tip` by their times, `tip` itself included, and of equal times the greater id first:
/// at most `most` of them, merges passed but not counted. `look` tells of a commit; where it has nothing, history ends.
///
/// # Errors
/// What `look` returns.
pub fn newest<E>(
    tip: CommitId,
    most: usize,
    mut look: impl FnMut(CommitId) -> Result<Option<Line>, E>,
) -> Result<Vec<CommitId>, E> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([tip]);
    let mut open: BinaryHeap<(i64, CommitId, Vec<CommitId>)> = BinaryHeap::new();
    open.extend(look(tip)?.map(|(at, parents)| (at, tip, parents)));
    for _ in 0..MOST_PASSED {
        let Some((_, id, parents)) = open.pop().filter(|_| found.len() < most) else {
            break;
        };
        if parents.len() < 2 {
            found.push(id);
        }
        for parent in parents {
            if seen.insert(parent) {
                open.extend(look(parent)?.map(|(at, parents)| (at, parent, parents)));
            }
        }
    }
    Ok(found)
}
