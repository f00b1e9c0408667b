//! Reads libtest (`cargo test`) and `cargo nextest`.
//!
//! Names carry their binary, without its hash, so that equal names in two binaries stay apart.

use std::collections::BTreeMap;

use crate::{
    check::{Counts, Tests},
    verdict::{Outcome, Tally, numbered},
};

/// Reads the output of either runner.
pub(crate) fn read(output: &str) -> Option<Tests> {
    let is_nextest = |line: &str| line.trim_start().starts_with("Starting ") && line.contains(" across ");
    if output.lines().any(is_nextest) {
        return nextest(output);
    }
    let mut reader = Libtest::default();
    for line in output.lines() {
        reader.line(line);
    }
    reader.finish()
}

/// Where in a test binary's output a line is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Part {
    /// Between binaries.
    #[default]
    Outside,
    /// After `running N tests`.
    Running,
    /// After `failures:`, where the tests' own output is shown: nothing there is a verdict.
    Shown,
}

#[derive(Default)]
struct Libtest {
    tally: Tally,
    counts: Counts,
    binaries: usize,
    prefixes: BTreeMap<String, usize>,
    target: Option<String>,
    part: Part,
    seen: Vec<(String, Outcome)>,
    /// Indented names below the newest `failures:`.
    listed: Vec<String>,
    /// The test whose verdict comes on a later line, after what it printed.
    open: Option<String>,
}

impl Libtest {
    fn line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.end(Some(result));
        } else if let Some(target) = target(line).filter(|_| self.part != Part::Shown) {
            self.end(None);
            self.target = Some(target);
        } else if is_running(line) && self.part != Part::Shown {
            self.end(None);
            self.part = Part::Running;
        } else {
            match self.part {
                Part::Outside => {}
                Part::Running => self.running(line),
                Part::Shown => self.shown(line),
            }
        }
    }

    fn running(&mut self, line: &str) {
        if matches!(line, "failures:" | "successes:") {
            self.part = Part::Shown;
        } else if line.starts_with("error: test failed, to rerun") || line.starts_with("error: doctest failed") {
            self.end(None);
        } else if let Some(name) = line.strip_suffix(" --- FAILED") {
            self.seen.push((plain(name), Outcome::Failed));
        } else if let Some((name, verdict)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            match outcome(verdict) {
                Some(outcome) => self.seen.push((plain(name), outcome)),
                None => self.open = Some(plain(name)),
            }
        } else if let Some(outcome) = outcome(line)
            && let Some(name) = self.open.take()
        {
            self.seen.push((name, outcome));
        }
    }

    fn shown(&mut self, line: &str) {
        if line == "failures:" {
            self.listed.clear();
        } else if let Some(name) = line.strip_prefix("    ").filter(|name| !name.starts_with(' ')) {
            self.listed.push(plain(name));
        } else if !line.is_empty() {
            self.listed.clear();
        }
    }

    /// Closes the binary at hand. Without a result it died half way, which is a failure of its own.
    fn end(&mut self, result: Option<&str>) {
        if self.part == Part::Outside {
            return;
        }
        self.part = Part::Outside;
        self.binaries += 1;
        let prefix = self.prefix();
        let mut seen = std::mem::take(&mut self.seen);
        for name in std::mem::take(&mut self.listed) {
            if !seen.iter().any(|(known, _)| *known == name) {
                seen.push((name, Outcome::Failed));
            }
        }
        let counts = result.map_or(Counts::default(), counts);
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        self.counts.skipped += counts.skipped;
        if result.is_none() {
            self.tally.add(format!("{prefix}: did not finish"), Outcome::Failed);
        }
        // Where some examples have no name, a number among the named ones could stand for another one.
        if counts.passed + counts.failed <= seen.len() {
            seen = without_lines(seen);
        }
        for (name, outcome) in seen {
            self.tally.add(format!("{prefix}: {name}"), outcome);
        }
        self.open = None;
    }

    /// Returns what stands before the names of the binary at hand: unique, and the same in every run.
    fn prefix(&mut self) -> String {
        let name = self.target.take().unwrap_or_else(|| "binary".to_owned());
        let nth = self.prefixes.entry(name.clone()).or_insert(0);
        *nth += 1;
        match *nth {
            1 => name,
            n => format!("{name} #{n}"),
        }
    }

    fn finish(mut self) -> Option<Tests> {
        self.end(None);
        (self.binaries > 0).then(|| self.tally.finish(self.counts))
    }
}

fn is_running(line: &str) -> bool {
    let count = line.strip_prefix("running ").and_then(|rest| rest.split_once(" test"));
    count.is_some_and(|(n, rest)| n.parse::<usize>().is_ok() && matches!(rest, "" | "s"))
}

