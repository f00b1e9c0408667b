//! `apply` as text: what changed, a path a line.

use crate::{
    commands::apply::Outcome,
    ui::{
        View,
        look::{Look, one_line},
    },
};

impl View for Outcome {
    fn text(&self, _look: &Look) -> String {
        self.changes
            .iter()
            .map(|(what, path)| format!("{what:<8} {}\n", one_line(path)))
            .collect()
    }
}
