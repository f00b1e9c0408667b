//! Hot files: large ones that change often, where work is likely to go on.

use crate::survey::{
    Finding, Kind,
    definition::{Definition, Source},
};

/// With fewer changes, or lines, a file is not hot.
const CHANGES: u32 = 5;
const LINES: usize = 150;

/// Finds them; the counts are made over `commits` commits.
pub(crate) fn find(sources: &[Source], commits: usize) -> Vec<Finding> {
    let hot = sources
        .iter()
        .filter(|source| !source.test && source.changes >= CHANGES && source.lines >= LINES);
    hot.map(|source| {
        let lines = u64::try_from(source.lines).unwrap_or(u64::MAX);
        let telling = |it: &&Definition| it.is_function() || matches!(it.word, "class" | "struct" | "type");
        let first = source.definitions.iter().find(telling);
        let (line, text) = first.map_or(source.first.clone(), |it| (it.line, it.text.clone()));
        Finding {
            kind: Kind::Hot,
            path: source.path.clone(),
            line,
            text,
            remark: format!("{} of the last {commits} commits, {lines} lines", source.changes),
            rank: u64::from(source.changes).saturating_mul(lines),
        }
    })
    .collect()
}
