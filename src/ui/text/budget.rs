//! `budget` as text: a line for the run, the day and each goal, what is spent beside what may be.

use crate::{
    commands::budget::{Outcome, RaiseOutcome},
    money::{
        caps::{self, Scope, What},
        ledger::Sum,
    },
    settings::Caps,
    ui::{
        View,
        colour::Style,
        look::Look,
        text::{Lines, at_least},
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for row in &self.rows {
            let spent = spent(look, &row.spent, &row.caps);
            match (&row.goal, row.scope) {
                (Some(goal), _) => lines.add("goal", &format!("{goal}  {spent}")),
                (None, Scope::Run) => lines.add("run", &format!("{spent} in the newest run")),
                (None, Scope::Day | Scope::Goal) => lines.add("day", &format!("{spent} today (UTC)")),
            }
            if !row.reason.is_empty() {
                lines.painted(Style::Warn, "blocked", &row.reason);
            }
        }
        if self.each_goal != Caps::default() {
            lines.add("each goal", &format!("at most {}", caps::words(&self.each_goal)));
        }
        lines.end()
    }
}

/// Words what is spent of what: `$0.42 of $0.50, 3 calls, 1200 of 9000 tokens`.
pub(crate) fn spent(look: &Look, sum: &Sum, caps: &Caps) -> String {
    let of = |said: String, what: What| match what.cap(caps) {
        Some(cap) => format!("{said} of {}", what.amount(cap)),
        None => said,
    };
    let mut parts = vec![
        of(at_least(look, sum.usd, sum.unknown), What::Usd),
        format!("{} calls", of(sum.calls.to_string(), What::Calls)),
        format!("{} tokens", of(sum.tokens.to_string(), What::Tokens)),
    ];
    if caps.minutes.is_some() {
        parts.push(format!(
            "{} minutes",
            of((sum.millis / 60_000).to_string(), What::Minutes)
        ));
    }
    parts.join(", ")
}

impl View for RaiseOutcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for raised in &self.raised {
            let before = raised
                .before
                .map_or_else(|| "none".to_owned(), |before| before.to_string());
            lines.add("cap", &format!("{}: {}, was {before}", raised.name, raised.now));
        }
        lines.end()
    }
}
