//! The goals: a table, filtered and sorted by its address.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BTreeSet},
};

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::list::{self, Row},
    engine::session::Session,
    schedule::State,
    web::pages::{Asked, Page},
};

/// What stands for all open goals, and for all.
const OPEN: &str = "open";
const ALL: &str = "all";

/// A link that is a choice.
#[derive(Debug, Serialize)]
struct Choice {
    word: String,
    /// Where it leads.
    to: String,
    /// How many goals it would show.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    /// True where it is chosen.
    on: bool,
    /// How the column is sorted, as assistive technology is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    sorted: Option<&'static str>,
}

#[derive(Serialize)]
struct Goals {
    rows: Vec<Row>,
    /// How many there are in all, whatever the filter.
    total: usize,
    states: Vec<Choice>,
    columns: Vec<Choice>,
    labels: BTreeSet<String>,
    state: String,
    label: String,
    q: String,
    sort: String,
}

/// Makes it.
///
/// # Errors
/// As `list`.
pub fn page(session: &Session, asked: &Asked) -> Result<Page> {
    let request = list::Request {
        states: State::ALL.to_vec(),
    };
    let rows = list::run(session, &request)?.goals;
    let state = asked.get("state").unwrap_or(OPEN).to_owned();
    let (label, q) = (
        asked.get("label").unwrap_or_default(),
        asked.get("q").unwrap_or_default(),
    );
    let labels: BTreeSet<String> = rows.iter().flat_map(|row| row.labels.iter().cloned()).collect();
    let total = rows.len();
    let needle = q.to_lowercase();
    let mut found: Vec<Row> = rows
        .into_iter()
        .filter(|row| label.is_empty() || row.labels.iter().any(|other| other == label))
        .filter(|row| needle.is_empty() || holds(row, &needle))
        .collect();
    let states = states(asked, &found, &state);
    found.retain(|row| is_in(row, &state));
    let sort = asked.get("sort").unwrap_or("state").to_owned();
    sorted(&mut found, &sort);
    let goals = Goals {
        rows: found,
        total,
        states,
        columns: columns(asked, &sort),
        labels,
        state,
        label: label.to_owned(),
        q: q.to_owned(),
        sort,
    };
    Page::new("Goals", "goals", goals)
}

fn holds(row: &Row, needle: &str) -> bool {
    let labels = row.labels.iter().map(String::as_str);
    let texts = [row.goal.as_str(), &row.description, &row.why];
    texts
        .into_iter()
        .chain(labels)
        .any(|text| text.to_lowercase().contains(needle))
}

fn is_in(row: &Row, state: &str) -> bool {
    match state {
        ALL => true,
        OPEN => row.state != State::Landed,
        word => row.state.word() == word,
    }
}

/// Lists the states that some goal is in, and the one that is chosen.
fn states(asked: &Asked, rows: &[Row], chosen: &str) -> Vec<Choice> {
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.state).or_default() += 1;
    }
    let landed = counts.get(&State::Landed).copied().unwrap_or(0);
    let each = State::ALL.iter().filter_map(|state| {
        let count = counts.get(state).copied().unwrap_or(0);
        (count > 0 || chosen == state.word()).then(|| (state.word(), count))
    });
    [(OPEN, rows.len() - landed), (ALL, rows.len())]
        .into_iter()
        .chain(each)
        .map(|(word, count)| Choice {
            word: word.to_owned(),
            to: asked.with("state", if word == OPEN { "" } else { word }).address(),
            count: Some(count),
            on: chosen == word,
            sorted: None,
        })
        .collect()
}

/// Lists the columns; each link sorts by it, or the other way round.
fn columns(asked: &Asked, sort: &str) -> Vec<Choice> {
    let words = [
        ("State", "state"),
        ("Goal", "goal"),
        ("What", "what"),
        ("Priority", "priority"),
        ("Why", "why"),
    ];
    let column = |(word, key): (&str, &str)| {
        let sorted = match sort.strip_prefix('-') {
            Some(by) if by == key => Some("descending"),
            None if sort == key => Some("ascending"),
            _ => None,
        };
        let next = match sorted {
            Some("ascending") => format!("-{key}"),
            _ => key.to_owned(),
        };
        Choice {
            word: word.to_owned(),
            to: asked.with("sort", if next == "state" { "" } else { &next }).address(),
            count: None,
            on: sorted.is_some(),
            sorted,
        }
    };
    words.into_iter().map(column).collect()
}

fn sorted(rows: &mut [Row], sort: &str) {
    let (key, is_descending) = match sort.strip_prefix('-') {
        Some(key) => (key, true),
        None => (sort, false),
    };
    let by = |a: &Row, b: &Row| -> Ordering {
        let first = match key {
            "goal" => Ordering::Equal,
            "what" => a.description.to_lowercase().cmp(&b.description.to_lowercase()),
            // Higher goes first.
            "priority" => Reverse(a.priority).cmp(&Reverse(b.priority)),
            "why" => a.why.cmp(&b.why),
            _ => a.state.place().cmp(&b.state.place()),
        };
        first.then_with(|| a.goal.cmp(&b.goal))
    };
    rows.sort_by(|a, b| if is_descending { by(b, a) } else { by(a, b) });
}
