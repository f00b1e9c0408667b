//! `log` as text: a landed goal a line, with what it took.

use crate::{
    commands::log::{Outcome, Row},
    engine::run::words,
    money::dollars,
    ui::{
        View,
        colour::Style,
        look::{Look, columns, count},
        text::show,
    },
};

/// Longest column of ids.
const ID: usize = 24;
/// Longest column of subjects.
const SUBJECT: usize = 40;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let widest = |of: fn(&Row) -> usize| self.landed.iter().map(of).max().unwrap_or(0);
        let id = widest(|row| columns(row.goal.as_str())).min(ID);
        let subject = widest(|row| columns(&row.subject)).min(SUBJECT);
        self.landed.iter().map(|row| line(look, row, (id, subject))).collect()
    }

    fn aside(&self) -> String {
        if self.landed.is_empty() {
            "nothing has landed yet".to_owned()
        } else {
            String::new()
        }
    }
}

fn line(look: &Look, row: &Row, (id, subject): (usize, usize)) -> String {
    let took = match &row.record {
        None => "no record".to_owned(),
        Some(record) if record.is_unasked() => {
            let parts = [
                look.cut(&record.model, 30),
                record.provider.clone(),
                words(&record.checks, record.red_green),
            ];
            parts.join("  ").trim_end().to_owned()
        }
        Some(record) => {
            let parts = [
                look.cut(&record.model, 30),
                count(record.attempts.into(), "reply", "replies"),
                count(record.tokens, "token", "tokens"),
                dollars(record.cost_usd),
                words(&record.checks, record.red_green),
            ];
            let evicted = record
                .evictions
                .map(|times| format!("  evicted {}", show::times(times)));
            format!("{}{}", parts.join("  ").trim_end(), evicted.unwrap_or_default())
        }
    };
    let took = match &row.undone_at {
        Some(at) => format!("undone {at}  {took}"),
        None => took,
    };
    let commit = look.paint.paint(Style::Warn, &row.commit.short());
    format!(
        "{commit}  {}  {}  {took}\n",
        look.cell(row.goal.as_str(), id),
        look.cell(&row.subject, subject)
    )
}
