//! Verdicts: reads which tests ran and failed out of what test runners print. Runs nothing.
//!
//! Owns which reader is asked, and what becomes of names that a runner did not print. A reader claims output only by
//! the line with which its runner ends; output without it is a crash, and has no readable verdict.

pub mod ansi;

mod cargo;
mod go;
mod jest;
mod junit;
mod node;
mod pytest;
mod text;
mod unittest;
mod vitest;

use std::{borrow::Cow, collections::BTreeMap};

use crate::check::{Counts, Tests};

/// A reader: the tests that a runner reported, or `None` where the output is not that runner's.
type Reader = fn(&str) -> Option<Tests>;

/// Every reader, with the words of a command that speak for it.
const READERS: [(&[&str], Reader); 7] = [
    (&["cargo"], cargo::read),
    (&["pytest", "py.test"], pytest::read),
    (&["unittest"], unittest::read),
    (&["go"], go::read),
    (&["jest", "react-scripts"], jest::read),
    (&["vitest"], vitest::read),
    (&["node", "tape", "ava", "mocha"], node::read),
];

/// Reads the tests that `command` reported in `output`; `None` where no reader knows the output or where the runner
/// never came to its end. Readers that the command names go before all others.
pub fn read(output: &str, command: &str) -> Option<Tests> {
    let output = if output.contains(['\u{1b}', '\r']) {
        Cow::Owned(text::strip(output))
    } else {
        Cow::Borrowed(output)
    };
    let (named, others): (Vec<_>, Vec<_>) = READERS.iter().partition(|(words, _)| names_any(command, words));
    [named, others].into_iter().find_map(|readers| {
        readers
            .into_iter()
            .filter_map(|(_, reader)| reader(&output))
            .reduce(united)
    })
}

/// Reads JUnit reports; `None` where there is none, or one is none or cut off.
pub fn read_reports(files: &[Vec<u8>]) -> Option<Tests> {
    let reports = files.iter().map(|xml| junit::read(&String::from_utf8_lossy(xml)));
    let reports: Vec<Tests> = reports.collect::<Option<_>>()?;
    reports.into_iter().reduce(united)
}

/// Makes text of what a command printed: no terminal sequences, no control characters, progress lines collapsed to
/// their last state, at most `cap` bytes, cut out of the middle at line ends.
pub fn clean_output(raw: &[u8], cap: usize) -> String {
    text::trim_middle(&text::strip(&String::from_utf8_lossy(raw)), cap)
}

/// Trims `output` to `cap` bytes; where something must go, the first failure is put first so that it stays whole.
pub fn for_prompt(output: &str, cap: usize) -> String {
    text::for_prompt(output, cap)
}

fn names_any(command: &str, words: &[&str]) -> bool {
    command
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-')))
        .any(|word| words.contains(&word))
}

/// Joins what two runners of one command reported.
fn united(mut all: Tests, more: Tests) -> Tests {
    let counted = (all.counted.is_some() || more.counted.is_some()).then(|| {
        let (a, b) = (all.counts(), more.counts());
        Counts {
            passed: a.passed + b.passed,
            failed: a.failed + b.failed,
            skipped: a.skipped + b.skipped,
        }
    });
    all.passed.extend(more.passed);
    all.failed.extend(more.failed);
    all.skipped.extend(more.skipped);
    all.passed.retain(|name| !all.failed.contains(name));
    all.counted = counted;
    all
}

/// What became of one test. The order matters: of two outcomes of one name the greater counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Outcome {
    /// It ran and passed.
    Passed,
    /// It did not run, or was expected to fail.
    Skipped,
    /// It failed.
    Failed,
}

/// Named outcomes, as a reader gathers them.
#[derive(Default)]
pub(crate) struct Tally {
    named: BTreeMap<String, Outcome>,
    /// Names with two different outcomes, such as a test that passed and whose clean-up failed: counted twice.
    twice: usize,
}

impl Tally {
    /// Takes in an outcome; the worst of one name stays.
    pub(crate) fn add(&mut self, name: impl Into<String>, outcome: Outcome) {
        let known = self.named.entry(name.into()).or_insert(outcome);
        if *known != outcome {
            self.twice += 1;
            *known = outcome.max(*known);
        }
    }

    /// Takes in an outcome under a name that is not taken: a second `x` becomes `x #2`.
    pub(crate) fn add_new(&mut self, name: &str, outcome: Outcome) {
        let mut free = name.to_owned();
        let mut nth = 1;
        while self.named.contains_key(&free) {
            nth += 1;
            free = format!("{name} #{nth}");
        }
        self.named.insert(free, outcome);
    }

    /// True where a name that starts with `prefix` failed.
    pub(crate) fn failed_under(&self, prefix: &str) -> bool {
        let failed = |(name, outcome): (&String, &Outcome)| *outcome == Outcome::Failed && name.starts_with(prefix);
        self.named.iter().any(failed)
    }

    /// Turns the names into `Tests`; `counts` are kept only where they tell of tests without a name.
    pub(crate) fn finish(self, counts: Counts) -> Tests {
        let mut tests = Tests::default();
        for (name, outcome) in self.named {
            match outcome {
                Outcome::Passed => tests.passed.insert(name),
                Outcome::Skipped => tests.skipped.insert(name),
                Outcome::Failed => tests.failed.insert(name),
            };
        }
        let unnamed = counts.passed + counts.failed > tests.ran() + self.twice
            || counts.failed > tests.failed.len()
            || counts.skipped > tests.skipped.len();
        tests.counted = unnamed.then_some(counts);
        tests
    }
}

/// Reads `3 failed, 4 passed` or `3 failed | 4 passed`: numbers, each with the words up to the next one.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split([',', '|', ';']).filter_map(|part| {
        let (number, words) = part.trim().split_once(' ')?;
        Some((number.parse().ok()?, words.trim()))
    })
}

/// Reads the numbers with which runners of JavaScript end: `1 failed, 2 skipped, 1 todo, 4 passed, 8 total`.
pub(crate) fn counts_of(numbers: &str) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in numbered(numbers) {
        match word {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "skipped" | "todo" => counts.skipped += number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests;
