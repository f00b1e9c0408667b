//! `rebuild` as text.

use crate::{
    commands::rebuild::Outcome,
    ui::{
        View,
        look::Look,
        text::{Lines, run},
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        lines.add("notes", &format!("{} added from history.json", self.notes_added));
        lines.add("history", &format!("{} rows added from notes", self.rows_added));
        if let Some(commit) = self.commit {
            lines.add("commit", &commit.short());
        }
        lines.end() + &run::beside(look, self.beside.as_deref())
    }
}
