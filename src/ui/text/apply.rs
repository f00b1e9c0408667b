//! `apply` as text: what changed, a path a line.

use crate::{
    commands::apply::Outcome,
    letters::one_line,
    ui::{View, look::Look},
};

impl View for Outcome {
    fn text(&self, _look: &Look) -> String {
        self.changes
            .iter()
            .map(|(what, path)| format!("{what:<8} {}\n", one_line(path)))
            .collect()
    }
}
