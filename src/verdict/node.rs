//! Reads TAP (`node --test`, tape and others) and the `spec` reporter of `node --test`.

use crate::{
    check::{Counts, Tests},
    verdict::{Outcome, Tally},
};

/// Reads either form, if it ends as its runner does.
pub(crate) fn read(output: &str) -> Option<Tests> {
    if output.lines().any(|line| line.starts_with("ℹ tests ")) {
        return spec(output);
    }
    let is_tap = |line: &str| line.starts_with("TAP version ") || line.starts_with("1..");
    output.lines().any(is_tap).then(|| tap(output)).flatten()
}

#[derive(Default)]
struct Tap {
    tally: Tally,
    /// Titles of the open subtests, from the top down.
    path: Vec<String>,
    /// The result line whose details may follow.
    last: Option<Point>,
    planned: Option<usize>,
    points: usize,
    counts: Counts,
}

/// One `ok` or `not ok`.
struct Point {
    name: String,
    outcome: Outcome,
    suite: bool,
    /// Whether it failed only because something in it did.
    by_child: bool,
}

fn tap(output: &str) -> Option<Tests> {
    let mut reader = Tap::default();
    let mut details: Option<usize> = None;
    for line in output.lines() {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        match details {
            Some(at) if at == indent && text == "..." => details = None,
            Some(at) if at == indent => reader.detail(text),
            Some(_) => {}
            None if text == "---" => details = Some(indent),
            None => reader.line(indent / 4, text),
        }
    }
    reader.close();
    let planned = reader.planned?;
    if reader.points < planned {
        let missing = format!("{} of {planned} planned tests did not report", planned - reader.points);
        reader.tally.add(missing, Outcome::Failed);
    }
    Some(reader.tally.finish(reader.counts))
}

impl Tap {
    fn line(&mut self, level: usize, text: &str) {
        if let Some(title) = text.strip_prefix("# Subtest: ") {
            self.path.truncate(level);
            self.path.push(title.replace("\\#", "#"));
        } else if let Some((outcome, rest)) = point(text) {
            self.close();
            self.points += usize::from(level == 0);
            let (title, outcome) = directive(rest, outcome);
            let above = self.path.iter().take(level).map(String::as_str);
            let parts: Vec<&str> = above.chain([title.as_str()]).collect();
            self.last = Some(Point {
                name: parts.join(" > "),
                outcome,
                suite: false,
                by_child: false,
            });
        } else if level == 0 {
            self.top_line(text);
        }
    }

    fn top_line(&mut self, text: &str) {
        if let Some(plan) = text.strip_prefix("1..") {
            self.planned = plan.split(' ').next().and_then(|n| n.parse().ok());
        } else if text.starts_with("Bail out!") {
            self.tally.add("bailed out", Outcome::Failed);
        } else if let Some((what, number)) = text.strip_prefix("# ").and_then(|rest| rest.split_once(' ')) {
            count(&mut self.counts, what, number);
        }
    }

    fn detail(&mut self, text: &str) {
        if let Some(point) = &mut self.last {
            point.suite |= text == "type: 'suite'";
            point.by_child |= text == "failureType: 'subtestsFailed'";
        }
    }

    /// Takes in the last result. A suite is no test, but where it fails by itself that is a failure.
    fn close(&mut self) {
        let Some(point) = self.last.take() else {
            return;
        };
        if !point.suite || (point.outcome == Outcome::Failed && !point.by_child) {
            self.tally.add_new(&point.name, point.outcome);
        }
    }
}

fn count(counts: &mut Counts, what: &str, number: &str) {
    let Ok(number) = number.trim().parse::<usize>() else {
        return;
    };
    match what {
        "pass" => counts.passed = number,
        "fail" | "cancelled" => counts.failed += number,
        "skipped" | "skip" | "todo" => counts.skipped += number,
        _ => {}
    }
}

/// Reads `ok 1 - title` and `not ok 2 title`; returns the title.
fn point(text: &str) -> Option<(Outcome, &str)> {
    let (outcome, rest) = match text.strip_prefix("not ok") {
        Some(rest) => (Outcome::Failed, rest),
        None => (Outcome::Passed, text.strip_prefix("ok")?),
    };
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.trim_start();
    Some((outcome, rest.strip_prefix("- ").unwrap_or(rest)))
}

/// Cuts off `# SKIP why` or `# TODO why`, which make a result one that does not count.
fn directive(rest: &str, outcome: Outcome) -> (String, Outcome) {
    let marked = rest.rsplit_once(" # ").filter(|(_, why)| {
        let word = why.split(' ').next().unwrap_or(why);
        word.eq_ignore_ascii_case("skip") || word.eq_ignore_ascii_case("todo")
    });
    let (title, outcome) = match marked {
        Some((title, _)) => (title, Outcome::Skipped),
        None => (rest, outcome),
    };
    (short(&title.replace("\\#", "#")), outcome)
}

/// A file that failed whole is named by its absolute path; the slot that it is in is no part of its identity.
fn short(title: &str) -> String {
    if !title.starts_with('/') {
        return title.trim_end().to_owned();
    }
    let names: Vec<&str> = title.rsplit('/').take(2).collect();
    names.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// Reads the `spec` reporter, up to its summary; what follows repeats the failures.
fn spec(output: &str) -> Option<Tests> {
    let mut tally = Tally::default();
    let mut counts = Counts::default();
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut ended = false;
    for line in output.lines() {
        if let Some((what, number)) = line.strip_prefix("ℹ ").and_then(|rest| rest.split_once(' ')) {
            count(&mut counts, what, number);
            ended = true;
            continue;
        }
        if ended {
            continue;
        }
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        let Some((mark, rest)) = text.split_once(' ') else {
            continue;
        };
        let outcome = match mark {
            "✔" => Outcome::Passed,
            "✖" => Outcome::Failed,
            "﹣" => Outcome::Skipped,
            "▶" => {
                blocks.retain(|(at, _)| *at < indent);
                blocks.push((indent, rest.to_owned()));
                continue;
            }
            _ => continue,
        };
        spec_point(&mut tally, &mut blocks, (indent, rest), outcome);
    }
    Some(tally.finish(counts))
}

/// Takes in `✔ title (0.5ms) # why`. The line that closes a block is no test unless the block failed by itself.
fn spec_point(tally: &mut Tally, blocks: &mut Vec<(usize, String)>, (indent, rest): (usize, &str), outcome: Outcome) {
    let Some((title, after)) = rest.rsplit_once(" (").filter(|(_, after)| after.contains("ms)")) else {
        return;
    };
    let closes = blocks.iter().any(|(at, open)| *at == indent && open == title);
    blocks.retain(|(at, _)| *at < indent);
    let title = short(title);
    let above = blocks.iter().map(|(_, open)| open.as_str());
    let parts: Vec<&str> = above.chain([title.as_str()]).collect();
    let name = parts.join(" > ");
    let by_itself = outcome == Outcome::Failed && !tally.failed_under(&format!("{name} > "));
    if closes && !by_itself {
        return;
    }
    let excused = after.contains(" # TODO") || after.contains(" # SKIP");
    tally.add_new(&name, if excused { Outcome::Skipped } else { outcome });
}
