//! `undo` as text.

use crate::{
    commands::undo::Outcome,
    engine::{run::words, steering},
    ui::{
        View,
        colour::Style,
        look::Look,
        text::{Lines, run},
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for row in &self.undone {
            let about = format!("{}  {}  {}", row.goal, row.commit.short(), row.description);
            lines.painted(Style::Good, "undone", &about);
        }
        for (goal, why) in &self.already {
            lines.painted(Style::Dim, "nothing", &format!("{goal}: {why}"));
        }
        if let Some(commit) = self.commit {
            let checks = words(&self.checks, None);
            lines.add("commit", format!("{}  {checks}", commit.short()).trim_end());
            let goals = steering::typed(self.undone.iter().map(|row| &row.goal));
            let release = format!("until `git invisigoth release {goals}`");
            lines.painted(Style::Warn, "held", &release);
        }
        lines.end() + &run::beside(look, self.beside.as_deref())
    }

    fn aside(&self) -> String {
        let words = match (self.undone.is_empty(), self.nothing_left) {
            (true, _) => "nothing to undo",
            (false, true) => "nothing of it was left in the code; only memory/ changed",
            (false, false) => "",
        };
        words.to_owned()
    }
}
