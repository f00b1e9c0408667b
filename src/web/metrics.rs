//! Metrics: how things stand in numbers, as Prometheus reads them. Made anew for each look; counts what is on record in this clone.

use std::fmt::Write as _;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use eyre::{Result, WrapErr as _};

use crate::{
    engine::{
        live, orders, recall,
        runs::{self, By, Counts},
        session::Session,
        spending,
        target::Target,
    },
    git::attempts,
    schedule::{self, State as Standing},
    web::server::{Shared, blocking},
};

/// What Prometheus calls its text.
const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers with them.
pub async fn metrics(State(shared): State<Shared>) -> Response {
    let work = move || {
        let made = shared.site.fresh().and_then(|session| text(&session));
        made.map_err(|error| shared.site.fault(&error).message)
    };
    match blocking(work).await {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, MEDIA)], text).into_response(),
        Ok(Err(why)) => (StatusCode::CONFLICT, format!("error: {why}\n")).into_response(),
        Err(response) => response,
    }
}

/// A kind of number.
#[derive(Clone, Copy)]
enum Sort {
    Gauge,
    Counter,
}

/// The text so far.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Adds a metric: its value for each label, of which there is one name at most.
    fn add(&mut self, sort: Sort, (name, help): (&str, &str), label: &str, values: &[(&str, f64)]) {
        let word = match sort {
            Sort::Gauge => "gauge",
            Sort::Counter => "counter",
        };
        let _ = writeln!(
            self.0,
            "# HELP invisigoth_{name} {help}\n# TYPE invisigoth_{name} {word}"
        );
        for (value_of, value) in values {
            let _ = match label {
                "" => writeln!(self.0, "invisigoth_{name} {value}"),
                label => writeln!(self.0, "invisigoth_{name}{{{label}=\"{value_of}\"}} {value}"),
            };
        }
    }

    fn one(&mut self, sort: Sort, about: (&str, &str), value: f64) {
        self.add(sort, about, "", &[("", value)]);
    }
}

/// A count as Prometheus has numbers; beyond 2^53 the last digits are lost.
#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
fn number(count: u64) -> f64 {
    count as f64
}

fn many(count: usize) -> f64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

/// Makes them.
///
/// # Errors
/// When backlog, ledger or what runs say cannot be read.
fn text(session: &Session) -> Result<String> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let facts = recall::read(session, &repo, &target)?.facts;
    let states: Vec<Standing> = facts
        .goals
        .keys()
        .filter_map(|id| schedule::state(&facts, id).map(|(state, _)| state))
        .collect();
    let count = |state: Standing| match state {
        Standing::Landed => many(facts.landed.len()),
        state => many(states.iter().filter(|other| **other == state).count()),
    };
    let goals: Vec<(&str, f64)> = Standing::ALL
        .iter()
        .map(|state| (state.word(), count(*state)))
        .collect();
    let ledger = spending::read(session, &repo).wrap_err("reading the ledger of spending")?;
    let (spent, today) = (ledger.since(""), ledger.day(&session.clock.now().rfc3339()));
    let attempts: u64 = attempts::newest(&repo)?.values().map(|number| u64::from(*number)).sum();
    let mut text = Text::default();
    text.add(Sort::Gauge, ("goals", "Goals by state."), "state", &goals);
    text.one(
        Sort::Gauge,
        ("queue_depth", "Candidates that wait to land."),
        count(Standing::Candidate),
    );
    text.one(
        Sort::Gauge,
        ("paused", "Whether a person paused all runs."),
        number(u64::from(orders::paused(session, &repo).is_some())),
    );
    text.one(
        Sort::Counter,
        ("attempts_total", "Attempts at goals that are on record."),
        number(attempts),
    );
    text.one(Sort::Counter, ("calls_total", "Model calls."), number(spent.calls));
    text.one(
        Sort::Counter,
        ("tokens_total", "Tokens of prompts and replies together."),
        number(spent.tokens),
    );
    text.one(
        Sort::Counter,
        ("dollars_total", "Dollars of calls, as far as they are known."),
        spent.usd,
    );
    text.one(
        Sort::Counter,
        ("calls_of_unknown_price_total", "Calls whose dollars are not known."),
        number(spent.unknown),
    );
    text.one(
        Sort::Gauge,
        ("dollars_today", "Dollars since midnight, UTC."),
        today.usd,
    );
    of_runs(session, &mut text)?;
    let version = [(env!("CARGO_PKG_VERSION"), 1.0)];
    text.add(
        Sort::Gauge,
        ("build_info", "The version that serves this."),
        "version",
        &version,
    );
    Ok(text.0)
}

fn of_runs(session: &Session, text: &mut Text) -> Result<()> {
    let repo = session.repo();
    let live = live::read(session, &repo).wrap_err("reading what runs say")?;
    let runs = runs::read(session, &repo).wrap_err("reading the lines of runs")?;
    let mut counts = Counts::default();
    for run in &runs {
        counts.add(&run.counts);
    }
    let by = |by: By| many(runs.iter().filter(|run| run.by == by).count());
    let by: Vec<(&str, f64)> = By::ALL.iter().map(|one| (one.word(), by(*one))).collect();
    let goals = live.iter().map(|doing| doing.goals.len()).sum();
    text.one(
        Sort::Gauge,
        ("runs_live", "Processes that work in this clone."),
        many(live.len()),
    );
    text.one(Sort::Gauge, ("goals_in_hand", "Goals that they work at."), many(goals));
    text.add(
        Sort::Counter,
        ("runs_total", "Runs on record, by what started them."),
        "by",
        &by,
    );
    text.one(
        Sort::Counter,
        ("checks_total", "Commands of gates that ran."),
        number(counts.checks),
    );
    text.one(
        Sort::Counter,
        ("check_seconds_total", "Seconds that they took."),
        counts.check_seconds(),
    );
    text.one(
        Sort::Counter,
        ("replies_refused_total", "Replies that could not be used."),
        number(counts.refused),
    );
    Ok(())
}
