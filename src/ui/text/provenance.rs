//! `provenance` as text: JSON Lines, or the notes as they are.

use crate::{
    commands::provenance::{Outcome, Told},
    ui::{View, look::Look},
};

impl View for Outcome {
    fn text(&self, _: &Look) -> String {
        let is_one = self.commits.len() == 1;
        let text = |told: &Told| match (&told.record, &told.note) {
            (Some(record), _) => format!("{record}\n"),
            // One alone can be piped on as it is.
            (None, Some(note)) if is_one => note.clone(),
            (None, Some(note)) => format!("commit {}\n{note}\n", told.commit),
            (None, None) => String::new(),
        };
        self.commits.iter().map(text).collect()
    }
}
