//! `budget` as text: a line for the run, the day and each goal, what is spent beside what may be.

use crate::{
    commands::budget::{Outcome, RaiseOutcome},
    money::{
        caps::{self, Scope},
        dollars,
        ledger::Sum,
    },
    settings::Caps,
    ui::{
        View,
        colour::Style,
        look::{Look, count},
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
    let usd = at_least(look, sum.usd, sum.unknown);
    let mut parts = vec![match caps.usd {
        Some(cap) => format!("{usd} of {}", dollars(Some(cap))),
        None => usd,
    }];
    let of = |n: u64, cap: Option<u64>, one: &str, many: &str| match cap {
        Some(cap) => format!("{n} of {}", count(cap, one, many)),
        None => count(n, one, many),
    };
    parts.push(of(sum.calls, caps.calls, "call", "calls"));
    parts.push(of(sum.tokens, caps.tokens, "token", "tokens"));
    if caps.minutes.is_some() {
        parts.push(of(sum.millis / 60_000, caps.minutes, "minute", "minutes"));
    }
    parts.join(", ")
}

impl View for RaiseOutcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for raised in &self.raised {
            let amount = |number| raised.what.amount(number);
            let before = raised.before.map_or_else(|| "none".to_owned(), amount);
            lines.add(
                "cap",
                &format!("{} is {}, was {before}", raised.name, amount(raised.now)),
            );
        }
        lines.end()
    }
}
