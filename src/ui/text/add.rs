//! `add` as text: the id alone, for scripts.

use crate::{
    commands::add::Outcome,
    ui::{View, look::Look},
};

impl View for Outcome {
    fn text(&self, _look: &Look) -> String {
        format!("{}\n", self.id)
    }
}
