//! `cost` as text: a line for each goal, model or day, then all together.

use crate::{
    commands::cost::{Outcome, Row, Took},
    letters::columns,
    money::dollars,
    ui::{
        View,
        colour::Style,
        look::{Look, count, pad},
        text::at_least,
    },
};

/// Longest column of names.
const NAME: usize = 40;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let names = self.rows.iter().map(|row| columns(&row.key));
        let name = names.max().unwrap_or(0).clamp(5, NAME);
        let mut text: String = self.rows.iter().map(|row| line(look, row, name)).collect();
        let total = format!("{}  {}", pad("total", name), words(look, &self.total));
        text.push_str(&look.paint.paint(Style::Bold, total.trim_end()));
        text.push('\n');
        text
    }

    fn aside(&self) -> String {
        // A tenth of a cent may be lost by adding in another order.
        let more = self.ledger.usd - self.total.usd;
        if more < 0.001 {
            return String::new();
        }
        format!(
            "the ledger of this clone counts {} more: calls that were cut, at their worst price, or whose goal has no record",
            dollars(Some(more))
        )
    }
}

fn line(look: &Look, row: &Row, name: usize) -> String {
    let open = match row.open_usd > 0.0 {
        true => format!("  ({} not landed)", dollars(Some(row.open_usd))),
        false => String::new(),
    };
    format!("{}  {}{open}\n", look.cell(&row.key, name), words(look, &row.took))
}

fn words(look: &Look, took: &Took) -> String {
    let usd = at_least(look, took.usd, took.unknown);
    let (replies, tokens) = (
        count(took.replies, "reply", "replies"),
        count(took.tokens, "token", "tokens"),
    );
    format!("{}  {replies}, {tokens}", pad(&usd, 9))
}
