//! `status --porcelain`: for scripts. Lines of `#` say what is known of the whole, then a line for each open goal, columns
//! apart by a tab. docs/formats.md has the columns; within a version lines of `#` and columns at the end are only added.

use crate::{commands::status::Outcome, letters::one_line};

/// Returns the lines. Nothing is painted or cut.
pub fn text(outcome: &Outcome) -> String {
    let mut text = String::from("# porcelain v1\n");
    let mut head = |word: &str, about: String| text.extend(["# ", word, " ", &one_line(&about), "\n"]);
    head("target", format!("{} {}", outcome.tip, outcome.target));
    if let Some(paused) = &outcome.paused {
        let since = paused.since.as_deref().unwrap_or("-");
        head(
            "paused",
            format!("{since} {}", paused.why.as_deref().unwrap_or_default()),
        );
    }
    for doing in &outcome.runs {
        let phase = doing.goals.first().map_or(doing.phase, |hand| hand.phase);
        let phase = phase.map_or("-", |phase| phase.word());
        let usd = doing.cost_usd.map_or_else(|| "-".to_owned(), |usd| format!("{usd}"));
        head("run", format!("{} {phase} {} {usd}", doing.pid, doing.calls));
    }
    if let Some(why) = &outcome.beside {
        head("beside", why.clone());
    }
    for (state, count) in &outcome.counts {
        head("count", format!("{state} {count}"));
    }
    for row in &outcome.goals {
        let position = row
            .position
            .map_or_else(|| "-".to_owned(), |position| position.to_string());
        let columns = [
            row.state.word(),
            row.goal.as_str(),
            &position,
            &row.reason,
            &row.description,
        ];
        text.push_str(&columns.map(one_line).join("\t"));
        text.push('\n');
    }
    text
}
