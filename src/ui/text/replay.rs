//! `replay` as text: a goal a line, and how many could be proved.

use crate::{
    commands::replay::{Outcome, Row, Verdict},
    letters::{columns, one_line},
    ui::{
        View,
        colour::Style,
        look::{ID, Look},
    },
};

/// Width of the verdicts, their gap included.
const VERDICT: usize = 16;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let id = self.goals.iter().map(|row| columns(row.goal.as_str())).max();
        let id = id.unwrap_or(0).min(ID);
        let lines: String = self.goals.iter().map(|row| line(look, row, id)).collect();
        format!("{lines}{} of {} replayed\n", self.replayed, self.goals.len())
    }

    fn aside(&self) -> String {
        self.hint
            .as_ref()
            .map(|hint| format!("hint: {hint}"))
            .unwrap_or_default()
    }
}

fn line(look: &Look, row: &Row, id: usize) -> String {
    let (style, word) = match row.verdict {
        Verdict::Same => (Style::Good, "same"),
        Verdict::Differs => (Style::Bad, "differs"),
        Verdict::NotReplayable => (Style::Warn, "not replayable"),
    };
    let parts = [row.why.as_str(), &row.paths.join(", ")];
    let about: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let commit = look.paint.paint(Style::Warn, &row.commit.short());
    let line = format!(
        "{}{commit}  {}  {}",
        look.word(style, word, VERDICT),
        look.cell(row.goal.as_str(), id),
        one_line(&about.join(": "))
    );
    format!("{}\n", line.trim_end())
}
