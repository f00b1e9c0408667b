//! `status --graph`: open goals below what they need, as `git log --graph` draws commits. What landed is not drawn.

use std::collections::HashMap;

use crate::{
    commands::status::{Outcome, Row},
    graph::{self, Line, Signs},
    id::GoalId,
    schedule::State,
    ui::{
        colour::Style,
        look::{Look, columns, grouped, one_line},
    },
};

/// Most goals that a terminal shows; what reads from a pipe gets all.
const MOST: usize = 100;

/// Returns the drawing, and below it what the marks mean.
pub fn text(outcome: &Outcome, look: &Look) -> String {
    // Nodes are numbered in the order in which goals would run; what is decided against is no part of the plan.
    let mut rows: Vec<&Row> = outcome
        .goals
        .iter()
        .filter(|row| row.state != State::Rejected)
        .collect();
    rows.sort_by_key(|row| (row.position.is_none(), row.position, &row.goal));
    let numbers: HashMap<&GoalId, usize> = rows.iter().zip(0..).map(|(row, nth)| (&row.goal, nth)).collect();
    let number = |need: &GoalId| numbers.get(need).copied();
    let needs: Vec<Vec<usize>> = rows
        .iter()
        .map(|row| row.needs.iter().filter_map(number).collect())
        .collect();
    let signs = if look.unicode { Signs::UNICODE } else { Signs::ASCII };
    let most = if look.is_endless() { usize::MAX } else { MOST };
    let mut text = String::new();
    for drawn in graph::draw(&needs, signs, most) {
        if let Some(row) = rows.get(drawn.node) {
            text.push_str(&line(look, row, &drawn, (&rows, &numbers)));
            text.push('\n');
        }
    }
    let more = rows.len().saturating_sub(most);
    if more > 0 {
        let (dots, more) = (look.ellipsis(), grouped(u64::try_from(more).unwrap_or(u64::MAX)));
        text.extend([dots, " and ", &more, " more: git invisigoth status --graph | less\n"]);
    }
    text + &foot(outcome, rows.is_empty())
}

fn line(look: &Look, row: &Row, drawn: &Line, (rows, numbers): (&[&Row], &HashMap<&GoalId, usize>)) -> String {
    let head = format!("{} ", drawn.lanes);
    let taken = columns(&head) + columns(row.state.word()) + 1;
    // A need that no lane leads from: beyond the widest drawing, or not open.
    let untold = drawn
        .untold
        .iter()
        .filter_map(|need| rows.get(*need))
        .map(|need| &need.goal);
    let lost = row.needs.iter().filter(|need| !numbers.contains_key(need));
    let needs: Vec<&str> = untold.chain(lost).map(GoalId::as_str).collect();
    let needs = if needs.is_empty() {
        String::new()
    } else {
        format!("  needs {}", needs.join(", "))
    };
    let about = one_line(&format!("{}{needs}  {}", row.goal, one_line(&row.description)));
    let state = look.paint.paint(Style::of(row.state), row.state.word());
    format!("{head}{state} {}", look.cut(&about, look.width.saturating_sub(taken)))
}

fn foot(outcome: &Outcome, is_empty: bool) -> String {
    let landed = outcome.counts.get(State::Landed.word()).copied().unwrap_or(0);
    let landed = grouped(u64::try_from(landed).unwrap_or(u64::MAX));
    if is_empty {
        format!("nothing is open; {landed} landed\n")
    } else {
        format!("{landed} landed; a goal needs those whose lanes lead down to it\n")
    }
}
