//! `export` as text: the file itself where it goes to standard output, else what was written.

use crate::{
    commands::export::{Outcome, site},
    ui::{
        View,
        look::{Look, count},
        text::Lines,
    },
};

impl View for site::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        lines.add(
            "wrote",
            &format!("{} to {}", count(self.files, "file", "files"), self.dir),
        );
        if !self.removed.is_empty() {
            let removed = count(self.removed.len(), "file", "files");
            lines.add("removed", &format!("{removed} of an earlier export"));
        }
        lines.add("open", &self.front);
        lines.end()
    }
}

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let mut lines = Lines::new(look);
        for path in &self.written {
            lines.add("wrote", path);
        }
        let told = format!("{} with a new state, {} new there", self.told.len(), self.added.len());
        lines.add("goals", &told);
        self.notes.iter().for_each(|note| lines.add("note", note));
        lines.end()
    }
}
