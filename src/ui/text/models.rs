//! `models` as text: a model a line, in columns.

use crate::{
    commands::models::{Outcome, Row},
    letters::{columns, one_line},
    provider::pricing::exact,
    ui::{
        View,
        look::{Look, count, grouped, pad},
        text::Lines,
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let ids: Vec<String> = self.models.iter().map(|row| one_line(&row.id)).collect();
        let width = ids.iter().map(|id| columns(id)).max().unwrap_or(0);
        for (row, id) in self.models.iter().zip(&ids) {
            let context = row.context.map_or_else(|| "?".to_owned(), grouped);
            lines.raw(&format!("{}  {context:>10}  {}", pad(id, width), prices(row)));
        }
        lines.end()
    }

    fn aside(&self) -> String {
        let shown = match self.models.len() {
            all if all == self.total => count(self.total, "model", "models"),
            some => format!("{some} of {}", count(self.total, "model", "models")),
        };
        let minutes = self.age_seconds / 60;
        let age = match (minutes / 60, minutes) {
            (0, 0) => "listed just now".to_owned(),
            (0, minutes) => format!("listed {minutes} min ago; --refresh asks again"),
            (hours, _) => format!("listed {hours} h ago; --refresh asks again"),
        };
        format!(
            "{shown} at {}: tokens of context, dollars a million tokens of prompt / reply; {age}",
            self.endpoint
        )
    }
}

fn prices(row: &Row) -> String {
    match (row.usd_per_mtok_in, row.usd_per_mtok_out) {
        (Some(0.0), Some(0.0)) => "free".to_owned(),
        (Some(input), Some(output)) => format!("{} / {}", exact(input), exact(output)),
        _ => "price unknown".to_owned(),
    }
}
