//! The API: what `--json` prints, for programs, in one table: addresses, what each takes, and the command that answers. Its
//! description is made of this table and that of the actions.

use std::{str::FromStr as _, sync::Arc};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use eyre::Result;
use serde_json::Value;

use crate::{
    commands::{Document, Outcome, budget, config, cost, diff, doctor, list, log, prompt, report, show, status},
    engine::{self, session::Session},
    fault::{Fault, Kind},
    id::GoalId,
    schedule::State as Standing,
    web::{
        acting, openapi,
        pages::Asked,
        respond,
        server::{Shared, blocking},
    },
};

/// Where all of it stands.
pub const ROOT: &str = "/api/v1";

/// What stands in a query.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What it must be, as JSON Schema has it.
    pub schema: fn() -> Value,
}

/// Something that can be read.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// Its address below `ROOT`; `{id}` stands for a goal.
    pub path: &'static str,
    /// What it answers, in a sentence.
    pub about: &'static str,
    /// The schema of the answer.
    pub schema: &'static str,
    /// What its query may say.
    pub params: &'static [Param],
    read: fn(&Session, &Asked) -> Result<Value>,
}

const fn endpoint(
    path: &'static str,
    about: &'static str,
    schema: &'static str,
    read: fn(&Session, &Asked) -> Result<Value>,
) -> Endpoint {
    Endpoint {
        path,
        about,
        schema,
        params: &[],
        read,
    }
}

impl Endpoint {
    const fn with(self, params: &'static [Param]) -> Self {
        Self { params, ..self }
    }
}

/// Everything that can be read.
pub const ALL: &[Endpoint] = &[
    endpoint(
        "/status",
        "What needs a person, what runs, and why the rest waits.",
        status::Outcome::SCHEMA,
        |session, _| document(&status::run(session)?),
    ),
    endpoint("/goals", "The goals, by id.", list::Outcome::SCHEMA, goals).with(&[Param {
        name: "state",
        about: "Only goals in this state.",
        schema: openapi::state,
    }]),
    endpoint(
        "/goals/{id}",
        "Everything about one goal.",
        show::Outcome::SCHEMA,
        |session, asked| document(&show::run(session, &goal(asked)?)?),
    ),
    endpoint(
        "/goals/{id}/diff",
        "Which paths a goal changes.",
        diff::Outcome::SCHEMA,
        |session, asked| document(&diff::with_lines(session, &goal(asked)?, None)?),
    ),
    endpoint(
        "/goals/{id}/prompt",
        "The prompt that a goal would get.",
        prompt::Outcome::SCHEMA,
        |session, asked| {
            let request = prompt::Request {
                id: goal(asked)?,
                explain: false,
            };
            document(&prompt::run(session, &request)?)
        },
    ),
    endpoint(
        "/log",
        "What landed, the newest first, and what it took.",
        log::Outcome::SCHEMA,
        landings,
    )
    .with(&[Param {
        name: "max",
        about: "At most so many.",
        schema: openapi::count,
    }]),
    endpoint(
        "/report",
        "What came of the runs: landed, failed, spent; and what starts runs.",
        engine::report::Report::SCHEMA,
        |session, asked| {
            let since = asked.query.get("since").cloned();
            document(&report::run(session, &report::Request { since })?)
        },
    )
    .with(&[SINCE]),
    endpoint("/cost", "What goals took.", cost::Outcome::SCHEMA, costs).with(&[
        Param {
            name: "by",
            about: "What each row is about.",
            schema: openapi::by,
        },
        Param {
            name: "since",
            about: "Only work that began on this day or later.",
            schema: openapi::day,
        },
    ]),
    endpoint(
        "/budget",
        "The caps on spending, and what is spent of them.",
        budget::Outcome::SCHEMA,
        |session, _| document(&budget::run(session)?),
    ),
    endpoint(
        "/config",
        "The settings that have a value, and where each comes from.",
        config::Outcome::SCHEMA,
        |session, _| {
            document(&config::run(
                session,
                &config::Request {
                    key: None,
                    show_origin: true,
                },
            )?)
        },
    ),
    endpoint(
        "/doctor",
        "Every precondition, and what mends it.",
        doctor::Outcome::SCHEMA,
        |session, _| {
            document(&doctor::run(&doctor::Place {
                cwd: &session.cwd,
                env: &session.env,
                session: Ok(session),
                asks: true,
            }))
        },
    ),
];

