//! The walk from a tip to older commits, over all parents.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
};

use crate::id::CommitId;

/// Most commits that are passed, merges with them.
const MOST_PASSED: usize = 8_000;

/// A commit's time, in seconds since 1970, and its parents.
pub type Line = (i64, Vec<CommitId>);

/// Returns the newest commits below `tip` by their times, `tip` itself included: at most `most` of them, merges passed but
/// not counted. Of equal times the one comes first that is met first from the tip; ids hold more than what was done, and
/// the same work done again is to have the same past. `look` tells of a commit; where it has nothing, history ends.
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
    let mut open: BinaryHeap<(i64, Reverse<usize>, CommitId, Vec<CommitId>)> = BinaryHeap::new();
    open.extend(look(tip)?.map(|(at, parents)| (at, Reverse(0), tip, parents)));
    for _ in 0..MOST_PASSED {
        let Some((.., id, parents)) = open.pop().filter(|_| found.len() < most) else {
            break;
        };
        if parents.len() < 2 {
            found.push(id);
        }
        for parent in parents {
            if seen.insert(parent) {
                let met = Reverse(seen.len());
                open.extend(look(parent)?.map(|(at, parents)| (at, met, parent, parents)));
            }
        }
    }
    Ok(found)
}
