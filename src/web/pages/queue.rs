//! The merge queue: what waits to land in its order, who has the turn, and whether it moves.

use std::collections::BTreeMap;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::status::{
        self, Row,
        queue::{Place, Queue},
        today::Today,
    },
    engine::{orders::Paused, session::Session},
    id::GoalId,
    schedule::State,
    web::pages::{
        Page,
        setup::{self, Setup},
    },
};

#[derive(Serialize)]
struct Lane<'a> {
    queue: &'a Queue,
    rows: Vec<Waits<'a>>,
    /// Candidates that land only once a person said so.
    held: Vec<&'a Row>,
    today: &'a Today,
    paused: &'a Option<Paused>,
    beside: &'a Option<String>,
    target: &'a str,
    /// Present where no goal is there yet.
    setup: Option<Setup>,
}

#[derive(Serialize)]
struct Waits<'a> {
    #[serde(flatten)]
    place: &'a Place,
    /// What it needs, with the state of each.
    for_what: Vec<(&'a GoalId, &'static str)>,
    /// The one before it.
    after: Option<&'a GoalId>,
}

/// True for a held goal that `merge` lands. One that a person held, or took back, has no candidate: nothing of it could land.
fn is_candidate(row: &Row) -> bool {
    let merges = |next: &String| next.starts_with("git invisigoth merge ");
    row.state == State::Held && row.next.as_ref().is_some_and(merges)
}

/// Makes it.
///
/// # Errors
/// As `status`.
pub fn page(session: &Session) -> Result<Page> {
    let status = status::run(session)?;
    let states: BTreeMap<&GoalId, State> = status.goals.iter().map(|row| (&row.goal, row.state)).collect();
    let state = |goal: &GoalId| states.get(goal).map_or("unknown", |state| state.word());
    let places = &status.queue.rows;
    let before = std::iter::once(None).chain(places.iter().map(|place| Some(&place.goal)));
    let rows = places.iter().zip(before).map(|(place, before)| Waits {
        for_what: place.needs.iter().map(|need| (need, state(need))).collect(),
        after: before.filter(|_| place.position.is_some() && !place.lands),
        place,
    });
    let held = status.goals.iter().filter(|row| is_candidate(row));
    let is_new = status.counts.values().sum::<usize>() == 0;
    let lane = Lane {
        queue: &status.queue,
        rows: rows.collect(),
        held: held.collect(),
        today: &status.today,
        paused: &status.paused,
        beside: &status.beside,
        target: &status.target,
        setup: is_new.then(|| setup::look(session, "git invisigoth add \"what to do\"")),
    };
    Page::new("Queue", "queue", lane)
}
