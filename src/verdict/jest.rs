//! Reads Jest: the tree of `--verbose`, the headings of failures, and the counts with which it ends.

use crate::{
    check::{Counts, Tests},
    verdict::{Outcome, Tally, counts_of},
};

const MARKS: [(char, Outcome); 6] = [
    ('✓', Outcome::Passed),
    ('√', Outcome::Passed),
    ('✕', Outcome::Failed),
    ('×', Outcome::Failed),
    ('○', Outcome::Skipped),
    ('✎', Outcome::Skipped),
];

/// Reads the output, if it ends as Jest does.
pub(crate) fn read(output: &str) -> Option<Tests> {
    let mut reader = Jest::default();
    for line in output.lines() {
        reader.line(line);
    }
    reader.leave_file();
    let counts = reader.counts?;
    Some(reader.tally.finish(counts))
}

#[derive(Default)]
struct Jest {
    tally: Tally,
    counts: Option<Counts>,
    file: String,
    file_failed: bool,
    /// Whether lines belong to the tree of tests below the file's line.
    tree: bool,
    blocks: Vec<(usize, String)>,
}

impl Jest {
    fn line(&mut self, line: &str) {
        if let Some(numbers) = line.strip_prefix("Tests: ").filter(|rest| rest.ends_with(" total")) {
            self.counts = Some(counts_of(numbers));
        } else if let Some((path, failed)) = file(line) {
            self.leave_file();
            path.clone_into(&mut self.file);
            self.file_failed = failed;
            self.tree = true;
            self.blocks.clear();
        } else if let Some(heading) = line.strip_prefix("  ● ") {
            self.tree = false;
            self.failure(heading);
        } else if line.trim().is_empty() {
            self.tree = false;
        } else if self.tree {
            self.branch(line);
        }
    }

    fn failure(&mut self, heading: &str) {
        if heading == "Test suite failed to run" {
            self.tally.add(self.file.as_str(), Outcome::Failed);
        } else if self.file_failed && heading.trim() != "Console" {
            let name = heading.trim_end().replace(" › ", " > ");
            self.tally.add(format!("{} > {name}", self.file), Outcome::Failed);
        }
    }

    /// Reads a line of the tree: a test with its mark, or the title of a block.
    fn branch(&mut self, line: &str) {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        self.blocks.retain(|(at, _)| *at < indent);
        let marked = MARKS
            .iter()
            .find_map(|(mark, outcome)| Some((text.strip_prefix(*mark)?.trim_start(), *outcome)));
        let Some((title, outcome)) = marked else {
            self.blocks.push((indent, text.trim_end().to_owned()));
            return;
        };
        let title = ["skipped ", "todo "]
            .iter()
            .find_map(|word| title.strip_prefix(word).filter(|_| outcome == Outcome::Skipped))
            .unwrap_or(title);
        let mut name = self.file.clone();
        for title in self.blocks.iter().map(|(_, t)| t.as_str()).chain([without_time(title)]) {
            name.push_str(" > ");
            name.push_str(title);
        }
        self.tally.add(name, outcome);
    }

    /// A failed file without a failed test, such as one that is no module, is a failure by itself.
    fn leave_file(&mut self) {
        if self.file_failed && !self.tally.failed_under(&self.file) {
            self.tally.add(self.file.as_str(), Outcome::Failed);
        }
        self.file_failed = false;
    }
}

/// Reads `PASS path` and `FAIL path (5.1 s)`.
fn file(line: &str) -> Option<(&str, bool)> {
    let (word, rest) = line.split_once(' ')?;
    let failed = match word {
        "PASS" => false,
        "FAIL" => true,
        _ => return None,
    };
    Some((without_time(rest.trim()), failed))
}

/// Takes off `(3 ms)` or `(1.2 s)`.
fn without_time(text: &str) -> &str {
    match text.trim_end().rsplit_once(" (") {
        Some((name, time)) if time.ends_with("s)") && time.starts_with(|c: char| c.is_ascii_digit()) => name,
        _ => text.trim_end(),
    }
}
