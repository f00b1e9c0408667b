//! Reads `go test`, plain, with `-v` and with `-json`.
//!
//! A package whose tests are not named is itself the test.

use serde::Deserialize;

use crate::{
    check::{Counts, Tests},
    verdict::{Outcome, Tally},
};

/// Reads the output, if it has a line about a package.
pub(crate) fn read(output: &str) -> Option<Tests> {
    let mut reader = Go::default();
    for line in output.lines() {
        match event(line) {
            Some(event) => reader.event(&event),
            None => reader.line(line),
        }
    }
    (reader.packages > 0).then(|| reader.tally.finish(Counts::default()))
}

#[derive(Default)]
struct Go {
    tally: Tally,
    packages: usize,
    /// Tests of the package whose own line is still to come.
    seen: Vec<(String, Outcome)>,
    /// Whether the bare `FAIL` was there, with which a test binary ends that came to its end.
    ended: bool,
    json: bool,
}

/// One line of `-json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    package: Option<String>,
    test: Option<String>,
    output: Option<String>,
}

fn event(line: &str) -> Option<Event> {
    line.starts_with('{').then(|| serde_json::from_str(line).ok()).flatten()
}

impl Go {
    fn line(&mut self, line: &str) {
        if line == "FAIL" {
            self.ended = true;
        } else if let Some((word, rest)) = line.split_once('\t') {
            let package = rest.split(['\t', ' ']).next().unwrap_or(rest);
            match word.trim_end() {
                "ok" if !line.ends_with("[no tests to run]") => self.package(package, Outcome::Passed),
                "ok" | "?" => self.packages += 1,
                "FAIL" => self.package(package, Outcome::Failed),
                _ => {}
            }
        } else if let Some(found) = verdict(line).filter(|_| !self.json) {
            self.seen.push(found);
        }
    }

    fn package(&mut self, package: &str, outcome: Outcome) {
        self.packages += 1;
        let seen = std::mem::take(&mut self.seen);
        let named = seen.iter().any(|(_, of)| *of == outcome);
        if !named || (outcome == Outcome::Failed && !self.ended) {
            self.tally.add(package, outcome);
        }
        for (name, outcome) in seen {
            self.tally.add(format!("{package}.{name}"), outcome);
        }
        self.ended = false;
    }

    fn event(&mut self, event: &Event) {
        self.json = true;
        let outcome = match event.action.as_str() {
            "pass" => Outcome::Passed,
            "fail" => Outcome::Failed,
            "skip" => Outcome::Skipped,
            "output" => {
                self.ended |= event.test.is_none() && event.output.as_deref() == Some("FAIL\n");
                return;
            }
            _ => return,
        };
        match (&event.package, &event.test) {
            (Some(package), Some(test)) => self.tally.add(format!("{package}.{test}"), outcome),
            (Some(_), None) if outcome == Outcome::Skipped => self.packages += 1,
            (Some(package), None) => {
                self.packages += 1;
                let named = outcome == Outcome::Passed || self.tally.failed_under(&format!("{package}."));
                if !named || (outcome == Outcome::Failed && !self.ended) {
                    self.tally.add(package.as_str(), outcome);
                }
                self.ended = false;
            }
            (None, _) => {}
        }
    }
}

/// Reads `--- PASS: TestX (0.00s)`, which may follow what the test printed without a newline.
fn verdict(line: &str) -> Option<(String, Outcome)> {
    let marks = [
        ("--- PASS: ", Outcome::Passed),
        ("--- FAIL: ", Outcome::Failed),
        ("--- SKIP: ", Outcome::Skipped),
    ];
    marks.iter().find_map(|(mark, outcome)| {
        let (_, rest) = line.split_once(mark)?;
        let (name, time) = rest.rsplit_once(" (")?;
        let kinds = ["Test", "Example", "Fuzz", "Benchmark"];
        let known = time.ends_with("s)") && kinds.iter().any(|kind| name.starts_with(kind));
        known.then(|| (name.to_owned(), *outcome))
    })
}
