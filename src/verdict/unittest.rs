//! Reads Python's unittest, with and without `-v`.

use crate::{
    check::{Counts, Tests},
    verdict::{Outcome, Tally},
};

/// Reads the output, if it ends as unittest does.
pub(crate) fn read(output: &str) -> Option<Tests> {
    let mut reader = Unittest::default();
    for line in output.lines() {
        reader.line(line);
    }
    let ran = reader.ran?;
    let mut counts = reader.counts;
    counts.passed = ran.saturating_sub(counts.failed + counts.skipped);
    reader.ended.then(|| reader.tally.finish(counts))
}

#[derive(Default)]
struct Unittest {
    tally: Tally,
    counts: Counts,
    ran: Option<usize>,
    ended: bool,
    /// The test that the last line named without a verdict.
    open: Option<String>,
    /// After the first rule: tracebacks, where only headings count.
    shown: bool,
}

impl Unittest {
    fn line(&mut self, line: &str) {
        if let Some(ran) = line.strip_prefix("Ran ").and_then(|rest| rest.split_once(" test")) {
            self.ran = ran.0.parse().ok();
        } else if self.ran.is_some() {
            self.ending(line);
        } else if let Some(heading) = ["FAIL: ", "ERROR: ", "UNEXPECTED SUCCESS: "]
            .iter()
            .find_map(|word| line.strip_prefix(word))
        {
            if let Some(name) = identity(heading) {
                self.tally.add(name, Outcome::Failed);
            }
        } else if line.starts_with("=====") {
            self.shown = true;
        } else if !self.shown {
            self.progress(line);
        }
    }

    /// Reads `test_x (mod.Class.test_x) ... ok`; a docstring or what the test printed may stand between the two.
    fn progress(&mut self, line: &str) {
        let (head, verdict) = match line.rsplit_once(" ... ") {
            Some((head, verdict)) => (head, verdict),
            None if line.contains(" (") => (line, ""),
            None => ("", line),
        };
        if let Some(name) = identity(head.trim()) {
            self.open = Some(name);
        }
        if let Some(outcome) = outcome(verdict.trim())
            && let Some(name) = self.open.take()
        {
            self.tally.add(name, outcome);
        }
    }

    /// Reads `OK (skipped=1)` and `FAILED (failures=1, errors=2)`.
    fn ending(&mut self, line: &str) {
        let word = line.split(' ').next().unwrap_or(line);
        if !matches!(word, "OK" | "FAILED" | "NO") {
            return;
        }
        self.ended = true;
        let inside = line.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
        for (what, number) in inside.split(", ").filter_map(|part| part.split_once('=')) {
            let number: usize = number.parse().unwrap_or(0);
            match what {
                "failures" | "errors" | "unexpected successes" => self.counts.failed += number,
                "skipped" | "expected failures" => self.counts.skipped += number,
                _ => {}
            }
        }
    }
}

/// Turns `test_x (mod.Class)` and `test_x (mod.Class.test_x)` into `mod.Class.test_x`, and keeps a subtest's parameters.
fn identity(head: &str) -> Option<String> {
    let (test, rest) = head.split_once(" (")?;
    let (owner, params) = rest.split_once(')')?;
    if test.contains(' ') || owner.is_empty() || owner.contains(' ') {
        return None;
    }
    let same = owner.strip_suffix(test).is_some_and(|before| before.ends_with('.'));
    let name = if same {
        owner.to_owned()
    } else {
        format!("{owner}.{test}")
    };
    Some(format!("{name}{params}").trim_end().to_owned())
}

fn outcome(verdict: &str) -> Option<Outcome> {
    match verdict {
        "ok" => Some(Outcome::Passed),
        "FAIL" | "ERROR" | "unexpected success" => Some(Outcome::Failed),
        "expected failure" => Some(Outcome::Skipped),
        _ => verdict.starts_with("skipped").then_some(Outcome::Skipped),
    }
}
