//! `run` as text: what remains to be said when the goals' own lines are printed.

use std::time::Duration;

use crate::{
    commands::run::{Outcome, Would},
    engine::{night::Told, planning::Planned, run::Summary},
    goal::{Decision, Goal},
    id::GoalId,
    letters::{columns, one_line},
    money::dollars,
    quote,
    schedule::State,
    time::local,
    ui::{
        View,
        colour::Style,
        look::{ID, Look, count, grouped, seconds},
        text::{estimate, report},
    },
};

/// Most waiting goals that are listed.
const WAITING: usize = 15;
/// Most goals that a command is named for.
const NAMED: usize = 4;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        match self {
            Self::Ran {
                night: Some(night),
                summary,
                ..
            } => match &night.report {
                Some(report) => report::text(report, look) + &night_line(look, night),
                None => ran(look, summary) + &night_line(look, night),
            },
            Self::Ran { summary, .. } => ran(look, summary),
            Self::Dry {
                would_run,
                waiting,
                estimate,
            } => {
                let told = estimate.as_ref().map(|told| estimate::line(told, look) + "\n");
                dry(look, would_run, waiting) + &told.unwrap_or_default()
            }
        }
    }

    fn aside(&self) -> String {
        match self {
            Self::Dry { .. } => "dry run: no model was asked, nothing was changed".to_owned(),
            Self::Ran { summary, .. } if summary.plans.iter().any(|plan| plan.status == Decision::Proposed) => {
                "planned goals wait for you; `git invisigoth show ID`, then `approve ID` or `reject ID`".to_owned()
            }
            Self::Ran { summary, .. } if summary.goals.is_empty() && summary.cut_short.is_none() => {
                "nothing is ready; `git invisigoth status` says why".to_owned()
            }
            Self::Ran { .. } => String::new(),
        }
    }
}

fn ran(look: &Look, summary: &Summary) -> String {
    let mut text: String = summary.plans.iter().map(|plan| proposed(look, plan)).collect();
    text.push_str(&waiting(look, &summary.waiting, 0));
    text.push_str(&beside(look, summary.beside.as_deref()));
    text.push_str(&next(look, summary));
    text.push_str(&took(look, summary));
    text.push_str(&look.paint.paint(Style::Bold, &totals(look, summary)));
    text.push('\n');
    text
}

/// Names what takes landed goals out again, and what tries failed ones again. What is held says so itself.
fn next(look: &Look, summary: &Summary) -> String {
    let line = |verb: &str, states: &[State]| {
        let of = summary.goals.iter().filter(|result| states.contains(&result.state));
        let ids: Vec<String> = of.map(|result| quote::quoted(result.goal.as_str())).collect();
        let named = match ids.len() {
            0 => return String::new(),
            1..=NAMED => ids.join(" "),
            _ => "ID".to_owned(),
        };
        format!("{}git invisigoth {verb} {named}\n", look.word(Style::Dim, verb, 9))
    };
    line("undo", &[State::Landed]) + &line("retry", &[State::Failed, State::Parked])
}

