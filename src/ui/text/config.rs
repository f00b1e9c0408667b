//! `config` as text: `section.key=value` lines, as `git config --list` prints them.

use crate::{
    commands::config::{Outcome, Row, SetOutcome},
    letters::one_line,
    ui::{View, colour::Style, look::Look, text::Lines},
};

impl View for Outcome {
    fn text(&self, _: &Look) -> String {
        let line = |row: &Row| {
            let value = row.said.value.to_string();
            let value = if self.bare {
                value
            } else {
                format!("{}={}", row.key, one_line(&value))
            };
            match self.show_origin {
                true => format!("{}\t{value}\n", row.said.place),
                false => format!("{value}\n"),
            }
        };
        self.settings.iter().map(line).collect()
    }

    fn aside(&self) -> String {
        self.warnings.iter().map(|line| format!("warning: {line}\n")).collect()
    }
}

impl View for SetOutcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        match &self.value {
            Some(value) => lines.add("set", &format!("{}={value}", self.key)),
            None => lines.add("unset", &self.key),
        }
        lines.add("in", &self.place);
        if let Some(now) = &self.now {
            lines.add("now", &format!("{}={}  ({})", self.key, now.value, now.place));
        }
        if let Some(remark) = &self.remark {
            lines.painted(Style::Warn, "note", remark);
        }
        lines.end()
    }
}
