//! The graph: goals right of what they need, as a drawing and as a table that says the same. `?focus=ID` leaves one goal with
//! what it needs and what needs it, `?landed=1` draws landed goals too.

use std::collections::HashMap;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::status::graph,
    engine::session::Session,
    fault::{Fault, Kind},
    graph::{
        part::{Choice, Part, Shown},
        picture::{self, Picture},
    },
    id::GoalId,
    schedule::State,
    web::pages::{Asked, Page, goal},
};

/// Most goals on a page: more are no picture that anybody reads.
const MOST: usize = 1_000;

/// What the page shows.
#[derive(Serialize)]
struct Data<'a> {
    /// The goal that it is about.
    focus: Option<&'a GoalId>,
    /// True where landed goals are drawn.
    landed: bool,
    /// How many landed goals, and how many others, belong here and are not drawn.
    hidden: usize,
    more: usize,
    /// The drawing.
    picture: Picture,
    /// The same as a table.
    rows: Vec<Row<'a>>,
}

/// A row of the table.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    shown: &'a Shown,
    /// What it needs, with its state.
    blockers: Vec<Blocker<'a>>,
    /// How many of the goals here need it.
    unblocks: usize,
}

/// A goal that another one needs.
#[derive(Serialize)]
struct Blocker<'a> {
    goal: &'a GoalId,
    state: State,
}

/// Makes it.
///
/// # Errors
/// A fault for a focus that is no goal, and as `status`.
pub fn page(session: &Session, asked: &Asked) -> Result<Page> {
    let bad = |bad: String| Fault::new(Kind::Usage, bad);
    let focus = asked.get("focus").map(str::parse::<GoalId>).transpose();
    let choice = Choice {
        focus: focus.map_err(|error| bad(error.to_string()))?,
        landed: asked.get("landed").is_some(),
    };
    let drawn = goal::found(graph::run(session, &choice, MOST))?;
    let title = match &choice.focus {
        Some(id) => format!("Graph of {id}"),
        None => "Graph".to_owned(),
    };
    let data = Data {
        picture: picture::picture(&drawn.part),
        rows: rows(&drawn.part),
        focus: choice.focus.as_ref(),
        landed: choice.landed,
        hidden: drawn.part.landed,
        more: drawn.part.more,
    };
    Ok(Page {
        place: "graph",
        ..Page::new(title, "graph", &data)?
    })
}

fn rows(part: &Part) -> Vec<Row<'_>> {
    let states: HashMap<&GoalId, State> = part.goals.iter().map(|shown| (&shown.goal, shown.state)).collect();
    let mut wanted: HashMap<&GoalId, usize> = HashMap::new();
    for need in part.goals.iter().flat_map(|shown| &shown.needs) {
        *wanted.entry(need).or_default() += 1;
    }
    let blocker = |goal| {
        let state = *states.get(goal)?;
        Some(Blocker { goal, state })
    };
    let rows = part.goals.iter().map(|shown| Row {
        shown,
        blockers: shown.needs.iter().filter_map(blocker).collect(),
        unblocks: wanted.get(&shown.goal).copied().unwrap_or(0),
    });
    rows.collect()
}
