//! `export` as text: the file itself where it goes to standard output, else what was written.

use crate::{
    commands::export::Outcome,
    ui::{View, look::Look, text::Lines},
};

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
