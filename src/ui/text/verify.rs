//! `verify` as text: the first commit that diverges, every finding, and the sums.

use crate::{
    commands::verify::Outcome,
    letters::one_line,
    ui::{View, colour::Style, look::Look},
};

/// Width of what a finding is about, the gap included.
const WHAT: usize = 10;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let first = self
            .first
            .map(|first| format!("{} is the first commit that diverges\n", first.short()));
        let mut text = first.unwrap_or_default();
        let mut last = None;
        for finding in &self.findings {
            let place = (finding.commit, finding.goal.as_ref());
            if last != Some(place) {
                let commit = look.paint.paint(Style::Warn, &finding.commit.short());
                let goal = finding
                    .goal
                    .as_ref()
                    .map(|goal| format!("  {}", one_line(goal.as_str())));
                text.extend([commit, goal.unwrap_or_default(), "\n".to_owned()]);
                last = Some(place);
            }
            let word = look.word(Style::Bad, finding.what.word(), WHAT);
            let gap = " ".repeat(WHAT);
            let (expected, found) = (one_line(&finding.expected), one_line(&finding.found));
            text.extend([
                format!("  {word}expected {expected}\n"),
                format!("  {gap}found    {found}\n"),
            ]);
        }
        text.push_str(&self.sums());
        text
    }

    fn aside(&self) -> String {
        let remarks = self.remarks.iter().map(|remark| format!("note: {remark}"));
        let hints = self.hints.iter().map(|hint| format!("hint: {hint}"));
        remarks.chain(hints).collect::<Vec<_>>().join("\n")
    }
}

impl Outcome {
    fn sums(&self) -> String {
        if self.counts.goals == 0 && self.findings.is_empty() {
            return "nothing landed there: nothing to verify\n".into();
        }
        let mut parts = vec![
            counted(self.counts.commits, "commit"),
            counted(self.counts.records, "record"),
            format!("{} replayed", self.counts.replayed),
        ];
        let not: usize = self.counts.not_replayed.values().sum();
        if not > 0 {
            let why: Vec<&str> = self.counts.not_replayed.keys().map(String::as_str).collect();
            parts.push(format!("{not} cannot be replayed ({})", why.join(", ")));
        }
        if let Some(rerun) = self.rerun {
            parts.push(format!("{} run again", counted(rerun, "gate")));
        }
        let goals = counted(self.counts.goals, "goal");
        match self.findings.len() {
            0 => format!("{goals} verified: {}\n", parts.join(", ")),
            found => format!("{} in {goals}: {}\n", counted(found, "finding"), parts.join(", ")),
        }
    }
}

fn counted(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    }
}