const SINCE: Param = Param {
    name: "since",
    about: "Since then: a day, a time in RFC 3339.",
    schema: openapi::moment,
};

fn document<O: Outcome>(outcome: &O) -> Result<Value> {
    Ok(serde_json::to_value(Document::of(outcome))?)
}

/// The goal that the address names: the part behind `goals`.
fn goal(asked: &Asked) -> Result<GoalId> {
    let text = asked.path.get(3).map(String::as_str).unwrap_or_default();
    // Nothing has a name that is none.
    GoalId::from_str(text).map_err(|bad| Fault::new(Kind::Error, bad.to_string()).into())
}

fn goals(session: &Session, asked: &Asked) -> Result<Value> {
    let states = match asked.query.get("state") {
        None => Vec::new(),
        Some(word) => vec![one_of("state", word, &Standing::ALL, Standing::word)?],
    };
    document(&list::run(session, &list::Request { states })?)
}

fn landings(session: &Session, asked: &Asked) -> Result<Value> {
    let max = asked.query.get("max").map_or(Ok(20), |text| text.parse::<u32>());
    let max = max
        .ok()
        .filter(|max| *max > 0)
        .and_then(|max| usize::try_from(max).ok());
    let max = max.ok_or_else(|| Fault::new(Kind::Usage, "`max` is a number from 1 on"))?;
    document(&log::run(session, log::Request { max })?)
}

fn costs(session: &Session, asked: &Asked) -> Result<Value> {
    let by = match asked.query.get("by").map(String::as_str) {
        None | Some("goal") => cost::By::Goal,
        Some("model") => cost::By::Model,
        Some("day") => cost::By::Day,
        Some(_) => return Err(Fault::new(Kind::Usage, "`by` is one of goal, model, day").into()),
    };
    let since = asked.query.get("since").cloned();
    document(&cost::run(session, &cost::Request { by, since })?)
}

fn one_of<T: Copy>(name: &str, said: &str, all: &[T], word: fn(T) -> &'static str) -> Result<T> {
    let found = all.iter().copied().find(|one| word(*one) == said);
    found.ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
        Fault::new(Kind::Usage, format!("`{name}` is one of {}", words.join(", "))).into()
    })
}

/// Answers a program.
pub async fn read(State(shared): State<Shared>, request: Request, endpoint: &'static Endpoint) -> Response {
    let site = Arc::clone(&shared.site);
    let asked = respond::asked(request.uri());
    let work = move || {
        let came = known(endpoint, &asked).and_then(|()| (endpoint.read)(&site.fresh()?, &asked));
        match came {
            Ok(document) => respond::text(StatusCode::OK, site.text_of(&document)),
            Err(error) => acting::failed(&site, &error, StatusCode::NOT_FOUND),
        }
    };
    match blocking(work).await {
        Ok(response) | Err(response) => response,
    }
}

/// A name that nothing is made of may be a wrong one.
fn known(endpoint: &Endpoint, asked: &Asked) -> Result<()> {
    let is_known = |name: &str| endpoint.params.iter().any(|param| param.name == name);
    match asked.query.keys().find(|name| !is_known(name)) {
        Some(name) => Err(Fault::new(Kind::Usage, format!("the query takes no `{name}`")).into()),
        None => Ok(()),
    }
}

/// Answers a program that asks for what is not there.
pub async fn nothing() -> Response {
    let fault = Fault::new(Kind::Usage, "there is nothing at this address");
    let fault = fault.hint(format!("{ROOT}/openapi.json lists all addresses"));
    respond::json(StatusCode::NOT_FOUND, &Document::failed(&fault))
}

/// Answers with the description of all this.
pub async fn description() -> Response {
    respond::json(StatusCode::OK, &openapi::document())
}