/// Words what it took besides calls.
fn took(look: &Look, summary: &Summary) -> String {
    let mut parts = Vec::new();
    if summary.checks > 0 {
        parts.push(report::checks(summary.checks, summary.check_seconds));
    }
    if summary.refused > 0 {
        parts.push(count(summary.refused, "reply refused", "replies refused"));
    }
    if let Some(usd) = summary.usd_per_landed.filter(|usd| *usd > 0.0) {
        parts.push(format!("{} a landed goal, failures counted", dollars(Some(usd))));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("{}{}\n", look.word(Style::Dim, "took", 9), parts.join("; "))
}

/// Words a night besides its goals: `night    the window ended; 3 rounds, waited 12 min for work`.
fn night_line(look: &Look, night: &Told) -> String {
    let end = match night.end {
        "window" => "the window ended",
        "stopped" => "it was stopped",
        "stalled" => "it came to nothing",
        "max" => "as many goals as asked for",
        _ => "it could not go on",
    };
    let rounds = count(night.rounds, "round", "rounds");
    let waited = night.waited.iter().map(|(reason, seconds)| {
        let long = Duration::try_from_secs_f64(*seconds).unwrap_or_default();
        format!("waited {} for {reason}", local::words(long))
    });
    let parts: Vec<String> = std::iter::once(rounds).chain(waited).collect();
    format!("{}{end}; {}\n", look.word(Style::Dim, "night", 11), parts.join(", "))
}

/// Lists the goals of a plan that wait for a person.
fn proposed(look: &Look, plan: &Planned) -> String {
    if plan.status != Decision::Proposed {
        return String::new();
    }
    let line = |goal: &Goal| {
        let id = goal.id.as_ref().map_or("", |id| id.as_str());
        let word = look.word(Style::of(State::Proposed), State::Proposed.word(), 9);
        format!("{word}{id}  {}\n", one_line(&goal.description))
    };
    plan.goals.iter().map(line).collect()
}

/// Says that results wait beside the branch, and why; nothing where they do not.
pub(crate) fn beside(look: &Look, why: Option<&str>) -> String {
    let Some(why) = why.map(one_line) else {
        return String::new();
    };
    let word = look.word(Style::Warn, "waiting", 9);
    format!("{word}results are beside the branch: {why}\n")
}

/// Words what a run came to: `2 landed · 1 failed · $0.00 (scripted) · 6 s`.
fn totals(look: &Look, summary: &Summary) -> String {
    let number = |state: State| summary.goals.iter().filter(|goal| goal.state == state).count();
    let mut parts = vec![format!("{} landed", number(State::Landed))];
    for state in [State::Candidate, State::Held, State::Failed, State::Parked] {
        if number(state) > 0 {
            parts.push(format!("{} {state}", number(state)));
        }
    }
    if number(State::Ready) > 0 {
        parts.push(format!("{} evicted", number(State::Ready)));
    }
    if number(State::Blocked) > 0 {
        parts.push(format!("{} paused", number(State::Blocked)));
    }
    if !summary.waiting.is_empty() {
        parts.push(format!("{} waiting", summary.waiting.len()));
    }
    let scripted = if summary.scripted { " (scripted)" } else { "" };
    parts.push(match summary.cost_usd {
        None => "cost unknown".to_owned(),
        usd => format!("{}{scripted}", dollars(usd)),
    });
    parts.push(seconds(summary.seconds));
    parts.join(&format!(" {} ", look.dot()))
}

/// `least` is the width of the ids that stand above.
fn waiting(look: &Look, waiting: &[(GoalId, String)], least: usize) -> String {
    let ids = waiting.iter().take(WAITING).map(|(id, _)| columns(id.as_str()));
    let id = ids.max().unwrap_or(0).max(least).min(ID);
    let line = |(goal, why): &(GoalId, String)| {
        format!(
            "{}{}  {}\n",
            look.state(State::Blocked, 9),
            look.cell(goal.as_str(), id),
            one_line(why)
        )
    };
    let text: String = waiting.iter().take(WAITING).map(line).collect();
    match waiting.len().checked_sub(WAITING) {
        None | Some(0) => text,
        Some(more) => {
            let (word, left_out) = (look.state(State::Blocked, 9), look.ellipsis());
            format!("{text}{word}{left_out} and {more} more: git invisigoth list --state blocked\n")
        }
    }
}

fn dry(look: &Look, would_run: &[Would], blocked: &[(GoalId, String)]) -> String {
    let listed = blocked.iter().take(WAITING).map(|(id, _)| columns(id.as_str()));
    let ids = would_run.iter().map(|would| columns(would.goal.as_str()));
    let id = ids.chain(listed).max().unwrap_or(0).min(ID);
    let mut text = String::new();
    for would in would_run {
        let bytes = grouped(would.prompt_bytes);
        let left_out = match would.left_out.as_slice() {
            [] => String::new(),
            parts => format!(", without {}", one_line(&parts.join(", "))),
        };
        let line = format!(
            "{}{}  {}  prompt {bytes} bytes{left_out}\n",
            look.state(State::Ready, 9),
            look.cell(would.goal.as_str(), id),
            look.cell(&would.description, 40)
        );
        text.push_str(&line);
    }
    text + &waiting(look, blocked, id)
}
