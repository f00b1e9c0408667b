//! Reads Vitest: the lines of its verbose reporter, the headings of failures, and the counts with which it ends.
//!
//! The tree of the default reporter leaves out the blocks that tests are in, so its names are not taken.

use crate::{
    check::Tests,
    verdict::{Outcome, Tally, counts_of},
};

const MARKS: [(char, Outcome); 6] = [
    ('✓', Outcome::Passed),
    ('√', Outcome::Passed),
    ('×', Outcome::Failed),
    ('✗', Outcome::Failed),
    ('↓', Outcome::Skipped),
    ('□', Outcome::Skipped),
];

/// Reads the output, if it ends as Vitest does.
pub(crate) fn read(output: &str) -> Option<Tests> {
    let mut tally = Tally::default();
    let mut files = false;
    let mut counts = None;
    for line in output.lines() {
        let text = line.trim();
        if text.starts_with("Test Files  ") {
            files = true;
        } else if let Some(numbers) = text.strip_prefix("Tests  ").filter(|_| files) {
            counts = Some(counts_of(numbers.split(" (").next().unwrap_or(numbers)));
        } else if let Some(heading) = line.strip_prefix(" FAIL  ") {
            tally.add(failure(heading), Outcome::Failed);
        } else if let Some((name, outcome)) = marked(line) {
            tally.add(name, outcome);
        }
    }
    counts.map(|counts| tally.finish(counts))
}

/// Reads ` FAIL  file > block > test` and ` FAIL  file [ file ]`, a file that could not be loaded.
fn failure(heading: &str) -> &str {
    let heading = match heading.strip_prefix('|').and_then(|rest| rest.split_once("| ")) {
        Some((_, rest)) => rest,
        None => heading,
    };
    match heading.split_once(" [ ") {
        Some((file, _)) if !heading.contains(" > ") => file.trim(),
        _ => heading.trim(),
    }
}

/// Reads ` ✓ file > block > test 12ms`.
fn marked(line: &str) -> Option<(&str, Outcome)> {
    let text = line.strip_prefix(' ')?;
    let (rest, outcome) = MARKS
        .iter()
        .find_map(|(mark, outcome)| Some((text.strip_prefix(*mark)?.trim(), *outcome)))?;
    rest.contains(" > ").then(|| (without_time(rest), outcome))
}

fn without_time(text: &str) -> &str {
    let Some((name, time)) = text.rsplit_once(' ') else {
        return text;
    };
    let number = time.strip_suffix("ms").or_else(|| time.strip_suffix('s'));
    if number.is_some_and(|n| n.parse::<f64>().is_ok()) {
        name
    } else {
        text
    }
}
