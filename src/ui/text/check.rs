//! `check` as text: a command a line, what a failed one printed, and the verdict.

use crate::{
    commands::check::Outcome,
    letters::one_line,
    ui::{
        View,
        colour::Style,
        look::{Look, count, seconds},
        text::Lines,
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for row in &self.checks {
            let ok = row.check.exit == 0;
            let (style, word) = if ok {
                (Style::Good, "ok")
            } else {
                (Style::Bad, "failed")
            };
            let tests = row.check.tests.map(|n| format!("  {}", count(n, "test", "tests")));
            let tests = tests.unwrap_or_default();
            let exit = if ok {
                String::new()
            } else {
                format!("  exit {}", row.check.exit)
            };
            lines.raw(&format!(
                "{}{:<10} {}  {}{tests}{exit}",
                look.word(style, word, 8),
                row.check.stage.word(),
                one_line(&row.check.cmd),
                seconds(row.check.seconds)
            ));
            if let Some(output) = &row.output {
                lines.indented(output);
            }
            if let Some(hint) = &row.hint {
                lines.painted(Style::Warn, "hint", hint);
            }
        }
        let (style, word) = if self.passed {
            (Style::Good, "passed")
        } else {
            (Style::Bad, "failed")
        };
        lines.raw(&format!("{}commit {}", look.word(style, word, 8), self.commit.short()));
        lines.end()
    }
}
