//! Reads pytest: the lines of `-v`, the short summary, and the counts with which it ends.

use crate::{
    check::{Counts, Tests},
    verdict::{Outcome, Tally, numbered},
};

const STATUSES: [(&str, Outcome); 6] = [
    ("PASSED", Outcome::Passed),
    ("FAILED", Outcome::Failed),
    ("ERROR", Outcome::Failed),
    ("SKIPPED", Outcome::Skipped),
    ("XFAIL", Outcome::Skipped),
    ("XPASS", Outcome::Skipped),
];

/// Where in the output a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Progress,
    /// Tracebacks and captured output: nothing there is a verdict.
    Shown,
    Summary,
}

/// Reads the output, if it ends as pytest does.
pub(crate) fn read(output: &str) -> Option<Tests> {
    let mut tally = Tally::default();
    let mut part = Part::Progress;
    let mut counts = None;
    for line in output.lines() {
        if let Some(title) = section(line) {
            part = match title {
                "test session starts" => Part::Progress,
                "short test summary info" => Part::Summary,
                _ => Part::Shown,
            };
        }
        if let Some(found) = ending(line) {
            counts = Some(found);
            part = Part::Shown;
        }
        let outcome = match part {
            Part::Progress => progress(line),
            Part::Summary => summary(line),
            Part::Shown => None,
        };
        if let Some((name, outcome)) = outcome {
            tally.add(name, outcome);
        }
    }
    counts.map(|counts| tally.finish(counts))
}

/// Reads the title of `===== title =====`.
fn section(line: &str) -> Option<&str> {
    let title = line.strip_prefix('=')?.strip_suffix('=')?;
    Some(title.trim_matches('=').trim()).filter(|title| !title.is_empty())
}

/// Reads `=== 3 failed, 4 passed in 0.12s ===`, also without the `=` of `-q`.
fn ending(line: &str) -> Option<Counts> {
    let (what, time) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    let seconds = time.split_once('s')?.0;
    seconds.parse::<f64>().ok()?;
    if what == "no tests ran" {
        return Some(Counts::default());
    }
    let mut counts = Counts::default();
    let mut parts = 0;
    for (number, word) in numbered(what) {
        parts += 1;
        match word {
            "passed" => counts.passed += number,
            "failed" | "error" | "errors" => counts.failed += number,
            "skipped" | "xfailed" | "xpassed" => counts.skipped += number,
            "deselected" | "warning" | "warnings" | "rerun" | "subtests passed" => {}
            _ => return None,
        }
    }
    (parts > 0 && parts == what.split(',').count()).then_some(counts)
}

/// Reads `path::test PASSED   [ 10%]`, and `[gw0] [ 10%] PASSED path::test` of pytest-xdist.
fn progress(line: &str) -> Option<(String, Outcome)> {
    if let Some((_, rest)) = line.strip_prefix("[gw").and_then(|rest| rest.split_once("%] ")) {
        let (status, name) = rest.split_once(' ')?;
        return Some((name.trim().to_owned(), outcome(status)?));
    }
    let line = match line.rsplit_once(" [") {
        Some((text, percent)) if percent.ends_with("%]") => text.trim_end(),
        _ => line.trim_end(),
    };
    let found = STATUSES.iter().find_map(|(word, outcome)| {
        let (name, reason) = line.rsplit_once(&format!(" {word}"))?;
        (reason.is_empty() || reason.starts_with(" (")).then(|| (name.trim_end(), *outcome))
    });
    let (name, outcome) = found.or_else(|| subtest(line))?;
    is_test(name).then(|| (name.to_owned(), outcome))
}

fn subtest(line: &str) -> Option<(&str, Outcome)> {
    let (name, _) = line.rsplit_once(" SUBFAILED")?;
    Some((name, Outcome::Failed))
}

/// Reads `FAILED path::test - message`. A skipped test is not named there.
fn summary(line: &str) -> Option<(String, Outcome)> {
    if let Some(rest) = line.strip_prefix("SUBFAILED") {
        let (params, name) = rest.split_once(") ")?;
        return Some((format!("{} {params})", node(name)), Outcome::Failed));
    }
    let (status, rest) = line.split_once(' ')?;
    let outcome = outcome(status)?;
    (status != "SKIPPED").then(|| (node(rest).to_owned(), outcome))
}

/// Cuts the message off a node id, whose parameters may hold ` - ` too.
fn node(rest: &str) -> &str {
    let cut = rest.split(" - ").next().unwrap_or(rest);
    if cut.contains('[') && !cut.ends_with(']') {
        let inside = rest.find("] - ").and_then(|at| rest.get(..=at));
        return inside.unwrap_or(rest).trim_end();
    }
    cut.trim_end()
}

fn outcome(status: &str) -> Option<Outcome> {
    STATUSES
        .iter()
        .find(|(word, _)| *word == status)
        .map(|(_, outcome)| *outcome)
}

fn is_test(name: &str) -> bool {
    name.contains("::") || name.split(' ').next().is_some_and(|path| path.ends_with(".py"))
}
