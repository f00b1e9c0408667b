//! `doctor` as text: a precondition a line, and what mends it.

use crate::{
    commands::doctor::{Outcome, Standing},
    letters::{columns, one_line},
    ui::{View, colour::Style, look::Look, text::Lines},
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let name = self.rows.iter().map(|row| columns(row.name)).max().unwrap_or(0);
        for row in &self.rows {
            let (style, word) = match row.state {
                Standing::Ok => (Style::Good, "ok"),
                Standing::Warn => (Style::Warn, "warn"),
                Standing::Fail => (Style::Bad, "fail"),
            };
            let detail = one_line(&row.detail);
            lines.raw(&format!(
                "{}{}  {detail}",
                look.word(style, word, 6),
                look.cell(row.name, name)
            ));
            if let Some(fix) = &row.fix {
                lines.raw(&format!("{:6}{}  fix: {}", "", look.cell("", name), one_line(fix)));
            }
        }
        let number = |state: Standing| self.rows.iter().filter(|row| row.state == state).count();
        let dot = look.dot();
        let (ok, warn, fail) = (number(Standing::Ok), number(Standing::Warn), number(Standing::Fail));
        lines.raw(&format!("{ok} ok {dot} {warn} to know {dot} {fail} to mend"));
        lines.end()
    }
}