/// Reads `Running tests/it.rs (target/debug/deps/it-0123456789abcdef)` and `Doc-tests x`.
fn target(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(format!("doc {name}"));
    }
    let rest = line.strip_prefix("Running ")?;
    let (source, binary) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let file = binary.rsplit(['/', '\\']).next()?.trim_end_matches(".exe");
    let (stem, hash) = file.rsplit_once('-')?;
    let source = source.strip_prefix("unittests").unwrap_or(source).trim();
    let is_hash = hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit());
    is_hash.then(|| format!("{stem} {source}").trim_end().to_owned())
}

/// Takes off how the test is meant to end, which the list of failures does not repeat.
fn plain(name: &str) -> String {
    let modes = [" - should panic", " - compile fail", " - compile"];
    let stripped = modes.iter().find_map(|mode| name.strip_suffix(mode));
    stripped.unwrap_or(name).to_owned()
}

fn outcome(verdict: &str) -> Option<Outcome> {
    let word = verdict.split([' ', ',']).next().unwrap_or(verdict);
    match word {
        "ok" => Some(Outcome::Passed),
        "FAILED" => Some(Outcome::Failed),
        "ignored" => Some(Outcome::Skipped),
        _ => None,
    }
}

fn counts(result: &str) -> Counts {
    let mut counts = Counts::default();
    let numbers = result.split_once(". ").map_or(result, |(_, rest)| rest);
    for (number, word) in numbered(numbers) {
        match word {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.skipped = number,
            _ => {}
        }
    }
    counts
}

/// Replaces the line in `src/lib.rs - add (line 12)` by a number among the item's examples, in their order: an edit
/// above moves lines and must not make new tests.
fn without_lines(seen: Vec<(String, Outcome)>) -> Vec<(String, Outcome)> {
    let mut plain = Vec::new();
    let mut examples: BTreeMap<String, Vec<(usize, Outcome)>> = BTreeMap::new();
    for (name, outcome) in seen {
        let parts = name.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (line "));
        match parts.and_then(|(item, line)| Some((item, line.parse().ok()?))) {
            Some((item, line)) => examples.entry(item.to_owned()).or_default().push((line, outcome)),
            None => plain.push((name, outcome)),
        }
    }
    for (item, mut lines) in examples {
        lines.sort_by_key(|(line, _)| *line);
        for (nth, (_, outcome)) in lines.into_iter().enumerate() {
            let name = if nth == 0 {
                item.clone()
            } else {
                format!("{item} #{}", nth + 1)
            };
            plain.push((name, outcome));
        }
    }
    plain
}

/// Reads nextest. Of several tries of one test the last counts.
fn nextest(output: &str) -> Option<Tests> {
    let mut last: BTreeMap<&str, Outcome> = BTreeMap::new();
    let mut counts = None;
    for line in output.lines() {
        let Some((status, rest)) = line.trim_start().split_once(" [") else {
            continue;
        };
        let Some((_, rest)) = rest.split_once("s] ") else {
            continue;
        };
        if status == "Summary" {
            counts = Some(nextest_counts(rest));
        } else if let Some(outcome) = nextest_outcome(status) {
            last.insert(without_progress(rest.trim()), outcome);
        }
    }
    let mut tally = Tally::default();
    for (name, outcome) in last {
        tally.add(name, outcome);
    }
    counts.map(|counts| tally.finish(counts))
}

/// Takes off `( 1/12) ` before a name.
fn without_progress(rest: &str) -> &str {
    let inner = rest.strip_prefix('(').and_then(|r| r.split_once(") "));
    match inner {
        Some((progress, name)) if progress.contains('/') => name.trim(),
        _ => rest,
    }
}

fn nextest_outcome(status: &str) -> Option<Outcome> {
    let word = status.split(' ').rfind(|w| !w.contains('/'))?;
    match word {
        "PASS" | "LEAK" | "FLAKY" => Some(Outcome::Passed),
        "SKIP" => Some(Outcome::Skipped),
        "FAIL" | "TIMEOUT" | "ABORT" | "LEAK-FAIL" | "XFAIL" => Some(Outcome::Failed),
        _ => word.starts_with("SIG").then_some(Outcome::Failed),
    }
}

/// Reads `4 tests run: 2 passed (1 flaky), 1 failed, 1 timed out, 0 skipped`. Skipped tests are not named by default.
fn nextest_counts(summary: &str) -> Counts {
    let mut counts = Counts::default();
    let numbers = summary.split_once(": ").map_or(summary, |(_, rest)| rest);
    for (number, words) in numbered(numbers) {
        let word = words.split(" (").next().unwrap_or(words);
        match word {
            "passed" => counts.passed += number,
            "failed" | "timed out" | "exec failed" => counts.failed += number,
            "skipped" => counts.skipped += number,
            _ => {}
        }
    }
    counts
}
