//! `hook` as text.

use crate::{
    commands::hook::Outcome,
    ui::{View, look::Look, text::Lines},
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        if self.notes_carried > 0 {
            lines.add("notes", &format!("{} carried over", self.notes_carried));
        }
        if self.notes_added > 0 {
            lines.add("notes", &format!("{} added from history.json", self.notes_added));
        }
        for line in &self.said {
            lines.raw(&format!("invisigoth: {line}"));
        }
        lines.end()
    }
}
